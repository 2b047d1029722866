"""The C interface: its header, its targets, forks, threads, and a machine without Swift."""

import ctypes
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest
import torch
from conftest import BIN, ROOT, SAMPLES, tool
from pooling_reference import opened_by_numpy
from shard_writer import Shard, two_shards, write_dataset, write_shard

import relabel_hdf5
from relabel_hdf5.engines import library, swift, swift_arrays

LIBRARY = BIN / "libRelabelC.so"
HEADER = ROOT / "Sources" / "RelabelC" / "relabel.h"
KEY = "n01443537/n01443537_00069"
BOX = (0.1, 0.1, 0.4, 0.4)


@pytest.fixture(scope="module")
def loaded():
    return library.loaded(str(LIBRARY))


def boxes_of(count, each=2):
    rng = np.random.default_rng(3)
    size = rng.uniform(0.2, 1, (count, each, 2))
    return np.concatenate([rng.uniform(0, 1, size.shape) * (1 - size), size], -1)


def pooled(maps, positions, threads=1):
    """Targets by the library, one box pair for each position."""
    boxes = boxes_of(len(positions))
    return swift.SwiftEngine(library.loaded(str(LIBRARY)), str(maps)).targets(
        np.asarray(positions, np.int64), boxes, None, False, threads
    )[0]


# The header and the library.


def test_header_declares_what_the_library_exports():
    declared = set(re.findall(r"\b(relabel_\w+)\(", HEADER.read_text()))
    symbols = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True)
    functions = {line.split()[2] for line in symbols.stdout.splitlines() if " T " in line}
    assert functions == declared


# What ctypes takes for a type of relabel.h.
CTYPES = {
    "void": None, "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "double": ctypes.c_double,
    "const char *": ctypes.c_char_p, "const relabel_failure *": ctypes.POINTER(library.Failure),
}  # fmt: skip


def declarations():
    """What relabel.h declares: result and parameters, as ctypes, of each function; and members of a failure."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)

    def of(declared):
        kind = re.sub(r"\w+$", "", declared.strip()).strip() if " " in declared.strip() else declared.strip()
        return CTYPES.get(kind, ctypes.c_void_p if kind.endswith("*") else kind)

    functions = {}
    for result, name, parameters in re.findall(r"^(\w[\w ]*?[ *]+)relabel_(\w+)\(([^)]*)\);", text, re.M):
        kinds = [of(parameter) for parameter in " ".join(parameters.split()).split(",") if parameter != "void"]
        functions[name] = (of(result + "x"), kinds)
    (members,) = re.findall(r"typedef struct relabel_failure {(.*?)}", text, re.S)
    return functions, [(member.split()[-1].lstrip("*"), of(member)) for member in members.split(";") if member.strip()]


def test_python_calls_what_is_declared_by_type():
    functions, members = declarations()
    assert {name: functions.get(name) for name in library.SIGNATURES} == library.SIGNATURES
    assert members == library.Failure._fields_
    assert set(functions) == {name for name in re.findall(r"\brelabel_(\w+)\(", HEADER.read_text())}


@pytest.mark.parametrize("compiler, language", [("cc", "c"), ("c++", "c++")])
def test_header_compiles(compiler, language, tmp_path):
    source = tmp_path / "empty"
    source.write_text('#include "relabel.h"\nint main(void) { return relabel_version() == 0; }\n')
    subprocess.run(
        [compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", HEADER.parent, "-c", source,
         "-o", tmp_path / "out"], check=True,
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The sample program in C, built as its comment says."""
    program = tmp_path_factory.mktemp("client") / "pool_with_c"
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-I", HEADER.parent, SAMPLES / "pool_with_c.c", "-o", program,
         LIBRARY], check=True,
    )
    return program


def run_client(client, *arguments, before=()):
    environment = {"LD_LIBRARY_PATH": str(BIN), "PATH": "/usr/bin:/bin"}
    return subprocess.run([*before, client, *map(str, arguments)], capture_output=True, text=True, env=environment)


def test_client_in_c_agrees_with_the_command(client, sample_dataset):
    result = run_client(client, sample_dataset, KEY, *BOX)
    shown = tool(
        "relabel", "pool", sample_dataset, "--key", KEY, "--box", ",".join(map(str, BOX)), "--format", "json"
    )
    best = json.loads(shown.stdout)["top"][0]
    assert result.stdout == f"class {best['class_index']}, probability {best['probability']:.6f}\n", result.stderr


@pytest.mark.parametrize(
    "key, box, reason",
    [("nobody", BOX, "'nobody'"), (KEY, (0, 0, 1, 1.5), "width is 1.5"), (KEY, ("nan", 0, 1, 1), "top is nan")],
)
def test_client_in_c_says_what_is_wrong(client, sample_dataset, key, box, reason):
    result = run_client(client, sample_dataset, key, *box)
    assert result.returncode == 1 and reason in result.stderr and str(sample_dataset) in result.stderr


def test_library_needs_no_toolchain(client, sample_dataset):
    """It links no Swift library, and runs where the toolchain is hidden."""
    linked = subprocess.run(["ldd", LIBRARY], capture_output=True, text=True, check=True).stdout
    assert "swift" not in linked.lower() and "not found" not in linked
    toolchain = pathlib.Path(shutil.which("swift")).resolve().parents[2]
    hide = ["unshare", "--mount", "--map-root-user", "bash", "-c", f'mount -t tmpfs none {toolchain} && exec "$@"', "-"]
    if subprocess.run([*hide, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody hide a folder")
    result = run_client(client, sample_dataset, KEY, *BOX, before=hide)
    assert result.returncode == 0, result.stderr
    program = (
        "import sys, h5py, torch, relabel_hdf5\n"
        "maps = relabel_hdf5.open(sys.argv[1])\n"
        "ids = h5py.File(sys.argv[1] + '/labels-00000.h5')['class_index'][:]\n"
        "target = torch.from_numpy(maps.targets([0], [[0, 0, 1, 1]]))\n"
        "print(relabel_hdf5.engine().split()[0], len(ids), round(float(target.sum()), 4))\n"
    )
    environment = {**os.environ, "RELABEL_LIBRARY": str(LIBRARY)}
    result = subprocess.run(
        [*hide, sys.executable, "-c", program, sample_dataset], capture_output=True, text=True, env=environment
    )
    assert result.stdout.split() == ["swift", "18", "1.0"], result.stderr


# Targets.


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_targets_are_those_of_numpy(sample_dataset, threads):
    with relabel_hdf5.open(sample_dataset) as maps:
        positions = np.random.default_rng(0).permutation(len(maps)).repeat(2)
        batch, boxes = maps.batch(positions), boxes_of(len(positions))
        expected = numpy_targets(batch, boxes)
    found = pooled(sample_dataset, positions, threads)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def numpy_targets(batch, boxes):
    """Targets without the library, which `label_pooling` would use."""
    from relabel_hdf5.engines.numpy import pooling

    return pooling.pool_with_numpy(batch, boxes, False).reshape(*boxes.shape[:2], -1)


def test_arrays_are_pooled_alike(sample_dataset, loaded):
    with relabel_hdf5.open(sample_dataset) as maps:
        batch = maps.batch(range(len(maps)))
    boxes = boxes_of(len(batch), 3)
    for transposed in (False, True):
        found, covered = swift_arrays.pool_arrays(loaded, batch, boxes, transposed, False)
        flipped = boxes[..., [1, 0, 3, 2]] if transposed else boxes
        np.testing.assert_allclose(found, numpy_targets(batch, flipped), rtol=0, atol=1e-6)
        assert (covered == 1).all()


def test_nothing_to_do_is_done(loaded, sample_dataset):
    assert pooled(sample_dataset, []).shape == (0, 2, 1000)


# Forks and threads.


def child_agrees(path, positions, expected):
    return np.abs(pooled(path, positions) - expected).max() == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers(sample_dataset, method):
    """The parent pools first, then four workers of a DataLoader, all from the same maps."""
    with relabel_hdf5.open(sample_dataset) as maps:
        maps.targets([0], [BOX])
        loader = torch.utils.data.DataLoader(
            Targets(maps), batch_size=4, num_workers=4, multiprocessing_context=method, collate_fn=torch.cat
        )
        found = torch.cat(list(loader)).numpy()
        np.testing.assert_array_equal(found, maps.targets(range(len(maps)), [BOX] * len(maps)))


class Targets(torch.utils.data.Dataset):
    def __init__(self, maps):
        self.maps = maps

    def __len__(self):
        return len(self.maps)

    def __getitem__(self, position):
        assert relabel_hdf5.engine().startswith("swift")
        return torch.from_numpy(self.maps.targets([position], [BOX]))


def test_fork_while_another_thread_reads(sample_dataset):
    """A child must never wait for a lock that a thread of its parent held."""
    with relabel_hdf5.open(sample_dataset) as maps:
        count = len(maps)
    held = swift.SwiftEngine(library.loaded(str(LIBRARY)), str(sample_dataset))
    positions, boxes = np.arange(count), boxes_of(count)

    def targets():
        return held.targets(positions, boxes, None, False, 2)[0]

    expected, stop = targets(), threading.Event()

    def read():
        while not stop.is_set():
            targets()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(25):
            child = os.fork()
            if child == 0:
                os._exit(0 if (targets() == expected).all() else 1)
            # A child that hangs is ended, and then counts as failed.
            alarm = threading.Timer(20, os.kill, (child, 9))
            alarm.start()
            assert os.waitpid(child, 0)[1] == 0
            alarm.cancel()
    finally:
        stop.set()
        for reader in readers:
            reader.join()


def test_together_with_h5py(sample_dataset):
    """Two HDF5 libraries in one process, both reading the same shard at the same time."""
    with relabel_hdf5.open(sample_dataset) as maps:
        positions = np.arange(len(maps))
    expected = pooled(sample_dataset, positions)
    with h5py.File(sample_dataset / "labels-00000.h5") as shard:
        ids = shard["class_index"][:]
        for _ in range(20):
            np.testing.assert_array_equal(pooled(sample_dataset, positions), expected)
            np.testing.assert_array_equal(shard["class_index"][:], ids)


# What goes wrong.


def test_replaced_maps_are_noticed_by_a_child(sample_dataset, tmp_path):
    folder = tmp_path / "dataset"
    shutil.copytree(sample_dataset, folder)
    held = swift.SwiftEngine(library.loaded(str(LIBRARY)), str(folder))
    shutil.rmtree(folder)
    packed = tool("relabel-pack", SAMPLES / "maps", "--output", folder, "--orientation", "xy")
    assert packed.returncode == 0

    def child(queue):
        try:
            held.targets(np.array([0]), boxes_of(1), None, False, 1)
            queue.put("no error")
        except relabel_hdf5.RelabelError as error:
            queue.put(str(error))

    queue = multiprocessing.get_context("fork").Queue()
    process = multiprocessing.get_context("fork").Process(target=child, args=(queue,))
    process.start()
    assert "were replaced" in queue.get(timeout=30)
    process.join()


def test_truncated_while_open(sample_dataset, tmp_path):
    path = tmp_path / "labels-00000.h5"
    shutil.copyfile(sample_dataset / path.name, path)
    held = swift.SwiftEngine(library.loaded(str(LIBRARY)), str(path))
    os.truncate(path, 20_000)
    with pytest.raises(relabel_hdf5.RelabelError, match=re.escape(str(path))):
        for position in range(18):
            held.targets(np.array([position]), boxes_of(1), None, False, 1)


# A program in C that reads through everything and says what it is told.
EVERYTHING = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "relabel.h"

static int failed(void) {
  const relabel_failure *f = relabel_last_failure();
  printf("%d|%s|%s|%s|%s|%s|%lld|%d|%d|%d|%lld\n", f->status, f->rule ? f->rule : "-", f->message,
         f->file ? f->file : "-", f->dataset ? f->dataset : "-", f->key ? f->key : "-", (long long)f->row,
         f->cell_y, f->cell_x, f->rank, (long long)f->position);
  return f->status;
}

int main(int argc, char **argv) {
  if (argc < 2 || relabel_last_failure()) return 99;
  relabel_maps *maps = relabel_open(argv[1]);
  if (!maps) return failed();
  int64_t count = relabel_count(maps), classes = relabel_num_classes(maps);
  if (argc > 2) { /* a box for image 1 that is none, after a sound one */
    double boxes[8] = {0, 0, 1, 1, 0, 0, atof(argv[2]), 1};
    int64_t positions[2] = {0, 1};
    float *targets = malloc(2 * classes * sizeof *targets);
    return relabel_pool(maps, positions, boxes, 2, 1, NULL, 0, 1, targets, NULL) ? failed() : 0;
  }
  const char *listing = relabel_listing(maps), *description = relabel_describe(maps, count - 1);
  if (!listing || !description) return failed();
  if (listing != relabel_listing(maps) || description != relabel_describe(maps, -1)) return 98;
  printf("%s\n%s\n", listing, description);
  int64_t width = atoll(strstr(description, "\"key_bytes\":") + 12);
  int64_t *positions = malloc(count * sizeof *positions), *indexes = malloc(count * sizeof *indexes);
  char *keys = malloc(count * width);
  for (int64_t i = 0; i < count; ++i) positions[i] = count - 1 - i;
  if (relabel_keys(maps, positions, count, keys, width)) return failed();
  if (relabel_image_indexes(maps, positions, count, indexes)) return failed();
  if (relabel_close_shard(maps, 0) || relabel_close_shard(maps, 99) != (strstr(listing, "null,") ? 0 : 64)) return 97;
  for (int64_t i = 0; i < count; ++i) {
    char key[2000] = "";
    memcpy(key, keys + i * width, width);
    printf("%s %lld\n", key, (long long)indexes[i]);
    if (relabel_find(maps, key) != positions[i] || relabel_find_index(maps, indexes[i]) != positions[i]) return 96;
  }
  if (relabel_keys(maps, positions, count, keys, 1) != RELABEL_USAGE) return 95;
  if (relabel_find_index(maps, 1 << 30) != -RELABEL_NOT_FOUND) return 94;
  int ids[4096];
  float score[4096];
  for (int64_t i = 0; i < count; ++i)
    if (relabel_read(maps, positions + i, 1, 1, ids, 4, score, NULL)) return failed();
  relabel_close(maps);
  return 0;
}
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    folder = tmp_path_factory.mktemp("everything")
    (folder / "everything.c").write_text(EVERYTHING)
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-I", HEADER.parent, folder / "everything.c",
         "-o", folder / "everything", LIBRARY], check=True,
    )
    return lambda *arguments: run_client(folder / "everything", *arguments)


@pytest.mark.parametrize("name", ["", "labels-00001.h5"])
def test_everything_is_told_in_c(everything, name, tmp_path):
    path = write_dataset(tmp_path / "dataset", *two_shards()) / name
    result = everything(path)
    assert result.returncode == 0, (result.returncode, result.stdout, result.stderr)
    listing, description, *images = result.stdout.splitlines()
    with opened_by_numpy(path) as maps:
        listing, description = json.loads(listing), json.loads(description)
        assert [shard["path"] for shard in listing["shards"]] == maps._engine.paths
        assert sum(shard["rows"] for shard in listing["shards"]) == len(maps)
        header = maps.header
        # Of views or factors alone, where they are said; which of them rows are the features say.
        description |= {name: description.get(name) for name in ("view_size", "box_type", "factor_quality")}
        description["has_views"] = "views" in description["features_required"]
        description["has_factors"] = "factors" in description["features_required"]
        for field in header.__dataclass_fields__:
            expected = getattr(header, field)
            assert description[field] == (list(expected) if isinstance(expected, tuple) else expected), field
        expected = [f"{key} {index}" for key, index in zip(maps.keys(), maps.image_indexes())]
        assert images == expected[::-1]
    if not name:
        index = json.loads((path / "index.json").read_bytes())
        assert {member: index[member] for member in listing["index"]} == listing["index"]


def test_failures_are_told_as_data(everything, tmp_path):
    ids = Shard().labels()[0].copy()
    ids[3, 1, 2, 1] = 10
    path = write_shard(tmp_path / "a.h5", ids=ids)
    with pytest.raises(relabel_hdf5.InvalidDataError) as caught:
        opened_by_numpy(path)[3]
    error = caught.value
    assert everything(path).stdout.splitlines()[-1].split("|") == [
        "1", "V001", error.args[0], str(path), "class_index", "train/n0003", "3", "1", "2", "-1", "-1"]
    status, rule, *_, position = everything(path, 1.5).stdout.strip().split("|")
    assert (status, rule, position) == ("64", "-", "1")
    nowhere = everything(tmp_path / "nowhere.h5").stdout.strip().split("|")
    assert nowhere[:2] == ["74", "-"] and nowhere[3:] == [str(tmp_path / "nowhere.h5"), "-", "-", *["-1"] * 5]


@pytest.mark.parametrize("position", [-1, 18, 2**40])
def test_position_that_is_not_there(sample_dataset, position):
    with pytest.raises(relabel_hdf5.NotFoundError, match=str(position)):
        pooled(sample_dataset, [position])


def test_unknown_orientation(tmp_path):
    folder = tmp_path / "unknown"
    assert tool("relabel-pack", SAMPLES / "maps", "--output", folder).returncode == 0
    with pytest.raises(relabel_hdf5.UsageError, match="relabel-2021"):
        pooled(folder, [0])


def test_another_working_folder(sample_dataset, tmp_path):
    """A program may change its folder after it opened maps by a relative path, and its children too."""
    program = (
        "import os, sys, numpy as np\n"
        "from relabel_hdf5.engines import library, swift\n"
        "held = swift.SwiftEngine(library.library(), 'dataset')\n"
        "os.chdir('/')\n"
        "pool = lambda: held.targets(np.array([0]), np.array([[[0, 0, 1, 1.0]]]), None, False, 1)\n"
        "pool()\n"
        "child = os.fork()\n"
        "if child == 0:\n    pool()\n    os._exit(0)\n"
        "sys.exit(os.waitpid(child, 0)[1])\n"
    )
    (tmp_path / "dataset").symlink_to(sample_dataset)
    environment = {**os.environ, "RELABEL_LIBRARY": str(LIBRARY)}
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_null_arguments(loaded, sample_dataset):
    assert loaded.relabel_open(None) is None and b"path" in loaded.relabel_error()
    maps = loaded.relabel_open(os.fsencode(sample_dataset))
    one = ctypes.c_int64(0)
    status = loaded.relabel_pool(maps, ctypes.byref(one), None, 1, 1, None, 0, 1, None, None)
    assert status == 64 and b"NULL" in loaded.relabel_error()
    status = loaded.relabel_pool(maps, ctypes.byref(one), None, 1, 1, b"relabel", 0, 0, None, None)
    assert status == 64 and b"threads" in loaded.relabel_error()
    status = loaded.relabel_pool(maps, ctypes.byref(one), None, 2**62, 4, None, 0, 1, None, None)
    assert status == 64 and b"too many" in loaded.relabel_error()
    assert loaded.relabel_pool(None, None, None, 0, 0, None, 0, 1, None, None) == 64
    loaded.relabel_close(maps)
    loaded.relabel_close(None)


@pytest.mark.parametrize(
    "change",
    [
        {"num_classes": 0}, {"num_classes": 4}, {"num_classes": 2**40}, {"score_kind": b"odd"}, {"score_kind": None},
        {"fill": b"odd"}, {"fill": b"uniform"}, {"classes_are": b"odd"},
        {"score_kind": b"probability", "classes_are": b"independent", "fill": b"uniform"}, {"orientation": b"odd"}, {"orientation": b"unknown", "profile": None}, {"height": 2**60},
        {"top_k": 2**62}, {"temperature": 0.0}, {"temperature": float("nan")}, {"profile": b"odd"},
        {"width": 14, "profile": b"relabel-2021"},
    ],
)
def test_pooling_that_makes_no_sense(loaded, change):
    arguments = {
        "num_classes": 1000, "score_kind": b"logit", "classes_are": None, "fill": b"zero", "temperature": 1.0, "orientation": b"yx",
        "height": 15, "width": 15, "top_k": 5, "profile": b"relabel", "clamp": 0, **change,
    }
    assert loaded.relabel_pooling_create(*arguments.values()) is None and loaded.relabel_error()


def test_a_named_library_that_is_none(tmp_path):
    """A library that the user named is used or refused, never passed over."""
    for name, expected in [("none", "numpy"), (str(LIBRARY), f"swift 0.1.0 ({LIBRARY})")]:
        result = python("import relabel_hdf5; print(relabel_hdf5.engine())", name)
        assert result.stdout.strip() == expected, result.stderr
    broken = tmp_path / "broken.so"
    broken.write_text("no library")
    result = python("import relabel_hdf5; print(relabel_hdf5.engine())", broken)
    assert "UsageError" in result.stderr and str(broken) in result.stderr


def python(program, library):
    environment = {**os.environ, "RELABEL_LIBRARY": str(library)}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
