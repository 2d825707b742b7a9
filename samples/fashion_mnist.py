"""The same classifier twice: first as bare tensors, then with Module, Dataset, DataLoader, transforms and an optimizer.

Both are 784-128-10 networks that learn 60,000 pictures of clothes, from the same first weights and in the same order, so they
reach the same accuracy. (Only rounding tells them apart: sums in another order differ in the seventh digit, and 7,500 steps let
that grow to one or two images of a thousand.) What differs is the code, and that is the lesson: all that `Bare` spells out has
a name.

    two tensors of the right size, by hand          nn.Linear
    x @ w.T + b, then hidden * (hidden > 0)         nn.Sequential, nn.ReLU
    max, exp, sum, log, one index, mean             nn.CrossEntropyLoss
    velocities, p -= rate * v, p.grad = None        optim.SGD: step(), zero_grad()
    the cosine that lowers the rate                 lr_scheduler.CosineAnnealingLR
    randperm, then slices of it                     DataLoader
    pixels / 255, minus the mean, by the deviation  transforms: ToTensor, Normalize

    minitorch run fashion-mnist
    minitorch run fashion-mnist --data synthetic     # digits drawn by a program, no network needed
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor, nn, no_grad, optim
from minitorch.data.transforms import Compose, Normalize, ToTensor
from minitorch.utils.data import DataLoader
from samples.kit import Run, Settings, option
from samples.kit.metrics import Grades
from samples.kit.mnist import FashionMNIST

MEAN, DEVIATION = 0.286, 0.353  # of the pixels of the training images, black 0 and white 1


@dataclass
class Config(Settings):
    hidden: int = option(128, "hidden neurons", minimum=1, quick=32)
    epochs: int = option(8, "passes over the images, for each of the two", minimum=1, quick=2)
    batch_size: int = option(64, "images per batch", minimum=1)
    learning_rate: float = option(0.02, "step size in the first epoch; it falls to a twentieth of that", minimum=0)
    momentum: float = option(0.9, "share of the last step that goes on", minimum=0)
    images: int = option(60_000, "images to learn from, the first ones", minimum=1, quick=4000)
    data: str | None = option(None, "folder with the FashionMNIST files, or 'synthetic' for generated digits")


# -- 1. bare tensors: everything is said ---------------------------------------------------------------------------------


class Bare:
    """Two matrices, two rows of biases, and the arithmetic between them."""

    def __init__(self, config: Config) -> None:
        self.parameters = [
            *self.layer(784, config.hidden),
            *self.layer(config.hidden, 10),
        ]
        self.velocities = [minitorch.zeros_like(p) for p in self.parameters]
        self.momentum = config.momentum

    @staticmethod
    def layer(n_in: int, n_out: int) -> Iterator[Tensor]:
        bound = 1 / math.sqrt(n_in)  # small enough that sums of n_in terms stay near 1
        for shape in ((n_out, n_in), (n_out,)):
            yield (minitorch.rand(*shape) * (2 * bound) - bound).requires_grad_()

    def scores(self, x: Tensor) -> Tensor:
        w1, b1, w2, b2 = self.parameters
        hidden = x @ w1.T + b1
        hidden = hidden * (hidden > 0)  # ReLU
        return hidden @ w2.T + b2

    @staticmethod
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        """Cross entropy: minus the logarithm of the probability given to the right class."""
        shifted = scores - scores.max(1, keepdim=True)[0]  # the largest exponent becomes 0: nothing overflows
        log_chances = shifted - shifted.exp().sum(1, keepdim=True).log()
        return -log_chances[minitorch.arange(len(y)), y].mean()

    def step(self, rate: float) -> None:
        """Gradient descent with momentum."""
        with no_grad():
            for p, v in zip(self.parameters, self.velocities):
                assert p.grad is not None
                v *= self.momentum
                v += p.grad
                p -= rate * v
                p.grad = None


def batches(images: Tensor, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All images once, in random order."""
    order = minitorch.randperm(len(labels))
    for start in range(0, len(labels), size):
        which = order[start : start + size]
        yield images[which], labels[which]


def rows(data: FashionMNIST) -> tuple[Tensor, Tensor]:
    """Images as rows of 784 numbers of mean 0 and deviation 1, and their classes."""
    pixels = data.data.reshape(-1, 784).astype(np.float32) / np.float32(255)
    return Tensor((pixels - np.float32(MEAN)) / np.float32(DEVIATION)), Tensor(data.targets)


# -- 2. the same with the parts that every training has in common --------------------------------------------------------


def model(hidden: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))


to_input = Compose([ToTensor(), Normalize(MEAN, DEVIATION)])  # one image at a time, as it is asked for


def main(config: Config, run: Run) -> None:
    train = FashionMNIST(config.data, True, download=True, transform=to_input, limit=config.images)
    test = FashionMNIST(config.data, False, download=True, transform=to_input, limit=2000 if config.quick else None)
    images, labels = rows(train)

    # Seeded alike, both draw the same first weights; and below, the same order of images.
    minitorch.manual_seed(config.seed)
    bare = Bare(config)
    minitorch.manual_seed(config.seed)
    network = model(config.hidden)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(network.parameters(), lr=config.learning_rate, momentum=config.momentum)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs, eta_min=config.learning_rate / 20)
    loader = DataLoader(train, config.batch_size, shuffle=True)
    run.describe(network, minitorch.zeros(1, 1, 28, 28))
    run.keep(parameters=bare.parameters, velocities=bare.velocities)
    run.keep(network=network, optimizer=optimizer, scheduler=scheduler)

    for epoch in run.epochs(config.epochs, 2 * len(loader)):
        minitorch.manual_seed(config.seed + epoch.number)
        progress = (epoch.number - 1) / config.epochs  # the cosine that the scheduler has, written out
        rate = config.learning_rate * (0.05 + 0.95 * (1 + math.cos(math.pi * progress)) / 2)
        for x, y in batches(images, labels, config.batch_size):
            scores = bare.scores(x)
            loss = bare.loss(scores, y)
            loss.backward()
            bare.step(rate)
            epoch.batch(loss.item(), scores=scores, labels=y)

        minitorch.manual_seed(config.seed + epoch.number)
        for x, y in loader:
            scores = network(x)
            loss = criterion(scores, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch.batch(loss.item(), scores=scores, labels=y)
        scheduler.step()

        grades = grade(lambda x: bare.scores(x.flatten(1)), test), grade(network, test)
        epoch.add(bare_accuracy=grades[0].accuracy, **grades[1].metrics("test"))

    bare_accuracy, accuracy = run.lines[-1]["bare_accuracy"], run.lines[-1]["test_accuracy"]
    apart = max(np.abs(p.detach().numpy() - q.detach().numpy()).max() for p, q in zip(bare.parameters, network.parameters()))
    run.print(f"test accuracy {bare_accuracy:.4f} as bare tensors, {accuracy:.4f} as a Module; "
              f"their weights differ by at most {apart:.1e}")
    run.save(network.state_dict(), "model.npz")
    if config.plots:
        from samples.kit import plots

        run.save_figure(plots.curves(run.lines), "curves.png")
        run.save_figure(plots.confusion(grade(network, test).confusion, FashionMNIST.classes), "confusion.png")


def grade(scores_of: Any, test: FashionMNIST) -> Grades:
    """How well it does on images it has not seen."""
    grades = Grades(10)
    criterion = nn.CrossEntropyLoss()
    with no_grad():
        for x, y in DataLoader(test, batch_size=1000):
            scores = scores_of(x)
            grades.add(scores, y, criterion(scores, y).item())
    return grades

