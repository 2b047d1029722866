"""Maps a second through PyTorch's DataLoader, which gets batches from its workers."""

import time

import torch
from torch.utils.data import DataLoader, Dataset


class Batches(Dataset):
    """Batches of a container as tensors; every worker opens the container for itself."""

    def __init__(self, container, folder):
        self.container, self.folder, self.reader = container, folder, None

    def __getitem__(self, rows):
        if self.reader is None:
            self.reader = self.container.open(self.folder)
        return tuple(map(torch.from_numpy, self.reader.batch(rows)))


class Walks:
    """A sampler of batches. Every walk has other rows than the one before, so that no cache answers for the container."""

    def __init__(self, take, batches):
        self.take, self.batches = take, batches

    def __len__(self):
        return self.batches

    def __iter__(self):
        return (self.take() for _ in range(self.batches))


def speed(container, folder, walks, size, workers, shortest):
    """Maps a second with so many workers, after one walk that starts them."""
    torch.set_num_threads(1)
    data, sampler = Batches(container, folder), walks
    if container.stream:
        data, sampler = container.batches(folder, size).map(lambda maps: tuple(map(torch.from_numpy, maps))), None
    loader = DataLoader(data, batch_size=None, sampler=sampler, num_workers=workers, persistent_workers=True)
    walk(loader)
    start, maps = time.perf_counter(), 0
    while maps == 0 or time.perf_counter() - start < shortest:
        maps += walk(loader)
    return maps / (time.perf_counter() - start)


def walk(loader):
    return sum(len(ids) for ids, _ in loader)
