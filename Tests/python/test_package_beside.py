"""Label maps beside other people's code: threads that close, few files, files changed in place, odd arguments."""

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import ROOT
from pooling_reference import with_numpy, with_swift
from shard_writer import Shard, two_shards, write_dataset, write_shard
from test_package_lifetime import in_child, open_files, overwrite

import relabel_hdf5
from relabel_hdf5 import CorruptError, RelabelError, UsageError, label_pooling, pooling_torch
from relabel_hdf5 import open_files as files
from relabel_hdf5.engines import library
from relabel_hdf5.gate import Gate

WHOLE = [[0.0, 0.0, 1.0, 1.0]]
BUILT = ROOT / ".build" / "release" / "libRelabelC.so"


@pytest.fixture(params=[with_numpy, with_swift], ids=["numpy", "swift"])
def engine(request, monkeypatch):
    """Everything is read by NumPy and by the Swift library."""
    request.param(monkeypatch)


def many_shards(folder, count, **changes):
    """A dataset of many shards of two images each."""
    shards = [Shard(rows=2, first_index=2 * number, seed=number, compression="none", images_per_chunk=1, **changes) for number in range(count)]
    return write_dataset(folder, *shards)


# ------------------------------------------------------------------------------------------------ keys


def test_keys_are_in_the_maps(engine, tmp_path, monkeypatch):
    maps = relabel_hdf5.open(write_dataset(tmp_path / "dataset", *two_shards()))
    monkeypatch.setattr(type(maps), "__getitem__", lambda *_: pytest.fail("maps are walked"))
    keys = list(maps.keys())
    assert all(key in maps for key in keys) and np.str_(keys[1]) in maps
    for other in ("", "nobody", keys[0] + "/", "\udc80", b"train/n0000", 0, None, 1.5, (keys[0],), True):
        assert other not in maps


# ---------------------------------------------------------------------------------------------- closing


def test_closing_while_others_read_is_an_error_in_words(engine, tmp_path):
    path = many_shards(tmp_path / "dataset", 4)
    wrong = []
    for number in range(30):
        maps = relabel_hdf5.open(path)
        reads = [
            lambda: maps[3], lambda: maps.batch([0, 7]), lambda: maps.targets([1, 6], WHOLE * 2), lambda: maps.key(4),
            lambda: list(maps.keys()), lambda: maps.image_indexes(),
        ]

        def read(which, maps=maps, reads=reads):
            try:
                while True:
                    reads[which]()
            except UsageError as error:
                if "these label maps are closed" not in str(error):
                    wrong.append(error)
            except Exception as error:
                wrong.append(error)

        threads = [threading.Thread(target=read, args=(which,)) for which in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.001 * (number % 7))
        maps.close()
        for thread in threads:
            thread.join()
        assert not wrong, wrong[0]
        assert open_files(path) == 0


def test_an_iterator_of_closed_maps(engine, tmp_path):
    maps = relabel_hdf5.open(many_shards(tmp_path / "dataset", 3))
    names = maps.keys()
    assert next(names) == "train/n0000"
    maps.close()
    with pytest.raises(UsageError, match="closed"):
        list(names)


def test_who_is_inside_keeps_it_open():
    released = []
    gate = Gate("maps", lambda: released.append(1))
    with gate:
        with gate:
            gate.close()
            assert not released
            with pytest.raises(UsageError, match="maps: these label maps are closed"), gate:
                pass
        assert not released
    assert released == [1]
    gate.close()
    assert released == [1]


def test_threads_of_a_parent_keep_nothing_open_in_its_child():
    released = []
    gate = Gate("maps", lambda: released.append(1))
    with gate:
        assert in_child(lambda: (gate.close(), list(released))[1]) == [1]
    assert not released


# ---------------------------------------------------------------------------------------------- few files


def test_few_shards_stay_open(engine, tmp_path, monkeypatch):
    path = many_shards(tmp_path / "dataset", 12)
    expected = np.concatenate([maps.class_index for maps in [relabel_hdf5.open(path).batch(range(24))]])
    monkeypatch.setattr(files, "MAXIMUM_OPEN", 3)
    maps = relabel_hdf5.open(path)
    for positions in (range(24), range(23, -1, -1), [0, 9, 0, 21, 9, 3, 3]):
        np.testing.assert_array_equal(maps.batch(positions).class_index, expected[list(positions)])
        assert open_files(path) <= 4  # the shard that speaks for all, too
    targets = maps.targets(range(24), WHOLE * 24)
    np.testing.assert_allclose(targets, label_pooling(maps.batch(range(24)), np.array(WHOLE * 24)), atol=1e-6)
    for position in np.random.default_rng(0).permutation(24).tolist():
        np.testing.assert_array_equal(maps[position].class_index, expected[position])
        assert maps.key(position) == f"train/n{position:04d}" and maps.image_index(23 - position) == 23 - position
        assert open_files(path) <= 4
    assert maps.position("train/n0017") == 17 and len(maps.image_indexes()) == 24


def test_the_least_recently_used_is_closed(engine, tmp_path, monkeypatch):
    path = many_shards(tmp_path / "dataset", 6)
    monkeypatch.setattr(files, "MAXIMUM_OPEN", 3)
    maps = relabel_hdf5.open(path)
    for position in (0, 2, 0, 4, 0, 6, 0, 8, 0, 10):
        maps.targets([position], WHOLE)
        assert str(path / "labels-00000.h5") in {os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")}


@pytest.mark.parametrize("name", ["numpy", "swift"])
def test_many_shards_in_a_process_that_may_open_few_files(name, tmp_path):
    path = many_shards(tmp_path / "dataset", 160)
    script = (
        "import resource, sys, numpy, relabel_hdf5\n"
        "sets = [relabel_hdf5.open(sys.argv[1]) for _ in range(8)]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "for maps in sets:\n"
        "    assert len(maps.batch(numpy.arange(320))) == 320\n"
        "    maps.targets(numpy.arange(319, -1, -1), numpy.tile([0.0, 0.0, 1.0, 1.0], (320, 1)))\n"
        "    assert [maps[place].position for place in range(0, 320, 7)] == list(range(0, 320, 7))\n"
        "    assert maps.key(319) == 'train/n0319' and maps.position('train/n0200') == 200\n"
        "print(relabel_hdf5.engine().split()[0])\n"
    )
    source = os.path.dirname(os.path.dirname(relabel_hdf5.__file__))
    found = library.library()
    environment = {**os.environ, "PYTHONPATH": source, "RELABEL_LIBRARY": "none" if name == "numpy" or not found else found._name}
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, env=environment)
    assert done.stdout == ("numpy\n" if name == "numpy" or not found else "swift\n"), done.stderr


def test_a_quarter_of_what_the_system_allows(monkeypatch):
    for allowed, expected in ((1024, 128), (256, 64), (40, 10), (8, 4), (resource.RLIM_INFINITY, 128)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, allowed=allowed: (allowed, allowed))
        assert files.limit() == expected


# -------------------------------------------------------------------------------------- changed in place


def put_back(path, source):
    """Puts other contents of the same size into the same file, and its time of modification back."""
    status = os.stat(path)
    time.sleep(0.02)  # the system's clock ticks
    path.write_bytes(source.read_bytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = os.stat(path)
    assert (found.st_size, found.st_mtime_ns) == (status.st_size, status.st_mtime_ns)


@pytest.mark.parametrize("change", [overwrite, put_back])
def test_a_file_changed_in_place_is_noticed(engine, change, tmp_path):
    path = many_shards(tmp_path / "dataset", 2)
    maps = relabel_hdf5.open(path)
    maps[0]
    change(path / "labels-00000.h5", path / "labels-00001.h5")
    for read in (lambda: maps[1], lambda: maps.batch([1]), lambda: maps.targets([1], WHOLE)):
        with pytest.raises(CorruptError, match="labels-00000.h5: the file was changed since it was opened"):
            read()
    assert maps.key(2) == "train/n0002"


def test_a_file_changed_after_it_was_closed_is_noticed(engine, tmp_path, monkeypatch):
    path = many_shards(tmp_path / "dataset", 6)
    monkeypatch.setattr(files, "MAXIMUM_OPEN", 1)
    maps = relabel_hdf5.open(path)
    maps.batch(range(12)), maps.batch([11])
    put_back(path / "labels-00000.h5", path / "labels-00001.h5")
    with pytest.raises(CorruptError, match="labels-00000.h5: the file was changed"):
        maps.batch([1])


def test_a_backup_that_links_to_a_file_changes_nothing(engine, tmp_path):
    path = many_shards(tmp_path / "dataset", 2)
    maps = relabel_hdf5.open(path)
    first = maps.batch([0, 1]).class_index
    time.sleep(0.02)
    os.link(path / "labels-00000.h5", tmp_path / "backup")
    np.testing.assert_array_equal(maps.batch([0, 1]).class_index, first)


# ---------------------------------------------------------------------------------------------- libraries


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where a library is looked for; nothing else is."""
    path = tmp_path / library.NAME
    monkeypatch.setattr(library, "_places", lambda: iter([str(path)]))
    monkeypatch.delenv("RELABEL_LIBRARY", raising=False)
    return path


def cut(path):
    found = library.library()
    if found is None:
        pytest.skip("the Swift library is not built")
    shutil.copy(found._name, path)
    os.truncate(path, path.stat().st_size * 2 // 3)


UNLOADABLE = {
    "cut": (cut, r"the file was cut: its headers speak of \d+ bytes, and it has \d+"),
    "a text": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "too short|invalid ELF"),
    "empty": (lambda path: path.write_bytes(b""), "too short"),
    "a head alone": (lambda path: path.write_bytes(b"\x7fELF\x02\x01" + b"\xff" * 58), "was cut|invalid|ELF"),
    "another library": (lambda path: shutil.copy(np.linalg._umath_linalg.__file__, path), "relabel_version|undefined"),
}


@pytest.mark.parametrize("made", UNLOADABLE)
def test_a_library_that_can_not_be_loaded_is_named(made, place, monkeypatch):
    make, message = UNLOADABLE[made]
    make(place)
    with pytest.warns(RuntimeWarning, match=rf"{place}: the Swift library is here and can't be used: .*({message})"):
        assert library.library.__wrapped__() is None
    monkeypatch.setenv("RELABEL_LIBRARY", str(place))
    with pytest.raises(UsageError, match=f"{place}: RELABEL_LIBRARY can't be used: .*({message})"):
        library.library.__wrapped__()
    monkeypatch.setenv("RELABEL_LIBRARY", "none")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert library.library.__wrapped__() is None


# ---------------------------------------------------------------------------------------------- arguments


@pytest.fixture
def batch(tmp_path):
    return relabel_hdf5.open(write_shard(tmp_path / "a.h5", rows=4)).batch([2, 0, 3])


def changed(batch, name, place, value):
    array = getattr(batch, name).copy()
    array[place] = value(array[place]) if callable(value) else value
    return replace(batch, **{name: array})


def twice(entries):
    return entries[[0, 0, 1]]


BAD_CELLS = [
    ("score", np.nan, r"cell \(1, 2\): scores \[.*nan.*\] are not all finite"),
    ("score", np.inf, r"cell \(1, 2\): scores \[.*inf.*\] are not all finite"),
    ("score", -np.inf, r"cell \(1, 2\): scores \[.*-inf.*\] are not all finite"),
    ("class_index", twice, r"cell \(1, 2\): class ids \[.*\] are not distinct"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD_CELLS)
def test_cells_that_no_reader_hands_out_are_not_pooled(engine, name, value, message, batch):
    boxes = np.array(WHOLE * 3)
    place = (1, 1, 2) if callable(value) else (1, 1, 2, 1)
    bad = changed(batch, name, place, value)
    for maps in (bad, bad.torch()):
        with pytest.raises(UsageError, match=f"image at position 0, {message}"):
            label_pooling(maps, boxes if maps is bad else torch.from_numpy(boxes))
    tensors = bad.torch()
    targets = pooling_torch.pool_unchecked(tensors, torch.from_numpy(boxes)[:, None], False, False)[0]
    assert targets.isnan().all(-1).flatten().tolist() == [False, True, False]


def test_masked_arrays_are_refused(engine, batch, tmp_path):
    maps = relabel_hdf5.open(write_shard(tmp_path / "b.h5"))
    boxes = np.ma.masked_array(WHOLE * 3, mask=np.zeros((3, 4)))
    for pool in (
        lambda: label_pooling(batch, boxes), lambda: label_pooling(batch.torch(), boxes),
        lambda: maps.targets([0, 1, 2], boxes), lambda: label_pooling(maps[0], boxes[0]),
        lambda: pooling_torch.pool_on_device(batch.torch(), boxes[:, None], False, False),
        lambda: label_pooling(replace(batch, score=np.ma.masked_less(batch.score, 0)), WHOLE * 3),
        lambda: label_pooling(replace(batch, class_index=np.ma.masked_array(batch.class_index)), WHOLE * 3),
        lambda: maps.batch(np.ma.masked_array([0, 1])),
    ):
        with pytest.raises(UsageError, match="a masked array"):
            pool()


def test_boxes_that_require_a_gradient(engine, batch, tmp_path):
    maps = relabel_hdf5.open(write_shard(tmp_path / "b.h5", rows=4))
    boxes = torch.tensor(WHOLE * 3, dtype=torch.float64, requires_grad=True)
    expected = label_pooling(batch, np.array(WHOLE * 3))
    for found in (
        label_pooling(batch, boxes), label_pooling(batch.torch(), boxes), maps.targets([2, 0, 3], boxes),
        pooling_torch.pool_on_device(batch.torch(), boxes[:, None], False, False)[0][:, 0],
    ):
        assert not getattr(found, "requires_grad", False)
        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)
    scores = batch.torch()
    scores.score.requires_grad_(True)
    np.testing.assert_allclose(label_pooling(scores, boxes).numpy(), expected, atol=1e-6)
    with pytest.raises(UsageError, match="nothing that NumPy can read"):
        maps.targets([0], torch.zeros(1, 4, dtype=torch.float64, device="meta"))


@pytest.mark.parametrize("threads", [np.int64(2), torch.tensor(1)])
def test_numbers_of_threads_of_any_type(engine, threads, tmp_path):
    maps = relabel_hdf5.open(write_shard(tmp_path / "b.h5"))
    np.testing.assert_array_equal(maps.targets([0], WHOLE, threads=threads), maps.targets([0], WHOLE))
    for wrong in (True, 0, 1.0, "1"):
        with pytest.raises(UsageError, match="threads is"):
            maps.targets([0], WHOLE, threads=wrong)


def test_errors_of_numpy_that_others_asked_for(engine, batch, tmp_path):
    """np.seterr(all='raise') is a global, too."""
    path = write_shard(tmp_path / "b.h5")
    expected = label_pooling(batch, np.array(WHOLE * 3)), relabel_hdf5.open(path).targets([0], WHOLE)
    before = np.seterr(all="raise")
    try:
        found = label_pooling(batch, np.array(WHOLE * 3)), relabel_hdf5.open(path).targets([0], WHOLE)
        wide = changed(batch, "score", (0, 0, 0, 0), 120.0)
        assert np.isfinite(label_pooling(wide, np.array(WHOLE * 3))).all()
        with pytest.raises(RelabelError):
            label_pooling(batch, np.full((3, 4), np.nan))
    finally:
        np.seterr(**before)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
