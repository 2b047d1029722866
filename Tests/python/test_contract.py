"""`spec/contract.json`, the facts of the format: printed by the library, and every other table of them."""

import json
import re
import subprocess
from fractions import Fraction

import oracle
import pytest
import shard_writer
from conftest import BIN, ROOT

from relabel_hdf5 import layout, rules

CONTRACT = json.loads((ROOT / "spec" / "contract.json").read_text())
SPEC = (ROOT / "spec" / "relabel-hdf5.md").read_text()
RULES = (ROOT / "spec" / "rules.md").read_text()
COLUMNS = {column["name"]: column for column in CONTRACT["columns"]}
PACKED = [each for each in CONTRACT["encodings"] if each["defaults"]]


def table(text, heading):
    """The rows of the first table behind a heading, as lists of cells without backticks."""
    rows = text.split(f"\n{heading}", 1)[1].split("\n#", 1)[0].splitlines()
    first = next(place for place, line in enumerate(rows) if line.startswith("|"))
    found = []
    for line in rows[first + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    assert found
    return found


def number(text):
    """A number as the spec prints it: with separators of thousands, a fraction, a MiB."""
    text = text.replace("−", "-").replace(",", "")
    return float(Fraction(text)) if "/" in text else float(text)


def test_the_library_prints_it():
    printed = subprocess.run(
        [BIN / "relabel-conformance", "contract"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert json.loads(printed) == CONTRACT, "run: relabel-conformance contract > spec/contract.json"


# ---------------------------------------------------------------------------------- tables of the spec


def test_rules_of_the_document():
    found = re.findall(
        r"^### ([A-Z]\d{3})\b[^\n]*\n(?:(?!^### ).)*?^- \*Severity\*: (\w+)(?:, exit code (\d+))?",
        RULES, re.M | re.S,
    )
    wanted = [(rule["id"], rule["severity"], rule["exit_status"]) for rule in CONTRACT["rules"]]
    assert [(rule, severity, int(code or 0)) for rule, severity, code in found] == wanted


def test_exit_codes_of_the_document():
    # A verifier never says that there is no such image.
    wanted = set(CONTRACT["exit_statuses"]) - {"66"}
    assert {row[0] for row in table(RULES, "## Severity and exit code")} == wanted


def test_columns_of_the_spec():
    lengths = {"axis": "2", "byte": "32", "box": "4"}
    found = table(SPEC, "### 4.2")
    views = [name for name, *_ in table(SPEC, "### 4.10")]
    factors = [name for name, *_ in table(SPEC, "### 4.11")]
    assert [row[0] for row in found] + views + factors == list(COLUMNS)
    for name, types, axes, required in found:
        column = COLUMNS[name]
        assert axes.split(", ") == [lengths.get(axis, axis) for axis in column["axes"].split(" ")]
        assert (required == "yes") == column["required"]
        named = {"utf8"} if "UTF-8" in types else set(re.findall(r"u?int\d+|float\d+", types))
        assert named == set(column["types"])


@pytest.mark.parametrize("section", ["### 4.10", "### 4.11"])
def test_columns_of_features_in_the_spec(section):
    for name, kind, axes, _, fill in table(SPEC, section):
        column = COLUMNS[name]
        assert (axes, not column["required"]) == (column["axes"], True)
        assert column["types"] == ["utf8" if kind == "fixed-length string" else kind]
        assert column["may_be_unknown"] == (fill != "not allowed")


def test_limits_of_the_spec():
    found = {row[0]: row[1] for row in table(SPEC, "### 3.11")}
    limits = CONTRACT["limits"]

    def last(text):
        value = re.findall(r"[\d,]*\d", text)[-1].replace(",", "")
        return int(value) << 20 if "MiB" in text else int(value)

    assert last(found["decoded chunk"]) == limits["chunk_bytes"]
    assert last(found["H, W"].replace("each", "")) == limits["grid_side"]
    assert last(found["k"].split(", and")[0]) == limits["top_k"]
    assert last(found["num_classes"]) == limits["num_classes"]
    assert last(found["width of image_key"]) == limits["key_bytes"]
    assert last(found["width of operations"]) == limits["operations_bytes"]
    assert last(found["one attribute"]) == limits["attribute_bytes"]
    assert last(found["attributes of the root group or of one HDF5 dataset"]) == limits["attributes"]
    assert last(found["HDF5 datasets of a shard"]) == limits["datasets"]


def test_encodings_of_the_spec():
    found = table(SPEC, "### 6.1")
    types = {"IEEE binary16": "float16", "IEEE binary32": "float32"}
    assert [row[0].split(" ")[0] for row in found] == CONTRACT["words"]["encoding"]
    for row, encoding in zip(found, CONTRACT["encodings"], strict=True):
        assert types.get(row[1], row[1]) == encoding["type"]
        if encoding["highest_stored"] is not None:
            assert number(row[2].removeprefix("0 to ")) == encoding["highest_stored"]


def test_steps_of_the_spec():
    found = {(row[0], row[1]): (number(row[2]), number(row[3])) for row in table(SPEC, "### 6.2")}
    assert found == steps()


def steps():
    """Default step and offset by score kind and encoding."""
    return {
        (kind, each["name"]): (packing["step"], packing["offset"])
        for each in PACKED
        for kind, packing in each["defaults"].items()
    }


# ------------------------------------------------------------------------------ tables of Python


def test_outcomes_of_the_package():
    wanted = {rule["id"]: rule["outcome"] for rule in CONTRACT["rules"]}
    assert {rule: rules.outcome(rule) for rule in wanted} == wanted
    listed = [rule for members in rules.OUTCOMES.values() for rule in members]
    assert len(listed) == len(set(listed)) and set(listed) <= set(wanted)


def test_columns_of_the_package():
    assert [column.name for column in layout.COLUMNS] == list(COLUMNS)
    for column in layout.COLUMNS:
        wanted = COLUMNS[column.name]
        assert column.axes == wanted["axes"]
        assert {"utf8" if each == "text" else each for each in column.types} == set(wanted["types"])
        assert column.attributes == set(wanted["attributes"])
        assert (column in layout.REQUIRED) == wanted["required"]
        assert any("shuffle" in chain for chain in column.chains) or not wanted["shuffled"]


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("MAXIMUM_CHUNK_BYTES", "chunk_bytes"),
        ("MAXIMUM_GRID_SIDE", "grid_side"),
        ("MAXIMUM_TOP_K", "top_k"),
        ("MAXIMUM_ATTRIBUTES", "attributes"),
        ("MAXIMUM_ATTRIBUTE_BYTES", "attribute_bytes"),
        ("MAXIMUM_DATASETS", "datasets"),
        ("MAXIMUM_KEY_BYTES", "key_bytes"),
        ("MAXIMUM_METADATA_BYTES", "metadata_bytes"),
        ("MAXIMUM_IDENTITY_CHUNK", "rows_per_chunk"),
    ],
)
def test_limits_of_the_package(name, limit):
    assert getattr(layout, name) == CONTRACT["limits"][limit]


def test_encodings_of_the_package():
    assert {name: (form.type, form.highest_stored) for name, form in layout.SCORE_FORMS.items()} == {
        each["name"]: (each["type"], each["highest_stored"]) for each in CONTRACT["encodings"]
    }


def test_the_writer_and_the_oracle_have_the_same_steps():
    """Both are independent of the library in logic; only their tables are compared."""
    assert oracle.PACKING == steps()
    assert {(kind, name): packing for (name, kind), packing in shard_writer.PACKINGS.items()} == steps()
    assert shard_writer.SCORE_KINDS == CONTRACT["words"]["score_kind"]
    assert shard_writer.ENCODINGS == CONTRACT["words"]["encoding"]
