"""Datasets compared with the pictures they were made from: keys, sizes, digests (rules I001 to I004)."""

import os
import random
import struct
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import BIN, error_rules, tool, verify
from fixtures_pictures import with_pictures
from pictures import column, digests, png, sizes, write_pictures
from PIL import Image
from shard_writer import Shard, write_dataset, write_shard


def compare(path, *options):
    """Exit code, broken rules and the figures of the comparison."""
    code, report = verify(path, *options)
    (figures,) = report["measurements"]["pictures"]
    return code, error_rules(report), figures


def finding(report, rule):
    (found,) = [f for f in report["findings"] if f["rule"] == rule]
    return found


# --------------------------------------------------------------------------------------------- keys


def test_sound(tmp_path):
    path, options = with_pictures(tmp_path)
    code, broken, figures = compare(path, *options)
    assert (code, broken) == (0, [])
    assert (figures["images"], figures["pictures"], figures["both_ways"]) == (8, 8, True)
    text = tool("relabel-verify", path, *options).stdout
    assert "8 pictures for 8 images; 0 other files ignored" in text


@pytest.mark.parametrize("ending", [".jpg", ".JPEG", ".Png", ".webp", ".TIFF", ".bmp", ".gif", ".ppm"])
def test_endings_of_pictures_in_any_case(ending, tmp_path):
    path = write_dataset(tmp_path / "dataset", Shard())
    write_pictures(tmp_path / "pictures", Shard().image_keys(), ending)
    assert compare(path, "--images", tmp_path / "pictures")[:2] == (0, [])


def test_what_is_no_picture_is_passed_over(tmp_path):
    path, options = with_pictures(tmp_path)
    root = tmp_path / "pictures"
    for name in ["README.md", "train/n0000.xml", "train/n9.png.part", "train/png", "a.tar"]:
        (root / name).write_text("x")
    for name in [".hidden.png", "train/._n0000.png", ".cache/a.png"]:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
    (root / "folder.png").mkdir()
    os.mkfifo(root / "pipe.png")
    (root / "dangling.png").symlink_to("nowhere.png")
    code, broken, figures = compare(path, *options)
    assert (code, broken, figures["pictures"], figures["passed_over"]) == (0, [], 8, 7)


def test_the_extension_is_what_follows_the_last_dot(tmp_path):
    keys = ["a.b/c.tar", "a.b/c.d.e", "ünï/ключ", "a b/c,d"]
    path = write_dataset(tmp_path / "dataset", Shard(rows=4, keys=keys))
    write_pictures(tmp_path / "pictures", keys)
    assert compare(path, "--images", tmp_path / "pictures/")[:2] == (0, [])


def test_keys_are_compared_byte_by_byte(tmp_path):
    """Composed and decomposed letters are two keys, as for the file system."""
    path = write_dataset(tmp_path / "dataset", Shard(rows=1, keys=["é"]))
    write_pictures(tmp_path / "pictures", ["e\u0301"])
    assert compare(path, "--images", tmp_path / "pictures")[:2] == (1, ["I001", "I002"])


def test_names_that_are_no_text_have_no_image(tmp_path):
    path, options = with_pictures(tmp_path)
    for name in [b"\xff.png", b"\xfe/a.png"]:
        at = os.path.join(os.fsencode(tmp_path / "pictures"), name)
        os.makedirs(os.path.dirname(at), exist_ok=True)
        with open(at, "wb") as file:
            file.write(png(6, 8))
    _, report = verify(path, *options)
    assert error_rules(report) == ["I002"] and finding(report, "I002")["count"] == 2


def test_findings_name_the_first_and_count_the_others(tmp_path):
    path, options = with_pictures(tmp_path)
    for key in ["n0002", "n0004", "n0006"]:
        (tmp_path / "pictures" / "train" / f"{key}.png").rename(tmp_path / "pictures" / f"{key}.png")
    _, report = verify(path, *options)
    missing, unknown = finding(report, "I001"), finding(report, "I002")
    assert (missing["key"], missing["count"], missing["images"]) == ("train/n0002", 3, 3)
    assert missing["file"] == unknown["file"] == str(path / "index.json")
    assert unknown["count"] == 3 and str(tmp_path / "pictures" / "n0002.png") in unknown["message"]


def test_several_folders_are_one_collection(tmp_path):
    path, options = with_pictures(tmp_path)
    (tmp_path / "more" / "train").mkdir(parents=True)
    (tmp_path / "pictures/train/n0003.png").rename(tmp_path / "more/train/n0003.png")
    assert compare(path, *options)[1] == ["I001"]
    assert compare(path, *options, "--images", tmp_path / "more")[:2] == (0, [])
    (tmp_path / "more/train/n0004.png").write_bytes(png(6, 8))
    assert compare(path, *options, "--images", tmp_path / "more")[1] == ["I002"]


def test_images_left_out_may_have_pictures(tmp_path):
    def leave_out(document):
        document["left_out"] = [{"key": "train/n0900", "image_index": 900, "reason": "the file is empty"}]
        document["sources"] += 1

    path, options = with_pictures(tmp_path, change=leave_out)
    assert compare(path, *options)[:2] == (0, [])
    write_pictures(tmp_path / "pictures", ["train/n0900"])
    assert compare(path, *options)[:2] == (0, [])
    write_pictures(tmp_path / "pictures", ["train/n0901"])
    assert compare(path, *options)[:2] == (1, ["I002"])


def test_a_shard_alone_may_have_too_many_pictures(tmp_path):
    path, options = with_pictures(tmp_path)
    code, broken, figures = compare(path / "labels-00001.h5", *options)
    assert (code, broken, figures["images"], figures["both_ways"]) == (0, [], 3, False)
    (tmp_path / "pictures/train/n0006.png").unlink()
    assert compare(path / "labels-00001.h5", *options)[1] == ["I001"]


@pytest.mark.parametrize("change", ["missing", "broken", "no_index"])
def test_what_could_not_be_read_is_no_reason_to_accuse_pictures(change, tmp_path):
    path, options = with_pictures(tmp_path)
    shard = path / "labels-00001.h5"
    if change == "missing":
        shard.unlink()
    elif change == "broken":
        shard.write_bytes(shard.read_bytes()[:-1])
    else:
        (path / "index.json").unlink()
    _, report = verify(path, *options)
    assert not {"I001", "I002"} & set(error_rules(report))
    assert not report["complete"] and not report["measurements"]["pictures"][0]["both_ways"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    path, options = with_pictures(tmp_path)
    root = tmp_path / "pictures"
    (root / "train").rename(tmp_path / "elsewhere")
    (root / "train").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "n0000.png").rename(tmp_path / "single.png")
    (tmp_path / "elsewhere" / "n0000.png").symlink_to(tmp_path / "single.png")
    (tmp_path / "elsewhere" / "up").symlink_to(root)
    (root / "self").symlink_to(".")
    assert compare(path, *options)[:2] == (0, [])


def test_threads_and_isolation_change_nothing(tmp_path):
    shard = Shard(rows=30)
    shard = Shard(rows=30, **sizes(shard, height=7))
    path, options = with_pictures(tmp_path, shard)
    first = verify(path, *options, "--jobs", 1)
    assert error_rules(first[1]) == ["I003"]
    assert verify(path, *options, "--jobs", 5) == first
    assert verify(path, *options, "--no-isolation") == first


def test_many_batches(tmp_path):
    """More rows than one message holds, with chunks that end elsewhere."""
    count = 9000
    keys = [f"{row % 10}/{row}" for row in range(count)]
    shard = Shard(rows=count, height=1, width=1, k=1, keys=keys)
    shard = replace(shard, rows_per_identity_chunk=1000, images_per_chunk=512, **sizes(shard))
    path, options = with_pictures(tmp_path, shard)
    code, broken, figures = compare(path, *options)
    assert (code, broken, figures["sizes"]) == (0, [], count)
    write_pictures(tmp_path / "pictures", keys[8999:], height=5)
    _, report = verify(path, *options)
    assert finding(report, "I003")["key"] == keys[8999]


def test_wrong_use(tmp_path):
    path = write_dataset(tmp_path / "dataset", Shard())
    assert tool("relabel-verify", path, "--images", tmp_path / "nowhere").returncode == 64
    assert tool("relabel-verify", path, "--images", path / "index.json").returncode == 64


# -------------------------------------------------------------------------------------------- sizes


def save(path, picture_format, **options):
    """A coloured picture that is higher than wide, in a format."""
    pixels = np.random.default_rng(1).integers(0, 255, (37, 23, 3)).astype("u1")
    Image.fromarray(pixels).save(path, picture_format, **options)
    return path


def with_profile(path):
    """A JPEG with more than 64 KiB of segments before the frame."""
    return save(path, "JPEG", icc_profile=os.urandom(150_000))


def rotated(path):
    exif = Image.Exif()
    exif[0x0112] = 6
    return save(path, "JPEG", exif=exif)


def alpha(path):
    Image.new("RGBA", (23, 37), (1, 2, 3, 100)).save(path, "WEBP", exif=b"Exif\0\0")
    return path


def old_bitmap(path):
    """The header of OS/2, with sides of 16 bits."""
    path.write_bytes(struct.pack("<2sIHHIIHHHH", b"BM", 26, 0, 0, 26, 12, 23, 37, 1, 24))
    return path


def bitmap_from_the_top(path):
    path.write_bytes(struct.pack("<2sIHHIIiiHH", b"BM", 54, 0, 0, 54, 40, 23, -37, 1, 24) + bytes(24))
    return path


def padded(path):
    """A JPEG with padding between segments and a marker that has no length."""
    content = save(path, "JPEG").read_bytes()
    path.write_bytes(content[:2] + b"\xff\x01\xff\xff\xff" + content[2:])
    return path


FORMATS = {
    "jpeg": lambda path: save(path, "JPEG"),
    "progressive": lambda path: save(path, "JPEG", progressive=True),
    "profile": with_profile,
    "rotated": rotated,
    "padded": padded,
    "png": lambda path: save(path, "PNG"),
    "webp": lambda path: save(path, "WEBP"),
    "webp_lossless": lambda path: save(path, "WEBP", lossless=True),
    "webp_extended": alpha,
    "gif": lambda path: save(path, "GIF"),
    "bmp": lambda path: save(path, "BMP"),
    "bmp_old": old_bitmap,
    "bmp_top": bitmap_from_the_top,
}


def sized_shard(folder, height=37, width=23, rows=1):
    shard = Shard(rows=rows)
    return Shard(rows=rows, **sizes(shard, height, width)).write(folder / "a.h5")


@pytest.mark.parametrize("name", FORMATS)
def test_sizes_of_formats(name, tmp_path):
    """The ending does not matter: ImageNet has a PNG that is called JPEG."""
    (tmp_path / "pictures/train").mkdir(parents=True)
    FORMATS[name](tmp_path / "pictures/train/n0000.JPEG")
    options = "--images", tmp_path / "pictures"
    code, broken, figures = compare(sized_shard(tmp_path), *options)
    assert (code, broken, figures["sizes"]) == (0, [], 1)
    _, report = verify(sized_shard(tmp_path, 23, 37), *options)
    assert error_rules(report) == ["I003"]
    assert "is 37×23 pixels, image_size says 23×37" in finding(report, "I003")["message"]


@pytest.mark.parametrize("name", FORMATS)
def test_headers_that_are_cut_or_changed_do_no_harm(name, tmp_path):
    """Every length of a header, and bytes replaced at random: a size, or none that can be told."""
    (tmp_path / "whole").mkdir()
    content = FORMATS[name](tmp_path / "whole" / "a").read_bytes()
    draw = random.Random(name)
    cut = [content[:length] for length in range(0, min(len(content), 700), 5)]
    changed = []
    for _ in range(150):
        copy = bytearray(content[:5000])
        for _ in range(draw.randint(1, 8)):
            byte = draw.choice([0, 1, 0x7F, 0x80, 0xC0, 0xFF, draw.randrange(256)])
            copy[draw.randrange(min(len(copy), 400))] = byte
        changed.append(bytes(copy))
    pictures = cut + changed
    shard = Shard(rows=len(pictures), height=1, width=1, k=1)
    shard = replace(shard, **sizes(shard, 37, 23))
    folder = tmp_path / "pictures/train"
    folder.mkdir(parents=True)
    for row, data in enumerate(pictures):
        (folder / f"n{row:04}.jpg").write_bytes(data)
    code, report = verify(shard.write(tmp_path / "a.h5"), "--images", tmp_path / "pictures")
    (figures,) = report["measurements"]["pictures"]
    assert code in (1, 3) and set(error_rules(report)) <= {"I003"} and not report["failures"]
    assert figures["sizes"] + figures["sizes_unknown"] == len(pictures) and figures["sizes_unknown"] > 0


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"II*\0" + bytes(40), b"P6 3 4 255\n", b"\xff\xd8\xff\xda" + bytes(30)])
def test_a_size_that_cannot_be_told_is_an_omission(content, tmp_path):
    path = sized_shard(tmp_path, rows=2)
    write_pictures(tmp_path / "pictures", ["train/n0000"], height=37, width=23)
    (tmp_path / "pictures/train/n0001.tif").write_bytes(content)
    options = "--images", tmp_path / "pictures"
    code, broken, figures = compare(path, *options)
    assert (code, broken, figures["sizes"], figures["sizes_unknown"]) == (3, [], 1, 1)
    assert verify(path, *options, "--allow-incomplete")[0] == 0


def test_the_picture_of_a_repeated_key_is_not_guessed(tmp_path):
    """Which of two pictures was annotated is not known, so neither is compared."""
    path = sized_shard(tmp_path)
    write_pictures(tmp_path / "pictures", ["train/n0000"])
    write_pictures(tmp_path / "pictures", ["train/n0000"], ".jpg", height=37, width=23)
    assert compare(path, "--images", tmp_path / "pictures")[2]["sizes"] == 0


# ------------------------------------------------------------------------------------------ digests


def test_digests(tmp_path):
    shard = Shard()
    contents = write_pictures(tmp_path / "pictures", shard.image_keys())
    path = write_shard(tmp_path / "a.h5", **digests(shard, contents))
    options = "--images", tmp_path / "pictures"
    code, broken, figures = compare(path, *options)
    assert (code, broken, figures["digests"]) == (0, [], 5)
    (tmp_path / "pictures/train/n0002.png").write_bytes(contents[3])
    _, report = verify(path, *options)
    assert error_rules(report) == ["I004"] and finding(report, "I004")["key"] == "train/n0002"


def test_digests_that_are_not_known_are_not_compared(tmp_path):
    shard = Shard()
    contents = write_pictures(tmp_path / "pictures", shard.image_keys())
    data = digests(shard, contents)["column_changes"]["image_sha256"]["data"]
    data[1:4] = 0xFF
    path = write_shard(tmp_path / "a.h5", **column(shard, "image_sha256", data))
    (tmp_path / "pictures/train/n0002.png").write_bytes(b"another")
    code, broken, figures = compare(path, "--images", tmp_path / "pictures")
    assert (code, broken, figures["digests"]) == (0, [], 2)


def test_sizes_and_digests_together(tmp_path):
    shard = Shard()
    contents = write_pictures(tmp_path / "pictures", shard.image_keys())
    shard = Shard(**digests(shard, contents))
    path = replace(shard, **sizes(shard)).write(tmp_path / "a.h5")
    code, broken, figures = compare(path, "--images", tmp_path / "pictures")
    assert (code, broken, figures["digests"], figures["sizes"]) == (0, [], 5, 5)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_picture_that_may_not_be_read_is_a_failure(tmp_path):
    path = sized_shard(tmp_path)
    write_pictures(tmp_path / "pictures", ["train/n0000"])
    (tmp_path / "pictures/train/n0000.png").chmod(0)
    code, report = verify(path, "--images", tmp_path / "pictures")
    assert code == 74 and "n0000.png" in report["failures"][0]


# ------------------------------------------------------------------------------------------ helpers

HELPER = """#!{python}
import os, signal, struct, sys
if sys.argv[2] != {task!r}:
    os.execv({real!r}, ["relabel-verify", *sys.argv[1:]])
def say(kind, content):
    sys.stdout.buffer.write(struct.pack("<BI", kind, len(content)) + content)
    sys.stdout.buffer.flush()
{body}
"""
MEANING = (
    'say(1, b\'{{"height":3,"width":4,"top_k":3,"rows":{rows},"num_classes":10,"score_kind":"logit",'
    '"orientation":"yx","encoding_error":0,"has_sizes":{sizes},"has_digests":false,"classes":null}}\')'
)
SIZED = MEANING.format(rows=1, sizes="true") + "; say(1, b'{\"keys\":\"a\"}')"

DEATHS = {
    "crash": "os.kill(os.getpid(), signal.SIGSEGV)",
    "silent": "say(4, b'')",
    "refused": "say(1, b'{\"refused\":\"no such thing\"}'); say(4, b'')",
    "no_meaning": "say(1, b'{}'); say(4, b'')",
    "early_words": "say(2, bytes(8)); say(4, b'')",
    "too_few": MEANING.format(rows=5, sizes="false") + "; say(4, b'')",
    "too_many": MEANING.format(rows=1, sizes="false") + "; say(1, b'{\"keys\":\"a\\\\nb\"}'); say(4, b'')",
    "no_sizes": SIZED + "; say(4, b'')",
    "more_sizes": SIZED + "; say(2, bytes(16)); say(4, b'')",
}


@pytest.mark.parametrize("name", DEATHS)
def test_a_helper_that_dies_or_lies_is_an_omission(name, tmp_path):
    path, options = with_pictures(tmp_path, Shard())
    program = tmp_path / "helper"
    real = str(BIN / "relabel-verify")
    text = HELPER.format(python=sys.executable, task="list-images", real=real, body=DEATHS[name])
    program.write_text(text)
    program.chmod(0o755)
    code, report = verify(path, *options, "--helper", program)
    assert code == 3 and error_rules(report) == [] and not report["failures"]
    assert "not compared with the pictures" in report["omissions"][0]


def test_the_fixture_helper_does_its_work(tmp_path):
    """The stand-in of the test above is right where it does not lie."""
    path, options = with_pictures(tmp_path, Shard())
    program = tmp_path / "helper"
    real = str(BIN / "relabel-verify")
    program.write_text(HELPER.format(python=sys.executable, task="nothing", real=real, body=""))
    program.chmod(0o755)
    assert verify(path, *options, "--helper", program)[0] == 0
