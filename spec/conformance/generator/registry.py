"""How a module of fixtures lists what it makes."""

from shard_writer import write_shard


class Fixtures:
    """The fixtures of one module, in the order in which they stand there."""

    def __init__(self):
        self.broken = []  # (rule, variant, function)
        self.sound_files = []  # (name, function)

    def breaks(self, rule, variant="plain"):
        """Registers the decorated function as one that breaks a rule."""

        def register(function):
            self.broken.append((rule, variant, function))
            return function

        return register

    def sound(self, name):
        """Registers the decorated function as one that makes something sound."""

        def register(function):
            self.sound_files.append((name, function))
            return function

        return register

    def add(self, rule, variant, **changes):
        """Registers a shard with some fields of `Shard` changed."""
        self.breaks(rule, variant)(lambda folder: write_shard(folder / "a.h5", **changes))

    def add_sound(self, name, **changes):
        """Registers a sound shard with some fields of `Shard` changed."""
        self.sound(name)(lambda folder: write_shard(folder / "a.h5", **changes))
