"""The options of `relabel-annotate`."""

from __future__ import annotations

import argparse

from ..command_line import Parser, add_format, add_quiet, positive
from ..errors import UsageError
from ..versions import VERSION
from ..writing.options import has_factors
from .words import INTERPOLATIONS, LOGITS, PRECISIONS, RESIZES

_DESCRIPTION = """\
Annotate a folder of pictures: every cell of every picture gets the scores of a
classifier, the best of which become a verified dataset of label maps.

Before the first picture it is proven that the classifier was taken apart
rightly and that maps lie on their pictures as the file says, and measured how
near pooled targets come to what the classifier says of the crop itself.
The same command run again goes on where a killed run stopped.
"""
_EXIT_CODES = """\
Exit codes: 0 done, 3 done but pictures were left out, 4 an input is unsafe, 5 an
input is broken, 64 usage (an existing dataset included), 70 internal error, 74
input or output failed, 130 interrupted.
"""


def _map_form(text: str) -> str:
    try:
        has_factors(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def parser() -> argparse.ArgumentParser:
    """The parser; `--help` prints it."""
    found = Parser(
        "relabel-annotate", description=_DESCRIPTION, epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    found.add_argument("--version", action="version", version=VERSION)
    found.add_argument(
        "--model",
        help="timm:NAME, torchvision:NAME, hf-hub:NAME, or a function that returns a network: MODULE:FUNCTION or "
        "FILE.py:FUNCTION.",
    )
    found.add_argument("--images", metavar="DIR", help="The folder of pictures.")
    found.add_argument("-o", "--output", required=True, metavar="DIR", help="The folder for the dataset.")
    network = found.add_argument_group("the network")
    network.add_argument("--weights", metavar="FILE", help="A state dict (.pth, .safetensors) for the network.")
    network.add_argument(
        "--input-size", type=_size, metavar="N|HxW", help="Pixels of the input. (default: the network's)"
    )
    network.add_argument(
        "--dilate", type=_natural, default=0, metavar="N",
        help="Set the last N strided stages to stride 1 and dilate what follows: twice the cells along both axes for "
        "each. (default: 0)",
    )  # fmt: skip
    network.add_argument(
        "--mean", type=_three, metavar="R,G,B", help="Subtracted from each channel. (default: the network's)"
    )
    network.add_argument(
        "--std", type=_three, metavar="R,G,B", help="Each channel is divided by it. (default: the network's)"
    )
    network.add_argument(
        "--value-range",
        type=_two,
        metavar="LOW,HIGH",
        help="Black and white as numbers. (default: the network's, or 0,1)",
    )
    network.add_argument(
        "--interpolation", choices=INTERPOLATIONS, help="How pictures are resized. (default: the network's)"
    )
    network.add_argument(
        "--resize", choices=RESIZES, default="squash",
        help="squash: the whole picture, in the input's shape. crop: its centre; what it covers is stored as map_extent. "
        "fit: the whole picture in its own shape, padded; its cells are resampled to the grid. (default: squash)",
    )  # fmt: skip
    network.add_argument(
        "--flip-average", action="store_true", help="Average each map with that of the mirrored picture."
    )
    network.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="What the network computes in. (default: float32)",
    )
    network.add_argument("--device", help="Where it runs, such as cuda:0. (default: cuda where there is one, else cpu)")
    network.add_argument(
        "--classes", metavar="FILE", help="Class list, a line ID<TAB>NAME for each class. (default: the network's)"
    )
    network.add_argument("--name", help="What the shards call the annotator. (default: the model)")
    labels = found.add_argument_group("the labels")
    labels.add_argument(
        "--top-k", type=positive, default=5, metavar="K", help="Classes to keep in a cell. (default: 5)"
    )
    labels.add_argument(
        "--maps", type=_map_form, default="topk", metavar="FORM",
        help="What is kept of a map: topk, the best classes of each cell; factors, which keep all; factors:1300B or "
        "factors:0.02KL, which settles the quality by the first 64 pictures: so many bytes of the dataset a picture, or so "
        "much mean divergence of targets. (default: topk)",
    )  # fmt: skip
    labels.add_argument(
        "--quality", type=float, metavar="Q",
        help="How near factors are; lower numbers are nearer and take more bytes. (default: 0.0003)",
    )  # fmt: skip
    labels.add_argument(
        "--logits", choices=LOGITS, default="centred",
        help="centred: each cell less the mean logit of the classes that it leaves out, which count as 0 in training; "
        "targets of all classes stay the same. as-given: as the network gives them. (default: centred)",
    )  # fmt: skip
    labels.add_argument(
        "--preset", choices=("default", "small"), default="default", help="As of relabel-pack. (default: default)"
    )
    labels.add_argument(
        "--images-per-shard", type=positive, default=16_384, metavar="N", help="Images in one shard. (default: 16384)"
    )
    labels.add_argument(
        "--on-bad-input", choices=("fail", "skip"), default="skip",
        help="What to do with a picture that can't be read: leave it out by name, or stop. (default: skip)",
    )  # fmt: skip
    labels.add_argument("--overwrite", action="store_true", help="Replace an existing dataset.")
    job = found.add_argument_group("the job")
    add_quiet(job)
    job.add_argument("--batch-size", type=positive, default=32, metavar="N", help="Pictures at once. (default: 32)")
    job.add_argument(
        "--workers", type=_natural, metavar="N", help="Processes that decode. (default: processors but one)"
    )
    job.add_argument(
        "--check",
        type=_natural,
        default=16,
        metavar="N",
        help="Pictures to measure fidelity on; 0 for none. (default: 16)",
    )
    job.add_argument(
        "--rank",
        type=_natural,
        metavar="R",
        help="Which part this program does, from 0. (default: torchrun's RANK, or 0)",
    )
    job.add_argument(
        "--ranks",
        type=positive,
        metavar="N",
        help="How many programs share the pictures. (default: torchrun's WORLD_SIZE, or 1)",
    )
    job.add_argument(
        "--join",
        type=positive,
        metavar="N",
        help="Join the parts of N ranks into the dataset; needs --images and --output alone.",
    )
    job.add_argument(
        "--dry-run", action="store_true", help="Check, and say how long it will take and how large it will be."
    )
    job.add_argument(
        "--tune", action="store_true", help="Try a few input sizes and dilations, print their fidelity, and stop."
    )
    add_format(job)
    return found


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) not in (1, 2) or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: say 480, or 480x640 for height and width")
    return int(parts[0]), int(parts[-1])


def _numbers(text: str, count: int) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count:
        raise argparse.ArgumentTypeError(f"{text!r} is not {count} numbers with commas between them")
    return found


def _three(text: str) -> tuple[float, ...]:
    return _numbers(text, 3)


def _two(text: str) -> tuple[float, ...]:
    return _numbers(text, 2)
