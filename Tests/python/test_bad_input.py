"""Broken and hostile input is refused by name in one line, without harm; nothing else is lost."""

import gzip
import io
import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import oracle
import pytest
import torch
from conftest import SAMPLES, pack, verify

GIBIBYTE = 1 << 30
GOOD = [f"n{i}/n{i}_{j}" for i in range(3) for j in range(3)]


def limit_memory():
    """2 GiB of address space: a large allocation would fail."""
    resource.setrlimit(resource.RLIMIT_AS, (2 * GIBIBYTE, 2 * GIBIBYTE))


def limited(*arguments, **options):
    """Runs the packer with little memory and little time."""
    options.setdefault("preexec_fn", limit_memory)
    return pack(*arguments, timeout=60, **options)


def refused(result, code, *words):
    """Asserts a documented exit code and one line on stderr with certain words."""
    assert result.returncode == code, (result.returncode, result.stderr[-600:])
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: "), result.stderr[-600:]
    for word in words:
        assert str(word).lower() in lines[0].lower(), (word, lines[0])
    assert result.stdout == ""


def unfinished(folder):
    """Asserts that nothing in a folder looks like a finished dataset."""
    if not folder.exists():
        return
    names = [path.name for path in folder.iterdir()]
    assert "index.json" not in names
    assert [name for name in names if name.startswith(".")] == []
    code, _ = verify(folder)
    assert code != 0


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A folder of good maps and their labels."""
    folder = tmp_path_factory.mktemp("bad") / "maps"
    return folder, oracle.make_tree(folder, GOOD, np.random.default_rng(1))


def copy_of(good, folder):
    """A copy of the good maps made of hard links."""
    for name in oracle.file_names(good[0]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(good[0] / name, folder / name)
    return folder


def check_both_ways(good, tmp_path, name, content, code, words, options=()):
    """A bad file among good ones: refused by name; with skip left out by name, the rest kept."""
    maps = copy_of(good, tmp_path / "maps")
    path = maps / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    key = name.rsplit(".", 1)[0]
    result = limited(maps, "-o", tmp_path / "fail", *options)
    refused(result, code, path, *words)
    unfinished(tmp_path / "fail")
    check_skip(maps, tmp_path / "skip", good[1], [key], words, options)


def check_skip(source, output, labels, left_out, words=(), options=()):
    """Packs with skip: exactly these keys are left out, every other image is there and right."""
    result = limited(source, "-o", output, "--on-bad-input", "skip", "--format", "json", *options)
    assert result.returncode == 3, (result.returncode, result.stderr)
    assert result.stderr == ""
    index = oracle.read_index(output)
    assert [entry["key"] for entry in index["left_out"]] == left_out
    for entry in index["left_out"]:
        for word in words:
            assert word.lower() in entry["reason"].lower(), entry
        assert str(source) not in entry["reason"] and "\n" not in entry["reason"]
    summary = json.loads(result.stdout)
    assert [entry["key"] for entry in summary["left_out"]] == left_out
    oracle.compare_dataset(output, {k: v for k, v in labels.items() if k not in left_out})
    code, report = verify(output)
    assert code == 0, report


# .pt files


def saved(value, legacy=False):
    """The bytes of torch.save."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def a_map(**shape):
    """A sound map, the same in every run."""
    return oracle.random_tensor(np.random.default_rng(2), **shape)


def changed(plane, value):
    """A map with one number replaced, at rank 1 of cell (2, 3)."""
    tensor = a_map()
    tensor[plane, 1, 2, 3] = value
    return tensor


def repeated_id():
    """A map with an id twice in cell (2, 3)."""
    tensor = a_map()
    tensor[1, 4, 2, 3] = tensor[1, 0, 2, 3]
    return tensor


def flipped(content, position):
    """The bytes with one bit changed."""
    content = bytearray(content)
    content[position] ^= 0x10
    return bytes(content)


def truncated(legacy, share):
    """The first part of a file of torch.save."""
    content = saved(a_map(), legacy)
    return content[: int(len(content) * share)]


TRUNCATIONS = [0, 0.0004, 0.002, 0.05, 0.2, 0.5, 0.8, 0.95, 0.999]


@pytest.mark.parametrize("share", TRUNCATIONS)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_truncated_pt(good, tmp_path, legacy, share):
    check_both_ways(good, tmp_path, "n1/bad.pt", truncated(legacy, share), 5, [])


def data_position(content):
    """A byte in the middle of the storage of a zip container."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = next(i for i in archive.infolist() if i.filename.endswith("/data/0"))
    return content.index(a_map().numpy().tobytes()[:32], info.header_offset) + info.file_size // 2


class Planted:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


BAD_NUMBERS = {
    "score-nan": (changed(0, float("nan")), 5, ["cell (2, 3)", "nan"]),
    "score-inf": (changed(0, float("inf")), 5, ["cell (2, 3)", "inf"]),
    "score-minus-inf": (changed(0, -float("inf")), 5, ["cell (2, 3)", "inf"]),
    "id-nan": (changed(1, float("nan")), 5, ["cell (2, 3)", "class id"]),
    "id-inf": (changed(1, float("inf")), 5, ["cell (2, 3)", "class id"]),
    "id-negative": (changed(1, -1), 5, ["cell (2, 3)", "-1", "class id"]),
    "id-not-whole": (changed(1, 3.5), 5, ["cell (2, 3)", "3.5", "class id"]),
    "id-is-1000": (changed(1, 1000), 5, ["cell (2, 3)", "class id 1000"]),
    "id-huge": (changed(1, 3e38), 5, ["cell (2, 3)", "class id"]),
    "id-twice": (repeated_id(), 5, ["cell (2, 3)", "twice"]),
    "score-200": (changed(0, 200), 5, ["cell (2, 3)", "200", "float32"]),
    "score-minus-129": (changed(0, -129), 5, ["cell (2, 3)", "-129"]),
    "double-1e300": (changed(0, 0).double().index_put_(
        tuple(torch.tensor(i) for i in (0, 1, 2, 3)), torch.tensor(1e300).double()), 5, ["(2, 3)"]),
    "half-inf": (changed(0, float("inf")).half(), 5, ["cell (2, 3)", "inf"]),
    "planes-swapped": (a_map().flip(0), 5, ["class id"]),
    "grid-3x4": (a_map(height=3), 5, ["3", "4"]),
    "grid-4x3": (a_map(width=3), 5, ["3", "4"]),
    "k-4": (a_map(k=4), 5, ["4", "5"]),
    "one-plane": (a_map()[0], 5, ["shape"]),
    "three-planes": (torch.cat([a_map(), a_map()[:1]]), 5, ["shape"]),
    "five-axes": (a_map()[None], 5, ["shape"]),
    "scalar": (torch.tensor(1.0), 5, ["shape"]),
    "no-cells": (a_map()[:, :, :0], 5, []),
    "no-ranks": (a_map()[:, :0], 5, []),
    "int64": (a_map().long(), 5, ["LongStorage"]),
    "uint8": (a_map().to(torch.uint8), 5, ["ByteStorage"]),
    "complex": (a_map().to(torch.complex64), 5, []),
    "a-number": (5, 5, []),
    "a-list": ([a_map(), a_map()], 5, []),
    "a-dictionary": ({"map": a_map()}, 5, []),
    "a-text": ("hello", 5, []),
    "none": (None, 5, []),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", BAD_NUMBERS)
def test_bad_numbers_in_pt(good, tmp_path, name, legacy):
    value, code, words = BAD_NUMBERS[name]
    check_both_ways(good, tmp_path, "n1/bad.pt", saved(value, legacy), code, words)


def test_flipped_member_of_pt(good, tmp_path):
    content = saved(a_map())
    content = flipped(content, data_position(content))
    check_both_ways(good, tmp_path, "n1/bad.pt", content, 5, ["crc"])


STORAGE = a_map().numpy().tobytes()
TRUE_PICKLE = oracle.forged_pickle((2, 5, 4, 4), (80, 16, 4, 1), count=160)
HUGE = 1 << 62

FORGED = {
    "strides-past-the-end": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, 2), count=160),
    "one-past-the-end": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, 1), offset=1, count=160),
    "sizes-past-the-end": dict(sizes=(2, 5, 40, 40), strides=(8000, 1600, 40, 1), count=160),
    "offset-past-the-end": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, 1), offset=10**9, count=160),
    "offset-negative": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, 1), offset=-80, count=160),
    "strides-negative": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, -1), offset=3, count=160),
    "strides-overflow": dict(sizes=(2, 5, 4, 4), strides=(HUGE, HUGE, HUGE, HUGE), count=160),
    "sizes-overflow": dict(sizes=(2, HUGE, HUGE, HUGE), strides=(0, 0, 0, 0), count=160),
    "sizes-negative": dict(sizes=(2, -5, -4, 4), strides=(80, 16, 4, 1), count=160),
    "size-above-64-bits": dict(sizes=(2, 5, 4, 1 << 70), strides=(0, 0, 0, 0), count=160),
    "sizes-that-wrap-to-small": dict(sizes=(2, 1 << 32, 1 << 32, 4), strides=(0, 0, 0, 0), count=160),
    "expanded-to-a-terabyte": dict(sizes=(2, 60000, 4000, 4000), strides=(0, 0, 0, 0), count=160),
    "count-above-the-bytes": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, 1), count=10**12),
    "count-overflow": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, 1), count=HUGE),
    "count-negative": dict(sizes=(2, 5, 4, 4), strides=(80, 16, 4, 1), count=-160),
    "strides-missing": dict(sizes=(2, 5, 4, 4), strides=(80, 16), count=160),
    "doubles-in-float-bytes": dict(
        sizes=(2, 5, 4, 4), strides=(80, 16, 4, 1), count=160, kind=torch.DoubleStorage),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", FORGED)
def test_forged_tensor(good, tmp_path, name, legacy):
    """Strides, sizes and counts that lie never reach beyond the bytes that are there."""
    pickled = oracle.forged_pickle(**FORGED[name], legacy=legacy)
    if legacy:
        content = oracle.legacy_container(pickled, STORAGE, FORGED[name]["count"])
    else:
        content = oracle.zip_container(pickled, STORAGE)
    check_both_ways(good, tmp_path, "n1/bad.pt", content, 5, [])


def test_forging_itself_is_right(good, tmp_path):
    """The same containers with true numbers are read by torch and by the packer."""
    maps = tmp_path / "maps"
    maps.mkdir()
    (maps / "zip.pt").write_bytes(oracle.zip_container(TRUE_PICKLE, STORAGE))
    pickled = oracle.forged_pickle((2, 5, 4, 4), (80, 16, 4, 1), count=160, legacy=True)
    (maps / "legacy.pt").write_bytes(oracle.legacy_container(pickled, STORAGE, 160))
    for labels in oracle.read_pt_tree(maps).values():
        assert (labels.ids == oracle.from_tensor(a_map()).ids).all()
    deflated = oracle.zip_container(TRUE_PICKLE, STORAGE, zipfile.ZIP_DEFLATED)
    (maps / "deflated.pt").write_bytes(deflated)
    assert limited(maps, "-o", tmp_path / "d").returncode == 0
    expected = oracle.from_tensor(a_map())
    oracle.compare_dataset(tmp_path / "d", dict.fromkeys(["zip", "deflated", "legacy"], expected))


def planted_pickles(canary):
    """Pickles that run a command when Python loads them, by name."""
    command = f"touch {canary}"
    calls = {
        "os.system": Planted(os.system, command),
        "subprocess": Planted(subprocess.call, ["touch", str(canary)]),
        "eval": Planted(eval, f"__import__('os').system({command!r})"),
        "exec": Planted(exec, f"import os; os.system({command!r})"),
    }
    for name, call in calls.items():
        for protocol in (2, 4):
            yield f"{name}-{protocol}", pickle.dumps(call, protocol)
            yield f"{name}-list-{protocol}", pickle.dumps([call, 1], protocol)
    body, call = TRUE_PICKLE[2:-1], pickle.dumps(calls["os.system"], 2)[2:-1]
    yield "before-the-tensor", b"\x80\x02" + call + b"0" + body + b"."
    yield "behind-the-tensor", b"\x80\x02" + body + call + b"0."
    words = b"X" + struct.pack("<I", len(command)) + command.encode()
    yield "inst", b"\x80\x02(" + words + b"ios\nsystem\n."
    yield "obj", b"\x80\x02(cos\nsystem\n" + words + b"o."
    yield "newobj", b"\x80\x02csubprocess\nPopen\n" + pickle.dumps((command, -1), 2)[2:-1] + b"\x81."
    yield "allowed-module", b"\x80\x02ctorch.storage\n_load_from_bytes\nC\x01x\x85R."
    yield "dotted-name", b"\x80\x04\x8c\x05torch\x8c\x1eserialization.os.systemStorage\x93\x8c\x02ls\x85R."
    yield "build", b"\x80\x02" + body + b"}b."


@pytest.mark.parametrize("container", ["zip", "legacy-first", "legacy-tensor", "bare"])
def test_pickles_are_never_executed(good, tmp_path, container):
    """Whatever a pickle calls, nothing runs, and the file is refused as unsafe."""
    canary = tmp_path / "canary"
    maps = copy_of(good, tmp_path / "maps")
    names = []
    for name, pickled in planted_pickles(canary):
        content = pickled
        if container == "zip":
            content = oracle.zip_container(pickled, STORAGE)
        elif container == "legacy-tensor":
            content = oracle.legacy_container(pickled, STORAGE, 160)
        elif container == "legacy-first":
            content = pickled + oracle.legacy_container(b"", STORAGE, 160)
        names.append(f"n1/bad-{name}")
        (maps / f"n1/bad-{name}.pt").write_bytes(content)
    for number, name in enumerate(names):
        result = limited(maps / f"{name}.pt", "-o", tmp_path / f"out{number}")
        assert not canary.exists(), name
        refused(result, 4, maps / f"{name}.pt", "not executed")
        assert list((tmp_path / f"out{number}").iterdir()) == []
    check_skip(maps, tmp_path / "skip", good[1], oracle.key_order(names), ["not executed"])
    assert not canary.exists()


def test_the_canary_works(tmp_path):
    """Python itself does run these pickles, so the test above proves something."""
    canary = tmp_path / "canary"
    pickled = dict(planted_pickles(canary))["os.system-2"]
    subprocess.run([sys.executable, "-c", f"import pickle; pickle.loads({pickled!r})"], check=True)
    assert canary.exists()


@pytest.mark.parametrize("protocol", [0, 1])
def test_old_pickle_protocols(good, tmp_path, protocol):
    canary = tmp_path / "canary"
    content = pickle.dumps(Planted(os.system, f"touch {canary}"), protocol)
    check_both_ways(good, tmp_path, "n1/bad.pt", content, 5, ["torch.save"])
    assert not canary.exists()


BOMBS = {
    "nested-marks": b"\x80\x02" + b"(" * 500_000 + b".",
    "nested-tuples": b"\x80\x02" + b")" + b"\x85" * 500_000 + b".",
    "deep-within-limits": b"\x80\x02)" + b"\x85" * 4000 + b".",
    "doubling": b"\x80\x02]q\x00" + b"h\x00h\x00\x86q\x00" * 900 + b".",
    "long-text": b"\x80\x02X\xff\xff\xff\x7fabc.",
    "long-text-8": b"\x80\x04\x8d" + b"\xff" * 8 + b".",
    "long-frame": b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.",
    "far-memo": b"\x80\x02Kxr\xff\xff\xff\x7f.",
    "unknown-recall": b"\x80\x02h\x09.",
    "empty-stack": b"\x80\x02.",
    "underflow": b"\x80\x02\x87.",
    "no-mark": b"\x80\x02t.",
    "proto-9": b"\x80\x09N.",
    "no-end": b"\x80\x02N",
    "text-not-utf8": b"\x80\x02X\x02\x00\x00\x00\xff\xfe.",
    "extension": b"\x80\x02\x82\x01.",
    "random": np.random.default_rng(3).bytes(20_000),
}


@pytest.mark.parametrize("container", ["zip", "legacy", "bare"])
def test_malformed_pickles(good, tmp_path, container):
    maps = copy_of(good, tmp_path / "maps")
    for name, pickled in BOMBS.items():
        content = pickled
        if container == "zip":
            content = oracle.zip_container(pickled, STORAGE)
        elif container == "legacy":
            content = oracle.legacy_container(pickled, STORAGE, 160)
        (maps / f"n1/bad-{name}.pt").write_bytes(content)
    for name in BOMBS:
        alone = limited(maps / f"n1/bad-{name}.pt", "-o", tmp_path / f"o-{name}")
        assert alone.returncode in (4, 5), (name, alone.stderr[-500:])
        refused(alone, alone.returncode, f"bad-{name}.pt")
        unfinished(tmp_path / f"o-{name}")
    expected = oracle.key_order(f"n1/bad-{name}" for name in BOMBS)
    check_skip(maps, tmp_path / "skip", good[1], expected)


@pytest.mark.parametrize("name", ["text", "hdf5", "html", "gzip", "zeros", "npy", "directory-end"])
def test_not_torch_at_all(good, tmp_path, name):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 5, 4, 4), np.float32))
    contents = {
        "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9353\n",
        "hdf5": b"\x89HDF\r\n\x1a\n" + b"\0" * 600, "html": b"<!DOCTYPE html><html></html>",
        "gzip": gzip.compress(saved(a_map())), "zeros": b"\0" * 9353, "npy": buffer.getvalue(),
        "directory-end": b"PK\5\6" + b"\0" * 18,
    }
    check_both_ways(good, tmp_path, "n1/bad.pt", contents[name], 5, [])


def test_zip_bomb_in_pt(good, tmp_path):
    pickled = oracle.forged_pickle((2, 5, 4, 4), (80, 16, 4, 1), count=75 << 20)
    content = oracle.zip_container(pickled, bytes(300 << 20), zipfile.ZIP_DEFLATED)
    assert len(content) < 1 << 20
    check_both_ways(good, tmp_path, "n1/bad.pt", content, 4, ["bomb"])


def test_many_bombs_below_the_limit(good, tmp_path):
    """Members that are each allowed do not add up to anything large."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("map/data.pkl", TRUE_PICKLE)
        for number in range(6):
            archive.writestr(f"map/data/{number}", bytes(60 << 20))
    check_both_ways(good, tmp_path, "n1/bad.pt", buffer.getvalue(), 4, [])


def test_zip_with_lying_sizes(good, tmp_path):
    """A member that declares few bytes and inflates to many."""
    content = oracle.zip_container(TRUE_PICKLE, bytes(100 << 20), zipfile.ZIP_DEFLATED)
    real, told = struct.pack("<I", 100 << 20), struct.pack("<I", 640)
    assert content.count(real) == 2
    check_both_ways(good, tmp_path, "n1/bad.pt", content.replace(real, told), 5, [])


def test_random_flips_in_pt(good, tmp_path):
    """A flipped file is refused, or read as torch reads it; nothing crashes."""
    rng = np.random.default_rng(4)
    maps = copy_of(good, tmp_path / "maps")
    keys = {}
    for number in range(240):
        legacy = number % 2 == 1
        content = saved(a_map(), legacy)
        # Half of the flips of a legacy file go where it is not plain numbers.
        end = 700 if legacy and number % 4 == 1 else len(content)
        content = flipped(content, int(rng.integers(end)))
        (maps / f"f{number:03d}.pt").write_bytes(content)
        keys[f"f{number:03d}"] = legacy
    result = limited(maps, "-o", tmp_path / "d", "--on-bad-input", "skip", "--score-encoding", "float32")
    assert result.returncode == 3, result.stderr
    found = oracle.read_dataset(tmp_path / "d")
    for key, labels in good[1].items():
        oracle.compare(found[key], labels, encoding="float32")
    accepted = [key for key in keys if key in found]
    for key in accepted:
        try:
            expected = oracle.read_pt(maps / f"{key}.pt")
        except Exception:
            expected = oracle.from_tensor(a_map())
        oracle.compare(found[key], expected, encoding="float32")
    intact = oracle.from_tensor(a_map())
    for key in accepted:
        if not keys[key]:
            oracle.compare(found[key], intact, encoding="float32")
    assert len(accepted) < 200


# .npy files

DENSE = ["--score-kind", "logit"]


def saved_npy(array, **options):
    """The bytes of numpy.save."""
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npy_with(header, data=b"", version=(1, 0)):
    """A .npy file with any header text."""
    text = header.encode() if isinstance(header, str) else header
    text += b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text + data


def described(shape, descr="<f4", fortran="False"):
    """The header dictionary of a .npy file."""
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def dense_map(**changes):
    """Dense logits [30, 4, 4]; changes maps a place to a value."""
    array = np.random.default_rng(5).normal(3, 4, (30, 4, 4)).astype(np.float32)
    for place, value in changes.items():
        array[tuple(int(n) for n in place.split("_")[1:])] = value
    return array


def bad_arrays(canary):
    """Bad .npy files: name to (content, code, words)."""
    plain = saved_npy(dense_map())
    code = f"__import__('os').system('touch {canary}')"
    objects = np.array([Planted(os.system, f"touch {canary}")], dtype=object)
    return {
        **{f"truncated-{n}": (plain[:n], 5, []) for n in (0, 1, 5, 9, 40, 127, 128, 129, 1000, 2047)},
        "trailing": (plain + b"x", 5, ["trailing"]),
        "magic": (b"\x94" + plain[1:], 5, ["npy"]),
        "version-9": (b"\x93NUMPY\x09\x00" + plain[8:], 5, ["version"]),
        "header-of-4-gigabytes": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + plain[12:], 5, ["header"]),
        "shape-overflow": (npy_with(described((1 << 62, 4, 4)), bytes(64)), 5, []),
        "shape-wraps": (npy_with(described((1 << 32, 1 << 32, 4)), bytes(64)), 5, []),
        "shape-above-64-bits": (npy_with(described((1 << 70, 4, 4)), bytes(64)), 5, []),
        "shape-negative": (npy_with(described((-1, 4, 4)), bytes(64)), 5, []),
        "shape-past-the-end": (npy_with(described((10**6, 1000, 250)), bytes(64)), 5, ["truncated"]),
        "batch-past-the-end": (npy_with(described((10**12, 30, 4, 4)), bytes(1920)), 5, ["truncated"]),
        "batch-of-none": (npy_with(described((0, 30, 4, 4))), 5, []),
        "batch-of-nothing": (npy_with(described((10**15, 30, 4, 0))), 5, []),
        "shape-is-code": (npy_with(described(code), bytes(64)), 5, ["malformed"]),
        "header-is-code": (npy_with(code, bytes(64)), 5, ["malformed"]),
        "header-not-closed": (npy_with("{'descr': '<f4', 'shape': (3,"), 5, []),
        "header-twice": (npy_with(described((1, 1, 1))[:-1] + "'descr': '<f4'}"), 5, []),
        "header-deep": (npy_with("{" * 60_000), 5, []),
        "header-not-ascii": (npy_with(b"{'descr': '\xff\xfe'}"), 5, []),
        "big-endian": (saved_npy(dense_map().astype(">f4")), 5, ["endian"]),
        "integers": (saved_npy(np.ones((30, 4, 4), np.int32)), 5, ["float"]),
        "structured": (saved_npy(np.zeros((30, 4, 4), [("a", "<f4")])), 5, []),
        "complex": (saved_npy(np.zeros((30, 4, 4), np.complex64)), 5, []),
        "objects": (saved_npy(objects, allow_pickle=True), 4, ["not executed"]),
        "objects-3d": (
            saved_npy(np.full((30, 4, 4), objects[0], object), allow_pickle=True), 4, ["not executed"]),
        "two-axes": (saved_npy(np.ones((30, 4), np.float32)), 5, ["shape"]),
        "five-axes": (saved_npy(np.ones((1, 1, 30, 4, 4), np.float32)), 5, ["shape"]),
        "label-map": (saved_npy(a_map().numpy()), 5, ["class id", "30"]),  # it is read, as PASSL's
        "nan": (saved_npy(dense_map(_7_2_3=np.nan)), 5, ["class 7", "cell (2, 3)", "nan"]),
        "inf": (saved_npy(dense_map(_29_0_1=np.inf)), 5, ["class 29", "cell (0, 1)", "inf"]),
        "minus-inf": (saved_npy(dense_map(_0_3_3=-np.inf)), 5, ["class 0", "cell (3, 3)", "inf"]),
        "double-too-large": (saved_npy(dense_map().astype(np.float64) * 1e300), 5, ["float32"]),
        "score-200": (saved_npy(dense_map(_7_2_3=200)), 5, ["cell (2, 3)", "200"]),
        "other-classes": (saved_npy(dense_map()[:29]), 5, ["29", "30"]),
        "few-classes": (saved_npy(dense_map()[:4]), 5, ["4", "5"]),
        "other-grid": (saved_npy(dense_map()[:, :3]), 5, ["3", "4"]),
    }


@pytest.fixture(scope="module")
def good_dense(tmp_path_factory):
    """A folder of good dense maps and their labels."""
    folder = tmp_path_factory.mktemp("dense") / "maps"
    labels = {}
    for number, key in enumerate(GOOD):
        array = dense_map() + np.float32(number / 7)
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{key}.npy", array)
        labels[key] = oracle.from_dense(array)
    return folder, labels


@pytest.mark.parametrize("name", bad_arrays(""))
def test_bad_npy(good_dense, tmp_path, name):
    canary = tmp_path / "canary"
    content, code, words = bad_arrays(canary)[name]
    check_both_ways(good_dense, tmp_path, "n1/zbad.npy", content, code, words, DENSE)
    assert not canary.exists()


def test_bad_row_of_a_batch(tmp_path):
    batch = np.stack([dense_map(), dense_map(_7_2_3=np.nan), dense_map() + 1])
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps/b.npy", batch)
    refused(limited(tmp_path / "maps", "-o", tmp_path / "d", *DENSE), 5, "b.npy[1]", "(2, 3)")
    labels = {f"b#{i:06d}": oracle.from_dense(batch[i]) for i in (0, 2)}
    check_skip(tmp_path / "maps", tmp_path / "skip", labels, ["b#000001"], ["(2, 3)"], DENSE)


def test_sparse_file_that_claims_terabytes(tmp_path):
    """Holes on the disk: the declared size is really there, but must not be allocated."""
    (tmp_path / "maps").mkdir()
    header = npy_with(described((1_000_000, 1000, 1000)))
    with open(tmp_path / "maps/a.npy", "wb") as file:
        file.write(header)
        file.truncate(len(header) + 4 * 10**12)
    refused(limited(tmp_path / "maps", "-o", tmp_path / "d", *DENSE), 4, "a.npy")
    with open(tmp_path / "maps/a.pt", "wb") as file:
        file.write(b"PK\3\4")
        file.truncate(10**12)
    (tmp_path / "maps/a.npy").unlink()
    result = limited(tmp_path / "maps", "-o", tmp_path / "d")
    refused(result, 4, "a.pt")
    unfinished(tmp_path / "d")


# .npz files


def saved_npz(compressed=False, **arrays):
    """The bytes of numpy.savez."""
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def zipped(members, compression=zipfile.ZIP_STORED):
    """A zip file of members by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def twice(name, content):
    """A zip file with two members of one name."""
    other = name[:-1] + "!"
    return zipped([(name, content), (other, content)]).replace(other.encode(), name.encode())


def sparse(rows=3, **changes):
    """The arrays class_index and score of some maps; changes replace arrays."""
    maps = [oracle.from_tensor(a_map()) for _ in range(rows)]
    arrays = {"class_index": np.stack([m.ids for m in maps]).astype(np.float64),
              "score": np.stack([m.scores for m in maps])}
    return arrays | changes


def bad_archives(canary):
    """Bad .npz files as a whole: name to (content, code, words)."""
    plain = saved_npz(**sparse())
    deflated = saved_npz(True, **sparse())
    objects = np.array([Planted(os.system, f"touch {canary}")] * 3, dtype=object)
    score = sparse()["score"]
    ids = sparse()["class_index"]
    return {
        **{f"truncated-{s}": (plain[: int(len(plain) * s)], 5, []) for s in (0, .01, .1, .5, .9, .99)},
        **{f"deflated-{s}": (deflated[: int(len(deflated) * s)], 5, []) for s in (.1, .5, .9, .99)},
        "crc": (flipped(plain, len(plain) // 2), 5, []),
        "crc-deflated": (flipped(deflated, len(deflated) // 2), 5, []),
        "not-zip": (b"hello" * 100, 5, []),
        "empty-zip": (b"PK\5\6" + bytes(18), 5, []),
        "unknown-array": (saved_npz(other=score, **sparse()), 5, ["other"]),
        "both-kinds": (saved_npz(logits=dense_map()[None], probabilities=dense_map()[None]), 5, []),
        "dense-and-sparse": (saved_npz(logits=dense_map()[None], **sparse()), 5, []),
        "no-score": (saved_npz(class_index=ids), 5, ["score"]),
        "no-class-index": (saved_npz(score=score), 5, ["class_index"]),
        "only-keys": (saved_npz(keys=np.array(["a"])), 5, []),
        "rows-differ": (saved_npz(**sparse(score=score[:2])), 5, ["shape"]),
        "k-differs": (saved_npz(**sparse(score=score[..., :4])), 5, ["shape"]),
        "two-axes": (saved_npz(class_index=ids[0, 0], score=score[0, 0]), 5, ["shape"]),
        "keys-too-few": (saved_npz(keys=np.array(["a", "b"]), **sparse()), 5, ["keys"]),
        "keys-not-text": (saved_npz(keys=np.arange(3), **sparse()), 5, ["key"]),
        "keys-2d": (saved_npz(keys=np.array([["a", "b", "c"]]), **sparse()), 5, ["keys"]),
        "keys-not-utf8": (saved_npz(keys=np.array([b"\xff\xfe", b"a", b"b"]), **sparse()), 5, ["key"]),
        "keys-objects": (saved_npz(keys=objects, **sparse()), 4, ["not executed"]),
        "ids-objects": (saved_npz(**sparse(class_index=np.full(ids.shape, objects[0], object))), 4, []),
        "scores-integers": (saved_npz(**sparse(score=score.astype(np.int64))), 5, ["float"]),
        "same-array-twice": (twice("score.npy", saved_npy(score)), 5, ["score"]),
        "member-not-npy": (zipped([("score.npy", b"hello world, hello world")]), 5, ["npy"]),
        "member-short": (zipped([("score.npy", saved_npy(score)[:-4])]), 5, ["truncated"]),
        "member-long": (zipped([("score.npy", saved_npy(score) + b"x")]), 5, ["trailing"]),
        "path-upwards": (zipped([("../score.npy", saved_npy(score))]), 5, []),
        "path-absolute": (zipped([("/score.npy", saved_npy(score))]), 5, []),
        "terabytes-declared": (zipped([("score.npy", npy_with(described((10**9, 15, 15, 5))))]), 5, []),
    }


NPZ = [*DENSE, "--num-classes", 1000]


@pytest.mark.parametrize("name", bad_archives(""))
def test_bad_npz(good, tmp_path, name):
    canary = tmp_path / "canary"
    content, code, words = bad_archives(canary)[name]
    check_both_ways(good, tmp_path, "n1/bad.npz", content, code, words, NPZ)
    assert not canary.exists()
    assert not (tmp_path / "score.npy").exists()


def test_npz_bomb(good, tmp_path):
    array = npy_with(described((8000, 30, 15, 15))) + bytes(4 * 8000 * 30 * 225)
    content = zipped([("logits.npy", array)], zipfile.ZIP_DEFLATED)
    assert len(content) < 1 << 20
    check_both_ways(good, tmp_path, "n1/bad.npz", content, 4, ["bomb"], NPZ)


def replaced(name, place, value):
    """The arrays of three maps with one number changed."""
    arrays = sparse()
    array = arrays[name].copy()
    array[place] = value
    return arrays | {name: array}


BAD_ROWS = {
    "nan": (replaced("score", (1, 2, 3, 0), np.nan), ["(2, 3)", "nan"]),
    "inf": (replaced("score", (1, 2, 3, 4), np.inf), ["(2, 3)", "inf"]),
    "score-200": (replaced("score", (1, 2, 3, 0), 200), ["(2, 3)", "200"]),
    "id-not-whole": (replaced("class_index", (1, 2, 3, 4), 2.5), ["(2, 3)", "class id"]),
    "id-negative": (replaced("class_index", (1, 2, 3, 4), -1), ["(2, 3)", "class id"]),
    "id-nan": (replaced("class_index", (1, 2, 3, 4), np.nan), ["(2, 3)", "class id"]),
    "id-is-1000": (replaced("class_index", (1, 2, 3, 4), 1000), ["(2, 3)", "1000"]),
    "id-above-32-bits": (replaced("class_index", (1, 2, 3, 4), 2.0**40), ["(2, 3)", "class id"]),
    "id-twice": (replaced("class_index", (1, 2, 3, slice(None)), 7), ["(2, 3)", "twice"]),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_row_of_npz(tmp_path, name):
    arrays, words = BAD_ROWS[name]
    (tmp_path / "maps").mkdir()
    np.savez(tmp_path / "maps/b.npz", **arrays)
    refused(limited(tmp_path / "maps", "-o", tmp_path / "d", *NPZ), 5, "b.npz[1]", *words)
    unfinished(tmp_path / "d")
    labels = dict.fromkeys(["b#000000", "b#000002"], oracle.from_tensor(a_map()))
    check_skip(tmp_path / "maps", tmp_path / "skip", labels, ["b#000001"], words, NPZ)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../../escape", "a/../b", "a//b", "./a", "a\nb", "x" * 1025, "a/."],
)
def test_bad_keys_in_npz(tmp_path, key):
    (tmp_path / "maps").mkdir()
    np.savez(tmp_path / "maps/b.npz", keys=np.array(["one", key, "two"]), **sparse())
    result = limited(tmp_path / "maps", "-o", tmp_path / "d", *NPZ)
    refused(result, 5, "b.npz", "key")
    unfinished(tmp_path / "d")
    labels = dict.fromkeys(["one", "two"], oracle.from_tensor(a_map()))
    result = limited(tmp_path / "maps", "-o", tmp_path / "s", "--on-bad-input", "skip", *NPZ)
    assert result.returncode == 3 and result.stderr == ""
    assert oracle.read_dataset(tmp_path / "s").keys() == labels.keys()
    assert verify(tmp_path / "s")[0] == 0, verify(tmp_path / "s")[1]


def probability_rows(*cells):
    """One-cell maps of two classes with these probabilities."""
    score = np.array(cells, np.float32)[:, None, None]
    return {"class_index": np.tile(np.arange(2), (len(cells), 1, 1, 1)), "score": score}


@pytest.mark.parametrize("encoding", oracle.ENCODINGS)
@pytest.mark.parametrize("kind", ["probability", "log-probability"])
def test_probabilities_above_1(tmp_path, kind, encoding):
    cells = [(0.5, 0.25), (0.75, 0.5), (0.5, 0.125)]
    arrays = probability_rows(*cells)
    if kind == "log-probability":
        arrays["score"] = np.log(np.maximum(arrays["score"], 2.0**-20)).astype(np.float32)
    (tmp_path / "maps").mkdir()
    np.savez(tmp_path / "maps/b.npz", **arrays)
    options = ["--score-kind", kind, "--num-classes", 10, "--score-encoding", encoding]
    refused(limited(tmp_path / "maps", "-o", tmp_path / "d", *options), 5, "b.npz[1]", "(0, 0)", "sum")
    result = limited(tmp_path / "maps", "-o", tmp_path / "s", "--on-bad-input", "skip", *options)
    assert result.returncode == 3, result.stderr
    assert [e["image_index"] for e in oracle.read_index(tmp_path / "s")["left_out"]] == [1]
    assert oracle.read_dataset(tmp_path / "s").keys() == {"b#000000", "b#000002"}
    assert verify(tmp_path / "s")[0] == 0


def test_single_probability_out_of_range(tmp_path):
    (tmp_path / "maps").mkdir()
    for kind, cell in (("probability", (0.5, -0.1)), ("probability", (1.1, 0)),
                       ("log-probability", (0.2, -20))):
        np.savez(tmp_path / "maps/b.npz", **probability_rows(cell))
        for encoding in oracle.ENCODINGS:
            options = ["--score-kind", kind, "--num-classes", 10, "--score-encoding", encoding]
            result = limited(tmp_path / "maps", "-o", tmp_path / encoding, *options)
            refused(result, 5, "b.npz", "(0, 0)")
            unfinished(tmp_path / encoding)


def test_log_of_zero(tmp_path):
    (tmp_path / "maps").mkdir()
    np.savez(tmp_path / "maps/b.npz", **probability_rows((0, -np.inf)))
    options = ["--score-kind", "log-probability", "--num-classes", 10]
    refused(limited(tmp_path / "maps", "-o", tmp_path / "d", *options), 5, "b.npz", "(0, 0)", "inf")


def test_logits_passed_off_as_probabilities(good, tmp_path):
    result = limited(good[0], "-o", tmp_path / "d", "--score-kind", "probability")
    refused(result, 5, good[0], "(0, 0)")
    unfinished(tmp_path / "d")


def test_scores_beyond_float16(tmp_path):
    oracle.save_pt(changed(0, 70_000), tmp_path / "maps/a.pt")
    refused(limited(tmp_path / "maps", "-o", tmp_path / "d", "--score-encoding", "float16"), 5,
            "a.pt", "(2, 3)", "70000")


# tar files


def member(name, content=b"", **fields):
    """A tar member with any header fields."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(content)


def tar_of(good, *extra, format=tarfile.GNU_FORMAT):
    """A tar of the good maps with extra members in the middle."""
    buffer = io.BytesIO()
    names = oracle.file_names(good[0])
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        for name in names[:4]:
            tar.add(good[0] / name, arcname=name)
        for info, content in extra:
            content.seek(0)
            tar.addfile(info, content if info.isreg() else None)
        for name in names[4:]:
            tar.add(good[0] / name, arcname=name)
    return buffer.getvalue()


MAP = saved(a_map())
HOSTILE_MEMBERS = {
    "absolute": (member("/tmp/relabel-escape.pt", MAP), "/tmp/relabel-escape", 4, ["absolute"]),
    "upwards": (member("../escape.pt", MAP), "../escape", 4, ["leaves"]),
    "inner-upwards": (member("n0/../../escape.pt", MAP), "n0/../../escape", 4, ["leaves"]),
    "symlink": (member("link.pt", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "link", 4, ["link"]),
    "inner-symlink": (member("n0/link.pt", type=tarfile.SYMTYPE, linkname="n0_0.pt"), "n0/link", 4, ["link"]),
    "hardlink": (member("hard.pt", type=tarfile.LNKTYPE, linkname="nowhere.pt"), "hard", 4, ["link", "--hard-dereference"]),
    "symlinked-folder": (member("n9", type=tarfile.SYMTYPE, linkname="/tmp"), "n9", 4, ["link"]),
    "device": (member("dev.pt", type=tarfile.CHRTYPE, devmajor=1, devminor=5), "dev", 4, ["device"]),
    "pipe": (member("pipe.pt", type=tarfile.FIFOTYPE), "pipe", 4, ["pipe"]),
    "broken-map": (member("n1/bad.pt", MAP[:2000]), "n1/bad", 5, []),
    "evil-map": (member("n1/bad.pt", saved(Planted(os.system, "true"))), "n1/bad", 4, ["not executed"]),
    "npz": (member("n1/bad.npz", saved_npz(**sparse())), "n1/bad", 5, ["unpack"]),
    "empty-part": (member("n1//bad.pt", MAP), "n1//bad", 5, ["empty part"]),
    "control-character": (member("n1/b\nd.pt", MAP), "n1/b\nd", 5, []),
}


@pytest.mark.parametrize("container", ["tar", "tar.gz"])
@pytest.mark.parametrize("name", HOSTILE_MEMBERS)
def test_hostile_member(good, tmp_path, name, container):
    (info, content), key, code, words = HOSTILE_MEMBERS[name]
    raw = tar_of(good, (info, content))
    path = tmp_path / f"maps.{container}"
    path.write_bytes(gzip.compress(raw) if container == "tar.gz" else raw)
    before = set(tmp_path.rglob("*"))
    result = limited(path, "-o", tmp_path / "fail")
    assert result.returncode == code, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    shown = info.name if "\n" not in info.name else "n1/b"
    refused(result, code, path, shown, *words)
    unfinished(tmp_path / "fail")
    result = limited(path, "-o", tmp_path / "skip", "--on-bad-input", "skip")
    assert result.returncode == 3, result.stderr
    index = oracle.read_index(tmp_path / "skip")
    assert len(index["left_out"]) == 1
    oracle.compare_dataset(tmp_path / "skip", good[1])
    code, report = verify(tmp_path / "skip")
    assert code == 0, report
    assert index["left_out"][0]["key"] == key
    created = {p.relative_to(tmp_path).parts[0] for p in set(tmp_path.rglob("*")) - before}
    assert created == {"fail", "skip"} and not os.path.exists("/tmp/relabel-escape.pt")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of larger maps, about a megabyte together, and their labels."""
    folder = tmp_path_factory.mktemp("many") / "maps"
    keys = [f"m{i:02d}" for i in range(60)]
    shape = dict(height=20, width=20)
    return folder, oracle.make_tree(folder, keys, np.random.default_rng(7), **shape)


@pytest.mark.parametrize("container", ["tar", "tar.gz"])
@pytest.mark.parametrize("share", [0.0001, 0.3, 0.5, 0.75, 0.9])
def test_truncated_tar(many, tmp_path, container, share):
    """What came before the cut stays with skip; the cut itself is named."""
    raw = tar_of(many).rstrip(b"\0")
    raw = gzip.compress(raw + bytes(1024)) if container == "tar.gz" else raw
    path = tmp_path / f"maps.{container}"
    path.write_bytes(raw[: int(len(raw) * share)])
    refused(limited(path, "-o", tmp_path / "fail"), 5, path)
    unfinished(tmp_path / "fail")
    result = limited(path, "-o", tmp_path / "skip", "--on-bad-input", "skip")
    if share < 0.1:
        return refused(result, 5, path)  # Not one image came before the cut.
    assert result.returncode == 3, result.stderr
    found = oracle.read_dataset(tmp_path / "skip")
    # A block of a compressed stream is lost as a whole.
    assert len(found) >= int(share * 60) - (8 if container == "tar.gz" else 1)
    for key in found:
        oracle.compare(found[key], many[1][key])
    left_out = oracle.read_index(tmp_path / "skip")["left_out"]
    assert [entry["key"] for entry in left_out] == ["maps" if container == "tar" else "maps.tar"]
    assert str(tmp_path) not in left_out[0]["reason"]
    assert verify(tmp_path / "skip")[0] == 0


def test_tar_without_its_end_mark(good, tmp_path):
    raw = tar_of(good)
    end = raw.rstrip(b"\0")
    end = raw[: (len(end) + 511) // 512 * 512]
    (tmp_path / "maps.tar").write_bytes(end)
    refused(limited(tmp_path / "maps.tar", "-o", tmp_path / "d"), 5, "maps.tar", "truncated")
    (tmp_path / "maps.tar.gz").write_bytes(gzip.compress(end))
    refused(limited(tmp_path / "maps.tar.gz", "-o", tmp_path / "d"), 5, "maps.tar.gz", "truncated")
    unfinished(tmp_path / "d")


def test_tar_header_damage(good, tmp_path):
    raw = tar_of(good)
    place = raw.index(b"n1/n1_1.pt")
    (tmp_path / "maps.tar").write_bytes(flipped(raw, place))
    refused(limited(tmp_path / "maps.tar", "-o", tmp_path / "d"), 5, "maps.tar")
    unfinished(tmp_path / "d")


@pytest.mark.parametrize("size", [1 << 40, (1 << 63) - 1, -1])
@pytest.mark.parametrize("container", ["tar", "tar.gz"])
def test_tar_member_that_claims_much(good, tmp_path, container, size):
    info, content = member("huge.pt", MAP)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    value = size.to_bytes(12, "big", signed=True)
    header[124:136] = bytes([0x80 | value[0] if size > 0 else 0xFF]) + value[1:]
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    raw = bytes(header) + MAP + tar_of(good)
    path = tmp_path / f"maps.{container}"
    path.write_bytes(gzip.compress(raw) if container == "tar.gz" else raw)
    result = limited(path, "-o", tmp_path / "d")
    assert result.returncode in (4, 5), result.stderr
    refused(result, result.returncode, path)
    unfinished(tmp_path / "d")


def test_compressed_bombs(good, tmp_path):
    """Very many zeros as a member of a small archive."""
    with tarfile.open(tmp_path / "maps.tar.gz", "w:gz", compresslevel=1) as tar:
        tar.add(good[0] / f"{GOOD[0]}.pt", arcname="a.pt")
        info = tarfile.TarInfo("bomb.pt")
        info.size = 300 << 20
        with open("/dev/zero", "rb") as zeros:
            tar.addfile(info, zeros)
    result = limited(tmp_path / "maps.tar.gz", "-o", tmp_path / "d")
    refused(result, 4, "maps.tar.gz:bomb.pt")
    unfinished(tmp_path / "d")


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tgz"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b\x08\x00garbage", bytes(5000)])
def test_not_a_tar(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    result = limited(tmp_path / name, "-o", tmp_path / "d")
    assert result.returncode in (5, 64), result.stderr
    refused(result, result.returncode, name)
    unfinished(tmp_path / "d")


def test_random_flips_in_tar(good, tmp_path):
    """Flips in member headers are found; labels that come through are right or refused."""
    raw = tar_of(good)
    rng = np.random.default_rng(6)
    for number in range(25):
        start = 512 * int(rng.integers(len(raw) // 512 - 20))
        place = start + int(rng.integers(512))
        path = tmp_path / "maps.tar"
        path.write_bytes(flipped(raw, place))
        output = tmp_path / f"d{number}"
        result = limited(path, "-o", output, "--on-bad-input", "skip")
        assert result.returncode in (0, 3, 5, 64), (place, result.stderr[-300:])
        if result.returncode in (0, 3):
            assert verify(output)[0] == 0
        else:
            unfinished(output)


# Folders and names


def test_same_key_twice(good, good_dense, tmp_path):
    """a.pt and a.npy: both are named, neither is taken."""
    maps = copy_of(good, tmp_path / "maps")
    (maps / "n1/x.pt").write_bytes(MAP)
    (maps / "n1/x.npy").write_bytes(saved_npy(dense_map()))
    refused(limited(maps, "-o", tmp_path / "fail"), 5, "n1/x.pt", "n1/x.npy", "same key")
    unfinished(tmp_path / "fail")
    check_skip(maps, tmp_path / "skip", good[1], ["n1/x"], ["same key"])


def test_same_key_from_two_inputs(good, tmp_path):
    names = oracle.file_names(good[0])
    oracle.make_tar(tmp_path / "a.tar", good[0], names)
    (tmp_path / "other" / names[0]).parent.mkdir(parents=True)
    (tmp_path / "other" / names[0]).write_bytes(MAP)
    oracle.make_tar(tmp_path / "b.tar", tmp_path / "other", names[:1])
    result = limited(tmp_path / "a.tar", tmp_path / "b.tar", "-o", tmp_path / "d")
    refused(result, 5, f"a.tar:{names[0]}", f"b.tar:{names[0]}")
    unfinished(tmp_path / "d")


@pytest.mark.parametrize("container", ["tar", "tar.gz"])
def test_same_member_twice(good, tmp_path, container):
    name = oracle.file_names(good[0])[2]
    raw = tar_of(good, member(name, MAP))
    path = tmp_path / f"maps.{container}"
    path.write_bytes(gzip.compress(raw) if container == "tar.gz" else raw)
    refused(limited(path, "-o", tmp_path / "d"), 5, name)
    unfinished(tmp_path / "d")


def test_unreadable_names_and_odd_files(good, tmp_path):
    maps = copy_of(good, tmp_path / "maps")
    with open(os.path.join(os.fsencode(maps), b"n1/\xff\xfe.pt"), "wb") as file:
        file.write(MAP)
    result = limited(maps, "-o", tmp_path / "d", errors="replace")
    refused(result, 5, "utf-8")
    unfinished(tmp_path / "d")


@pytest.mark.parametrize("character", ["\n", "\x1b", "\x7f", "\r", "\t"])
def test_control_characters_in_names(good, tmp_path, character):
    """Such a name is refused, and the message does not carry it to the terminal."""
    maps = copy_of(good, tmp_path / "maps")
    (maps / f"n1/a{character}[2Jb.pt").write_bytes(MAP)
    result = limited(maps, "-o", tmp_path / "d")
    assert result.returncode == 5
    assert result.stderr.count("\n") == 1 and result.stderr.endswith("\n"), result.stderr
    assert not any(ord(c) < 32 or ord(c) == 127 for c in result.stderr[:-1]), result.stderr
    unfinished(tmp_path / "d")


def test_dangling_link(good, tmp_path):
    maps = copy_of(good, tmp_path / "maps")
    (maps / "n1/gone.pt").symlink_to("nowhere")
    result = limited(maps, "-o", tmp_path / "d")
    assert result.returncode in (5, 74)
    refused(result, result.returncode, maps / "n1/gone.pt")
    unfinished(tmp_path / "d")


def test_folder_loops_and_pipes_do_not_hang(good, tmp_path):
    maps = copy_of(good, tmp_path / "maps")
    (maps / "n1/up").symlink_to("..")
    os.mkfifo(maps / "n1/pipe.pt")
    result = limited(maps, "-o", tmp_path / "d", "--format", "json")
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)["ignored"]) == 2
    oracle.compare_dataset(tmp_path / "d", good[1])


def test_folder_of_keys_that_are_too_long(good, tmp_path):
    maps = copy_of(good, tmp_path / "maps")
    deep = maps.joinpath(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "a.pt").write_bytes(MAP)
    refused(limited(maps, "-o", tmp_path / "fail"), 5, "1024 bytes")
    key = "/".join(["d" * 200] * 6) + "/a"
    check_skip_of_unlistable(maps, tmp_path / "skip", good[1], key)


def check_skip_of_unlistable(maps, output, labels, key):
    """An image whose key breaks the rules is left out like any other."""
    result = limited(maps, "-o", output, "--on-bad-input", "skip")
    assert result.returncode == 3, result.stderr
    oracle.compare_dataset(output, labels)
    assert [entry["key"] for entry in oracle.read_index(output)["left_out"]] == [key]
    code, report = verify(output)
    assert code == 0, report


def test_only_bad_input(tmp_path):
    (tmp_path / "maps").mkdir()
    for name in "abc":
        (tmp_path / f"maps/{name}.pt").write_bytes(MAP[:100])
    for policy in ("fail", "skip"):
        result = limited(tmp_path / "maps", "-o", tmp_path / policy, "--on-bad-input", policy)
        refused(result, 5, tmp_path / "maps/a.pt")
        unfinished(tmp_path / policy)


def test_the_odd_one_out_comes_first(good, tmp_path):
    """One map of another grid must not cost all the others, wherever it stands."""
    maps = copy_of(good, tmp_path / "maps")
    oracle.save_pt(a_map(height=3), maps / "a-first.pt")
    result = limited(maps, "-o", tmp_path / "fail")
    refused(result, 5, "3", "4")
    unfinished(tmp_path / "fail")
    check_skip(maps, tmp_path / "skip", good[1], ["a-first"])


def test_hostile_first_image_is_refused_by_name(good, tmp_path):
    """A map that is sound but absurdly large comes first in the listing."""
    maps = copy_of(good, tmp_path / "maps")
    pickled = oracle.forged_pickle((2, 5, 1200, 1200), (1, 0, 0, 0), count=160)
    (maps / "a-first.pt").write_bytes(oracle.zip_container(pickled, STORAGE))
    result = limited(maps, "-o", tmp_path / "fail")
    assert result.returncode in (4, 5), (result.returncode, result.stderr)
    refused(result, result.returncode, maps / "a-first.pt")
    unfinished(tmp_path / "fail")


# Outputs, lists and options


def test_missing_and_empty_input(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(limited(tmp_path / "absent", "-o", tmp_path / "d"), 64, "absent")
    refused(limited(tmp_path / "empty", "-o", tmp_path / "d"), 64, "empty", "nothing")
    (tmp_path / "empty/README.txt").write_text("hello")
    refused(limited(tmp_path / "empty", "-o", tmp_path / "d"), 64, "empty")
    refused(limited(tmp_path / "empty/README.txt", "-o", tmp_path / "d"), 64, "README.txt")
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    refused(limited(tmp_path / "empty.tar", "-o", tmp_path / "d"), 64, "empty.tar")
    unfinished(tmp_path / "d")


def test_existing_output(good, tmp_path):
    assert limited(good[0], "-o", tmp_path / "d").returncode == 0
    before = oracle.folder_bytes(tmp_path / "d")
    refused(limited(good[0], "-o", tmp_path / "d"), 64, tmp_path / "d/index.json", "--overwrite")
    assert oracle.folder_bytes(tmp_path / "d") == before


def test_foreign_files_in_the_output(good, tmp_path):
    output = tmp_path / "d"
    output.mkdir()
    (output / "mine.h5").write_bytes(b"precious")
    refused(limited(good[0], "-o", output), 64, "mine.h5")
    refused(limited(good[0], "-o", output, "--overwrite"), 64, "mine.h5")
    assert oracle.folder_bytes(output) == {"mine.h5": b"precious"}
    (output / "mine.h5").unlink()
    (output / "notes.txt").write_bytes(b"hello")
    (output / ".hidden").write_bytes(b"hello")
    assert limited(good[0], "-o", output).returncode == 0
    assert limited(good[0], "-o", output, "--overwrite").returncode == 0
    assert {"notes.txt", ".hidden"} <= oracle.folder_bytes(output).keys()


def test_overwrite_with_bad_input_keeps_the_old_dataset(good, tmp_path):
    """A run that fails before it can write anything leaves the old dataset alone."""
    assert limited(good[0], "-o", tmp_path / "d").returncode == 0
    before = oracle.folder_bytes(tmp_path / "d")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.pt").write_bytes(MAP[:100])
    for source in (tmp_path / "bad", tmp_path / "absent"):
        assert limited(source, "-o", tmp_path / "d", "--overwrite").returncode in (5, 64)
        assert oracle.folder_bytes(tmp_path / "d") == before


def test_output_is_a_file(good, tmp_path):
    (tmp_path / "d").write_bytes(b"precious")
    result = limited(good[0], "-o", tmp_path / "d")
    assert result.returncode in (64, 74)
    refused(result, result.returncode, tmp_path / "d")
    assert (tmp_path / "d").read_bytes() == b"precious"


def as_nobody():
    """Drops all rights."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
def test_output_not_writable(good, tmp_path_factory):
    """As a user without rights: a locked folder, a folder in one, and input that can't be read."""
    base = tmp_path_factory.mktemp("locked")
    for part in [base, *base.parents]:
        if part != part.parent and not part.stat().st_mode & 1:
            part.chmod(part.stat().st_mode | 0o111)
    os.chmod(base, 0o755)
    locked = base / "locked"
    locked.mkdir(mode=0o755)
    maps = copy_of(good, base / "maps")
    for output in (locked, locked / "new"):
        refused(limited(maps, "-o", output, preexec_fn=as_nobody), 74, output, "permission")
        assert list(locked.iterdir()) == []
    open_folder = base / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    secret = maps / "n1/secret.pt"
    secret.write_bytes(MAP)
    secret.chmod(0)
    refused(limited(maps, "-o", open_folder, preexec_fn=as_nobody), 74, secret, "permission")
    unfinished(open_folder)


def test_image_list(good, tmp_path):
    listing = tmp_path / "list.txt"

    def run(text, code, *words):
        listing.write_bytes(text.encode() if isinstance(text, str) else text)
        refused(limited(good[0], "-o", tmp_path / "d", "--images", listing), code, *words)
        unfinished(tmp_path / "d")

    lines = [f"{key}.JPEG" for key in GOOD]
    run("\n".join(lines[:-1]), 5, GOOD[-1], "list")
    run("\n".join([*lines, lines[3]]), 64, "lines 4 and 10", GOOD[3])
    run("\n".join([*lines, GOOD[3] + ".png"]), 64, "lines 4 and 10")
    run("\n".join([*lines, "", "x"]), 64, "line 10")
    run("\n".join([*lines, "../x.JPEG"]), 64, "line 10")
    run("\n".join([*lines, "/x.JPEG"]), 64, "line 10")
    run(b"\xff\xfe\n", 64, "list.txt")
    run("", 5)
    refused(limited(good[0], "-o", tmp_path / "d", "--images", tmp_path / "absent"), 74, "absent")
    listing.write_text("\n".join(lines[:-1]))
    result = limited(good[0], "-o", tmp_path / "s", "--images", listing, "--on-bad-input", "skip")
    assert result.returncode == 3, result.stderr
    oracle.compare_dataset(tmp_path / "s", {k: good[1][k] for k in GOOD[:-1]})
    code, report = verify(tmp_path / "s")
    assert code == 0, report
    assert [e["key"] for e in oracle.read_index(tmp_path / "s")["left_out"]] == [GOOD[-1]]


def test_image_list_of_the_wrong_length(tmp_path):
    (tmp_path / "maps").mkdir()
    np.savez(tmp_path / "maps/b.npz", **sparse())
    for count in (0, 2, 4):
        (tmp_path / "list.txt").write_text("".join(f"p{i}.jpg\n" for i in range(count)))
        result = limited(tmp_path / "maps", "-o", tmp_path / "d", "--images", tmp_path / "list.txt", *NPZ)
        refused(result, 64, f"{count} lines", "3")
        unfinished(tmp_path / "d")


BAD_CLASSES = {
    "no-tab": (b"no tab here\n", ["file", "line 1"]), "no-id": (b"a\tb\n\tc\n", ["file", "line 2"]),
    "id-twice": (b"a\tb\nc\td\na\te\n", ["file", "1 and 3"]), "not-utf8": (b"\xff\xfe\tb\n", ["file"]),
    "fewer-than-k": (b"a\tb\nb\tb\nc\tb\n", []), "empty": (b"", []),
}

BAD_ANNOTATORS = {
    "empty": b"", "array": b"[]", "open": b"{", "nan": b'{"name": NaN}', "deep": b"[" * 100_000,
    "deep-objects": b'{"a":' * 5000, "not-utf8": b'{"name": "\xff"}',
    "member-twice": b'{"name":"x","a":1,"a":2}', "no-name": b'{"weights_sha256":"00"}',
    "name-not-text": b'{"name":5}', "temperature-0": b'{"name":"x","temperature":0}',
    "temperature-text": b'{"name":"x","temperature":"hot"}',
    "extent-too-large": b'{"name":"x","map_extent":[0,0,2,1]}',
    "extent-short": b'{"name":"x","map_extent":[0,0,1]}',
}


@pytest.mark.parametrize("name", BAD_CLASSES)
def test_bad_class_lists(good, tmp_path, name):
    content, words = BAD_CLASSES[name]
    (tmp_path / "file").write_bytes(content)
    result = limited(good[0], "-o", tmp_path / "d", "--classes", tmp_path / "file")
    refused(result, 64, *words)
    unfinished(tmp_path / "d")


@pytest.mark.parametrize("name", BAD_ANNOTATORS)
def test_bad_annotators(good, tmp_path, name):
    (tmp_path / "file").write_bytes(BAD_ANNOTATORS[name])
    result = limited(good[0], "-o", tmp_path / "d", "--annotator", tmp_path / "file")
    refused(result, 64, "annotator" if name.startswith(("temp", "extent")) else tmp_path / "file")
    unfinished(tmp_path / "d")


def test_documents_that_do_not_fit(good, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"".join(b"c%d\tn\n" % i for i in range(999)))
    result = limited(good[0], "-o", tmp_path / "d", "--classes", file, "--num-classes", 1000)
    refused(result, 64, "999", "1000")
    for option in ("--classes", "--annotator"):
        result = limited(good[0], "-o", tmp_path / "d", option, tmp_path / "absent")
        refused(result, 74, "absent")


PARSER_ERRORS = [
    ["--score-encoding", "fixed32"], ["--cell-order", "rank"], ["--row-order", "random"],
    ["--row-order", "shuffled:-1"], ["--row-order", "shuffled:18446744073709551616"],
    ["--row-order", "shuffled:x"], ["--orientation", "yz"], ["--images-per-chunk", "four"],
    ["--images-per-shard", "1.5"], ["--compression", "gzip"], ["--compression", "deflate:0"],
    ["--compression", "deflate:13"], ["--jobs", "0"], ["--jobs", "-1"], ["--jobs", "many"],
    ["--on-bad-input", "ignore"], ["--format", "xml"], ["--score-kind", "energy"],
    ["--max-error", "small"], ["--top-k", "x"], ["--nonsense"], ["--num-classes", "1e3"],
]

VALUE_ERRORS = [
    ["--images-per-chunk", 0], ["--images-per-chunk=-1"], ["--images-per-shard", 0], ["--top-k", 0],
    ["--top-k", 6], ["--top-k", 70_000], ["--top-k", 9223372036854775807], ["--num-classes", 0],
    ["--num-classes", 4294967296], ["--num-classes=-5"], ["--num-classes", 4], ["--max-error", 0],
    ["--max-error=-1"], ["--max-error", "nan"], ["--max-error", "inf"], ["--max-error", "1e300"],
    ["--max-error", "1e-300"], ["--name", ""], ["--name", "a/b"], ["--name", ".."], ["--name", ".x"],
    ["--name", "a\nb"], ["--images-per-chunk", 10**6], ["--images-per-chunk", 9223372036854775807],
    ["--max-error", "1e-12"], ["--name", "x" * 300], ["--name", "x" * 1100],
]


@pytest.mark.parametrize("option", PARSER_ERRORS, ids=" ".join)
def test_parser_errors(good, tmp_path, option):
    result = limited(good[0], "-o", tmp_path / "d", *option)
    assert result.returncode == 64, result.stderr
    assert result.stderr.startswith("Error: ") and option[0] in result.stderr.splitlines()[0]
    assert "Usage:" in result.stderr and result.stdout == ""
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("option", VALUE_ERRORS, ids=lambda o: " ".join(map(str, o))[:40])
def test_values_that_no_run_can_use(good, tmp_path, option):
    result = limited(good[0], "-o", tmp_path / "d", *option)
    # What only the scores can tell is their fault; a name can be too long for the file system.
    code = 5 if option == ["--max-error", "1e-12"] else 74 if 300 < len(str(option)) < 1000 else 64
    refused(result, code)
    unfinished(tmp_path / "d")


def test_required_arguments():
    for arguments in ([], ["-o", "x"], ["input"]):
        result = pack(*arguments)
        assert result.returncode == 64 and result.stderr.startswith("Error: "), result.stderr


def test_kinds_that_contradict_each_other(good, tmp_path):
    maps = copy_of(good, tmp_path / "maps")
    dense = dense_map()
    dense = np.exp(dense) / np.exp(dense).sum(axis=0)
    np.savez(maps / "p.npz", probabilities=dense[None])
    refused(limited(maps, "-o", tmp_path / "d"), 64, "logit", "probability")
    refused(limited(maps / "p.npz", "-o", tmp_path / "d", "--score-kind", "logit"), 64, "p.npz")
    unfinished(tmp_path / "d")


def test_samples_with_one_damaged(tmp_path):
    """The bundled maps with one bit flipped in one of them."""
    labels = oracle.read_pt_tree(SAMPLES / "maps")
    names = oracle.file_names(SAMPLES / "maps")
    names = [name for name in names if name.endswith(".pt")]
    for name in names:
        (tmp_path / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "maps" / name).write_bytes((SAMPLES / "maps" / name).read_bytes())
    victim = tmp_path / "maps" / names[1]
    victim.write_bytes(victim.read_bytes()[:-700])
    refused(limited(tmp_path / "maps", "-o", tmp_path / "fail"), 5, victim)
    unfinished(tmp_path / "fail")
    check_skip(tmp_path / "maps", tmp_path / "skip", labels, [names[1].removesuffix(".pt")])
