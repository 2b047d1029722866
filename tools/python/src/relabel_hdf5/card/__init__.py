"""What a dataset needs to be published: what `relabel-card` writes.

    from relabel_hdf5.card import card

    print(card("dataset", "published").missing)

`README.md` has the header that the Hugging Face Hub reads, `croissant.json` describes the files to programs
(Croissant 1.0), and `preview.parquet` is what the Hub shows.
"""

from .session import Summary, card
from .stated import Stated

__all__ = ["Stated", "Summary", "card"]
