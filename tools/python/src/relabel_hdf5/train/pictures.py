"""The pictures of an image folder, as torchvision's ImageFolder lists them, but for hidden ones.

Packer and verifier pass over names that begin with a dot, such as the ._x.jpg of macOS: so does this.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import UsageError
from ..image_folder import class_folders, key_of_path, paths_in

KeyOfPath = Callable[[str], str]


class Pictures:
    """The pictures of root/CLASS/**, class by class; ImageNet's million takes 50 MB, which forks share."""

    def __init__(
        self, root: str | os.PathLike[str], extensions: Sequence[str], key: KeyOfPath | None
    ) -> None:
        self.root = Path(os.path.abspath(root))  # the working folder may change
        if not self.root.is_dir():
            raise UsageError("there is no such image folder", file=str(self.root))
        self.folders = class_folders(self.root)
        self._key = key or key_of_path
        endings = tuple(extension.lower() for extension in extensions)
        found = [_paths(self.root, folder, endings) for folder in self.folders]
        self.folder_of = np.repeat(np.arange(len(found)), [len(paths) for paths in found])
        if not len(self.folder_of):
            raise UsageError(f"no pictures ({' '.join(extensions)}) in subfolders", file=str(self.root))
        self._paths = np.concatenate(found)

    def __len__(self) -> int:
        return len(self._paths)

    def path(self, index: int) -> str:
        """The path of a picture below the root, with `/` between its parts."""
        return os.fsdecode(bytes(self._paths[index]))

    def key(self, index: int) -> str:
        """The key of the picture's map."""
        path = self.path(index)
        key: object = self._key(path)
        if not isinstance(key, str):
            raise UsageError(f"key= made {key!r} of the path {path!r}: the key of a map is a string")
        return plain_key(key)

    def keep(self, chosen: np.ndarray) -> None:
        """Forgets all pictures but those where `chosen` is true."""
        self.folder_of, self._paths = self.folder_of[chosen], self._paths[chosen]

    def read(self, index: int) -> Image.Image:
        """A picture as RGB, without EXIF rotation, as boxes mean it (spec section 13.1)."""
        path = self.root / self.path(index)
        try:
            with Image.open(path) as picture:
                if picture.mode != "RGB":
                    return picture.convert("RGB")
                picture.load()  # what convert does but for a copy, which took a tenth of an item's time
                return picture
        except Exception as error:
            raise OSError(f"{path}: this picture can't be read: {error}") from error


def plain_key(key: str) -> str:
    """The key without ./ at its beginning, as the packer makes it of such a path."""
    while key.startswith("./"):
        key = key[2:]
    return key


def _paths(root: Path, folder: str, endings: Sequence[str]) -> np.ndarray:
    """The paths of a folder's pictures, as bytes of one width: strings would take three times the memory."""
    return np.array([os.fsencode(path) for path in paths_in(root, folder, endings)], np.bytes_)
