"""Kills the packer at random moments and lets it complete what it began."""

import os
import random
import shutil
import signal
import subprocess
import time

import numpy as np
import oracle
import torch
from running import BIN, tool, verify

OPTIONS = ["--images-per-shard", 16, "--jobs", 2]


def make_input(folder, maps, copies):
    """Copies of label maps with perturbed scores, as .npz batches; returns the folder."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    labels = list(maps.values())
    for batch in range(copies):
        ids = np.stack([label.ids for label in labels]).astype(np.uint16)
        noise = rng.uniform(-0.05, 0.05, ids.shape).astype(np.float32)
        scores = np.stack([label.scores for label in labels]) + noise
        np.savez(folder / f"batch{batch:03d}.npz", class_index=ids, score=scores)
    return folder


def make_files(folder, maps, copies):
    """The same as .pt files."""
    rng = np.random.default_rng(2)
    for copy in range(copies):
        for key, label in maps.items():
            planes = np.stack([label.scores, label.ids]).transpose(0, 3, 1, 2).astype(np.float32)
            planes[0] += rng.uniform(-0.05, 0.05, planes[0].shape).astype(np.float32)
            oracle.save_pt(torch.from_numpy(planes), folder / f"{copy:02d}/{key}.pt")
    return folder


def command(source, output, *options):
    """The packer's command line."""
    arguments = [source, "-o", output, *OPTIONS, "--num-classes", 1000, "--score-kind", "logit"]
    return list(map(str, [BIN / "relabel-pack", *arguments, *options]))


def run(source, output, *options, **how):
    """Runs the packer to its end."""
    arguments = command(source, output, *options)
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, **how)


def undisturbed(source, output):
    """Packs without disturbance; returns the seconds it took."""
    start = time.monotonic()
    result = run(source, output)
    assert result.returncode == 0, result.stderr
    return time.monotonic() - start


def kill_after(source, output, seconds):
    """Starts a run and kills it with signal 9; False when it was through before."""
    process = subprocess.Popen(
        command(source, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def check_leftover(folder):
    """Asserts that nobody takes a killed run's folder for a dataset; returns its finished shards."""
    names = sorted(os.listdir(folder)) if folder.exists() else []
    assert "index.json" not in names
    if not folder.exists():
        return []
    code, report = verify(folder)
    assert code not in (0, 70), report
    assert tool("relabel", "info", folder).returncode == 1
    assert tool("relabel", "show", folder, "--key", "batch000#000000").returncode == 1
    shards = [name for name in names if name.endswith(".h5") and not name.startswith(".")]
    if shards:
        code, report = verify(*[folder / name for name in shards])
        assert code == 0 and report["shards"] == len(shards), report
    hidden = [name for name in names if name not in shards]
    assert all(n.startswith(".labels-") and n.endswith(".h5.partial") or n == ".index.json.partial"
               or n.startswith(".relabel-spool-") for n in hidden), hidden
    return shards


def kill_and_complete(source, scratch, expected, duration, seed):
    """Kills a run at a random moment, runs it again; returns the moment and the shards kept."""
    chance = random.Random(seed)
    folder = scratch / f"killed{seed}"
    while True:
        moment = chance.uniform(0.0, duration)
        killed = kill_after(source, folder, moment)
        if killed and not (folder / "index.json").exists():
            break
        # Through already, or killed between publishing index.json and its last breath.
        assert oracle.folder_bytes(folder) == expected
        shutil.rmtree(folder)
    shards = check_leftover(folder)
    result = run(source, folder)
    assert result.returncode == 0, result.stderr
    assert oracle.folder_bytes(folder) == expected
    shutil.rmtree(folder)
    return moment, len(shards)
