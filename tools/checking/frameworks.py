"""The examples of samples/frameworks: what each needs, and how it is run on the samples."""

import importlib.metadata
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "samples" / "frameworks"
PACKAGES = {
    "train_pytorch": ("torch", "torchvision"),
    "train_torchdata": ("torchdata", "torch", "torchvision"),
    "train_lightning": ("lightning", "torch", "torchvision"),
    "train_accelerate": ("accelerate", "torch", "torchvision"),
    "train_timm": ("timm", "torch", "torchvision"),
    "train_torchvision": ("torchvision", "torch"),
    "train_ddp": ("torch", "torchvision"),
    "feed_jax": ("jax", "numpy"),
    "feed_tensorflow": ("tensorflow-cpu", "numpy"),
    "feed_numpy": ("numpy", "pillow"),
}
"""The distributions that an example imports, the one that it is about first."""

SECONDS = 600


def versions(example):
    """The versions of an example's packages; None for one that is not installed."""
    found = {}
    for package in PACKAGES[example]:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def run(example, dataset, folder):
    """The finished process of an example, started in a folder of its own."""
    command = [sys.executable]
    if example == "train_ddp":
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [ROOT / "tools" / "checking" / "run_example.py", EXAMPLES / f"{example}.py"]
    command += [ROOT / "samples" / "images", dataset]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=SECONDS, cwd=folder, env=environment
    )
