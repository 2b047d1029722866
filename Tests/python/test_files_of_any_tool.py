"""Maps as people really save them: read where it is certain what is meant, else refused with what to do."""

import io
import tarfile

import numpy as np
import oracle
import pytest
import torch
from conftest import pack, tool
from running import packed, verify

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9353\n"


def a_map(seed=3, classes=40, k=5, height=4, width=6):
    """Scores and class ids, [k, H, W] each, as topk gives them."""
    dense = torch.randn(classes, height, width, generator=torch.Generator().manual_seed(seed))
    return dense.topk(k, dim=0)


class Named(torch.Tensor):
    """A class that nobody else knows."""


def stacked(scores, ids):
    return torch.stack([scores, ids.float()])


READ = {
    "topk": lambda s, i: a_map(),
    "sorted": lambda s, i: torch.return_types.topk((s, i)),
    "tuple": lambda s, i: (s, i),
    "tuple-the-other-way": lambda s, i: (i, s),
    "list": lambda s, i: [s, i],
    "int32": lambda s, i: (s, i.int()),
    "int16": lambda s, i: (s, i.short()),
    "double": lambda s, i: (s.double(), i),
    "batch-of-one": lambda s, i: (s[None], i[None]),
    "strided": lambda s, i: (s.permute(1, 2, 0).contiguous().permute(2, 0, 1), i.clone()),
    "views-of-one": lambda s, i: {"scores": stacked(s, i)[0], "ids": stacked(s, i)[1]},
    "scores-and-ids": lambda s, i: {"scores": s, "ids": i},
    "ids-and-score": lambda s, i: {"class_index": i, "score": s},
    "values-and-indices": lambda s, i: {"values": s, "indices": i.float()},
    "parameter": lambda s, i: torch.nn.Parameter(stacked(s, i)),
    "requires-grad": lambda s, i: stacked(s, i).requires_grad_(),
    "pair-that-requires-grad": lambda s, i: (s.clone().requires_grad_(), i),
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    (folder / "maps").mkdir()
    torch.save(stacked(*a_map()), folder / "maps/a.pt")
    packed(folder / "maps", "-o", folder / "out")
    return (folder / "out/labels-00000.h5").read_bytes(), folder / "out"


def labels(folder):
    return {key: (ids.tolist(), scores.tolist()) for key, (ids, scores) in oracle.read_dataset(folder).items()}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", READ)
def test_what_is_certain_is_read(reference, tmp_path, name, legacy):
    (tmp_path / "maps").mkdir()
    torch.save(READ[name](*a_map()), tmp_path / "maps/a.pt", _use_new_zipfile_serialization=not legacy)
    packed(tmp_path / "maps", "-o", tmp_path / "out")
    assert labels(tmp_path / "out") == labels(reference[1])


def test_pictures_and_masks_of_torchvision_are_tensors(reference, tmp_path):
    tv_tensors = pytest.importorskip("torchvision.tv_tensors", exc_type=Exception)
    for kind in (tv_tensors.Image, tv_tensors.Mask):
        (tmp_path / kind.__name__).mkdir()
        torch.save(kind(stacked(*a_map())), tmp_path / kind.__name__ / "a.pt")
        packed(tmp_path / kind.__name__, "-o", tmp_path / f"{kind.__name__}-out")
        assert labels(tmp_path / f"{kind.__name__}-out") == labels(reference[1])


REFUSED = {
    "two-floats": (lambda s, i: (s, i.float()), "torch.stack([scores, ids.float()])"),
    "two-integers": (lambda s, i: (i, i.clone()), "torch.stack"),
    "three": (lambda s, i: (s, i, s.clone()), "torch.stack"),
    "strange-names": (lambda s, i: {"a": s, "b": i}, "torch.stack"),
    "classes-last": (lambda s, i: (s.permute(1, 2, 0), i.permute(1, 2, 0)), "permute to [k, H, W]"),
    "one-class-in-a-row": (lambda s, i: (s[:, :1].permute(1, 2, 0), i[:, :1].permute(1, 2, 0)), "permute"),
    "two-shapes": (lambda s, i: (s, i[:3]), "both are [k, H, W]"),
    "batch": (lambda s, i: (torch.stack([s, s]), torch.stack([i, i])), "one map a file"),
    "negative": (lambda s, i: (s, i - 1), "is not a class id"),
    "ids-of-8-bits": (lambda s, i: (s, i.to(torch.uint8)), "stored as uint8"),
    "ids-of-half-precision": (lambda s, i: {"scores": s, "ids": i.to(torch.bfloat16)}, "stored as bfloat16"),
    "integers": (lambda s, i: torch.stack([s.long(), i]), "torch.stack"),
    "class-of-its-own": (lambda s, i: stacked(s, i).as_subclass(Named), ".detach().as_subclass(torch.Tensor)"),
    "array": (lambda s, i: stacked(s, i).numpy(), "torch.from_numpy"),
    "attribute": (lambda s, i: with_attribute(stacked(s, i)), ".detach()"),
}


def with_attribute(tensor):
    tensor.note = "of mine"
    return tensor


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_certain_is_refused_with_what_to_do(tmp_path, name):
    value, words = REFUSED[name]
    (tmp_path / "maps").mkdir()
    torch.save(value(*a_map()), tmp_path / "maps/a.pt")
    result = pack(tmp_path / "maps", "-o", tmp_path / "out")
    assert result.returncode in (4, 5), result.stderr
    assert words in result.stderr and "a.pt" in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("ending", [".pth", ".PT", ".Pth", ".th", ".torch"])
def test_names_that_torch_save_is_given(reference, tmp_path, ending):
    (tmp_path / "maps").mkdir()
    torch.save(stacked(*a_map()), tmp_path / f"maps/a{ending}")
    packed(tmp_path / "maps", "-o", tmp_path / "out")
    assert labels(tmp_path / "out") == labels(reference[1])
    packed(tmp_path / f"maps/a{ending}", "-o", tmp_path / "file")
    with tarfile.open(tmp_path / "MAPS.TAR", "w") as tar:
        tar.add(tmp_path / f"maps/a{ending}", f"a{ending}")
    packed(tmp_path / "MAPS.TAR", "-o", tmp_path / "tar")
    assert labels(tmp_path / "file") == labels(tmp_path / "tar") == labels(reference[1])


def test_capital_endings_of_arrays(tmp_path):
    scores, ids = (x.permute(1, 2, 0).numpy()[None] for x in a_map())
    for ending in ("npz", "NPZ"):
        (tmp_path / ending).mkdir()
        with open(tmp_path / ending / f"b.{ending}", "wb") as file:
            np.savez(file, score=scores, class_index=ids)
        packed(tmp_path / ending, "-o", tmp_path / f"out-{ending}", "--score-kind", "logit", "--num-classes", 40)
    assert labels(tmp_path / "out-npz") == labels(tmp_path / "out-NPZ")


def test_one_picture_in_two_files_is_named(tmp_path):
    (tmp_path / "maps").mkdir()
    for seed, ending in enumerate((".pt", ".PTH")):
        torch.save(stacked(*a_map(seed)), tmp_path / f"maps/a{ending}")
    result = pack(tmp_path / "maps", "-o", tmp_path / "out")
    assert result.returncode == 5 and "a.pt" in result.stderr and "a.PTH" in result.stderr


def test_files_of_no_kind_are_named_with_what_is_read(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps/a.bin").write_bytes(b"PK")
    result = pack(tmp_path / "maps", "-o", tmp_path / "out")
    assert result.returncode == 64
    assert all(word in result.stderr for word in ("'a.bin'", ".pth", ".npz", "rename them to .pt"))


@pytest.mark.parametrize("name", ["a.pt", "a.npy", "a.npz", "a.tar", "maps.tar"])
def test_what_git_lfs_has_not_fetched_is_said(tmp_path, name):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / name).write_bytes(POINTER)
    if name == "maps.tar":
        with tarfile.open(tmp_path / "maps" / name, "w") as tar:
            member = tarfile.TarInfo("a.pt")
            member.size = len(POINTER)
            tar.addfile(member, io.BytesIO(POINTER))
    source = tmp_path / "maps" if name.startswith("a.n") or name == "a.pt" else tmp_path / "maps" / name
    result = pack(source, "-o", tmp_path / "out", "--score-kind", "logit")
    assert result.returncode in (5, 64) and "git lfs pull" in result.stderr, result.stderr


def test_a_dataset_that_git_lfs_has_not_fetched(reference, tmp_path):
    for name in ("index.json", "labels-00000.h5"):
        folder = tmp_path / name[:3]
        folder.mkdir()
        for file in reference[1].iterdir():
            (folder / file.name).write_bytes(POINTER if file.name == name else file.read_bytes())
        code, report = verify(folder)
        said = [finding["message"] for finding in report["findings"]]
        assert code != 0 and any("git lfs pull" in message for message in said), said
        result = tool("relabel", "info", folder)
        assert result.returncode != 0 and "git lfs pull" in result.stderr, result.stderr


def test_bfloat16_arrays_are_refused_with_what_to_do(tmp_path):
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps/a.npy", np.zeros((9, 4, 4), "u2").view("V2"))
    result = pack(tmp_path / "maps", "-o", tmp_path / "out", "--score-kind", "logit")
    assert result.returncode == 5 and ".astype('f4')" in result.stderr
