"""Boxes that say where classes are decide how label maps lie on their pictures (rule I005)."""

import csv
import io
from fractions import Fraction
from math import comb

import h5py
import numpy as np
import pytest
from conftest import error_rules, pack, tool, verify
from pictures import boxes_text, localised
from shard_writer import SCORE_KINDS, Shard, class_table, write_shard

COLUMNS = "key,class,top,left,height,width"


def judge(folder, shard, rows, columns=COLUMNS, *options):
    """Exit code, report and the figures of the orientation."""
    path = shard if isinstance(shard, type(folder)) else shard.write(folder / "a.h5")
    table = folder / "boxes.csv"
    table.write_text(rows if isinstance(rows, str) else boxes_text(rows, columns))
    code, report = verify(path, "--boxes", table, *options)
    return code, report, report["measurements"]["orientation"][0]


def said(report):
    return [f["message"] for f in report["findings"] if f["rule"] == "I005"]


# ------------------------------------------------------------------------------------------ oracle


def covered(start, length, count):
    """The part of each of `count` cells that a range of fractions covers."""
    edges = np.arange(count + 1) / count
    return np.clip(np.minimum(edges[1:], start + length) - np.maximum(edges[:-1], start), 0, None)


def shares(ids, scores, kind, wanted):
    """The share of a class in the mass of each cell's entries."""
    mass = scores if kind == "probability" else np.exp(scores - scores.max(-1, keepdims=True))
    return (mass * (ids == wanted)).sum(-1) / mass.sum(-1)


def expected(shard, rows):
    """Boxes that are informative, votes for yx and xy, ties, and the mean shares."""
    ids, scores = shard.labels()[0], shard.decoded().astype(float)
    height, width = ids.shape[1:3]
    votes, means = {}, []
    for key, wanted, top, left, h, w in rows:
        side = max(0, min(top + h, left + w) - max(top, left))
        if side * side / (2 * h * w - side * side) >= 0.6:
            continue
        row = shard.image_keys().index(key)
        share = shares(ids[row], scores[row], shard.score_kind, wanted)
        yx = np.outer(covered(top, h, height), covered(left, w, width))
        xy = np.outer(covered(left, w, height), covered(top, h, width))
        means.append([(share * place).sum() / place.sum() for place in (yx, xy)])
        votes.setdefault(key, []).append(means[-1][0] - means[-1][1])
    votes = [np.mean(differences) for differences in votes.values()]
    more, less = sum(v >= 0.02 for v in votes), sum(v <= -0.02 for v in votes)
    return len(means), more, less, len(votes) - more - less, np.mean(means, axis=0)


def sign_test(a, b):
    n, more = a + b, max(a, b)
    return max(0.0, float(1 - 2 * Fraction(sum(comb(n, k) for k in range(more, n + 1)), 2**n)))


# ---------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize("declared", ["yx", "xy", "unknown"])
@pytest.mark.parametrize("transposed", [False, True])
def test_verdicts(transposed, declared, tmp_path):
    shard, rows = localised(transposed=transposed, attributes={"orientation": declared})
    code, report, figures = judge(tmp_path, shard, rows)
    verdict = "xy" if transposed else "yx"
    assert (code, figures["verdict"], figures["declared"]) == (0, verdict, declared)
    assert figures[f"{verdict}_wins"] == 12 and figures["confidence"] > 0.99
    if declared == verdict:
        assert said(report) == []
    else:
        (message,) = said(report)
        assert f"pack again with --orientation {verdict}" in message and "12 of 12" in message
    text = tool("relabel-verify", tmp_path / "a.h5", "--boxes", tmp_path / "boxes.csv").stdout
    assert f"verdict {verdict}, declared {declared}" in text


@pytest.mark.parametrize("kind", SCORE_KINDS)
def test_figures_are_those_of_the_oracle(kind, tmp_path):
    shard = Shard(rows=40, height=5, width=7, score_kind=kind, num_classes=6)
    generator = np.random.default_rng(4)
    rows = []
    for key in shard.image_keys():
        for _ in range(generator.integers(0, 4)):
            top, left = generator.uniform(0, 0.7, 2)
            h, w = generator.uniform(0.05, 1 - max(top, left), 2)
            rows.append((key, int(generator.integers(6)), top, left, h, w))
    _, _, figures = judge(tmp_path, shard, rows)
    informative, more, less, ties, means = expected(shard, rows)
    found = [figures[name] for name in ("boxes", "informative", "yx_wins", "xy_wins", "ties")]
    assert found == [len(rows), informative, more, less, ties]
    assert figures["confidence"] == pytest.approx(sign_test(more, less), abs=1e-9)
    assert [figures["yx_share"], figures["xy_share"]] == pytest.approx(means, abs=1e-5)
    assert figures["verdict"] == "undecided"


@pytest.mark.parametrize(
    "agreeing, opposing", [(7, 0), (8, 0), (12, 2), (11, 5), (40, 20), (41, 19), (300, 200), (700, 600)])
def test_a_verdict_needs_confidence_and_a_majority(agreeing, opposing, tmp_path):
    count = agreeing + opposing
    shard, rows = localised(rows=count)
    ids = shard.ids.copy()
    ids[agreeing:] = ids[agreeing:].swapaxes(1, 2)
    shard.ids = ids
    _, _, figures = judge(tmp_path, shard, rows)
    assert (figures["yx_wins"], figures["xy_wins"]) == (agreeing, opposing)
    confidence = sign_test(agreeing, opposing)
    assert figures["confidence"] == pytest.approx(confidence, abs=1e-9)
    decided = confidence >= 0.99 and agreeing >= 0.6 * count
    assert figures["verdict"] == ("yx" if decided else "undecided")


def test_boxes_that_lie_on_the_diagonal_say_nothing(tmp_path):
    shard, rows = localised(attributes={"orientation": "xy"})
    rows = [(key, 0, 0.2, 0.2, 0.6, 0.6) for key, *_ in rows] + [(rows[0][0], 0, 0, 0, 1, 1)]
    code, report, figures = judge(tmp_path, shard, rows)
    assert (code, figures["boxes"], figures["informative"], figures["verdict"]) == (0, 13, 0, "undecided")
    assert figures["confidence"] == 0 and said(report) == []


def test_an_image_has_one_vote(tmp_path):
    shard, rows = localised(rows=5)
    _, _, figures = judge(tmp_path, shard, rows * 20)
    assert (figures["boxes"], figures["yx_wins"], figures["verdict"]) == (100, 5, "undecided")


# ------------------------------------------------------------------------------------------ extents


@pytest.mark.parametrize("own", [False, True], ids=["attribute", "dataset"])
def test_boxes_are_mapped_into_the_extent(own, tmp_path):
    """The maps cover the right lower quarter: a box in their left column lies in the picture's middle."""
    extent = np.array([0.5, 0.5, 0.5, 0.5], "<f4")
    if own:
        shard, rows = localised(optional=("map_extent",))
        shard.column_changes = {"map_extent": {"data": np.tile(extent, (shard.rows, 1))}}
    else:
        shard, rows = localised(attributes={"map_extent": extent})
    inside = [(key, 0, 0.4, 0.45, 0.6, 0.175) for key, *_ in rows]  # reaches out at the top and left
    _, _, figures = judge(tmp_path, shard, inside)
    assert (figures["verdict"], figures["yx_wins"]) == ("yx", 12)
    assert figures["yx_share"] > 0.5 > figures["xy_share"]
    outside = [(key, 0, 0, 0, 1, 0.25) for key, *_ in rows]
    _, _, figures = judge(tmp_path, shard, outside)
    assert (figures["boxes"], figures["informative"]) == (12, 0)


def test_grids_that_are_not_square(tmp_path):
    """In `xy` the axis y has the cells of a row of the picture."""
    shard, rows = localised()
    ids = np.repeat(shard.ids, 2, axis=1)  # 8 by 4
    stored = np.repeat(shard.labels()[1], 2, axis=1)
    shard = Shard(rows=12, height=8, width=4, ids=ids, stored=stored)
    _, _, figures = judge(tmp_path, shard, rows)
    assert figures["verdict"] == "yx"
    turned = Shard(rows=12, height=4, width=8, ids=ids.swapaxes(1, 2), stored=stored.swapaxes(1, 2))
    _, _, figures = judge(tmp_path, turned, rows)
    assert figures["verdict"] == "xy"


# -------------------------------------------------------------------------------------------- table


def table(rows, columns=COLUMNS, end="\n", **options):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, **options)
    writer.writerow(columns.split(","))
    writer.writerows(rows)
    return text.getvalue()


def test_spellings_of_a_table(tmp_path):
    shard, rows = localised()
    keys = [f'a "b", {row}\u00e9' for row in range(shard.rows)]
    shard.keys = keys
    rows = [(key, *row[1:]) for key, row in zip(keys, rows)]
    reference = judge(tmp_path, shard, table(rows))[2]
    assert reference["yx_wins"] == 12
    shuffled = [(w, "note", h, key, c, t, left) for key, c, t, left, h, w in rows]
    spellings = [
        table(rows, end="\r\n"),
        table(rows, end="\r"),
        table(rows, end=" \t\n"),
        table(rows, quoting=csv.QUOTE_ALL),
        "\ufeff" + table(rows),
        table(rows)[:-1],
        table(rows).replace("\n", "\n\n"),
        table(shuffled, "width,note,height,key,class,top,left"),
        table([(*row[:2], *(f"{side:e}" for side in row[2:])) for row in rows]),
        table([(*row[:2], *np.array(row[2:]) * [480, 640, 480, 640], 480, 640) for row in rows],
              COLUMNS + ",image_height,image_width"),
    ]  # fmt: skip
    for spelling in spellings:
        assert judge(tmp_path, tmp_path / "a.h5", spelling)[2] == reference, spelling[:200]


def test_a_field_may_hold_a_line_break(tmp_path):
    shard, rows = localised()
    text = boxes_text(rows).replace(COLUMNS, COLUMNS + ",note").replace("0.25\n", '0.25,"a\n""b"""\n')
    assert judge(tmp_path, shard, text)[2]["yx_wins"] == 12


def test_boxes_of_other_images_are_passed_over(tmp_path):
    shard, rows = localised()
    others = [("val/" + key, 0, 0, 0, 0.25, 1) for key, *_ in rows * 3]
    _, report, figures = judge(tmp_path, shard, rows + others)
    assert (figures["table"], figures["boxes"], figures["yx_wins"]) == (48, 12, 12)
    assert report["complete"]


@pytest.mark.parametrize("name", ["7", "n00000007", "class 7 é"])
def test_names_of_classes(name, tmp_path):
    shard, rows = localised(wanted=7)
    _, _, figures = judge(tmp_path, shard, [(key, name, *sides) for key, _, *sides in rows])
    assert figures["verdict"] == "yx"


def test_ids_come_before_names_and_names_before_indexes(tmp_path):
    names = ["crane", "1", "x", "crane"] + [f"c{number}" for number in range(6)]
    entries = [{"id": f"i{c}", "index": c, "name": name} for c, name in enumerate(names)]
    entries[5]["id"] = "x"
    document = {"annotator": None, "classes": class_table(entries)}
    for wanted, name in [(5, "x"), (1, "1"), (3, "3"), (0, "i0")]:
        shard, rows = localised(wanted=wanted, document=document)
        _, report, figures = judge(tmp_path, shard, [(key, name, *sides) for key, _, *sides in rows])
        assert figures["verdict"] == "yx" and report["complete"], name


@pytest.mark.parametrize("name", ["crane", "10", "-1", "", "n99999999", "1.0"])
def test_classes_that_are_not_known_are_an_omission(name, tmp_path):
    entries = [{"id": f"i{c}", "index": c, "name": "crane" if c in (0, 3) else f"c{c}"} for c in range(10)]
    shard, rows = localised(document={"annotator": None, "classes": class_table(entries)})
    named = [(key, name, *sides) for key, _, *sides in rows]
    code, report, figures = judge(tmp_path, shard, named + rows)
    assert (code, figures["boxes"]) == (3, 12) and f"'{name}'" in report["omissions"][0]


def test_class_indexes_need_no_table(tmp_path):
    shard, rows = localised(document={"annotator": None, "classes": None})
    assert judge(tmp_path, shard, rows)[2]["verdict"] == "yx"


BAD_TABLES = {
    "empty": ("", "line 1: there are no column names"),
    "no_key": ("class,top,left,height,width\n", "there is no column 'key'"),
    "twice": (COLUMNS + ",key\n", "column 'key' is twice"),
    "half_size": (COLUMNS + ",image_width\n", "go together"),
    "few_fields": (COLUMNS + "\na,0,0,0,1,1\n\nb,0,0,0,1\n", "line 4: there are 5 fields for 6 columns"),
    "no_number": (COLUMNS + "\na,0,0,0,1,wide\n", "line 2: 'wide' is not a number"),
    "infinite": (COLUMNS + "\na,0,0,0,1,inf\n", "line 2: 'inf' is not a number"),
    "pixels": (COLUMNS + "\na,0,10,10,50,60\n", "image_height and image_width"),
    "outside": (COLUMNS + "\na,0,0.5,0,0.6,1\n", "line 2: the box is not within its picture"),
    "flat": (COLUMNS + "\na,0,0,0,0,1\n", "it is empty"),
    "flat_in_float32": (COLUMNS + "\na,0,0,0,1e-90,1\n", "it is empty"),
    "outside_pixels": (COLUMNS + ",image_height,image_width\na,0,0,0,5,9,5,8\n", "not within its picture"),
    "no_size": (COLUMNS + ",image_height,image_width\na,0,0,0,5,9,0,8\n", "0.0 × 8.0 pixels"),
    "open_quote": (COLUMNS + '\n"a,0,0,0,1,1\n', "line 2: a quote is never closed"),
    "late_quote": (COLUMNS + '\na"b",0,0,0,1,1\n', "line 2: a quote inside a field"),
    "after_quote": (COLUMNS + '\n"a"b,0,0,0,1,1\n', "line 2: something follows"),
    "a_null_byte": (COLUMNS + "\na\0,0,0,0,1,1\n", "line 2 holds a null byte"),
    "a_git_lfs_pointer": ("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    "after_break": (COLUMNS + ',n\na,0,0,0,1,1,"x\ny"\nb\n', "line 4: there are 1 fields"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_tables_that_are_refused(name, tmp_path):
    text, reason = BAD_TABLES[name]
    path = write_shard(tmp_path / "a.h5")
    (tmp_path / "boxes.csv").write_bytes(text.encode())
    result = tool("relabel-verify", path, "--boxes", tmp_path / "boxes.csv")
    assert result.returncode == 64 and reason in result.stderr and "boxes.csv" in result.stderr


def test_a_table_that_is_no_text(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    (tmp_path / "boxes.csv").write_bytes((COLUMNS + "\na,0,0,0,1,1\n").encode("utf-16"))
    result = tool("relabel-verify", path, "--boxes", tmp_path / "boxes.csv")
    assert result.returncode == 64 and "iconv" in result.stderr
    (tmp_path / "boxes.csv").write_bytes(COLUMNS.encode() + b"\n\xff,0,0,0,1,1\n")
    assert tool("relabel-verify", path, "--boxes", tmp_path / "boxes.csv").returncode == 64
    assert tool("relabel-verify", path, "--boxes", tmp_path / "nowhere.csv").returncode == 74


# ---------------------------------------------------------------------------------------- real maps

# Drawn by hand on pictures of the samples, whose maps are known to be yx: top, left, height, width.
DRAWN = {
    "n01843065_00037": [(95, 0.06, 0, 0.94, 0.6)],
    "n02109047_00009": [(345, 0.38, 0.22, 0.52, 0.67)],
    "n02124075_00049": [(284, 0.14, 0.18, 0.6, 0.82)],
    "n02500267_00013": [(383, 0, 0.05, 0.7, 0.55), (383, 0.28, 0.48, 0.72, 0.46)],
    "n02814860_00065": [(437, 0.36, 0.32, 0.53, 0.4)],
    "n03124043_00088": [
        (541, 0.3, 0.05, 0.57, 0.32), (541, 0.1, 0.29, 0.84, 0.35), (541, 0.2, 0.54, 0.7, 0.42)],
    "n03781244_00001": [(888, 0.05, 0, 0.75, 1)],
    "n03781244_00021": [(663, 0.05, 0, 0.95, 0.65)],
    "n03877845_00020": [(832, 0, 0, 0.9, 0.6)],
    "n03908714_00097": [(710, 0.05, 0.44, 0.53, 0.52)],
    "n09246464_00056": [(972, 0.12, 0, 0.42, 0.9)],
}


def test_real_maps_and_their_transposes(sample_dataset, tmp_path):
    rows = [(f"{name[:9]}/{name}", *box) for name, boxes in DRAWN.items() for box in boxes]
    _, _, found = judge(tmp_path, sample_dataset, rows)
    assert found["boxes"] == 14 and found["xy_wins"] == 0 and found["yx_wins"] >= 6
    with h5py.File(sample_dataset / "labels-00000.h5") as shard:
        ids, scores = shard["class_index"][:], shard["score"][:] / 256 - 128
        keys = [key.decode() for key in shard["image_key"]]
    for key, map_ids, map_scores in zip(keys, ids, scores):
        dense = np.full((1000, *map_ids.shape[:2]), -100, "<f4")
        x, y = np.indices(map_ids.shape[:2])[..., None]
        dense[map_ids, y, x] = map_scores
        (tmp_path / "maps" / key).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "maps" / f"{key}.npy", dense)
    result = pack(tmp_path / "maps", "--output", tmp_path / "turned", "--score-kind", "logit")
    assert result.returncode == 0, result.stderr
    _, _, turned = judge(tmp_path, tmp_path / "turned", rows)
    assert (turned["yx_wins"], turned["xy_wins"]) == (found["xy_wins"], found["yx_wins"])


def test_a_broken_shard_is_an_omission(tmp_path):
    shard, rows = localised()
    path = shard.write(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:-1])
    (tmp_path / "boxes.csv").write_text(boxes_text(rows))
    code, report = verify(path, "--boxes", tmp_path / "boxes.csv")
    assert code == 5 and error_rules(report) == ["S004"] and not report["complete"]


# ---------------------------------------------------------------------------------------- factors


@pytest.mark.parametrize("packed_as", ["yx", "xy"])
def test_maps_of_factors_lie_as_their_classes_do(tmp_path, packed_as):
    """Factors are numbered as classes are; what boxes are compared with is the classes."""
    chance, rows = np.random.default_rng(5), []
    for image in range(30):
        top, left, wanted = int(chance.integers(0, 3)), int(chance.integers(4, 6)), int(chance.integers(0, 20))
        maps = chance.normal(size=(20, 8, 8)).astype("f4")
        maps[wanted, top : top + 3, left : left + 3] += 8
        (tmp_path / "maps").mkdir(exist_ok=True)
        np.save(tmp_path / f"maps/{image:02}.npy", maps)
        rows.append((f"{image:02}", wanted, top / 8, left / 8, 3 / 8, 3 / 8))
    form = ["--score-kind", "logit", "--maps", "factors", "--orientation", packed_as]
    assert pack(tmp_path / "maps", "--output", tmp_path / "packed", *form).returncode == 0
    _, report, figures = judge(tmp_path, tmp_path / "packed", rows)
    assert figures["informative"] == 30 and figures["yx_wins"] > 27 and figures["verdict"] == "yx"
    assert len(said(report)) == (packed_as == "xy")
