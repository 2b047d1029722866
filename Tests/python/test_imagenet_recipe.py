"""Every command of samples/imagenet/README.md runs on the samples, and its scripts mean what they say."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import BIN, ROOT, SAMPLES

FOLDER = SAMPLES / "imagenet"
PAGE = (FOLDER / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
SETTINGS, CHECK, ANNOTATE, PACK, TRAIN, EVALUATE, TIMM = range(len(BLOCKS))
TIMM_TRAIN = os.environ.get("RELABEL_TIMM_TRAIN", ROOT / "Tests" / "python" / "fixtures" / "timm_train.py")
IDS = [line.split("\t")[0] for line in (SAMPLES / "classes.tsv").read_text().splitlines()]


def settings(folder, **others):
    """The settings of the page's first block, for eighteen pictures and two processors."""
    lite = "--model samples/annotator.py:efficientnet_lite0 --dilate 1 --check 2 --batch-size 4"
    return {
        "IMAGENET": folder / "imagenet", "REAL": folder / "real.json", "V2": folder / "v2", "RELEASED": "samples/maps",
        "TIMM_TRAIN": TIMM_TRAIN, "WORK": folder / "work", "ANNOTATOR": lite, "STUDENT": "--model test_resnet",
        "RECIPE": "--cutmix --mixed", "DEVICE": "cpu", "GPUS": 2, "WORKERS": 1, "EPOCHS": 6, "WARMUP": 1, "BATCH": 8,
        "SIZE": 64, **others,
    }  # fmt: skip


def bash(script, folder, **others):
    """A shell in the repository's root, with the settings and the tools of a user."""
    # Beside a CPU build of torch, torchvision needs a word before it is imported.
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "sitecustomize.py").write_text("import torchvision_import\n")
    python = [folder / "site", ROOT / "tools" / "checking", *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ, **{name: str(value) for name, value in settings(folder, **others).items()},
        "PATH": f"{BIN}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}", "RELABEL_BIN": str(BIN),
        "PYTHONPATH": os.pathsep.join(map(str, python)), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "",
        "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    return subprocess.Popen(
        ["bash", "-euc", script], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def said(block, folder, **others):
    process = bash(BLOCKS[block], folder, **others)
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 0, text
    return text


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The samples as ImageNet comes: training pictures, validation pictures, ReaL, V2."""
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "imagenet").mkdir()
    (folder / "imagenet" / "train").symlink_to(SAMPLES / "images")
    real = []
    # Numbered in an order that is not that of the folders.
    for number, path in enumerate(sorted(SAMPLES.glob("images/*/*"), key=lambda path: path.name[::-1]), 1):
        klass = sorted(IDS).index(path.parent.name)
        real.append([] if number % 5 == 0 else [klass, (klass + 1) % 1000])
        for copy in (
            folder / "imagenet" / "val" / path.parent.name / f"ILSVRC2012_val_{number:08}.JPEG",
            folder / "v2" / str(klass) / path.name,
        ):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    (folder / "real.json").write_text(json.dumps(real))
    return folder


@pytest.fixture(scope="module")
def labels(place):
    return said(CHECK, place) + said(ANNOTATE, place)


@pytest.fixture(scope="module")
def trained(place, labels):
    return said(TRAIN, place)


def test_settings(tmp_path):
    """The tests set what the page sets, and nothing else."""
    code = re.sub(r"#.*", "", BLOCKS[SETTINGS])
    assert re.findall(r"^([A-Z]\w*)=|(?<=[\w=] )([A-Z]\w*)=", code, re.M)
    assert set(re.findall(r"\b([A-Z][A-Z0-9_]*)=", code)) == set(settings(tmp_path))


def test_annotates(place, labels):
    assert "orientation yx proven" in labels
    assert "sound: 1 shard, 18 images checked" in labels


def test_packs(place):
    assert "sound: 1 shard, 18 images checked" in said(PACK, place)


def test_trains_and_evaluates(place, trained):
    """The figures of the last epoch are those of the checkpoint."""
    assert len(re.findall(r"^epoch \d of 6, step 2 of 2: loss \d", trained, re.M)) == 6
    text = said(EVALUATE, place)
    val, real, v2 = text.splitlines()[-3:]
    assert val.endswith("of 18 pictures") and val == re.findall(r"^val: .*", trained, re.M)[-1]
    assert real.startswith("ReaL: ") and real.endswith("of 15 pictures; 3 without a label are skipped")
    assert v2.startswith("V2 (v2): ") and v2.endswith("of 18 pictures")
    assert json.loads((place / "work" / "results.json").read_text())["ReaL"]["pictures"] == 15


@pytest.mark.long
def test_goes_on(place, trained):
    """A run that was stopped ends with the weights of one that never was; other options are refused."""
    import torch

    work = place / "stopped"
    work.mkdir()
    (work / "labels").symlink_to(place / "work" / "labels")
    process = bash(f"exec {BLOCKS[TRAIN]}", place, WORK=work)
    while not (line := process.stdout.readline()).startswith("val: "):
        assert line, "it ended before the first epoch did"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert re.search(r"last.pt: [1-5] of 6 epochs are done", said(TRAIN, place, WORK=work))
    one, two = (torch.load(folder / "run" / "last.pt", weights_only=True) for folder in (work, place / "work"))
    assert one["model"].keys() == two["model"].keys()
    assert all(torch.equal(one["model"][name], two["model"][name]) for name in one["model"])
    refused = bash(BLOCKS[TRAIN], place, WORK=work, SIZE=32, GPUS=1)
    text, _ = refused.communicate(timeout=120)
    assert refused.returncode != 0 and "begun with size = 64" in text


@pytest.mark.long
def test_trains_with_timms_script(place, labels):
    text = said(TIMM, place, GPUS=1, EPOCHS=1)  # timm's script gives DDP a device, which fails on CPUs
    assert "18 training pictures have targets of 1,000 classes" in text
    assert "of 18 pictures" in text.splitlines()[-1]


@pytest.fixture(scope="module")
def evaluate():
    sys.path.append(str(FOLDER))
    import torchvision_import  # noqa: F401

    return __import__("evaluate")


def test_numbers_are_classes(evaluate, tmp_path):
    """V2's folder 10 is class 10, although 10 comes before 2; so it is where outputs have an order of their own."""
    for number in (0, 2, 10, 999):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / f"{number}.jpeg").touch()
    for ids in (IDS, IDS[::-1]):
        paths, answers = evaluate.pictures_of(tmp_path, ids)
        assert [{ids[output] for output in right} for right in answers] == [{IDS[int(path.stem)]} for path in paths]
    (tmp_path / "1000").mkdir()
    (tmp_path / "1000" / "x.jpeg").touch()
    with pytest.raises(SystemExit, match="a number below 1000"):
        evaluate.pictures_of(tmp_path, IDS)


def test_real_is_joined_by_name(evaluate, place):
    """ReaL's first labels are those of picture 1, in whatever folder it lies."""
    paths, _ = evaluate.pictures_of(place / "imagenet" / "val", IDS)
    answers = evaluate.real_answers(place / "real.json", paths, IDS)
    assert all(not right or IDS.index(path.parent.name) in right for path, right in zip(paths, answers))
    with pytest.raises(SystemExit, match="labels for 18 pictures, and there are 17"):
        evaluate.real_answers(place / "real.json", paths[1:], IDS)


def test_hits(evaluate):
    import torch

    best = torch.tensor([[3, 1, 2, 4, 5], [3, 1, 2, 4, 5], [3, 1, 2, 4, 5]])
    assert evaluate.hits(best, [{3, 9}, {5}, set()]).tolist() == [2, 1, 2]
    assert evaluate.described("x", evaluate.hits(best, [{3}, {5}, set()]), 3) == (
        "x: top-1 50.00%, top-5 100.00% of 2 pictures; 1 without a label are skipped"
    )


def test_products_are_right():
    """What the page computes from figures, and the figures that stand elsewhere."""
    found = re.findall(r"([\d.]+) (×|/|//) ([\d.]+) = (\d+)", PAGE)
    assert len(found) == 6
    for left, sign, right, result in found:
        value = eval(f"{left} {sign.replace('×', '*')} {right}")
        assert round(value) == int(result), (left, sign, right)
    assert "2,683 bytes an image" in (ROOT / "README.md").read_text() and "× 2683 =" in PAGE


def test_the_script_is_short():
    assert len((FOLDER / "train.py").read_text().splitlines()) < 150
