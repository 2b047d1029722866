"""What the packer is judged by: shards read with h5py, inputs with torch and numpy, and the comparison.

Nothing here uses the tools under test. The second half makes inputs.
"""

import collections
import hashlib
import io
import json
import pathlib
import pickle
import tarfile
import zipfile

import h5py
import numpy as np
import torch

ENCODINGS = ("fixed16", "fixed8", "float16", "float32")
CELL_ORDERS = ("score", "class")

# Step and offset of the specification, section 6.2.
PACKING = {
    ("logit", "fixed16"): (2.0**-8, -128.0),
    ("probability", "fixed16"): (2.0**-15, 0.0),
    ("log_probability", "fixed16"): (2.0**-10, -65534 / 1024),
    ("logit", "fixed8"): (2.0**-2, -2.0),
    ("probability", "fixed8"): (2.0**-7, 0.0),
    ("log_probability", "fixed8"): (2.0**-2, -63.5),
}

Labels = collections.namedtuple("Labels", "ids scores")
"""One image as arrays [y, x, rank]: class ids (int64) and scores (float32)."""


# Shards and datasets, read with h5py alone.


class Shard:
    """Everything in a shard, decoded as section 2.2 of the specification says."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            raw = dict(file.attrs.items())
            self.score_attributes = {n: text(v) for n, v in file["score"].attrs.items()}
            self.keys = [key.decode() for key in file["image_key"][:].tolist()]
            self.indexes = file["image_index"][:].tolist()
            self.ids = file["class_index"][:]
            self.stored = file["score"][:]
            self.chunk = file["score"].chunks
        pieces = [name for name in sorted(raw) if name.startswith("metadata_0")]
        self.metadata_pieces = [bytes(raw.pop(name)) for name in pieces]
        self.attributes = {name: text(value) for name, value in raw.items()}
        self.scores = self.stored.astype(np.float32)
        if "scale_factor" in self.score_attributes:
            assert not (self.stored == self.score_attributes["_FillValue"]).any()
            self.scores = self.scores * self.score_attributes["scale_factor"]
            self.scores = self.scores + self.score_attributes["add_offset"]

    @property
    def metadata(self):
        """The metadata document, its digest checked."""
        joined = b"".join(self.metadata_pieces)
        assert hashlib.sha256(joined).hexdigest() == self.attributes["metadata_sha256"]
        return json.loads(joined)

    def labels(self):
        """The images by key."""
        rows = zip(self.keys, self.ids.astype(np.int64), self.scores)
        return {key: Labels(ids, scores) for key, ids, scores in rows}


def text(value):
    """Fixed-length strings come as bytes; everything else stays."""
    return value.decode() if isinstance(value, bytes) else value


def read_index(folder):
    """index.json, its own digest and those of the shards checked."""
    folder = pathlib.Path(folder)
    raw = (folder / "index.json").read_bytes()
    assert raw.endswith(b'"}\n') and raw.count(b"\n") == 1
    index = json.loads(raw)
    body = raw[:-78] + b"}"
    assert hashlib.sha256(body).hexdigest() == index["sha256"]
    for shard in index["shards"]:
        content = (folder / shard["path"]).read_bytes()
        assert len(content) == shard["bytes"]
        assert hashlib.sha256(content).hexdigest() == shard["sha256"]
    assert index["count"] == sum(shard["rows"] for shard in index["shards"])
    assert index["sources"] == index["count"] + len(index["left_out"])
    return index


def read_shards(folder):
    """The shards that index.json lists, in its order."""
    folder = pathlib.Path(folder)
    return [Shard(folder / shard["path"]) for shard in read_index(folder)["shards"]]


def read_dataset(folder):
    """All images of a dataset by key."""
    images = {}
    for shard in read_shards(folder):
        found = shard.labels()
        assert len(found) == len(shard.keys) and not found.keys() & images.keys()
        images.update(found)
    return images


def image_indexes(folder):
    """image_index by key."""
    return {k: i for shard in read_shards(folder) for k, i in zip(shard.keys, shard.indexes)}


def row_keys(folder):
    """All keys in row order."""
    return [key for shard in read_shards(folder) for key in shard.keys]


def folder_bytes(folder):
    """Every file of a folder, hidden ones included, by name."""
    return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


# Inputs, read with torch and numpy alone.


def read_pt(path):
    """A ReLabel file [2, k, H, W] as labels."""
    return from_tensor(torch.load(path, weights_only=True, map_location="cpu"))


def from_tensor(tensor):
    """A tensor [2, k, H, W] as labels; widening to float32 is exact but for float64."""
    planes = tensor.to(torch.float64).numpy()
    ids = planes[1].transpose(1, 2, 0)
    assert (ids == np.round(ids)).all()
    return Labels(ids.astype(np.int64), planes[0].transpose(1, 2, 0).astype(np.float32))


def read_pt_tree(root):
    """All .pt files below a folder by key."""
    root = pathlib.Path(root)
    paths = sorted(root.rglob("*.pt"))
    return {path.relative_to(root).with_suffix("").as_posix(): read_pt(path) for path in paths}


def from_dense(dense, k=5):
    """The k best classes of [C, H, W] in each cell, equal scores by lower id."""
    scores = dense.astype(np.float32)
    ids = np.argsort(-scores.astype(np.float64), axis=0, kind="stable")[:k]
    best = np.take_along_axis(scores, ids, axis=0)
    return Labels(ids.transpose(1, 2, 0), best.transpose(1, 2, 0))


# The comparison.


def decoded(scores, encoding, kind="logit", packing=None):
    """What a score has to come back as, computed from the specification alone."""
    scores = scores.astype(np.float32)
    if encoding == "float32":
        return scores
    if encoding == "float16":
        return scores.astype(np.float16).astype(np.float32)
    step, offset = packing or PACKING[kind, encoding]
    steps = np.rint((scores.astype(np.float64) - offset) / step)
    assert steps.min() >= 0 and steps.max() <= (65534 if encoding == "fixed16" else 254)
    return (steps * step + offset).astype(np.float32)


def in_order(ids, scores, cell_order="score"):
    """The entries of each cell in the order of section 7.2; scores are decoded ones."""
    keys = (ids,) if cell_order == "class" else (ids, -scores.astype(np.float64))
    order = np.lexsort(keys, axis=-1)
    return tuple(np.take_along_axis(values, order, axis=-1) for values in (ids, scores))


def bound(scores, encoding, kind="logit", packing=None):
    """How far each decoded score may lie from its source."""
    if encoding == "float32":
        return np.zeros(scores.shape)
    if encoding == "float16":
        return np.maximum(np.abs(scores.astype(np.float64)) * 2.0**-11, 2.0**-25)
    return np.full(scores.shape, (packing or PACKING[kind, encoding])[0] / 2)


def compare(found, source, encoding="fixed16", cell_order="score", kind="logit", packing=None):
    """Asserts that an image came back as it must; returns the largest |decoded − source|."""
    values = decoded(source.scores, encoding, kind, packing)
    ids, expected = in_order(source.ids, values, cell_order)
    assert found.ids.shape == ids.shape
    assert (found.ids == ids).all(), "class ids differ"
    assert found.scores.dtype == np.float32
    assert (found.scores == expected).all(), "scores differ"
    by_id = np.argsort(found.ids, axis=-1), np.argsort(source.ids, axis=-1)
    back = np.take_along_axis(found.scores, by_id[0], axis=-1).astype(np.float64)
    given = np.take_along_axis(source.scores, by_id[1], axis=-1)
    error = np.abs(back - given)
    assert (error <= bound(given, encoding, kind, packing)).all(), "error above the bound"
    if encoding == "float32":
        assert (back.astype(np.float32).view(np.uint32) == given.view(np.uint32)).all()
    return float(error.max())


def compare_dataset(folder, sources, **how):
    """Asserts that a dataset holds exactly these images; returns the largest error."""
    found = read_dataset(folder)
    assert found.keys() == sources.keys()
    largest = max(compare(found[key], source, **how) for key, source in sources.items())
    recorded = [shard["largest_error"] for shard in read_index(folder)["shards"]]
    assert max(recorded) == largest
    return largest


def key_order(keys):
    """Keys as the source listing orders them: by their UTF-8 bytes."""
    return sorted(keys, key=lambda key: key.encode())


def shuffled(items, seed):
    """The permutation of section 9.4."""
    items, state, mask = list(items), seed, 2**64 - 1
    for last in range(len(items) - 1, 0, -1):
        state = (state + 0x9E3779B97F4A7C15) & mask
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
        chosen = ((mixed ^ (mixed >> 31)) * (last + 1)) >> 64
        items[last], items[chosen] = items[chosen], items[last]
    return items


# Making inputs.


def random_tensor(rng, k=5, height=4, width=4, classes=1000, top=40.0):
    """A label map [2, k, H, W], float32, ranks descending."""
    scores = -np.sort(-rng.uniform(0.1, top, (k, height, width)).astype(np.float32), axis=0)
    cells = [rng.choice(classes, k, replace=False) for _ in range(height * width)]
    ids = np.array(cells, np.float32).T.reshape(k, height, width)
    return torch.from_numpy(np.stack([scores, ids]))


def save_pt(tensor, path, legacy=False):
    """Saves as torch.save does, in the zip or in the legacy container."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tensor, path, _use_new_zipfile_serialization=not legacy)


def make_tree(folder, keys, rng, **shape):
    """Random maps as .pt files, every other one legacy; returns their labels by key."""
    labels = {}
    for number, key in enumerate(keys):
        tensor = random_tensor(rng, **shape)
        save_pt(tensor, folder / f"{key}.pt", legacy=number % 2 == 1)
        labels[key] = from_tensor(tensor)
    return labels


def make_tar(path, folder, names, mode="w", format=tarfile.GNU_FORMAT, prefix=""):
    """A tar of files below a folder, members in the order given."""
    with tarfile.open(path, mode, format=format) as tar:
        for name in names:
            tar.add(folder / name, arcname=prefix + name)


def file_names(folder):
    """The relative paths of all files below a folder, sorted."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def probabilities(rng, k=5, height=4, width=4, classes=1000):
    """Labels whose scores are the k best softmax outputs of a cell."""
    logits = rng.normal(0, 4, (classes, height, width))
    outputs = np.exp(logits) / np.exp(logits).sum(axis=0)
    return from_dense(outputs.astype(np.float32), k)


class _Storage:
    """Stands for a storage in a pickle made by hand."""

    def __init__(self, kind, count):
        self.kind, self.count = kind, count


class _Rebuilt:
    """Pickles as a call of _rebuild_tensor_v2 with any arguments."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
    """Writes storages as persistent ids, as torch.save does."""

    def __init__(self, buffer, legacy):
        super().__init__(buffer, protocol=2)
        self.view = (None,) if legacy else ()

    def persistent_id(self, value):
        if isinstance(value, _Storage):
            return ("storage", value.kind, "0", "cpu", value.count, *self.view)
        return None


def forged_pickle(sizes, strides, count, offset=0, kind=torch.FloatStorage, legacy=False):
    """The pickle of a tensor with any sizes, strides, offset and number of elements."""
    buffer = io.BytesIO()
    value = _Rebuilt(_Storage(kind, count), offset, sizes, strides, False, collections.OrderedDict())
    _Pickler(buffer, legacy).dump(value)
    return buffer.getvalue()


def zip_container(pickled, storage, compression=zipfile.ZIP_STORED):
    """A zip container as torch.save makes it, around any pickle and storage."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("map/data.pkl", pickled)
        archive.writestr("map/byteorder", "little")
        archive.writestr("map/data/0", storage)
        archive.writestr("map/version", "3\n")
    return buffer.getvalue()


def legacy_container(pickled, storage, count):
    """A legacy container as torch.save makes it, around any pickle and storage."""
    system = dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4))
    parts = [pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, system)]
    parts += [pickled, pickle.dumps(["0"], protocol=2)]
    return b"".join(parts) + (count % 2**64).to_bytes(8, "little") + storage
