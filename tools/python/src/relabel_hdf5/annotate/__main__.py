"""`python -m relabel_hdf5.annotate` is `relabel-annotate`."""

from .command import run

if __name__ == "__main__":
    run()
