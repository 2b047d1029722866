"""The machine annotator: from a classifier and a folder of pictures to label maps (the paper, section 3.1).

    annotator = Annotator("timm:resnet50.a1_in1k")
    with Writer("labels", num_classes=annotator.num_classes, score_kind="logit", on_bad_input="skip") as writer:
        annotate("pictures", annotator, writer)

`relabel-annotate` does the same from the command line, and proves first that the maps mean what the file says.
Takes PyTorch and Pillow, and timm for its networks: `pip install 'relabel-hdf5[annotate]'`.
"""

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
