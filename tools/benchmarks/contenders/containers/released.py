"""The released way: one file of torch.save for each image."""

import numpy as np

from .base import STEP, Container, Reader


class Released(Container):
    """.pt files, as released"""

    needs = ("torch",)
    facts = "a pickle an image: dtype and shape; the newer of its two forms holds CRC-32; a file an image"

    @staticmethod
    def write(folder, payload):
        from data import Container as Form

        tensors = np.stack([payload.steps * STEP, payload.ids.astype(np.float32)], 1).transpose(0, 1, 4, 2, 3)
        forms = [Form(tensors.shape[1:], legacy) for legacy in (False, True)]
        for number, tensor in enumerate(tensors):
            (folder / f"{number:08}.pt").write_bytes(forms[number % 2].file(np.ascontiguousarray(tensor)))

    class open(Reader):
        def __init__(self, folder):
            import torch

            torch.set_num_threads(1)
            self.load, self.folder = torch.load, folder

        def one(self, row):
            tensor = self.load(self.folder / f"{row:08}.pt", weights_only=True)
            scores, ids = tensor.permute(0, 2, 3, 1).numpy()
            return ids.astype(np.uint16, order="C"), scores.copy()
