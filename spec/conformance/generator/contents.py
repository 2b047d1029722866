"""What h5py sees in a file: the judge of changed shards, for tests and fuzzers."""

import subprocess
import sys

DECODE = """
import hashlib, sys
import h5py
import numpy as np
digest = hashlib.sha256()
def add(*values):
    for value in values:
        digest.update(repr(value).encode())
with h5py.File(sys.argv[1], "r") as file:
    for holder in (file, *(file[name] for name in sorted(file))):
        add(holder.name)
        for name in sorted(holder.attrs):
            value = holder.attrs.get_id(name)
            add(name, str(value.dtype), value.shape)
            digest.update(holder.attrs[name].tobytes())
        if holder is not file:
            add(str(holder.dtype), holder.shape)
            digest.update(holder[...].tobytes())
print(digest.hexdigest())
"""


def content_digest(path):
    """A digest of all data and attributes as h5py reads them, or why it can't, in a process apart."""
    try:
        command = [sys.executable, "-c", DECODE, path]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "timeout"
    return result.stdout.strip() if result.returncode == 0 else f"exit {result.returncode}"


def stored_chunks(dataset):
    """Offset and length of each stored chunk."""
    infos = [dataset.id.get_chunk_info(i) for i in range(dataset.id.get_num_chunks())]
    return [(info.byte_offset, info.size) for info in infos]
