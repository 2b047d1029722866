"""The conformance pack: made as it is committed, complete, kept to by Swift and Python; the runner."""

import contextlib
import copy
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from importlib.machinery import SourceFileLoader

import conformance_python
import pytest
from conftest import BIN, ROOT, tool

from relabel_hdf5.engines import library as loader

FOLDER = ROOT / "spec" / "conformance"
PACK = FOLDER / "shards"
DOCUMENT = json.loads((PACK / "cases.json").read_text())
CASES = {case["name"]: case for case in DOCUMENT["cases"]}

# What these implementations can't do and say so.
SWIFT_WRITES_NOT = {"extent-of-each-image", "all-optional", "other-step"} | {
    case["name"].removeprefix("valid/") for case in CASES.values() if case.get("write") and ("/views" in case["name"] or "/factors" in case["name"])
}
PYTHON_CHECKS_NOT = {
    "C012", "C013", "V004", "V005", "V006", "V008", "V009", "V020", "V021", "V022", "V031", "V033", "M005",
    "M007"}  # of errors


def loaded_runner():
    """The runner as a module; its file has no suffix."""
    loader = SourceFileLoader("conformance_run", str(FOLDER / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module  # for its named tuples
    loader.exec_module(module)
    return module


runner = loaded_runner()


def run(*arguments):
    """Runs the runner as a program."""
    return subprocess.run([FOLDER / "run", *map(str, arguments)], capture_output=True, text=True, timeout=300)


def of_swift(command):
    if command == "verify":
        return f"{shlex.quote(str(BIN / 'relabel-verify'))} --format json"
    return f"{shlex.quote(str(BIN / 'relabel-conformance'))} {command}"


class InProcess(runner.Implementation):
    """Commands that are functions of one process: starting Python several hundred times takes minutes."""

    def __init__(self, main, commands=runner.COMMANDS):
        super().__init__(commands, PACK, None)
        self.main = main

    def __call__(self, name, *arguments):
        output, error = io.StringIO(), io.StringIO()
        with contextlib.chdir(PACK), contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
            code = self.main(name, *map(str, arguments))
        return runner.Answer(code, output.getvalue(), error.getvalue())


def failures(results):
    return [f"{r.test} {r.case}: {r.message}" for r in results if r.outcome == "FAILED"]


def skipped(results, test):
    return {r.case.split("/")[1] for r in results if r.outcome == "skipped" and r.test == test}


# --------------------------------------------------------------------------------------------- the pack


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_pack_is_what_its_generator_makes(tmp_path):
    subprocess.run([sys.executable, FOLDER / "generate_shards.py", tmp_path / "shards"], check=True)
    made, committed = contents(tmp_path / "shards"), contents(PACK)
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []


def test_the_generator_leaves_other_folders_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    command = [sys.executable, FOLDER / "generate_shards.py", tmp_path]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode != 0 and "not empty" in made.stderr
    assert contents(tmp_path) == {"mine": b"mine"}


def test_every_rule_has_a_case():
    rules = json.loads(tool("relabel-verify", "list-rules", "--format", "json").stdout)
    expected = {rule["id"]: (rule["exit_code"], rule["severity"] == "error") for rule in rules}
    found = {}
    for case in DOCUMENT["cases"]:
        verdict = case["verify"]
        for rule in verdict["errors"] + verdict["notices"]:
            found[rule] = (verdict["exit_code"], bool(verdict["errors"]))
    assert found == expected


def test_the_document_names_what_readers_refuse():
    section = (FOLDER / "README.md").read_text().split("## What a reader must do")[1].split("## ")[0]
    refused = [case for case in CASES.values() if case["reader"] == "refuses"]
    rows = "".join(line for line in section.splitlines() if line.startswith("| "))
    assert sorted(re.findall(r"[A-Z]\d{3}", rows)) == sorted(case["verify"]["errors"][0] for case in refused)


def test_the_document_describes_the_content():
    (example,) = re.findall(r"```json\n(.*?)```", (FOLDER / "README.md").read_text(), flags=re.S)
    shown = json.loads(example)
    held = json.loads((PACK / "valid/all-optional/content.json").read_text())
    members = [(part["header"], part["storage"], part["images"][0]) for part in (shown, held)]
    assert [set(part) for part in members[0]][:2] == [set(part) for part in members[1]][:2]
    assert set(members[1][2]) - set(members[0][2]) == {"image_sha256", "log_normalizer"}


def test_every_encoding_and_score_kind_has_a_case():
    found = Counter()
    for case in CASES.values():
        if "content" in case:
            held = json.loads((PACK / case["content"]).read_text())
            found[held["storage"]["encoding"], held["header"]["score_kind"]] += 1
    assert len(found) == 4 * 3


# ------------------------------------------------------------------------------------- implementations


def test_swift(tmp_path):
    commands = [f"--{name}={of_swift(name)}" for name in runner.COMMANDS]
    done = run(*commands, "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    results = [runner.Result(**result) for result in report["results"]]
    assert failures(results) == [] and done.returncode == 0, done.stderr
    assert skipped(results, "write") == SWIFT_WRITES_NOT
    assert report["counts"]["skipped"] == len(SWIFT_WRITES_NOT)


@pytest.mark.parametrize("engine", ["numpy", "swift"])
def test_python(monkeypatch, engine):
    library = loader.library()
    if engine == "swift" and library is None:
        pytest.skip("the Swift library is not built")
    monkeypatch.setattr(loader, "library", lambda: library if engine == "swift" else None)
    results = list(runner.results(PACK, InProcess(conformance_python.main), level="reader"))
    assert failures(results) == []
    verdicts = [CASES[f"invalid/{case}"]["verify"] for case in skipped(results, "verify")]
    errors = {rule for verdict in verdicts for rule in verdict["errors"]}
    # The library walks over the structure before it opens a shard.
    unchecked = PYTHON_CHECKS_NOT - ({"C012"} if engine == "swift" else set())
    assert {rule for rule in errors if rule[0] != "I"} == unchecked  # it knows nothing of pictures
    assert skipped(results, "write") == set()


def test_python_as_commands(tmp_path):
    """A folder of four programs, as an implementation is usually given."""
    for name in runner.COMMANDS:
        program = tmp_path / name
        script = ROOT / "Tests" / "python" / "conformance_python.py"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" {name} "$@"\n')
        program.chmod(0o755)
    done = run(tmp_path, "--only", "*/fixed16-logit", "--level", "reader")
    assert done.returncode == 0, done.stdout
    expected = [f"ok      {test:7} valid/fixed16-logit" for test in ["read", "verify", "write"]]
    assert done.stdout.splitlines() == [*expected, "3 ok, 0 FAILED, 0 skipped"]


# -------------------------------------------------------------------------------------- wrong ones are found


def results_with(command, main, only="*", level="verifier"):
    """The results of one command that is `main`, beside what it needs of the Python package."""

    def answer(name, *arguments):
        return main(*arguments) if name == command else conformance_python.main(name, *arguments)

    commands = [command, "read"] if command == "write" else [command]
    found = runner.results(PACK, InProcess(answer, commands), level, only)
    return {result.case: result for result in found if result.test == command}


def failed(results):
    return {name for name, result in results.items() if result.outcome == "FAILED"}


def nudge(held):
    held["images"][1]["score"][0][2][1] *= 1 + 2**-23


@pytest.mark.parametrize("change, message", [
    (nudge, "images[1].score[0][2][1] is "),
    (lambda held: held["images"].reverse(), "images[0].key is "),
    (lambda held: held["images"].pop(), "images has 2 elements, not 3"),
    (lambda held: held["images"][0].pop("image_index"), "images[0].image_index is missing"),
    (lambda held: held["images"][0].update(image_index="0"), 'images[0].image_index is "0", not 0'),
    (lambda held: held["images"][0].update(image_index=False), "images[0].image_index is false, not 0"),
    (lambda held: held["header"].update(orientation="xy"), 'header.orientation is "xy", not "yx"'),
    (lambda held: held["header"]["metadata"].pop("licence"), "header.metadata.licence is missing"),
    (lambda held: held["storage"].update(encoding="float32"), "storage.encoding is "),
    (lambda held: held.pop("images"), "the content has no array 'images'"),
])  # fmt: skip
def test_a_wrong_content_is_found(change, message):
    def read(path):
        held = copy.deepcopy(conformance_python.content(path))
        change(held)
        print(json.dumps(held))
        return 0

    (result,) = results_with("read", read, only="valid/fixed16-probability").values()
    assert result.outcome == "FAILED" and result.message.startswith(message), result


def test_optional_members_may_be_left_out_by_all_images_or_by_none():
    held = json.loads((PACK / "valid/all-optional/content.json").read_text())

    def read(path):
        print(json.dumps(held))
        return 0

    def outcome():
        (result,) = results_with("read", read, only="valid/all-optional").values()
        return result.outcome, result.message

    assert outcome() == ("ok", "")
    del held["images"][1]["source_label"]
    assert outcome() == ("FAILED", "images[1].source_label is missing")
    for image in held["images"]:
        image.pop("source_label", None)
    assert outcome() == ("ok", "without source_label")
    held["images"][2]["image_size"][0] += 1
    assert outcome()[1].startswith("images[2].image_size[0] is ")


@pytest.mark.parametrize("code", [1, 5, 70, 139])
def test_a_reader_that_refuses_all(code):
    found = failed(results_with("read", lambda path: code))
    readable = {name for name, case in CASES.items() if case["reader"] == "reads"}
    assert found == (readable if code in (1, 5) else set(CASES))


def test_a_reader_that_refuses_nothing():
    def read(path):
        print((PACK / "valid/fixed16-logit/content.json").read_text())
        return 0

    found = failed(results_with("read", read, only="invalid/*"))
    assert found == {name for name, case in CASES.items() if case["reader"] == "refuses"}


@pytest.mark.parametrize("code", [0, 1, 2])
def test_all_are_equal_or_none(code):
    found = failed(results_with("equal", lambda one, other: code))
    wrong = [pair for pair in DOCUMENT["pairs"] if pair["equal"] != (code == 0) or code == 2]
    assert found == {" ".join(pair["paths"]) for pair in wrong}


def test_a_verifier_that_finds_nothing():
    def main(path, *options):
        print('{"findings": []}')
        return 0

    invalid = {name for name in CASES if name.startswith("invalid/")}
    assert failed(results_with("verify", main)) == invalid
    free = {name for name in invalid if CASES[name]["reader"] != "refuses"}
    found = results_with("verify", main, level="reader")
    assert failed(found) == invalid - free
    assert {name for name, result in found.items() if result.outcome == "skipped"} == free


@pytest.mark.parametrize("code, findings, message", [
    (5, [("C007", "error")], "broken rules ['C007'], not ['C008']"),
    (5, [("C008", "error"), ("C007", "error")], "broken rules ['C007', 'C008'], not ['C008']"),
    (5, [("C008", "warning")], "broken rules [], not ['C008']"),
    (1, [("C008", "error")], "exit code 1, not 5 (found: C008)"),
    (5, None, "the report has no findings"),
])  # fmt: skip
def test_a_wrong_verdict_is_found(code, findings, message):
    def main(path, *options):
        print(json.dumps({"findings": findings and [{"rule": r, "severity": s} for r, s in findings]}))
        return code

    (result,) = results_with("verify", main, only="invalid/C008*").values()
    assert result.outcome == "FAILED" and result.message.startswith(message), result


def test_what_is_written_is_read_back():
    def write(document, path):
        held = json.loads((PACK / document).read_text())
        nudge(held)
        conformance_python.shard(held).write(path)
        return 0

    (result,) = results_with("write", write, only="valid/float32-probability").values()
    assert result.outcome == "FAILED" and result.message.startswith("images[1].score[0][2][1] is ")
    (result,) = results_with("write", lambda *_: 0, only="valid/float32-probability").values()
    assert result.outcome == "FAILED" and "on reading what was written" in result.message
    (result,) = results_with("write", lambda *_: 69, only="valid/float32-probability").values()
    assert (result.outcome, result.message) == ("skipped", "not supported: nothing on standard error")


@pytest.mark.parametrize("command, message", [
    ("sh -c 'kill -SEGV $$'", "killed by signal 11"),
    ("sh -c 'sleep 20'", "no answer within 0.5 s"),
    ("echo hello", "standard output is not JSON"),
    ("/nowhere/read", "No such file"),
])  # fmt: skip
def test_commands_that_fail(command, message):
    done = run("--read", command, "--only", "valid/k-1", "--timeout", 0.5)
    assert done.returncode == 1 and "FAILED  read    valid/k-1: " in done.stdout and message in done.stdout
    assert "no command `verify`: not tested" in done.stdout


def test_wrong_use():
    assert run("--help").returncode == 0
    assert run().returncode == 2 and "at least one of --read" in run().stderr
    assert run("--read", "true", "--only", "valid/nothing-of-this-name").returncode == 1
