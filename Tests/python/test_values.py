"""What the maps of a shard look like as a whole, against NumPy; near misses of the warnings."""

import numpy as np
import oracle
import pytest
from conftest import SAMPLES, error_rules, verify
from fixtures_values import QUIET, coherent, given, labelled, planes, random_maps
from rule_fixtures import with_column
from shard_writer import ENCODINGS, SCORE_KINDS, Shard, in_cell_order, write_dataset, write_shard


def warnings(report):
    return sorted({f["rule"] for f in report["findings"] if f["severity"] == "warning"})


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in QUIET])
def test_near_misses_are_quiet(make, tmp_path):
    code, report = verify(make(tmp_path))
    assert (code, warnings(report)) == (0, []), report["findings"]


def test_sample_maps_are_quiet(sample_dataset):
    assert warnings(verify(sample_dataset)[1]) == []


# -------------------------------------------------------------------------------------- statistics


def statistics(path, *options):
    """The figures of one file."""
    _, report = verify(path, *options)
    (file,) = [file for file in report["files"] if str(file["path"]) == str(path)]
    return file["statistics"]


def expected(shard):
    """The figures of a shard, by NumPy."""
    ids, scores = shard.labels()[0], shard.decoded().astype(np.float64)
    best = np.take_along_axis(ids, scores.argmax(-1)[..., None], -1)
    counts = np.bincount(best.ravel(), minlength=shard.num_classes)
    means = scores.mean((1, 2, 3))
    return {
        "images": shard.rows,
        "score_mean": pytest.approx(means.mean(), rel=1e-6, abs=1e-9),
        "score_std": pytest.approx(means.std(ddof=1), rel=1e-5, abs=1e-9),
        "classes_seen": len(np.unique(ids)),
        "most_frequent_class": {
            "class": int(counts.argmax()), "share": pytest.approx(counts.max() / counts.sum())},
        "source_label_agreement": None,
    }


@pytest.mark.parametrize("cell_order", ["score", "class"])
@pytest.mark.parametrize("score_kind", SCORE_KINDS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_figures_of_a_shard(encoding, score_kind, cell_order, tmp_path):
    shard = Shard(
        rows=23, height=5, width=3, num_classes=50, images_per_chunk=3, encoding=encoding,
        score_kind=score_kind, cell_order=cell_order)
    path = shard.write(tmp_path / "a.h5")
    for jobs in (1, 3):
        assert statistics(path, "--jobs", jobs) == expected(shard)


@pytest.mark.parametrize("classes, k", [(70_000, 3), (70_000, 20), (300, 20), (1_100_000, 2)])
def test_figures_of_many_classes_and_ranks(classes, k, tmp_path):
    shard = Shard(rows=9, num_classes=classes, k=k, images_per_chunk=2)
    path = shard.write(tmp_path / "a.h5")
    figures = expected(shard)
    if classes > 2**20:  # too many to count
        figures |= {"classes_seen": None, "most_frequent_class": None}
    assert statistics(path) == figures


def test_agreement_with_source_labels(tmp_path):
    path = write_shard(tmp_path / "a.h5", **labelled(40, 17, known=31))
    assert statistics(path)["source_label_agreement"] == {"images": 31, "agree": 17}


def test_an_empty_shard_has_no_figures(tmp_path):
    figures = statistics(write_shard(tmp_path / "a.h5", rows=0))
    assert figures == {name: 0 if name in ("images", "classes_seen") else None for name in figures}


# ---------------------------------------------------------------------------- wrong cells, one by one


@pytest.mark.parametrize("k, classes", [(3, 10), (16, 40), (17, 40), (40, 70_000)])
@pytest.mark.parametrize("distance", [1, 2, 15])
def test_a_repeated_class_is_found_at_any_distance(k, classes, distance, tmp_path):
    shard = Shard(k=k, num_classes=classes)
    ids, stored = (array.copy() for array in shard.labels())
    distance = min(distance, k - 1)
    ids[4, 2, 3, k - 1] = ids[4, 2, 3, k - 1 - distance]
    path = write_shard(tmp_path / "a.h5", k=k, num_classes=classes, ids=ids, stored=stored)
    _, report = verify(path)
    (finding,) = [f for f in report["findings"] if f["severity"] == "error"]
    assert (finding["rule"], finding["row"], finding["cell"], finding["count"]) == ("V002", 4, [2, 3], 1)


def test_ids_alike_in_their_low_bits_are_distinct(tmp_path):
    ids, scores = random_maps(3, classes=50, k=20)
    ids[..., 7] = ids[..., 3] + 65_536
    path = write_shard(tmp_path / "a.h5", **given(ids, scores, num_classes=70_000))
    assert verify(path)[0] == 0
    assert statistics(path)["images"] == 3


@pytest.mark.parametrize("encoding", ["fixed16", "float16", "float32"])
def test_exact_softmax_sums_are_sound(encoding, tmp_path):
    """Log probabilities of all classes sum to 1 but for rounding."""
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 3, (30, 4, 4, 8))
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    ids = np.broadcast_to(np.arange(8), logs.shape)
    changes = given(ids, logs, encoding=encoding, score_kind="log_probability", num_classes=8)
    path = write_shard(tmp_path / "a.h5", document={"annotator": None, "classes": None}, **changes)
    assert verify(path)[0] == 0
    assert statistics(path)["images"] == 30


def test_exchanged_planes_are_named_beside_the_errors(tmp_path):
    """Real maps of 1,000 classes with their planes exchanged: the ids are far out of range."""
    maps = list(oracle.read_pt_tree(SAMPLES / "maps").values())
    ids = np.stack([labels.ids for labels in maps])
    stored = np.rint((np.stack([labels.scores for labels in maps]) + 128) * 256)
    ids, stored = in_cell_order(ids.astype("<u2"), stored.astype("<u2"), "score")
    size = dict(zip(("rows", "height", "width", "k"), ids.shape), num_classes=1000)
    assert warnings(verify(write_shard(tmp_path / "a.h5", ids=ids, stored=stored, **size))[1]) == []
    code, report = verify(write_shard(tmp_path / "b.h5", ids=stored, stored=ids, **size))
    assert code == 1 and "V001" in error_rules(report) and warnings(report) == ["V016"]


def test_parts_of_a_shard_say_nothing_of_the_whole(tmp_path):
    """A damaged chunk: what is left is not judged."""
    ids, stored = coherent()
    changes = planes(stored, ids)
    path = write_shard(tmp_path / "a.h5", **changes)
    assert warnings(verify(path)[1]) == ["V016"]

    def spoil(number, data):
        return data[:-1] + bytes([data[-1] ^ 1]) if number == 2 else data

    path = write_shard(tmp_path / "b.h5", **changes, **with_column("score", stored=spoil))
    _, report = verify(path)
    assert error_rules(report) == ["C008"] and warnings(report) == []


def test_repeats_are_found_across_shards(tmp_path):
    """Two images of one map in each of two shards: only together are they many."""
    parts = []
    for number in range(2):
        ids, scores = random_maps(6, seed=number)
        first = random_maps(6)
        ids[[1, 4]], scores[[1, 4]] = first[0][0], first[1][0]
        parts.append(Shard(**given(ids, scores), first_index=6 * number, largest_error=0.001953125))
    folder = write_dataset(tmp_path / "dataset", *parts)
    _, report = verify(folder)
    (finding,) = [f for f in report["findings"] if f["rule"] == "V013"]
    assert (finding["row"], finding["count"], finding["file"]) == (1, 4, str(folder / "labels-00000.h5"))
