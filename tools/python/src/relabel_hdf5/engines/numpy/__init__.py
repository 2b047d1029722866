"""The NumPy engine: an independent reader of the format, by h5py and NumPy alone.

`engine.py` is where to begin; what is not in this folder and used here are names, errors and geometry.
"""
