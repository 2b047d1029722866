"""What containers share: the payload they all hold, and how a reader of one is asked."""

import dataclasses
import pathlib

import numpy as np

# Maps in a shard of those containers that come in shards.
SHARD = 1024
STEP = np.float32(1 / 256)


@dataclasses.dataclass
class Payload:
    """The maps that every container holds: what the default preset of this project keeps of scores, and no less.

    Class ids are uint16, scores int16 in steps of 1/256, both [n, H, W, k]; entries are sorted by score.
    """

    ids: np.ndarray
    steps: np.ndarray
    num_classes: int
    source: pathlib.Path  # The same as an .npz that relabel-pack takes.

    def __len__(self):
        return len(self.ids)

    @classmethod
    def of(cls, maps, count, folder):
        ids, scores = maps.arrays(count)
        steps = np.rint(scores / STEP).astype(np.int16)
        order = np.lexsort((ids, -steps.astype(np.int32)), -1)
        ids, steps = (np.take_along_axis(values, order, -1) for values in (ids, steps))
        source = folder / "payload.npz"
        np.savez(source, class_index=ids, score=steps * STEP)
        return cls(ids, steps, maps.num_classes, source)


class Reader:
    """An open container: class ids as uint16 and scores as float32, of one map or a batch of maps."""

    def one(self, row):
        raise NotImplementedError

    def batch(self, rows):
        """Maps [n, H, W, k]; a container that has nothing better reads them one by one."""
        ids, scores = zip(*map(self.one, rows))
        return np.stack(ids), np.stack(scores)

    def in_order(self, first, last):
        """Neighbouring maps [last - first, H, W, k]."""
        return self.batch(np.arange(first, last))

    def stored(self, rows):
        """The places in the payload of what lies in these rows."""
        return rows

    def close(self):
        pass


class Grouped(Reader):
    """A reader that decodes many maps at once: it holds the last group, and reads a batch group by group."""

    def __init__(self):
        self.number, self.held = None, None

    def group(self, number):
        """Class ids and decoded scores of a group, and the rows that one group has."""
        raise NotImplementedError

    def of_group(self, number):
        if number != self.number:
            self.held, self.number = self.group(number), number
        return self.held

    def one(self, row):
        number, place = divmod(int(row), self.size)
        return tuple(values[place].copy() for values in self.of_group(number))

    def batch(self, rows):
        rows = np.asarray(rows)
        found = None
        for number in np.unique(rows // self.size):
            held = self.of_group(int(number))
            if found is None:
                found = [np.empty((len(rows), *values.shape[1:]), values.dtype) for values in held]
            here = np.flatnonzero(rows // self.size == number)
            for to, values in zip(found, held):
                to[here] = values[rows[here] % self.size]
        return tuple(found)


class Container:
    """A way to store maps: the first line of the docstring is its name."""

    needs = ()
    preset = None
    # A stream has no random access: its reader gives batches of a shuffled stream.
    stream = False
    engines = {"": {}}
    facts = ""

    @classmethod
    def imports(cls):
        """The modules that a reader uses: their import is timed apart from opening."""
        return cls.needs

    @classmethod
    def title(cls):
        return cls.__doc__.splitlines()[0].rstrip(".")


def of_bytes(data, shape):
    """Both arrays of one map from its bytes: ids, then steps."""
    half = len(data) // 2
    ids = np.frombuffer(data, np.uint16, half // 2).reshape(shape)
    return ids.copy(), np.frombuffer(data, np.int16, half // 2, half).reshape(shape) * STEP


def write_shape(folder, payload):
    """For containers of bytes: the shape of a map, which their users write down somewhere."""
    (folder / "shape.txt").write_text(" ".join(map(str, payload.ids.shape[1:])))


def read_shape(folder):
    return tuple(map(int, (folder / "shape.txt").read_text().split()))
