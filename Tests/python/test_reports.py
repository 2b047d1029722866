"""The reports of the verifier: each format holds the same, whatever files are called."""

import hashlib
import json
import os
import pty
import re
import subprocess
import urllib.parse
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest
from all_fixtures import BROKEN
from conftest import BIN, ROOT, tool
from rule_fixtures import write_shard
from shard_writer import Shard, two_shards, write_dataset

FORMATS = ["text", "json", "ndjson", "sarif", "junit", "github"]
HOSTILE = 'a"<&>\'%,:;=\n\t\x1b[31m é{0} ::error::.h5'


def fixture(rule, folder):
    folder.mkdir()
    return next(make for r, _, make in BROKEN if r == rule)(folder)


def shard_with_classes_out_of_range(path):
    """V001 in all cells of one column of three images."""
    ids, stored = (array.copy() for array in Shard().labels())
    ids[2:, 0, :, 0], stored[2:, 0, :] = 10, [900, 800, 700]
    return write_shard(path, ids=ids, stored=stored)


def shard_with_one_score(path):
    """V012: all scores of one map are the same."""
    ids, stored = (array.copy() for array in Shard().labels())
    ids[1].sort(axis=-1)
    stored[1] = 500
    return write_shard(path, ids=ids, stored=stored)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with something for every part of a report."""
    folder = tmp_path_factory.mktemp("reports")
    shard_with_classes_out_of_range(folder / HOSTILE)
    shard_with_one_score(folder / "warning.h5")
    fixture("P001", folder / "notes")
    fixture("P001", folder / "more notes")
    fixture("S001", folder / "stopped")
    write_dataset(folder / "dataset", *two_shards())
    return folder


PATHS = [HOSTILE, "warning.h5", "notes/a.h5", "more notes/a.h5", "stopped/a.h5", "dataset", "nowhere.h5"]
IGNORED = ["--ignore", "S00?"]


def run(folder, *arguments, paths=PATHS, **options):
    return tool("relabel-verify", *paths, *arguments, cwd=folder, **options)


def json_report(folder, *arguments, **options):
    result = run(folder, "--format", "json", *arguments, **options)
    assert result.stdout, result.stderr
    return json.loads(result.stdout)


def lines_of(result):
    return result.stdout.splitlines()


# -------------------------------------------------------------------------------------------- text


def test_text(folder):
    """One line for each finding, the same note of two files once, then the verdict."""
    result = run(folder, *IGNORED)
    assert result.returncode == 74 and result.stderr == ""
    name = HOSTILE.replace("\n", "\\n").replace("\t", "\\t").replace("\x1b", "\\u{1b}")
    assert lines_of(result) == [
        f"{name}, class_index, image 'train/n0002', cell (0, 0): error V001: in 12 places of 3 images, first: "
        "class ids [10, 9, 4] are not all below 10",
        "warning.h5, score, image 'train/n0001': warning V012: every score of the map is -126.046875",
        "notes/a.h5: note P001: in 2 files, first here: the dataset does not say which annotator made these maps "
        "(--annotator)",
        "nowhere.h5: can't be opened: No such file or directory",
        "not checked: stopped/a.h5: a finding stopped the check before its end",
        "failed: 7 shards, 28 images checked; 1 error, 1 warning, 2 notes; 1 silenced; not everything was checked",
    ]


def test_text_of_sound_files(folder):
    result = run(folder, paths=["dataset"])
    assert (result.returncode, result.stdout) == (0, "sound: 2 shards, 8 images checked\n")


def test_repeats_in_whole_images_are_counted_as_images(tmp_path):
    keys = [f"{number:04}".encode() for number in range(5)]
    keys[1] = keys[2] = b"../x"
    path = write_shard(tmp_path / "a.h5", keys=keys)
    assert "in 2 images, first: " in tool("relabel-verify", path, "--select", "V010").stdout


def test_quiet(folder):
    """Only what makes the exit code fail; nothing for a success."""
    assert run(folder, "--quiet", paths=["dataset", "notes/a.h5"]).stdout == ""
    broken = run(folder, "--quiet", paths=[HOSTILE, "notes/a.h5"])
    assert broken.returncode == 1 and len(lines_of(broken)) == 1 and " V001: " in broken.stdout
    stopped = run(folder, "--quiet", *IGNORED, paths=["stopped/a.h5"])
    assert stopped.returncode == 3 and stopped.stdout.startswith("not checked: stopped/a.h5")
    assert run(folder, "--quiet", *IGNORED, "--allow-incomplete", paths=["stopped/a.h5"]).stdout == ""


def on_terminal(folder, *arguments, **environment):
    """The output of the tool on a terminal."""
    ours, theirs = pty.openpty()
    command = [BIN / "relabel-verify", *arguments]
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm"} | environment
    process = subprocess.Popen(command, cwd=folder, stdout=theirs, env=environment)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # the other end is closed
        pass
    process.wait()
    os.close(ours)
    return text.decode()


def test_colour_is_for_terminals(folder):
    coloured = on_terminal(folder, "notes/a.h5")
    assert "\x1b[1;36mnote P001\x1b[m" in coloured and "\x1b[1;32msound\x1b[m" in coloured
    assert "\x1b" not in on_terminal(folder, "notes/a.h5", NO_COLOR="1")
    assert "\x1b" not in on_terminal(folder, "notes/a.h5", TERM="dumb")
    assert "\x1b" not in run(folder, paths=["notes/a.h5"]).stdout


# -------------------------------------------------------------------------------------------- JSON


def report_schema():
    return json.loads((ROOT / "spec" / "report.schema.json").read_text())


def closed(schema):
    """The schema without room for members that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    return parts | {"additionalProperties": False} if "properties" in schema else parts


def check_json(report):
    jsonschema.Draft202012Validator(
        closed(report_schema()), format_checker=jsonschema.FormatChecker()).validate(report)


@pytest.mark.parametrize("arguments", [[], IGNORED, ["--level", "quick"], ["--max-findings", "1"]])
def test_json_meets_its_schema(arguments, folder):
    check_json(json_report(folder, *arguments))


def test_json_of_sound_files_meets_its_schema(folder):
    report = json_report(folder, paths=["dataset"])
    check_json(report)
    assert (report["verdict"], report["exit_code"], report["complete"]) == ("sound", 0, True)
    index, first, second = report["files"]
    assert (index["kind"], index["path"]) == ("index", "dataset/index.json")
    assert (first["kind"], first["images"], first["stopped"]) == ("shard", 5, False)
    content = (folder / "dataset/labels-00001.h5").read_bytes()
    assert (second["bytes"], second["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_json_says_what_was_not_done(folder):
    report = json_report(folder, *IGNORED)
    assert report["counts"] == {"error": 1, "warning": 1, "note": 2, "silenced": 1}
    assert report["failures"] == ["nowhere.h5: can't be opened: No such file or directory"]
    assert report["omissions"] == ["stopped/a.h5: a finding stopped the check before its end"]
    assert report["options"]["ignore"] == ["S00?"] and report["options"]["level"] == "full"
    (silenced,) = report["silenced"]
    assert (silenced["rule"], silenced["silenced_by"]) == ("S001", {"origin": "command-line"})
    assert [file["path"] for file in report["files"] if file["stopped"]] == ["stopped/a.h5"]


def test_a_finding_says_how_to_mend_it(folder):
    finding = json_report(folder, paths=[HOSTILE])["findings"][0]
    assert finding["specification"] == "section 7.1"
    assert finding["suggestion"].startswith("Check the annotator's ids")
    wanted = f"V001\n{HOSTILE}\nclass_index"
    assert finding["fingerprint"] == hashlib.sha256(wanted.encode()).hexdigest()


def test_fingerprints_do_not_depend_on_how_a_file_is_reached(folder):
    ways = ["notes/a.h5", "./notes/../notes//a.h5", folder / "notes/a.h5"]
    prints = {json_report(folder, paths=[way])["findings"][0]["fingerprint"] for way in ways}
    assert len(prints) == 1


def test_lines_hold_what_json_holds(folder):
    """One line for each finding, and all else in the last."""
    lines = [json.loads(line) for line in lines_of(run(folder, "--format", "ndjson", *IGNORED))]
    report = json_report(folder, *IGNORED)
    assert [line.pop("type") for line in lines] == ["finding"] * 5 + ["summary"]
    assert lines[:-1] == report.pop("findings") + report.pop("silenced")
    assert lines[-1] == report


# ------------------------------------------------------------------------------------------- SARIF


def sarif(folder, *arguments, **options):
    report = json.loads(run(folder, "--format", "sarif", *arguments, **options).stdout)
    schema = json.loads((ROOT / "Tests/python/fixtures/sarif-schema-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(report)
    (only,) = report["runs"]
    return only


def uri(location):
    return location["physicalLocation"]["artifactLocation"]["uri"]


def test_sarif_results(folder):
    report = sarif(folder, *IGNORED)
    rules = report["tool"]["driver"]["rules"]
    results = report["results"]
    assert [r["ruleId"] for r in results] == ["V001", "V012", "P001", "P001", "S001"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in results)
    assert [r["level"] for r in results] == ["error", "warning", "note", "note", "error"]
    (location,) = results[0]["locations"]
    assert urllib.parse.unquote(uri(location)) == HOSTILE
    assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri(location))
    assert location["logicalLocations"] == [{"fullyQualifiedName": "/class_index[2, 0, 0]"}]
    assert results[0]["occurrenceCount"] == 12
    fingerprints = [r["partialFingerprints"]["findingPlace/v1"] for r in results]
    assert fingerprints[0] == json_report(folder, paths=[HOSTILE])["findings"][0]["fingerprint"]
    assert len(set(fingerprints)) == 5
    (suppression,) = results[4]["suppressions"]
    assert suppression["kind"] == "external" and "command line" in suppression["justification"]
    assert not any("suppressions" in r for r in results[:4])


def test_sarif_rules(folder):
    rules = sarif(folder, paths=["dataset"])["tool"]["driver"]["rules"]
    listed = json.loads(tool("relabel-verify", "list-rules", "--format", "json").stdout)
    assert [(r["id"], r["shortDescription"]["text"], r["defaultConfiguration"]["level"]) for r in rules] == [
        (r["id"], r["title"], r["severity"]) for r in listed]
    assert all("Fix: " in rule["help"]["text"] for rule in rules)


def test_sarif_invocation(folder):
    (invocation,) = sarif(folder, *IGNORED)["invocations"]
    assert invocation["exitCode"] == 74 and invocation["executionSuccessful"] is False
    notices = [(n["level"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]]
    assert notices == [
        ("error", "nowhere.h5: can't be opened: No such file or directory"),
        ("warning", "not checked: stopped/a.h5: a finding stopped the check before its end"),
    ]
    (invocation,) = sarif(folder, paths=["dataset"])["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (0, True)


def test_sarif_doubles_braces(tmp_path):
    """A brace alone would begin an argument of the message."""
    path = write_shard(tmp_path / "a.h5", attributes={"{0}": "x"})
    (result,) = sarif(tmp_path, paths=[path])["results"]
    assert "{{0}}" in result["message"]["text"]


def test_sarif_names_files_elsewhere_by_their_whole_path(folder, tmp_path):
    (result,) = sarif(tmp_path, paths=[folder / "notes/a.h5"])["results"]
    assert uri(result["locations"][0]) == f"file://{folder}/notes/a.h5"


# ------------------------------------------------------------------------------------------- JUnit


def junit(folder, *arguments, **options):
    return ElementTree.fromstring(run(folder, "--format", "junit", *arguments, **options).stdout)


def cases(root, suite, kind):
    """Rules with an element of a kind in a suite."""
    found = root.findall("testsuite")
    (found,) = [s for s in found if s.get("name") == suite]
    return [case.get("name")[:4] for case in found.findall("testcase") if case.find(kind) is not None]


def test_junit_has_a_case_for_each_rule_and_file(folder):
    root = junit(folder, paths=["dataset"])
    listed = [r["id"] for r in json.loads(tool("relabel-verify", "list-rules", "--format", "json").stdout)]
    suites = root.findall("testsuite")
    assert [s.get("name") for s in suites] == [
        "relabel-verify", "dataset/index.json", "dataset/labels-00000.h5", "dataset/labels-00001.h5"]
    rules = [[case.get("name")[:4] for case in suite] for suite in suites[1:]]
    assert rules[0] == [rule for rule in listed if rule[0] == "M"]
    assert rules[1] == rules[2] == [rule for rule in listed if rule[0] in "SCLVP"]
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "0", "0")
    assert int(root.get("tests")) == sum(map(len, rules)) + 1


def test_junit_results(folder):
    root = junit(folder, *IGNORED)
    name = HOSTILE.replace("\t", "\\t").replace("\x1b", "\\u{1b}")
    assert cases(root, name, "failure") == ["V001"] and cases(root, name, "skipped") == []
    (failure,) = [f for f in root.iter("failure") if f.get("type") == "error"]
    assert failure.get("message").startswith("in 12 places of 3 images, first: class ids [10")
    assert cases(root, "warning.h5", "system-out") == ["V012"]
    assert cases(root, "notes/a.h5", "system-out") == ["P001"]
    assert cases(root, "notes/a.h5", "failure") == []
    assert len(cases(root, "stopped/a.h5", "skipped")) == len(root.findall("testsuite")[-1])
    assert cases(root, "relabel-verify", "error") == ["nowh"] and root.get("errors") == "1"
    assert cases(root, "relabel-verify", "failure") == ["the "] and root.get("failures") == "2"
    for suite in root:
        for kind in ("failure", "error", "skipped"):
            assert int(suite.get({"failure": "failures", "error": "errors"}.get(kind, kind))) == len(
                cases(root, suite.get("name"), kind))


def test_junit_fails_as_the_exit_code_does(folder):
    assert junit(folder, paths=["notes/a.h5"]).get("failures") == "0"
    assert junit(folder, "--fail-on", "note", paths=["notes/a.h5"]).get("failures") == "1"
    allowed = junit(folder, *IGNORED, "--allow-incomplete", paths=["stopped/a.h5"])
    assert allowed.get("failures") == "0" and cases(allowed, "relabel-verify", "skipped") == ["the "]


def test_a_path_given_twice_is_one_suite(folder):
    root = junit(folder, paths=["notes/a.h5", "notes/a.h5"])
    assert [suite.get("name") for suite in root] == ["relabel-verify", "notes/a.h5"]


def test_junit_of_a_quick_check(folder):
    root = junit(folder, "--level", "quick", paths=["dataset"])
    assert "V001" in cases(root, "dataset/labels-00000.h5", "skipped")
    assert "C001" not in cases(root, "dataset/labels-00000.h5", "skipped")
    assert "M005" in cases(root, "dataset/index.json", "skipped")


# ------------------------------------------------------------------------------------------ GitHub


def commands(result):
    """The workflow commands of an output as a runner reads them: command, properties, message."""

    def plain(text, *more):
        for code, character in [*more, ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]:
            text = text.replace(code, character)
        return text

    found = []
    for line in lines_of(result):
        match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
        if match:
            pairs = (pair.split("=", 1) for pair in match[2].split(","))
            properties = {name: plain(value, ("%3A", ":"), ("%2C", ",")) for name, value in pairs}
            found.append((match[1], properties, plain(match[3])))
    return found


def test_github(folder):
    result = run(folder, "--format", "github", *IGNORED)
    found = commands(result)
    assert [(name, properties["title"][:12]) for name, properties, _ in found] == [
        ("error", "V001 Every c"), ("warning", "V012 The sco"), ("notice", "P001 The ann"), ("notice", "P001 The ann"),
        ("error", "verification"), ("warning", "not checked"),
    ]
    name = HOSTILE.replace("\t", "\\t").replace("\x1b", "\\u{1b}")
    assert [properties.get("file") for _, properties, _ in found[:4]] == [
        name, "warning.h5", "notes/a.h5", "more notes/a.h5"]
    assert found[0][2].startswith("in 12 places of 3 images, first: class ids [10")
    assert "cell (0, 0)" in found[0][2]
    assert len(lines_of(result)) == 7 and lines_of(result)[-1].startswith("failed: 7 shards")


# ------------------------------------------------------------------------------------ hostile names


@pytest.mark.parametrize("format", FORMATS)
def test_hostile_names_stay_in_their_place(format, folder):
    """No line and no control character comes from a name; what comes out can be read back."""
    result = run(folder, "--format", format, paths=[HOSTILE])
    assert result.returncode == 1 and "\x1b" not in result.stdout
    assert not any(line.startswith("::error::") for line in lines_of(result))
    if format == "text":
        assert len(lines_of(result)) == 2


@pytest.mark.parametrize("format", FORMATS)
def test_names_that_are_no_text(format, tmp_path):
    """A byte that is not UTF-8 in the name of a stray shard."""
    write_dataset(tmp_path / "dataset", *two_shards())
    with open(os.path.join(os.fsencode(tmp_path), b"dataset", b"stray-\xff.h5"), "wb"):
        pass
    result = run(tmp_path, "--format", format, paths=["dataset"])
    # JSON and what is made of it escape the backslash.
    shown = r"stray-\xff.h5" if format in ("text", "junit", "github") else r"stray-\\xff.h5"
    assert result.returncode == 1 and "M004" in result.stdout and shown in result.stdout
    if format == "junit":
        ElementTree.fromstring(result.stdout)
    elif format in ("json", "sarif"):
        json.loads(result.stdout)


def test_a_path_that_is_no_text(tmp_path):
    result = subprocess.run(
        [BIN / "relabel-verify", os.fsencode(tmp_path) + b"/\xff.h5", "--format", "json"], capture_output=True)
    assert result.returncode == 64 and b"\\xff.h5' is not UTF-8" in result.stderr


# --------------------------------------------------------------------------------- where reports go


def test_all_formats_at_once(folder, tmp_path):
    """One is printed, the others go to files; each is what it would be alone."""
    files = [f"{format}={tmp_path / format}" for format in FORMATS]
    arguments = [word for file in files for word in ("--format", file)]
    result = run(folder, *IGNORED, *arguments, "--format", "github")
    assert result.returncode == 74
    for format in FORMATS:
        alone = run(folder, *IGNORED, "--format", format)
        assert (tmp_path / format).read_text() == alone.stdout and alone.returncode == 74
    assert result.stdout == (tmp_path / "github").read_text()
    assert sorted(os.listdir(tmp_path)) == sorted(FORMATS)


def test_text_is_printed_beside_files(folder, tmp_path):
    result = run(folder, "--format", f"json={tmp_path / 'a'}", paths=["dataset"])
    assert result.stdout == "sound: 2 shards, 8 images checked\n"
    result = run(folder, "--format", f"json={tmp_path / 'a'}", "--quiet", paths=["dataset"])
    assert result.stdout == "" and json.loads((tmp_path / "a").read_text())["verdict"] == "sound"


def test_standard_output_has_a_name(folder):
    assert json.loads(run(folder, "--format", "json=-", paths=["dataset"]).stdout)["exit_code"] == 0


def test_a_report_takes_the_place_of_an_older_one(folder, tmp_path):
    (tmp_path / "a.json").write_text("old")
    assert run(folder, "--format", f"json={tmp_path / 'a.json'}", paths=["dataset"]).returncode == 0
    assert json.loads((tmp_path / "a.json").read_text())["verdict"] == "sound"


def test_devices_and_pipes_keep_their_place(folder, tmp_path):
    assert run(folder, "--format", "json=/dev/null", paths=["dataset"]).returncode == 0
    assert not os.path.isfile("/dev/null")
    result = run(folder, "--format", "json=/dev/stderr", paths=["dataset"])
    assert json.loads(result.stderr)["verdict"] == "sound" and result.stdout.startswith("sound: ")


@pytest.mark.parametrize("name", ["nowhere/report.json", "folder", "file/report.json"])
def test_a_report_that_cannot_be_written(name, folder, tmp_path):
    """It is found out before the files are read, and says which."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    result = run(folder, "--format", f"json={tmp_path / name}", paths=["dataset"])
    assert result.returncode == 74 and str(tmp_path / name) in result.stderr and result.stdout == ""


def test_a_full_disk_is_told(folder):
    result = run(folder, "--format", "json=/dev/full", paths=["dataset"])
    assert result.returncode == 74 and "/dev/full: can't be written: No space left" in result.stderr
    assert result.stdout.startswith("sound: ")


@pytest.mark.parametrize("arguments, told", [
    (["--format", "json", "--format", "text"], "Only one report can be printed"),
    (["--format", "json=a", "--format", "text=a"], "a file of its own"),
    (["--format", "json="], "json="),
    (["--format", "xml=a"], "xml=a"),
    (["--format", "json=dataset/index.json"], "a name for labels"),
    (["--format", "json=other.h5"], "a name for labels"),
    (["--format", "json=dataset"], "a name for labels"),
    (["--max-findings", "-1"], "max-findings"),
    (["--sample", "0"], "--sample"),
    (["--sample", "5", "--level", "quick"], "--level quick"),
    (["--level", "deep"], "deep"),
])
def test_wrong_use(arguments, told, folder):
    result = run(folder, *arguments, paths=["dataset"])
    assert result.returncode == 64 and told in result.stderr and result.stdout == ""


# ------------------------------------------------------------------------------------ max-findings


@pytest.mark.parametrize("limit, rules, cut, cut_silenced", [
    (0, [], 3, 1), (1, ["V001"], 2, 1), (2, ["P001", "V001"], 1, 1), (3, ["P001", "P001", "V001"], 0, 1),
    (4, ["P001", "P001", "V001", "S001"], 0, 0),
])
def test_the_gravest_are_listed(limit, rules, cut, cut_silenced, folder):
    paths = ["notes/a.h5", "more notes/a.h5", HOSTILE, "stopped/a.h5"]
    arguments = [*IGNORED, "--max-findings", limit]
    report = json_report(folder, *arguments, paths=paths)
    assert [f["rule"] for f in report["findings"] + report["silenced"]] == sorted(rules[:3]) + rules[3:]
    assert report["not_listed"] == {"findings": cut, "silenced": cut_silenced}
    assert report["counts"] == {"error": 1, "warning": 0, "note": 2, "silenced": 1}
    assert report["exit_code"] == 1


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_what_it_does_not_list(format, folder):
    result = run(folder, "--max-findings", 0, "--format", format, paths=[HOSTILE])
    assert result.returncode == 1 and "class ids 10" not in result.stdout
    told = '"findings":1' if format in ("json", "ndjson") else "1 finding not listed (--max-findings)"
    assert told in (result.stdout.replace(" ", "").replace("\n", "") if format == "json" else result.stdout)
    if format == "junit":
        assert cases(ElementTree.fromstring(result.stdout), HOSTILE.replace("\t", "\\t").replace(
            "\x1b", "\\u{1b}"), "failure") == ["V001"]


# -------------------------------------------------------------------------------------- the rule book


def rules():
    return json.loads(tool("relabel-verify", "list-rules", "--format", "json").stdout)


def test_the_rule_book_is_complete():
    for rule in rules():
        for member in ("meaning", "why", "specification", "fix"):
            assert len(rule[member]) > 5 and "*" not in rule[member], rule
        assert (ROOT / "spec" / rule["fixture"]).is_dir()
        assert rule["specification"].startswith("section") and not rule["specification"].endswith(".")
        assert "\n" not in rule["meaning"] and rule["stage"] in (
            "bytes", "container", "layout", "values", "dataset", "images", "provenance")


def test_rules_are_listed():
    lines = lines_of(tool("relabel-verify", "list-rules"))
    assert [line.split()[:2] for line in lines] == [[rule["id"], rule["severity"]] for rule in rules()]
    assert all(line.endswith(rule["title"]) for line, rule in zip(lines, rules()))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["id"])
def test_rules_are_explained(rule):
    assert json.loads(tool("relabel-verify", "explain", rule["id"], "--format", "json").stdout) == rule
    text = tool("relabel-verify", "explain", rule["id"].lower()).stdout
    for member in ("id", "title", "meaning", "why", "specification", "fixture", "fix"):
        assert rule[member] in text


@pytest.mark.parametrize("name", ["Z999", "V*", ""])
def test_unknown_rules_are_not_explained(name):
    result = tool("relabel-verify", "explain", name)
    assert result.returncode == 64 and "list-rules" in result.stderr


@pytest.mark.parametrize("command", [["relabel-verify"], ["relabel", "verify"]])
@pytest.mark.parametrize("name", ["check", "explain", "list-rules", "help"])
def test_files_with_the_names_of_commands(command, name, tmp_path):
    """./explain is a file, explain is a command; check may be written or left out."""
    write_shard(tmp_path / name)
    for words in ([f"./{name}"], ["check", f"./{name}"], ["check", name], ["--quiet", name]):
        if words == ["check", "check"]:
            words = ["check", "./check"]
        result = tool(*command, *words, "--format", "json", cwd=tmp_path)
        assert result.returncode == 0 and json.loads(result.stdout)["shards"] == 1, (words, result.stderr)
    assert f"'{name}'" in tool(*command, "--help").stdout.replace("\n", " ")


def test_help_and_version():
    text = " ".join(tool("relabel-verify", "--help").stdout.split())
    assert "70, 74, 5, 4, 6, 1, 3, 0" in text and "explain <rule>" in text
    options = tool("relabel-verify", "help", "check").stdout
    for option in ("--format", "--config", "--select", "--baseline", "--level", "--sample", "--time-limit"):
        assert option in options
    assert tool("relabel-verify", "--version").returncode == 0
    assert tool("relabel-verify").returncode == 64
