"""A run that dies at any moment leaves nothing that passes as finished, and the next run completes it."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time

import oracle
import pytest
from conftest import SAMPLES, verify
from killing import check_leftover, command, kill_after, kill_and_complete, make_files, make_input, run, undisturbed

KILLS = int(os.environ.get("RELABEL_KILLS", "8"))


@pytest.fixture(scope="module")
def sample_maps():
    return oracle.read_pt_tree(SAMPLES / "maps")


@pytest.fixture(scope="module")
def source(sample_maps, tmp_path_factory):
    """Input for a run of half a second and about fifty shards."""
    return make_input(tmp_path_factory.mktemp("crash") / "input", sample_maps, 45)


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    """The undisturbed dataset, and how long it took."""
    folder = tmp_path_factory.mktemp("crash") / "whole"
    return folder, undisturbed(source, folder)


@pytest.fixture(scope="module")
def expected(whole):
    return oracle.folder_bytes(whole[0])


def interrupted(whole, folder, shards):
    """A folder as a killed run leaves it: some finished shards, half of the next, no index."""
    folder.mkdir()
    names = sorted(path.name for path in whole[0].glob("*.h5"))
    for name in names[:shards]:
        shutil.copy(whole[0] / name, folder / name)
    if shards < len(names):
        half = (whole[0] / names[shards]).read_bytes()[:5000]
        (folder / f".{names[shards]}.partial").write_bytes(half)
    else:
        half = (whole[0] / "index.json").read_bytes()[:100]
        (folder / ".index.json.partial").write_bytes(half)
    return folder


def test_kill_9_at_random_moments(source, whole, expected, tmp_path):
    kept = []
    for seed in range(KILLS):
        moment, shards = kill_and_complete(source, tmp_path, expected, whole[1], seed)
        kept.append(shards)
    print("shards kept:", kept)
    assert len(set(kept)) > KILLS // 4 and max(kept) > len(expected) // 2


def test_kill_at_the_last_steps(source, whole, expected, tmp_path):
    """Every shard is there, the index is half-written or not begun."""
    count = len(expected) - 1
    for shards in (0, 1, count - 1, count):
        folder = interrupted(whole, tmp_path / f"d{shards}", shards)
        assert len(check_leftover(folder)) == shards
        result = run(source, folder, "--format", "json")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["kept_shards"] == shards
        assert oracle.folder_bytes(folder) == expected


def test_killed_twice(source, whole, expected, tmp_path):
    """Kills of the run that resumes do no harm either."""
    for share in (0.2, 0.3, 0.4, 0.3):
        if kill_after(source, tmp_path / "d", whole[1] * share):
            check_leftover(tmp_path / "d")
        else:
            shutil.rmtree(tmp_path / "d")
    assert run(source, tmp_path / "d").returncode == 0
    assert oracle.folder_bytes(tmp_path / "d") == expected


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace to kill at a system call")
@pytest.mark.parametrize("call", ["fsync", "rename", "unlink", "write", "pwrite64", "ftruncate"])
def test_kill_at_system_calls(source, whole, expected, tmp_path, call):
    """Kills at the very calls that publish a shard and the index."""
    for number in (1, 2, 3):
        folder = tmp_path / f"d{number}"
        interrupted(whole, folder, len(expected) - 3)
        inject = f"{call}:signal=SIGKILL:when={number}"
        traced = ["strace", "-f", "-o", "/dev/null", "-e", f"inject={inject}", *command(source, folder)]
        result = subprocess.run(traced, capture_output=True, timeout=120)
        if result.returncode == 0:
            assert oracle.folder_bytes(folder) == expected
            continue
        if "index.json" in os.listdir(folder):
            assert verify(folder)[0] == 0  # It died after everything was published.
            assert oracle.folder_bytes(folder) == expected
            continue
        check_leftover(folder)
        assert run(source, folder).returncode == 0
        assert oracle.folder_bytes(folder) == expected


@pytest.mark.parametrize(
    "options", [["--cell-order", "class"], ["--images-per-shard", 17], ["--images-per-chunk", 2],
                ["--row-order", "shuffled:1"], ["--score-encoding", "fixed8"], ["--name", "other"],
                ["--orientation", "xy"], ["--compression", "deflate:7"], ["--max-error", 0.01]],
    ids=lambda options: options[0],
)
def test_leftover_of_another_build_is_refused(source, whole, tmp_path, options):
    folder = interrupted(whole, tmp_path / "d", 5)
    before = {name: data for name, data in oracle.folder_bytes(folder).items() if name[0] != "."}
    result = run(source, folder, *options)
    assert result.returncode == 64 and "labels-0000" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    after = {name: data for name, data in oracle.folder_bytes(folder).items() if name[0] != "."}
    assert after == before


def test_leftover_of_other_input(source, whole, expected, tmp_path):
    """A listing that changed is refused by name; --overwrite starts afresh."""
    changed = tmp_path / "input"
    shutil.copytree(source, changed)
    (changed / "batch000.npz").rename(changed / "batch999.npz")
    folder = interrupted(whole, tmp_path / "d", 5)
    result = run(changed, folder)
    assert result.returncode == 64 and "labels-00000.h5" in result.stderr
    assert "--overwrite" in result.stderr and len(result.stderr.splitlines()) == 1
    assert run(source, folder, "--overwrite", "--cell-order", "class").returncode == 0
    assert verify(folder)[0] == 0
    assert run(source, folder, "--overwrite").returncode == 0
    assert oracle.folder_bytes(folder) == expected


def test_damaged_leftover_is_never_taken(source, whole, expected, tmp_path):
    """A finished shard that was damaged since is made again or refused by name."""
    for number, place in enumerate((100, 3000, -2000)):
        folder = interrupted(whole, tmp_path / f"d{number}", 5)
        victim = folder / "labels-00002.h5"
        content = bytearray(victim.read_bytes())
        content[place] ^= 1
        victim.write_bytes(content)
        result = run(source, folder)
        if result.returncode == 0:
            assert oracle.folder_bytes(folder) == expected
        else:
            assert result.returncode == 64 and victim.name in result.stderr, result.stderr
            assert not (folder / "index.json").exists()


def test_overwrite_that_is_killed(source, whole, expected, tmp_path):
    """From the first moment of an overwrite on, the old index is gone or the old dataset whole."""
    for share in (0.02, 0.1, 0.3, 0.6, 0.9):
        folder = tmp_path / f"d{share}"
        shutil.copytree(whole[0], folder)
        process = subprocess.Popen(
            command(source, folder, "--overwrite", "--cell-order", "class"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        time.sleep(whole[1] * share)
        process.kill()
        if process.wait() == 0:
            assert verify(folder)[0] == 0
        elif "index.json" in os.listdir(folder):
            found = oracle.folder_bytes(folder)
            assert all(found[name] == data for name, data in expected.items())
        else:
            check_leftover(folder)
        assert run(source, folder, "--overwrite").returncode == 0
        assert oracle.folder_bytes(folder) == expected


def test_two_packers_at_once(source, expected, tmp_path):
    """The second is refused by name; the first is not disturbed."""
    folder = tmp_path / "d"
    first = subprocess.Popen(command(source, folder), stdout=subprocess.DEVNULL)
    while not folder.exists() or not os.listdir(folder):
        assert first.poll() is None
        time.sleep(0.005)
    second = run(source, folder)
    assert first.poll() is None, "the first run was over too soon for this test"
    assert second.returncode == 64 and str(folder) in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert run(source, folder, "--overwrite").returncode == 64 or first.poll() is not None
    assert first.wait() == 0
    assert oracle.folder_bytes(folder) == expected


def test_interrupt_and_terminate(source, expected, tmp_path):
    """Control-C and TERM leave what kill -9 leaves, or less."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        folder = tmp_path / f"d{number}"
        # Whoever runs the tests in the background may have all of them ignored.
        process = subprocess.Popen(
            command(source, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        )
        # Some shards are there, most are not.
        while not folder.exists() or len(os.listdir(folder)) < 5:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(number)
        assert process.wait() != 0
        check_leftover(folder)
        assert run(source, folder).returncode == 0
        assert oracle.folder_bytes(folder) == expected


# Disks that are full


def out_of_space(result, folder):
    """Asserts exit 74 with one line, and a folder that nobody takes for finished."""
    assert result.returncode == 74, (result.returncode, result.stderr)
    assert len(result.stderr.splitlines()) == 1 and str(folder) in result.stderr, result.stderr
    assert "index.json" not in os.listdir(folder)
    check_leftover(folder)


@pytest.fixture
def small_disk(tmp_path):
    """A file system in memory; gives a function that sets its size."""
    point = tmp_path / "disk"
    point.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "relabel", point])
    if mounted.returncode != 0:
        pytest.skip("tmpfs can't be mounted here")

    def resize(size):
        subprocess.run(["mount", "-o", f"remount,size={size}", point], check=True)
        return point

    yield resize
    subprocess.run(["umount", point], check=True)


def pages(folder):
    """KiB that the shards of a folder take on a tmpfs, and what index.json takes."""
    sizes = {n: -(-len(d) // 4096) * 4 for n, d in oracle.folder_bytes(folder).items()}
    index = sizes.pop("index.json")
    return sum(sizes.values()), index


@pytest.mark.parametrize("share", [0, 0.02, 0.4, 0.8, 0.99, "all shards"])
def test_full_disk(sample_maps, small_disk, share, tmp_path):
    """A small tmpfs, then with room: the same command completes the dataset."""
    source = make_files(tmp_path / "input", sample_maps, 15)
    assert run(source, tmp_path / "whole").returncode == 0
    whole = oracle.folder_bytes(tmp_path / "whole")
    shards, index = pages(tmp_path / "whole")
    assert index >= 4 and shards > 500
    room = shards if share == "all shards" else max(4, int(shards * share))
    folder = small_disk(f"{room}k") / "d"
    out_of_space(run(source, folder), folder)
    if share == "all shards":
        assert len(check_leftover(folder)) == len(whole) - 1
    small_disk("100m")
    result = run(source, folder)
    assert result.returncode == 0, result.stderr
    assert oracle.folder_bytes(folder) == whole


@pytest.mark.parametrize("room", ["8k", "1m", "8m"])
def test_full_disk_for_the_spool(source, whole, expected, small_disk, room):
    """Arrays of .npz files are spooled in the output folder, which the message has to name."""
    folder = small_disk(room) / "d"
    out_of_space(run(source, folder), folder)
    small_disk("100m")
    assert run(source, folder).returncode == 0
    assert oracle.folder_bytes(folder) == expected


@pytest.mark.parametrize("size", [0, 100, 2000, 20_000, 45_000])
def test_file_size_limit(tmp_path, size):
    """Writes that fail in the middle of a file."""
    maps = SAMPLES / "maps"

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    out_of_space(run(maps, tmp_path / "d", preexec_fn=limit), tmp_path / "d")
    assert run(maps, tmp_path / "d").returncode == 0
    assert run(maps, tmp_path / "e").returncode == 0
    assert oracle.folder_bytes(tmp_path / "d") == oracle.folder_bytes(tmp_path / "e")


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace to make system calls fail")
@pytest.mark.parametrize("call", ["fsync", "rename", "pwrite64", "write", "ftruncate"])
def test_system_calls_that_fail(whole, expected, source, tmp_path, call):
    """An error of any single call: exit 74, never a dataset that is not whole."""
    for number in (1, 2, 4):
        folder = interrupted(whole, tmp_path / f"d{number}", len(expected) - 3)
        inject = f"inject={call}:error=ENOSPC:when={number}"
        traced = ["strace", "-f", "-o", "/dev/null", "-e", inject, *command(source, folder)]
        result = subprocess.run(traced, capture_output=True, text=True, timeout=120)
        if result.returncode == 0:
            assert oracle.folder_bytes(folder) == expected  # Not so many calls.
            continue
        assert result.returncode == 74, (number, result.returncode, result.stderr)
        assert len(result.stderr.splitlines()) == 1, result.stderr
        if "index.json" in os.listdir(folder):
            assert oracle.folder_bytes(folder) == expected, (number, result.stderr)
            continue
        check_leftover(folder)
        assert run(source, folder).returncode == 0
        assert oracle.folder_bytes(folder) == expected
