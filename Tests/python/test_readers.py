"""The small readers of samples/readers, in four languages, against the test vectors and a dense reference."""

import contextlib
import io
import json
import os
import re
import runpy
import subprocess
import sys
from unittest import mock

import fixtures_factors
import numpy as np
import oracle
import pooling_reference
import pytest
import shard_writer
from conftest import ROOT, verify

from relabel_hdf5 import MapBatch

READERS = ROOT / "samples" / "readers"
FOLDER = ROOT / "spec" / "conformance" / "pooling"
VECTORS = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
MOST_LINES = 40
WHOLE = (0.0, 0.0, 1.0, 1.0)
ALL_KINDS = {"logit", "probability", "log_probability"}
BOX = (0.1, 0.2, 0.55, 0.45)
KEY = "train/n0002"  # the third row of a shard that shard_writer makes


# ------------------------------------------------------------------------------------ running a reader


class Reader:
    """A reader in one language; a call gives a finished process."""

    def __init__(self, *command, kinds=ALL_KINDS, every=1):
        self.command = command
        self.kinds = kinds
        self.every = every  # one of so many vectors is enough where starting takes long

    def __call__(self, *arguments):
        return subprocess.run(
            [*self.command, *map(str, arguments)], capture_output=True, text=True, timeout=60
        )


class PythonReader(Reader):
    """Runs the script in this process: importing h5py takes longer than all else."""

    def __call__(self, *arguments):
        out, code, message = io.StringIO(), 0, ""
        argv = [*self.command[1:], *map(str, arguments)]
        with contextlib.ExitStack() as changed:
            changed.enter_context(mock.patch.object(sys, "argv", argv))
            changed.enter_context(mock.patch.object(sys, "path", [str(READERS), *sys.path]))
            changed.enter_context(mock.patch.dict(sys.modules))
            changed.enter_context(mock.patch.dict(os.environ))
            changed.enter_context(contextlib.redirect_stdout(out))
            try:
                runpy.run_path(argv[0])
            except (SystemExit, Exception) as error:
                code, message = 1, str(error)
        return subprocess.CompletedProcess(argv, code, out.getvalue(), message)


def command_in(source):
    """The compiler's command that the first lines of a source file give."""
    (line,) = re.findall(r"^(?: \*|//) +(c(?:c|\+\+) .*)$", source.read_text(), re.M)
    return line


def compiled(folder, name):
    """Compiles a reader as its first lines say, and with all warnings."""
    program = str(folder / f"{name}.out")
    command = command_in(READERS / name).replace("-o read_and_pool", f"-Wall -Wextra -Werror -o '{program}'")
    subprocess.run(["bash", "-euc", command], cwd=READERS, check=True, timeout=120)
    return program


@pytest.fixture(scope="session")
def readers(tmp_path_factory):
    """All readers by language."""
    folder = tmp_path_factory.mktemp("readers")
    return {
        "python": PythonReader(sys.executable, str(READERS / "read_and_pool.py")),
        "c": Reader(compiled(folder, "read_and_pool.c"), kinds={"logit"}),
        "c++": Reader(compiled(folder, "read_and_pool.cpp"), kinds={"logit"}),
        "r": Reader("Rscript", str(READERS / "read_and_pool.R"), every=40),
    }


@pytest.fixture(params=["python", "c", "c++", "r"])
def reader(request, readers):
    return readers[request.param]


@pytest.fixture(params=["python", "c", "c++"])
def quick_reader(request, readers):
    """All but R, which takes a second to start."""
    return readers[request.param]


def printed(run):
    """What a reader printed: classes and probabilities in its order, and what each other class has."""
    assert run.returncode == 0, run.stderr
    *lines, rest = (line.split() for line in run.stdout.splitlines())
    assert rest[0] == "rest" and len(rest) == 2
    for _, number in [*lines, rest]:
        assert re.fullmatch(r"-?[0-9.]+(e-[0-9]+)?", number) and len(number.split("e")[0].strip("-0.")) <= 10
    return [int(line[0]) for line in lines], [float(line[1]) for line in lines], float(rest[1])


def assert_target(run, target, rest):
    """Asserts that a reader printed the ten best classes of a dense target, each within 1e-6."""
    classes, probabilities, found = printed(run)
    best = np.sort(target)[::-1][:10]
    assert len(set(classes)) == len(classes) == len(best)
    np.testing.assert_allclose(probabilities, best, rtol=0, atol=1e-6)
    np.testing.assert_allclose(probabilities, target[classes], rtol=0, atol=1e-6)
    if rest is not None:
        assert abs(found - rest) <= 1e-6


def assert_refused(run, *words):
    """Asserts that a reader ended with a message that holds these words, and printed no target."""
    assert run.returncode != 0 and not run.stdout
    for word in words:
        assert word in run.stderr, run.stderr


# ---------------------------------------------------------------------------------------- test vectors


def write_vector_shard(path, header, maps):
    """A shard of maps that share a header and a shape."""
    first = next(iter(maps.values()))
    if "class_factor" in first:
        return fixtures_factors.of_vectors(header, maps).write(path)
    shape = (len(maps), first["height"], first["width"], first["top_k"])
    ids, scores = (np.array([m[name] for m in maps.values()]) for name in ("class_index", "score"))
    kind = "<u2" if header["num_classes"] < 2**16 else "<u4"
    meaning = {name: header[name] for name in ("fill", "orientation")}
    meaning |= {"temperature": np.float64(header["temperature"])}
    meaning |= {"map_extent": np.array(header["map_extent"], "<f4")}
    return shard_writer.Shard(
        *shape, num_classes=header["num_classes"], score_kind=header["score_kind"], encoding="float32",
        classes_are=header.get("classes_are", "exclusive"),
        ids=ids.reshape(shape).astype(kind), scores=scores.reshape(shape), keys=list(maps),
        attributes=meaning,
    ).write(path)


@pytest.fixture(scope="session")
def vector_shards(tmp_path_factory):
    """For each theme and case the shard with its map."""
    folder = tmp_path_factory.mktemp("vectors")
    groups = {}
    for theme, document in VECTORS.items():
        for case in document["cases"]:
            labels = document["maps"][case["map"]]
            shape = [labels[name] for name in ("height", "width", "top_k")]
            group = groups.setdefault(json.dumps([theme, case["header"], shape]), (case["header"], {}, []))
            group[1][case["map"]] = labels
            group[2].append(case["name"])
    paths = {}
    for number, (header, maps, names) in enumerate(groups.values()):
        path = write_vector_shard(folder / f"{number}.h5", header, maps)
        paths |= dict.fromkeys(names, path)
    return paths


def test_vector_shards_are_sound(vector_shards):
    code, report = verify(*sorted(set(vector_shards.values())))
    assert code == 0, report


def dense(case):
    """The whole target of a case."""
    answer = case["expected"]
    target = np.full(case["header"]["num_classes"], answer["rest"], np.float64)
    target[answer["class_index"]] = answer["probability"]
    return target


@pytest.mark.parametrize("theme", sorted(VECTORS))
def test_vectors(reader, theme, vector_shards):
    """Every probability is the vector's; what a reader does not know is refused by name."""
    for case in VECTORS[theme]["cases"][:: reader.every]:
        profile = [case["profile"]] if case["profile"] else []
        run = reader(vector_shards[case["name"]], case["map"], *case["box"], *profile)
        kind = case["header"]["score_kind"]
        if "classes_are" in case["header"]:  # a feature of format 1.1, which these readers do not know
            assert_refused(run, "independent")
        elif theme == "factors":
            assert_refused(run, "factors")
        elif kind not in reader.kinds:
            assert_refused(run, kind)
        elif "refused" in case or case["expected"]["covered"] < 1:  # the readers do not clamp
            assert_refused(run)
        else:
            assert_target(run, dense(case), case["expected"]["rest"])


# ------------------------------------------------------------------------------- shards of other makers


def reference(ids, scores, box, profile=None, **meaning):
    """The target of one map by the dense reference, and of a class without entries in cells that count."""
    header = pooling_reference.header(
        height=ids.shape[0], width=ids.shape[1], top_k=ids.shape[2], **meaning
    )
    extent = np.array([header.map_extent], np.float64)
    batch = MapBatch(ids[None], scores[None], extent, np.array([0]), header)
    return pooling_reference.reference(batch, 0, box, profile)


@pytest.mark.parametrize("box", [WHOLE, BOX, (0.93, 0.0, 0.05, 0.31)], ids=str)
@pytest.mark.parametrize("profile", [None, "relabel", "relabel-2021"])
def test_packed_samples(quick_reader, sample_shard, box, profile):
    """Maps that relabel-pack wrote, in fixed16."""
    for key, labels in list(oracle.Shard(sample_shard).labels().items())[::6]:
        target = reference(*labels, box, profile, num_classes=1000)
        assert_target(quick_reader(sample_shard, key, *box, *([profile] if profile else [])), target, None)


def test_packed_sample_with_r(readers, sample_shard):
    key, labels = list(oracle.Shard(sample_shard).labels().items())[4]
    target = reference(*labels, BOX, num_classes=1000)
    assert_target(readers["r"](sample_shard, key, *BOX), target, None)


def written(path, **changes):
    """A shard of random logits, and the labels and meaning of the map that KEY names."""
    shard = shard_writer.Shard(**changes)
    shard.write(path)
    return path, shard.labels()[0][2].astype(np.int64), shard.decoded()[2]


@pytest.mark.parametrize("changes", [
    *({"encoding": encoding} for encoding in shard_writer.ENCODINGS),
    {"compression": "none"}, {"cell_order": "class"}, {"key_width": 400},
    {"num_classes": 70_000}, {"seed": 4, "encoding": "fixed16", "step": 1 / 64, "offset": -64.0},
], ids=str)  # fmt: skip
def test_storage(quick_reader, tmp_path, changes):
    """Every encoding, profile of filters, order of cells and type of ids."""
    path, ids, scores = written(tmp_path / "shard.h5", **changes)
    target = reference(ids, scores, BOX, num_classes=changes.get("num_classes", 10))
    assert_target(quick_reader(path, KEY, *BOX), target, None)


def test_extent_of_each_image(reader, tmp_path):
    """The HDF5 dataset map_extent overrides the attribute."""
    path, ids, scores = written(tmp_path / "shard.h5", optional=("map_extent",))
    box = (0.1, 0.2, 0.4, 0.5)
    target = reference(ids, scores, box, num_classes=10, map_extent=(0.0625, 0.125, 0.5, 0.75))
    assert_target(reader(path, KEY, *box), target, None)
    assert_refused(reader(path, KEY, *WHOLE), "leaves what the map covers")


# ---------------------------------------------------------------------------------------------- refusals


def without_scores(number, data):
    """Leaves the second chunk unwritten, so it reads as the fill value."""
    return None if number == 1 else data


def flipped(number, data):
    """Changes a byte of each chunk."""
    return data[:9] + bytes([data[9] ^ 1]) + data[10:]


def zeroed(number, data):
    """A chunk lost with its checksum: fletcher32 of zeros is zero."""
    return bytes(len(data))


def attributes(**changes):
    return {"attributes": changes}


REFUSED_SHARDS = {
    "a newer version": (attributes(format_version="2.0"), ["2.0", shard_writer.WRITER]),
    "version 10": (attributes(format_version="10.0"), ["10.0", shard_writer.WRITER]),
    "a feature": (attributes(features_required="deltas"), ["deltas", shard_writer.WRITER]),
    "another format": (attributes(format="labels"), ["not a shard"]),
    "another kind of score": (attributes(score_kind="energy"), ["energy"]),
    "unknown orientation": (attributes(orientation="unknown"), ["relabel-2021"]),
    "never written": ({"column_changes": {"score": {"stored": without_scores}}}, ["never written"]),
    "never written, float32": (
        {"encoding": "float32", "column_changes": {"score": {"stored": without_scores}}}, ["never written"]),
    "damaged ids": ({"column_changes": {"class_index": {"stored": flipped}}}, []),
    "damaged scores": ({"column_changes": {"score": {"stored": flipped}}}, []),
    "zeroed ids": ({"compression": "none", "column_changes": {"class_index": {"stored": zeroed}}}, ["twice"]),
    "ids too high": ({"ids": np.full((5, 3, 4, 3), 12, "<u2") + np.arange(3, dtype="<u2")}, ["class"]),
}


@pytest.mark.parametrize("name", REFUSED_SHARDS)
def test_refused_shards(quick_reader, tmp_path, name):
    """Shards that a reader must not use; the message says what is wrong and who wrote it."""
    changes, words = REFUSED_SHARDS[name]
    path, *_ = written(tmp_path / "shard.h5", **changes)
    assert_refused(quick_reader(path, KEY, *BOX), *words)


@pytest.mark.parametrize("name", ["a newer version", "unknown orientation", "damaged scores"])
def test_refused_shards_with_r(readers, tmp_path, name):
    test_refused_shards(readers["r"], tmp_path, name)


@pytest.mark.parametrize("arguments, words", [
    (["train/n0009", *BOX], ["no image train/n0009"]),
    (["train/n000", *BOX], ["no image train/n000"]),
    (["train/n00020", *BOX], ["no image train/n00020"]),
    ([KEY, 0.1, 0.2, 0.95, 0.5], ["leaves the picture"]),
    ([KEY, "nan", 0.2, 0.5, 0.5], ["leaves the picture"]),
    ([KEY, "ten", 0.2, 0.5, 0.5], []),
    ([KEY, *BOX, "relabel-2022"], ["relabel-2021"]),
    ([KEY, *BOX, "relabel-2021"], ["square"]),
    ([KEY, 0.1, 0.2, 0.5], ["SHARD KEY TOP LEFT HEIGHT WIDTH"]),
], ids=str)  # fmt: skip
def test_refused_arguments(quick_reader, tmp_path, arguments, words):
    path, *_ = written(tmp_path / "shard.h5")
    assert_refused(quick_reader(path, *arguments), *words)


def test_unknown_key_with_r(readers, tmp_path):
    path, *_ = written(tmp_path / "shard.h5")
    assert_refused(readers["r"](path, "train/n0009", *BOX), "no image train/n0009")


def test_truncated_shard(reader, tmp_path):
    path, *_ = written(tmp_path / "shard.h5")
    path.write_bytes(path.read_bytes()[:-100])
    assert_refused(reader(path, KEY, *BOX))


def test_shard_of_a_vector(quick_reader, tmp_path):
    """The program in spec/write-a-reader.md turns a case into a shard."""
    page = (ROOT / "spec" / "write-a-reader.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    path = tmp_path / "shard.h5"
    for theme in ("rounding", "softmax"):
        case = VECTORS[theme]["cases"][-1]
        arguments = [FOLDER / f"{theme}.json", case["name"], path]
        subprocess.run([sys.executable, "-c", program, *arguments], check=True, timeout=60)
        run = quick_reader(path, case["map"], *case["box"], case["profile"])
        assert_target(run, dense(case), case["expected"]["rest"])


def test_python_reader_as_a_program(sample_shard):
    """As started from a shell."""
    key, labels = next(iter(oracle.Shard(sample_shard).labels().items()))
    command = [sys.executable, str(READERS / "read_and_pool.py")]
    assert_target(Reader(*command)(sample_shard, key, *BOX), reference(*labels, BOX, num_classes=1000), None)


# ------------------------------------------------------------------------------------------------ size


def code_lines(path):
    """Lines of code: no comments, and none of brackets alone."""
    text = re.sub(r'""".*?"""|/\*.*?\*/', "", path.read_text(), flags=re.S)
    comment = "//" if path.suffix in (".c", ".cpp", ".h", ".hpp") else "#"
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if re.search(r"\w", line) and not line.startswith(comment)]


@pytest.mark.parametrize("path", sorted(READERS.glob("*.*")), ids=lambda path: path.name)
def test_readers_are_small(path):
    if path.suffix != ".md":
        assert len(code_lines(path)) <= MOST_LINES
    assert max(map(len, path.read_text().splitlines())) <= 120
