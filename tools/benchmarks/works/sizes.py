"""Bytes of an image with each preset, and what storing does to targets; `comparison` has the other containers."""

import subprocess

import h5py
import numpy as np
from contenders import containers
from data import pack
from measure import HERE, SYSTEM_PYTHON, figure
from pixel_crops import pixel_crop

RELEASED = 10_240
CROPS = 16
# preset: (bytes, times smaller, |Δp|, share of crops with another top class)
GOALS = {"default": (2690, 3.8, 2e-4, None), "small": (1930, 5.3, 3e-3, 0.001)}


def targets(folder, ids, scores, boxes):
    """Targets in float64 by torchvision's compiled roi_align, which shares nothing with this project."""
    np.savez(folder / "in.npz", class_index=ids, score=scores, boxes=boxes)
    oracle = HERE.parent / "pooling_oracle.py"
    subprocess.run([SYSTEM_PYTHON, oracle, folder / "in.npz", folder / "out.npz"], check=True)
    return np.load(folder / "out.npz")["exact_relabel"]


def stored(dataset, keys):
    """Ids and decoded scores of images, by h5py."""
    rows = {}
    for path in sorted(dataset.glob("*.h5")):
        with h5py.File(path) as file:
            score = file["score"]
            decoded = score[:] * np.float32(score.attrs["scale_factor"]) + np.float32(score.attrs["add_offset"])
            rows |= {key.decode(): row for key, *row in zip(file["image_key"][:], file["class_index"][:], decoded)}
    return (np.stack(column) for column in zip(*(rows[key] for key in keys)))


def effects(bench):
    """The effect of each preset on targets of the maps as they are."""
    maps = bench.maps
    keys = [path.relative_to(maps.folder).with_suffix("").as_posix() for path in maps.paths]
    rng = np.random.default_rng(0)
    boxes = np.array([[pixel_crop(rng, 375, 500) for _ in range(CROPS)] for _ in keys])
    given = targets(bench.folder, maps.tensors[:, 1].transpose(0, 2, 3, 1).astype(np.int64),
                    maps.tensors[:, 0].transpose(0, 2, 3, 1), boxes)
    for preset, (_, _, largest, others) in GOALS.items():
        dataset = pack(maps.folder, bench.folder / f"real-{preset}", "--preset", preset)
        ids, scores = stored(dataset, keys)
        found = targets(bench.folder, ids.astype(np.int64), scores, boxes)
        change = np.abs(found - given).max(-1)
        name, against = f"--preset {preset}", "targets of the maps as given"
        yield figure("largest change of a probability", name, round(float(change.max()), 6), "probability",
                     largest, against=against)
        yield figure("mean of the crops' largest change", name, round(float(change.mean()), 7), "probability",
                     against=against)
        share = float((found.argmax(-1) != given.argmax(-1)).mean())
        yield figure("crops with another top class", name, round(share, 6), "of all", others, against=against)


def rows(bench):
    payload = containers.Payload.of(bench.maps, bench.images, bench.folder)
    found = []
    for container in containers.OURS:
        folder = bench.folder / container.__name__
        folder.mkdir()
        container.write(folder, payload)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / len(payload)
        most, smaller, *_ = GOALS[container.preset]
        title = container.title()
        found.append(figure("bytes an image, everything included", title, round(size, 1), "bytes", most))
        found.append(figure("size", title, round(RELEASED / size, 2), "times smaller", smaller, False,
                            "released .pt tar"))
    return found + list(effects(bench))
