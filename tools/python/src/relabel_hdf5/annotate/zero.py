"""Whether logit 0 fits the classes that a cell leaves out, and what becomes of scores where it does not."""

from __future__ import annotations

import dataclasses

from torch import Tensor

from ..errors import UsageError
from ..writing.centring import tensor_means
from .annotator import Annotator
from .findings import Finding, rounded

_NEAR = 1e-3  # how far sums of probabilities may lie from 1


@dataclasses.dataclass(frozen=True)
class Zero(Finding):
    """How the scores of a network lie about 0, which is what classes count as that a cell leaves out."""

    mean_left_out: float
    """The mean logit of the classes that cells leave out."""
    spread: float
    """The standard deviation of the cells' means."""
    centred: bool
    """Whether each cell is stored less this mean."""
    are_logarithms: bool
    """Whether the scores are logarithms of probabilities: their exponentials sum to 1 in every cell."""
    sigmoid_sum: float
    """The median over pictures of the sum of the sigmoids of the network's answer."""
    classes: int

    @property
    def may_be_sigmoid(self) -> bool:
        """Whether sums of sigmoids are as a sigmoid loss makes them: about the number of things in a picture."""
        return not self.are_logarithms and 0.5 <= self.sigmoid_sum <= self.classes / 20

    def __str__(self) -> str:
        kind = "logarithms of probabilities" if self.are_logarithms else "logits"
        done = "are stored less it, so that 0 fits them" if self.centred else "count as 0"
        found = f"{kind}: the classes that a cell leaves out have a mean of {self.mean_left_out:.3g} ± {self.spread:.2g}, and {done}"
        if self.may_be_sigmoid:
            found += (
                f"\n  the sigmoids of an answer sum to {self.sigmoid_sum:.3g} of {self.classes:,} classes: the network may "
                "have been trained with a sigmoid loss. The softmax of its logits keeps the order of classes, not its "
                "probabilities"
            )
        elif not self.centred and abs(self.mean_left_out) > 1:
            found += "\n  0 does not fit them: use --logits centred"
        return found


def measure(annotator: Annotator, pictures: Tensor, top_k: int, centre: bool) -> Zero:
    """Looks at the scores of pictures uint8 [B, 3, h, w].

    Raises `UsageError` where they are probabilities: pooling takes the softmax itself.
    """
    maps = annotator.maps(pictures).double()
    answer = annotator.answers(annotator.inputs(pictures)).double()
    low, high = float(maps.min()), float(maps.max())
    if low >= 0 and high <= 1 + _NEAR and low < high:
        sums = maps.sum(1)
        how = "a softmax" if bool(((sums - 1).abs() <= _NEAR).all()) else "a sigmoid"
        raise UsageError(
            f"{annotator.name} answers with numbers from {low:.3g} to {high:.3g}, as behind {how}: labels are its logits; "
            "give the network without that layer"
        )
    classes = annotator.num_classes
    means = tensor_means(maps, min(top_k, classes))
    logarithms = high <= 0 and bool((maps.exp().sum(1) - 1).abs().max() <= _NEAR)
    return Zero(
        rounded(float(means.mean())), rounded(float(means.std(correction=0))), centre, logarithms,
        rounded(float(answer.sigmoid().sum(1).median())), classes,
    )  # fmt: skip
