"""Datasets as caches, strange file systems and attackers leave them: links, holes, keys that occur twice."""

import os
import resource
import shutil
import struct
import subprocess
import time

import pytest
from attacks import TERABYTE, grow
from conftest import BIN, tool, verify
from running import error_rules, sound
from shard_writer import Shard, change_superblock, two_shards, write_dataset

import relabel_hdf5
from relabel_hdf5.dataset import LabelMaps
from relabel_hdf5.engines.numpy.engine import NumPyEngine


def opened(folder):
    """The maps as the engine of this installation reads them, and as NumPy does."""
    return [relabel_hdf5.open(folder), LabelMaps(str(folder), NumPyEngine(str(folder), True))]


def linked(folder, dataset):
    """A folder of links to the files of a dataset under other names, as the cache of the Hub lays it out."""
    (folder / "blobs").mkdir(parents=True)
    (folder / "snapshot").mkdir()
    for number, file in enumerate(sorted(dataset.iterdir())):
        shutil.copy(file, folder / "blobs" / f"{number}")
        (folder / "snapshot" / file.name).symlink_to(f"../blobs/{number}")
    return folder / "snapshot"


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", *two_shards())


def test_links_of_a_cache_are_followed(dataset, tmp_path):
    folder = linked(tmp_path / "cache", dataset)
    sound(folder)
    assert tool("relabel", "info", folder).returncode == 0
    key = tool("relabel", "show", folder, "--row", 0)
    assert key.stdout == tool("relabel", "show", dataset, "--row", 0).stdout
    result = tool("relabel", "recover", folder, "-o", tmp_path / "recovered")
    assert result.returncode == 0, result.stderr
    for maps, plain in zip(opened(folder), opened(dataset)):
        assert len(maps) == len(plain) == 8
        assert all((maps[row].class_index == plain[row].class_index).all() for row in range(8))


def longer(target):
    with open(target, "ab") as file:
        file.write(b"\0")


@pytest.mark.parametrize("change", [longer, os.unlink, lambda target: (target.unlink(), target.mkdir())])
def test_links_to_anything_else_are_refused_with_what_to_do(dataset, tmp_path, change):
    folder = linked(tmp_path / "cache", dataset)
    change((folder / "labels-00001.h5").resolve())
    code, report = verify(folder)
    assert code == 4 and error_rules(report) == ["M009"]
    assert any("cp -L" in finding["message"] for finding in report["findings"])
    assert tool("relabel", "info", folder).returncode == 4
    for engine in (relabel_hdf5.open, lambda path: NumPyEngine(str(path), True)):
        with pytest.raises(relabel_hdf5.UnsafeError, match="cp -L"):
            engine(folder)


def test_another_file_of_the_same_size_behind_a_link_is_found_out(dataset, tmp_path):
    folder = linked(tmp_path / "cache", dataset)
    target = (folder / "labels-00001.h5").resolve()
    content = bytearray(target.read_bytes())
    content[-100] ^= 1
    target.write_bytes(content)
    code, report = verify(folder)
    assert code in (1, 5) and "M005" in error_rules(report)


# Sizes that only holes fill


@pytest.mark.parametrize("command", ["verify", "recover", "info", "no index"])
def test_a_terabyte_of_holes_is_refused_at_once(tmp_path, command):
    dataset = write_dataset(tmp_path / "dataset", *two_shards(), change=lambda index: grow(index["shards"][1]))
    os.truncate(change_superblock(dataset / "labels-00001.h5", 28, struct.pack("<Q", TERABYTE)), TERABYTE)
    start = time.monotonic()
    if command == "verify":
        assert verify(dataset, timeout=20)[0] not in (0, 3)
    elif command == "info":
        assert tool("relabel", "info", dataset, timeout=20).returncode != 0
    else:
        if command == "no index":
            (dataset / "index.json").unlink()
        result = tool("relabel", "recover", dataset, "-o", tmp_path / "out", timeout=20)
        assert result.returncode in (3, 5), result.stderr
    assert time.monotonic() - start < 5


# Keys that two shards have


def twins(folder, count):
    """Two shards that share all their keys and no index."""
    keys = [f"n{number % 7}/{number}" for number in range(count)]
    shards = [Shard(largest_error=0.001953125, rows=count, keys=keys, height=1, width=1),
              Shard(largest_error=0.001953125, rows=count, keys=keys, height=1, width=1, first_index=count)]  # fmt: skip
    return write_dataset(folder, *shards)


def test_ten_thousand_keys_that_occur_twice_take_no_longer_than_the_data(tmp_path):
    dataset = twins(tmp_path / "dataset", 10_000)
    start = time.monotonic()
    code, report = verify(dataset)
    # 2 s in a release build on a machine that does nothing else.
    assert time.monotonic() - start < 20
    assert code == 1 and error_rules(report) == ["M007"]
    assert sum(finding.get("count", 1) for finding in report["findings"] if finding["rule"] == "M007") == 10_000


@pytest.mark.parametrize("descriptors", range(4, 14))
def test_keys_that_could_not_be_compared_are_never_forgotten(tmp_path, descriptors):
    dataset = twins(tmp_path / "dataset", 20)

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    command = [str(BIN / "relabel-verify"), str(dataset)]
    result = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=60)
    assert result.returncode != 0 and "sound:" not in result.stdout, (result.returncode, result.stdout)


# File systems that can't sync a folder

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
int fsync(int fd) {
  struct stat status;
  if (!fstat(fd, &status) && (FILES ? S_ISREG(status.st_mode) : S_ISDIR(status.st_mode))) {
    errno = CODE;
    return -1;
  }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
"""


@pytest.mark.parametrize(
    "code, files, status",
    [("EINVAL", 0, 0), ("ENOTSUP", 0, 0), ("ENOSYS", 0, 0), ("EBADF", 0, 0), ("EIO", 0, 74), ("EINVAL", 1, 74)],
)
def test_folders_that_can_not_be_synced(sample_dataset, tmp_path, code, files, status):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    (tmp_path / "shim.c").write_text(SHIM)
    library = tmp_path / "shim.so"
    build = [compiler, "-shared", "-fPIC", f"-DCODE={code}", f"-DFILES={files}", "-o", library, tmp_path / "shim.c", "-ldl"]
    subprocess.run(build, check=True)
    from conftest import SAMPLES

    command = [str(BIN / "relabel-pack"), str(SAMPLES / "maps"), "-o", str(tmp_path / "out")]
    result = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"LD_PRELOAD": str(library)}, timeout=60
    )
    assert result.returncode == status, result.stderr
    assert (tmp_path / "out/index.json").exists() == (status == 0)
