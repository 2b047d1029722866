"""What each target of the fuzzer starts from: small sound inputs, made at run time."""

import io
import json
import pathlib
import pickle
import struct
import sys
import tempfile
import zipfile
import zlib

import numpy
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "spec/conformance/generator"))

from shard_writer import (  # noqa: E402
    ENCODINGS,
    SCORE_KINDS,
    Shard,
    canonical,
    encode_index,
    shuffle,
    two_shards,
    write_dataset,
    write_shard,
)

SAMPLES = ROOT / "samples"
FIXTURES = ROOT / "Tests/AnnotatorOutputsTests/Fixtures"
LARGEST = 1 << 14  # bytes of a seed: the fuzzer gets nowhere in larger ones


def files(*patterns):
    """The contents of small files."""
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    return [path.read_bytes() for path in paths if path.stat().st_size <= LARGEST]


def index_body(**changes):
    """An index.json without its digest, which the target adds."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_dataset(pathlib.Path(folder) / "dataset", *two_shards(**changes))
        document = json.loads((dataset / "index.json").read_bytes())
    del document["sha256"]
    return document


def indexes():
    document = index_body()
    left_out = [{"key": "a/b", "image_index": None, "reason": "x"}]
    return [canonical(document), canonical(document | {"left_out": left_out, "sources": 9}), encode_index(document)]


def metadata():
    return [Shard().metadata(), Shard(document={"annotator": None, "classes": None}).metadata()]


def documents():
    values = ['[-0.5e-3,1E400,-0,0.1,9223372036854775808]', '{"a":{"\\u00e9":"\\ud83d\\ude00/\\/"}}', "[" * 600]
    return [*(value.encode() for value in values), *metadata(), *files("samples/*.json", "spec/*.json")]


def pickles():
    """The pickles inside of the torch fixtures."""
    found = []
    for path in sorted(FIXTURES.glob("*/*.pt")):
        content = path.read_bytes()
        if content[:2] != b"PK":
            found.append(content)
            continue
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.endswith("data.pkl")]
            found += [archive.read(name) for name in names]
    return [pickle for pickle in found if len(pickle) <= LARGEST]


def views():
    """Files of labels of crops, behind the byte that says of which dialect; of a zip, its pickle."""
    places = ["sre2l/*/*.tar", "edc/*/*.tar", "lpld/*/*.tar", "lpqld/*.tar", "hald/*/epoch_0.tar", "hald/*/*.pt"]
    places += ["fkd/*/*/*/*.tar", "mldr/[12].*", "mldr/config.*", "lpld/*.json", "tinyvit/*/*.bin"]
    found = []
    for kind, place in enumerate(places):
        for path in sorted(FIXTURES.glob("views/" + place)):
            content = path.read_bytes()
            if content[:2] == b"PK":
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    [name] = [name for name in archive.namelist() if name.endswith("data.pkl")]
                    content = archive.read(name)
            elif content[:1] == b"x":
                content = zlib.decompress(content)
            found.append(bytes([kind]) + content)
    return found


def written(*kinds):
    """The contents of shards, each with some fields of `Shard` changed."""
    with tempfile.TemporaryDirectory() as folder:
        return [write_shard(pathlib.Path(folder) / "a.h5", **kind).read_bytes() for kind in kinds]


def sound_shards():
    """Shards of several encodings, with optional columns, and one with every block of a chunk index."""
    one = dict(height=1, width=1, k=1, images_per_chunk=1, rows_per_identity_chunk=1)
    kinds = zip(ENCODINGS, [*SCORE_KINDS, "logit"])
    return written(
        *(dict(encoding=encoding, score_kind=kind) for encoding, kind in kinds),
        dict(compression="none"), dict(rows=0), dict(optional=("image_size", "log_normalizer")),
        one | dict(rows=1), one | dict(rows=40), one | dict(rows=300),
    )


def structures():
    """Shards for a walk that makes checksums right: the small sound ones, and some that are refused."""
    odd = written(dict(track_times=True), dict(compact_attributes=False), dict(compact_links=False))
    return [content for content in [*sound_shards(), *odd] if len(content) <= LARGEST]


def chunks():
    """Stored chunks without their checksum, behind four bytes that describe them."""
    raw = bytes(range(48)) * 2
    found = []
    for number, size in enumerate([1, 2, 4, 8, 3]):
        for filters in range(4):
            stored = shuffle(raw, size) if filters & 2 else raw
            stored = zlib.compress(stored) if filters & 1 else stored
            found.append(bytes([filters, number]) + struct.pack("<H", len(raw) // size - 1) + stored)
    return found


def messages():
    """Conversations of helpers that check a shard."""
    facts = {
        "shared": {"grid": "3×4"}, "rows": 2, "build_id": "b", "writer": "w", "num_classes": 10,
        "score_kind": "logit", "metadata_sha256": "m", "score_min": -1.5, "score_max": 2, "is_shuffled": False,
    }
    violation = {"rule": "V001", "message": "m", "count": 2, "images": 1, "row": 0, "cell": [0, 1, 2]}
    numbers = [{"array": "keys"}, b"12345678" * 2, {"array": "indexes"}, bytes(16), {"array": "digests"}, bytes(16)]
    numbers += [{"array": "statistics"}, bytes(88), {"array": "best"}, bytes(80), {"array": "seen"}, bytes(8)]
    sound = [{"images": 2, "chunks": 4}, {"facts": facts}, *numbers]
    broken = [{"violation": violation}, {"violation": violation | {"row": 1}}, {"images": 0, "chunks": 0}]
    return [b"".join(map(message, told)) for told in (sound, broken, [{"failure": "no"}])]


def image_messages():
    """Conversations of helpers that list images and read maps."""
    meaning = {
        "height": 1, "width": 2, "top_k": 1, "rows": 2, "num_classes": 10, "score_kind": "logit", "orientation": "yx",
        "encoding_error": 0.5, "has_sizes": True, "has_digests": True, "classes": [["n1", "a"]],
    }
    names = {"keys": "a/b\nc"}
    whole = struct.pack("<4d", 0, 0, 1, 1)
    bare = meaning | {"has_sizes": False, "has_digests": False}
    told = [[meaning, names, bytes(range(16)), bytes(64), {}, whole, bytes(16)], [bare, names, {}, whole + bytes(16)]]
    return [b"".join(map(message, messages)) for messages in told]


def surveys():
    """Facts about the rows of a damaged shard."""
    fault = {"row": 1, "part": "map", "reason": "x", "cell": [0, 1]}
    rows = {
        "first": 0, "keys": ["a", None], "image_indexes": [0, None], "faults": [fault],
        "unknown": {"image_size": [1]},
    }
    return [canonical(rows), canonical(rows | {"faults": [], "unknown": {}})]


def tables():
    """Tables of boxes."""
    header = "key,class,top,left,height,width"
    pixels = header + ",image_height,image_width\r\n" + '"a",1,2,3,4,5,10,20\r\n'
    return [f'{header}\na,"n""1",0,0.25,0.5,1\n'.encode(), pixels.encode(), b"\xef\xbb\xbf" + pixels.encode()]


def pictures():
    """Small pictures of every kind that is read."""
    kinds = [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("BMP", {})]
    kinds += [("WEBP", {}), ("WEBP", {"lossless": True}), ("WEBP", {"exif": b"Exif\0\0"})]
    found = []
    for kind, options in kinds:
        file = io.BytesIO()
        Image.new("RGB", (3, 2)).save(file, kind, **options)
        found.append(file.getvalue())
    return found


def message(content):
    kind, body = (2, content) if isinstance(content, bytes) else (1, canonical(content))
    return struct.pack("<BI", kind, len(body)) + body


def arrays():
    """Planes of class ids and probabilities [2, 2, 3, 4, 2] and [2, 3, 4, 2]."""
    ids = numpy.arange(96, dtype="f4").reshape(2, 1, 3, 4, 4)[..., :2] % 30
    stack = numpy.concatenate([ids, 1 / (3 + ids)], 1).astype("f4")
    return stack, stack[0]


def kecam():
    stack, one = arrays()
    things = [stack, {"a.jpg": one, "b.jpg": numpy.asfortranarray(one)}, [one, numpy.float32(1), b"x" * 300]]
    return [pickle.dumps(thing, protocol) for thing in things for protocol in (2, 3, 4, 5)]


def safetensors():
    def file(tensors, types):
        head, body = {"__metadata__": {"a": "b"}}, b""
        for (name, array), dtype in zip(tensors.items(), types):
            place = [len(body), len(body) + array.nbytes]
            head[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": place}
            body += array.tobytes()
        text = json.dumps(head).encode()
        return struct.pack("<Q", len(text)) + text + body

    stack, _ = arrays()
    ids, scores = stack[:, 0].astype("i2"), stack[:, 1].astype("f2")
    keys = numpy.frombuffer(b"a\0bc", "u1").reshape(2, 2)
    return [
        file({"class_index": ids, "score": scores, "keys": keys}, ["I16", "F16", "U8"]),
        file({"logits": numpy.zeros((2, 30, 1, 2), "f4")}, ["F32"]),
        file({"a/score": scores[0], "a/class_index": ids[0], "b": numpy.zeros((30, 2, 2))}, ["F16", "I16", "F64"]),
    ]


def labels():
    return [
        b"path,label\na.jpg,1\n\"b,c.jpg\",2,3\n", b"a.jpg 1:.5 2:1e-3\nb.jpg 3:0.25\n", b"a.jpg\t1\r\nb.png\t2\t3\r\n",
    ]


def label_lists():
    return [b"a.jpg\t1\t1,2\t.25,1.0\nb.jpg\t-1\t3\t.9\n", b"a.jpg\t0\t\t\n", b"a.jpg\t1\t2\t3\n"]


def label_documents():
    return [b"[[1, 2], [3], []]", b'{"a.jpg": 1, "b.jpg": [1, 2]}', b'{"a.jpg": {"1": 0.5, "2": 1}}']


def axes():
    stack, _ = arrays()
    found = []
    for array in (stack, stack[:, ::-1].astype("f2"), numpy.asfortranarray(stack[:1])):
        file = io.BytesIO()
        numpy.save(file, array)
        found.append(file.getvalue())
    return found


SEEDS = {
    "axes": axes,
    "kecam": kecam,
    "safetensors": safetensors,
    "labels": labels,
    "tsv": label_lists,
    "sets": label_documents,
    "json": documents,
    "index": indexes,
    "metadata": metadata,
    "pickle": pickles,
    "torch": lambda: files("Tests/AnnotatorOutputsTests/Fixtures/*/*.pt", "samples/maps/*.pt"),
    "npy": lambda: files("Tests/AnnotatorOutputsTests/Fixtures/npy/*.npy"),
    "npz": lambda: files("Tests/AnnotatorOutputsTests/Fixtures/npz/*.npz"),
    "tar": lambda: files("Tests/AnnotatorOutputsTests/Fixtures/tar/*"),
    "views": views,
    "structure": structures,
    "chunk": chunks,
    "messages": messages,
    "images": image_messages,
    "survey": surveys,
    "boxes": tables,
    "picture": pictures,
}


def write_seeds(target, folder):
    """Writes the seeds of a target as files."""
    folder.mkdir(parents=True)
    for number, content in enumerate(SEEDS[target]()):
        (folder / f"{number:03}").write_bytes(content)
