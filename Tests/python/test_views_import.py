"""relabel-pack on folders with labels of crops, in the layouts of their writers; h5py alone reads what came of it."""

import io
import json
import resource
import shutil
import struct
import subprocess
import zipfile
import zlib

import h5py
import numpy as np
import pytest
from conftest import BIN, ROOT, pack, verify
from PIL import Image

FIXTURES = ROOT / "Tests/AnnotatorOutputsTests/Fixtures/views"
EXPECTED = json.loads((FIXTURES / "expected.json").read_text())
SIZES = {"a/x": (60, 80), "a/y": (50, 40), "b/z": (30, 90)}
VALUES = "view view_box view_flip view_seed replay mixup_lambda mixup_partner cutmix_lambda cutmix_box cutmix_partner".split()


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """The image list and the folder of the pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for key, (height, width) in SIZES.items():
        (folder / key).parent.mkdir(exist_ok=True)
        Image.new("RGB", (width, height)).save(folder / f"{key}.png")
    images = folder.with_suffix(".txt")
    images.write_text("".join(f"{key}.JPEG\n" for key in SIZES))
    return images, folder


def options(name, given):
    folder = EXPECTED[name]
    said = ["--images", given[0], "--labels", "none"]
    if "kind" in folder:
        said += ["--score-kind", folder["kind"]]
    if "classes" in folder:
        said += ["--num-classes", folder["classes"]]
    if "size" in folder:
        said += ["--view-size", "224x224"]
    if "pictures" in folder:
        said += ["--pictures", given[1]]
    return said


def rows(folder):
    found = []
    for path in sorted(folder.glob("*.h5")):
        with h5py.File(path) as file:
            for row in range(len(file["view"])):
                found.append(
                    {
                        "key": bytes(file["image_key"][row]).decode(),
                        "index": int(file["image_index"][row]),
                        "ids": file["class_index"][row].ravel().tolist(),
                        "score_bits": np.float32(file["score"][row]).ravel().view(np.uint32).tolist(),
                        "facts": [file[name][row].tobytes().hex() for name in VALUES if name in file],
                        "operations": bytes(file["operations"][row]).decode() if "operations" in file else "",
                    }
                )
    return found


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_bits(name, given, tmp_path):
    """What the files hold is in the shard to the last bit, and the shard is sound."""
    result = pack(FIXTURES / name, "-o", tmp_path / "out", *options(name, given))
    assert result.returncode == 0, result.stderr
    assert verify(tmp_path / "out")[0] == 0
    assert rows(tmp_path / "out") == EXPECTED[name]["rows"]
    with h5py.File(next((tmp_path / "out").glob("*.h5"))) as file:
        assert b"views" in file.attrs["features_required"].split()


@pytest.mark.parametrize("name", ["sre2l", "fkd", "mldr"])
def test_resumed(name, given, tmp_path):
    """A run that died goes on to the bytes of one that did not."""
    said = [*options(name, given), "--images-per-shard", 2]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert pack(FIXTURES / name, "-o", whole, *said).returncode == 0
    shutil.copytree(whole, cut)
    shards = sorted(cut.glob("*.h5"))
    assert len(shards) > 1
    for path in [*shards[1:], cut / "index.json"]:
        path.unlink()
    result = pack(FIXTURES / name, "-o", cut, *said, "--resume")
    assert result.returncode == 0, result.stderr
    for path in whole.glob("*.h5"):
        assert path.read_bytes() == (cut / path.name).read_bytes()
    result = pack(FIXTURES / name, "-o", tmp_path / "no", *said, "--resume", "--on-bad-input", "skip")
    assert result.returncode == 64 and "does not know which were left out" in result.stderr


def test_left_out(given, tmp_path):
    """A file that can't be read is left out by its name, if the user wants that."""
    shutil.copytree(FIXTURES / "sre2l", tmp_path / "in")
    (tmp_path / "in/epoch_1/batch_0.tar").write_bytes(b"PK\3\4 and no more")
    said = options("sre2l", given)
    assert pack(tmp_path / "in", "-o", tmp_path / "no", *said).returncode == 5
    assert pack(tmp_path / "in", "-o", tmp_path / "out", *said, "--on-bad-input", "skip").returncode == 3
    index = json.loads((tmp_path / "out/index.json").read_text())
    assert [entry["key"] for entry in index["left_out"]] == ["epoch_1/batch_0.tar"]
    # The views of its pictures are counted without it.
    left_out = {struct.pack("<3i", 1, 0, slot).hex() for slot in range(2)}
    kept = [row for row in EXPECTED["sre2l"]["rows"] if row["facts"][3] not in left_out]
    found = rows(tmp_path / "out")
    assert [row["score_bits"] for row in found] == [row["score_bits"] for row in kept] and len(kept) == 4
    assert verify(tmp_path / "out")[0] == 0


def stored(pickle):
    """A zip as torch makes it, of a pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("x/data.pkl", pickle)
    return buffer.getvalue()


def doubling(count):
    """Tuples that each name the one before nine times."""
    return b"".join(b"(" + (b"h" + bytes([p - 1])) * 9 + b"Ntq" + bytes([p]) if p else b"(Ntq\0" for p in range(count))


ZEROS = bytes(64 << 20)
HOSTILE = {
    "call": (stored(b"\x80\x02](cos\nsystem\nX\5\0\0\0touchR"), 4),
    "object": (stored(b"\x80\x02](cnumpy\nndarray\n)\x81e."), 4),
    "ragged": (stored(b"\x80\x02](NNNNNNe."), 5),
    "slots": (stored(b"\x80\x02](NNNe."), 5),
    "bomb": (zlib.compress(b"\x80\x02" + ZEROS + ZEROS), 5),
    "million": (stored(b"\x80\x02](" + b"N" * (1 << 20)), 4),
    "doubling": (stored(b"\x80\x02](" + doubling(9)), 4),
    "garbage": (b"\x80\x04\x95" + struct.pack("<Q", 1 << 40), 5),
    "empty": (b"", 5),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile(name, given, tmp_path):
    """One clear line, the right exit code, and little memory."""
    content, code = HOSTILE[name]
    (tmp_path / "in/epoch_0").mkdir(parents=True)
    (tmp_path / "in/epoch_0/batch_0.tar").write_bytes(content)
    command = [BIN / "relabel-pack", tmp_path / "in", "-o", tmp_path / "out", *options("sre2l", given)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert result.returncode == code, result.stderr
    [line] = result.stderr.strip().splitlines()
    assert "batch_0.tar" in line, line
    assert before > 200 << 10 or after < 200 << 10, f"{after >> 10} MB"


def test_what_no_file_says(given, tmp_path):
    """The user is asked for it by the option's name."""
    said = {"--images": "sre2l", "--score-kind": "sre2l", "--view-size": "sre2l", "--num-classes": "fkd", "--pictures": "edc"}
    for option, name in said.items():
        words = options(name, given)
        place = words.index(option)
        result = pack(FIXTURES / name, "-o", tmp_path / "out", *words[:place], *words[place + 2 :])
        assert result.returncode == 64 and option in result.stderr, (option, result.stderr)


def test_unknown_until_said(given, tmp_path):
    said = ["--interpolation", "bicubic", "--no-antialias", "--teacher-mode", "train", "--temperature", 20]
    for words, values in (([], ["unknown", None, "unknown", 1]), (said, ["bicubic", False, "train", 20])):
        out = tmp_path / str(len(words))
        assert pack(FIXTURES / "hald", "-o", out, *options("hald", given), *words).returncode == 0
        with h5py.File(next(out.glob("*.h5"))) as file:
            text = next(v for v in file.attrs.values() if isinstance(v, (bytes, str)) and '"views"' in str(v))
            views = json.loads(text)["views"]
            found = [views["interpolation"], views.get("antialias"), views["teacher_mode"]]
            assert [*found, file.attrs.get("temperature", 1)] == values
            assert views["dialect"] == "hald" and views["batch_size"] == 2


def test_folders_of_maps_are_not_taken_for_crops(tmp_path):
    """Archives of maps in a folder are told as before: they are not read."""
    shutil.copy(FIXTURES.parent / "tar/ustar.tar", tmp_path / "maps.tar")
    result = pack(tmp_path, "-o", tmp_path / "out")
    assert result.returncode == 64 and "nothing to read was found" in result.stderr
