"""Which row each mixed view was mixed with."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..errors import NotFoundError, UnsupportedError
from ..keys import Positions
from .checks import Array, is_unwritten
from .rows import ViewRows

Kind = Literal["mixup", "cutmix"]


def partners(rows: ViewRows, kind: Kind) -> Positions:
    """The position of each view's partner, -1 for views that are not mixed in this way.

    Raises `UnsupportedError` where the source did not store the partner, and V029 where the batch has no such row, or
    one that contradicts: another image, another lambda, another box.
    """
    shares, partner = _columns(rows, kind)
    found = np.full(len(rows), -1, np.int64)
    places = np.flatnonzero(~is_unwritten(shares))
    if not len(places):
        return found
    slots = partner[places, 1]
    if (slots < 0).any():
        raise _unknown(rows, kind, int(places[slots.argmin()]))
    for place, slot in zip(places.tolist(), slots.tolist(), strict=True):
        epoch, batch, own = rows.replay[place].tolist()
        found[place] = rows.positions[place] if slot == own else _in_batch(rows, place, (epoch, batch, slot), kind)
    _check(rows, kind, places, found[places])
    return found


def _columns(rows: ViewRows, kind: Kind) -> tuple[Array, Array]:
    return (rows.mixup_lambda, rows.mixup_partner) if kind == "mixup" else (rows.cutmix_lambda, rows.cutmix_partner)


def _in_batch(rows: ViewRows, place: int, triple: tuple[int, int, int], kind: Kind) -> int:
    """The position of a place in the run, looked for among the rows themselves first: whole batches have it."""
    near = np.flatnonzero((rows.replay == triple).all(-1))
    if len(near):
        return int(rows.positions[near[0]])
    epoch, batch, slot = triple
    message = f"the partner is slot {slot} of epoch {epoch}, batch {batch}, and there is no such row"
    if epoch < 0:
        message = f"the partner is slot {slot} of the same batch, and the view belongs to none"
        raise rows.error("V029", message, place, f"{kind}_partner")
    try:
        positions = rows.source.run.batch(epoch, batch)
    except NotFoundError:
        positions = np.empty(0, np.int64)
    slots = rows.source.table.column("replay", positions)[:, 2]
    at = int(np.searchsorted(slots, slot))
    if at == len(slots) or slots[at] != slot:
        raise rows.error("V029", message, place, f"{kind}_partner")
    return int(positions[at])


def _check(rows: ViewRows, kind: Kind, places: Positions, positions: Positions) -> None:
    """Refuses a partner that is another image, or whose row says that the batch was mixed otherwise."""
    others = rows.source.at(positions)
    shares, partner = _columns(rows, kind)
    wanted, images = partner[places, 0], others.image_index
    is_other = (wanted >= 0) & (wanted != images)
    if is_other.any():
        at = int(is_other.argmax())
        message = f"the partner is image {wanted[at]}, and the row in its slot is of image {images[at]}"
        raise rows.error("V029", message, int(places[at]), f"{kind}_partner")
    their_shares, _ = _columns(others, kind)
    is_other = shares[places] != their_shares
    if is_other.any():
        at = int(is_other.argmax())
        message = f"lambda is {shares[places[at]]} here and {their_shares[at]} in the row of the partner"
        raise rows.error("V029", message, int(places[at]), f"{kind}_lambda")
    if kind == "mixup":
        return
    is_other = (rows.cutmix_box[places] != others.cutmix_box).any(-1)
    if is_other.any():
        at = int(is_other.argmax())
        message = f"the box is {rows.cutmix_box[places[at]].tolist()} here and {others.cutmix_box[at].tolist()} in the row of the partner"
        raise rows.error("V029", message, int(places[at]), "cutmix_box")


def _unknown(rows: ViewRows, kind: Kind, place: int) -> UnsupportedError:
    view = rows[place]
    return UnsupportedError(
        f"the view is mixed ({kind}), and its partner's place in the batch is not stored: this picture can't be made again",
        file=rows.source.maps.path, dataset=f"{kind}_partner", key=view.key,
    )  # fmt: skip
