"""Trains a ResNet on ImageNet with localised labels, as Re-labeling ImageNet does.

torchrun --standalone --nproc-per-node 8 train.py PICTURES MAPS --output DIR [--val DIR] [--cutmix] [--mixed]

The same command run again goes on behind the last whole epoch.
"""

import gc
import os
import pathlib
import sys
import time

import torch
from evaluate import best_five, described, hits, pictures_of
from recipe import FREE, WITHOUT_CUTMIX, arguments, crop, device_of_process, optimiser, rate, seeded
from timm.models import create_model
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from relabel_hdf5.train import EpochSampler, RelabelFolder, SoftMixup, check_model, soft_target_cross_entropy

LINE = 100  # steps from one line of progress to the next


class Run:
    """A training run of one process among several."""

    def __init__(self, options):
        self.options = options
        self.device = device_of_process()
        on_gpu = self.device.type == "cuda"
        distributed.init_process_group("nccl" if on_gpu else "gloo")
        self.rank, ranks = distributed.get_rank(), distributed.get_world_size()
        self.data = RelabelFolder(
            options.pictures, options.maps, crop(options.size), classes="maps", profile=options.profile
        )
        self.sampler = EpochSampler(self.data, seed=options.seed)  # asks torch.distributed for its share
        self.crops = torch.Generator()
        self.loader = DataLoader(
            self.data, options.batch_size // ranks, sampler=self.sampler, num_workers=options.workers,
            drop_last=True, pin_memory=on_gpu, generator=self.crops,
        )  # fmt: skip
        if not len(self.loader):
            sys.exit(f"{options.pictures}: {len(self.data)} pictures don't fill a batch of {options.batch_size}")
        torch.manual_seed(options.seed)
        model = create_model(options.model, num_classes=self.data.num_classes)
        check_model(self.data, model)
        self.model = model.to(self.device, memory_format=torch.channels_last)
        self.trained = DistributedDataParallel(self.model, device_ids=[self.device] if on_gpu else None)
        self.optimiser = optimiser(self.model, options)
        self.mix = SoftMixup(mixup_alpha=0, cutmix_alpha=1, num_classes=self.data.num_classes)
        self.checkpoint = pathlib.Path(options.output) / "last.pt"
        self.recipe = {name: value for name, value in vars(options).items() if name not in FREE}

    def say(self, text):
        if self.rank == 0:
            print(text, flush=True)

    def resume(self):
        """Loads the checkpoint where there is one; the first epoch to train."""
        if not self.checkpoint.exists():
            return 0
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        if was := [f"{name} = {old!r}" for name, old in state["recipe"].items() if old != self.recipe.get(name)]:
            sys.exit(f"{self.checkpoint}: this run was begun with {', '.join(was)}. Say so again, or take another --output")
        self.sampler.load_state_dict(state["sampler"])  # refuses other labels, pictures, numbers of processes
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimizer"])
        self.say(f"{self.checkpoint}: {self.sampler.epoch} of {self.options.epochs} epochs are done")
        return self.sampler.epoch

    def save(self, epoch):
        """Puts the state behind an epoch in the place of the one before, all of it or nothing."""
        self.sampler.set_epoch(epoch + 1)
        if self.rank == 0:
            self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
            torch.save({
                "model": self.model.state_dict(), "optimizer": self.optimiser.state_dict(),
                "sampler": self.sampler.state_dict(position=0), "recipe": self.recipe,
                "classes": list(self.data.classes or ()),
            }, partial := self.checkpoint.with_suffix(".partial"))  # fmt: skip
            os.replace(partial, self.checkpoint)

    def train(self, epoch):
        """One epoch; the mean loss over all processes."""
        options, steps, begun, waited = self.options, len(self.loader), time.monotonic(), 0.0
        self.crops.manual_seed(seeded(options.seed, epoch, self.rank))
        self.sampler.set_epoch(epoch)
        mixing = options.cutmix and epoch < options.epochs - WITHOUT_CUTMIX
        self.trained.train()
        total, ready = torch.zeros((), device=self.device), begun
        for step, (images, targets) in enumerate(self.loader):
            waited += time.monotonic() - ready
            for group in self.optimiser.param_groups:
                group["lr"] = rate(epoch * steps + step, steps, options)
            images, targets = images.to(self.device, non_blocking=True), targets.to(self.device, non_blocking=True)
            if mixing:
                images, targets = self.mix(images, targets)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=options.mixed):
                outputs = self.trained(images.contiguous(memory_format=torch.channels_last))
            loss = soft_target_cross_entropy(outputs.float(), targets)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            total += loss.detach()
            if (step + 1) % LINE == 0 or step + 1 == steps:
                distributed.all_reduce(mean := total / (step + 1), distributed.ReduceOp.SUM)
                mean, seconds = mean.item() / distributed.get_world_size(), time.monotonic() - begun
                speed = (step + 1) * options.batch_size / seconds
                self.say(
                    f"epoch {epoch + 1} of {options.epochs}, step {step + 1:,} of {steps:,}: loss {mean:.3f}, "
                    f"{speed:,.0f} pictures a second, {waited / seconds:.0%} of the time without data"
                )
                if not mean < float("inf"):
                    sys.exit("the loss is not finite: nothing was saved of this epoch")
            ready = time.monotonic()

    def validate(self, paths, answers):
        """A line on the validation pictures, which the processes share."""
        for buffer in self.model.buffers():  # each process has statistics of its own; the checkpoint has those of the first
            distributed.broadcast(buffer, 0)
        mine, options = slice(self.rank, None, distributed.get_world_size()), self.options
        best = best_five(self.model, paths[mine], options.size, self.device, workers=options.workers)
        counted = hits(best, answers[mine])
        distributed.all_reduce(counted)
        self.say(described("val", counted))


def main():
    options = arguments(__doc__.splitlines()[0])
    run = Run(options)
    first = run.resume()
    validation = pictures_of(options.val, run.data.classes) if options.val else None
    for epoch in range(first, options.epochs):
        run.train(epoch)
        run.save(epoch)
        if validation:
            run.validate(*validation)
    run.say(f"{run.checkpoint}: all {options.epochs} epochs are done")
    # The last to hold the group of processes must not be DDP: it may wait for ever for a thread of gloo (torch 2.13).
    run.trained = None
    gc.collect()
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
