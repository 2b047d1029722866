"""Training the annotators: on the noisy scenes, on clean garments with ground (the paper's stronger one), without ground."""

from __future__ import annotations

import numpy as np
import torch
from networks import CONFIG, Tokens
from scenes import garments, ground
from torch import nn


def normalised(pictures):
    """Pictures [B, h, w, 3], uint8, as a network's input [B, 3, h, w]."""
    scaled = torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32)) / 255
    return (scaled - CONFIG["mean"][0]) / CONFIG["std"][0]


def clean(generator, count, images, kinds, with_ground, set_up):
    """Crops [count, 32, 32, 3] of one garment, whole or in part; with ground an eighth shows nothing, and says so."""
    crops = np.zeros((count, 32, 32, 3), np.uint8)
    classes = len(set_up.classes)
    targets = np.full((count, classes), 0.2 / classes, np.float32)
    for place in range(count):
        if with_ground:
            crops[place] = ground(generator, 64)[:32, :32]
            if place % 8 == 0:
                targets[place] = 1 / classes
                continue
        choice = int(generator.integers(len(images)))
        top, left = (int(v) for v in generator.integers(-8, 13, 2))
        inner = crops[place, max(0, top) : top + 28, max(0, left) : left + 28]
        garment, label = set_up.dressed(generator, images[choice], kinds[choice])
        part = garment[max(0, -top) :, max(0, -left) :][: inner.shape[0], : inner.shape[1]]
        np.maximum(inner, part, out=inner)
        targets[place, label] += 0.8
    return crops, targets


def train_clean(path, make, set_up, count, epochs, with_ground=True, seed=0):
    """Trains what `make` makes on clean crops of garments that no scene shows, and saves its state dict."""
    if path.exists():
        return
    images, kinds = garments("train")
    generator = np.random.default_rng(seed)
    crops, targets = clean(generator, count, images[20_000:], kinds[20_000:], with_ground, set_up)
    torch.manual_seed(seed)
    network = make()
    fit(network, normalised(crops), torch.from_numpy(targets), epochs, generator)
    torch.save(network.state_dict(), path)


def fit(network, inputs, targets, epochs, generator):
    """Stochastic gradient descent with one cosine; for networks of tokens, which it does not suit, AdamW."""
    batch = 64
    steps = epochs * (len(inputs) // batch)
    if isinstance(network, Tokens):
        rate = 1e-3
        optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=0.05)
    else:
        rate = 0.1
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
