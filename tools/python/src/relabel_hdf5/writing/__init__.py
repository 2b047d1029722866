"""Writing datasets of label maps: from a program's own loop to a verified dataset.

`Writer` has an example.
"""

from .writer import Writer

__all__ = ["Writer"]
