"""TinyViT's trainer on shards: python tinyvit.py SHARDS main.py ARGUMENTS, where torchrun may stand for python."""

import os
import sys

from torch_files import run

from relabel_hdf5.exporting import StoredFiles


class Reader:
    """Gives the record of a key, as TinyViT's reader does: the files of the own rank come first, then the next rank's."""

    def __init__(self, path, item_size, rank):
        self.folder, self.places = os.path.basename(path), {}
        ranks = range(len(FILES.folder(self.folder)) // 2)
        self.unread = sorted(ranks, key=lambda other: (other - rank) % len(ranks))

    def read(self, key):
        while key not in self.places and self.unread:
            start = f"{self.folder}/rank{self.unread.pop(0)}-"
            records = FILES[start + "values.bin"]
            self.places |= {line: (records, place) for place, line in enumerate(FILES[start + "keys.txt"])}
        records, place = self.places[key]
        return records[place]


if __name__ == "__main__":
    FILES = StoredFiles(sys.argv[1], "tinyvit")
    sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[2])))
    from data.augmentation import manager

    manager._Reader = Reader
    run(sys.argv[2], sys.argv[3:])
