"""What the packer writes is what the annotator said, whatever container it came in."""

import contextlib
import gzip
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile

import numpy as np
import oracle
import pytest
import torch
from conftest import BIN, SAMPLES, pack, tool, verify
from running import packed, same, sound

KEYS = [f"n{c:03d}/n{c:03d}_{i}" for c in range(4) for i in range(5)] + [
    "Ü/größe", "z.dots.in/name.v2", "deep/" + "/".join(["er"] * 30) + "/x",
    "long/" + "a" * 150 + "/" + "b" * 120, "blank in/a name",
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A folder of maps with all sorts of names, and their labels."""
    folder = tmp_path_factory.mktemp("tree") / "maps"
    return folder, oracle.make_tree(folder, KEYS, np.random.default_rng(1))


@pytest.fixture(scope="module")
def tree_dataset(tree, tmp_path_factory):
    """That folder packed into several shards."""
    folder = tmp_path_factory.mktemp("tree") / "dataset"
    packed(tree[0], "-o", folder, "--images-per-shard", 7, "--jobs", 2)
    return folder


@pytest.fixture(scope="module")
def sample_maps():
    """The labels of the bundled maps as torch.load reads them."""
    maps = oracle.read_pt_tree(SAMPLES / "maps")
    assert len(maps) >= 4
    return maps


# Labels come back


def test_samples_pack_and_verify(sample_dataset, sample_maps):
    sound(sample_dataset)
    code, report = verify(sample_dataset)
    assert report["images"] == len(sample_maps)
    assert [f for f in report["findings"] if f["rule"].startswith("P")] == []
    assert oracle.compare_dataset(sample_dataset, sample_maps) <= 1 / 512


@pytest.mark.parametrize("order", oracle.CELL_ORDERS)
@pytest.mark.parametrize("encoding", oracle.ENCODINGS)
def test_h5py_reads_what_torch_loads(sample_maps, tmp_path, encoding, order):
    folder = tmp_path / "d"
    packed(SAMPLES / "maps", "-o", folder, "--score-encoding", encoding, "--cell-order", order)
    sound(folder)
    oracle.compare_dataset(folder, sample_maps, encoding=encoding, cell_order=order)
    shard = oracle.read_shards(folder)[0]
    assert shard.score_attributes["encoding"] == encoding
    assert shard.attributes["cell_order"] == order
    if encoding.startswith("fixed"):
        pair = shard.score_attributes["scale_factor"], shard.score_attributes["add_offset"]
        assert pair == oracle.PACKING["logit", encoding]


def test_float32_keeps_the_order_of_the_source(sample_maps, tmp_path):
    packed(SAMPLES / "maps", "-o", tmp_path / "d", "--score-encoding", "float32")
    for key, found in oracle.read_dataset(tmp_path / "d").items():
        source = sample_maps[key]
        assert (found.scores.view(np.uint32) == source.scores.view(np.uint32)).all()
        falling = np.diff(source.scores, axis=-1) < 0
        untied = falling.all(axis=-1)
        assert untied.any() and (found.ids[untied] == source.ids[untied]).all()


def test_names_and_positions(tree, tree_dataset):
    sound(tree_dataset)
    oracle.compare_dataset(tree_dataset, tree[1])
    listing = oracle.key_order(tree[1])
    assert oracle.image_indexes(tree_dataset) == {key: i for i, key in enumerate(listing)}
    assert oracle.row_keys(tree_dataset) == oracle.shuffled(listing, 0)
    assert [len(shard.keys) for shard in oracle.read_shards(tree_dataset)] == [7, 7, 7, 4]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("legacy", [False, True])
def test_element_types(tmp_path, dtype, legacy):
    tensor = oracle.random_tensor(np.random.default_rng(2), classes=250).to(dtype)
    oracle.save_pt(tensor, tmp_path / "maps/a.pt", legacy)
    # bfloat16 holds the ids of 256 classes.
    packed(tmp_path / "maps", "-o", tmp_path / "d", "--score-encoding", "float32", "--num-classes", 250)
    oracle.compare_dataset(tmp_path / "d", {"a": oracle.from_tensor(tensor)}, encoding="float32")


@pytest.mark.parametrize("legacy", [False, True])
def test_strided_views(tmp_path, legacy):
    whole = oracle.random_tensor(np.random.default_rng(3), k=8, height=6, width=9)
    views = {
        "transposed": whole.transpose(2, 3), "part": whole[:, 1:6, 2:5, 3:8],
        "stepped": whole[:, ::2, ::2, 1::3], "last-rank": whole.permute(0, 2, 3, 1).contiguous()
        .permute(0, 3, 1, 2),
    }
    for name, view in views.items():
        oracle.save_pt(view, tmp_path / name / "a.pt", legacy)
        packed(tmp_path / name, "-o", tmp_path / f"{name}.d", "--score-encoding", "float32")
        expected = {"a": oracle.from_tensor(view)}
        oracle.compare_dataset(tmp_path / f"{name}.d", expected, encoding="float32")


def test_ties_go_by_class_id(tmp_path):
    scores = torch.tensor([7.0, 5.0, 5.0 + 1 / 2048, 5.0, -0.0, 0.0])[:, None, None]
    ids = torch.tensor([9.0, 400.0, 500.0, 3.0, 8.0, 7.0])[:, None, None]
    tensor = torch.stack([scores, ids])
    oracle.save_pt(tensor, tmp_path / "maps/a.pt")
    for encoding, expected in (("fixed16", [9, 3, 400, 500, 7, 8]), ("float32", [9, 500, 3, 400, 7, 8])):
        packed(tmp_path / "maps", "-o", tmp_path / encoding, "--score-encoding", encoding)
        assert oracle.read_dataset(tmp_path / encoding)["a"].ids[0, 0].tolist() == expected
        oracle.compare_dataset(tmp_path / encoding, {"a": oracle.from_tensor(tensor)}, encoding=encoding)


def test_rounding_is_to_even(tmp_path):
    values = [(n + 0.5) / 256 for n in (101, 100, 3, 2)] + [0.5 / 256]
    tensor = torch.stack([torch.tensor(values), torch.arange(5.0)])[:, :, None, None]
    oracle.save_pt(tensor, tmp_path / "maps/a.pt")
    packed(tmp_path / "maps", "-o", tmp_path / "d")
    found = oracle.read_dataset(tmp_path / "d")["a"]
    assert (found.scores[0, 0] * 256).tolist() == [102, 100, 4, 2, 0]
    oracle.compare_dataset(tmp_path / "d", {"a": oracle.from_tensor(tensor)})


def test_top_k_of_sparse_input(tree, tmp_path):
    packed(tree[0], "-o", tmp_path / "d", "--top-k", 3)
    best = {k: oracle.Labels(v.ids[..., :3], v.scores[..., :3]) for k, v in tree[1].items()}
    oracle.compare_dataset(tmp_path / "d", best)


# The container and the number of jobs do not matter


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize(
    "format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, None], ids=["gnu", "pax", "folder"]
)
def test_tar_and_jobs_give_the_same_bytes(tree, tree_dataset, tmp_path, format, jobs):
    source = tree[0]
    if format is not None:
        names = oracle.file_names(tree[0])
        random.Random(jobs).shuffle(names)
        source = tmp_path / "maps.tar"
        oracle.make_tar(source, tree[0], names, format=format, prefix="./" if jobs == 2 else "")
    packed(source, "-o", tmp_path / "d", "--images-per-shard", 7, "--jobs", jobs)
    same(tmp_path / "d", tree_dataset)


def test_ustar_with_folders_and_several_inputs(tree, tmp_path):
    names = [name for name in oracle.file_names(tree[0]) if len(name) < 90]
    part = tmp_path / "part"
    for name in names:
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree[0] / name, part / name)
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(part, arcname=".")
    for number, chosen in enumerate((names[1::2], names[::2])):
        oracle.make_tar(tmp_path / f"half{number}.tar", part, chosen, format=tarfile.USTAR_FORMAT)
    packed(part, "-o", tmp_path / "folder")
    packed(tmp_path / "a.tar", "-o", tmp_path / "one")
    packed(tmp_path / "half0.tar", tmp_path / "half1.tar", "-o", tmp_path / "two")
    same(tmp_path / "one", tmp_path / "folder")
    same(tmp_path / "two", tmp_path / "folder")


def test_concatenated_tars(tree, tree_dataset, tmp_path):
    names = oracle.file_names(tree[0])
    oracle.make_tar(tmp_path / "a.tar", tree[0], names[::2])
    oracle.make_tar(tmp_path / "b.tar", tree[0], names[1::2])
    both = (tmp_path / "a.tar").read_bytes() + (tmp_path / "b.tar").read_bytes()
    (tmp_path / "both.tar").write_bytes(both)
    packed(tmp_path / "both.tar", "-o", tmp_path / "d", "--images-per-shard", 7)
    same(tmp_path / "d", tree_dataset)


def test_paths_and_times_do_not_show(tree, tree_dataset, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(tree[0], copy)
    for path in copy.rglob("*.pt"):
        os.utime(path, (1, 1))
    packed(".", "-o", "../d", "--images-per-shard", 7, cwd=copy, env={"TZ": "Asia/Tokyo", "LANG": "C"})
    same(tmp_path / "d", tree_dataset)
    packed(f"{copy}/", "-o", f"{tmp_path}/e/", "--images-per-shard", 7)
    same(tmp_path / "e", tree_dataset)


def stream_names(folder):
    """The files of a folder that a stream takes: keys of at most 256 bytes."""
    return [name for name in oracle.file_names(folder) if len(name.encode()) <= 256 + 3]


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_compressed_tar(tree, tmp_path, mode):
    names = stream_names(tree[0])
    random.Random(4).shuffle(names)
    oracle.make_tar(tmp_path / f"maps.tar.{mode}", tree[0], names, f"w:{mode}")
    packed(tmp_path / f"maps.tar.{mode}", "-o", tmp_path / "d", "--images-per-shard", 7)
    arrived(tmp_path / "d", names, tree[1])


@pytest.mark.parametrize("compressed", [False, True])
def test_pipe(tree, tmp_path, compressed):
    names = stream_names(tree[0])
    random.Random(5).shuffle(names)
    oracle.make_tar(tmp_path / "maps.tar", tree[0], names)
    content = (tmp_path / "maps.tar").read_bytes()
    for jobs in (1, 3):
        result = feed(
            gzip.compress(content) if compressed else content, "-", "-o", tmp_path / f"d{jobs}",
            "--images-per-shard", 7, "--jobs", jobs,
        )
        assert result.returncode == 0, result.stderr
        arrived(tmp_path / f"d{jobs}", names, tree[1])
    same(tmp_path / "d1", tmp_path / "d3")


@pytest.fixture(scope="module")
def long_stream(tmp_path_factory):
    """More images than are read ahead: the bytes of a tar, and how many there are."""
    folder = tmp_path_factory.mktemp("stream")
    labels = oracle.make_tree(folder / "maps", [f"a{i:03}" for i in range(60)], np.random.default_rng(8))
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for number in range(1500):
            tar.add(folder / "maps" / f"a{number % 60:03}.pt", arcname=f"{number:04}.pt")
    return content.getvalue(), {f"{number:04}": labels[f"a{number % 60:03}"] for number in range(1500)}


def test_reading_ahead_changes_nothing(long_stream, tmp_path):
    content, labels = long_stream
    for jobs in (1, 2, 5):
        result = feed(content, "-", "-o", tmp_path / f"d{jobs}", "--images-per-shard", 700, "--jobs", jobs)
        assert result.returncode == 0, result.stderr
        same(tmp_path / "d1", tmp_path / f"d{jobs}")
    arrived(tmp_path / "d5", [f"{key}.pt" for key in labels], labels)


@pytest.mark.parametrize("bad", [100, 1200])
def test_a_fault_is_told_while_the_pipe_stays_open(bad, long_stream, tmp_path):
    """The thread that reads ahead may wait for the pipe for ever."""
    content = bytearray(long_stream[0])
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        member = tar.getmembers()[bad]
    content[member.offset_data : member.offset_data + member.size] = bytes(member.size)
    command = [BIN / "relabel-pack", "-", "-o", tmp_path / "d", "--jobs", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(content[:-10240])  # and no end
            process.stdin.flush()
        try:
            assert process.wait(30) == 5
        finally:
            process.kill()
        assert f"{bad:04}" in process.stderr.read().decode()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def feed(content, *arguments):
    """Runs the packer with bytes on its standard input."""
    command = [str(BIN / "relabel-pack"), *map(str, arguments)]
    return subprocess.run(command, input=content, capture_output=True, timeout=60)


def arrived(folder, names, labels):
    """Asserts that a dataset holds the images in the order of their arrival."""
    sound(folder)
    keys = [name.removesuffix(".pt") for name in names]
    assert oracle.row_keys(folder) == keys
    assert oracle.image_indexes(folder) == {key: i for i, key in enumerate(keys)}
    assert {s.attributes["row_order"] for s in oracle.read_shards(folder)} == {"source"}
    oracle.compare_dataset(folder, {key: labels[key] for key in keys})


def test_stream_refuses_a_key_above_256_bytes(tree, tmp_path):
    names = oracle.file_names(tree[0])
    oracle.make_tar(tmp_path / "maps.tar.gz", tree[0], names, "w:gz")
    result = pack(tmp_path / "maps.tar.gz", "-o", tmp_path / "d")
    assert result.returncode == 5 and "256 bytes" in result.stderr and "long/aaa" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_pipe_refuses_a_shuffle(tree, tmp_path):
    oracle.make_tar(tmp_path / "maps.tar.gz", tree[0], oracle.file_names(tree[0]), "w:gz")
    result = pack(tmp_path / "maps.tar.gz", "-o", tmp_path / "d", "--row-order", "shuffled:1")
    assert result.returncode == 64 and "shuffle" in result.stderr
    assert not (tmp_path / "d" / "index.json").exists()


def test_clutter_is_named_and_ignored(tree, tree_dataset, tmp_path):
    copy = tmp_path / "maps"
    shutil.copytree(tree[0], copy)
    clutter = ["README.txt", "n000/picture.JPEG", ".hidden.pt", "n001/._x.pt", "x.pt.bak"]
    for name in clutter:
        (copy / name).write_bytes(b"x")
    summary = packed(copy, "-o", tmp_path / "d", "--images-per-shard", 7)
    assert sorted(summary["ignored"]) == sorted(f"{copy}/{name}" for name in clutter)
    same(tmp_path / "d", tree_dataset)


# Dense and numpy input


@pytest.fixture(scope="module")
def dense_maps():
    """Dense float32 logits [C, H, W] by key."""
    rng = np.random.default_rng(6)
    return {f"c{i % 3}/m{i}": rng.normal(4, 5, (60, 5, 4)).astype(np.float32) for i in range(11)}


def save_npy(folder, arrays):
    """Saves arrays as .npy files by key."""
    for key, array in arrays.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{key}.npy", array)


def test_dense_gives_the_ids_of_its_twins(dense_maps, tmp_path):
    save_npy(tmp_path / "dense", dense_maps)
    for key, dense in dense_maps.items():
        best = torch.from_numpy(dense).topk(5, dim=0)
        tensor = torch.stack([best.values, best.indices.float()])
        oracle.save_pt(tensor, tmp_path / "maps" / f"{key}.pt")
    packed(tmp_path / "dense", "-o", tmp_path / "d", "--score-kind", "logit")
    packed(tmp_path / "maps", "-o", tmp_path / "m", "--num-classes", 60)
    from_dense, from_pt = (oracle.read_dataset(tmp_path / name) for name in "dm")
    assert from_dense.keys() == from_pt.keys()
    for key, found in from_dense.items():
        assert (found.ids == from_pt[key].ids).all()
        assert (found.scores == from_pt[key].scores).all()
    expected = {key: oracle.from_dense(dense) for key, dense in dense_maps.items()}
    oracle.compare_dataset(tmp_path / "d", expected)
    shard = oracle.read_shards(tmp_path / "d")[0]
    assert shard.attributes["num_classes"] == 60 and shard.attributes["orientation"] == "yx"
    assert oracle.read_shards(tmp_path / "m")[0].attributes["orientation"] == "unknown"


def test_dense_samples(sample_maps, tmp_path):
    folder = SAMPLES / "dense"
    names = oracle.file_names(folder)
    dense = {name.removesuffix(".npy"): np.load(folder / name) for name in names if name.endswith(".npy")}
    assert dense and dense.keys() <= sample_maps.keys()
    packed(folder, "-o", tmp_path / "d", "--score-kind", "logit")
    oracle.compare_dataset(tmp_path / "d", {k: oracle.from_dense(v) for k, v in dense.items()})
    for key, found in oracle.read_dataset(tmp_path / "d").items():
        oracle.compare(found, sample_maps[key])


def test_dense_needs_its_score_kind(dense_maps, tmp_path):
    save_npy(tmp_path / "dense", dense_maps)
    result = pack(tmp_path / "dense", "-o", tmp_path / "d")
    assert result.returncode == 64 and "--score-kind" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "d" / "index.json").exists()


@pytest.mark.parametrize("k", [1, 5, 60])
@pytest.mark.parametrize("form", ["float16", "float64", "fortran", "batch"])
def test_dense_forms(dense_maps, tmp_path, form, k):
    arrays = dense_maps
    if form == "fortran":
        arrays = {key: np.asfortranarray(a) for key, a in arrays.items()}
    elif form.startswith("float"):
        arrays = {key: a.astype(form) for key, a in arrays.items()}
    expected = {key: oracle.from_dense(a, k) for key, a in arrays.items()}
    if form == "batch":
        expected = {f"some/batch#{i:06d}": labels for i, labels in enumerate(expected.values())}
        arrays = {"some/batch": np.stack(list(arrays.values()))}
    save_npy(tmp_path / "dense", arrays)
    packed(tmp_path / "dense", "-o", tmp_path / "d", "--score-kind", "logit", "--top-k", k)
    sound(tmp_path / "d")
    oracle.compare_dataset(tmp_path / "d", expected)


def test_dense_ties_take_the_lower_id(tmp_path):
    dense = np.zeros((50, 2, 3), np.float32)
    dense[[7, 30, 31], :, :] = 4
    save_npy(tmp_path / "dense", {"a": dense})
    packed(tmp_path / "dense", "-o", tmp_path / "d", "--score-kind", "logit")
    ids = oracle.read_dataset(tmp_path / "d")["a"].ids
    assert (ids == [7, 30, 31, 0, 1]).all()


def npz_arrays(form, labels, dense):
    """The arrays of an .npz file of one of the forms."""
    if form == "logits":
        return {"logits": dense}
    if form == "probabilities":
        scaled = np.exp(dense - dense.max(axis=1, keepdims=True))
        return {"probabilities": (scaled / scaled.sum(axis=1, keepdims=True)).astype(np.float32)}
    ids = np.stack([v.ids for v in labels]).astype(form)
    return {"class_index": ids, "score": np.stack([v.scores for v in labels])}


def npz_labels(arrays, i):
    """The labels of row i of an .npz file."""
    if "score" in arrays:
        return oracle.Labels(arrays["class_index"][i].astype(np.int64), arrays["score"][i])
    return oracle.from_dense(next(iter(arrays.values()))[i])


@pytest.mark.parametrize("names", ["keys", "bytes", "numbers", "list", "single"])
@pytest.mark.parametrize("form", ["logits", "probabilities", "uint16", "int64", "float32"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["plain", "deflated"])
def test_npz(dense_maps, tmp_path, form, names, save):
    dense = np.stack(list(dense_maps.values()))
    arrays = npz_arrays(form, [oracle.from_dense(d) for d in dense], dense)
    options = [] if form in ("logits", "probabilities") else ["--score-kind", "logit", "--num-classes", 60]
    keys, extra = [f"sub/batch#{i:06d}" for i in range(len(dense))], {}
    expected = [npz_labels(arrays, i) for i in range(len(dense))]
    if names in ("keys", "bytes"):
        keys = [f"k/é{i}" for i in range(len(dense))]
        extra["keys"] = np.array([k.encode() for k in keys]) if names == "bytes" else np.array(keys)
    elif names == "list":
        keys = [f"pictures/{i * 7 % 11}" for i in range(len(dense))]
        (tmp_path / "list.txt").write_text("".join(f"{key}.JPEG\n" for key in keys))
        options += ["--images", tmp_path / "list.txt"]
    elif names == "single":
        arrays = {name: array[0] for name, array in arrays.items()}
        keys, expected = ["sub/batch"], expected[:1]
    (tmp_path / "in/sub").mkdir(parents=True)
    save(tmp_path / "in/sub/batch.npz", **extra, **arrays)
    packed(tmp_path / "in", "-o", tmp_path / "d", "--images-per-shard", 4, *options)
    sound(tmp_path / "d")
    kind = "probability" if form == "probabilities" else "logit"
    oracle.compare_dataset(tmp_path / "d", dict(zip(keys, expected)), kind=kind)
    assert oracle.read_index(tmp_path / "d")["score_kind"] == kind
    if names == "list":
        assert oracle.image_indexes(tmp_path / "d") == {key: i for i, key in enumerate(keys)}


# Options


def test_image_list_gives_the_index(tree, tmp_path):
    keys = list(tree[1])
    random.Random(7).shuffle(keys)
    lines = ["not/there.JPEG", *[f"./{key}.JPEG" for key in keys], "nor/this.png"]
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    summary = packed(tree[0], "-o", tmp_path / "d", "--images", tmp_path / "list.txt")
    sound(tmp_path / "d")
    assert oracle.image_indexes(tmp_path / "d") == {key: i + 1 for i, key in enumerate(keys)}
    assert summary["images_without_map"] == ["not/there.JPEG", "nor/this.png"]
    oracle.compare_dataset(tmp_path / "d", tree[1])


def test_image_list_of_the_samples(sample_maps, tmp_path):
    listing = SAMPLES / "images.txt"
    packed(SAMPLES / "maps", "-o", tmp_path / "d", "--images", listing)
    lines = listing.read_text().splitlines()
    expected = {line.rsplit(".", 1)[0]: number for number, line in enumerate(lines)}
    assert oracle.image_indexes(tmp_path / "d") == {key: expected[key] for key in sample_maps}


@pytest.mark.parametrize("order", ["source", "shuffled:7", "shuffled", "shuffled:18446744073709551615"])
def test_row_order(tree, tmp_path, order):
    packed(tree[0], "-o", tmp_path / "d", "--row-order", order)
    keys = oracle.key_order(tree[1])
    name, _, seed = order.partition(":")
    expected = keys if name == "source" else oracle.shuffled(keys, int(seed or 0))
    assert oracle.row_keys(tmp_path / "d") == expected
    stated = order if name == "source" or seed else "shuffled:0"
    assert oracle.read_shards(tmp_path / "d")[0].attributes["row_order"] == stated
    oracle.compare_dataset(tmp_path / "d", tree[1])


def test_shards_are_cut_by_position(tree, tree_dataset, tmp_path):
    """An image left out leaves its own shard a row short and no other byte changed."""
    copy = tmp_path / "maps"
    shutil.copytree(tree[0], copy)
    bad = oracle.row_keys(tree_dataset)[9]
    path = copy / f"{bad}.pt"
    path.write_bytes(b"\0" * path.stat().st_size)
    packed(copy, "-o", tmp_path / "d", "--images-per-shard", 7, "--on-bad-input", "skip", code=3)
    sound(tmp_path / "d")
    before, after = oracle.folder_bytes(tree_dataset), oracle.folder_bytes(tmp_path / "d")
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"labels-00001.h5", "index.json"}
    assert [s["rows"] for s in oracle.read_index(tmp_path / "d")["shards"]] == [7, 6, 7, 4]
    left_out = oracle.read_index(tmp_path / "d")["left_out"]
    number = oracle.key_order(tree[1]).index(bad)
    assert [(e["key"], e["image_index"]) for e in left_out] == [(bad, number)]


def test_shard_of_left_out_images_is_not_there(tree, tree_dataset, tmp_path):
    copy = tmp_path / "maps"
    shutil.copytree(tree[0], copy)
    rows = oracle.row_keys(tree_dataset)
    for key in rows[7:14]:
        path = copy / f"{key}.pt"
        path.write_bytes(b"\0" * path.stat().st_size)
    packed(copy, "-o", tmp_path / "d", "--images-per-shard", 7, "--on-bad-input", "skip", code=3)
    sound(tmp_path / "d")
    names = [shard["path"] for shard in oracle.read_index(tmp_path / "d")["shards"]]
    assert names == ["labels-00000.h5", "labels-00002.h5", "labels-00003.h5"]
    assert oracle.row_keys(tmp_path / "d") == rows[:7] + rows[14:]


@pytest.mark.parametrize("error", [0.01, 0.03125, 0.001, 1 / 512, 0.25])
@pytest.mark.parametrize("encoding", ["fixed16", "fixed8"])
def test_max_error(tmp_path, encoding, error):
    step = 2.0 ** np.floor(np.log2(2 * error))
    offset = -32768 * step if encoding == "fixed16" else -8 * step
    top = min(40.0, offset + step * (65534 if encoding == "fixed16" else 254))
    labels = oracle.make_tree(tmp_path / "maps", "abc", np.random.default_rng(8), top=top)
    packed(tmp_path / "maps", "-o", tmp_path / "d", "--score-encoding", encoding, "--max-error", error)
    sound(tmp_path / "d")
    largest = oracle.compare_dataset(
        tmp_path / "d", labels, encoding=encoding, packing=(step, offset)
    )
    assert largest <= error
    assert oracle.read_shards(tmp_path / "d")[0].score_attributes["scale_factor"] == step


def test_max_error_that_can_not_be_kept(tmp_path):
    labels = {"a": oracle.probabilities(np.random.default_rng(9))}
    (tmp_path / "in").mkdir()
    arrays = {"class_index": labels["a"].ids, "score": labels["a"].scores}
    np.savez(tmp_path / "in/a.npz", **arrays)
    common = [tmp_path / "in", "-o", tmp_path / "d", "--score-kind", "probability", "--num-classes", 1000]
    for encoding, error in (("fixed16", 1e-6), ("fixed8", 1e-3)):
        result = pack(*common, "--score-encoding", encoding, "--max-error", error)
        assert result.returncode == 64 and "--max-error" in result.stderr, result.stderr
    result = pack(*common, "--score-encoding", "float16", "--max-error", 1e-9)
    assert result.returncode == 5, result.stderr
    assert not (tmp_path / "d" / "index.json").exists()


@pytest.mark.parametrize("classes", [65_535, 65_536, 70_000, 16_000_000])
def test_wide_class_ids(tmp_path, classes):
    rng = np.random.default_rng(10)
    tensor = oracle.random_tensor(rng, classes=classes)
    tensor[1, 0, 0, 0] = classes - 1
    oracle.save_pt(tensor, tmp_path / "maps/a.pt")
    packed(tmp_path / "maps", "-o", tmp_path / "d", "--num-classes", classes)
    sound(tmp_path / "d")
    shard = oracle.read_shards(tmp_path / "d")[0]
    assert shard.ids.dtype == ("<u2" if classes <= 65_535 else "<u4")
    assert shard.attributes["num_classes"] == classes
    oracle.compare_dataset(tmp_path / "d", {"a": oracle.from_tensor(tensor)})


@pytest.mark.parametrize("kind", ["probability", "log-probability"])
@pytest.mark.parametrize("encoding", oracle.ENCODINGS)
def test_score_kinds(tmp_path, kind, encoding):
    rng = np.random.default_rng(11)
    labels = {f"m{i}": oracle.probabilities(rng) for i in range(6)}
    if kind == "log-probability":
        labels = {k: oracle.Labels(v.ids, np.log(v.scores)) for k, v in labels.items()}
    arrays = {name: np.stack([getattr(v, f) for v in labels.values()])
              for name, f in (("class_index", "ids"), ("score", "scores"))}
    (tmp_path / "in").mkdir()
    np.savez(tmp_path / "in/a.npz", keys=np.array(list(labels)), **arrays)
    packed(tmp_path / "in", "-o", tmp_path / "d", "--score-kind", kind, "--num-classes", 1000,
           "--score-encoding", encoding)
    sound(tmp_path / "d")
    name = kind.replace("-", "_")
    oracle.compare_dataset(tmp_path / "d", labels, kind=name, encoding=encoding)
    shard = oracle.read_shards(tmp_path / "d")[0]
    assert (shard.attributes["score_kind"], shard.attributes["fill"]) == (name, "uniform")


@pytest.mark.parametrize("kind", ["probability", "log-probability"])
def test_one_class_that_takes_all(tmp_path, kind):
    """Probability 1 is exact in every encoding."""
    score = np.full((3, 4, 1), 1.0 if kind == "probability" else 0.0, np.float32)
    (tmp_path / "in").mkdir()
    np.savez(tmp_path / "in/a.npz", class_index=np.zeros((3, 4, 1), np.uint8), score=score)
    for encoding in oracle.ENCODINGS:
        packed(tmp_path / "in", "-o", tmp_path / encoding, "--score-kind", kind, "--num-classes", 10,
               "--score-encoding", encoding)
        sound(tmp_path / encoding)
        assert (oracle.read_dataset(tmp_path / encoding)["a"].scores == score).all()


def test_name(tree, tmp_path):
    packed(tree[0], "-o", tmp_path / "d", "--name", "val set-1", "--images-per-shard", 10)
    sound(tmp_path / "d")
    expected = [f"val set-1-0000{i}.h5" for i in range(3)]
    assert sorted(oracle.folder_bytes(tmp_path / "d")) == ["index.json", *expected]
    assert oracle.read_index(tmp_path / "d")["name"] == "val set-1"


@pytest.mark.parametrize("per_chunk", [1, 3, 25, 64])
@pytest.mark.parametrize("compression", ["none", "deflate:1", "deflate:9", "deflate:12"])
def test_chunks_and_compression(tree, tmp_path, per_chunk, compression):
    packed(tree[0], "-o", tmp_path / "d", "--images-per-chunk", per_chunk, "--compression", compression)
    sound(tmp_path / "d")
    oracle.compare_dataset(tmp_path / "d", tree[1])
    assert oracle.read_shards(tmp_path / "d")[0].chunk[0] == per_chunk


def test_classes_and_annotator_end_in_the_file(sample_dataset):
    """What the user documented is in the attributes of every shard."""
    annotator = json.loads((SAMPLES / "annotator.json").read_text())
    lines = (SAMPLES / "classes.tsv").read_text().splitlines()
    table = [{"id": line.split("\t")[0], "index": i, "name": line.split("\t")[1]}
             for i, line in enumerate(lines)]
    for shard in oracle.read_shards(sample_dataset):
        document = shard.metadata
        for name in ("source", "licence", "citation"):
            assert document.get(name) == annotator.get(name)
        inner = {k: v for k, v in annotator.items() if k not in ("source", "licence", "citation")}
        assert document["annotator"] == inner
        assert document["classes"]["table"] == table
        assert document["classes"]["count"] == len(lines) == shard.attributes["num_classes"]
        assert shard.attributes["orientation"] == "yx"
    index = oracle.read_index(sample_dataset)
    assert index["annotator"] == annotator["name"]
    assert index["classes_sha256"] == document["classes"]["sha256"]


def test_annotator_geometry_becomes_attributes(tree, tmp_path):
    document = {"name": "ä\"n/o", "temperature": 1.5, "map_extent": [0.0625, 0.125, 0.75, 0.5],
                "licence": "CC0-1.0", "mean": [0.1, 1e-7, 3], "deep": {"x": [None, True, {}]}}
    (tmp_path / "annotator.json").write_text(json.dumps(document, indent=2))
    packed(tree[0], "-o", tmp_path / "d", "--annotator", tmp_path / "annotator.json")
    sound(tmp_path / "d")
    shard = oracle.read_shards(tmp_path / "d")[0]
    assert shard.attributes["temperature"] == 1.5
    assert shard.attributes["map_extent"].tolist() == document["map_extent"]
    assert shard.metadata["licence"] == document.pop("licence")
    assert shard.metadata["annotator"] == document


def test_long_class_table_is_cut_into_pieces(tree, tmp_path):
    lines = [f"n{i:08d}\tnäme of class {i}, {'x' * (i % 90)} €" for i in range(4000)]
    (tmp_path / "classes.tsv").write_text("\n".join(lines) + "\n")
    packed(tree[0], "-o", tmp_path / "d", "--classes", tmp_path / "classes.tsv")
    sound(tmp_path / "d")
    shard = oracle.read_shards(tmp_path / "d")[0]
    sizes = [len(piece) for piece in shard.metadata_pieces]
    assert len(sizes) > 3 and set(sizes[:-1]) == {60_000}
    names = [row["name"] for row in shard.metadata["classes"]["table"]]
    assert names == [line.split("\t")[1] for line in lines]
    assert shard.attributes["num_classes"] == 4000


# What the tools print


def test_summary_members(tree, tmp_path):
    summary = packed(tree[0], "-o", tmp_path / "d", "--images-per-shard", 7)
    index = oracle.read_index(tmp_path / "d")
    written = sum(len(content) for content in oracle.folder_bytes(tmp_path / "d").values())
    assert summary["schema_version"] == "1.0" and summary["name"] == "labels"
    assert summary["build_id"] == index["build_id"]
    assert (summary["images"], summary["shards"], summary["kept_shards"]) == (25, 4, 0)
    assert summary["output_bytes"] == written
    assert summary["input_bytes"] == sum(p.stat().st_size for p in tree[0].rglob("*.pt"))
    assert summary["bytes_per_image"] == pytest.approx(written / 25)
    assert summary["largest_error"] == max(s["largest_error"] for s in index["shards"])
    assert summary["left_out"] == summary["ignored"] == summary["images_without_map"] == []


def test_text_summary_goes_to_standard_output_only(tree, tmp_path):
    result = pack(tree[0], "-o", tmp_path / "d")
    assert result.returncode == 0 and result.stderr == ""
    assert "25 images in 1 shard" in result.stdout


def test_info(tree_dataset, tree):
    for path in (tree_dataset, tree_dataset / "index.json"):
        result = tool("relabel", "info", path, "--format", "json")
        assert result.returncode == 0, result.stderr
        info = json.loads(result.stdout)
        assert (info["images"], info["shards"], info["left_out"]) == (25, 4, 0)
        assert (info["height"], info["width"], info["top_k"]) == (4, 4, 5)
        assert (info["score_kind"], info["score_encoding"]) == ("logit", "fixed16")
        index = oracle.read_index(tree_dataset)
        assert info["bytes"] == sum(shard["bytes"] for shard in index["shards"])
        assert sum(info["dataset_bytes"].values()) < info["bytes"]
        assert info["build_id"] == index["build_id"]
    result = tool("relabel", "info", tree_dataset / "labels-00003.h5", "--format", "json")
    assert json.loads(result.stdout)["images"] == 4
    assert tool("relabel", "info", tree_dataset).returncode == 0


def test_show_gives_every_id_and_score(tree, tree_dataset):
    found = oracle.read_dataset(tree_dataset)
    indexes = oracle.image_indexes(tree_dataset)
    for key in found:
        result = tool("relabel", "show", tree_dataset, "--key", key, "--format", "json")
        assert result.returncode == 0, result.stderr
        shown = json.loads(result.stdout)
        assert shown["key"] == key and shown["image_index"] == indexes[key]
        assert (np.array(shown["class_index"]) == found[key].ids).all()
        assert (np.array(shown["score"]).astype(np.float32) == found[key].scores).all()


def test_show_of_a_missing_key(tree_dataset):
    result = tool("relabel", "show", tree_dataset, "--key", "n000/absent")
    assert result.returncode == 66 and len(result.stderr.splitlines()) == 1
    assert "n000/absent" in result.stderr


def test_show_agrees_with_the_h5py_sample(sample_shard, sample_maps):
    script = SAMPLES / "read_with_h5py.py"
    for key in list(sample_maps)[:4]:
        shown = tool("relabel", "show", sample_shard, "--key", key, "--format", "json")
        command = [sys.executable, script, sample_shard, key]
        read = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert shown.returncode == 0 and read.returncode == 0, shown.stderr + read.stderr
        shown, read = json.loads(shown.stdout), json.loads(read.stdout)
        for name in ("key", "image_index", "class_index", "score"):
            assert shown[name] == read[name]


# Exit codes


def test_every_exit_code(tree, tree_dataset, tmp_path):
    """0, 3, 4, 5, 64 and 74, one case each."""
    good = tmp_path / "good"
    shutil.copytree(tree[0] / "n000", good)
    assert pack(good, "-o", tmp_path / "0").returncode == 0
    broken = tmp_path / "broken"
    shutil.copytree(good, broken)
    (broken / "bad.pt").write_bytes(b"PK\3\4 and no more")
    assert pack(broken, "-o", tmp_path / "3", "--on-bad-input", "skip").returncode == 3
    assert pack(broken, "-o", tmp_path / "5").returncode == 5
    with tarfile.open(tmp_path / "unsafe.tar", "w") as tar:
        tar.add(next(good.glob("*.pt")), arcname="../escape.pt")
    assert pack(tmp_path / "unsafe.tar", "-o", tmp_path / "4").returncode == 4
    assert pack(good, "-o", tmp_path / "0").returncode == 64
    assert pack(good, "-o", "/dev/null/folder").returncode == 74


def test_relabel_pack_is_relabel_pack(tree, tree_dataset, tmp_path):
    result = tool("relabel", "pack", tree[0], "-o", tmp_path / "d", "--images-per-shard", 7)
    assert result.returncode == 0, result.stderr
    same(tmp_path / "d", tree_dataset)


def test_overwrite(tree, tree_dataset, tmp_path):
    packed(tree[0], "-o", tmp_path / "d", "--images-per-shard", 3, "--cell-order", "class")
    result = pack(tree[0], "-o", tmp_path / "d", "--images-per-shard", 7)
    assert result.returncode == 64 and "index.json" in result.stderr
    packed(tree[0], "-o", tmp_path / "d", "--images-per-shard", 7, "--overwrite")
    same(tmp_path / "d", tree_dataset)
