"""The invalid shards and datasets of the pack: one for each rule, chosen from the fixtures.

All of generator/all_fixtures.py are taken in. For a new rule nothing else has to be done,
unless its first fixture is not the one to show: see SHOWN.
"""

import pathlib
import re
import struct
from dataclasses import dataclass

from all_fixtures import BROKEN
from hdf5_blocks import changed, number, object_blocks

RULES = pathlib.Path(__file__).resolve().parents[1] / "rules.md"

# The fixture that stands for its rule, where that is not the first.
SHOWN = {
    "S001": "text", "S002": "v108", "S003": "write", "S004": "truncated",
    "C004": "no_checksum", "C005": "vlen", "C006": "absurd_rows", "L004": "score_kind_unknown",
    "L005": "score_missing", "L006": "index_int32", "L008": "transposed", "L010": "encoding_unknown",
    "V002": "zeroed_chunk", "V007": "whole_row", "V009": "twice", "V010": "parent",
    "M004": "missing", "M005": "digest", "M006": "count",
}

# Rules whose case every reader refuses, and the section of the specification that says so.
REFUSED = {
    "S001": "3.1", "S003": "15.1", "S004": "15.1", "C001": "15.1", "C002": "16", "C003": "16",
    "C006": "16", "C007": "15.1", "C008": "15.1", "L001": "5.1", "L002": "12.1", "L003": "12.2",
    "L004": "12.3", "L005": "4.2", "L010": "12.3", "L013": "10", "L014": "10.4", "V002": "15.2",
    "V007": "15.1", "M001": "11.6", "M002": "15.1", "M004": "15.1", "M009": "11.2",
}


@dataclass
class Rule:
    """What rules.md says of one rule."""

    id: str
    severity: str
    exit_code: int

    @property
    def reader(self):
        """What a reader does with the case: `refuses`, `reads`, or `either` where the spec leaves it free."""
        if self.id in REFUSED:
            return "refuses"
        return "reads" if self.severity != "error" or self.id[0] == "I" else "either"


def rules():
    """All rules, in the order of rules.md."""
    pattern = r"^### (\w\d{3}) .*?\*Severity\*: (\w+),? \(?exit code (\d)"
    found = re.findall(pattern, RULES.read_text(), flags=re.M | re.S)
    return [Rule(rule, severity, int(code)) for rule, severity, code in found]


def invalid():
    """The rules that have a fixture, each with a variant and the function that makes it in a folder."""
    for rule in rules():
        variants = {variant: make for id, variant, make in BROKEN if id == rule.id}
        if variants:
            variant = SHOWN.get(rule.id) or next(iter(variants))
            yield rule, variant, variants[variant]


def set_times(path):
    """Sets the times of a shard's root group to the start of 2026: the pack must not depend on the clock."""
    content = path.read_bytes()
    root = object_blocks(content, number(content, 36, 8))[0]
    times = struct.pack("<4I", *[1_767_225_600] * 4)
    path.write_bytes(changed(content, root, (root.start + 6, times)))
