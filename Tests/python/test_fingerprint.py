"""The fingerprint of label maps: the same for every copy, another one for other labels or meanings."""

import hashlib
import shutil

import numpy as np
import pytest
from conftest import SAMPLES, pack
from pooling_reference import opened_by_numpy
from shard_writer import Shard, two_shards, write_dataset, write_shard
from train_data import IMAGES, KEYS, random_crop, random_shard

import relabel_hdf5
from relabel_hdf5 import CorruptError, UsageError
from relabel_hdf5.train import EpochSampler, RelabelFolder, RelabelStream

OTHERS = {
    "scores": {"scores": np.full((5, 3, 4, 3), 2, np.float32)},
    "ids": {"seed": 9},
    "keys": {"keys": [f"other/{number}" for number in range(5)]},
    "image indexes": {"first_index": 7},
    "score kind": {"score_kind": "probability"},
    "cell order": {"cell_order": "class"},
    "class table": {"document": {"annotator": None, "classes": None, "licence": "CC0-1.0"}},
    "orientation": {"attributes": {"orientation": "xy"}},
    "temperature": {"attributes": {"temperature": np.float64(2)}},
    "fill": {"score_kind": "log_probability", "attributes": {"fill": "zero"}},
    "extent": {"attributes": {"map_extent": np.array([0, 0, 0.5, 1], "<f4")}},
    "number of classes": {"num_classes": 11},
    "step": {"encoding": "fixed8"},
}


@pytest.fixture(params=["the engine that is found", "NumPy"])
def fingerprint(request):
    """From a path to its fingerprint, by each engine."""
    opened = relabel_hdf5.open if request.param != "NumPy" else opened_by_numpy

    def asked(path):
        with opened(path) as maps:
            return maps.fingerprint

    return asked


def test_copies_and_moved_datasets_have_the_same(fingerprint, tmp_path):
    folder = write_dataset(tmp_path / "a", *two_shards())
    first = fingerprint(folder)
    assert fingerprint(shutil.copytree(folder, tmp_path / "b")) == first == fingerprint(folder / "index.json")
    assert fingerprint(folder.rename(tmp_path / "c")) == first


def test_it_is_what_the_text_says(fingerprint, tmp_path):
    folder = write_dataset(tmp_path / "a", *two_shards())
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.h5"))]
    assert fingerprint(folder) == hashlib.sha256("\n".join(digests).encode()).hexdigest()


def test_a_lone_shard_is_as_a_dataset_of_it_alone(fingerprint, tmp_path):
    folder = write_dataset(tmp_path / "a", Shard(largest_error=0.001953125))
    lone = shutil.copy(folder / "labels-00000.h5", tmp_path / "lone.h5")
    assert fingerprint(lone) == fingerprint(folder)


def test_any_label_and_meaning_changes_it(fingerprint, tmp_path):
    found = {"as it is": fingerprint(write_shard(tmp_path / "0.h5"))}
    for number, (name, changes) in enumerate(OTHERS.items(), 1):
        found[name] = fingerprint(write_shard(tmp_path / f"{number}.h5", **changes))
    assert len(set(found.values())) == len(OTHERS) + 1, found


def test_order_and_number_of_shards_change_it(fingerprint, tmp_path):
    one, other = two_shards()
    found = [
        fingerprint(write_dataset(tmp_path / name, *shards))
        for name, shards in (("a", [one, other]), ("b", [other, one]), ("c", [one]))
    ]
    assert len(set(found)) == 3


def test_packed_anew_it_is_the_same(fingerprint, sample_dataset, tmp_path):
    again = tmp_path / "again"
    options = "--classes", SAMPLES / "classes.tsv", "--annotator", SAMPLES / "annotator.json", "--orientation", "yx"
    assert pack(SAMPLES / "maps", "--output", again, *options).returncode == 0
    assert fingerprint(again) == fingerprint(sample_dataset)


@pytest.mark.parametrize("opened", [relabel_hdf5.open, opened_by_numpy])
def test_what_was_replaced_is_refused(opened, tmp_path):
    folder = write_dataset(tmp_path / "a", *two_shards())
    lone = write_shard(tmp_path / "lone.h5")
    with opened(folder) as maps, opened(lone) as shard:
        shutil.copy(write_dataset(tmp_path / "b", *two_shards(step=0.01, offset=0.0)) / "index.json", folder / "index.json")
        shutil.copy(write_shard(tmp_path / "other.h5", rows=9), lone)
        for replaced in (maps, shard):
            with pytest.raises(CorruptError, match="replaced"):
                replaced.fingerprint


def test_states_carry_it_and_other_labels_are_refused(tmp_path):
    """Shards of the same build, keys and places, whose labels alone differ."""
    def folder(name, **changes):
        return RelabelFolder(IMAGES, random_shard(tmp_path / name, **changes), random_crop())

    ours, theirs = folder("a.h5"), folder("b.h5", seed=2)
    shutil.copy(tmp_path / "a.h5", tmp_path / "copy.h5")
    copy = RelabelFolder(IMAGES, tmp_path / "copy.h5", random_crop())
    for walk in (EpochSampler, lambda items: RelabelStream(items, batch_size=4)):
        state = walk(ours).state_dict(3)
        assert state["fingerprint"] == ours.maps.fingerprint
        walk(copy).load_state_dict(state)
        one, other = ours.maps.fingerprint, theirs.maps.fingerprint
        with pytest.raises(UsageError, match=f"taken with those of the fingerprint {one}, and these have {other}. Open"):
            walk(theirs).load_state_dict(state)
    assert EpochSampler(ours.maps).state_dict(0)["fingerprint"] == ours.maps.fingerprint
    assert len(ours) == len(KEYS)
