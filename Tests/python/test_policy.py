"""Which findings count, and how much: patterns, configuration, baseline."""

import datetime
import json
import os
import re

import jsonschema
import pytest
from conftest import ROOT, tool
from rule_fixtures import write_shard
from shard_writer import Shard, two_shards, write_dataset
from test_reports import check_json, fixture, sarif, shard_with_classes_out_of_range

TODAY = datetime.datetime(2026, 7, 14, 23, 59, tzinfo=datetime.UTC)


def verify(folder, *arguments, today=TODAY):
    """Exit code and JSON report of a run on a stated day."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(today.timestamp()))}
    result = tool("relabel-verify", *arguments, "--format", "json", cwd=folder, env=environment)
    assert result.stdout, result.stderr
    report = json.loads(result.stdout)
    check_json(report)
    assert result.returncode == report["exit_code"]
    return report


def rules_of(findings):
    return sorted(finding["rule"] for finding in findings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An error in train/, a note in notes/ and in train/."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "train").mkdir()
    shard_with_classes_out_of_range(folder / "train/a.h5")
    (folder / "val").mkdir()
    shard_with_classes_out_of_range(folder / "val/a.h5")
    fixture("P001", folder / "notes")
    fixture("S001", folder / "stopped")
    return folder


def config(folder, *entries, **members):
    """A configuration file; documents that the program takes also meet the schema."""
    path = folder / "verify.json"
    path.write_text(json.dumps({"schema_version": "1.0", "rules": list(entries)} | members))
    return path


def silence(rule, **members):
    return {"rule": rule, "silence": True, "reason": "known", "until": "2026-07-14"} | members


# ------------------------------------------------------------------------- patterns on the command line


@pytest.mark.parametrize("arguments, counting", [
    ([], ["P001", "V001"]),
    (["--select", "V*"], ["V001"]),
    (["--select", "P*", "--select", "V00?"], ["P001", "V001"]),
    (["--select", "?001"], ["P001", "V001"]),
    (["--ignore", "V*"], ["P001"]),
    (["--ignore", "V001", "--ignore", "P*"], []),
    (["--select", "V*", "--ignore", "V001"], []),
    (["--select", "*"], ["P001", "V001"]),
])
def test_patterns(arguments, counting, folder):
    report = verify(folder, "train/a.h5", "notes/a.h5", *arguments)
    assert rules_of(report["findings"]) == counting
    assert rules_of(report["findings"] + report["silenced"]) == ["P001", "V001"]
    assert all(f["silenced_by"] == {"origin": "command-line"} for f in report["silenced"])
    assert report["exit_code"] == (1 if "V001" in counting else 0)


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize("pattern", ["Z999", "Z*", "", "V1", "v001", "V0[0]1", "V001 "])
def test_patterns_without_a_rule_are_refused(option, pattern, folder):
    result = tool("relabel-verify", folder / "train/a.h5", option, pattern)
    assert result.returncode == 64 and "list-rules" in result.stderr


@pytest.mark.parametrize("severity, path, code", [
    ("error", "train/a.h5", 1), ("warning", "train/a.h5", 1), ("note", "train/a.h5", 1),
    ("never", "train/a.h5", 0),
    ("error", "notes/a.h5", 0), ("warning", "notes/a.h5", 0), ("note", "notes/a.h5", 1),
    ("never", "notes/a.h5", 0),
    ("never", "stopped/a.h5", 3), ("never", "nowhere.h5", 74),
])
def test_fail_on(severity, path, code, folder):
    report = verify(folder, path, "--fail-on", severity)
    assert report["exit_code"] == code and report["options"]["fail_on"] == severity


def test_silence_does_not_make_a_check_complete(folder):
    report = verify(folder, "stopped/a.h5", "--ignore", "S001")
    assert (report["exit_code"], report["verdict"], report["complete"]) == (3, "incomplete", False)
    assert verify(folder, "stopped/a.h5", "--ignore", "S001", "--allow-incomplete")["exit_code"] == 0


def test_a_quick_check_is_not_complete(folder):
    report = verify(folder, "train/a.h5", "--level", "quick")
    assert (report["exit_code"], report["findings"]) == (3, [])
    assert report["omissions"] == ["--level quick reads no chunk and no digest"]
    assert verify(folder, "train/a.h5", "--level", "quick", "--allow-incomplete")["exit_code"] == 0


# ---------------------------------------------------------------------------------- the configuration

ACCEPTED = {
    "nothing": ([], 1, ["P001", "V001"]),
    "error to warning": ([{"rule": "V001", "severity": "warning"}], 0, ["P001", "V001"]),
    "note to error": ([{"rule": "P*", "severity": "error"}, silence("V001")], 1, ["P001"]),
    "the last rating holds": ([{"rule": "*", "severity": "note"}, {"rule": "V*", "severity": "error"}],
                              1, ["P001", "V001"]),
    "silence": ([silence("V001")], 0, ["P001"]),
    "silence of all": ([silence("?00?")], 0, []),
    "path": ([silence("V001", path="train/*")], 0, ["P001"]),
    "path of a file": ([silence("V001", path="train/a.h5")], 0, ["P001"]),
    "another path": ([silence("V001", path="val/*")], 1, ["P001", "V001"]),
    "a path is a whole path": ([silence("V001", path="train")], 1, ["P001", "V001"]),
    "brackets are themselves": ([silence("V001", path="[t]rain/*")], 1, ["P001", "V001"]),
    "still silent on the last day": ([silence("V001", until="2026-07-14")], 0, ["P001"]),
    "expired yesterday": ([silence("V001", until="2026-07-13")], 1, ["P001", "V001"]),
    "expired rating": ([{"rule": "V001", "severity": "note", "until": "2020-02-29"}], 1, ["P001", "V001"]),
    "rating with reason": ([{"rule": "V001", "severity": "note", "reason": "r", "until": "2030-01-01"}],
                           0, ["P001", "V001"]),
}


def schema_accepts(path):
    schema = json.loads((ROOT / "spec/verify-config.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return validator.is_valid(json.loads(path.read_text()))


@pytest.mark.parametrize("entries, code, counting", ACCEPTED.values(), ids=ACCEPTED)
def test_configuration(entries, code, counting, folder, tmp_path):
    path = config(tmp_path, *entries)
    assert schema_accepts(path)
    report = verify(folder, "train/a.h5", "notes/a.h5", "--config", path)
    assert (report["exit_code"], rules_of(report["findings"])) == (code, counting)
    assert rules_of(report["findings"] + report["silenced"]) == ["P001", "V001"]


def test_ratings_show(folder, tmp_path):
    path = config(tmp_path, {"rule": "V001", "severity": "warning"}, {"rule": "P001", "severity": "error"})
    report = verify(folder, "train/a.h5", "notes/a.h5", "--config", path)
    assert [(f["rule"], f["severity"]) for f in report["findings"]] == [("V001", "warning"), ("P001", "error")]
    assert report["counts"] == {"error": 1, "warning": 1, "note": 0, "silenced": 0}
    assert (report["verdict"], report["exit_code"]) == ("findings", 1)


def test_silenced_findings_say_why(folder, tmp_path):
    path = config(tmp_path, silence("V00?", reason="old annotator", until="2027-01-31"))
    report = verify(folder, "train/a.h5", "--config", path)
    (silenced,) = report["silenced"]
    assert silenced["silenced_by"] == {
        "origin": "configuration", "reason": "old annotator", "until": "2027-01-31"}
    text = tool("relabel-verify", "train/a.h5", "--config", path, cwd=folder)
    assert text.returncode == 0 and "V001" not in text.stdout and "1 silenced" in text.stdout
    (result,) = sarif(folder, "--config", path, paths=["train/a.h5"])["results"]
    assert result["suppressions"][0]["justification"] == "old annotator (until 2027-01-31)"
    xml = tool("relabel-verify", "train/a.h5", "--config", path, "--format", "junit", cwd=folder).stdout
    assert '<skipped message="old annotator (until 2027-01-31)">' in xml
    hub = tool("relabel-verify", "train/a.h5", "--config", path, "--format", "github", cwd=folder).stdout
    assert hub.startswith("sound: ")


def test_expired_entries_are_named(folder, tmp_path):
    path = config(tmp_path, silence("V*", path="train/*", reason="just {1} week", until="2026-07-13"),
                  {"rule": "P001", "severity": "error", "until": "2026-01-01"})
    report = verify(folder, "train/a.h5", "notes/a.h5", "--config", path)
    assert report["remarks"] == [
        "the silence of V* in 'train/*' ended on 2026-07-13 (just {1} week)",
        "the rating of P001 ended on 2026-01-01",
    ]
    assert report["exit_code"] == 1 and report["complete"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(TODAY.timestamp()))}
    for format in ("text", "ndjson", "sarif", "junit", "github"):
        output = tool("relabel-verify", "train/a.h5", "--config", path, "--format", format, cwd=folder,
                      env=environment).stdout
        assert "ended on 2026-07-13" in output, format


def test_fail_on_in_the_configuration(folder, tmp_path):
    path = config(tmp_path, fail_on="note")
    assert schema_accepts(path)
    assert verify(folder, "notes/a.h5", "--config", path)["exit_code"] == 1
    assert verify(folder, "notes/a.h5", "--config", path, "--fail-on", "error")["exit_code"] == 0


@pytest.mark.parametrize("severity", ["warning", "silence"])
@pytest.mark.parametrize("rule", ["S001", "C011", "C012", "L002"])
def test_grave_rules_may_be_rated_but_the_check_stays_incomplete(rule, severity, tmp_path):
    path = fixture(rule, tmp_path / "broken")
    entry = silence(rule) if severity == "silence" else {"rule": rule, "severity": severity}
    report = verify(tmp_path, path, "--config", config(tmp_path, entry))
    assert (report["exit_code"], report["complete"]) == (3, False)


@pytest.mark.parametrize("document", ["spec/rules.md", "samples/ci/README.md"])
def test_the_documents_show_configurations_that_work(document, folder, tmp_path):
    (example,) = re.findall(r"^```json\n(.*?)```", (ROOT / document).read_text(), re.M | re.S)
    path = tmp_path / "verify.json"
    path.write_text(example)
    assert schema_accepts(path)
    assert verify(folder, "train/a.h5", "--config", path)["exit_code"] == 1


REFUSED = {
    "not JSON": ("{", "not a JSON document"),
    "a list": ("[]", "the configuration is not an object"),
    "a name twice": ('{"schema_version": "1.0", "rules": [], "rules": []}', "twice"),
    "no version": ({}, "schema_version"),
    "another version": ({"schema_version": "2.0"}, "schema_version"),
    "version of another type": ({"schema_version": 1}, "string"),
    "unknown member": ({"schema_version": "1.0", "rulse": []}, "unknown member 'rulse'"),
    "unknown fail_on": ({"schema_version": "1.0", "fail_on": "fatal"}, "fail_on 'fatal'"),
    "fail_on of another type": ({"schema_version": "1.0", "fail_on": 1}, "'fail_on'"),
    "rules of another type": ({"schema_version": "1.0", "rules": {}}, "needs a list as 'rules'"),
    "entry of another type": (["V001"], "rules[0] is not an object"),
    "unknown member of an entry": ([silence("V001", unitl="2027-01-01")], "rules[0] has an unknown member 'unitl'"),
    "no rule": ([{"severity": "note"}], "needs a rule"),
    "rule of another type": ([{"rule": ["V001"], "severity": "note"}], "'rule'"),
    "neither rating nor silence": ([{"rule": "V001"}], "either a severity or silence"),
    "rating and silence": ([silence("V001", severity="note")], "either a severity or silence"),
    "silence false": ([silence("V001", silence=False)], "'silence' that is not true"),
    "silence of another type": ([silence("V001", silence="yes")], "'silence' that is not true"),
    "unknown severity": ([{"rule": "V001", "severity": "fatal"}], "the severity 'fatal'"),
    "severity of another type": ([{"rule": "V001", "severity": 3}], "'severity'"),
    "path of another type": ([silence("V001", path=3)], "'path'"),
    "silence without a reason": ([{"rule": "V001", "silence": True, "until": "2027-01-01"}], "a reason"),
    "silence with an empty reason": ([silence("V001", reason="")], "a reason"),
    "silence without an end": ([{"rule": "V001", "silence": True, "reason": "r"}], "'until'"),
    "no day": ([silence("V001", until="2027-02-29")], "not a date"),
    "day without zeros": ([silence("V001", until="2027-1-31")], "not a date"),
    "day with time": ([silence("V001", until="2027-01-31T00:00")], "not a date"),
    "day of another type": ([silence("V001", until=20270131)], "'until'"),
    "second entry": ([silence("V001"), {"rule": "V001"}], "rules[1]"),
}
NOT_IN_THE_SCHEMA = {"a name twice"}


@pytest.mark.parametrize("name", REFUSED)
def test_a_configuration_that_is_refused(name, folder, tmp_path):
    document, told = REFUSED[name]
    path = tmp_path / "verify.json"
    if isinstance(document, list):
        document = {"schema_version": "1.0", "rules": document}
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    result = tool("relabel-verify", folder / "train/a.h5", "--config", path)
    assert result.returncode == 64 and told in result.stderr and str(path) in result.stderr
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1
    if name not in NOT_IN_THE_SCHEMA and name != "not JSON":
        assert not schema_accepts(path)


def test_a_configuration_for_a_rule_that_is_not_there(folder, tmp_path):
    """What rules there are, the schema does not know."""
    path = config(tmp_path, silence("Z*"))
    assert schema_accepts(path)
    result = tool("relabel-verify", folder / "train/a.h5", "--config", path)
    assert result.returncode == 64 and "rules[0] is about 'Z*', but there is no such rule" in result.stderr


@pytest.mark.parametrize("option", ["--config", "--baseline"])
def test_a_file_that_is_not_there(option, folder):
    result = tool("relabel-verify", folder / "train/a.h5", option, "nowhere.json")
    assert result.returncode == 74 and "nowhere.json" in result.stderr


# -------------------------------------------------------------------------------------- the baseline


def baseline(folder, tmp_path, *arguments):
    path = tmp_path / "baseline.json"
    tool("relabel-verify", *arguments, "--format", f"json={path}", cwd=folder)
    return path


def test_what_was_known_does_not_count(folder, tmp_path):
    known = baseline(folder, tmp_path, "train/a.h5", "notes/a.h5")
    report = verify(folder, "train/a.h5", "notes/a.h5", "--baseline", known)
    assert (report["exit_code"], report["findings"], report["absent"]) == (0, [], [])
    assert [(f["rule"], f["silenced_by"]["origin"], f["baseline_state"]) for f in report["silenced"]] == [
        ("V001", "baseline", "unchanged"), ("P001", "baseline", "unchanged")]


def test_what_is_new_counts(folder, tmp_path):
    known = baseline(folder, tmp_path, "train/a.h5")
    report = verify(folder, "train/a.h5", "val/a.h5", "--baseline", known)
    assert report["exit_code"] == 1
    assert [(f["file"], f["baseline_state"]) for f in report["findings"]] == [("val/a.h5", "new")]
    assert [f["file"] for f in report["silenced"]] == ["train/a.h5"]


def test_a_baseline_may_be_renewed(folder, tmp_path):
    """The report of a run with a baseline is as good as one without."""
    known = baseline(folder, tmp_path, "train/a.h5")
    known = baseline(folder, tmp_path, "train/a.h5", "--baseline", known)
    assert verify(folder, "train/a.h5", "--baseline", known)["exit_code"] == 0


def test_a_baseline_does_not_prolong_a_silence(folder, tmp_path):
    known = baseline(folder, tmp_path, "train/a.h5", "--ignore", "V001")
    report = verify(folder, "train/a.h5", "--baseline", known)
    assert report["exit_code"] == 1 and report["findings"][0]["baseline_state"] == "unchanged"


def shard_with_bad_classes(path, count):
    ids, stored = (array.copy() for array in Shard().labels())
    ids[:count, 0, 0], stored[:count, 0, 0] = [10, 1, 2], [900, 800, 700]
    return write_shard(path, ids=ids, stored=stored)


@pytest.mark.parametrize("before, after, state, code", [
    (2, 1, "unchanged", 0), (2, 2, "unchanged", 0), (2, 3, "updated", 1),
])
def test_more_places_count(before, after, state, code, tmp_path):
    shard_with_bad_classes(tmp_path / "a.h5", before)
    known = baseline(tmp_path, tmp_path, "a.h5")
    shard_with_bad_classes(tmp_path / "a.h5", after)
    report = verify(tmp_path, "a.h5", "--baseline", known)
    (finding,) = report["findings"] + report["silenced"]
    assert (finding["baseline_state"], report["exit_code"]) == (state, code)


def test_what_is_gone_is_named(folder, tmp_path):
    shard_with_bad_classes(tmp_path / "a.h5", 2)
    known = baseline(tmp_path, tmp_path, "a.h5")
    write_shard(tmp_path / "a.h5")
    report = verify(tmp_path, "a.h5", "--baseline", known)
    (absent,) = report["absent"]
    assert (absent["rule"], absent["baseline_state"], absent["count"]) == ("V001", "absent", 2)
    (result,) = sarif(tmp_path, "--baseline", known, paths=["a.h5"])["results"]
    assert (result["ruleId"], result["baselineState"]) == ("V001", "absent")
    text = tool("relabel-verify", "a.h5", "--baseline", known, cwd=tmp_path).stdout
    assert text == "sound: 1 shard, 5 images checked; 1 of the baseline is gone\n"


def test_nothing_is_called_gone_that_was_not_looked_for(folder, tmp_path):
    """Other files, and checks that are not complete, prove nothing."""
    known = baseline(folder, tmp_path, "train/a.h5")
    assert verify(folder, "notes/a.h5", "--baseline", known)["absent"] == []
    assert verify(folder, "train/a.h5", "--level", "quick", "--baseline", known)["absent"] == []


def test_sarif_states_of_a_baseline(folder, tmp_path):
    known = baseline(folder, tmp_path, "train/a.h5")
    results = sarif(folder, "--baseline", known, paths=["train/a.h5", "val/a.h5"])["results"]
    assert [(r["baselineState"], "suppressions" in r) for r in results] == [("new", False), ("unchanged", True)]
    assert all("baselineState" not in r for r in sarif(folder, paths=["train/a.h5"])["results"])


@pytest.mark.parametrize("content, told", [
    ("{", "not a report"), ("{}", "not a report"), ('{"tool": {"name": "other"}}', "not a report"),
])
def test_a_baseline_that_is_no_report(content, told, folder, tmp_path):
    (tmp_path / "a.json").write_text(content)
    result = tool("relabel-verify", folder / "train/a.h5", "--baseline", tmp_path / "a.json")
    assert result.returncode == 64 and told in result.stderr and "a.json" in result.stderr


def test_a_baseline_with_a_finding_that_is_none(folder, tmp_path):
    known = baseline(folder, tmp_path, "train/a.h5")
    report = json.loads(known.read_text())
    del report["findings"][0]["message"]
    known.write_text(json.dumps(report))
    result = tool("relabel-verify", folder / "train/a.h5", "--baseline", known)
    assert result.returncode == 64 and "can't be read" in result.stderr


def test_a_report_that_leaves_findings_out_is_no_baseline(folder, tmp_path):
    known = baseline(folder, tmp_path, "train/a.h5", "--max-findings", "0")
    result = tool("relabel-verify", folder / "train/a.h5", "--baseline", known)
    assert result.returncode == 64 and "without --max-findings" in result.stderr


def test_a_dataset_and_its_baseline(tmp_path):
    """Findings of the index and of shards, in one folder."""
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    (folder / "stray.h5").touch()
    known = baseline(tmp_path, tmp_path, "dataset")
    report = verify(tmp_path, folder, "--baseline", known)
    assert report["exit_code"] == 0 and rules_of(report["silenced"]) == ["M004"]
