"""Licences by the names that the Hugging Face Hub and SPDX have for them."""

from __future__ import annotations

_HUB = (
    "apache-2.0 mit cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 "
    "cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 "
    "bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 ecl-2.0 "
    "epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0 isc mpl-2.0 ms-pl ncsa ofl-1.1 osl-3.0 "
    "postgresql unlicense wtfpl zlib afl-3.0 artistic-2.0"
).split()
_OTHER_NAMES = {"odc-by-1.0": "odc-by", "odbl-1.0": "odbl", "pddl-1.0": "pddl"}
"""SPDX's names, in small letters, for those that the Hub calls otherwise."""


def hub_name(text: str) -> str | None:
    """The Hub's name of a licence that a text names and says nothing else of, or None."""
    name = text.strip().lower().removesuffix("-only").removesuffix("-or-later").replace(" ", "-")
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    return name if name in _HUB or name in _OTHER_NAMES.values() else None


def address(text: str) -> str:
    """SPDX's page of such a licence, for programs; any other text as it is."""
    if hub_name(text) is None or not text.isascii():
        return text
    return f"https://spdx.org/licenses/{text.strip().replace(' ', '-')}"
