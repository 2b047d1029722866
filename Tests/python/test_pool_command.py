"""relabel pool: the target of one crop, as text and as JSON, and what it refuses."""

import json

import oracle
import pytest
from conftest import SAMPLES, pack, tool
from pooling_reference import dense_target
from shard_writer import write_shard

KEY = "n01443537/n01443537_00069"
BOX = "0.1,0.1,0.4,0.4"


def pool(path, *options, key=KEY, box=BOX):
    return tool("relabel", "pool", path, "--key", key, f"--box={box}", *options)


def pooled(path, *options, **how):
    result = pool(path, *options, "--format", "json", **how)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("box", ["0.1,0.1,0.4,0.4", "0,0,1,1", "0.25, 0.5, 0.75, 0.5", "0.9,0.9,0.01,0.02"])
@pytest.mark.parametrize("profile", ["relabel", "relabel-2021"])
@pytest.mark.parametrize("place", ["", "labels-00000.h5", "index.json"])
def test_target(sample_dataset, box, profile, place):
    """The most probable classes with their names, and the rest, are those of a dense reference."""
    path = sample_dataset / place if place else sample_dataset
    found = pooled(path, "--profile", profile, "--top", 7, box=box)
    sides = [float(side) for side in box.split(",")]
    labels = oracle.read_dataset(sample_dataset)[KEY]
    target = dense_target(labels, sides, profile == "relabel-2021")
    assert (found["key"], found["box"], found["profile"]) == (KEY, sides, profile)
    assert [entry["probability"] for entry in found["top"]] == pytest.approx(
        [target[entry["class_index"]] for entry in found["top"]], abs=1e-6
    )
    assert found["top"][0]["class_index"] == target.argmax()
    assert found["rest"] == pytest.approx(target.min(), abs=1e-6)
    names = [line.split("\t")[1] for line in (SAMPLES / "classes.tsv").read_text().splitlines()]
    assert [entry["name"] for entry in found["top"]] == [names[e["class_index"]] for e in found["top"]]


def test_text(sample_dataset):
    result = pool(sample_dataset, "--top", 2)
    lines = result.stdout.splitlines()
    assert lines[0] == f"{KEY}, box 0.1, 0.1, 0.4, 0.4, profile relabel:"
    assert lines[1].split()[:3] == ["56.7", "%", "1"] and "goldfish" in lines[1]
    assert len(lines) == 4 and lines[3].startswith("  each of 960 classes not pooled: 0.000399")


def test_clamped_box(tmp_path):
    """A map that covers the middle of its picture: boxes that leave it are refused, or cut and told."""
    annotator = json.loads((SAMPLES / "annotator.json").read_text()) | {"map_extent": [0, 0.25, 1, 0.5]}
    (tmp_path / "annotator.json").write_text(json.dumps(annotator))
    dataset = tmp_path / "dataset"
    packed = pack(
        SAMPLES / "maps", "-o", dataset, "--orientation", "yx", "--annotator", tmp_path / "annotator.json"
    )
    assert packed.returncode == 0, packed.stderr
    refused = pool(dataset, box="0,0,1,0.5")
    assert refused.returncode == 64 and "leaves what the map covers" in refused.stderr
    clamped = pooled(dataset, "--outside", "clamp", box="0,0,1,0.5")
    inside = pooled(dataset, box="0,0.25,1,0.25")
    assert clamped["covered"] == 0.5 and clamped["top"] == inside["top"] and inside["covered"] == 1
    assert "covers 50.0 % of the box" in pool(dataset, "--outside", "clamp", box="0,0,1,0.5").stdout
    assert pool(dataset, "--outside", "clamp", box="0,0,1,0.25").returncode == 64


@pytest.mark.parametrize(
    "box, reason",
    [
        ("0,0,1,1.5", "width is 1.5"), ("nan,0,1,1", "top is nan"), ("0,0,0,1", "empty"), ("0,-0.5,1,1", "left is -0.5"),
        ("0.5,0,0.6,1", "beyond the lower edge"), ("0,0,1", "box"), ("a,b,c,d", "box"),
    ],
)
def test_bad_boxes(sample_dataset, box, reason):
    result = pool(sample_dataset, box=box)
    assert result.returncode == 64 and reason in result.stderr and not result.stdout


def test_unknown_key(sample_dataset):
    result = pool(sample_dataset, key="nobody")
    assert result.returncode == 66 and "'nobody'" in result.stderr and str(sample_dataset) in result.stderr


def test_unknown_orientation(tmp_path):
    """Nothing is guessed: the profile must be named."""
    assert pack(SAMPLES / "maps", "-o", tmp_path / "dataset").returncode == 0
    result = pool(tmp_path / "dataset")
    assert result.returncode == 64 and "relabel-2021" in result.stderr and not result.stdout
    box = "0,0.4,0.3,0.6"
    targets = [
        pooled(tmp_path / "dataset", "--profile", name, box=box)["top"] for name in ("relabel", "relabel-2021")
    ]
    assert targets[0] != targets[1]


def test_newer_version(tmp_path):
    path = tmp_path / "newer.h5"
    write_shard(path, attributes={"format_version": "2.0"})
    result = pool(path)
    assert result.returncode == 6 and "2.0" in result.stderr and str(path) in result.stderr
