"""`relabel-export` as a user runs it: what it refuses, what a killed run leaves, and what it costs."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import shard_writer
from conftest import BIN, ROOT, tool

from relabel_hdf5 import UsageError, Writer
from relabel_hdf5.exporting import export
from relabel_hdf5.exporting.output import Output
from relabel_hdf5.exporting.targets import TARGETS
from relabel_hdf5.exporting.targets.base import OfViews

OF_MAPS = [name for name, target in TARGETS.items() if target.of_views is not OfViews.NEEDED]
"""Those of views are in test_export_views.py."""

SHARDS = ROOT / "spec" / "conformance" / "shards"
COMMAND = [sys.executable, "-m", "relabel_hdf5.exporting"]
ENVIRONMENT = {**os.environ, "RELABEL_BIN": str(BIN), "OMP_NUM_THREADS": "1"}


def run(*arguments, **environment):
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env={**ENVIRONMENT, **environment})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    shards = shard_writer.two_shards(optional=("source_label",))
    return shard_writer.write_dataset(tmp_path_factory.mktemp("export") / "labels", *shards)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Twenty thousand images of small maps."""
    folder = tmp_path_factory.mktemp("many") / "labels"
    generator = np.random.default_rng(0)
    with Writer(folder, num_classes=50, score_kind="logit", images_per_shard=8192) as writer:
        for first in range(0, 20_000, 1000):
            scores = generator.uniform(1, 9, (1000, 2, 2, 3)).astype(np.float32)
            ids = generator.permuted(np.tile(np.arange(50, dtype=np.uint16), (4000, 1)), axis=1)[:, :3]
            keys = [f"n{place % 100:03}/{place:06}" for place in range(first, first + 1000)]
            writer.add_batch(keys, (ids.reshape(1000, 2, 2, 3), scores))
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(path):
    if path.is_file():
        return path.read_bytes()
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


# -------------------------------------------------------------------------------------------- the command


def test_what_is_printed(folder, tmp_path):
    found = run(folder, "--to", "multilabel-tsv", "-o", tmp_path / "out.tsv")
    assert (found.returncode, found.stdout) == (0, f"{tmp_path / 'out.tsv'}: 8 images as multilabel-tsv\n")
    assert found.stderr.startswith("lost: where in the picture") and "below 0.1 (rule mean-softmax)" in found.stderr
    found = run(folder, "--to", "npy", "-o", tmp_path / "out", "--format", "json")
    document = json.loads(found.stdout)
    assert document["images"] == 8 and document["target"] == "npy"
    assert found.stderr.splitlines() == [f"lost: {text}" for text in document["losses"]]
    assert names(tmp_path) == ["out", "out.tsv", "out.tsv.export.json"]


def test_help_names_every_form_and_exit_code():
    program = """
import sys
for name in ("torch", "pyarrow", "safetensors"):
    sys.modules[name] = None
from relabel_hdf5.exporting.command import main
main(["--help"])
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    forms, _, codes = shown.stdout.partition("Exit codes:")
    assert set(re.findall(r"\d+", codes)) == {"0", "1", "4", "5", "6", "64", "70", "74", "130"}
    assert all(f"\n  {name} " in forms for name in TARGETS)


@pytest.mark.parametrize("target, module", [
    ("relabel", "torch"), ("tokenlabeling", "torch"), ("parquet", "pyarrow.parquet"), ("safetensors", "safetensors"),
])  # fmt: skip
def test_a_missing_library_is_named_before_anything_is_written(target, module, folder, tmp_path):
    program = f"""
import sys
sys.modules[{module!r}] = None
from relabel_hdf5.exporting.command import main
sys.exit(main([{str(folder)!r}, "--to", {target!r}, "-o", {str(tmp_path / "out")!r}]))
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 64 and found.stderr.endswith("pip install 'relabel-hdf5[export]'\n"), found.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("arguments, message", [
    (["--to", "relabel", "--dense"], "--dense says nothing about relabel; it is for npy, npz, safetensors"),
    (["--to", "cleanlab", "--threshold", "0.5"], "it is for parquet, multilabel-tsv, real-json"),
    (["--to", "parquet", "--threshold", "0"], "a probability above 0 and up to 1"),
    (["--to", "parquet", "--threshold", "nan"], "a probability above 0 and up to 1"),
    (["--to", "parquet", "--extension", "/../x"], "a dot with letters and digits"),
    (["--to", "parquet", "--rule", "best"], "invalid choice: 'best'"),
    (["--to", "csv"], "invalid choice: 'csv'"),
])  # fmt: skip
def test_wrong_usage(arguments, message, folder, tmp_path):
    found = run(folder, "-o", tmp_path / "out", *arguments)
    assert found.returncode == 64 and message in found.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("shard, code, rule", [
    ("invalid/V010-parent", 1, "V010"), ("invalid/V020-below", 1, "V020"), ("invalid/C001-superblock-checksum", 5, "C001"),
    ("invalid/C002-soft", 4, "C002"), ("invalid/C008-flip-class-index", 5, "C008"), ("invalid/L002-2.0", 6, "L002"),
])  # fmt: skip
def test_broken_shards(shard, code, rule, tmp_path):
    """The rule is named with the exit code of the other programs, and nothing is left, inside the folder or beside it."""
    (path,) = (SHARDS / shard).glob("*.h5")
    for target in ("relabel", "cleanlab"):
        found = run(path, "--to", target, "-o", tmp_path / "out")
        assert found.returncode == code and f"[{rule}]" in found.stderr, found.stderr
        assert len(found.stderr.splitlines()[-1]) < 600 and names(tmp_path) == []


def test_what_is_not_there(tmp_path):
    assert run(tmp_path / "none", "--to", "npy", "-o", tmp_path / "out").returncode == 74
    shard_writer.write_shard(tmp_path / "x.h5")
    found = run(tmp_path / "x.h5", "--to", "npy", "-o", tmp_path / "no/out")
    assert found.returncode == 64 and "no such folder" in found.stderr
    assert run(tmp_path / "x.h5", "--to", "npy", "-o", "/").returncode == 64


def test_relabel_export_is_the_same_command(folder, tmp_path):
    """`relabel export` hands everything over, and says where to get what it needs."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "relabel-export"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel_hdf5.exporting "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    found = tool("relabel", "export", folder, "--to", "npy", "-o", tmp_path / "out", env={**ENVIRONMENT, "PATH": path})
    assert (found.returncode, found.stdout) == (0, f"{tmp_path / 'out'}: 8 images as npy\n"), found.stderr
    shown = tool("relabel", "export", "--help", env={**ENVIRONMENT, "PATH": path})
    assert shown.returncode == 0 and "usage: relabel-export" in shown.stdout
    missing = tool("relabel", "export", folder, "--to", "npy", env={**ENVIRONMENT, "PATH": "/nowhere"})
    assert missing.returncode == 64 and "pip install 'relabel-hdf5[export]'" in missing.stderr
    program.write_text("#!/nowhere/sh\n")
    program.chmod(0o644)
    refused = tool("relabel", "export", env={**ENVIRONMENT, "PATH": str(program.parent)})
    assert refused.returncode == 74 and "relabel-export can't be started" in refused.stderr


# ------------------------------------------------------------------------------------------------- shards


@pytest.mark.parametrize("target", [name for name in OF_MAPS if name != "kecam"])  # which refuses logits
def test_shards_one_by_one_engines_and_runs_give_the_same(target, folder, tmp_path):
    paths = sorted(folder.glob("*.h5"))
    for name, shards in (("dataset", [folder]), ("shards", paths[::-1])):
        export(shards, target, tmp_path / name)
    assert run(folder, "--to", target, "-o", tmp_path / "numpy", RELABEL_LIBRARY="none").returncode == 0
    found = {name: contents(tmp_path / name) for name in ("dataset", "shards", "numpy")}
    if isinstance(found["dataset"], dict):
        for files in found.values():
            del files["export.json"]  # which names the shards
    elif target in ("safetensors", "parquet"):
        del found["shards"]
    assert len(set(map(repr, found.values()))) == 1


def test_shards_that_do_not_belong_together(folder, tmp_path):
    first, second = sorted(folder.glob("*.h5"))
    shard_writer.write_shard(tmp_path / "other.h5", first_index=50, attributes={"orientation": "xy"})
    shard_writer.write_shard(tmp_path / "again.h5", first_index=50, optional=("source_label",),
                             keys=[f"train/n{row:04}" for row in range(5)], largest_error=0.001953125)  # fmt: skip
    with pytest.raises(UsageError, match=r"no part of the same build .* \(orientation differ\)"):
        export([first, tmp_path / "other.h5"], "npy", tmp_path / "out")
    with pytest.raises(UsageError, match="image 0 of the listing comes twice"):
        export([first, second, first], "npy", tmp_path / "out")
    found = run(first, tmp_path / "again.h5", "--to", "npy", "-o", tmp_path / "out")
    assert found.returncode == 1 and "two of the images to export have this key" in found.stderr


def test_keys_whose_files_would_be_one(tmp_path):
    long = "n/" + "x" * 253
    shard_writer.write_shard(tmp_path / "x.h5", rows=2, keys=["a", long])
    found = run(tmp_path / "x.h5", "--to", "relabel", "-o", tmp_path / "out")
    assert found.returncode == 64 and "more than file systems take" in found.stderr
    shard_writer.write_shard(tmp_path / "y.h5", rows=2, keys=["export.json", "export"])
    assert run(tmp_path / "y.h5", "--to", "relabel", "-o", tmp_path / "out").returncode == 0
    assert names(tmp_path / "out") == ["export.json", "export.json.pt", "export.pt"]
    shard_writer.write_shard(tmp_path / "z.h5", rows=2, keys=["a", "a.pt/b"])
    found = run(tmp_path / "z.h5", "--to", "relabel", "-o", tmp_path / "other")
    assert found.returncode == 74 and names(tmp_path) == ["out", "x.h5", "y.h5", "z.h5"], found.stderr


# ---------------------------------------------------------------------------------------------- publishing


@pytest.mark.parametrize("target", ["npy", "npz"])
def test_only_exports_are_replaced(target, folder, tmp_path):
    out = tmp_path / "out"
    first = export([folder], target, out)
    before = contents(out)
    for again in (run(folder, "--to", target, "-o", out), run(folder, "--to", "cleanlab", "-o", out)):
        assert again.returncode == 64 and "here already" in again.stderr
    assert contents(out) == before
    export([sorted(folder.glob("*.h5"))[1]], target, out, overwrite=True)
    assert contents(out) != before and first.images == 8
    assert names(tmp_path) == (["out"] if target == "npy" else ["out", "out.export.json"])


@pytest.mark.parametrize("target", ["npy", "npz"])
def test_what_no_export_has_made_is_not_replaced(target, folder, tmp_path):
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter").write_text("years of work")
    (tmp_path / "file").write_text("too")
    (tmp_path / "link").symlink_to(thesis)
    for name in ("thesis", "file", "link"):
        found = run(folder, "--to", target, "-o", tmp_path / name, "--overwrite")
        assert found.returncode == 64 and "no export has made this" in found.stderr
    assert (thesis / "chapter").read_text() == "years of work" and names(tmp_path) == ["file", "link", "thesis"]


@pytest.mark.parametrize("target", ["npy", "npz", "cleanlab", "multilabel-tsv"])
def test_an_error_leaves_nothing(target, tmp_path):
    """The second shard is damaged: the first was written by then."""
    folder = shard_writer.write_dataset(tmp_path / "labels", *shard_writer.two_shards())
    with h5py.File(folder / "labels-00001.h5") as file:
        at = file["score"].id.get_chunk_info(0).byte_offset + 8
    data = bytearray((folder / "labels-00001.h5").read_bytes())
    data[at] ^= 1
    (folder / "labels-00001.h5").write_bytes(data)
    found = run(folder, "--to", target, "-o", tmp_path / "out")
    assert found.returncode == 5 and "labels-00001.h5" in found.stderr and names(tmp_path) == ["labels"]


def started(many, output):
    """An export of many files that has written some of them."""
    process = subprocess.Popen(
        [*COMMAND, many, "--to", "npy", "--dense", "-o", output], stderr=subprocess.DEVNULL, env=ENVIRONMENT
    )
    partial = output.with_name(f".{output.name}.partial")
    while not any(partial.rglob("*.npy")):
        assert process.poll() is None
        time.sleep(0.01)
    return process


def test_a_killed_run_leaves_nothing_that_looks_finished(many, folder, tmp_path):
    process = started(many, tmp_path / "out")
    second = run(folder, "--to", "npy", "-o", tmp_path / "out")
    assert second.returncode == 64 and "another export is writing here" in second.stderr
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert names(tmp_path) == [".out.partial"]
    assert run(folder, "--to", "npy", "-o", tmp_path / "out").returncode == 0
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["class_index.npy", "export.json", "keys.txt", "score.npy"]


def test_an_interrupted_run_cleans_up(many, tmp_path):
    process = started(many, tmp_path / "out")
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130 and names(tmp_path) == []


def test_a_run_that_was_killed_while_it_replaced_is_undone(folder, tmp_path):
    """Between two renames the earlier export has another name: the next run puts it back."""
    export([folder], "npy", tmp_path / "out")
    before = contents(tmp_path / "out")
    os.rename(tmp_path / "out", tmp_path / ".out.replaced")
    assert run(folder, "--to", "npy", "-o", tmp_path / "out").returncode == 64
    assert names(tmp_path) == ["out"] and contents(tmp_path / "out") == before


# -------------------------------------------------------------------------------------------------- memory


PEAK = """
import resource, sys
from relabel_hdf5.exporting.command import main
assert main(sys.argv[1:]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("target", [name for name in OF_MAPS if name not in ("relabel", "tokenlabeling", "kecam")])
def test_memory_does_not_grow_with_the_images(target, many, tmp_path):
    """Twenty thousand images take no more than a shard of 3,616 and 100 bytes for each image more."""
    peaks = []
    for number, source in enumerate((many / "labels-00002.h5", many)):
        arguments = [source, "--to", target, "-o", tmp_path / str(number)]
        found = subprocess.run(
            [sys.executable, "-c", PEAK, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT
        )
        assert found.returncode == 0, found.stderr
        peaks.append(int(found.stdout.split()[-1]) * 1024)
    assert peaks[1] - peaks[0] < 16_384 * 100 + (6 << 20)


def test_what_another_export_begins_is_left_alone(tmp_path):
    """Once an export is published, what lies in its working folder belongs to the next."""
    output = Output(tmp_path / "out", is_folder=True, overwrite=False)
    with output.begun() as path:
        (path / "a.txt").write_text("first")
        output.publish({"schema": "relabel-export"})
        following = tmp_path / ".out.partial"
        following.mkdir()
        (following / "b.txt").write_text("second")
    assert (tmp_path / "out" / "a.txt").read_text() == "first"
    assert (following / "b.txt").read_text() == "second"
