"""The rules of the format and what breaking one makes of a file (`spec/rules.md`): the one table of this package."""

from __future__ import annotations

OUTCOMES: dict[str, tuple[str, ...]] = {
    "corrupt": ("S001", "S003", "S004", "C001", "C007", "C008", "L014", "M002", "M005"),
    "unsafe": ("C002", "C003", "C006", "C010", "C011", "C012", "M009"),
    "unsupported": ("L002", "L003"),
    "sound": (
        "V011", "V012", "V013", "V014", "V015", "V016", "V017", "V018", "V023", "M011", "I005", "P001", "P002", "P003",
        "P004",
    ),
}  # fmt: skip
"""The rules by outcome: the file is damaged, could do harm, needs a newer reader, or stays sound. Any other rule
is broken by a file that can still be read: `findings`."""

_OUTCOME_OF = {rule: outcome for outcome, rules in OUTCOMES.items() for rule in rules}


def outcome(rule: str) -> str:
    """What a broken rule makes of a file; `findings` also for a rule that this version does not know."""
    return _OUTCOME_OF.get(rule, "findings")
