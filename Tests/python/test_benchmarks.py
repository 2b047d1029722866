"""The benchmarks: their data is what it says, their rows hold what is promised, and the guard sees a slow-down."""

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
from conftest import BIN, ROOT, SAMPLES

torch = pytest.importorskip("torch")
BENCHMARKS = ROOT / "tools" / "benchmarks"
sys.path.append(str(BENCHMARKS))

import data  # noqa: E402
import instructions  # noqa: E402
import measure  # noqa: E402
import view_data  # noqa: E402

COUNT = 80


@pytest.fixture(scope="module")
def maps():
    return data.Maps(SAMPLES / "maps")


def test_files_are_those_of_torch(maps, tmp_path):
    paths = data.write_files(maps, tmp_path, COUNT)
    wanted = maps.varied(0, COUNT)
    containers = set()
    for path, tensor in zip(paths, wanted):
        assert np.array_equal(torch.load(path, weights_only=True).numpy(), tensor)
        containers.add(zipfile.is_zipfile(path))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
    assert containers == {False, True}


def test_a_tar_holds_the_same(maps, tmp_path):
    data.write_tar(maps, tmp_path / "maps.tar", COUNT)
    with tarfile.open(tmp_path / "maps.tar") as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == [f"{data.key(number)}.pt" for number in range(COUNT)]
        for member, tensor in zip(members, maps.varied(0, COUNT)):
            found = torch.load(io.BytesIO(tar.extractfile(member).read()), weights_only=True)
            assert np.array_equal(found.numpy(), tensor)


def test_no_map_repeats(maps):
    tensors = maps.varied(0, 40 * len(maps.paths))
    assert len({tensor.tobytes() for tensor in tensors}) == len(tensors)
    # Nor do ids alone, which noise doesn't change, more often than flips and rolls must.
    assert len({tensor[1].tobytes() for tensor in tensors}) > 0.9 * len(tensors)


def test_dense_maps_have_the_classes_of_the_sparse(maps, tmp_path):
    for path, (scores, ids) in zip(data.write_dense(maps, tmp_path, 3), maps.varied(0, 3)):
        best = torch.from_numpy(np.load(path)).topk(scores.shape[0], 0)
        assert np.array_equal(best.values.numpy(), np.sort(scores, 0)[::-1])
        assert np.array_equal(np.sort(best.indices.numpy(), 0), np.sort(ids.astype(int), 0))


@pytest.mark.parametrize(
    "at_most, ratio, goal, met",
    [(False, 4, 3, True), (False, 4, 5, False), (True, 0.25, 0.3, True), (True, 0.25, 0.2, False),
     (False, 4, None, None)],
)
def test_rows(at_most, ratio, goal, met):
    row = measure.row("work", "ours", "theirs", [1, 1, 2], [4, 5, 2], 10, goal, at_most)
    assert (row["ratio"], row["goal"], row["met"]) == (ratio, goal, met)
    assert row["spread"] == ([0.2, 1] if at_most else [1, 5])


@pytest.mark.long
def test_works_run_from_end_to_end(tmp_path):
    path, plot, folder = tmp_path / "rows.json", tmp_path / "rows.svg", tmp_path / "work"
    folder.mkdir()
    # Goals are for real sizes: whether these few images meet them says nothing.
    done = subprocess.run(
        [BENCHMARKS / "run", SAMPLES / "maps", "--only", "packing", "dense", "pooling", "sizes", "memory",
         "--images", "64", "--rounds", "1", "--sizes", "40", "80", "--json", path, "--plot", plot,
         "--work-folder", folder],
        capture_output=True, text=True, timeout=600, env={**os.environ, "RELABEL_BIN": str(BIN)},
    )
    assert done.returncode in (0, 1), done.stderr
    rows = json.loads(path.read_text())
    assert {row["work"] for row in rows} >= {
        "pack from a .pt tar", "pack from dense float32 .npy", "top-k kernel", "pooled target from a loaded map",
        "storage to target, random order", "peak memory, 80 images", "memory that grows",
        "bytes an image, everything included", "largest change of a probability",
    }
    for row in rows:
        assert {"work", "against", "ratio", "goal", "met", "spread"} <= set(row)
        assert (row["met"] is None) is (row["goal"] is None)
        assert row["work"] in done.stdout
    assert plot.read_text().startswith("<?xml")
    assert not any(folder.iterdir())


@pytest.mark.parametrize(
    "instructions_now, recorded, passes",
    [(100, 100, True), (104, 100, True), (106, 100, False), (50, 100, True), (100, None, False)],
)
def test_the_guard_sees_a_slow_down(instructions_now, recorded, passes):
    assert instructions.verdict("topk", instructions_now, recorded)[1] is passes


def test_every_counted_kernel_is_on_record():
    assert set(json.loads(instructions.RECORD.read_text())) == set(instructions.KERNELS)


@pytest.mark.parametrize("content, words", [([1], "holds list"), (torch.zeros(3, 2), r"\(3, 2\)"), (b"", "no file of torch")])
def test_a_folder_of_something_else_is_refused_at_the_start(content, words, tmp_path):
    if isinstance(content, bytes):
        (tmp_path / "a.pt").write_bytes(content)
    else:
        torch.save(content, tmp_path / "a.pt")
    with pytest.raises(SystemExit, match=words):
        data.Maps(tmp_path)


def test_a_folder_without_maps_is_refused_before_anything_is_built(tmp_path):
    result = subprocess.run([BENCHMARKS / "run", tmp_path], capture_output=True, text=True)
    assert result.returncode == 64 and "no .pt file" in result.stderr


def test_files_of_views_are_laid_out_as_their_own(tmp_path):
    first, *_, last = view_data.write_sre2l(tmp_path / "sre2l", 40, 2, 16, 20)
    slots = torch.load(first, weights_only=False)
    assert last.relative_to(tmp_path).as_posix() == "sre2l/epoch_1/batch_2.tar"
    kinds = [torch.float32, torch.bool, torch.int64, float, list, torch.float16]
    assert [slot.dtype if isinstance(slot, torch.Tensor) else type(slot) for slot in slots] == kinds
    assert slots[5].shape == (16, 20) and len(torch.load(last, weights_only=False)[0]) == 8
    slots = torch.load(view_data.write_lpqld(tmp_path / "lpqld", 40, 2, 16, 20, 5)[0], weights_only=False)
    assert len(slots) == 7 and slots[6].dtype == torch.int16 and (slots[5].diff(dim=1) <= 0).all()
    assert all(len(set(row)) == 5 for row in slots[6].tolist())
    boxes, flips, labels = torch.load(view_data.write_fkd(tmp_path / "fkd", 2, 30)[0], weights_only=False)
    assert boxes.shape == (30, 4) and flips.shape == (30,) and labels.shape == (30, 2, 5)
    assert (labels[:, 1].sum(1) <= 1).all() and (boxes[:, :2] + boxes[:, 2:] <= 1).all()


@pytest.mark.long
def test_works_of_views_run_from_end_to_end(tmp_path):
    path = tmp_path / "rows.json"
    done = subprocess.run(
        [BENCHMARKS / "run", SAMPLES / "maps", "--only", "views", "--images", "128", "--rounds", "1", "--json", path],
        capture_output=True, text=True, timeout=600, env={**os.environ, "RELABEL_BIN": str(BIN)},
    )
    assert done.returncode in (0, 1), done.stderr
    works = {row["work"].partition(":")[0] for row in json.loads(path.read_text())}
    assert works == {"views replay", "views random access", "size of views"}
