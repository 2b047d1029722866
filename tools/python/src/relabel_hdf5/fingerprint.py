"""A short name for labels and their meaning, the same for every copy of a dataset.

It is the SHA-256 of the SHA-256 digests of the shards' files, 64 hexadecimal digits each, in the order of positions
and joined by newlines. A shard holds every label and all that is said of them, so nothing can change without it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable

from .errors import CorruptError
from .layout import INDEX_NAME

_BLOCK = 1 << 20


def of_dataset(folder: str, index_sha256: str) -> str:
    """The fingerprint of a dataset, by what its index says of the shards; no shard is read.

    Raises `CorruptError` where the index is not the one whose digest is given.
    """
    path = os.path.join(folder, INDEX_NAME)
    with open(path, "rb") as file:
        text = file.read()
    index = json.loads(text)
    document = text[: -len(f',"sha256":"{index_sha256}"}}\n')] + b"}"
    if hashlib.sha256(document).hexdigest() != index_sha256:
        raise CorruptError("the index was replaced after these label maps were opened: open them again", file=path)
    return _joined(shard["sha256"] for shard in index["shards"])


def of_shard(path: str, size: int) -> str:
    """The fingerprint of a lone shard: that of a dataset which holds nothing else; the file is read.

    Raises `CorruptError` where the file has another size than it had when it was opened.
    """
    digest, read = digest_of(path)
    if read != size:
        raise CorruptError(
            f"the file has {read} bytes and had {size} when it was opened: it was replaced; open it again", file=path
        )
    return _joined([digest])


def digest_of(path: str) -> tuple[str, int]:
    """The SHA-256 of a file and its bytes."""
    digest, read = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            read += len(block)
    return digest.hexdigest(), read


def _joined(digests: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
