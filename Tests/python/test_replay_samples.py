"""samples/replay runs training programs of others on shards: programs that ask for their files as those do."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT
from view_files import (
    CONFIG,
    FILES,
    batches_of,
    fkd,
    fkd_files,
    indexes,
    ml_dr,
    ml_dr_files,
    same,
    six_slots,
    tinyvit,
    tinyvit_files,
    written,
)

REPLAY = ROOT / "samples" / "replay"
PROGRAMS = sorted(path for path in REPLAY.glob("*.py"))

# What the trainers do to get at labels, in words of our own: each prints nothing and saves what it found to argv[1].
TRAINERS = {
    "batches": """
import json, os, sys
import torch
from torch.utils.data import DataLoader, Dataset

folder, result = sys.argv[2], sys.argv[1]
epochs = [name for name in os.listdir(folder) if not name.endswith(".json")]
indexes = [name for name in os.listdir(folder) if name.endswith(".json")]
plain = {name: json.load(open(os.path.join(folder, name))) for name in indexes}
asked = [os.path.join(folder, f"epoch_{epoch}", name)
         for epoch in range(len(epochs)) for name in sorted(os.listdir(folder + f"epoch_{epoch}"))]

class Labels(Dataset):
    def __len__(self):
        return len(asked)
    def __getitem__(self, place):
        return torch.load(asked[place], map_location="cpu")

found = [batch for batch in DataLoader(Labels(), batch_size=None, num_workers=2, collate_fn=lambda found: found)]
torch.save(torch.nn.Linear(2, 3).state_dict(), result + ".weights")
assert torch.load(result + ".weights").keys() == {"weight", "bias"} and os.listdir() and os.listdir(os.path.dirname(result))
torch.save([dict(zip([os.path.relpath(path, folder) for path in asked], found)), plain], result)
""",
    "flat": """
import json, os, sys
import torch

result, folder = sys.argv[1:]
plain = {name: json.load(open(os.path.join(folder, name))) for name in os.listdir(folder) if name.endswith(".json")}
names = [name for name in os.listdir(folder) if name.endswith((".tar", ".pt"))]
torch.save([{name: torch.load(f"{folder}/{name}") for name in names}, plain], result)
""",
    "pictures": """
import os, sys
import torch

result, folder, *paths = sys.argv[1:]
found = {}
for path in paths:
    found[path] = torch.load(os.path.join(folder, "/".join(path.split("/")[-3:]).split(".")[0] + ".tar"), map_location="cpu")
torch.save(found, result)
""",
    "places": """
import os, sys
import torch

result, folder, count = sys.argv[1:]
assert os.path.exists(folder)
names = ["config.pth.tar", *(f"{place}.pth.tar" for place in range(int(count)))]
torch.save({name: torch.load(os.path.join(folder, name)) for name in names}, result)
""",
    "keys": """
import json, sys
from data.augmentation.manager import Manager

result, count = sys.argv[1:]
found = {}
for epoch in (0, 1):
    for rank in (0, 1):
        reader = Manager(f"/nowhere/logits_top3_epoch{epoch}", 16, rank)
        for key in range(int(count)):
            found[f"{epoch} {rank} {key}"] = reader.read(str(key)).hex()
        try:
            reader.read("no such key")
        except KeyError:
            found["refused"] = True
with open(result, "w") as file:
    json.dump(found, file)
""",
}  # fmt: skip

# The class that TinyViT's programs read with: it makes a `_Reader` of its own module when it is first read.
MANAGER = """
class _Reader:
    def __init__(self, path, item_size, rank):
        raise SystemExit("the trainer's own reader was asked")

class Manager:
    def __init__(self, path, item_size, rank):
        self.reader = None
        self.given = (path, item_size, rank)
    def read(self, key):
        self.reader = self.reader or _Reader(*self.given)
        return self.reader.read(key)
"""


def trained(place, sample, trainer, before, after):
    """Runs a trainer through a sample, and gives what it saved."""
    repository = place / "repository"
    (repository / "data" / "augmentation").mkdir(parents=True)
    for package in ("data", "data/augmentation"):
        (repository / package / "__init__.py").touch()
    (repository / "data" / "augmentation" / "manager.py").write_text(MANAGER)
    (repository / "train.py").write_text(TRAINERS[trainer])
    result = place / "found"
    command = [sys.executable, REPLAY / sample, *before, repository / "train.py", result, *after]
    found = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, cwd=place, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert found.returncode == 0, found.stderr
    return json.loads(result.read_text()) if trainer == "keys" else torch.load(result, weights_only=False)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_samples_are_short(path):
    assert len(path.read_text().splitlines()) <= 30


@pytest.mark.parametrize("form", ["sre2l", "edc", "lpld"])
def test_sre2l(form, tmp_path):
    views, settings = FILES[form]()
    dataset = written(tmp_path / "dataset", views, settings)
    folder = f"{tmp_path}/labels/"
    found, plain = trained(tmp_path, "sre2l.py", "batches", [dataset, form, folder], [folder])
    wanted = {
        f"epoch_{epoch}/batch_{batch}.tar": six_slots(views, settings, rows)
        for (epoch, batch), rows in batches_of(views).items()
    }
    if form == "edc":
        assert found.keys() == wanted.keys() and {len(slots) for slots in found.values()} == {8}
        same([slots[1:6] for _, slots in sorted(found.items())], [slots[1:] for _, slots in sorted(wanted.items())])
    else:
        same(found, wanted)
    assert plain == ({"sampler_indices_epoch.json": indexes(views, 0)} if form == "lpld" else {})


@pytest.mark.parametrize("form", ["lpqld", "hald"])
def test_flat_folders(form, tmp_path):
    views, settings = FILES[form]()
    dataset = written(tmp_path / "dataset", views, settings)
    found, plain = trained(tmp_path, "sre2l.py", "flat", [dataset, form, "labels"], ["labels"])
    if form == "hald":
        assert found.pop("sampler_indices_dict.pt") == indexes(views, 0) and plain == {}
        wanted = {}
        for (epoch, _), rows in sorted(batches_of(views).items()):
            wanted.setdefault(f"epoch_{epoch}.tar", []).append(six_slots(views, settings, rows, np.float16))
        same(found, wanted)
    else:
        assert plain == {"sampler_indices_batch.json": indexes(views, 1)}
        assert found.keys() == {f"batch_{batch}.tar" for _, batch in batches_of(views)}
        assert {len(slots) for slots in found.values()} == {8}


def test_fkd(tmp_path):
    views, settings = fkd()
    dataset = written(tmp_path / "dataset", views, settings)
    pictures = [f"/pictures/train/{key}.x.JPEG" for key in sorted(set(views.keys))]
    found = trained(tmp_path, "fkd.py", "pictures", [dataset, "labels/imagenet/train"], ["labels/imagenet", *pictures])
    wanted = fkd_files(views, settings)
    same(list(found.values()), [wanted[f"imagenet/train/{key}.tar"] for key in sorted(set(views.keys))])


def test_ml_dr(tmp_path):
    views, settings = ml_dr("compressed")
    dataset = written(tmp_path / "dataset", views, settings)
    (tmp_path / "reinforced").mkdir()
    found = trained(tmp_path, "ml_dr.py", "places", [dataset, "reinforced"], [tmp_path / "reinforced", "4"])
    same(found, ml_dr_files(views, settings, "compressed"))
    assert found["config.pth.tar"] == CONFIG


def test_tinyvit(tmp_path):
    """A key that two ranks have is read from the own rank's file, as long as no other file had to be read."""
    views, settings = tinyvit()
    dataset = written(tmp_path / "dataset", views, settings)
    found = trained(tmp_path, "tinyvit.py", "keys", [dataset], ["6"])
    assert found.pop("refused") and len(found) == 24
    files = tinyvit_files(views, settings, False)
    for name, record in found.items():
        epoch, rank, key = name.split()
        holders = []
        for other in (rank, str(1 - int(rank))):
            start = f"logits_top3_epoch{epoch}/rank{other}-"
            lines = files[start + "keys.txt"].decode().split()
            if key in lines:
                place = lines.index(key)
                holders.append(files[start + "values.bin"][16 * place : 16 * place + 16].hex())
        assert record in holders


@pytest.mark.skipif("RELABEL_VIEWS" not in os.environ, reason="RELABEL_VIEWS names no folder of real views")
def test_real_views():
    """tools/check-views, which needs the files of the authors' own writers, checks all of this on them."""
    checked = subprocess.run([ROOT / "tools" / "check-views", os.environ["RELABEL_VIEWS"]], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
