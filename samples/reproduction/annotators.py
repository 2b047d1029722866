"""Training the annotators: on the noisy scenes, on clean garments with ground (the paper's stronger one), without ground."""

from __future__ import annotations

import numpy as np
import torch
from networks import CONFIG, annotator
from scenes import garments, ground
from torch import nn


def normalised(pictures):
    """Pictures [B, h, w], uint8, as a network's input [B, 3, h, w]."""
    grey = torch.from_numpy(pictures).float()[:, None] / 255
    return ((grey - CONFIG["mean"][0]) / CONFIG["std"][0]).expand(-1, 3, -1, -1)


def clean(generator, count, images, classes, with_ground):
    """Crops [count, 32, 32] of one garment, whole or in part; with ground an eighth shows nothing, and says so."""
    crops = np.zeros((count, 32, 32), np.uint8)
    targets = np.full((count, 10), 0.02, np.float32)
    for place in range(count):
        if with_ground:
            crops[place] = ground(generator, 64)[:32, :32]
            if place % 8 == 0:
                targets[place] = 0.1
                continue
        choice = int(generator.integers(len(images)))
        top, left = (int(v) for v in generator.integers(-8, 13, 2))
        inner = crops[place, max(0, top) : top + 28, max(0, left) : left + 28]
        part = images[choice][max(0, -top) :, max(0, -left) :][: inner.shape[0], : inner.shape[1]]
        np.maximum(inner, part, out=inner)
        targets[place, classes[choice]] += 0.8
    return crops, targets


def train_clean(path, count, epochs, with_ground=True, stride=4, seed=0):
    """Trains an annotator on clean crops of garments that no scene shows, and saves its state dict."""
    if path.exists():
        return
    images, classes = garments("train")
    generator = np.random.default_rng(seed)
    crops, targets = clean(generator, count, images[20_000:], classes[20_000:], with_ground)
    torch.manual_seed(seed)
    network = annotator(stride=stride)
    fit(network, normalised(crops), torch.from_numpy(targets), epochs, generator)
    torch.save(network.state_dict(), path)


def fit(network, inputs, targets, epochs, generator, rate=0.1):
    """Stochastic gradient descent with one cosine."""
    batch = 64
    steps = epochs * (len(inputs) // batch)
    optimizer = torch.optim.SGD(network.parameters(), rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.2)
    network.train()
    for _ in range(epochs):
        order = torch.from_numpy(generator.permutation(len(inputs)))
        for chosen in order[: len(order) // batch * batch].view(-1, batch):
            loss = nn.functional.cross_entropy(network(inputs[chosen]), targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()
