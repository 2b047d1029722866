#!/usr/bin/env python3
"""Makes the fixtures in this folder and expected.json, with torch and numpy as the oracle.

Run it here: python3 generate.py (torch, numpy; zstd on the path). Grids are 3x4 with k = 2, so that
a mistaken axis shows.
"""

import io
import json
import os
import shutil
import subprocess
import tarfile
import zipfile

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
H, W, K, C = 3, 4, 2, 6
expected = {}


def path(name):
    full = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    return full


def entry(ids, scores):
    """ids and scores as [H, W, k]."""
    return {
        "shape": list(ids.shape),
        "class_index": [int(i) for i in np.ascontiguousarray(ids).ravel()],
        "score_bits": [
            int(b) for b in np.ascontiguousarray(scores, dtype=np.float32).ravel().view(np.uint32)
        ],
    }


def random_map(seed):
    """A float64 tensor [2, k, H, W] of scores and class ids."""
    generator = np.random.default_rng(seed)
    scores = -np.sort(-generator.normal(8, 4, (K, H, W)), axis=0)
    ids = np.stack([generator.permutation(250)[: H * W].reshape(H, W) for _ in range(K)])
    ids[1] += 250 * (ids[0] == ids[1])
    return torch.from_numpy(np.stack([scores, ids.astype(np.float64)]))


def save_pt(name, tensor, legacy=False, **options):
    torch.save(tensor, path(name), _use_new_zipfile_serialization=not legacy, **options)
    back = torch.load(path(name), weights_only=False).detach().double().numpy()
    expected[name] = [entry(back[1].transpose(1, 2, 0).astype(np.int64), back[0].transpose(1, 2, 0))]


def make_pt():
    seed = 0
    for container in ("zip", "legacy"):
        legacy = container == "legacy"
        for dtype in (torch.float32, torch.float16, torch.float64, torch.bfloat16):
            seed += 1
            name = f"pt/{container}-{str(dtype)[6:]}"
            values = random_map(seed).to(dtype)
            save_pt(f"{name}.pt", values, legacy)
            # TokenLabeling: a view of [2, H, W, k].
            view = values.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
            assert not view.is_contiguous()
            save_pt(f"{name}-strided.pt", view, legacy)
            base = torch.full((7 + values.numel() + 3,), float("nan"), dtype=dtype)
            base[7:-3] = values.flatten()
            save_pt(f"{name}-offset.pt", base[7:-3].view(values.shape), legacy)
        transposed = random_map(50 + seed).float().transpose(2, 3).contiguous().transpose(2, 3)
        save_pt(f"pt/{container}-transposed.pt", transposed, legacy)
        for protocol in (3, 4, 5):
            save_pt(
                f"pt/{container}-protocol{protocol}.pt",
                random_map(60 + protocol).float(),
                legacy,
                pickle_protocol=protocol,
            )
        save_pt(f"pt/{container}-gradient.pt", random_map(70).float().requires_grad_(), legacy)
    # Some tools repack files with compression.
    source = zipfile.ZipFile(path("pt/zip-float32.pt"))
    with zipfile.ZipFile(path("pt/zip-deflated.pt"), "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            target.writestr(info.filename, source.read(info))
    expected["pt/zip-deflated.pt"] = expected["pt/zip-float32.pt"]


class Hostile:
    def __reduce__(self):
        return (os.system, ("touch relabel-was-here",))


def make_bad():
    good = random_map(99).float()
    for container, legacy in (("zip", False), ("legacy", True)):
        def save(name, value):
            torch.save(
                value,
                path(f"bad/{name}-{container}.pt"),
                _use_new_zipfile_serialization=not legacy,
            )

        save("os-system", Hostile())
        save("os-system-beside", [good, Hostile()])
        save("dictionary", {"map": good})
        save("parameter", torch.nn.Parameter(good))
        save("int64", good.long())
        save("three-axes", good[0])
        save("ids-not-whole", good + 0.25)
        save("planes-swapped", good.flip(0) * torch.tensor([1.0, -1.5]).view(2, 1, 1, 1))
    source = zipfile.ZipFile(path("pt/zip-float32.pt"))
    members = {info.filename: source.read(info) for info in source.infolist()}
    folder = next(iter(members)).split("/")[0]

    def repack(name, changed):
        with zipfile.ZipFile(path(f"bad/{name}.pt"), "w") as target:
            for member, data in {**members, **changed}.items():
                if data is not None:
                    target.writestr(member, data)

    repack("big-endian-zip", {f"{folder}/byteorder": b"big"})
    repack("no-pickle-zip", {f"{folder}/data.pkl": None})
    repack("no-storage-zip", {f"{folder}/data/0": None})
    repack("short-storage-zip", {f"{folder}/data/0": members[f"{folder}/data/0"][:-4]})
    repack("other-folder-zip", {"elsewhere/data/0": b"x"})
    repack("pickle-tail-zip", {f"{folder}/data.pkl": members[f"{folder}/data.pkl"] + b"x"})


def top_k(dense, k=K):
    """Ties take the lower class id."""
    dense = np.asarray(dense)
    order = np.argsort(-dense.astype(np.float64), axis=0, kind="stable")[:k]
    return entry(
        order.transpose(1, 2, 0),
        np.take_along_axis(dense, order, 0).astype(np.float32).transpose(1, 2, 0),
    )


def random_dense(seed, *shape):
    # Few different values: ties abound.
    return np.random.default_rng(seed).integers(-8, 8, shape).astype(np.float64) / 4


def make_npy():
    os.makedirs(path("npy"), exist_ok=True)
    for type_ in ("<f2", "<f4", "<f8"):
        dense = random_dense(1, C, H, W).astype(type_)
        for order in ("C", "F"):
            name = f"npy/{type_[1:]}-{order}.npy"
            np.save(path(name), np.array(dense, order=order))
            expected[name] = [top_k(dense)]
        batch = random_dense(2, 3, C, H, W).astype(type_)
        name = f"npy/{type_[1:]}-batch.npy"
        np.save(path(name), batch)
        expected[name] = [top_k(row) for row in batch]
    one = np.asfortranarray(random_dense(3, 1, C, H, W).astype("<f4"))
    np.save(path("npy/f4-F-batch-of-one.npy"), one)
    expected["npy/f4-F-batch-of-one.npy"] = [top_k(one[0])]
    for version in ((2, 0), (3, 0)):
        dense = random_dense(version[0], C, H, W).astype("<f4")
        name = f"npy/version{version[0]}.npy"
        with open(path(name), "wb") as file:
            np.lib.format.write_array(file, dense, version=version)
        expected[name] = [top_k(dense)]


def make_npz():
    os.makedirs(path("npz"), exist_ok=True)
    batch = random_dense(4, 3, C, H, W).astype("<f4")
    rows = [top_k(row) for row in batch]

    def save(name, maps, compressed=False, **arrays):
        (np.savez_compressed if compressed else np.savez)(path(f"npz/{name}.npz"), **arrays)
        expected[f"npz/{name}.npz"] = maps

    save("logits", rows, logits=batch)
    save("logits-deflated", rows, compressed=True, logits=batch.astype("<f2"))
    save("logits-one", rows[:1], logits=batch[0])
    save("logits-one-F", rows[:1], logits=np.asfortranarray(batch[0]))
    shares = (np.abs(batch) / 64).astype("<f8")
    save(
        "probabilities",
        [top_k(row) for row in shares],
        compressed=True,
        probabilities=shares,
        keys=np.array(["b/ü", "a/1", "c"]),
    )
    order = np.argsort(-batch, axis=1, kind="stable")[:, :K].transpose(0, 2, 3, 1)
    scores = np.take_along_axis(batch, order.transpose(0, 3, 1, 2), 1).transpose(0, 2, 3, 1)
    for type_ in ("|u1", "<u2", "<u4", "<i2", "<i4", "<i8", "<f4"):
        save(f"ids-{type_[1:]}", rows, class_index=order.astype(type_), score=scores)
    for type_ in ("<f2", "<f8"):
        save(
            f"scores-{type_[1:]}",
            rows,
            compressed=True,
            score=scores.astype(type_),
            class_index=order.astype("<u2"),
            keys=np.array([b"k/0", b"k/1", b"k/2"]),
        )
    save("sparse-one", rows[:1], class_index=order[0], score=scores[0])
    save(
        "sparse-one-F",
        rows[:1],
        class_index=np.asfortranarray(order[0]),
        score=np.asfortranarray(scores[0]),
        keys=np.array(["only"]),
    )


def make_tars():
    os.makedirs(path("tar"), exist_ok=True)
    names = ["a.pt", "./d/b.pt", "é.pt", "e\u0301.pt", "d/" + "x" * 120 + ".pt", "y" * 300 + ".pt"]
    sources = sorted(name for name in expected if name.startswith("pt/legacy"))[: len(names)]
    bytes_of = {name: open(path(source), "rb").read() for name, source in zip(names, sources)}

    def write(name, mode, members, **options):
        with tarfile.open(path(name), mode, **options) as tar:
            for member in members:
                info = tarfile.TarInfo(member)
                info.size = len(bytes_of[member])
                tar.addfile(info, io.BytesIO(bytes_of[member]))
        with tarfile.open(path(name)) as tar:
            assert all(tar.extractfile(m).read() == bytes_of[m.name] for m in tar.getmembers())

    write("tar/gnu.tar", "w", names, format=tarfile.GNU_FORMAT)
    write("tar/pax.tar", "w", names[::-1], format=tarfile.PAX_FORMAT)
    write("tar/ustar.tar", "w", names[:4], format=tarfile.USTAR_FORMAT)
    order = ["d/" + "x" * 120 + ".pt", "a.pt", "./d/b.pt"]
    for suffix in ("gz", "xz", "bz2"):
        write(f"tar/maps.tar.{suffix}", f"w:{suffix}", order, format=tarfile.PAX_FORMAT)
    write("tar/maps.tar", "w", order, format=tarfile.PAX_FORMAT)
    subprocess.run(["zstd", "-q", "--rm", "-f", path("tar/maps.tar")], check=True)
    # A list: two of the names differ only in how an accent is written.
    expected["tar"] = [
        {"key": name.removeprefix("./").removesuffix(".pt"), "map": expected[source][0]}
        for name, source in zip(names, sources)
    ]


for folder in ("pt", "bad", "npy", "npz", "tar"):
    shutil.rmtree(os.path.join(HERE, folder), ignore_errors=True)
make_pt()
make_bad()
make_npy()
make_npz()
make_tars()
tar_maps = expected.pop("tar")
with open(path("expected.json"), "w") as file:
    json.dump({"files": expected, "tar": tar_maps}, file, sort_keys=True, separators=(",", ":"))
    file.write("\n")
