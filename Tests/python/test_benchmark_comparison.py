"""The comparison of containers: all give the same maps, all have their rows, and what is left out has a name."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import BIN, ROOT, SAMPLES

pytest.importorskip("torch")
BENCHMARKS = ROOT / "tools" / "benchmarks"
sys.path[:0] = [str(BENCHMARKS), str(BENCHMARKS.parent)]

import data  # noqa: E402
from contenders import containers  # noqa: E402
from works import comparison  # noqa: E402

COUNT = 64


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A payload beside which its containers lie, as the work makes it."""
    return payload_in(tmp_path_factory.mktemp("comparison"))


def payload_in(folder):
    payload = containers.Payload.of(data.Maps(SAMPLES / "maps"), COUNT, folder)
    np.save(folder / "ids.npy", payload.ids)
    np.save(folder / "steps.npy", payload.steps)
    return folder, payload


def contender(made, container, name):
    folder, payload = made
    comparison.written(container, folder / name, payload)
    return name, container, folder / name, {}


@pytest.mark.long
def test_all_containers_from_end_to_end(tmp_path):
    path, folder = tmp_path / "rows.json", tmp_path / "work"
    folder.mkdir()
    done = subprocess.run(
        [BENCHMARKS / "run", SAMPLES / "maps", "--only", "comparison", "--images", str(COUNT), "--rounds", "1",
         "--json", path, "--work-folder", folder],
        capture_output=True, text=True, timeout=1200, env={**os.environ, "RELABEL_BIN": str(BIN)},
    )
    assert done.returncode == 0, done.stderr
    rows = {(row["contender"], row["work"]): row for row in json.loads(path.read_text())}
    titles = [
        (f"{container.title()}, {engine}" if engine else container.title(), container)
        for container in containers.COMPARED for engine in container.engines
    ]
    assert len(titles) == 18
    for title, container in titles:
        line = next(line for line in done.stdout.splitlines() if line.startswith(title + "  "))
        assert (line.count("–") == 2) is container.stream
        for name, work in [*comparison.TIMES.items(), *comparison.SPEEDS.items()]:
            if container.stream and name in ("one", "cold one"):
                assert (title, work) not in rows
            elif name.startswith("cold"):
                row = rows.pop((title, work))
                assert row["ratio"] or row["unit"] == comparison.NOT_COLD
            else:
                assert rows.pop((title, work))["ratio"] > 0
        for work in (comparison.BYTES, comparison.WRITE, comparison.IMPORT):
            assert rows.pop((title, work))["ratio"] > 0
        assert rows.pop((title, comparison.FACTS))["unit"] in done.stdout
    assert [work for _, work in rows] == [comparison.READ_AHEAD]
    assert not any(folder.iterdir())


def test_a_container_that_gives_other_maps_is_not_timed(made):
    name = contender(made, containers.COMPARED[0], "changed")
    assert comparison.ask(name, "check")["checked"] == 3 * COUNT
    steps = np.load(name[2] / "steps.npy")
    steps[COUNT // 2, 3, 3, 0] += 1
    np.save(name[2] / "steps.npy", steps)
    with pytest.raises(SystemExit, match="scores are not those that were stored"):
        comparison.ask(name, "check")


def test_what_can_not_be_had_is_named(made, monkeypatch, capsys):
    folder, payload = made
    lacking = [container for container in containers.COMPARED if container.__name__ == "Zarr"]
    monkeypatch.setattr(containers, "COMPARED", [containers.COMPARED[0], *lacking])
    monkeypatch.setattr(lacking[0], "needs", ("no_such_zarr",))
    bench = type("Bench", (), {"folder": folder})
    contenders, rows = comparison.contenders_of(bench, payload)
    assert [title for title, *_ in contenders] == ["NumPy memmap"]
    comparison.print_table(rows)
    assert f"{lacking[0].title()}: LEFT OUT: there is no package no_such_zarr" in capsys.readouterr().out


def test_a_cold_read_is_cold_or_not_measured(tmp_path):
    """A file system in memory keeps its pages: no figure may come from there."""
    memory = pathlib.Path("/dev/shm")
    if not memory.is_dir():
        pytest.skip("there is no file system in memory")
    folder = memory / f"relabel-comparison-{os.getpid()}"
    folder.mkdir()
    try:
        there = contender(payload_in(folder), containers.COMPARED[0], "there")
        assert comparison.ask(there, "cold") == {"cold one": None, "cold batch": None}
    finally:
        shutil.rmtree(folder)
    row = comparison.time_row("work", "ours", "theirs", [None, None], [1, 2])
    assert (row["ratio"], row["unit"]) == (None, comparison.NOT_COLD)


def test_rounds_without_a_cold_read_do_not_count():
    row = comparison.time_row("work", "ours", "theirs", [None, 4e-6, 3e-6], [1e-6, 2e-6, None])
    assert (row["ratio"], row["microseconds"], row["least_microseconds"]) == (2, 4, 4)
