"""Files of views in the forms of others, made of what a shard of `view_shards` says, without the exporter's code."""

import io
import json
import pickle
import zlib

import numpy as np
import shard_writer
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


SIZES = [(40, 64), (48, 32), (24, 24), (80, 16), (8, 40), (56, 56)]
"""Height and width of six pictures: multiples of eight, as the boxes of `view_shards` want them."""

CONFIG = {
    "dataset": "imagenet", "reinforce": {"topk": 3, "image_augmentation": {
        "random_resized_crop": {"enable": True, "size": 224}, "uint8": {"enable": True},
        "random_horizontal_flip": {"enable": True, "p": 0.5}, "rand_augment": {"enable": True, "p": 1.0},
        "to_tensor": {"enable": True}, "normalize": {"mean": [0.5], "std": [1.0]}, "random_erase": {"enable": True},
        "mixup": {"enable": True, "alpha": 1.0}, "cutmix": {"enable": True, "alpha": 1.0}, "center_crop": {"enable": False},
    }},
}  # fmt: skip
ALONE = [None, (9, 72, 242, 226), True, [(9, 0.27), (11, 178.5)], None, None, None]
MIXED = [
    2, [(1, 2, 30, 40), (5, 6, 70, 80)], [False, True], [[(9, 0.27), (11, 178.5)], [(0, 0.0), (1, -0.5)]],
    [None, (3, 4, 5, 6)], 0.25, [0.5, np.int64(0), np.int64(1), np.int64(20), np.int64(200)],
]  # fmt: skip
BOTH = {
    "uint8": ((), ()), "random_horizontal_flip": (True, False), "rand_augment": ([("Sharpness", 0.27)], [("Identity", 0.0)]),
    "random_erase": (None, (1, 2, 3, 4)), "to_tensor": ((), ()), "normalize": ((), ()), "mixup": None,
    "cutmix": (0.5, (np.int64(0), np.int64(1), np.int64(20), np.int64(200))),
    "random_resized_crop": ((21, 24, 235, 186), (93, 13, 384, 438)), "id2": 2,
}  # fmt: skip
PARAMETERS = {"compressed": [ALONE, MIXED], "whole": [BOTH, {**BOTH, "cutmix": None, "mixup": 0.5, "id2": 0}]}


def written(place, views, settings):
    """A dataset of two shards with the rows of some views in no order."""
    order = np.random.default_rng(8).permutation(len(views.keys))
    parts = []
    for rows in (order[:5], order[5:]):
        part = view_shards.Views(
            [views.keys[row] for row in rows], [views.image_indexes[row] for row in rows],
            {name: [values[row] for row in rows] for name, values in views.columns.items()}, views.view_size,
            views.source_type, views.document, views.row_order,
        )  # fmt: skip
        own = {**settings, "ids": settings["ids"][rows], "scores": settings["scores"][rows]}
        if "sizes" in own:
            sizes = own.pop("sizes")[rows].astype("<u4")
            own["extra_columns"] = {"image_size": shard_writer.Shard().column(sizes, {"axes": "image axis"})}
        shard = part.shard(**own)
        if "operations" in views.columns:
            width = max(len(text.encode()) for text in views.columns["operations"])
            texts = np.array([views.columns["operations"][row].encode() for row in rows], f"S{width}")
            shard.column_changes["operations"] = {"data": texts, "type": view_shards.utf8_type(width)}
        parts.append(shard)
    return shard_writer.write_dataset(place, *parts)


def edc():
    views, settings = run_of(box_type="pixels")
    settings["sizes"] = np.array(SIZES)[views.image_indexes]
    views.columns["operations"] = ['{"permutation":[[1,0],[0,1]]}' if row % 2 else "" for row in range(len(views.keys))]
    return views, settings


def lpld(cutout):
    views, settings = run_of()
    if cutout:
        views.columns["view_flip"] = [255] * len(views.keys)
        views.columns["operations"] = [
            json.dumps({"cutout": [0.1 * row, 0.2, 0.5, 0.5, row, 100, 255]}) for row in range(len(views.keys))
        ]
    return views, settings


def lpqld(drawn, is_sparse, mix="cutmix"):
    views, settings = run_of(mix, box_type="float16")
    count = len(views.keys)
    numbers = {name: number for number, name in enumerate(sorted(batches_of(views)))}
    views.columns["replay"] = [[0, numbers[epoch, batch], slot] for epoch, batch, slot in views.columns["replay"]]
    if drawn:
        views.columns["operations"] = [json.dumps({"rand_augment": RAND_AUGMENT[row % 2]}) for row in range(count)]
    return kept(views, settings, highest=40_000) if is_sparse else (views, settings)


def fkd(width=3, encoding="float32", label_type="marginal_smoothing_k5", unlabelled=False, box_type="float32"):
    views = view_shards.crops(4, 3)
    views.source_type = box_type
    count = len(views.keys)
    if unlabelled:
        extra = '{"unlabelled":[[0.5,0.25,0.125,0.5,1],[0.25,0.25,0.5,0.5,0]]}'
        views.columns["operations"] = [extra if view == 2 else "" for view in views.columns["view"]]
    scores = np.random.default_rng(5).dirichlet(np.ones(width + 1), count)[:, None, None, :width]
    scores = -np.sort(-scores.astype(view_shards_type(encoding)), -1)
    views, settings = described(
        views, {"scores": scores if label_type != "hard" else np.ones_like(scores), "encoding": encoding,
                "score_kind": "probability"},
        folder="imagenet/train", label_type=label_type,
    )  # fmt: skip
    return kept(views, settings, width)


def fkd_files(views, settings, label_type="marginal", unlabelled=False, **_):
    found = {}
    kind = {"float16": np.float16, "float32": np.float32}[views.source_type]
    for image, key in sorted(set(zip(views.image_indexes, views.keys))):
        rows = [row for row, other in enumerate(views.image_indexes) if other == image]
        boxes = np.array([views.columns["view_box"][row] for row in rows], kind)
        flips = np.array([bool(views.columns["view_flip"][row]) for row in rows])
        ids, scores = settings["ids"][rows, 0, 0], settings["scores"][rows, 0, 0]
        if label_type == "hard":
            labels = ids[:, 0].astype(np.int64)
        else:
            labels = np.stack([ids.astype(scores.dtype), scores], 1)
            labels = labels[..., 0] if labels.shape[-1] == 1 else labels
        if unlabelled:
            boxes = np.concatenate([boxes, np.array([[0.5, 0.25, 0.125, 0.5], [0.25, 0.25, 0.5, 0.5]], kind)])
            flips = np.concatenate([flips, [True, False]])
        found[f"imagenet/train/{key}.tar"] = [boxes, flips, labels]
    return found


def ml_dr(variant, container="torch"):
    views, settings = fkd()
    del views.columns["view_flip"], views.columns["view_box"]
    views.columns["operations"] = [
        json.dumps({"params": PARAMETERS[variant][row % 2]}, default=int) for row in range(len(views.keys))
    ]
    views.document["source"] = {"container": container, "config": json.dumps(CONFIG)}
    return views, settings


def ml_dr_files(views, settings, variant):
    found = {"config.pth.tar": CONFIG}
    for image in sorted(set(views.image_indexes)):
        rows = [row for row, other in enumerate(views.image_indexes) if other == image]
        found[f"{image}.pth.tar"] = (image, [
            {"params": PARAMETERS[variant][row % 2],
             "prob": (settings["scores"][row, 0, 0].tolist(), settings["ids"][row, 0, 0].tolist())}
            for row in rows
        ])  # fmt: skip
    return found


def tinyvit(named=False):
    views, settings = run_of(None, kind="probability")
    del views.columns["view_box"], views.columns["view_flip"]
    views.columns["view_seed"] = np.random.default_rng(1).integers(0, 1 << 31, len(views.keys))
    views.columns["replay"] = [[epoch, line, rank] for epoch, rank, line in views.columns["replay"]]
    views.document |= {"chain": ["crop", "flip"], "source": {"keys": "name" if named else "position"}}
    return kept(views, settings, highest=40_000)


def tinyvit_files(views, settings, named):
    found = {}
    ranks = {}
    for row, (epoch, line, rank) in sorted(enumerate(views.columns["replay"]), key=lambda numbered: numbered[1]):
        ranks.setdefault((epoch, rank), []).append(row)
    for (epoch, rank), rows in ranks.items():
        lines = [views.keys[row].partition("/")[2] if named else str(views.image_indexes[row]) for row in rows]
        records = [
            np.int32(views.columns["view_seed"][row]).tobytes() + settings["ids"][row].tobytes() + settings["scores"][row].tobytes()
            for row in rows
        ]  # fmt: skip
        found[f"logits_top3_epoch{epoch}/rank{rank}-keys.txt"] = "".join(f"{line}\n" for line in lines).encode()
        found[f"logits_top3_epoch{epoch}/rank{rank}-values.bin"] = b"".join(records)
    return found


FILES = {
    "sre2l": lambda: run_of(), "edc": edc, "lpld": lambda: lpld(False), "lpqld": lambda: lpqld(True, True),
    "hald": lambda: run_of(kind="probability", box_type="float16", folder="FKD"), "fkd": fkd,
    "ml-dr": lambda: ml_dr("compressed"),
}  # fmt: skip
"""The views of each form that consists of files of objects, and the settings of their shards."""
