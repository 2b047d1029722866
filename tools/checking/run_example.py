"""Runs a script as Python does, after what torchvision needs beside a CPU build of torch: run_example.py SCRIPT ..."""

import importlib.util
import pathlib
import runpy
import sys

if importlib.util.find_spec("torch") and importlib.util.find_spec("torchvision"):
    import torchvision_import  # noqa: F401

del sys.argv[0]
sys.path[0] = str(pathlib.Path(sys.argv[0]).parent)
runpy.run_path(sys.argv[0], run_name="__main__")
