"""`python -m relabel_hdf5.exporting` is `relabel-export`."""

from .command import run

if __name__ == "__main__":
    run()
