"""The two engines behind `relabel_hdf5.open`: each reads everything by itself, one of them by the Swift library."""
