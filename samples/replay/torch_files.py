"""Lets a training program find files of labels that aren't there: shards answer for them."""

import importlib
import multiprocessing
import os
import runpy
import sys

import torch


def answer(files, folder):
    """Makes `torch.load` and `os.listdir` find `files`, a `StoredFiles`, in a folder; all others they find as before."""
    def found_first(find, otherwise):
        def found(path=".", *arguments, **options):
            name = os.path.relpath(path, folder) if isinstance(path, (str, os.PathLike)) else ".."
            answer = find("" if name == "." else name)
            return otherwise(path, *arguments, **options) if answer is None else answer
        return found

    torch.load, os.listdir = found_first(files.get, torch.load), found_first(files.folder, os.listdir)


def run(program, arguments, changes=()):
    """Runs a program as `python program arguments` does; `changes` are names of its modules with other values."""
    multiprocessing.set_start_method("fork", force=True)  # workers know what it knows
    sys.argv, sys.path[0] = [program, *arguments], os.path.dirname(os.path.abspath(program))
    for module, names in dict(changes).items():
        vars(importlib.import_module(module)).update(names)
    runpy.run_path(program, run_name="__main__")
