"""Maps that are sound one by one and suspicious as a whole: rules V011 to V018, V023 and M011."""

import numpy as np
from registry import Fixtures
from rule_fixtures import with_column
from shard_writer import Shard, encode, in_cell_order, two_shards, write_dataset, write_shard

FIXTURES = Fixtures()
add, breaks, sound = FIXTURES.add, FIXTURES.breaks, FIXTURES.sound

QUIET = []  # (name, function): near misses, which must give no warning


def quiet(name):
    def register(function):
        QUIET.append((name, function))
        return sound(name)(function)

    return register


def add_quiet(name, **changes):
    quiet(name)(lambda folder: write_shard(folder / "a.h5", **changes))


def given(ids, scores, **changes):
    """A shard of these ids and scores, brought into cell order."""
    rows, height, width, k = np.shape(ids)
    changes = {"rows": rows, "height": height, "width": width, "k": k} | changes
    shard = Shard(**changes)
    stored = encode(scores, shard.encoding, *shard.packing)
    kind = "<u2" if shard.num_classes <= 65_535 else "<u4"
    ids, stored = in_cell_order(np.asarray(ids).astype(kind), stored, shard.cell_order)
    return changes | {"ids": ids, "stored": stored}


def random_maps(rows, classes=10, height=3, width=4, k=3, seed=3):
    """Ids and logits of maps that nothing is wrong with."""
    rng = np.random.default_rng(seed)
    cells = [rng.choice(classes, k, replace=False) for _ in range(rows * height * width)]
    return np.array(cells).reshape(rows, height, width, k), rng.uniform(0.5, 30, (rows, height, width, k))


# ---------------------------------------------------------------------------- single maps: V011, V012


def uniform(row=2, differing=False, **changes):
    """One map whose cells are all alike, or all but the last."""
    ids, scores = random_maps(5)
    last = ids[row, -1, -1].copy(), scores[row, -1, -1].copy()
    ids[row], scores[row] = ids[row, 0, 0], scores[row, 0, 0]
    if differing:
        ids[row, -1, -1], scores[row, -1, -1] = last
    return given(ids, scores, **changes)


def constant(value, differing=False, **changes):
    """One map whose scores are all one value, or all but one."""
    ids, scores = random_maps(5)
    scores[3] = value
    if differing:
        scores[3, 1, 2, 0] = value + 1
    return given(ids, scores, **changes)


add("V011", "one_map", **uniform())
add("V011", "last_map_of_a_chunk", **uniform(row=3))
add("V011", "class_order", **uniform(cell_order="class"))
add("V011", "float32", **uniform(encoding="float32"))
add_quiet("all_cells_but_one_alike", **uniform(differing=True))
add_quiet("a_grid_of_one_cell", height=1, width=1)
add("V012", "zeros", **constant(0))
add("V012", "not_zero", **constant(7.5))
add("V012", "float16", **constant(-3, encoding="float16"))
add("V012", "fixed8", **constant(2, encoding="fixed8", cell_order="class"))
add_quiet("all_scores_but_one_alike", **constant(0, differing=True))
add_quiet("maps_of_one_entry", height=1, width=1, k=1)


# ----------------------------------------------------------------------------------- repeats: V013


def repeated(times, rows=12, other=0, **changes):
    """Some images with one map; `other` of them differ in one score."""
    ids, scores = random_maps(rows, height=1, width=2, k=2)
    places = np.arange(times) * 2
    ids[places], scores[places] = ids[0], scores[0]
    scores[places[:other], 0, 0, 0] += 1
    return given(ids, scores, **changes)


add("V013", "four_of_twelve", **repeated(4))
add("V013", "two_maps", **repeated(6, rows=11, images_per_chunk=1))
add("V013", "float32", **repeated(5, encoding="float32"))
add("V013", "one_in_a_thousand", **repeated(5, rows=4100, images_per_chunk=512, rows_per_identity_chunk=4096))
add_quiet("three_alike", **repeated(3))
add_quiet("four_alike_but_for_a_score", **repeated(4, other=1))
add_quiet("four_alike_of_many", **repeated(4, rows=4100, images_per_chunk=512, rows_per_identity_chunk=4096))


# -------------------------------------------------------------------------- classes: V014, V015, V018


def unseen(rows, **changes):
    """Maps in which class 9 does not occur."""
    return given(*random_maps(rows, classes=9), **changes)


def seen_once():
    ids, scores = random_maps(100, classes=9)
    ids[57, 1, 1, np.argmin(scores[57, 1, 1])] = 9
    return given(ids, scores)


def dominated(share, rows=60, **changes):
    """Class 4 is the best of a share of the cells."""
    ids, scores = random_maps(rows)
    chosen = np.random.default_rng(5).permutation(rows * 12)[: round(share * rows * 12)]
    for row, y, x in zip(*np.unravel_index(chosen, (rows, 3, 4))):
        others = [c for c in ids[row, y, x] if c != 4]
        ids[row, y, x] = [4, *others[:2]]
        scores[row, y, x] = [31, 5, 4]
    return given(ids, scores, **changes)


def labelled(rows, agreeing, known=None, **changes):
    """Source labels of which so many are the best class of a cell; only the first `known` are set."""
    ids, scores = random_maps(rows)
    labels = np.full(rows, -1, "<i4")
    for row in range(rows if known is None else known):
        best = {c[np.argmax(s)] for c, s in zip(ids[row].reshape(-1, 3), scores[row].reshape(-1, 3))}
        wanted = best if row < agreeing else set(range(10)) - best
        if not wanted:  # every class is the best of some cell: take one out of the grid
            wanted = {int(ids[row, 0, 0, 0])}
            ids[row] = np.where(ids[row] == min(wanted), 99, ids[row])
        labels[row] = min(wanted)
    return given(ids, scores, num_classes=100, optional=("source_label",), **changes) | with_column(
        "source_label", data=labels)


add("V014", "one_of_ten", **unseen(100))
add("V014", "class_order", **unseen(110, cell_order="class"))
add("V014", "float32", **unseen(120, encoding="float32"))
add_quiet("class_unseen_in_few_images", **unseen(99))
add_quiet("class_seen_once", **seen_once())
add("V015", "above_half", **dominated(0.6))
add("V015", "class_order", **dominated(0.6, cell_order="class"))
add("V015", "float32", **dominated(0.6, encoding="float32"))
add_quiet("class_best_in_less_than_half", **dominated(0.4))
add_quiet("class_best_in_half_of_few_images", **dominated(0.6, rows=49))
add("V018", "never", **labelled(60, 0))
add("V018", "in_few", **labelled(60, 14))
add("V018", "unlabelled_do_not_count", **labelled(80, 12, known=50))
add("V018", "class_order", **labelled(60, 0, cell_order="class"))


def few_classes(led, rows=500, classes=4, **changes):
    """Every class leads some cell of every map, and the source's class so many of its twelve cells."""
    rng = np.random.default_rng(11)
    labels = np.arange(rows) % classes
    order = np.array([rng.permutation(12) for _ in range(rows)])
    best = np.take_along_axis(np.tile(np.arange(12) % 4, (rows, 1)), order, 1)
    for row, label in enumerate(labels):
        best[row, np.flatnonzero(best[row] == (label + 1) % 4)[:led - 3]] = label
    ids = (best.reshape(rows, 3, 4, 1) + np.arange(3)) % 4
    scores = rng.uniform(0.5, 1, ids.shape) + [20, 10, 1]
    return given(ids, scores, num_classes=4, images_per_chunk=32, optional=("source_label",), **changes) | with_column(
        "source_label", data=labels.astype("<i4"))


add("V018", "few_classes", **few_classes(3))
add_quiet("few_classes_that_lead_more", **few_classes(4))
add_quiet("one_class", **few_classes(3, classes=1))
add_quiet("few_images_of_few_classes", **few_classes(3, rows=496))
add_quiet("labels_agree_in_a_quarter", **labelled(60, 15))
add_quiet("few_labels", **labelled(80, 0, known=49))


@breaks("V020", "all_labels_beyond_the_classes")
def labels_beyond(folder):
    return Shard(rows=60, optional=("source_label",), **with_column(
        "source_label", data=np.full(60, 1000, "<i4"))).write(folder / "a.h5")


# ------------------------------------------------------------------------------- whole planes: V016, V017


def coherent(rows=10, classes=60_000, seed=7):
    """Maps [rows, 10, 12, 3] whose cells in a row of four share their classes: ids and stored scores."""
    rng = np.random.default_rng(seed)
    blocks = [rng.choice(1000, 3, replace=False) for _ in range(rows * 10 * 3)]
    # High enough to be no small numbers when they stand for scores.
    ids = np.repeat(np.array(blocks).reshape(rows, 10, 3, 3), 4, axis=2) + 40_000
    draws = [rng.choice(classes - 30_000, 3, replace=False) + 30_000 for _ in range(rows * 120)]
    return ids, np.array(draws).reshape(rows, 10, 12, 3)


def planes(ids, stored, **changes):
    """A shard of two planes of stored numbers."""
    changes = dict(rows=len(ids), height=10, width=12, k=3, num_classes=60_000) | changes
    order = changes.get("cell_order", "score")
    ids, stored = in_cell_order(ids.astype("<u2"), stored.astype("<u2"), order)
    return changes | {"ids": ids, "stored": stored}


IDS, STORED = coherent()
add("V016", "sorted_after", **planes(STORED, IDS))
add("V016", "class_order", **planes(STORED, IDS, cell_order="class"))
add("V016", "uncompressed", **planes(STORED, IDS, compression="none"))
add_quiet("planes_in_their_places", **planes(IDS, STORED))
add_quiet("neither_plane_coherent", **planes(STORED, STORED[::-1]))
add_quiet("few_exchanged_cells", **planes(STORED[:8], IDS[:8]))


def disguised(rows=12, logarithms=False, loud=None, **changes):
    """Probabilities or their logarithms where logits should be; `loud`: the scores of one cell that can't be."""
    rng = np.random.default_rng(9)
    ids, _ = random_maps(rows)
    scores = rng.uniform(0.05, 0.3, ids.shape)
    if loud:
        scores[7, 2, 1] = loud
    return given(ids, np.log(scores) if logarithms else scores, **changes)


add("V017", "probabilities", **disguised())
add("V017", "probabilities_float32", **disguised(encoding="float32"))
add("V017", "probabilities_class_order", **disguised(cell_order="class"))
add("V017", "log_probabilities", **disguised(logarithms=True))
add("V017", "log_probabilities_float16", **disguised(logarithms=True, encoding="float16"))
add_quiet("too_few_to_tell_their_kind", **disguised(rows=9))
add("V017", "sigmoids", **disguised(loud=[0.75, 0.625, 0.5]))
add_quiet("small_logits", **disguised(loud=[1.25, 0.625, 0.5]))
add_quiet("probabilities_that_say_so", **disguised(score_kind="probability"))


# ------------------------------------------------------------------------- logit 0 of absent classes: V023


def shifted(below=0, of=144, rows=12, by=0.0, negative=0, **changes):
    """Logits of 144 cells: the best one of `below` of them lies under 0, and the lowest in `negative` others."""
    ids, scores = random_maps(rows, classes=changes.get("num_classes", 10))
    flat = scores.reshape(-1, 3)
    flat[:below] -= 31
    flat[below:below + negative, 1:] -= 31
    return given(ids, scores + by, **changes)


add("V023", "lowered", **shifted(below=8))
add("V023", "lowered_class_order", **shifted(below=8, cell_order="class"))
add("V023", "lowered_float16", **shifted(below=8, encoding="float16"))
add("V023", "negative_logits", **disguised(logarithms=True, loud=[0.75, 0.625, 0.5]))
add("V023", "most_below_zero", **shifted(negative=110))
add("V023", "raised", **shifted(by=9.75))
add("V023", "both_planes_coherent", **planes(IDS, IDS // 2 + 20_000))
add_quiet("few_cells_below_zero", **shifted(below=7))
add_quiet("half_below_zero", **shifted(negative=108))
add_quiet("raised_less", **shifted(by=9.25))
add_quiet("too_few_to_tell_their_zero", **shifted(rows=9, below=60))
add_quiet("no_class_is_absent", **shifted(below=60, num_classes=3))


# ------------------------------------------------------------------------------------- drift: M011


def shards(folder, rows=40, shift=2.0, row_order="shuffled:0"):
    """Three shards, the last with scores shifted by so many standard deviations of a map's mean."""
    parts = []
    for number in range(3):
        ids, scores = random_maps(rows, seed=number)
        deviation = scores.mean((1, 2, 3)).std()
        changes = given(ids, scores + shift * deviation * (number == 2), largest_error=0.001953125)
        parts.append(Shard(
            **changes, first_index=number * rows, seed=number, attributes={"row_order": row_order}))
    return write_dataset(folder / "dataset", *parts)


breaks("M011", "two_deviations")(shards)
quiet("shards_alike")(lambda folder: shards(folder, shift=0))
quiet("drift_below_half_a_deviation")(lambda folder: shards(folder, shift=0.6, rows=200))
quiet("drift_of_rows_in_source_order")(lambda folder: shards(folder, row_order="source"))
quiet("drift_of_small_shards")(lambda folder: shards(folder, rows=29))
quiet("two_small_shards")(lambda folder: write_dataset(folder / "dataset", *two_shards()))
