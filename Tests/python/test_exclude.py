"""Images that a person has marked to be left out: by relabel-pack and relabel recover."""

import json
import shutil
import subprocess

import h5py
import pytest
from conftest import BIN, SAMPLES, pack, tool, verify
from running import packed, same, sound

MAPS = SAMPLES / "maps"
KEYS = sorted(str(path.relative_to(MAPS).with_suffix("")) for path in MAPS.rglob("*.pt"))
OUT = [KEYS[3], KEYS[7]]
OPTIONS = ["--orientation", "yx", "--images-per-shard", 6]


def index(folder):
    return json.loads((folder / "index.json").read_text())


def keys(folder):
    found = []
    for shard in index(folder)["shards"]:
        with h5py.File(folder / shard["path"]) as file:
            found += [key.decode() for key in file["image_key"][:]]
    return sorted(found)


def marks(path, rows):
    path.write_text("key\tmark\tnote\n" + "".join("\t".join(row) + "\n" for row in rows))
    return path


@pytest.fixture
def table(tmp_path):
    """A table of marks of which two exclude."""
    rows = [(OUT[0], "exclude", "blurred\\nand\\ttilted"), (KEYS[1], "good", ""), (KEYS[2], "wrong-label", "x"), (OUT[1], "exclude", "")]
    return marks(tmp_path / "marks.tsv", rows)


def left_out(folder):
    return {entry["key"]: entry["reason"] for entry in index(folder)["left_out"]}


REASONS = {OUT[0]: "excluded: blurred\\nand\\ttilted", OUT[1]: "excluded"}


# ------------------------------------------------------------------------------------------- packing


def test_packed_without_them(tmp_path, table):
    summary = packed(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", table)
    assert summary["excluded"] == 2 and summary["exclusions_without_image"] == []
    assert keys(tmp_path / "d") == [key for key in KEYS if key not in OUT]
    assert left_out(tmp_path / "d") == REASONS
    assert index(tmp_path / "d")["sources"] == len(KEYS)
    sound(tmp_path / "d")


def test_a_list_of_keys_does_too(tmp_path, table):
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{key}\n" for key in reversed(OUT)))
    packed(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", listed)
    packed(MAPS, "-o", tmp_path / "e", *OPTIONS, "--exclude", table)
    # The same images make the same shards, whatever the notes say.
    assert index(tmp_path / "d")["build_id"] == index(tmp_path / "e")["build_id"]
    assert index(tmp_path / "d")["shards"] == index(tmp_path / "e")["shards"]


def test_the_build_is_another_one(tmp_path, table):
    packed(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", table)
    packed(MAPS, "-o", tmp_path / "all", *OPTIONS)
    assert index(tmp_path / "d")["build_id"] != index(tmp_path / "all")["build_id"]
    # Its shards are not taken for those of a build with all images.
    (tmp_path / "d" / "index.json").unlink()
    refused = pack(MAPS, "-o", tmp_path / "d", *OPTIONS)
    assert refused.returncode == 64 and "made from other input or with other options" in refused.stderr


def test_a_build_that_was_interrupted_goes_on(tmp_path, table):
    packed(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", table)
    shutil.copytree(tmp_path / "d", tmp_path / "again")
    (tmp_path / "again" / "index.json").unlink()
    shards = sorted((tmp_path / "again").glob("*.h5"))
    shards[-1].unlink()
    summary = packed(MAPS, "-o", tmp_path / "again", *OPTIONS, "--exclude", table)
    assert summary["kept_shards"] == len(shards) - 1 and summary["excluded"] == 2
    same(tmp_path / "d", tmp_path / "again")


def test_a_broken_image_that_is_excluded_is_not_read(tmp_path):
    shutil.copytree(MAPS, tmp_path / "maps")
    (tmp_path / "maps" / f"{OUT[0]}.pt").write_bytes(b"no map")
    table = marks(tmp_path / "m.tsv", [(OUT[0], "exclude")])
    packed(tmp_path / "maps", "-o", tmp_path / "d", *OPTIONS, "--exclude", table)
    assert left_out(tmp_path / "d") == {OUT[0]: "excluded"}
    assert pack(tmp_path / "maps", "-o", tmp_path / "e", *OPTIONS).returncode != 0


def test_through_a_pipe(tmp_path, table):
    tar = subprocess.run(["tar", "-C", MAPS, "--sort=name", "-cf", "-", "."], capture_output=True, check=True).stdout
    result = subprocess.run(
        [BIN / "relabel-pack", "-", "-o", tmp_path / "d", *map(str, OPTIONS), "--exclude", table], input=tar, capture_output=True
    )
    assert result.returncode == 0, result.stderr
    assert left_out(tmp_path / "d") == REASONS and keys(tmp_path / "d") == [key for key in KEYS if key not in OUT]
    sound(tmp_path / "d")


def test_keys_without_an_image_are_named(tmp_path):
    table = marks(tmp_path / "m.tsv", [(OUT[0], "exclude"), ("n0/there-is-none", "exclude")])
    summary = packed(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", table)
    assert summary["exclusions_without_image"] == ["n0/there-is-none"]
    text = pack(MAPS, "-o", tmp_path / "e", *OPTIONS, "--exclude", table).stdout
    assert "n0/there-is-none" in text


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("n0/there-is-none", "exclude")], "none of the images to exclude is there"),
        ([(OUT[0], "good")], "no image is marked 'exclude'"),
        ([(OUT[0], "exclude"), (OUT[0], "good")], "line 3 says something else"),
        ([("../../etc/passwd", "exclude")], "line 2 holds no key"),
        ([(OUT[0], "delete")], "line 2 has the mark 'delete'"),
    ],
)
def test_what_can_not_be_meant_is_refused(tmp_path, rows, words):
    result = pack(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", marks(tmp_path / "m.tsv", rows))
    assert result.returncode == 64 and words in result.stderr, result.stderr
    assert not (tmp_path / "d" / "index.json").exists()


def test_dry_run(tmp_path, table):
    forecast = packed(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", table, "--dry-run")
    assert forecast["left_out"] == []


def test_pictures_of_excluded_images_are_excused(tmp_path, table):
    packed(MAPS, "-o", tmp_path / "d", *OPTIONS, "--exclude", table)
    code, report = verify(tmp_path / "d", "--images", SAMPLES / "images")
    assert code == 0, report["findings"]


# ------------------------------------------------------------------------------------------ recovery


def recover(source, output, *options):
    result = tool("relabel", "recover", source, "-o", output, "--format", "json", *options)
    return result.returncode, json.loads(result.stdout) if result.stdout else result.stderr


@pytest.fixture
def whole(tmp_path):
    packed(MAPS, "-o", tmp_path / "whole", *OPTIONS)
    return tmp_path / "whole"


def test_recovered_without_them(tmp_path, whole, table):
    code, report = recover(whole, tmp_path / "d", "--exclude", table)
    assert code == 0 and report["complete"] and report["excluded"] == 2, report
    assert keys(tmp_path / "d") == [key for key in KEYS if key not in OUT] and left_out(tmp_path / "d") == REASONS
    assert index(tmp_path / "d")["build_id"] != index(whole)["build_id"]
    sound(tmp_path / "d")
    # Once more with the same table: what is gone is no key without an image.
    refused, words = recover(tmp_path / "d", tmp_path / "e", "--exclude", table)
    assert refused == 0 and words["excluded"] == 0 and words["exclusions_without_image"] == []


def test_recovery_refuses_marks_of_other_images(tmp_path, whole):
    code, words = recover(whole, tmp_path / "d", "--exclude", marks(tmp_path / "m.tsv", [("n0/none", "exclude")]))
    assert code == 64 and "none of the images to exclude is there" in words


def test_the_same_maps_stay(tmp_path, whole, table):
    recover(whole, tmp_path / "d", "--exclude", table)
    key = KEYS[0]
    one, other = (tool("relabel", "show", folder, "--key", key, "--format", "json") for folder in (whole, tmp_path / "d"))
    assert one.returncode == 0 and one.stdout == other.stdout
