"""Top-1 and top-5 of a checkpoint on ImageNet's validation set, on its ReaL labels, and on ImageNet-V2.

evaluate.py CHECKPOINT --classes FILE --val DIR [--real real.json] [--v2 DIR] [--json FILE]

FILE has a line for each output of the network, in their order, which begins with a WNID. WNIDs in sorted order have
the numbers 0 to 999, by which ReaL names classes and ImageNet-V2 names folders.
"""

import argparse
import json
import pathlib
import re
import sys

import torch
from PIL import Image
from timm.models import create_model, load_state_dict
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T

EXTENSIONS = {".jpg", ".jpeg", ".png"}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Pictures(Dataset):
    """The centres of pictures: resized so that the shorter side is size / 0.875 pixels, then cropped."""

    def __init__(self, paths, size):
        self.paths = paths
        resized = T.Resize(-(-size * 8 // 7))
        self.transform = T.Compose([resized, T.CenterCrop(size), T.ToTensor(), T.Normalize(MEAN, STD)])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as picture:
            return self.transform(picture.convert("RGB"))


def class_ids(file):
    """The WNIDs of the network's outputs, in their order."""
    return [line.split()[0] for line in pathlib.Path(file).read_text().splitlines() if line.strip()]


def pictures_of(folder, ids):
    """Paths sorted by file name, whatever folder they lie in, and for each the output that is right for it."""
    output_of = {name: output for output, name in enumerate(ids)}
    # A number is one of the class, not of the folder in a listing: as texts, 10 comes before 2.
    output_of |= {str(number): output_of[name] for number, name in enumerate(sorted(ids))}
    found = []
    for path in pathlib.Path(folder).glob("*/*"):
        if path.suffix.lower() not in EXTENSIONS or path.name.startswith("."):
            continue
        if path.parent.name not in output_of:
            sys.exit(f"{path.parent}: neither a WNID of the class list nor a number below {len(ids)}: one folder a class")
        found.append((path, output_of[path.parent.name]))
    if not found:
        sys.exit(f"{folder}: no pictures ({' '.join(sorted(EXTENSIONS))}) in folders of classes")
    found.sort(key=lambda entry: (entry[0].name, entry[0].parent.name))
    return [path for path, _ in found], [{output} for _, output in found]


def real_answers(file, paths, ids):
    """ReaL's outputs for each picture, often several, or none; its list is in the order of file names."""
    listed = json.loads(pathlib.Path(file).read_text())
    if len(listed) != len(paths):
        sys.exit(f"{file}: labels for {len(listed)} pictures, and there are {len(paths)}: ReaL needs the whole set")
    for place, path in enumerate(paths, 1):
        number = re.search(r"_val_(\d{8})$", path.stem)
        if number and int(number[1]) != place:
            sys.exit(f"{path}: the name says picture {int(number[1])}, and it is number {place} by file name")
    output_of = [ids.index(name) for name in sorted(ids)]
    return [{output_of[number] for number in labels} for labels in listed]


@torch.inference_mode()
def best_five(model, paths, size, device, batch_size=256, workers=4):
    """The five best outputs for each picture, best first: int64 [N, 5]."""
    model.eval()
    loader = DataLoader(Pictures(paths, size), batch_size, num_workers=workers, pin_memory=device.type == "cuda")
    return torch.cat([model(images.to(device, non_blocking=True)).topk(5).indices.cpu() for images in loader])


def hits(best, answers):
    """How many pictures have a label at all, in how many one is the best output, and one of the best five."""
    rows = [(row, right) for row, right in zip(best.tolist(), answers, strict=True) if right]
    first, five = sum(row[0] in right for row, right in rows), sum(bool(right & set(row)) for row, right in rows)
    return torch.tensor([len(rows), first, five])


def described(name, counted, pictures=None):
    """A line on these counts; of `pictures` those that have no label are named as skipped."""
    count, first, five = counted.tolist()
    shares = f"top-1 {first / count:.2%}, top-5 {five / count:.2%}" if count else "nothing to compare with"
    skipped = f"; {pictures - count:,} without a label are skipped" if pictures and pictures > count else ""
    return f"{name}: {shares} of {count:,} pictures{skipped}"


def load(checkpoint, architecture, ids):
    """The network with the weights of a checkpoint of train.py or of timm's train script."""
    model = create_model(architecture, num_classes=len(ids))
    model.load_state_dict(load_state_dict(checkpoint, use_ema=False))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--model", default="resnet50", help="timm's name of the architecture")
    parser.add_argument("--classes", required=True, help="the class list that the maps were made with")
    parser.add_argument("--val", required=True, help="the validation pictures, a folder for each class")
    parser.add_argument("--real", help="ReaL's real.json")
    parser.add_argument("--v2", help="a folder of ImageNet-V2")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--json", help="a file for the results")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    ids = class_ids(options.classes)
    model = load(options.checkpoint, options.model, ids).to(device)
    paths, answers = pictures_of(options.val, ids)
    tests = [("val", paths, answers)]
    if options.real:
        tests.append(("ReaL", paths, real_answers(options.real, paths, ids)))
    if options.v2:
        tests.append((f"V2 ({pathlib.Path(options.v2).name})", *pictures_of(options.v2, ids)))
    results, best, last = {}, None, None
    for name, paths, answers in tests:
        if paths is not last:
            best, last = best_five(model, paths, options.size, device, workers=options.workers), paths
        counted = hits(best, answers)
        results[name] = dict(zip(("pictures", "top1", "top5"), counted.tolist()))
        print(described(name, counted, len(paths)))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
