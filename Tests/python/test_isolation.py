"""The HDF5 library works in a helper process; whatever happens to that, the verifier tells."""

import json
import pathlib
import re
import resource
import signal
import struct
import subprocess
import sys
from dataclasses import replace

import h5py
import pytest
from conftest import BIN, error_rules, verify
from rule_fixtures import write_shard
from shard_writer import Shard, two_shards, write_dataset

FACT, WORDS, PROGRESS, DONE = 1, 2, 3, 4


def message(kind, content=b""):
    """One message as a helper sends it."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<BI", kind, len(body)) + body


def helper(folder, body):
    """A program that stands in for the helper; `body` is Python."""
    path = folder / "helper"
    path.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\nout = sys.stdout.buffer\n{body}\n")
    path.chmod(0o755)
    return path


def say(*messages):
    return f"out.write({b''.join(messages)!r}); out.flush()"


VIOLATION = {"violation": {"rule": "V001", "message": "a class too many", "count": 1, "images": 1, "row": 0}}
FACTS = {
    "shared": {}, "rows": 1, "build_id": "", "writer": "", "num_classes": 1, "score_kind": "logit",
    "metadata_sha256": "",
}
# Where the tests run under nohup, SIGHUP is ignored; what ignores SIGKILL can't be told so.
KILL = "signal.{0} != signal.SIGHUP or signal.signal(signal.SIGHUP, signal.SIG_DFL); os.kill(os.getpid(), signal.{0})"



def counted(**numbers):
    """A violation with other numbers."""
    return say(message(FACT, {"violation": VIOLATION["violation"] | numbers}))


def measured(name, words):
    """Facts, and one of their arrays."""
    told = [{"facts": FACTS}, {"array": "statistics"}, bytes(88), {"array": name}, words]
    return say(*(message(FACT if isinstance(part, dict) else WORDS, part) for part in told))


DEATHS = {
    "crash": (KILL.format("SIGSEGV"), "Segmentation fault"),
    "abort": (KILL.format("SIGABRT"), "Aborted"),
    "trap": (KILL.format("SIGILL"), "Illegal instruction"),
    "spinning": (KILL.format("SIGXCPU"), "processor time"),
    "exit": ("sys.exit(70)", "exit code 70"),
    "quiet_exit": ("sys.exit(0)", "exit code 0"),
    "cut_message": (say(message(FACT, VIOLATION)[:-3]), "exit code 0"),
    "unknown_kind": (say(message(99)), "no message begins like this"),
    "endless_message": (say(struct.pack("<BI", FACT, 1 << 31)) + "; time.sleep(99)", "no message begins like this"),
    "no_json": (say(message(FACT, b"{")) + "; time.sleep(99)", "not a JSON document"),
    "unknown_fact": (say(message(FACT, {"secret": 1})), "no sense"),
    "unknown_rule": (say(message(FACT, {"violation": {"rule": "Z1", "message": "", "count": 1, "images": 0}})), "no sense"),
    "facts_without_rows": (say(message(FACT, {"facts": {}})), "no sense"),
    "endless_count": (counted(count=2**63 - 1), "no sense"),
    "negative_count": (counted(images=-1), "no sense"),
    "endless_rows": (say(message(FACT, {"facts": FACTS | {"rows": 2**62}})), "no sense"),
    "endless_statistics": (measured("statistics", b"\xff" * 8 + bytes(80)), "no sense"),
    "infinite_statistics": (measured("statistics", bytes(64) + b"\0\0\0\0\0\0\xf0\x7f" + bytes(16)), "no sense"),
    "endless_class": (measured("best", b"\xff" * 8), "no sense"),
    "endless_facts": ("while True: " + say(message(FACT, {"array": "a" * 2**20})), "facts without end"),
    "words_without_facts": (say(message(WORDS, bytes(8))), "no sense"),
}


@pytest.mark.parametrize("body, told", [pytest.param(*death, id=name) for name, death in DEATHS.items()])
def test_a_dead_helper_is_a_finding(body, told, tmp_path):
    path = write_shard(tmp_path / "a.h5")
    code, report = verify("--helper", helper(tmp_path, body), path)
    assert code == 5 and error_rules(report) == ["C001"] and not report["complete"]
    (finding,) = report["findings"]
    assert told in finding["message"] and finding["file"] == str(path)


OUTSIDE = {name: KILL.format(name) for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")} | {
    f"status_{code}": f"sys.exit({code})" for code in (64, 126, 127)}  # of a shell or the system's loader


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in OUTSIDE.items()])
@pytest.mark.parametrize("found", [False, True])
def test_a_helper_ended_from_outside_says_nothing_of_the_file(body, found, tmp_path):
    path = write_shard(tmp_path / "a.h5")
    before = say(message(FACT, VIOLATION)) + "; " if found else ""
    code, report = verify("--helper", helper(tmp_path, before + body), path)
    assert code == 74 and report["findings"] == [] and report["verdict"] != "sound" and not report["complete"]
    assert "nothing is known of this file" in report["failures"][0]


def test_a_helper_that_the_system_refuses_something(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    body = say(message(FACT, {"failure": "can't be opened: Too many open files"})) + "; sys.exit(70)"
    code, report = verify("--helper", helper(tmp_path, body), path)
    assert code == 74 and report["findings"] == [] and "Too many open files" in report["failures"][0]


@pytest.mark.parametrize("limit", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_a_crash_under_tight_limits_says_nothing_of_the_file(limit, tmp_path):
    """What a helper lacks is memory that somebody took from it, perhaps."""
    path = write_shard(tmp_path / "a.h5")
    bound = 180 << 20
    code, report = verify(
        "--helper", helper(tmp_path, KILL.format("SIGSEGV")), path,
        preexec_fn=lambda: resource.setrlimit(getattr(resource, limit), (bound, bound)))
    assert code == 74 and report["findings"] == [] and "ulimit" in report["failures"][0]


@pytest.mark.parametrize("unsound", [False, True])
@pytest.mark.parametrize("killed", range(6))
def test_killed_helpers_never_make_a_verdict(killed, unsound, tmp_path):
    """The first, second… helper of a run dies: neither is a sound dataset called unsound, nor the other way round."""
    one, two = two_shards()
    keys = one.image_keys()[:3] if unsound else two.image_keys()
    folder = write_dataset(tmp_path / "dataset", one, replace(two, keys=keys, key_width=11))
    real, counter = BIN / "relabel-verify", tmp_path / "count"
    body = f"""
with open({str(counter)!r}, "ab") as file:
    file.write(b"x")
if os.stat({str(counter)!r}).st_size == {killed + 1}: {KILL.format("SIGKILL")}
os.execv({str(real)!r}, [{str(real)!r}] + sys.argv[1:])"""
    code, report = verify("--helper", helper(tmp_path, body), "--jobs", 1, folder)
    if counter.stat().st_size <= killed:
        assert code == int(unsound)
    else:
        assert code in ((74, 1) if unsound else (74,)), report
        assert report["verdict"] != "sound" and error_rules(report) == ([] if code == 74 else ["M007"])
        assert code == 74 or killed >= 2  # one of the helpers that confirm a key


@pytest.mark.parametrize("name", ["SIGKILL", None])
def test_who_does_not_wait_for_children(name, tmp_path):
    """A parent that ignores SIGCHLD hands that on; the system then forgets how a helper ended."""
    path = write_shard(tmp_path / "a.h5")
    options = ["--helper", helper(tmp_path, KILL.format(name))] if name else []
    code, report = verify(*options, path, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert code == (74 if name else 0) and report["findings"] == []


def test_what_was_found_before_the_crash_stays(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    body = say(message(FACT, VIOLATION)) + "; " + KILL.format("SIGSEGV")
    code, report = verify("--helper", helper(tmp_path, body), path)
    assert code == 5 and error_rules(report) == ["C001", "V001"]


def test_other_files_go_on(tmp_path):
    """A helper that crashes on one of three files, and is the real one for the others."""
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    alone = write_shard(tmp_path / "alone.h5")
    real = BIN / "relabel-verify"
    body = f"""
if "labels-00000" in sys.argv[4]: {KILL.format("SIGBUS")}
os.execv({str(real)!r}, [{str(real)!r}] + sys.argv[1:])"""
    code, report = verify("--helper", helper(tmp_path, body), folder, alone)
    assert code == 5 and error_rules(report) == ["C001"]
    (finding,) = [f for f in report["findings"] if f["severity"] == "error"]
    assert finding["file"].endswith("labels-00000.h5") and (report["shards"], report["images"]) == (3, 8)


@pytest.mark.parametrize("unsound", [[], [0], [1], [2], [0, 1]], ids=str)
def test_a_helper_never_judges_a_second_file(unsound, tmp_path):
    shards = [Shard(rows=5, first_index=5 * number, seed=number) for number in range(3)]
    folder = write_dataset(tmp_path / "dataset", *shards)
    for number in unsound:
        path = folder / f"labels-{number:05}.h5"
        with h5py.File(path) as file:
            place = file["score"].id.get_chunk_info(0).byte_offset
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)
    real = BIN / "relabel-verify"
    body = f"""
open({str(tmp_path / "starts")!r}, "a").write("x")
os.execv({str(real)!r}, [{str(real)!r}] + sys.argv[1:])"""
    code, report = verify("--helper", helper(tmp_path, body), "--jobs", 1, folder)
    assert code == (5 if unsound else 0) and len(report["files"]) == 4
    broken = {f["file"] for f in report["findings"] if f["severity"] == "error" and f["file"].endswith(".h5")}
    assert broken == {str(folder / f"labels-{number:05}.h5") for number in unsound}
    assert (tmp_path / "starts").read_text() == "xxx"


def test_a_hanging_helper_is_ended(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    code, report = verify("--helper", helper(tmp_path, "time.sleep(99)"), "--time-limit", "1", path)
    assert code == 5 and "stood still" in report["findings"][0]["message"]


def test_a_stopped_helper_says_nothing_of_the_file(tmp_path):
    """Who stops it (Ctrl-Z of its own, a debugger, a freezer) has not found a fault."""
    path = write_shard(tmp_path / "a.h5")
    program = helper(tmp_path, "import signal; os.kill(os.getpid(), signal.SIGSTOP)")
    code, report = verify("--helper", program, "--time-limit", "1", path)
    assert code == 74 and report["findings"] == [] and "stopped from outside" in report["failures"][0]


@pytest.mark.parametrize("option", [["--time-limit", 2**31], ["--time-limit", 2**63 - 1], ["--jobs", 2**62]], ids=str)
def test_limits_without_measure(option, tmp_path):
    assert verify(write_shard(tmp_path / "a.h5"), *option)[0] == 0


def test_a_file_of_terabytes(tmp_path):
    """Its helper may be silent for longer than 32 bits of milliseconds."""
    path = tmp_path / "a.h5"
    with open(path, "wb") as file:
        file.truncate(3 << 40)
    code, report = verify(path)
    assert code == 5 and error_rules(report) == ["S001"]


def test_a_helper_that_can_not_start(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    code, report = verify("--helper", tmp_path / "nowhere", path)
    assert code == 74 and "--no-isolation" in report["failures"][0]


def request(path, jobs=1):
    return json.dumps({"path": str(path), "jobs": jobs, "reads_chunks": True, "sample": None})


def as_helper(limits, path):
    """The real helper, started by hand."""
    words = [BIN / "relabel-verify", "--relabel-helper", "check-shard", limits, request(path)]
    return subprocess.run(words, capture_output=True, timeout=60)


def test_the_helper_says_when_it_is_done(tmp_path):
    result = as_helper("200000000,10", write_shard(tmp_path / "a.h5"))
    assert result.returncode == 0 and result.stdout.endswith(message(DONE))


def test_the_helper_takes_no_further_requests(tmp_path):
    """What one file did to the process can't touch what is said of the next."""
    path = write_shard(tmp_path / "a.h5")
    words = [BIN / "relabel-verify", "--relabel-helper", "check-shard", "200000000,10", request(path)]
    line = json.dumps({"task": "check-shard", "limits": "200000000,10", "request": json.loads(request(path))})
    once = subprocess.run(words, input=b"", capture_output=True, timeout=60)
    more = subprocess.run(words, input=f"{line}\n{line}\n".encode(), capture_output=True, timeout=60)
    assert (once.returncode, more.returncode) == (0, 0) and more.stdout == once.stdout


def test_the_helper_binds_itself(tmp_path):
    """While it waits for a reader of its long answer, the kernel tells what it may use."""
    path = write_shard(tmp_path / "a.h5", rows=9000, height=1, width=1, k=1, images_per_chunk=100)
    words = [BIN / "relabel-verify", "--relabel-helper", "check-shard", "200000000,7", request(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.read(1)
        text = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
        process.kill()
    limits = {name: re.search(rf"^Max {name} +(\S+)", text, re.M)[1] for name in LIMITS}
    assert limits == LIMITS


LIMITS = {"data size": "200000000", "cpu time": "7", "core file size": "0", "file size": "0"}


def test_too_little_memory_is_not_a_success(tmp_path):
    path = write_shard(tmp_path / "a.h5", height=64, width=64, images_per_chunk=64, rows=64)
    assert as_helper("200000000,10", path).stdout.endswith(message(DONE))
    result = as_helper("3000000,10", path)
    assert not result.stdout.endswith(message(DONE)) or b"violation" in result.stdout


@pytest.mark.parametrize("words", [[], ["check-shard"], ["check-shard", "0,0", "{}"], ["nothing", "1,1", "{}"],
                                   ["check-shard", "1000000000,5", "{"]])
def test_a_helper_called_wrongly_does_nothing(words):
    result = subprocess.run([BIN / "relabel-verify", "--relabel-helper", *words], capture_output=True)
    assert result.returncode == 64 and result.stdout == b""


def test_the_helper_writes_no_file(tmp_path):
    """Its file size limit is 0, so a library that was taken over can leave nothing behind."""
    path = write_shard(tmp_path / "a.h5")
    target = tmp_path / "out"
    words = [BIN / "relabel-verify", "--relabel-helper", "check-shard", "200000000,10", request(path)]
    with open(target, "wb") as file:
        result = subprocess.run(words, stdout=file, stderr=subprocess.DEVNULL)
    assert result.returncode != 0 and target.stat().st_size == 0


@pytest.mark.parametrize("jobs", [1, 4])
def test_isolation_changes_no_finding(jobs, tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    content = bytearray((folder / "labels-00001.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "labels-00001.h5").write_bytes(content)
    assert verify("--jobs", jobs, folder) == verify("--jobs", jobs, "--no-isolation", folder)
