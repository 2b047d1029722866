"""Label maps as arrays of NumPy: files that can be mapped into memory, and one archive that `relabel-pack` reads."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from .. import losses
from ..options import Options
from ..source import Block, Source
from . import filled
from .base import Job, OfViews
from .files import created
from .view_arrays import view_arrays

_KEYS = "keys"


class NumPyFiles:
    """class_index.npy and score.npy [N, H, W, k], with keys.txt, a line for each row; NAME.npy of what is known of views.

    Dense: KEY.npy [C, H, W] for each image, which `relabel-pack` reads with its key.
    """

    name = "npy"
    summary = "class_index.npy and score.npy [N, H, W, k] with keys.txt; --dense: KEY.npy [C, H, W] each"
    is_folder = True
    takes = frozenset({"dense"})
    of_views = OfViews.ROWS

    def refuse(self, source: Source, options: Options) -> None:
        """Takes all maps; refuses views where files are named after images."""
        if source.is_views and options.dense:
            raise UsageError("npy --dense names a file after each image, and these rows are views of images: export them to npz")

    def losses(self, source: Source, options: Options) -> list[str]:
        """What arrays say nothing of."""
        return _losses(source, options)

    def write(self, job: Job) -> None:
        """Writes arrays of all rows, or a file for each image."""
        if not job.options.dense:
            with open(job.path / f"{_KEYS}.txt", "x", encoding="utf-8") as lines:
                lines.writelines(f"{job.source.key(place)}\n" for place in range(len(job.source)))
            write_arrays(job, job.path)
            return
        for block in job.blocks(filled.array_bytes(job.source.header)):
            for key, scores in zip(block.keys, filled.filled(block.stored)):
                with created(job.path, f"{key}.npy", key) as file:
                    np.lib.format.write_array(file, scores, allow_pickle=False)


class NPZ:
    """The arrays of `relabel-pack`'s own form: `keys`, and `class_index` with `score`.

    Dense: `logits` or `probabilities` instead of the two.
    """

    name = "npz"
    summary = "one .npz: keys, class_index and score [N, H, W, k]; --dense: logits or probabilities [N, C, H, W]"
    is_folder = False
    takes = frozenset({"dense"})
    of_views = OfViews.ROWS

    def refuse(self, source: Source, options: Options) -> None:
        """Takes all maps."""

    def losses(self, source: Source, options: Options) -> list[str]:
        """What arrays say nothing of."""
        return _losses(source, options)

    def write(self, job: Job) -> None:
        """Writes the arrays beside the archive first: its members come one behind the other, the rows of all together."""
        with tempfile.TemporaryDirectory(dir=job.path.parent) as scratch:
            folder = Path(scratch)
            source = job.source
            with array_file(folder, _KEYS, np.dtype(f"S{source.keys.longest}"), (len(source),)) as file:
                for place in range(len(source)):
                    file.write(source.key(place).encode().ljust(source.keys.longest, b"\0"))
            write_arrays(job, folder)
            with zipfile.ZipFile(job.path, "x", zipfile.ZIP_STORED, allowZip64=True) as archive:
                for path in sorted(folder.iterdir()):
                    member = zipfile.ZipInfo(path.name)  # without a time, so that the same maps give the same bytes
                    with open(path, "rb") as array, archive.open(member, "w", force_zip64=True) as out:
                        shutil.copyfileobj(array, out, 1 << 20)
                    path.unlink()


def write_arrays(job: Job, folder: Path) -> None:
    """Writes the arrays of all rows to files of a folder, block by block."""
    header, count = job.source.header, len(job.source)
    with ExitStack() as files:

        def begin(name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> IO[bytes]:
            return files.enter_context(array_file(folder, name, np.dtype(dtype), (count, *shape)))

        facts = {name: begin(name, *kind) for name, kind in view_arrays(job.source).items()}

        def write_facts(block: Block) -> None:
            for name, file in facts.items():
                file.write(block.columns[name].tobytes())

        if job.options.dense:
            dense = begin(filled.array_name(header), np.float32, filled.array_shape(header))
            for block in job.blocks(filled.array_bytes(header)):
                dense.write(filled.filled(block.stored).tobytes())
                write_facts(block)
            return
        ids = begin("class_index", np.uint16 if header.num_classes <= 65_535 else np.uint32, header.shape)
        scores = begin("score", np.float32, header.shape)
        for block in job.blocks():
            ids.write(block.maps.class_index.tobytes())
            scores.write(block.maps.score.tobytes())
            write_facts(block)


def array_file(folder: Path, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> IO[bytes]:
    """A new file NAME.npy whose header is written; the values follow."""
    file = open(folder / f"{name}.npy", "xb")  # noqa: SIM115
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
    return file


def _losses(source: Source, options: Options) -> list[str]:
    header = source.header
    found = losses.of_maps(source, without=tuple(view_arrays(source)), dense=options.dense)
    if options.dense:
        return [*filled.loss(source.stored), *found]
    return [f"only export.json says that scores are of kind {header.score_kind}", *found]
