"""Lets a training program find files of labels that aren't there: shards answer for them."""

import multiprocessing
import os
import runpy
import sys

import torch


def answer(files, folder):
    """Makes `torch.load` and `os.listdir` find `files`, a `StoredFiles`, in a folder; all others they find as before."""
    load, listdir = torch.load, os.listdir

    def name(path):
        found = os.path.relpath(path, folder) if isinstance(path, (str, os.PathLike)) else ".."
        return "" if found == "." else found

    def given(found, otherwise, path, *arguments, **options):
        return otherwise(path, *arguments, **options) if found is None else found

    torch.load = lambda path, *rest, **options: given(files.get(name(path)), load, path, *rest, **options)
    os.listdir = lambda path=".": given(files.folder(name(path)), listdir, path)


def run(program, arguments):
    """Runs a program as `python program arguments` does, with workers that know what it knows."""
    multiprocessing.set_start_method("fork", force=True)
    sys.argv, sys.path[0] = [program, *arguments], os.path.dirname(os.path.abspath(program))
    runpy.run_path(program, run_name="__main__")
