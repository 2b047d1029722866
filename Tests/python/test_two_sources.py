"""Two sources that speak of one thing are compared when maps are packed, and what was assumed is said."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import time

import h5py
import numpy as np
import pytest
import torch
from conftest import BIN, SAMPLES, pack, tool, verify
from PIL import Image
from running import packed

CLASSES = [f"n{number:08d}" for number in range(20)]


@pytest.fixture
def class_list(tmp_path):
    path = tmp_path / "classes.tsv"
    path.write_text("".join(f"{name}\tclass {name}\n" for name in CLASSES))
    return path


def dense(classes=20, side=5, seed=0, best=None):
    """Centred logits [C, side, side]; `best` is the best class of every cell."""
    scores = np.random.default_rng(seed).normal(0, 1, (classes, side, side)).astype(np.float32)
    if best is not None:
        scores[best] = 9
    return scores - scores.mean(0)


def folder_of_dense(root, count=60, shift=0, **options):
    """Maps whose best class is that of their folder, or the one `shift` after it."""
    for number in range(count):
        label = number % 20
        path = root / CLASSES[label] / f"p{number}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, dense(seed=number, best=(label + shift) % 20, **options))
    return root


# Class counts


@pytest.mark.parametrize("classes", [7, 19, 21, 1001])
def test_a_class_list_is_compared_with_the_arrays(classes, class_list, tmp_path):
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "a.npy", dense(classes))
    result = pack(tmp_path / "maps", "-o", tmp_path / "out", "--classes", class_list, "--score-kind", "logit")
    assert result.returncode == 5
    assert f"the map scores {classes} classes, not the 20 given" in result.stderr


@pytest.mark.parametrize(
    "dtype, classes, held",
    [("uint8", 257, 256), ("int8", 129, 128), ("int16", 32_769, 32_768), ("float16", 2049, 2048)],
)
def test_ids_in_a_type_that_cannot_hold_them(dtype, classes, held, tmp_path):
    ids = np.arange(4, dtype=dtype).reshape(1, 1, 1, 4)
    np.savez(tmp_path / "a.npz", class_index=ids, score=np.arange(4, 0, -1, np.float32).reshape(1, 1, 1, 4))
    options = (tmp_path / "a.npz", "--score-kind", "logit", "-o")
    result = pack(*options, tmp_path / "out", "--num-classes", classes)
    assert result.returncode == 5 and f"those of {held} classes exactly" in result.stderr
    packed(*options, tmp_path / "fits", "--num-classes", held)


# Source labels


def test_labels_come_from_folders_that_are_classes(class_list, tmp_path):
    maps = folder_of_dense(tmp_path / "maps")
    summary = packed(maps, "-o", tmp_path / "out", "--classes", class_list, "--score-kind", "logit")
    assert summary["source_labels"] == {"images": 60, "agree": 60}
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as file:
        for key, label in zip(file["image_key"][:], file["source_label"][:], strict=True):
            assert CLASSES[label] == key.decode().split("/")[0]
    code, report = verify(tmp_path / "out")
    assert code == 0 and "V018" not in {finding["rule"] for finding in report["findings"]}


@pytest.mark.parametrize("labels", ["from-folders", "none", None])
def test_a_wrong_class_order_is_seen(labels, class_list, tmp_path):
    """By the verifier also where the labels are not stored: the folders tell."""
    maps = folder_of_dense(tmp_path / "maps", shift=1)
    choice = [] if labels is None else ["--labels", labels]
    options = (maps, "-o", tmp_path / "out", "--classes", class_list, "--score-kind", "logit", *choice)
    result = pack(*options)
    assert result.returncode == 0
    assert ("in 0 of 60 images: classes or pictures must be mixed up" in result.stdout) == (labels != "none")
    code, report = verify(tmp_path / "out", "--fail-on", "warning")
    assert code == 1 and "V018" in {finding["rule"] for finding in report["findings"]}
    text = tool("relabel-verify", tmp_path / "out").stdout
    assert "the class of the source is the best one of a cell in 0 of 60 images" in text


@pytest.mark.parametrize("line", ["{path}.JPEG\t{number}", "{path}\t{name}", "./{path}.png,{number}", "{path}.jpg {name}"])
def test_labels_from_a_list(line, tmp_path, class_list):
    maps = folder_of_dense(tmp_path / "maps", 20)
    text = "".join(
        line.format(path=f"{name}/p{number}", number=number, name=name) + "\r\n" for number, name in enumerate(CLASSES)
    )
    (tmp_path / "labels.tsv").write_text(text)
    packed(maps, "-o", tmp_path / "out", "--classes", class_list, "--score-kind", "logit",
           "--labels", tmp_path / "labels.tsv")  # fmt: skip
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as file:
        assert sorted(file["source_label"][:]) == list(range(20))


@pytest.mark.parametrize(
    "lines, code, words",
    [
        (["n00000000/p0 20"], 64, ["line 1", "'20' is neither an id of the class list nor a number below 20"]),
        (["n00000000/p0 x"], 64, ["line 1", "'x'"]),
        (["n00000000/p0"], 64, ["line 1", "not PATH<TAB>CLASS"]),
        (["n00000000/p0 1", "n00000000/p0.jpg 2"], 64, ["n00000000/p0", "line 2"]),
        (["n00000000/p0 0"], 5, ["n00000001/p1", "no line in the label list"]),
    ],
)
def test_lists_that_are_wrong(lines, code, words, class_list, tmp_path):
    maps = folder_of_dense(tmp_path / "maps", 2)
    (tmp_path / "labels").write_text("\n".join(lines))
    result = pack(maps, "-o", tmp_path / "out", "--classes", class_list, "--score-kind", "logit",
                  "--labels", tmp_path / "labels")  # fmt: skip
    assert result.returncode == code
    assert all(word in result.stderr for word in words), result.stderr


# Pictures


def test_sizes_and_digests_of_pictures(tmp_path):
    pictures = tmp_path / "pictures" / "n01"
    (tmp_path / "maps" / "n01").mkdir(parents=True)
    pictures.mkdir(parents=True)
    for name, size in {"a": (30, 20), "b": (7, 9)}.items():
        np.save(tmp_path / "maps" / "n01" / f"{name}.npy", dense())
        Image.new("RGB", size).save(pictures / f"{name}.png")
    packed(tmp_path / "maps", "-o", tmp_path / "out", "--score-kind", "logit", "--pictures", tmp_path / "pictures")
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as file:
        rows = {key.decode(): row for row, key in enumerate(file["image_key"][:])}
        for name, size in {"a": (20, 30), "b": (9, 7)}.items():
            row = rows[f"n01/{name}"]
            assert tuple(file["image_size"][row]) == size
            digest = hashlib.sha256((pictures / f"{name}.png").read_bytes()).digest()
            assert file["image_sha256"][row].tobytes() == digest
    assert tool("relabel-verify", tmp_path / "out", "--images", tmp_path / "pictures").returncode == 0
    Image.new("RGB", (30, 21)).save(pictures / "a.png")
    code, report = verify(tmp_path / "out", "--images", tmp_path / "pictures")
    assert code == 1 and {"I003", "I004"} <= {finding["rule"] for finding in report["findings"]}


def test_an_image_without_its_picture_is_named(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "pictures").mkdir()
    np.save(tmp_path / "maps" / "a.npy", dense())
    result = pack(tmp_path / "maps", "-o", tmp_path / "out", "--score-kind", "logit", "--pictures", tmp_path / "pictures")
    assert result.returncode == 5 and "'a': the image has no picture of its name" in result.stderr


# What the scores look like


def test_the_cut_to_k_is_measured_against_all_classes(tmp_path):
    """As a dense reference has it: the mean over the crop's cells, then softmax over all classes."""
    folder_of_dense(tmp_path / "maps", 40)
    summary = packed(tmp_path / "maps", "-o", tmp_path / "out", "--score-kind", "logit")
    cut = summary["cut"]
    assert cut["images"] in range(12, 17) and cut["crops"] == 4 * cut["images"] and cut["top_class_changes"] == 0
    # Over the whole picture, of the same maps.
    distances = []
    for path in sorted((tmp_path / "maps").rglob("*.npy")):
        scores = np.load(path).astype(np.float64)
        kept = np.where(scores >= np.sort(scores, 0)[-5], scores, 0)
        targets = [np.exp(s.mean((1, 2))) / np.exp(s.mean((1, 2))).sum() for s in (scores, kept)]
        distances.append(np.abs(targets[0] - targets[1]).sum() / 2)
    assert abs(cut["mean_distance"] - np.mean(distances)) < 0.3 * np.mean(distances)


@pytest.mark.parametrize("name", ["logits", "a batch in an archive"])
def test_a_harmful_cut_is_no_secret(name, tmp_path):
    """Flat logits: what is not kept outweighs what is."""
    maps = np.stack([dense(1000, 4, seed) for seed in range(12)])
    if name == "logits":
        np.save(tmp_path / "a.npy", maps)
    else:
        np.savez(tmp_path / "a.npz", logits=maps)
    source = next(tmp_path.glob("a.np*"))
    summary = packed(source, "-o", tmp_path / "out", "--score-kind", "logit")
    assert summary["cut"]["crops"] >= 24 and summary["cut"]["top_class_changes"] > 0
    text = pack(source, "-o", tmp_path / "again", "--score-kind", "logit").stdout
    assert "keeping 5 classes of a cell: another top class in" in text


def sparse(scores, ids=None):
    """[2, k, H, W] as the released code saves it."""
    if ids is None:
        ids = np.broadcast_to(np.arange(scores.shape[0])[:, None, None], scores.shape)
    return torch.from_numpy(np.stack([scores, ids]).astype(np.float32))


RANDOM = np.random.default_rng(3)
LOOKS = {
    "sigmoid": (lambda: np.sort(RANDOM.uniform(0, 1, (5, 4, 4)), 0)[::-1], "from 0 to 1, as after softmax or sigmoid"),
    "softmax": (lambda: np.sort(RANDOM.dirichlet([1] * 6, (4, 4)).T[:5], 0)[::-1], "from 0 to 1, as after softmax"),
    "log-softmax": (
        lambda: np.log(np.sort(RANDOM.dirichlet([1] * 6, (4, 4)).T[:5], 0)[::-1]), "as with logarithms of probabilities"
    ),
    "a sigmoid classifier's logits": (
        lambda: np.sort(RANDOM.normal(-2, 1.5, (5, 4, 4)), 0)[::-1], "lie below 0, the logit of classes that are not stored"
    ),
    "logits 30 too high": (lambda: np.sort(RANDOM.normal(40, 3, (5, 4, 4)), 0)[::-1], "probably not centred"),
    "logits": (lambda: np.sort(RANDOM.uniform(0.1, 20, (5, 4, 4)), 0)[::-1], None),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_scores_of_another_kind_are_named_at_packing(name, tmp_path):
    make, words = LOOKS[name]
    (tmp_path / "maps").mkdir()
    for number in range(12):
        torch.save(sparse(make()), tmp_path / "maps" / f"{number}.pt")
    result = pack(tmp_path / "maps", "-o", tmp_path / "out")
    assert result.returncode == 0
    assert ("  doubt " in result.stdout) == (words is not None)
    assert words is None or words in result.stdout
    rules = {finding["rule"] for finding in verify(tmp_path / "out")[1]["findings"]}
    assert ("V017" in rules) == (name in ("sigmoid", "softmax", "log-softmax"))
    assert ("V023" in rules) == (name in ("a sigmoid classifier's logits", "logits 30 too high"))


def test_dense_logits_that_are_not_centred(tmp_path):
    np.save(tmp_path / "a.npy", np.stack([dense(seed=seed) + 7 for seed in range(12)]))
    summary = packed(tmp_path / "a.npy", "-o", tmp_path / "out", "--score-kind", "logit")
    assert any("the mean of all logits is 7.0" in doubt and "--centre" in doubt for doubt in summary["doubts"])
    summary = packed(tmp_path / "a.npy", "-o", tmp_path / "centred", "--score-kind", "logit", "--centre")
    assert summary["doubts"] == []


def test_a_target_that_gives_absent_classes_most(tmp_path):
    """Two classes take turns: each is 1 where it leads and −4 where it does not, so below 0 on average."""
    (tmp_path / "maps").mkdir()
    turns = np.indices((4, 4)).sum(0) % 2
    scores = np.broadcast_to(np.array([1.0, -4.0])[:, None, None], (2, 4, 4))
    for number in range(12):
        torch.save(sparse(scores, np.stack([turns, 1 - turns]) + 2 * number), tmp_path / "maps" / f"{number}.pt")
    summary = packed(tmp_path / "maps", "-o", tmp_path / "out")
    crops, outranked = summary["targets"]["crops"], summary["targets"]["outranked"]
    assert crops // 2 < outranked <= crops
    assert [doubt for doubt in summary["doubts"] if f"in {outranked} of {crops} random crops" in doubt]


def test_what_was_assumed_is_printed_and_stored(tmp_path):
    shutil.copytree(SAMPLES / "maps", tmp_path / "maps")
    summary = packed(tmp_path / "maps", "-o", tmp_path / "out")
    assumed = {item["name"]: item["value"] for item in summary["assumed"]}
    assert assumed == {
        "dialect": "ReLabel tensor", "score_kind": "logit", "num_classes": "1000", "orientation": "unknown", "top_k": "5"
    }  # fmt: skip
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert index["options"]["assumed"] == assumed
    text = pack(tmp_path / "maps", "-o", tmp_path / "again", "--num-classes", 1000, "--score-kind", "logit",
                "--orientation", "yx", "--top-k", 5).stdout  # fmt: skip
    assert "  assumed   dialect ReLabel tensor (by the files' names)\n" in text


# A changed input


def finished(tmp_path, *options):
    """Maps, and a dataset of several shards whose index a killed run has not written."""
    maps = folder_of_dense(tmp_path / "maps", 40)
    packed(maps, "-o", tmp_path / "out", "--score-kind", "logit", "--images-per-shard", 10, *options)
    (tmp_path / "out" / "index.json").unlink()
    return maps


def test_a_resumed_run_keeps_what_has_not_changed(tmp_path):
    maps = finished(tmp_path)
    summary = packed(maps, "-o", tmp_path / "out", "--score-kind", "logit", "--images-per-shard", 10)
    assert (summary["kept_shards"], summary["remade_shards"]) == (4, 0)


def test_a_resumed_run_never_mixes_old_and_new(tmp_path):
    """The annotator ran again meanwhile: same names, same sizes, other scores."""
    maps = finished(tmp_path)
    changed = sorted(maps.rglob("*.npy"))[17]
    np.save(changed, np.load(changed) + np.linspace(0, 1, 20, dtype=np.float32)[:, None, None])
    summary = packed(maps, "-o", tmp_path / "out", "--score-kind", "logit", "--images-per-shard", 10)
    assert (summary["kept_shards"], summary["remade_shards"]) == (3, 1)
    packed(maps, "-o", tmp_path / "fresh", "--score-kind", "logit", "--images-per-shard", 10)
    for path in sorted((tmp_path / "fresh").iterdir()):
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()


def test_a_shard_that_goes_away_while_packing_is_noticed(tmp_path):
    """The pipe lets the test act while the packer waits for more maps."""
    maps = folder_of_dense(tmp_path / "maps", 600)
    paths = sorted(maps.rglob("*.npy"))
    run = subprocess.Popen(
        [BIN / "relabel-pack", "-", "-o", tmp_path / "out", "--score-kind", "logit", "--images-per-shard", "10"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    first = tmp_path / "out" / "labels-00000.h5"
    with tarfile.open(fileobj=run.stdin, mode="w|") as tar:
        for path in paths[:-5]:
            tar.add(path, path.relative_to(maps))
        run.stdin.flush()
        for _ in range(600):
            if first.exists():
                break
            time.sleep(0.05)
        first.unlink()
        for path in paths[-5:]:
            tar.add(path, path.relative_to(maps))
    run.stdin.close()
    error = run.stderr.read().decode()
    assert run.wait() == 74 and "labels-00000.h5" in error
    assert not (tmp_path / "out" / "index.json").exists()


def test_keys_with_a_folder_too_many(tmp_path):
    """As in a tar of a folder: the finding names the way to the keys that the pictures have."""
    for name in ("a", "b"):
        (tmp_path / "maps" / "top5" / "n01").mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / "n01").mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "maps" / "top5" / "n01" / f"{name}.npy", dense())
        Image.new("RGB", (9, 9)).save(tmp_path / "pictures" / "n01" / f"{name}.png")
    packed(tmp_path / "maps", "-o", tmp_path / "out", "--score-kind", "logit")
    result = tool("relabel-verify", tmp_path / "out", "--images", tmp_path / "pictures")
    assert result.returncode == 1
    assert "one has the key 'n01/a': pack with --strip-components 1" in result.stdout
    packed(tmp_path / "maps", "-o", tmp_path / "mended", "--score-kind", "logit", "--strip-components", 1)
    assert tool("relabel-verify", tmp_path / "mended", "--images", tmp_path / "pictures").returncode == 0
