"""The network of the first YOLO as a classifier, and what the batch size does to it.

YOLO (Redmon et al. 2015) began as a classifier: blocks of convolution, normalisation and activation, 1x1 convolutions that
first reduce the channels, pooling that halves the image, and in the end fully connected layers. This is its pattern at the
size of CIFAR-10. A study that trained such a network with batches of 8 to 128 saw the best validation between 32 and 80:

    minitorch run yolov1-cifar --batch-size 32
    minitorch sweep yolov1-cifar --set batch_size=8,16,32,48,64,80,128 --rounds 3    # loss, accuracy, precision, recall, F1
    minitorch run yolov1-cifar --predict photo.jpg
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import minitorch
from minitorch import nn, optim
from minitorch.nn import functional as F
from minitorch.utils.data import DataLoader, TensorDataset
from samples.kit import Run, SampleError, Settings, option
from samples.kit.cifar import CIFAR10, name_pictures, shifted_and_flipped, to_input
from samples.kit.images import Broken
from samples.kit.metrics import evaluate
from samples.kit.network import show


@dataclass
class Config(Settings):
    width: int = option(16, "channels of the first block; the last has eight times as many", minimum=1, quick=8)
    hidden: int = option(256, "neurons of the fully connected layer", minimum=1, quick=64)
    dropout: float = option(0.5, "share of them left out while learning", minimum=0, quick=0.1)
    images: int = option(20_000, "images; a fifth of them validates", minimum=10, quick=1500)
    batch_size: int = option(32, "images per step", minimum=1)
    epochs: int = option(10, "passes over the training images", minimum=1, quick=2)
    learning_rate: float = option(0.001, "Adam's step size in the first epoch, the same for every batch size", minimum=0)
    augment: bool = option(True, "shift and flip the training images", quick=False)
    data: str | None = option(None, "folder with CIFAR-10's binary files, or 'synthetic' for drawn digits", quick="synthetic")
    broken: Broken = option("skip", "what to do about files to --predict that cannot be read: skip them, or refuse")


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    data = CIFAR10(config.data, download=True, limit=config.images)
    used = len(data) - len(data) // 5
    if used == len(data):
        raise SampleError(f"of {len(data)} images none is left to validate; set larger --images")
    val = TensorDataset(to_input(data.data[used:], config.device),
                        minitorch.as_tensor(data.targets[used:], device=config.device))
    model = network(config)
    run.describe(model, val.tensors[0][:1])
    if config.plots:
        show(run, model, lambda net: F.cross_entropy(net(minitorch.rand(2, 3, 32, 32)), minitorch.tensor([1, 2])))
    run.print(f"{used:,} images to train on, {len(val):,} for validation")

    optimizer = optim.Adam(model.parameters(), lr=config.learning_rate)
    # The last epoch's steps are a tenth of the first one's.
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, max(config.epochs - 1, 1), config.learning_rate / 10)
    loader = DataLoader(range(used), config.batch_size, shuffle=True, collate_fn=np.array)
    run.keep(model=model, optimizer=optimizer, schedule=schedule)
    for epoch in run.epochs(config.epochs, len(loader)):
        model.train()
        for index in loader:
            images, labels = data[index]
            x = to_input(shifted_and_flipped(images) if config.augment else images, config.device)
            y = minitorch.as_tensor(labels, device=config.device)
            scores = model(x)
            loss = F.cross_entropy(scores, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch.batch(loss.item(), scores=scores, labels=y)
        schedule.step()
        epoch.add(**evaluate(model, val, classes=10, batch_size=250).metrics("val"))

    run.save(model.state_dict(), "model.npz")
    if config.plots:
        from samples.kit import plots

        run.save_figure(plots.curves(run.lines), "curves.png")
        run.save_figure(plots.confusion(evaluate(model, val, classes=10).confusion, data.classes), "confusion.png")


class Block(nn.Sequential):
    """Convolution, normalisation, activation: the brick of all YOLO networks."""

    def __init__(self, n_in: int, n_out: int, kernel: int) -> None:
        super().__init__(nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(n_out),
                         nn.LeakyReLU(0.1))


def network(config: Config) -> nn.Module:
    """(n, 3, 32, 32) -> (n, 10), a score for each class"""
    w = config.width
    return nn.Sequential(
        Block(3, w, 3), nn.MaxPool2d(2),                                                                        # 16x16
        Block(w, 2 * w, 3), nn.MaxPool2d(2),                                                                    # 8x8
        Block(2 * w, 2 * w, 1), Block(2 * w, 4 * w, 3), Block(4 * w, 2 * w, 1), Block(2 * w, 4 * w, 3), nn.MaxPool2d(2),  # 4x4
        Block(4 * w, 4 * w, 1), Block(4 * w, 8 * w, 3), Block(8 * w, 4 * w, 1), Block(4 * w, 8 * w, 3),
        nn.Flatten(), nn.Linear(8 * w * 4 * 4, config.hidden), nn.LeakyReLU(0.1), nn.Dropout(config.dropout),
        nn.Linear(config.hidden, 10),
    ).to(config.device)  # fmt: skip


def predict(config: Config, run: Run, files: Sequence[Path]) -> None:
    """Name what is on some pictures."""
    name_pictures(network(config), config, run, files)
