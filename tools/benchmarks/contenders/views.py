"""Labels of crops as tensors: a batch of a stored run, or all crops of a picture.

`torch` loads the files of those who store them, `package` reads shards; both get scores as numbers, and what is known of the
views. Files are in the page cache, as the shards are.
"""

import pathlib
import sys

import torch
from protocol import run

torch.set_num_threads(1)


def each(items):
    """Works on some items, one behind the other, as training does: what one gives is gone before the next but one."""
    for _ in items:
        pass


def lists(paths):
    """Every file, one behind the other."""
    return lambda: each(torch.load(path, weights_only=False) for path in paths)


def arrays(paths):
    """Arrays of NumPy, which training wants as tensors."""
    return lambda: each(
        [torch.from_numpy(array) for array in torch.load(path, weights_only=False)] for path in paths
    )


def one_of_run(job, part):
    """All views of one picture: the files of a stored run that hold one of them, which is one in each epoch."""

    def found(places):
        return [
            [slots[0][slot], slots[1][slot], slots[2][slot], *slots[3:5], *(rows[slot] for rows in slots[5:])]
            for path, slot in places
            for slots in [torch.load(path, weights_only=False)]
        ]

    return lambda: each(found(places) for places in job["places"])


def opened(job):
    import relabel_hdf5

    return relabel_hdf5.open(job["dataset"]).views


def tensors(rows, is_full):
    """What is known of some views, and their scores as they are stored; scores of all classes need no ids."""
    facts = [torch.from_numpy(rows.box), torch.from_numpy(rows.flip)]
    if "cutmix_lambda" in rows.source.table:
        facts += [torch.from_numpy(rows.cutmix_partner[:, 1]), rows.cutmix_lambda[0], rows.cutmix_box[0]]
    ids, scores = rows.stored
    facts.append(torch.from_numpy(scores[:, 0, 0]))
    return facts if is_full else [*facts, torch.from_numpy(ids[:, 0, 0])]


def replay(job, part):
    """The batches of the stored run, one behind the other."""
    views, is_full = opened(job), job["is_full"]
    return lambda: each(tensors(views.batch(epoch, number), is_full) for epoch, number in job["batches"])


def images(job, part):
    """All views of some pictures."""
    views, is_full = opened(job), job["is_full"]
    return lambda: each(tensors(views.of(key), is_full) for key in job["keys"])


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python" / "src"))
    run({
        "torch replay": lambda job, part: lists(job["files"]), "torch arrays": lambda job, part: arrays(job["files"]),
        "torch one": one_of_run, "replay": replay, "images": images,
    })  # fmt: skip
