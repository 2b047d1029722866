"""This project's datasets, read by either engine."""

import os

import numpy as np
from measure import SWIFT

from .base import Container, Reader


class Default(Container):
    """this project"""

    needs = ("relabel_hdf5",)
    preset = "default"
    options = ()
    engines = {"Swift": SWIFT, "NumPy": {"RELABEL_LIBRARY": "none"}}
    facts = "what the scores are, how maps lie on pictures, classes, annotator; every chunk has a checksum, which " \
        "readers check; a verifier proves the rest; lookup by key"

    @classmethod
    def imports(cls):
        engine = "numpy.engine" if os.environ.get("RELABEL_LIBRARY") == "none" else "swift"
        return *cls.needs, f"relabel_hdf5.engines.{engine}"

    @classmethod
    def write(cls, folder, payload):
        from data import pack

        pack(payload.source, folder / "dataset", "--preset", cls.preset, "--score-kind", "logit",
             "--num-classes", payload.num_classes, *cls.options)

    class open(Reader):
        def __init__(self, folder):
            import relabel_hdf5

            self.maps = relabel_hdf5.open(folder / "dataset")

        def one(self, row):
            found = self.maps[row]
            return found.class_index, found.score

        def batch(self, rows):
            found = self.maps.batch(np.asarray(rows))
            return found.class_index, found.score

        def stored(self, rows):
            """Rows are shuffled unless one asks otherwise."""
            return self.maps.image_indexes()[rows]

        def close(self):
            self.maps.close()


class Uncompressed(Default):
    """this project, uncompressed"""

    options = "--compression", "none"


class Small(Default):
    """this project, small"""

    preset = "small"
