"""Data of any size: real maps, repeated and changed so that no chunk repeats."""

import io
import pathlib
import subprocess
import tarfile
import zipfile

import numpy as np
import torch
from measure import BIN

# A tar is written in pieces of so many images.
PIECE = 4096


class Maps:
    """The .pt maps below a folder, and as many variations of them as one likes."""

    def __init__(self, folder):
        self.paths = sorted(pathlib.Path(folder).rglob("*.pt"))
        if not self.paths:
            raise SystemExit(f"there is no .pt file below {folder}")
        tensors = [_tensor(path) for path in self.paths]
        for path, tensor in zip(self.paths, tensors):
            if tensor.shape != tensors[0].shape:
                raise SystemExit(f"{path} has the shape {tensor.shape}, {self.paths[0]} {tensors[0].shape}: not one dataset")
        self.tensors = np.stack(tensors)
        self.folder = pathlib.Path(folder)
        self.num_classes = max(1000, int(self.tensors[:, 1].max()) + 1)

    def varied(self, first, last):
        """Tensors [n, 2, k, H, W] of images `first` to `last`: flipped, rolled, scores with a little noise."""
        numbers = np.arange(first, last)
        tensors = self.tensors[numbers % len(self.tensors)].copy()
        for place, number in enumerate(numbers):
            rng = np.random.default_rng(number)
            tensor = tensors[place][..., :: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
            tensors[place] = np.roll(tensor, rng.integers(tensor.shape[2:]), (2, 3))
        rng = np.random.default_rng(first)
        n, _, k, height, width = tensors.shape
        tensors[:, 0] += rng.normal(0, 0.05, (n, 1, height, width)) + rng.normal(0, 0.01, (n, k, height, width))
        return tensors

    def arrays(self, count):
        """Class ids and scores [n, H, W, k]."""
        tensors = np.concatenate([self.varied(at, min(at + PIECE, count)) for at in range(0, count, PIECE)])
        ids, scores = tensors[:, 1].transpose(0, 2, 3, 1), tensors[:, 0].transpose(0, 2, 3, 1)
        return np.ascontiguousarray(ids, np.uint16), np.ascontiguousarray(scores)


def _tensor(path):
    """Scores and class ids [2, k, H, W] of a file; ends the program where it holds something else."""
    try:
        tensor = torch.load(path, weights_only=True)
    except Exception as error:
        raise SystemExit(f"{path} is no file of torch.save with a tensor: {error}") from None
    shape = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else None
    if shape is None or len(shape) != 4 or shape[0] != 2:
        raise SystemExit(f"{path} holds {shape or type(tensor).__name__}, no tensor [2, k, H, W] of scores and class ids")
    return tensor.float().numpy()


class Container:
    """One form of torch.save: a file whose tensor can be exchanged without torch."""

    def __init__(self, shape, legacy):
        zeros = torch.zeros(shape)
        buffer = io.BytesIO()
        torch.save(zeros, buffer, _use_new_zipfile_serialization=not legacy)
        self.template, self.legacy = buffer.getvalue(), legacy
        self.bytes = zeros.numel() * 4
        if legacy:
            self.start = len(self.template) - self.bytes
        else:
            with zipfile.ZipFile(buffer) as archive:
                data = next(i for i in archive.infolist() if i.filename.endswith("data/0"))
            # Both headers hold the CRC; the local one lies 14 bytes into it.
            self.start = self.template.index(bytes(self.bytes))
            self.local = data.header_offset + 14
            signature = self.template.rindex(data.filename.encode()) - 46
            self.central = signature + 16
            assert self.template[signature : signature + 4] == b"PK\x01\x02"
            self.described = self.template[self.local - 14 + 6] & 8

    def file(self, tensor):
        """The bytes of a file that holds `tensor`, float32 as the template's."""
        data = tensor.tobytes()
        file = bytearray(self.template)
        file[self.start : self.start + self.bytes] = data
        if not self.legacy:
            crc = zipfile.crc32(data).to_bytes(4, "little")
            file[self.central : self.central + 4] = crc
            if self.described:
                after = self.start + self.bytes
                file[after + 4 : after + 8] = crc
            else:
                file[self.local : self.local + 4] = crc
        return file


def key(number):
    """Keys as those of ImageNet: a thousand folders."""
    return f"n{number % 1000:08}/n{number % 1000:08}_{number}"


def write_tar(maps, path, count):
    """A tar of `count` .pt files, both containers in turn, as the paper's labels come."""
    containers = [Container(maps.tensors.shape[1:], legacy) for legacy in (False, True)]
    with open(path, "wb") as tar:
        for at in range(0, count, PIECE):
            for number, tensor in enumerate(maps.varied(at, min(at + PIECE, count)), at):
                file = containers[number % 2].file(np.ascontiguousarray(tensor, np.float32))
                info = tarfile.TarInfo(f"{key(number)}.pt")
                info.size = len(file)
                tar.write(info.tobuf(tarfile.USTAR_FORMAT) + file + bytes(-len(file) % 512))
        tar.write(bytes(10240))


def write_files(maps, folder, count):
    """The same as files; returns their paths."""
    containers = [Container(maps.tensors.shape[1:], legacy) for legacy in (False, True)]
    paths = []
    for at in range(0, count, PIECE):
        for number, tensor in enumerate(maps.varied(at, min(at + PIECE, count)), at):
            path = folder / f"{key(number)}.pt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(containers[number % 2].file(np.ascontiguousarray(tensor, np.float32)))
            paths.append(path)
    return paths


def write_dense(maps, folder, count):
    """Dense maps [C, H, W] as .npy files whose best classes are those of real maps; returns their paths.

    What lies below a cell's kept classes is noise with the deviation of real logits, smooth over neighbours.
    """
    paths = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, (scores, ids) in enumerate(maps.varied(0, count)):
        rng = np.random.default_rng(number)
        height, width = scores.shape[1:]
        noise = rng.normal(0, 3.5, (maps.num_classes, height + 1, width + 1))
        dense = (noise[:, :-1, :-1] + noise[:, 1:, :-1] + noise[:, :-1, 1:] + noise[:, 1:, 1:]) / 4
        dense = np.minimum(dense, scores.min(0) - 1e-3).astype(np.float32)
        np.put_along_axis(dense, ids.astype(np.int64), scores, 0)
        paths.append(folder / f"{number:06}.npy")
        np.save(paths[-1], dense)
    return paths


def write_varied_dense(sources, folder, count):
    """Dense maps as .npy files that are flipped and rolled sums of two of some real ones: as nearly of low rank as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    real = [np.load(path).astype(np.float32) for path in sources]
    for number in range(count):
        rng = np.random.default_rng(number)
        parts = []
        for place in (number, number + 1 + number // len(real)):
            plane = real[place % len(real)][..., :: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
            parts.append(np.roll(plane, rng.integers(plane.shape[1:]), (1, 2)))
        np.save(folder / f"{number:06}.npy", np.float32(0.8) * parts[0] + np.float32(0.2) * parts[1])


def pack(source, dataset, *options):
    """A dataset of this project."""
    command = [BIN / "relabel-pack", source, "--output", dataset, *map(str, options)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return dataset


def pack_many(maps, folder, count, *options):
    """A dataset of many images from a tar that is gone afterwards."""
    tar = folder / f"maps-{count}.tar"
    write_tar(maps, tar, count)
    dataset = pack(tar, folder / f"dataset-{count}", "--orientation", "yx", *options)
    tar.unlink()
    return dataset
