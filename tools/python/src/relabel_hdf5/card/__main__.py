"""`python -m relabel_hdf5.card` is `relabel-card`."""

from .command import run

if __name__ == "__main__":
    run()
