"""Label maps of the Python package over time: processes that fork or spawn, files that change or go away."""

import gc
import multiprocessing
import os
import pickle
import shutil
import threading
from dataclasses import replace

import h5py
import numpy as np
import pytest
from pooling_reference import with_numpy, with_swift
from shard_writer import WRITER, Shard, two_shards, write_dataset

import relabel_hdf5
from relabel_hdf5 import CorruptError, InvalidDataError, NotFoundError, RelabelError, UsageError
from relabel_hdf5 import open_files as files
from relabel_hdf5.engines.numpy import places

ROWS = 40


def shard(number=0, **changes):
    """One of several shards that agree in all they must and have the same number of bytes."""
    settings = {"rows": ROWS, "first_index": number * ROWS, "seed": number + 1, "compression": "none"}
    return Shard(**settings | changes)


@pytest.fixture(params=[with_numpy, with_swift], ids=["numpy", "swift"], autouse=True)
def engine(request, monkeypatch):
    """Everything is read by NumPy and by the Swift library."""
    request.param(monkeypatch)


@pytest.fixture
def folder(tmp_path):
    return write_dataset(tmp_path / "dataset", shard(0), shard(1), shard(2))


@pytest.fixture
def expected():
    return np.concatenate([shard(number).labels()[0] for number in range(3)])


def open_files(path):
    """How many files below a folder this process has open."""
    links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return sum(os.readlink(link).startswith(str(path)) for link in links if os.path.islink(link))


def in_child(work):
    """What `work` gives in a forked process, or its error."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            found = work()
        except BaseException as error:
            found = error
        os.write(writing, pickle.dumps(found))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        found = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    if isinstance(found, BaseException):
        raise found
    return found


# ----------------------------------------------------------------------------------------- closing


def test_files_are_opened_when_they_are_read(folder, monkeypatch):
    maps = relabel_hdf5.open(folder)
    assert open_files(folder) == 0
    maps.positions(["a"]), list(maps.keys()), maps.image_indexes()
    assert open_files(folder) == 0  # what is read once from all of them is not read again
    with_numpy(monkeypatch)
    maps.batch([50, 41])
    assert open_files(folder) == 1
    maps.batch(range(120)), list(maps.keys())
    assert open_files(folder) == 3


def test_one_engine_alone_opens_files(folder, monkeypatch):
    """Each shard once, by whoever reads; the Swift engine opens nothing with h5py."""
    opened = []
    monkeypatch.setattr(h5py, "File", lambda *given, file=h5py.File, **options: opened.append(given) or file(*given, **options))
    maps = relabel_hdf5.open(folder)
    maps.batch(range(120)), maps[5], maps[90], maps.header, maps.key(3), maps.image_index(4)
    maps.targets([0, 50], [[0.0, 0.0, 1.0, 1.0]] * 2), maps.chunks, maps.position(maps.key(7))
    assert open_files(folder) == 3
    assert len(opened) == (3 if relabel_hdf5.engine().startswith("numpy") else 0)


def test_closed_maps_are_not_read(folder):
    with relabel_hdf5.open(folder) as maps:
        first, names = maps[0], maps.keys()
        next(names)
    assert open_files(folder) == 0  # although the iterator is not at its end
    assert len(maps) == 120 and "120 images" in repr(maps) and first.score.shape == (3, 4, 3)
    for read in (lambda: maps[0], lambda: maps.batch([1]), lambda: first.key, lambda: list(maps.keys()),
                 lambda: maps.header, lambda: maps.position("a"), maps.image_indexes):
        with pytest.raises(UsageError, match="closed"):
            read()
    maps.close()


def test_dropped_maps_close_their_files(folder):
    gc.disable()  # nothing may depend on it
    try:
        maps = relabel_hdf5.open(folder)
        maps.batch([0, 50]), maps.position(maps.key(0))
        os.truncate(folder / "labels-00000.h5", 4096)
        for read in (lambda: maps[3], lambda: maps.batch([3]), lambda: maps.targets([3], [[0.0, 0.0, 1.0, 1.0]])):  # noqa: F821  deleted below
            with pytest.raises(CorruptError, match="was cut"):
                read()
        del maps, read
        assert open_files(folder) == 0
    finally:
        gc.enable()


def test_a_refused_file_is_closed(tmp_path):
    path = shard(attributes={"format": "other"}).write(tmp_path / "a.h5")
    with pytest.raises(InvalidDataError) as caught:
        relabel_hdf5.open(path)
    assert open_files(tmp_path) == 0 and caught.value.rule == "L001"


def test_open_files_are_bounded(folder, expected, monkeypatch):
    with_numpy(monkeypatch)
    monkeypatch.setattr(files, "MAXIMUM_OPEN", 2)
    maps = relabel_hdf5.open(folder)
    for position in (0, 40, 80, 1, 41, 81):
        np.testing.assert_array_equal(maps[position].class_index, expected[position])
        assert 1 <= open_files(folder) <= 3  # the last chunk read may be of a shard that was closed
    np.testing.assert_array_equal(maps.batch(range(120)).class_index, expected)


def test_a_file_that_other_code_has_open(folder, expected):
    with h5py.File(folder / "labels-00000.h5") as other:
        assert (other["class_index"][0] == relabel_hdf5.open(folder)[0].class_index).all()
    with relabel_hdf5.open(folder) as one, relabel_hdf5.open(folder) as two:
        np.testing.assert_array_equal(one[3].class_index, two[3].class_index)


# --------------------------------------------------------------------------------------- processes


def labels(maps, positions):
    return maps.batch(positions).class_index


def test_forked_children_read_while_the_parent_reads(folder, expected):
    maps = relabel_hdf5.open(folder)
    maps.batch(range(120)), maps.position(maps.key(7))
    stop, failures = threading.Event(), []

    def read():
        order = np.random.default_rng(0).permutation(120)
        while not stop.is_set():
            if not np.array_equal(labels(maps, order), expected[order]):
                failures.append(order)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(12):
            wanted = np.random.default_rng(number).permutation(120)
            np.testing.assert_array_equal(in_child(lambda: labels(maps, wanted)), expected[wanted])
            assert in_child(lambda: (maps.key(number), maps.position(maps.key(99)))) == (maps.key(number), 99)
    finally:
        stop.set()
        reader.join()
    assert not failures


def test_a_child_opens_its_own_files(folder, monkeypatch):
    with_numpy(monkeypatch)
    maps = relabel_hdf5.open(folder)
    maps.batch([0, 50, 100])
    assert in_child(lambda: (open_files(folder), labels(maps, [3]).shape[0], open_files(folder))) == (3, 1, 1)
    assert open_files(folder) == 3


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_workers(folder, expected, method):
    maps = relabel_hdf5.open(folder)
    maps[0]
    parts = [np.arange(start, 120, 3) for start in range(3)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap(labels, [(maps, part) for part in parts])
    for part, ids in zip(parts, found, strict=True):
        np.testing.assert_array_equal(ids, expected[part])


def test_errors_cross_processes(folder):
    with multiprocessing.get_context("fork").Pool(1) as pool, pytest.raises(NotFoundError) as caught:
        pool.apply(labels, (relabel_hdf5.open(folder), ["never"]))
    assert (caught.value.key, caught.value.file) == ("never", str(folder))


@pytest.mark.parametrize("name", ["", "labels-00001.h5"])
def test_pickled_maps(folder, name):
    maps = relabel_hdf5.open(folder / name)
    text = pickle.dumps(maps)
    assert len(text) < 1000
    again = pickle.loads(text)
    assert again is not maps and list(again.keys()) == list(maps.keys())
    np.testing.assert_array_equal(labels(again, [5, 2]), labels(maps, [5, 2]))
    one = pickle.loads(pickle.dumps(maps[5]))
    assert one.key == maps.key(5) and (one.score == maps[5].score).all() and one.header == maps.header


def test_pickled_maps_of_what_was_replaced(folder):
    whole, one = (pickle.dumps(relabel_hdf5.open(folder / name)) for name in ("", "labels-00000.h5"))
    write_dataset(folder, *two_shards())
    for text in (whole, one):
        with pytest.raises(CorruptError, match="not what was opened"):
            pickle.loads(text)


# ---------------------------------------------------------------------------------- files that change


def overwrite(path, source):
    """Puts other contents into the same file."""
    status = os.stat(path)
    path.write_bytes(source.read_bytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # the clock may be too coarse to tell


def exchange(path, source):
    """Puts another file into its place."""
    shutil.copy(source, path.with_name("copy"))
    os.replace(path.with_name("copy"), path)


def test_a_truncated_shard(folder):
    maps = relabel_hdf5.open(folder)
    maps[0]
    path = folder / "labels-00000.h5"
    size = path.stat().st_size
    os.truncate(path, size // 2)
    for read in (lambda: maps.batch(range(40)), lambda: maps[39], lambda: maps.key(0), maps.image_indexes):
        with pytest.raises(CorruptError, match=rf"{path}: the file was cut from {size} to {size // 2} bytes"):
            read()
    with pytest.raises(CorruptError, match="S004"):
        relabel_hdf5.open(path)


def test_zeros_behind_the_end_are_no_labels(tmp_path):
    """HDF5 reads them where a file was cut; without compression they match their checksum."""
    maps = relabel_hdf5.open(shard(k=1, images_per_chunk=1).write(tmp_path / "a.h5"))
    os.truncate(tmp_path / "a.h5", 4096)
    with pytest.raises(CorruptError, match="was cut"):
        maps.batch(range(ROWS))


def test_a_shard_overwritten_in_place(folder):
    """Another shard with all its chunks at the same places: only the file's time tells."""
    maps = relabel_hdf5.open(folder)
    maps[0]
    path, other = folder / "labels-00000.h5", folder / "labels-00001.h5"
    assert path.stat().st_size == other.stat().st_size
    overwrite(path, other)
    with pytest.raises(CorruptError, match=f"{path}: the file was changed since it was opened"):
        maps.batch([3, 9])
    assert relabel_hdf5.open(path).key(0) == "train/n0040"  # HDF5 has closed the old one


def test_a_shard_overwritten_while_hdf5_has_it_open(folder, monkeypatch):
    with_numpy(monkeypatch)
    monkeypatch.setattr(places.ChunkPlaces, "of", lambda *how: None)  # so the file stays open
    path = folder / "labels-00000.h5"
    maps = relabel_hdf5.open(path)
    assert maps.key(0) == "train/n0000"
    overwrite(path, folder / "labels-00001.h5")
    with pytest.raises(CorruptError, match="close what was opened before"):  # HDF5 would mix old and new
        relabel_hdf5.open(path)
    maps.close()
    assert relabel_hdf5.open(path).key(0) == "train/n0040"


def test_shards_are_not_open_in_hdf5(folder, expected):
    """HDF5 keeps half a megabyte for each that is open, and refuses to open it otherwise."""
    maps = relabel_hdf5.open(folder)
    with h5py.File(folder / "labels-00000.h5"):  # with locks, unlike this package
        np.testing.assert_array_equal(labels(maps, range(len(maps))), expected)
    assert maps.key(0) == "train/n0000" and len(maps.image_indexes()) == len(maps)
    for path in folder.glob("*.h5"):
        h5py.File(path, "r+").close()


@pytest.mark.parametrize("reason", ["no chunk_iter", "offsets in chunks"])
def test_chunks_that_hdf5_can_not_list_are_asked_for_one_by_one(reason, folder, expected, monkeypatch):
    """As with HDF5 before 1.10.10, and with versions that count otherwise."""

    class Dataset:
        def __init__(self, dataset):
            self._dataset = dataset
            self.shape = dataset.shape

        def __getattr__(self, name):
            return getattr(self._dataset, name)

        def chunk_iter(self, note):
            if reason == "no chunk_iter":
                raise AttributeError("chunk_iter")
            size = self._dataset.get_create_plist().get_chunk()[0]
            self._dataset.chunk_iter(
                lambda info: note(info._replace(chunk_offset=(info.chunk_offset[0] // size, *info.chunk_offset[1:]))))

    of = places.ChunkPlaces.of
    found = []

    def told(dataset, *how):
        found.append(of(Dataset(dataset), *how))
        return found[-1]

    with_numpy(monkeypatch)
    monkeypatch.setattr(places.ChunkPlaces, "of", told)
    maps = relabel_hdf5.open(folder)
    np.testing.assert_array_equal(labels(maps, range(len(maps))), expected)
    assert set(found) == {None}


def test_a_replaced_shard_stays_what_it_was_or_is_refused(folder, expected):
    maps = relabel_hdf5.open(folder)
    maps[0]
    exchange(folder / "labels-00000.h5", folder / "labels-00001.h5")
    if relabel_hdf5.engine().startswith("numpy"):
        np.testing.assert_array_equal(labels(maps, [3, 9]), expected[[3, 9]])
    else:
        with pytest.raises(CorruptError, match="labels-00000.h5: the file was replaced"):
            labels(maps, [3, 9])
    assert labels(maps, [50]).shape == (1, 3, 4, 3)


@pytest.mark.parametrize("change", [overwrite, exchange])
def test_a_child_refuses_what_was_replaced(change, folder):
    maps = relabel_hdf5.open(folder)
    maps[0]
    change(folder / "labels-00000.h5", folder / "labels-00001.h5")
    with pytest.raises(CorruptError, match="labels-00000.h5: the file was (changed|replaced)"):
        in_child(lambda: labels(maps, [3]))
    assert in_child(lambda: labels(maps, [50]).shape) == (1, 3, 4, 3)  # the other shards are what they were


def test_a_shard_replaced_after_it_was_closed(folder, monkeypatch):
    monkeypatch.setattr(files, "MAXIMUM_OPEN", 1)
    maps = relabel_hdf5.open(folder)
    maps[0], maps[50]
    exchange(folder / "labels-00000.h5", folder / "labels-00001.h5")
    with pytest.raises(CorruptError, match="labels-00000.h5: the file was replaced"):
        maps[0]


@pytest.mark.parametrize("changes, rule", [
    ({"rows": 39}, "M006"), ({"rows": 30}, "M005"), ({"attributes": {"build_id": "0" * 64}}, "M006"),
    ({"attributes": {"writer": WRITER[:-1] + "1"}}, "M006"), ({"attributes": {"orientation": "xy"}}, "M008")])
def test_a_shard_replaced_before_it_is_read(changes, rule, folder):
    maps = relabel_hdf5.open(folder)
    maps[50]
    replace(shard(0), **changes).write(folder / "labels-00000.h5")
    with pytest.raises(RelabelError, match=rf"labels-00000.h5: .*\[{rule}\]"):
        maps[0]
    assert maps[51].key == "train/n0051"


def test_a_shard_that_is_gone(folder):
    maps = relabel_hdf5.open(folder)
    maps[50]
    (folder / "labels-00000.h5").unlink()
    with pytest.raises(InvalidDataError, match=r"labels-00000.h5: the shard that index.json .*\[M004\]"):
        maps.batch([51, 3])
    assert maps.header.height == 3 and len(maps.chunks) == 61
    np.testing.assert_array_equal(maps.batch([51]).positions, [51])
