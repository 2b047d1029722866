"""Checks targets of real label maps against torchvision's compiled roi_align; part of tools/check-real."""

import os
import pathlib
import subprocess

import numpy as np
from pixel_crops import pixel_crop

import relabel_hdf5
from relabel_hdf5.engines.numpy.pooling import pool_with_numpy

ORACLE = pathlib.Path(__file__).with_name("pooling_oracle.py")
PYTHON = os.environ.get("RELABEL_SYSTEM_PYTHON", "/usr/bin/python3")
SIZES = [(375, 500), (600, 450), (256, 256)]
CROPS = 8
"""Crops of each map and size."""

EXACT, RELEASED = 1e-6, 1e-5
PROFILES = ("relabel", "relabel-2021")


class Pooling:
    """Crops of every map of a dataset whose scores are stored exactly, and their targets by the oracle."""

    def __init__(self, dataset, scratch):
        self.maps = relabel_hdf5.open(dataset)
        rng = np.random.default_rng(20)
        self.rows = np.arange(len(self.maps))
        self.batch = self.maps.batch(self.rows)
        self.boxes = np.array([
            [pixel_crop(rng, *size) for size in SIZES for _ in range(CROPS)] for _ in self.rows
        ])
        np.savez(
            scratch / "in.npz", class_index=self.batch.class_index, score=self.batch.score, boxes=self.boxes
        )
        subprocess.run([PYTHON, ORACLE, scratch / "in.npz", scratch / "out.npz"], check=True)
        self.oracle = np.load(scratch / "out.npz")

    def swift(self, profile):
        """Targets by the Swift library, from storage."""
        assert relabel_hdf5.engine().startswith("swift"), relabel_hdf5.engine()
        return self.maps.targets(self.rows, self.boxes, profile=profile, threads=2)

    def numpy(self, profile):
        """Targets by the Python package alone."""
        targets = pool_with_numpy(self.batch, self.boxes, profile == "relabel-2021")
        return targets.reshape(*self.boxes.shape[:2], -1)

    def torch(self, profile):
        """Targets by what the Python package runs on a device, here on the CPU."""
        import torch

        from relabel_hdf5.pooling_torch import pool_on_device

        boxes = torch.from_numpy(self.boxes)
        return pool_on_device(self.batch.torch(), boxes, profile == "relabel-2021", False)[0].numpy()

    def differ(self, way):
        """The largest differences of all targets from both oracles."""
        worst = {"exact": 0.0, "released": 0.0}
        for profile in PROFILES:
            targets = getattr(self, way)(profile)
            for oracle in worst:
                error = np.abs(targets - self.oracle[f"{oracle}_{profile}"]).max()
                worst[oracle] = max(worst[oracle], float(error))
        crops = self.boxes.shape[0] * self.boxes.shape[1]
        figure = f"{crops} crops, both profiles: {worst['exact']:.1e}, released code {worst['released']:.1e}"
        held = worst["exact"] <= EXACT and worst["released"] <= RELEASED
        return figure, f"at most {EXACT:.0e}, {RELEASED:.0e}", held
