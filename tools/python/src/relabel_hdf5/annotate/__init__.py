"""The machine annotator: from a classifier and a folder of pictures to label maps (the paper, section 3.1).

    annotator = Annotator("timm:resnet50.a1_in1k")
    with Writer("labels", num_classes=annotator.num_classes, score_kind="logit", on_bad_input="skip") as writer:
        annotate("pictures", annotator, writer)

`relabel-annotate` does the same from the command line, and proves first that the maps mean what the file says.
Takes PyTorch and Pillow, and timm for its networks: `pip install 'relabel-hdf5[annotate]'`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .annotator import Annotator
    from .checks import Checks, check
    from .fidelity import Fidelity
    from .models import Classifier, load
    from .pictures import Listing, list_pictures
    from .preprocessing import Preprocessing
    from .session import Annotated, annotate

__all__ = [
    "Annotated",
    "Annotator",
    "Checks",
    "Classifier",
    "Fidelity",
    "Listing",
    "Preprocessing",
    "annotate",
    "check",
    "list_pictures",
    "load",
]

_HOMES = {
    "Annotated": "session", "Annotator": "annotator", "Checks": "checks", "Classifier": "models", "Fidelity": "fidelity",
    "Listing": "pictures", "Preprocessing": "preprocessing", "annotate": "session", "check": "checks",
    "list_pictures": "pictures", "load": "models",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Names are imported when they are asked for: `relabel-annotate --help` does not wait for PyTorch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
