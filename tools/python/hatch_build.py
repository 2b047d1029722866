"""Adds what was built for one kind of machine to a wheel, where tools/build-wheel has laid it in built/."""

from __future__ import annotations

import pathlib
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Built(BuildHookInterface[Any]):
    """`built/tag` is the wheel's tag; `scripts`, `package` and `share` are what goes where these names say."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        built = pathlib.Path(self.root, "built")
        if version != "standard" or not built.exists():
            return
        build_data["pure_python"] = False
        build_data["tag"] = (built / "tag").read_text().strip()
        for kind, key, place in [
            ("scripts", "shared_scripts", ""), ("share", "shared_data", "share/"),
            ("package", "force_include", "relabel_hdf5/"),
        ]:  # fmt: skip
            for path in sorted((built / kind).rglob("*")):
                if path.is_file():
                    build_data[key][str(path)] = f"{place}{path.relative_to(built / kind)}"
