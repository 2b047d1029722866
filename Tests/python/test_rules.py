"""Every rule of the verifier, each on files that break it and nothing else."""

import json
import os
import re

import pytest
from all_fixtures import BROKEN, SOUND
from conftest import ROOT, error_rules, tool, verify
from rule_fixtures import cells, flip, made, write_shard
from shard_writer import (
    ENCODINGS,
    SCORE_KINDS,
    Shard,
    seal,
    two_shards,
    write_dataset,
)

RULES = {rule["id"]: rule for rule in json.loads(
    tool("relabel-verify", "list-rules", "--format", "json").stdout)}


def note_rules(report):
    return sorted({f["rule"] for f in report["findings"] if f["severity"] != "error"})


def described(report):
    """The findings for a failed test."""
    return [f"{f['rule']} {f.get('dataset', '')}: {f['message']}" for f in report["findings"]]


# ------------------------------------------------------------------------------- the rules one by one


@pytest.mark.parametrize("rule, variant, make", [pytest.param(*b, id=f"{b[0]}-{b[1]}") for b in BROKEN])
def test_breaks_exactly_one_rule(rule, variant, make, tmp_path):
    path, options = made(make, tmp_path)
    code, report = verify(path, *options)
    if RULES[rule]["severity"] != "error":
        assert error_rules(report) == [], described(report)
        assert rule in note_rules(report)
    else:
        assert error_rules(report) == [rule], described(report)
    assert code == report["exit_code"] == RULES[rule]["exit_code"]
    code, report = verify(path, *options, "--ignore", rule, "--allow-incomplete")
    assert error_rules(report) == [] and rule not in note_rules(report), described(report)
    assert code == 0


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in SOUND])
def test_odd_but_sound(make, tmp_path):
    code, report = verify(make(tmp_path))
    assert error_rules(report) == [], described(report)
    assert code == 0 and report["complete"]


@pytest.mark.parametrize("compression", ["deflate", "none"])
@pytest.mark.parametrize("cell_order", ["score", "class"])
@pytest.mark.parametrize("score_kind", SCORE_KINDS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_sound_shards(encoding, score_kind, cell_order, compression, tmp_path):
    path = write_shard(
        tmp_path / "a.h5", encoding=encoding, score_kind=score_kind, cell_order=cell_order,
        compression=compression)
    code, report = verify(path)
    assert (code, report["findings"]) == (0, []), described(report)


# ------------------------------------------------------------------------------ the list of the rules


def test_every_rule_has_a_fixture():
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_variants_have_their_own_names():
    names = [(rule, variant) for rule, variant, _ in BROKEN]
    assert len(names) == len(set(names))


def documented_rules():
    """Sections of rules.md: id, title and exit code."""
    text = (ROOT / "spec" / "rules.md").read_text()
    sections = re.split(r"^### ", text, flags=re.M)[1:]
    found = {}
    for section in sections:
        heading, rest = section.split("\n", 1)
        rule, title = heading.split(" ", 1)
        found[rule] = (title, int(re.search(r"exit code (\d+)", rest)[1]))
    return found


def test_the_same_rules_are_documented():
    assert list(documented_rules()) == list(RULES)


def test_titles_and_exit_codes_are_documented():
    listed = {rule: (entry["title"], entry["exit_code"]) for rule, entry in RULES.items()}
    assert documented_rules() == listed


def test_documented_fixtures():
    """Each section names the case of the conformance pack that breaks its rule."""
    sections = re.split(r"^### ", (ROOT / "spec" / "rules.md").read_text(), flags=re.M)[1:]
    named = {section[:4]: re.search(r"\*Fixture\*: `(.+)`", section)[1] for section in sections}
    cases = json.loads((ROOT / "spec/conformance/shards/cases.json").read_text())["cases"]
    broken = {case["name"]: case["verify"] for case in cases if case["name"].startswith("invalid/")}
    for rule, fixture in named.items():
        name = fixture.removeprefix("conformance/shards/")
        assert rule in broken[name]["errors"] + broken[name]["notices"]
        assert (ROOT / "spec" / fixture).is_dir()


# -------------------------------------------------------------------------------------- exit codes

GRAVITY = [5, 4, 6, 1, 0]  # the first that applies wins


def one_of_each(folder):
    """A file for each exit code."""
    chosen = {5: "C008", 4: "C002", 6: "L002", 1: "V001"}
    paths = {0: write_shard(folder / "sound.h5")}
    for code, rule in chosen.items():
        make = next(make for r, _, make in BROKEN if r == rule)
        (folder / rule).mkdir()
        paths[code] = make(folder / rule)
    return paths


def test_the_gravest_file_decides(tmp_path):
    paths = one_of_each(tmp_path)
    for place, graver in enumerate(GRAVITY):
        for milder in GRAVITY[place:]:
            assert verify(paths[graver], paths[milder])[0] == graver
            assert verify(paths[milder], paths[graver])[0] == graver


def test_system_failures_come_first_and_do_not_stop_the_rest(tmp_path):
    paths = one_of_each(tmp_path)
    code, report = verify(tmp_path / "nowhere.h5", paths[5], paths[0])
    assert code == report["exit_code"] == 74
    assert len(report["failures"]) == 1 and "nowhere.h5" in report["failures"][0]
    assert error_rules(report) == ["C008"] and report["shards"] == 2 and not report["complete"]


def test_wrong_use(tmp_path):
    assert tool("relabel-verify").returncode == 64
    assert tool("relabel-verify", "--ignore", "Z999", write_shard(tmp_path / "a.h5")).returncode == 64
    assert tool("relabel-verify", "--format", "xml", tmp_path).returncode == 64


# ----------------------------------------------------------------------------------------- the report

MEMBERS = {"schema_version", "tool", "verdict", "exit_code", "complete", "shards", "images", "findings",
           "failures"}


def test_members_of_the_report(tmp_path):
    code, report = verify(write_shard(tmp_path / "a.h5"))
    assert set(report) >= MEMBERS and set(report["tool"]) >= {"name", "version", "hdf5"}
    assert report["schema_version"] == "1.0" and report["tool"]["name"] == "relabel-verify"
    assert (report["verdict"], report["complete"], report["shards"], report["images"]) == ("sound", True, 1, 5)
    assert report["findings"] == report["failures"] == []


def test_a_finding_says_where(tmp_path):
    path = write_shard(tmp_path / "a.h5", **cells([1, 10, 3], [3, 2, 1], at=(3, 1, 2)))
    _, report = verify(path)
    (finding,) = report["findings"]
    assert finding["rule"] == "V001" and finding["severity"] == "error"
    assert finding["title"] == RULES["V001"]["title"] and finding["file"] == str(path)
    assert (finding["dataset"], finding["row"], finding["cell"]) == ("class_index", 3, [1, 2])
    assert finding["key"] == "train/n0003" and finding["count"] == 1
    assert "10" in finding["message"]
    text = tool("relabel-verify", path).stdout
    assert f"{path}, class_index, image 'train/n0003', cell (1, 2): error V001: " in text


def test_repeats_are_counted(tmp_path):
    ids, stored = (array.copy() for array in Shard().labels())
    ids[2:, 0, :, 0], stored[2:, 0, :] = 10, [900, 800, 700]
    path = write_shard(tmp_path / "a.h5", ids=ids, stored=stored)
    _, report = verify(path)
    (finding,) = report["findings"]
    assert finding["count"] == 3 * 4 and (finding["row"], finding["cell"]) == (2, [0, 0])
    assert "in 12 places of 3 images, first: " in tool("relabel-verify", path).stdout


def test_damage_names_the_rows(tmp_path):
    make = next(make for r, v, make in BROKEN if (r, v) == ("C008", "flip_score"))
    _, report = verify(make(tmp_path))
    (finding,) = report["findings"]
    assert (finding["dataset"], finding["row"], finding["count"]) == ("score", 2, 1)


def test_damage_in_one_shard_leaves_the_others_checked(tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    flip(folder / "labels-00000.h5", 0)
    code, report = verify(folder)
    assert error_rules(report) == ["M005", "S001"] and code == 5
    assert report["shards"] == 2 and report["images"] == 3 and not report["complete"]


def test_a_fatal_finding_makes_the_report_incomplete(tmp_path):
    make = next(make for r, v, make in BROKEN if (r, v) == ("S004", "trailing"))
    path = make(tmp_path)
    assert not verify(path)[1]["complete"]
    assert not verify(path, "--ignore", "S004")[1]["complete"]


@pytest.mark.parametrize("jobs", [1, 3, 16])
def test_threads_change_nothing(jobs, tmp_path):
    ids, stored = (array.copy() for array in Shard(rows=40).labels())
    ids[7:31:5, 0, 0, 0] = 11
    stored[3:, 2, 3] = stored[3:, 2, 3, ::-1]
    path = write_shard(tmp_path / "a.h5", rows=40, ids=ids, stored=stored)
    assert verify(path, "--jobs", 1) == verify(path, "--jobs", jobs)


# --------------------------------------------------------------------------------- rough treatment


@pytest.mark.parametrize("depth", [64, 1000, 1_000_000])
def test_deep_json_does_no_harm(depth, tmp_path):
    """A document nested without end must be refused, not followed."""
    nested = b'{"annotator":null,"classes":null,"x":' + b"[" * depth + b"]" * depth + b"}"
    shard = Shard(document=nested)
    if depth < 1_000_000:
        path = shard.write(tmp_path / "a.h5")
        code, report = verify(path)
        assert code in (0, 1) and error_rules(report) in ([], ["L013"])
        assert depth == 64 or error_rules(report) == ["L013"]
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    index = folder / "index.json"
    content = index.read_bytes()
    text = content[:-78].replace(b'"options":{', b'"options":{"a":' + b"[" * depth + b"]" * depth + b",") + b"}"
    index.write_bytes(seal(text))
    code, report = verify(folder)
    assert code in (0, 1, 5) and set(error_rules(report)) <= {"M002", "M003"}


def test_flipped_bits_of_a_small_shard_are_all_found(tmp_path):
    """One bit at each of many places of a file: all are found, but for those in unused space."""
    path = write_shard(
        tmp_path / "sound.h5", rows=2, height=1, width=2, k=2, images_per_chunk=1, rows_per_identity_chunk=2)
    content = path.read_bytes()
    damaged = {}
    for number, at in enumerate(range(0, len(content), 17)):
        copy = tmp_path / f"{at}.h5"
        copy.write_bytes(content)
        damaged[str(flip(copy, at, 1 << number % 8))] = at
    code, report = verify(*damaged)
    found = {finding["file"] for finding in report["findings"]}
    assert code == 5 and report["shards"] == len(damaged) and not report["failures"]
    silent = [at for copy, at in damaged.items() if copy not in found]
    unseen = [at for at in silent if not is_unused(content, at)]
    assert not unseen, f"silent at {unseen} of {len(content)}"


def is_unused(content, at):
    """True within a run of zeros, such as HDF5 leaves between blocks; no structure lies there."""
    return not any(content[at - 16 : at + 1]) or not any(content[at : at + 17])


@pytest.mark.parametrize("name", ["a.h5", "dataset/index.json", "dataset/labels-00001.h5"])
def test_a_pipe_is_not_waited_for(name, tmp_path):
    """A named pipe where a file should be: opening it would wait for a writer for ever."""
    write_dataset(tmp_path / "dataset", *two_shards())
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    path = tmp_path / name.split("/")[0]
    assert tool("relabel-verify", path, timeout=5).returncode in (4, 74)


def test_a_folder_in_place_of_a_shard(tmp_path):
    path = write_dataset(tmp_path / "dataset", *two_shards())
    (path / "labels-00001.h5").unlink()
    (path / "labels-00001.h5").mkdir()
    assert verify(path)[0] in (1, 74)


@pytest.mark.parametrize("count", [300, 2000])
def test_many_attributes_take_no_long_time(count, tmp_path):
    attributes = {f"x-{number}": str(number) for number in range(count)}
    path = write_shard(tmp_path / "a.h5", attributes=attributes)
    assert tool("relabel-verify", path, timeout=5).returncode in (0, 1, 4)
