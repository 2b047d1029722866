"""TinyViT's trainer on shards: python tinyvit.py SHARDS main.py ARGUMENTS, where torchrun may stand for python."""

import sys

from torch_files import run

from relabel_hdf5.exporting import StoredFiles


class Reader:
    """Gives the record of a key, as TinyViT's reader does: the files of the own rank come first, then the next rank's."""

    def __init__(self, path, item_size, rank):
        self.start, self.places = path.rstrip("/").rpartition("/")[2] + "/rank", {}
        ranks = range(len(FILES.folder(self.start[:-5])) // 2)
        self.unread = sorted(ranks, key=lambda other: (other - rank) % len(ranks))

    def read(self, key):
        while key not in self.places and self.unread:
            keys, records = (FILES[f"{self.start}{self.unread[0]}-{end}"] for end in ("keys.txt", "values.bin"))
            self.places |= {line: (records, place) for place, line in enumerate(keys)}
            del self.unread[0]
        records, place = self.places[key]
        return records[place]


if __name__ == "__main__":
    FILES = StoredFiles(sys.argv[1], "tinyvit")
    run(sys.argv[2], sys.argv[3:], {"data.augmentation.manager": {"_Reader": Reader}})
