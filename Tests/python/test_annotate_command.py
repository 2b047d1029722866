"""`relabel-annotate` as a user runs it, on pictures and networks that it has not seen."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import torch
from conftest import BIN, ROOT, SAMPLES, verify
from PIL import Image

import relabel_hdf5
from relabel_hdf5 import Writer
from relabel_hdf5.annotate import Annotator, annotate, list_pictures
from relabel_hdf5.annotate.pictures import load_picture

NETWORKS = ROOT / "Tests" / "python" / "fixtures" / "networks.py"
KILLS = int(os.environ.get("RELABEL_KILLS", "2"))
LITE = f"{SAMPLES / 'annotator.py'}:efficientnet_lite0"


def run(*arguments, **options):
    environment = {**os.environ, "RELABEL_BIN": str(BIN), "OMP_NUM_THREADS": "1", **options.pop("env", {})}
    command = [sys.executable, "-m", "relabel_hdf5.annotate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, **options)


def network(name, *arguments):
    return ["--model", f"{NETWORKS}:{name}", "--workers", "0", "--check", "2", *arguments]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Forty small pictures in four folders."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for place in range(40):
        path = folder / f"n{place // 10:08}" / f"im{place:02}.png"
        path.parent.mkdir(exist_ok=True)
        size = (int(generator.integers(20, 90)), int(generator.integers(20, 90)), 3)
        Image.fromarray(generator.integers(0, 256, size, dtype=np.uint8)).save(path)
    return folder


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    path = tmp_path_factory.mktemp("classes") / "classes.tsv"
    path.write_text("".join(f"n{number:08}\tthing {number}\n" for number in range(7)))
    return path


def shards(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.h5"))}


@pytest.fixture(scope="module")
def undisturbed(pictures, classes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "labels"
    found = run(*network("small"), "--images", pictures, "--output", folder, "--classes", classes,
                "--images-per-shard", 8, "--batch-size", 3)  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert verify(folder)[0] == 0
    return folder


def test_samples_are_annotated_as_they_were(tmp_path):
    """The bundled maps were made by other code: ids and scores agree, and the folder's class says so."""
    found = run("--model", LITE, "--dilate", "1", "--images", SAMPLES / "images", "--classes", SAMPLES / "classes.tsv",
                "--output", tmp_path / "labels", "--check", 2, "--workers", 0)  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "the mean of the cells is the network's answer" in found.stderr
    assert "orientation yx proven" in found.stderr
    assert "best one of a cell in 17 of 18 images" in found.stdout
    with relabel_hdf5.open(tmp_path / "labels") as maps:
        stored = {key: maps[key].class_index for key in maps.keys()}
        assert maps.header.annotator["weights_sha256"] and maps.header.orientation == "yx"
    annotator = Annotator(LITE, dilations=1)
    listing = list_pictures(SAMPLES / "images")
    same = total = 0
    for place in range(len(listing)):
        pixels = load_picture(listing, place, annotator.preprocessing).pixels[None]
        scores, ids = annotator.maps(pixels)[0].topk(5, dim=0)
        theirs = torch.load(SAMPLES / "maps" / f"{listing.key(place)}.pt", weights_only=True)
        agree = ids == theirs[1].long()
        same, total = same + int(agree.sum()), total + ids.numel()
        assert float((scores - theirs[0]).abs()[agree].max()) <= 1e-3
        # Scores that are stored as equal come in the order of their ids.
        kept = np.sort(stored[listing.key(place)], axis=-1) == np.sort(ids.movedim(0, -1).numpy(), axis=-1)
        assert kept.mean() >= 0.995
    assert same / total >= 0.995


def test_what_is_stored(undisturbed, pictures):
    """Everything that a label's meaning depends on, read with h5py."""
    with h5py.File(undisturbed / "labels-00000.h5") as file:
        assert file["source_label"][:].tolist() == [0] * 8
        with Image.open(pictures / "n00000000" / "im00.png") as picture:
            assert file["image_size"][0].tolist() == [picture.height, picture.width]
        digest = hashlib.sha256((pictures / "n00000000" / "im00.png").read_bytes()).digest()
        assert bytes(file["image_sha256"][0]) == digest
        assert np.isfinite(file["log_normalizer"][:]).all() and "map_extent" not in file
    with relabel_hdf5.open(undisturbed) as maps:
        annotator = maps.header.annotator
        assert [annotator[name] for name in ("input_size", "resize", "mean")] == [[64, 64], "squash", [0.5, 0.4, 0.3]]
        assert annotator["checks"]["relation_to_answer"]["is_mean"] is True
        assert annotator["checks"]["orientation"]["ratio"] > 1.25
        assert set(annotator["checks"]["fidelity"]["divergence"]) >= {"localised", "global", "transposed"}
        assert [maps.image_index(place) for place in range(40)] == list(range(40))


def test_api_gives_what_the_command_gives(undisturbed, pictures, tmp_path):
    annotator = Annotator(f"{NETWORKS}:small")
    with Writer(tmp_path / "labels", num_classes=7, score_kind="logit", centre=True, on_bad_input="skip") as writer:
        found = annotate(pictures, annotator, writer, batch_size=3, workers=0)
    assert found.images == 40 and not found.left_out
    with relabel_hdf5.open(tmp_path / "labels") as ours, relabel_hdf5.open(undisturbed) as theirs:
        for one, other in zip(ours, theirs):
            assert np.array_equal(one.class_index, other.class_index) and np.array_equal(one.score, other.score)


def test_killed_runs_go_on_to_the_same_bytes(undisturbed, pictures, classes, tmp_path):
    """Killed at random batches, again and again: nothing looks finished before it is."""
    labels = tmp_path / "labels"
    command = [sys.executable, "-m", "relabel_hdf5.annotate", *network("small"), "--images", pictures, "--output", labels,
               "--classes", classes, "--images-per-shard", "8", "--batch-size", "3"]  # fmt: skip
    most = 0
    for kill in range(KILLS):
        kept = len(list(labels.glob("labels-*.h5")))
        left = 13 - kept * 8 // 3  # batches of three; the last picture is alone
        batch = random.randint(1, left) if kill % 2 else left
        stopped = tmp_path / f"stopped-{kill}"
        environment = {**os.environ, "RELABEL_BIN": str(BIN), "OMP_NUM_THREADS": "1"}
        environment["RELABEL_TEST_STOP"] = f"{batch},{stopped}"
        process = subprocess.Popen(
            list(map(str, command)), env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        while process.poll() is None and not stopped.exists():
            time.sleep(0.01)
        time.sleep(random.random())  # the packer is somewhere between two shards
        process.kill()
        process.wait()
        time.sleep(1)  # it sees the end of its pipe, and ends
        assert stopped.exists() and not (labels / "index.json").exists()
        most = max(most, len(list(labels.glob("labels-*.h5"))))
        if kill % 3 == 2 and kill < KILLS - 1:
            shutil.rmtree(labels)
    assert most
    found = run(*command[3:])
    assert found.returncode == 0, found.stderr
    assert shards(labels) == shards(undisturbed)


def test_an_earlier_run_with_another_network_is_not_gone_on_with(undisturbed, pictures, classes, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "labels")
    (tmp_path / "labels" / "index.json").unlink()
    found = run(*network("hidden"), "--images", pictures, "--output", tmp_path / "labels", "--classes", classes,
                "--images-per-shard", 8)  # fmt: skip
    assert found.returncode == 64 and "begun otherwise" in found.stderr and "weights_sha256" in found.stderr
    complete = run(*network("small"), "--images", pictures, "--output", undisturbed, "--classes", classes)
    assert complete.returncode == 64 and "finished dataset" in complete.stderr


def test_two_ranks_and_their_join_are_one_run(undisturbed, pictures, classes, tmp_path):
    common = ["--images", pictures, "--output", tmp_path / "labels", "--classes", classes, "--images-per-shard", 8,
              "--batch-size", 3]  # fmt: skip
    early = run("--images", pictures, "--output", tmp_path / "labels", "--join", 2)
    assert early.returncode == 64 and "not complete" in early.stderr
    for rank in (0, 1):  # as torchrun says it
        found = run(*network("small"), *common, env={"RANK": str(rank), "WORLD_SIZE": "2"})
        assert found.returncode == 0, found.stderr
    joined = run("--images", pictures, "--output", tmp_path / "labels", "--join", 2)
    assert joined.returncode == 0, joined.stderr
    assert verify(tmp_path / "labels")[0] == 0
    with relabel_hdf5.open(tmp_path / "labels") as ours, relabel_hdf5.open(undisturbed) as theirs:
        assert list(ours.keys()) == list(theirs.keys()) and list(ours.image_indexes()) == list(theirs.image_indexes())
        for one, other in zip(ours, theirs):
            assert np.array_equal(one.class_index, other.class_index) and np.array_equal(one.score, other.score)
    for name in ("source_label", "image_size", "image_sha256", "log_normalizer"):
        one, other = (np.concatenate([h5py.File(path)[name][:] for path in sorted(folder.glob("*.h5"))])
                      for folder in (tmp_path / "labels", undisturbed))  # fmt: skip
        assert np.array_equal(one, other), name


def test_pictures_that_can_not_be_read_are_left_out_by_name(pictures, classes, tmp_path):
    shutil.copytree(pictures, tmp_path / "pictures")
    broken = [tmp_path / "pictures" / name for name in ("n00000000/im00.png", "n00000002/im25.png")]
    for path in broken:
        path.write_bytes(path.read_bytes()[:200])
    options = ["--images", tmp_path / "pictures", "--output", tmp_path / "labels", "--classes", classes]
    refused = run(*network("small"), *options, "--on-bad-input", "fail")
    assert refused.returncode == 5 and "n00000000/im00" in refused.stderr
    assert not (tmp_path / "labels" / "index.json").exists()
    found = run(*network("small"), *options)
    assert found.returncode == 3, found.stderr
    index = json.loads((tmp_path / "labels" / "index.json").read_text())
    assert [(entry["key"], entry["image_index"]) for entry in index["left_out"]] == [
        ("n00000000/im00", 0), ("n00000002/im25", 25),
    ]  # fmt: skip
    assert "left out: n00000000/im00: " in found.stdout and index["count"] == 38
    assert verify(tmp_path / "labels")[0] == 0


def test_a_resumed_run_names_again_what_an_earlier_one_left_out(pictures, classes, tmp_path):
    """Nothing tells of it but the pictures: an unfinished dataset has no index."""
    shutil.copytree(pictures, tmp_path / "pictures")
    (tmp_path / "pictures" / "n00000000" / "im01.png").write_bytes(b"broken")
    options = ["--images", tmp_path / "pictures", "--output", tmp_path / "labels", "--classes", classes,
               "--images-per-shard", 8, "--batch-size", 3]  # fmt: skip
    assert run(*network("small"), *options).returncode == 3
    before = shards(tmp_path / "labels"), (tmp_path / "labels" / "index.json").read_bytes()
    (tmp_path / "labels" / "index.json").unlink()
    for kept in (4, 2):  # all full shards, then two of them
        for path in sorted((tmp_path / "labels").glob("*.h5"))[kept:]:
            path.unlink()
        found = run(*network("small"), *options)
        assert found.returncode == 3, found.stderr
        assert f"{8 * kept} pictures were done before" in found.stderr
        assert (shards(tmp_path / "labels"), (tmp_path / "labels" / "index.json").read_bytes()) == before
        (tmp_path / "labels" / "index.json").unlink()


def test_other_pictures_are_not_gone_on_with_nor_joined(undisturbed, pictures, classes, tmp_path):
    shutil.copytree(pictures, tmp_path / "pictures")
    shutil.copytree(undisturbed, tmp_path / "labels")
    (tmp_path / "labels" / "index.json").unlink()
    options = ["--images", tmp_path / "pictures", "--classes", classes, "--images-per-shard", 8, "--batch-size", 3]
    for rank in (0, 1):
        assert run(*network("small"), *options, "--output", tmp_path / "o", "--rank", rank, "--ranks", 2).returncode == 0
    Image.new("RGB", (9, 9)).save(tmp_path / "pictures" / "n00000000" / "im00b.png")
    found = run(*network("small"), *options, "--output", tmp_path / "labels")
    assert found.returncode == 64 and "begun otherwise here (listing)" in found.stderr, found.stderr
    joined = run("--images", tmp_path / "pictures", "--output", tmp_path / "o", "--join", 2)
    assert joined.returncode == 64 and "some were added or removed" in joined.stderr, joined.stderr
    many = run(*network("small"), *options, "--output", tmp_path / "m", "--rank", 0, "--ranks", 15)
    assert many.returncode == 64 and "14 batches for 15 ranks" in many.stderr, many.stderr


def test_a_run_killed_before_its_index_has_nothing_more_to_annotate(undisturbed, pictures, classes, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "labels")
    (tmp_path / "labels" / "index.json").unlink()
    found = run(*network("small"), "--images", pictures, "--output", tmp_path / "labels", "--classes", classes,
                "--images-per-shard", 8, "--batch-size", 3)  # fmt: skip
    assert found.returncode == 0 and "0 pictures in" in found.stdout, found.stderr
    assert shards(tmp_path / "labels") == shards(undisturbed)


def test_crop_stores_an_extent_for_each_picture(pictures, tmp_path):
    found = run(*network("small", "--resize", "crop"), "--images", pictures, "--output", tmp_path / "labels")
    assert found.returncode == 0, found.stderr
    with h5py.File(tmp_path / "labels" / "labels-00000.h5") as file:
        sizes, extents = file["image_size"][:].astype(float), file["map_extent"][:]
    shorter = sizes.min(1)
    np.testing.assert_allclose(extents[:, 2] * sizes[:, 0], shorter, rtol=1e-5)
    np.testing.assert_allclose(extents[:, 3] * sizes[:, 1], shorter, rtol=1e-5)


WRONG = {
    "one class more": ([], "one_more", 64, "one for background in front"),
    "transposed": ([], "transposing", 64, "fit best transposed"),
    "no places": ([], "forgetful", 64, "localised|hardly better"),
    "batch statistics": ([], "batch_statistics", 64, "no running statistics"),
    "no preprocessing": ([], "unconfigured", 64, "give --mean, --std, --input-size"),
    "half precision overflows": (["--precision", "float16"], "overflowing", 5, "too narrow"),
    "one cell": (["--input-size", "16"], "small", 64, "1×1 cells"),
    "no such function": ([], "missing", 64, "gives no network"),
    "weights of another network": (["--weights", "other"], "small", 64, "not this network's"),
    "no such weights": (["--weights", "/nowhere.pth"], "small", 64, "can't be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_set_ups_are_refused(name, pictures, classes, tmp_path):
    options, function, status, reason = WRONG[name]
    if "other" in options:
        torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
        options = ["--weights", tmp_path / "other.pth"]
    found = run(*network(function, *options), "--images", pictures, "--output", tmp_path / "labels", "--classes", classes)
    assert found.returncode == status, found.stderr
    assert re.search(reason, found.stderr), found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "labels" / "index.json").exists()


def test_weights_that_would_run_code_are_refused(pictures, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "proof"),)

    torch.save({"weight": Evil()}, tmp_path / "evil.pth")
    found = run(*network("small", "--weights", tmp_path / "evil.pth"), "--images", pictures, "--output", tmp_path / "o")
    assert found.returncode == 64 and not (tmp_path / "proof").exists()


def test_dry_run_and_tune_write_nothing(pictures, tmp_path):
    dry = run(*network("small", "--dry-run"), "--images", pictures, "--output", tmp_path / "labels")
    assert dry.returncode == 0 and "40 pictures take the network" in dry.stderr, dry.stderr
    tuned = run(*network("small", "--tune"), "--images", pictures, "--output", tmp_path / "labels")
    assert tuned.returncode == 0 and "nearest: --input-size" in tuned.stderr, tuned.stderr
    assert not (tmp_path / "labels").exists()


def test_help_names_every_exit_code_and_errors_can_be_json(pictures, tmp_path):
    shown = run("--help").stdout.partition("Exit codes:")[2]
    assert set(re.findall(r"\d+", shown)) == {"0", "3", "4", "5", "64", "70", "74", "130"}
    for option, value in (("--batch-size", "0"), ("--workers", "-1"), ("--dilate", "x"), ("--input-size", "1x2x3")):
        assert run(option, value, "--output", "o").returncode == 64
    found = run("--model", "resnet", "--images", pictures, "--output", tmp_path / "o", "--format", "json")
    assert found.returncode == 64 and json.loads(found.stdout)["status"] == 64


def test_help_needs_no_pytorch():
    program = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "timm"):
            raise ImportError(f"No module named {name!r}")
sys.meta_path.insert(0, Without())
from relabel_hdf5.annotate.command import main
if sys.argv[1:] == ["--help"]:
    main(["--help"])
sys.exit(main(["--model", "timm:x", "--images", ".", "--output", "o"]))
"""
    shown = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True)
    assert shown.returncode == 0 and "Exit codes" in shown.stdout, shown.stderr
    missing = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert missing.returncode == 64 and missing.stderr.endswith("pip install 'relabel-hdf5[annotate]'\n"), missing.stderr


# What absent classes count as


def annotated(name, pictures, folder, *options):
    found = run(*network(name), "--images", pictures, "--output", folder, "--top-k", 3, *options)
    assert found.returncode == 0, found.stderr
    with relabel_hdf5.open(folder) as maps:
        order = np.argsort([maps.key(place) for place in range(len(maps))])
        batch = maps.batch(order)
        return batch.class_index, batch.score, maps.header.annotator, found.stderr


@pytest.mark.parametrize("name", ["lowered", "log_softmax"])
def test_a_shift_of_a_cell_s_logits_changes_no_label(name, pictures, tmp_path):
    """The same network with other logits of the same softmax."""
    ids, scores, document, _ = annotated("small", pictures, tmp_path / "plain")
    others = annotated(name, pictures, tmp_path / name)
    np.testing.assert_array_equal(others[0], ids)
    np.testing.assert_allclose(others[1], scores, atol=1 / 128)
    assert document["logits"] == "less the mean of the classes that their cell leaves out"
    assert others[2]["checks"]["zero"]["are_logarithms"] == (name == "log_softmax")


def test_logits_as_they_are_given(pictures, tmp_path):
    ids, scores, document, said = annotated("lowered", pictures, tmp_path / "given", "--logits", "as-given")
    assert scores.max() < 0 and document["logits"] == "as the network gives them"
    assert "0 does not fit them: use --logits centred" in said
    rules = {finding["rule"] for finding in verify(tmp_path / "given")[1]["findings"]}
    assert rules & {"V017", "V023"}
    again = run(*network("lowered"), "--images", pictures, "--output", tmp_path / "given", "--top-k", 3, "--dry-run")
    assert again.returncode == 64 and "logits" in again.stderr


@pytest.mark.parametrize("name, layer", [("softmax", "a softmax"), ("sigmoid", "a sigmoid")])
def test_probabilities_are_no_logits(name, layer, pictures, tmp_path):
    found = run(*network(name), "--images", pictures, "--output", tmp_path / "out")
    assert found.returncode == 64 and f"as behind {layer}: labels are its logits" in found.stderr
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())
