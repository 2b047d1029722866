"""The specification against the tools: its programs, its examples, its schemas, its numbers."""

import hashlib
import json
import re
import shutil
import subprocess
import sys

import h5py
import jsonschema
import numpy as np
import pytest
from conftest import ROOT, SAMPLES, pack, verify
from shard_writer import (
    ENCODINGS,
    canonical,
    digest,
    encode_index,
    fletcher32,
    large_fletcher32,
    write_shard,
)

SPEC = (ROOT / "spec" / "relabel-hdf5.md").read_text()
RULES = (ROOT / "spec" / "rules.md").read_text()
INDEX = "index.json"


def blocks(language):
    """Fenced blocks of the spec, each with the line it begins at."""
    found = re.finditer(rf"^```{language}\n(.*?)^```$", SPEC, re.M | re.S)
    return [pytest.param(b[1], id=f"line_{SPEC[:b.start()].count(chr(10)) + 1}") for b in found]


def schema(name):
    return json.loads((ROOT / "spec" / f"{name}.schema.json").read_text())


def check(document, name):
    """Validates a document against one of the schemas in spec/."""
    validator = jsonschema.Draft202012Validator(schema(name))
    assert not [error.message for error in validator.iter_errors(document)]


def texts(attributes):
    """Attributes with strings decoded."""
    return {n: v.decode() if isinstance(v, bytes) else v for n, v in attributes.items()}


def metadata_of(path):
    """The bytes of a shard's metadata document."""
    with h5py.File(path) as shard:
        names = sorted(n for n in shard.attrs if re.fullmatch(r"metadata_\d{4}", n))
        return b"".join(shard.attrs[n] for n in names)


def some_key(path):
    with h5py.File(path) as shard:
        return shard["image_key"][-1].decode()


# ------------------------------------------------------------------------------- programs of the spec


@pytest.mark.parametrize("program", blocks("python"))
def test_python_programs_run(program, sample_shard):
    result = subprocess.run(
        [sys.executable, "-c", program, sample_shard, some_key(sample_shard)],
        capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() and not result.stderr


def test_shell_blocks_run(sample_dataset):
    for script in blocks("sh"):
        command = ["sh", "-e", "-c", script.values[0]]
        subprocess.run(command, cwd=sample_dataset, check=True, timeout=60)


def page_reader():
    """The reader of section 2.2."""
    return blocks("python")[0].values[0]


def run_reader(path, key):
    arguments = [sys.executable, "-c", page_reader(), path, key]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60)


def test_the_reader_prints_what_is_stored(sample_shard):
    key = some_key(sample_shard)
    with h5py.File(sample_shard) as shard:
        ids, stored = shard["class_index"][-1], shard["score"][-1]
        step, offset = (shard["score"].attrs[n] for n in ("scale_factor", "add_offset"))
    y, x = ids.shape[0] // 2, ids.shape[1] // 2
    lines = run_reader(sample_shard, key).stdout.splitlines()[1:]
    assert len(lines) == ids.shape[2]
    for line, c, v in zip(lines, ids[y, x], stored[y, x].astype(float) * step + offset):
        assert f": class {c} " in line and line.endswith(f" {v:.5f}")


def test_the_reader_refuses_what_it_must(sample_shard):
    assert "no such image" in run_reader(sample_shard, "nowhere").stderr


def test_the_reader_reads_other_writers_too(tmp_path):
    for encoding in ENCODINGS:
        path = write_shard(tmp_path / f"{encoding}.h5", encoding=encoding)
        assert run_reader(path, "train/n0002").returncode == 0


@pytest.mark.parametrize("change, message", [
    ({"format_version": "2.0"}, "not a ReLabel shard of version 1"),
    ({"features_required": "depth"}, "needs depth"),
    ({"metadata_sha256": "0" * 64}, "damaged"),
])
def test_the_reader_refuses_newer_and_damaged_files(change, message, tmp_path):
    path = write_shard(tmp_path / "a.h5", attributes=change)
    assert message in run_reader(path, "train/n0002").stderr


# ------------------------------------------------------------------------------------ JSON documents


@pytest.mark.parametrize("name", ["metadata", "index", "report", "verify-config"])
def test_schemas_are_schemas(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_metadata_of_a_packed_shard(sample_shard):
    text = metadata_of(sample_shard)
    document = json.loads(text)
    check(document, "metadata")
    assert text == canonical(document)
    classes = document["classes"]
    with h5py.File(sample_shard) as shard:
        assert shard.attrs["metadata_sha256"].decode() == digest(text)
        assert classes["count"] == len(classes["table"]) == shard.attrs["num_classes"]
    assert classes["sha256"] == digest(canonical(classes["table"]))
    assert [entry["index"] for entry in classes["table"]] == list(range(classes["count"]))


def test_index_of_a_packed_dataset(sample_dataset):
    content = (sample_dataset / INDEX).read_bytes()
    document = json.loads(content)
    check(document, "index")
    assert content == encode_index(document)
    assert re.fullmatch(rb',"sha256":"[0-9a-f]{64}"}\n', content[-78:])
    assert digest(content[:-78] + b"}") == document["sha256"]


def test_index_agrees_with_its_shards(sample_dataset):
    index = json.loads((sample_dataset / INDEX).read_bytes())
    assert index["count"] == sum(shard["rows"] for shard in index["shards"])
    assert index["sources"] == index["count"] + len(index["left_out"])
    for entry in index["shards"]:
        content = (sample_dataset / entry["path"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(content), digest(content))
        with h5py.File(sample_dataset / entry["path"]) as shard:
            root, score = texts(shard.attrs), texts(shard["score"].attrs)
            values = shard["score"][:].astype(np.float32) * score["scale_factor"] + score["add_offset"]
        assert (entry["score_min"], entry["score_max"]) == (values.min(), values.max())
        assert entry["largest_error"] == score["largest_error"] <= score["scale_factor"] / 2
        assert entry["metadata_sha256"] == root["metadata_sha256"]
        for name in ("writer", "build_id", "num_classes", "score_kind"):
            assert index[name] == root[name]


@pytest.mark.parametrize("text", blocks("json"))
def test_json_examples(text):
    content, document = text.encode(), json.loads(text)
    if document.get("format") == "relabel-index":
        check(document, "index")
        assert content == encode_index(document)
    else:
        check(document, "metadata")
        assert content == canonical(document) + b"\n"
        assert document["classes"]["sha256"] == digest(canonical(document["classes"]["table"]))


def test_schemas_name_every_member_of_the_spec():
    """The member tables of sections 10.2 and 11.2 and the schemas list the same names."""
    index = schema("index")
    table, shard_table = section("11.2").split("Each shard:")
    assert sorted(first_cells(table)) == sorted(index["required"]) == sorted(index["properties"])
    shard = index["$defs"]["shard"]
    assert sorted(first_cells(shard_table)) == sorted(shard["required"]) == sorted(shard["properties"])
    assert sorted(first_cells(section("10.2"))) == sorted(schema("metadata")["properties"])


# ----------------------------------------------------------------------------------- the spec's text


def headings():
    """Numbers of the sections."""
    return re.findall(r"^#{2,3} (\d+(?:\.\d+)?) ", SPEC, re.M)


def section(number):
    """The text below a heading, up to the next."""
    return re.search(rf"^#+ {re.escape(number)} .*?\n(.*?)(?=^#{{2,3}} |\Z)", SPEC, re.M | re.S)[1]


def first_cells(text):
    """The names in the first column of the tables of a section."""
    rows = re.findall(r"^\| (.*?) \|", text, re.M)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_sections_count_up():
    numbers = [tuple(map(int, number.split("."))) for number in headings()]
    assert numbers == sorted(set(numbers))
    for before, after in zip(numbers, numbers[1:]):
        assert after in ((*before[:1], (before + (0,))[1] + 1), (before[0] + 1,))


def cited(text):
    """Section numbers that a text refers to."""
    groups = re.findall(r"[Ss]ections? (\d+(?:\.\d+)?(?:(?:, | and | to )\d+(?:\.\d+)?)*)", text)
    return {number for group in groups for number in re.findall(r"\d+(?:\.\d+)?", group)}


def test_cited_sections_exist():
    assert cited(RULES) <= set(headings()) and len(cited(RULES)) > 20
    assert cited(SPEC) <= set(headings())


def test_every_rule_cites_a_section():
    for rule in re.split(r"^### ", RULES, flags=re.M)[1:]:
        assert re.search(r"\*Specification\*: sections? \d", rule), rule[:60]


def test_cited_rules_exist():
    known = set(re.findall(r"^### ([A-Z]\d{3}) ", RULES, re.M))
    assert set(re.findall(r"\b[SCLVMP]\d{3}\b", SPEC + RULES)) <= known


def test_contents_lead_to_headings():
    for title, anchor in re.findall(r"^\d+\. \[(.*?)\]\(#(.*?)\)$", SPEC, re.M):
        number = anchor.split("-")[0]
        assert f"\n## {number} {title}\n" in SPEC
        assert anchor == re.sub(r"[^\w -]", "", f"{number} {title}".lower()).replace(" ", "-")


# ------------------------------------------------------------------- what a packed shard looks like


def test_attributes_of_a_packed_shard_are_those_of_the_tables(sample_shard):
    root = set(first_cells(section("5.1"))) - {"x-…", "metadata_0001", "encoding", "classes_are", "view_size"}
    with h5py.File(sample_shard) as shard:
        pieces = {n for n in shard.attrs if re.fullmatch(r"metadata_\d{4}", n)}
        assert set(shard.attrs) - pieces == root - {"metadata_0000"} and pieces
        # The samples lie in folders that are ids of their class table.
        assert set(shard) == {"class_index", "score", "image_index", "image_key", "source_label"}
        for name, dataset in shard.items():
            assert shard[name].maxshape[0] is None
            expected = {"axes", "encoding", "scale_factor", "add_offset", "_FillValue", "largest_error"}
            assert set(dataset.attrs) == (expected if name == "score" else {"axes"})


def test_strings_of_a_packed_shard_are_as_long_as_their_text(sample_shard):
    with h5py.File(sample_shard) as shard:
        owners = [shard, *shard.values()]
        for owner in owners:
            for name in owner.attrs:
                kind = owner.attrs.get_id(name)
                if kind.dtype.kind == "S":
                    assert kind.dtype.itemsize == len(owner.attrs[name])
        longest = max(len(key) for key in shard["image_key"][:])
        assert shard["image_key"].dtype.itemsize == longest


def test_filters_of_a_packed_shard(sample_shard):
    chains = {}
    with h5py.File(sample_shard) as shard:
        for name, dataset in shard.items():
            plist = dataset.id.get_create_plist()
            chains[name] = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    assert chains == {"class_index": [1, 3], "score": [2, 1, 3], "image_index": [2, 1, 3], "image_key": [1, 3],
                      "source_label": [2, 1, 3]}


# ------------------------------------------------------------------------------- checksum and seed


@pytest.mark.parametrize("data, checksum", [
    (b"", 0), (b"\0" * 10, 0), (b"\xff" * 10, 0xFFFFFFFF), (b"\xff", 0xFF00FF00),
    (b"\xff\xff" * 70_000, 0xFFFFFFFF), (bytes(range(256)), None),
])
def test_checksum_examples(data, checksum):
    """Section 3.9: all ones give all ones, all zeros give zero; an odd byte is padded behind."""
    assert checksum is None or fletcher32(data) == checksum


def test_large_checksums_agree_with_folding():
    generator = np.random.default_rng(3)
    for values in [[0, 0], [0xFFFF], [1, 0xFFFE], [0xFFFF, 0xFFFF, 0], generator.integers(0, 65536, 999)]:
        data = np.array(values, ">u2").tobytes()
        assert large_fletcher32(np.frombuffer(data, ">u2").astype(np.uint64)) == fletcher32(data)


def permutation(count, seed):
    """Fisher–Yates with splitmix64, from the text of section 9.4."""
    mask, state, order = 2**64 - 1, seed, list(range(count))
    for i in range(count - 1, 0, -1):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        j = z * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return order


def vectors():
    """Seeds and results of the table in section 9.4."""
    rows = re.findall(r"^\| (\d+) \| `\w+` \| ([\d ]+) \|$", section("9.4"), re.M)
    return [(int(seed), [int(place) for place in places.split()]) for seed, places in rows]


@pytest.fixture(scope="module")
def ten_maps(tmp_path_factory):
    """Ten dense maps whose key order is their number."""
    folder = tmp_path_factory.mktemp("ten")
    for number in range(10):
        values = np.random.default_rng(number).normal(size=(6, 3, 3)).astype(np.float32)
        np.save(folder / f"image{number}.npy", values)
    return folder


def test_there_are_vectors():
    assert len(vectors()) >= 3


@pytest.mark.parametrize("seed, expected", [*vectors(), (2**64 - 1, None)])
def test_permutation(seed, expected, ten_maps, tmp_path):
    expected = expected or permutation(10, seed)
    assert permutation(10, seed) == expected
    result = pack(
        ten_maps, "--output", tmp_path / "out", "--row-order", f"shuffled:{seed}",
        "--score-kind", "logit", "--top-k", "3", "--images-per-shard", "4")
    assert result.returncode == 0, result.stderr
    keys, indexes = [], []
    for path in sorted((tmp_path / "out").glob("*.h5")):
        with h5py.File(path) as shard:
            assert shard.attrs["row_order"].decode() == f"shuffled:{seed}"
            keys += shard["image_key"][:].tolist()
            indexes += shard["image_index"][:].tolist()
    assert keys == [f"image{number}".encode() for number in expected]
    assert indexes == expected


def test_first_random_numbers_of_the_table():
    """The second column of the table in section 9.4."""
    mask = 2**64 - 1
    for seed, first in re.findall(r"^\| (\d+) \| `(\w{16})` \|", section("9.4"), re.M):
        z = (int(seed) + 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        assert f"{z ^ (z >> 31):016x}" == first


def test_class_example_digest():
    """Section 10.5 names the class table by its digest; nothing but the table decides it."""
    text = next(b.values[0] for b in blocks("json") if '"classes":{' in b.values[0])
    table = re.search(r'"table":(\[.*?\])', text)[1]
    assert hashlib.sha256(table.encode()).hexdigest() in text


def test_index_with_left_out_inputs_meets_the_schema(tmp_path):
    """One picture the listing does not name, one broken map: both stand in left_out."""
    maps = tmp_path / "maps"
    shutil.copytree(SAMPLES / "maps", maps)
    lines = (SAMPLES / "images.txt").read_text().split()
    (tmp_path / "images.txt").write_text("\n".join(lines[1:]) + "\n")
    broken = maps / (lines[5].rsplit(".", 1)[0] + ".pt")
    broken.write_bytes(broken.read_bytes()[:1000])
    result = pack(maps, "--output", tmp_path / "d", "--images", tmp_path / "images.txt",
                  "--on-bad-input", "skip")
    assert result.returncode == 3, result.stderr
    index = json.loads((tmp_path / "d" / "index.json").read_text())
    jsonschema.Draft202012Validator(
        json.loads((ROOT / "spec" / "index.schema.json").read_text())).validate(index)
    assert [entry["image_index"] for entry in index["left_out"]] == [4, None]
    assert verify(tmp_path / "d")[0] == 0
