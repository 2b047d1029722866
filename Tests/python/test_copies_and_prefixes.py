"""Trees of maps as annotation runs leave them: a folder around all, a folder for each rank, copies that pad."""

import gzip
import io
import itertools
import os
import shutil
import tarfile

import numpy as np
import oracle
import pytest
from conftest import pack
from running import packed, same

KEYS = ["n0/a", "n0/b", "n1/c"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    oracle.make_tree(folder / "maps", KEYS, np.random.default_rng(7))
    packed(folder / "maps", "-o", folder / "out")
    return folder


def tarred(path, files, mode="w"):
    """A tar of (name, bytes) and of (name, the name it is a hard link to)."""
    with tarfile.open(path, mode) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = tarfile.LNKTYPE, content
                tar.addfile(member)
    return path


def files(folder, prefix=""):
    return [(prefix + name, (folder / name).read_bytes()) for name in oracle.file_names(folder)]


def keys(folder):
    return sorted(oracle.read_dataset(folder))


@pytest.mark.parametrize("prefix", ["top/", "./top/", "top5/x y/"])
def test_folders_around_the_maps_are_taken_off(tree, tmp_path, prefix):
    count = prefix.count("/") - prefix.startswith("./")
    tar = tarred(tmp_path / "m.tar", files(tree / "maps", prefix))
    compressed = tarred(tmp_path / "m.tar.gz", files(tree / "maps", prefix), "w:gz")
    (tmp_path / "in" / prefix).parent.mkdir(parents=True)
    shutil.copytree(tree / "maps", tmp_path / "in" / prefix)
    for number, source in enumerate((tar, compressed, tmp_path / "in")):
        out = tmp_path / f"out{number}"
        packed(source, "-o", out, "--strip-components", count)
        assert keys(out) == KEYS
        assert oracle.read_index(out)["options"]["strip_components"] == count
    packed(tar, "-o", tmp_path / "as-it-is")
    assert all("/n" in key and key not in KEYS for key in keys(tmp_path / "as-it-is"))


def test_a_path_without_so_many_folders_is_named(tree, tmp_path):
    for source in (tree / "maps", tarred(tmp_path / "m.tar", files(tree / "maps"))):
        result = pack(source, "-o", tmp_path / "out", "--strip-components", 2)
        assert result.returncode == 5 and "n0/a.pt" in result.stderr and "leaves nothing" in result.stderr
    result = pack(tree / "maps/n0/a.pt", "-o", tmp_path / "out", "--strip-components", 1)
    assert result.returncode == 64 and "--strip-components" in result.stderr
    assert pack(tree / "maps", "-o", tmp_path / "out", "--strip-components", -1).returncode == 64


def rank_folders(tree, folder, change=False):
    """The maps shared out to two ranks, with one that both have."""
    for number, name in enumerate(oracle.file_names(tree / "maps")):
        place = folder / f"rank{number % 2}" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / "maps" / name, place)
    other = folder / "rank1/n0/a.pt"
    other.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tree / "maps/n1/c.pt" if change else tree / "maps/n0/a.pt", other)


def ways(folder):
    """The inputs and options by which two ranks' folders become one dataset."""
    content = files(folder)
    return {
        "folders": ([folder / "rank0", folder / "rank1"], []),
        "stripped": ([folder], ["--strip-components", 1]),
        "tar": ([tarred(folder.parent / "r.tar", content)], ["--strip-components", 1]),
        "stream": ([tarred(folder.parent / "r.tar.gz", content, "w:gz")], ["--strip-components", 1]),
    }


def test_equal_copies_of_padded_samplers_are_kept_once_and_said(tree, tmp_path):
    rank_folders(tree, tmp_path / "ranks")
    for name, (inputs, options) in ways(tmp_path / "ranks").items():
        summary = packed(*inputs, "-o", tmp_path / name, *options)
        assert keys(tmp_path / name) == KEYS, name
        assert len(summary["equal_copies"]) == 1, name
        assert all(part in summary["equal_copies"][0] for part in ("rank0/n0/a.pt", "rank1/n0/a.pt"))
        index = oracle.read_index(tmp_path / name)
        assert (index["options"]["equal_copies"], index["count"], index["sources"]) == (1, 3, 3), name
    text = pack(tmp_path / "ranks/rank0", tmp_path / "ranks/rank1", "-o", tmp_path / "again").stdout
    assert "copies    1" in text and "rank1/n0/a.pt' is '" in text
    shard = "labels-00000.h5"
    assert (tmp_path / "folders" / shard).read_bytes() == (tree / "out" / shard).read_bytes()


def test_copies_that_differ_are_refused_by_both_names(tree, tmp_path):
    rank_folders(tree, tmp_path / "ranks", change=True)
    for name, (inputs, options) in ways(tmp_path / "ranks").items():
        result = pack(*inputs, "-o", tmp_path / name, *options)
        assert result.returncode == 5, name
        assert all(part in result.stderr for part in ("rank0/n0/a.pt", "rank1/n0/a.pt", "same key")), result.stderr


def test_of_three_copies_the_one_that_differs_is_named_in_any_order(tree, tmp_path):
    names = ["a", "b", "c"]
    for different, order in itertools.product(names, itertools.permutations(names)):
        root = tmp_path / f"{different}-{''.join(order)}"
        for name in names:
            (root / name).mkdir(parents=True)
            shutil.copy(tree / ("maps/n1/c.pt" if name == different else "maps/n0/a.pt"), root / name / "x.pt")
        result = pack(*(root / name for name in order), "-o", root / "out")
        assert result.returncode == 5 and f"{different}/x.pt" in result.stderr, result.stderr


def test_rows_of_archives_are_copies_by_their_values(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"score": -np.sort(-rng.normal(size=(2, 3, 3, 4)).astype("f4"), -1),
              "class_index": np.tile(np.arange(4, dtype="u2"), (2, 3, 3, 1)), "keys": np.array(["a", "b"])}  # fmt: skip
    np.savez(tmp_path / "0.npz", **arrays)
    np.savez_compressed(tmp_path / "1.npz", **{name: array[:1] for name, array in arrays.items()})
    options = ("--score-kind", "logit", "--num-classes", 9)
    summary = packed(tmp_path / "0.npz", tmp_path / "1.npz", "-o", tmp_path / "out", *options)
    assert len(summary["equal_copies"]) == 1 and keys(tmp_path / "out") == ["a", "b"]
    arrays["score"][0, 0, 0, 0] += 1
    np.savez(tmp_path / "1.npz", **arrays)
    assert pack(tmp_path / "0.npz", tmp_path / "1.npz", "-o", tmp_path / "bad", *options).returncode == 5


def test_hard_links_in_a_tar_are_the_files_they_name(tree, tmp_path):
    content = (tree / "maps/n0/a.pt").read_bytes()
    other = (tree / "maps/n1/c.pt").read_bytes()
    tar = tarred(tmp_path / "m.tar", [
        ("./n0/a.pt", content), ("n0/b.pt", "./n0/a.pt"), ("n1/c.pt", other), ("n1/d.pt", "n0/a.pt"),
    ])  # fmt: skip
    packed(tar, "-o", tmp_path / "out")
    labels = {key: [array.tolist() for array in value] for key, value in oracle.read_dataset(tmp_path / "out").items()}
    assert sorted(labels) == ["n0/a", "n0/b", "n1/c", "n1/d"]
    assert labels["n0/a"] == labels["n0/b"] == labels["n1/d"] != labels["n1/c"]
    (tmp_path / "m.tar.gz").write_bytes(gzip.compress(tar.read_bytes()))
    result = pack(tmp_path / "m.tar.gz", "-o", tmp_path / "stream")
    assert result.returncode == 4 and "--hard-dereference" in result.stderr and "n0/b.pt" in result.stderr


@pytest.mark.parametrize("link", ["n9/x.pt", "../n0/a.pt", "/n0/a.pt", "n1/late.pt", "n0"])
def test_hard_links_to_nothing_are_refused(tree, tmp_path, link):
    content = (tree / "maps/n0/a.pt").read_bytes()
    tar = tarred(tmp_path / "m.tar", [("n0/a.pt", content), ("n0/b.pt", link), ("n1/late.pt", content)])
    result = pack(tar, "-o", tmp_path / "out")
    assert result.returncode == 4 and "--hard-dereference" in result.stderr, result.stderr


def test_the_tar_of_gnu_with_hard_links_is_read(tree, tmp_path):
    shutil.copytree(tree / "maps", tmp_path / "m")
    os.link(tmp_path / "m/n0/a.pt", tmp_path / "m/n1/linked.pt")
    assert os.system(f"tar -C {tmp_path}/m -cf {tmp_path}/m.tar .") == 0
    packed(tmp_path / "m", "-o", tmp_path / "folder")
    packed(tmp_path / "m.tar", "-o", tmp_path / "tar")
    same(tmp_path / "folder", tmp_path / "tar")
