"""Label maps for people: what a notebook shows of them, and pictures with their maps over them.

Nobody imports this to read or train: `LabelMap` and `LabelMaps` do when they are asked to show themselves.
"""
