"""Files of views in the forms of others, made of what a shard of `view_shards` says, without the exporter's code."""

import io
import json
import pickle
import zlib

import numpy as np
import torch
import view_shards

CLASSES = 10
RAND_AUGMENT = [[[3, 0.25, -99], [8, 0.5, 1.5]], [[1, 0.75, -99], [2, 0.125, -0.5]]]
"""Operation, draw and level of each of two steps; two views take turns."""


def same(found, wanted, where=""):
    """Asserts that two objects are equal down to the types and bits of all they hold."""
    assert type(found) is type(wanted), (where, type(found), type(wanted))
    if isinstance(wanted, (torch.Tensor, np.ndarray)):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape, (where, found.dtype, found.shape)
        assert np.asarray(found).tobytes() == np.asarray(wanted).tobytes(), (where, found, wanted)
    elif isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted), (where, found, wanted)
        for place, (one, other) in enumerate(zip(found, wanted)):
            same(one, other, f"{where}[{place}]")
    elif isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), (where, found.keys(), wanted.keys())
        for name in wanted:
            same(found[name], wanted[name], f"{where}.{name}")
    else:
        assert found == wanted, (where, found, wanted)


def loaded(path):
    """What a file holds: of `torch.save`, of joblib, or JSON; else its bytes."""
    content = path.read_bytes()
    if content[:2] == b"PK":
        return torch.load(io.BytesIO(content), weights_only=False)
    if path.suffix == ".json":
        return json.loads(content)
    if content[:1] == b"x":
        content = zlib.decompress(content)
    return pickle.loads(content) if content[:1] == b"\x80" else content


def assert_files(folder, wanted):
    """Asserts that a folder holds these files, by name and content, and its description."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert found.keys() - {"export.json"} == wanted.keys()
    for name, content in wanted.items():
        same(loaded(found[name]), content, name)


def described(views, settings, **source):
    """The settings of a shard of these views, whose document says these things of the source."""
    views.document = {**views.document, "source": source}
    views.row_order = "source"
    return views, {"num_classes": CLASSES, **settings}


def run_of(mix="cutmix", kind="logit", encoding="float16", box_type="float32", **source):
    """A stored run with scores of all classes."""
    views = view_shards.replayed(mix=mix)
    views.source_type = box_type
    views.document["chain"] = ["crop", "resize", "flip", *([mix] if mix else [])]
    generator = np.random.default_rng(3)
    count = len(views.keys)
    scores = generator.normal(0, 3, (count, CLASSES)) if kind == "logit" else generator.dirichlet(np.ones(CLASSES), count) * 0.99
    ids = np.tile(np.arange(CLASSES, dtype="<u2"), (count, 1, 1, 1))
    scores = scores.astype(view_shards_type(encoding))[:, None, None]
    return described(
        views, {"ids": ids, "scores": scores, "k": CLASSES, "encoding": encoding, "score_kind": kind, "cell_order": "class"},
        **source,
    )  # fmt: skip


def view_shards_type(encoding):
    return {"float16": "<f2", "float32": "<f4"}[encoding]


def kept(views, settings, k=3, highest=CLASSES):
    """The same views with k classes in an order of their own."""
    generator = np.random.default_rng(4)
    count = len(views.keys)
    ids = np.array([generator.choice(highest, k, False) for _ in range(count)], "<u2")[:, None, None]
    scores = settings["scores"][..., :k]
    return views, {**settings, "ids": ids, "scores": scores, "k": k, "num_classes": highest, "cell_order": "source"}


def batches_of(views):
    """Epoch and batch of each batch, and its rows by slot."""
    found = {}
    for row, (epoch, batch, _) in enumerate(views.columns["replay"]):
        found.setdefault((epoch, batch), []).append(row)
    return {name: sorted(rows, key=lambda row: views.columns["replay"][row][2]) for name, rows in found.items()}


def six_slots(views, settings, rows, box=np.float32):
    """SRe2L's list of a batch."""
    columns = views.columns
    way = next((way for way in ("mixup", "cutmix") if f"{way}_lambda" in columns), None)
    return [
        torch.tensor(np.array(columns["view_box"], box)[rows]),
        torch.tensor([bool(columns["view_flip"][row]) for row in rows]),
        torch.tensor([columns[f"{way}_partner"][row][1] for row in rows]) if way else None,
        columns[f"{way}_lambda"][rows[0]] if way else None,
        [np.int64(edge) for edge in columns["cutmix_box"][rows[0]]] if way == "cutmix" else None,
        torch.tensor(settings["scores"][rows, 0, 0]),
    ]


def indexes(views, place):
    """The pictures of each epoch (place 0) or batch (place 1)."""
    found = {}
    for name, rows in sorted(batches_of(views).items()):
        found.setdefault(str(name[place]), []).extend(views.image_indexes[row] for row in rows)
    return found
