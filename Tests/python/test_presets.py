"""relabel-pack --preset, and what it says that storing does to targets."""

import json
import math

import h5py
import numpy as np
import oracle
import pytest
from conftest import SAMPLES, pack, verify
from pooling_reference import dense_target

MASK = 2**64 - 1
CROPS = 4


def packed(folder, *arguments, inputs=SAMPLES / "maps"):
    result = pack(inputs, "--output", folder, *arguments, "--format", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


class Fractions:
    """SplitMix64 as numbers below 1."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = ((self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53


def crop(random):
    """A crop as RandomResizedCrop draws it from a square picture."""
    while True:
        area, ratio = 0.08 + 0.92 * random.next(), math.exp(math.log(4 / 3) * (2 * random.next() - 1))
        height, width = math.sqrt(area / ratio), math.sqrt(area * ratio)
        if max(height, width) <= 1:
            return random.next() * (1 - height), random.next() * (1 - width), height, width


def changes(folder, given):
    """For every crop of every image: the largest change of a probability, and if the top class is another."""
    stored, found = oracle.read_dataset(folder), []
    for place, key in enumerate(oracle.key_order(given)):
        random = Fractions(place)
        for _ in range(CROPS):
            box = crop(random)
            before, after = dense_target(given[key], box), dense_target(stored[key], box)
            found.append((np.abs(before - after).max(), before.argmax() != after.argmax()))
    return found


@pytest.mark.parametrize("options", [[], ["--preset", "small"], ["--score-encoding", "fixed8"]], ids=str)
def test_the_packer_says_what_storing_does_to_targets(tmp_path, options):
    summary = packed(tmp_path / "dataset", *options)
    given = oracle.read_pt_tree(SAMPLES / "maps")
    expected = changes(tmp_path / "dataset", given)
    effect = summary["targets"]
    assert (effect["images"], effect["crops"]) == (len(given), len(expected))
    assert effect["largest_change"] == pytest.approx(max(c for c, _ in expected), abs=2e-7)
    assert effect["mean_change"] == pytest.approx(np.mean([c for c, _ in expected]), abs=2e-7)
    assert effect["top_class_changes"] == sum(other for _, other in expected)


def test_small_is_small_and_sound(tmp_path):
    usual, small = packed(tmp_path / "usual"), packed(tmp_path / "small", "--preset", "small")
    assert small["bytes_per_image"] < 0.8 * usual["bytes_per_image"]
    assert usual["largest_error"] == 1 / 512 and 1 / 512 < small["largest_error"] <= 1 / 64
    assert small["targets"]["largest_change"] < 0.003
    code, report = verify(tmp_path / "small")
    assert code == 0 and report["verdict"] == "sound"
    options = oracle.read_index(tmp_path / "small")["options"]
    assert {name: options[name] for name in ("cell_order", "images_per_chunk", "compression", "max_error")} == {
        "cell_order": "class", "images_per_chunk": 16, "compression": "deflate:12", "max_error": 1 / 64,
    }
    largest = oracle.compare_dataset(
        tmp_path / "small", oracle.read_pt_tree(SAMPLES / "maps"), cell_order="class", packing=(1 / 32, -1024)
    )
    assert largest == small["largest_error"]


@pytest.mark.parametrize(
    "option, value, name, recorded",
    [("--cell-order", "score", "cell_order", "score"), ("--images-per-chunk", "2", "images_per_chunk", 2),
     ("--compression", "deflate:1", "compression", "deflate:1"), ("--max-error", "0.125", "max_error", 0.125)],
)
def test_an_option_goes_before_the_preset(tmp_path, option, value, name, recorded):
    packed(tmp_path / "dataset", "--preset", "small", option, value)
    assert oracle.read_index(tmp_path / "dataset")["options"][name] == recorded


@pytest.mark.parametrize(
    "options, images",
    [((), 4), (("--compression", "none"), 1), (("--compression", "none", "--images-per-chunk", 4), 4),
     (("--compression", "none", "--preset", "small"), 16)],
)
def test_a_chunk_that_is_not_compressed_has_one_image(tmp_path, options, images):
    packed(tmp_path / "dataset", *options)
    assert oracle.read_index(tmp_path / "dataset")["options"]["images_per_chunk"] == images
    with h5py.File(tmp_path / "dataset" / "labels-00000.h5") as shard:
        assert shard["class_index"].chunks[0] == shard["score"].chunks[0] == images
    assert verify(tmp_path / "dataset")[1]["verdict"] == "sound"


@pytest.mark.parametrize(
    "options, ids, others", [((), 4, 5), (("--compression", "deflate:7"), 7, 7), (("--compression", "deflate:2,6"), 2, 6)]
)
def test_class_ids_may_have_a_level_of_their_own(tmp_path, options, ids, others):
    packed(tmp_path / "dataset", *options)
    with h5py.File(tmp_path / "dataset" / "labels-00000.h5") as shard:
        assert {name: dataset.compression_opts for name, dataset in shard.items()} == {
            "class_index": ids, "score": others, "image_index": others, "image_key": others,
        }


def test_a_run_that_keeps_its_shards_says_the_same(tmp_path):
    first = packed(tmp_path / "dataset", "--images-per-shard", 4)
    (tmp_path / "dataset" / "index.json").unlink()
    again = packed(tmp_path / "dataset", "--images-per-shard", 4)
    assert again["kept_shards"] > 0 and again["targets"] == first["targets"]


def test_probabilities(tmp_path):
    ids, scores = oracle.probabilities(np.random.default_rng(3))
    np.savez(tmp_path / "maps.npz", class_index=ids[None], score=scores[None])
    how = ("--num-classes", 1000, "--score-kind", "probability", "--preset", "small")
    summary = packed(tmp_path / "dataset", *how, inputs=tmp_path / "maps.npz")
    assert 0 < summary["largest_error"] <= 8 / 65536
    assert summary["targets"]["crops"] == CROPS


def test_no_targets_of_very_many_classes(tmp_path):
    ids, scores = oracle.probabilities(np.random.default_rng(3))
    np.savez(tmp_path / "maps.npz", class_index=ids[None], score=scores[None])
    how = ("--num-classes", 100_001, "--score-kind", "probability")
    assert packed(tmp_path / "dataset", *how, inputs=tmp_path / "maps.npz")["targets"] is None


def test_the_summary_for_people(tmp_path):
    result = pack(SAMPLES / "maps", "--output", tmp_path / "dataset", "--preset", "small")
    line = next(line for line in result.stdout.splitlines() if line.startswith("  targets"))
    assert "within 0.00" in line and "another top class in 0 of 72 random crops" in line
