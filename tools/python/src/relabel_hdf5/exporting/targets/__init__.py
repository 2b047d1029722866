"""The forms that labels can be exported to: a module each, and a line here.

Those of `OfViews.NEEDED` are forms of views, that is of labels of crops.
"""

from __future__ import annotations

from .arrays import NPZ, NumPyFiles
from .base import Target
from .cleanlab import Cleanlab
from .edc import EDC
from .fkd import FKD
from .hald import HALD
from .kecam import Kecam
from .lpld import LPLD
from .lpqld import LPQLD
from .ml_dr import MLDR
from .multilabel_tsv import MultilabelTSV
from .parquet import Parquet
from .passl import PASSL
from .real_json import ReaLJSON
from .relabel import ReLabel
from .safetensors import Safetensors
from .sre2l import GVBSM, SRe2L
from .tinyvit import TinyViT
from .tokenlabeling import TokenLabeling

_ALL: tuple[Target, ...] = (
    ReLabel(), TokenLabeling(), PASSL(), Kecam(), NumPyFiles(), NPZ(), Safetensors(), Parquet(), MultilabelTSV(), ReaLJSON(),
    Cleanlab(),
    FKD(), SRe2L(), GVBSM(), EDC(), LPLD(), LPQLD(), HALD(), TinyViT(), MLDR(),
)  # fmt: skip

TARGETS = {target.name: target for target in _ALL}
"""The targets by name, in the order in which help lists them."""
