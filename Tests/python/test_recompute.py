"""Maps made anew by an annotator are compared with the stored ones (rule I006)."""

import json
import os
import pathlib
from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLES, error_rules, pack, tool, verify
from fixtures_pictures import with_pictures
from pictures import copying, digests, png, scripted, write_dense, write_pictures
from shard_writer import Shard, two_shards


def prepared(folder, *shards, **fresh):
    """A dataset with pictures, answers for an annotator, and what `verify` takes."""
    shards = shards or two_shards()
    path, options = with_pictures(folder, *shards)
    for shard in shards:
        write_dense(folder / "fresh", shard, **fresh)
    return path, options


def recompute(path, options, command, count=8, *more):
    """Exit code, report and figures."""
    code, report = verify(path, *options, "--recompute", count, "--annotator", command, *more)
    figures = report["measurements"].get("recomputation", [None])[0]
    return code, report, figures


def message(report):
    (found,) = [f for f in report["findings"] if f["rule"] == "I006"]
    return found["message"], found


# -------------------------------------------------------------------------------------- comparison


def test_the_same_annotator(tmp_path):
    path, options = prepared(tmp_path)
    code, report, figures = recompute(path, options, copying(tmp_path / "fresh"))
    assert (code, error_rules(report)) == (0, [])
    assert (figures["asked"], figures["compared"], figures["differing"]) == (8, 8, 0)
    assert figures["mean_difference"] == 0 and figures["differing_ids"] == 0
    more = ["--recompute", 8, "--annotator", copying(tmp_path / "fresh")]
    text = tool("relabel-verify", path, *options, *more).stdout
    assert "8 recomputed maps: scores differ by 0.0 on average, 0.0 % of the classes" in text


@pytest.mark.parametrize("shift, broken", [(0.04, []), (-0.04, []), (0.06, ["I006"]), (-3, ["I006"])])
def test_scores_that_differ(shift, broken, tmp_path):
    path, options = prepared(tmp_path, shift=shift)
    code, report, figures = recompute(path, options, copying(tmp_path / "fresh"))
    assert error_rules(report) == broken and code == len(broken)
    assert figures["mean_difference"] == pytest.approx(abs(shift), abs=1e-5)
    assert figures["limit"] == pytest.approx(0.05 + 1 / 512)
    assert figures["differing"] == (8 if broken else 0)


@pytest.mark.parametrize("tolerance, broken", [("0.5", []), ("0.4", ["I006"]), ("0", ["I006"])])
def test_the_tolerance_can_be_chosen(tolerance, broken, tmp_path):
    path, options = prepared(tmp_path, shift=0.45)
    command = copying(tmp_path / "fresh")
    _, report, figures = recompute(path, options, command, 8, "--recompute-tolerance", tolerance)
    assert error_rules(report) == broken
    assert figures["limit"] == pytest.approx(float(tolerance) + 1 / 512)


@pytest.mark.parametrize("shift, broken", [(0.009, []), (0.02, ["I006"])])
def test_probabilities_have_a_smaller_tolerance(shift, broken, tmp_path):
    shard = Shard(score_kind="probability")
    shard = replace(shard, ids=shard.labels()[0], stored=(shard.labels()[1] * 0.5).astype("<u2"))
    path, options = prepared(tmp_path, shard, shift=shift)
    _, report, figures = recompute(path, options, copying(tmp_path / "fresh"))
    assert error_rules(report) == broken and figures["limit"] == pytest.approx(0.01 + 1 / 65536)


def test_one_map_of_another_image_is_found(tmp_path):
    path, options = prepared(tmp_path)
    fresh = tmp_path / "fresh" / "train"
    np.save(fresh / "n0002.npy", np.load(fresh / "n0003.npy"))
    _, report, figures = recompute(path, options, copying(tmp_path / "fresh"))
    text, found = message(report)
    assert (found["key"], found["count"], found["images"]) == ("train/n0002", 1, 1)
    assert "differ by" in text and figures["differing"] == 1


def test_classes_that_differ_though_scores_agree(tmp_path):
    """In each cell of each map another class has taken the place of one: as many ids are wrong."""
    shard = Shard(rows=6, k=2, height=4, width=5)
    path, options = prepared(tmp_path, shard)
    ids, _ = shard.labels()
    for row, key in enumerate(shard.image_keys()):
        dense = np.load(tmp_path / "fresh" / f"{key}.npy")
        for y, x in np.ndindex(4, 5):
            if (5 * y + x) % 4 == 0:  # 5 of 20 cells, 1 of 2 entries
                absent = next(c for c in range(10) if c not in ids[row, y, x])
                dense[absent, y, x], dense[ids[row, y, x, 1], y, x] = dense[ids[row, y, x, 1], y, x], -100
        np.save(tmp_path / "fresh" / f"{key}.npy", dense)
    _, report, figures = recompute(path, options, copying(tmp_path / "fresh"), 6)
    assert figures["differing_ids"] == pytest.approx(5 / 40) and figures["mean_difference"] == 0
    assert "12.5 % of the stored classes" in message(report)[0]


def test_maps_without_a_common_class(tmp_path):
    shard = Shard(rows=4, ids=np.tile(np.array([1, 2, 3], "<u2"), (4, 3, 4, 1)))
    path, options = prepared(tmp_path, shard)
    write_dense(tmp_path / "fresh", replace(shard, ids=shard.ids + 3))
    _, report, figures = recompute(path, options, copying(tmp_path / "fresh"), 4)
    assert "no class in common" in message(report)[0]
    assert figures["mean_difference"] is None and figures["differing_ids"] == 1


def test_another_grid(tmp_path):
    path, options = prepared(tmp_path)
    for file in (tmp_path / "fresh").rglob("*.npy"):
        np.save(file, np.load(file)[:, :2])
    _, report, _ = recompute(path, options, copying(tmp_path / "fresh"))
    assert "the fresh map is 2×4, k = 3, not 3×4, k = 3" in message(report)[0]


def test_the_order_of_a_cell_does_not_matter(tmp_path):
    shard = Shard(cell_order="class")
    path, options = prepared(tmp_path, shard)
    assert recompute(path, options, copying(tmp_path / "fresh"), 5)[0] == 0


# ------------------------------------------------------------------------------------------ choice


def asked(folder, path, options, count):
    command = scripted(folder / "annotator.py", f"""
import json, shutil
shutil.copytree({str(folder / "fresh")!r}, output, dirs_exist_ok=True)
pathlib.Path({str(folder / "asked.json")!r}).write_text(json.dumps(asked))
""")
    code, report, figures = recompute(path, options, command, count)
    assert code == 0, report
    return json.loads((folder / "asked.json").read_text())


def test_the_annotator_gets_keys_and_paths(tmp_path):
    path, options = prepared(tmp_path)
    pairs = asked(tmp_path, path, options, 3)
    assert len(pairs) == len(set(map(tuple, pairs))) == 3
    for key, picture in pairs:
        assert picture == str(tmp_path / "pictures" / f"{key}.png")
        assert pathlib.Path(picture).read_bytes() == png(6, 8, key.encode())


def test_paths_are_absolute(tmp_path):
    path, _ = prepared(tmp_path)
    body = "import shutil\nassert all(os.path.isabs(p) and os.path.exists(p) for _, p in asked)\n"
    body += f"shutil.copytree({str(tmp_path / 'fresh')!r}, output, dirs_exist_ok=True)\n"
    command = scripted(tmp_path / "annotator.py", body)
    arguments = ["--images", "pictures", "--recompute", "8", "--annotator", command]
    assert tool("relabel-verify", "dataset", *arguments, cwd=tmp_path).returncode == 0


def test_the_choice_does_not_depend_on_rows_or_shards(tmp_path):
    whole = Shard(rows=60)
    ids, stored = whole.labels()
    parts = []
    for number, rows in enumerate([range(59, 29, -1), range(30)]):
        rows = list(rows)
        keys = [whole.image_keys()[row] for row in rows]
        parts.append(Shard(rows=30, keys=keys, ids=ids[rows], stored=stored[rows], image_indexes=rows))
    choices = []
    for name, shards in [("whole", [whole]), ("parts", parts)]:
        (tmp_path / name).mkdir()
        path, options = prepared(tmp_path / name, *shards)
        choices.append([key for key, _ in asked(tmp_path / name, path, options, 20)])
    assert choices[0] == choices[1] and len(set(choices[0])) == 20
    rows = [int(key[-4:]) for key in choices[0]]
    assert 20 < np.mean(rows) < 40 and min(rows) < 10 and max(rows) > 50


def test_images_without_picture_are_not_asked_for(tmp_path):
    path, options = prepared(tmp_path)
    for row in range(6):
        (tmp_path / "pictures" / "train" / f"n{row:04}.png").unlink()
    code, report, figures = recompute(path, options, copying(tmp_path / "fresh"))
    assert error_rules(report) == ["I001"] and (figures["asked"], figures["compared"]) == (2, 2)


def test_many_images_and_few_chosen(tmp_path):
    """More candidates than are held at once."""
    ids, stored = np.zeros((3000, 1, 1, 1), "<u2"), np.full((3000, 1, 1, 1), 40_000, "<u2")
    shard = Shard(rows=3000, height=1, width=1, k=1, ids=ids, stored=stored)
    path, options = with_pictures(tmp_path, shard)
    write_dense(tmp_path / "fresh", replace(shard, rows=1, ids=ids[:1], stored=stored[:1]))
    command = scripted(tmp_path / "annotator.py", f"""
import shutil
(output / "train").mkdir()
for key, _ in asked:
    shutil.copy({str(tmp_path / "fresh/train/n0000.npy")!r}, output / (key + ".npy"))
""")
    code, _, figures = recompute(path, options, command, 2)
    assert (code, figures["compared"]) == (0, 2)


# ------------------------------------------------------------------------------------------- faults


def test_a_command_that_fails_is_a_failure(tmp_path):
    path, options = prepared(tmp_path)
    code, report, figures = recompute(path, options, "echo going on; echo no weights here >&2; exit 3")
    assert code == 74 and figures is None and error_rules(report) == []
    (failure,) = report["failures"]
    assert "exit code 3" in failure and "going on | no weights here" in failure


def test_a_command_that_is_killed_is_a_failure(tmp_path):
    path, options = prepared(tmp_path)
    code, report, _ = recompute(path, options, "kill -9 $$")
    assert code == 74 and "signal 9" in report["failures"][0]


def test_only_the_last_words_are_told(tmp_path):
    path, options = prepared(tmp_path)
    command = scripted(tmp_path / "a.py", "print('x' * 200_000)\nsys.exit('the end')")
    code, report, _ = recompute(path, options, command)
    assert code == 74 and report["failures"][0].endswith("the end") and len(report["failures"][0]) < 1500


def test_an_image_left_out_is_an_omission(tmp_path):
    path, options = prepared(tmp_path, leave_out=["train/n0004"])
    code, report, figures = recompute(path, options, copying(tmp_path / "fresh"))
    assert (code, figures["asked"], figures["compared"]) == (3, 8, 7)
    assert "no map for 1 of 8 images, first: 'train/n0004'" in report["omissions"][0]


@pytest.mark.parametrize("command, reason", [
    ("true", "nothing to read"),
    ('echo x > "$RELABEL_OUTPUT/other.npy"', "no map for any of 8"),
    ('cd "$RELABEL_OUTPUT"; mkdir train; for n in 0 1 2 3 4 5 6 7; do echo x > train/n000$n.npy; done',
     "can't be read"),
])  # fmt: skip
def test_output_that_is_of_no_use_is_a_failure(command, reason, tmp_path):
    path, options = prepared(tmp_path)
    code, report, _ = recompute(path, options, command)
    assert code == 74 and reason in report["failures"][0]


def test_the_temporary_folder_goes(tmp_path):
    path, options = prepared(tmp_path)
    (tmp_path / "tmp").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    for command in [copying(tmp_path / "fresh"), "touch $RELABEL_OUTPUT/a; exit 1"]:
        tool("relabel-verify", path, *options, "--recompute", 2, "--annotator", command, env=environment)
        assert list((tmp_path / "tmp").iterdir()) == []


def test_other_findings_remain_when_the_command_fails(tmp_path):
    shard = Shard()
    contents = write_pictures(tmp_path / "pictures", shard.image_keys())
    shard = replace(shard, **digests(shard, [b"other", *contents[1:]]))
    path, options = prepared(tmp_path, shard)
    code, report, _ = recompute(path, options, "false")
    assert code == 74 and error_rules(report) == ["I004"]


def test_wrong_use(tmp_path):
    path, options = prepared(tmp_path)
    for wrong in [
        ["--recompute", 2, "--annotator", "true"],
        [*options, "--recompute", 2],
        [*options, "--annotator", "true"],
        [*options, "--recompute", 0, "--annotator", "true"],
        [*options, "--recompute", 2, "--annotator", "true", "--recompute-tolerance", "-1"],
        [*options, "--recompute", 2, "--annotator", "true", "--recompute-tolerance", "nan"],
        [*options, "--recompute-tolerance", "1"],
    ]:
        assert tool("relabel-verify", path, *wrong).returncode == 64, wrong


# ---------------------------------------------------------------------------------------- real maps


def test_the_samples_maps_again(sample_dataset):
    """Stored in 16 bits, read again as the annotator wrote them."""
    options = ["--images", SAMPLES / "images"]
    code, report, figures = recompute(sample_dataset, options, copying(SAMPLES / "maps"), 18)
    assert (code, figures["compared"], figures["differing_ids"]) == (0, 18, 0)
    assert 0 < figures["mean_difference"] <= 1 / 512
    code, report, figures = recompute(sample_dataset, options, copying(SAMPLES / "dense"), 18)
    assert code == 3 and figures["compared"] == 4 and figures["differing_ids"] < 0.001


def test_factors_are_compared_by_other_means(tmp_path):
    """Their single cells are blurred: that would be a finding in every dataset."""
    (tmp_path / "maps").mkdir()
    (tmp_path / "pictures").mkdir()
    for name in "ab":
        np.save(tmp_path / f"maps/{name}.npy", np.random.default_rng(1).normal(size=(20, 4, 4)).astype("f4"))
        (tmp_path / f"pictures/{name}.png").write_bytes(png(4, 4))
    assert pack(tmp_path / "maps", "-o", tmp_path / "packed", "--score-kind", "logit", "--maps", "factors").returncode == 0
    code, report, figures = recompute(
        tmp_path / "packed", ["--images", tmp_path / "pictures"], copying(tmp_path / "maps"), 2
    )
    assert code == 3 and figures is None and error_rules(report) == []
    assert any("--against" in omission for omission in report["omissions"])
