"""Runs timm's own train script, unchanged, with localised labels: timm_relabel.py [--profile P] MAPS TRAIN.PY ...

The script asks `timm.data` for its training pictures and for what mixes batches. Here it gets a `RelabelFolder`,
whose targets are probabilities, and mixing that knows them. Everything else is timm's.
"""

import argparse
import pathlib
import runpy
import sys

import timm.data
import timm.loss

from relabel_hdf5.train import RelabelFolder, with_box


def with_labels(maps, profile):
    """A `create_dataset` of which the training pictures have pooled targets."""
    plain = timm.data.create_dataset

    def create_dataset(name, root=None, split="validation", is_training=False, **options):
        if not is_training:
            return plain(name, root=root, split=split, is_training=False, **options)
        if name or options.get("num_samples") is not None:
            sys.exit("localised labels need the pictures in folders: leave --dataset and --train-num-samples out")
        folder = pathlib.Path(root) / split
        # create_loader sets the transform that the options ask for; this one says how it is followed.
        follow = with_box(timm.data.create_transform(224, is_training=True), geometric="follow")
        data = RelabelFolder(folder if folder.is_dir() else root, maps, follow, classes="maps", profile=profile)
        print(f"{len(data):,} training pictures have targets of {data.num_classes:,} classes, pooled from {maps}")
        return data

    return create_dataset


def for_probabilities(kind):
    """One of timm's two ways to mix a batch, told that targets are probabilities."""

    def mixing(*arguments, label_smoothing=0, **options):
        if label_smoothing:
            refuse_smoothing()
        return kind(*arguments, label_smoothing=0, **{**options, "multi_label": True})

    return mixing


def refuse_smoothing(**_):
    sys.exit("--smoothing is for numbers of classes, and these targets are probabilities: say --smoothing 0")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", help="how maps of unknown orientation are pooled: see spec/relabel-hdf5.md")
    parser.add_argument("maps", help="the dataset of label maps")
    parser.add_argument("script", help="timm's train.py")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the script")
    options = parser.parse_args()
    timm.data.create_dataset = with_labels(options.maps, options.profile)
    timm.data.Mixup = for_probabilities(timm.data.Mixup)
    timm.data.FastCollateMixup = for_probabilities(timm.data.FastCollateMixup)
    timm.loss.LabelSmoothingCrossEntropy = refuse_smoothing
    sys.argv = [options.script, *options.arguments]
    runpy.run_path(options.script, run_name="__main__")


if __name__ == "__main__":
    main()
