"""The forms that labels can be exported to: a module each, and a line here.

Forms of views, that is of labels of crops, will have modules beside these, and rows of their own in `Source`.
"""

from __future__ import annotations

from .arrays import NPZ, NumPyFiles
from .base import Target
from .cleanlab import Cleanlab
from .multilabel_tsv import MultilabelTSV
from .parquet import Parquet
from .real_json import ReaLJSON
from .relabel import ReLabel
from .safetensors import Safetensors
from .tokenlabeling import TokenLabeling

_ALL: tuple[Target, ...] = (
    ReLabel(), TokenLabeling(), NumPyFiles(), NPZ(), Safetensors(), Parquet(), MultilabelTSV(), ReaLJSON(), Cleanlab(),
)  # fmt: skip

TARGETS = {target.name: target for target in _ALL}
"""The targets by name, in the order in which help lists them."""
