"""A residual network tells ten kinds of photographs apart.

A deep network is hard to train because every layer has to pass on what the next ones need. A residual block (He, Zhang, Ren,
Sun 2015) adds what it computes to what it was given: out = x + f(x). What is there already gets through by itself, forward, and
so does the gradient, backward. Between stages the image halves and the channels double.

    minitorch run cifar-resnet                                   # 8 layers, 15 minutes on 2 cores
    minitorch run cifar-resnet --preset large --device cuda      # ResNet-18, 30 epochs
    minitorch run cifar-resnet --blocks 3 --width 16             # the ResNet-20 of the paper; 6n + 2 layers
    minitorch run cifar-resnet --predict photo.jpg
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.nn import functional as F
from samples.kit import Run, SampleError, Settings, option
from samples.kit.cifar import CIFAR10, name_pictures, shifted_and_flipped, to_input
from samples.kit.images import Broken
from samples.kit.metrics import Grades, host
from samples.kit.network import show


class Preset(NamedTuple):
    """Residual blocks per stage, channels of the first stage, stages (each has twice the channels of the one before)."""

    blocks: int
    width: int
    stages: int
    epochs: int


PRESETS = {"small": Preset(1, 16, 3, 12), "large": Preset(2, 64, 4, 30)}  # large: ResNet-18


@dataclass
class Config(Settings):
    preset: Literal["small", "large"] = option("small", "size of the network, and number of epochs")
    blocks: int | None = option(None, "residual blocks per stage (small: 1, large: 2)", minimum=1)
    width: int | None = option(None, "channels of the first stage (small: 16, large: 64)", minimum=1, quick=8)
    epochs: int | None = option(None, "passes over the training images (small: 12, large: 30)", minimum=1, quick=3)
    images: int = option(50_000, "training images", minimum=1, quick=1500)
    batch_size: int = option(128, "images per batch", minimum=1, quick=20)
    schedule: Literal["one-cycle", "cosine", "constant"] = option("one-cycle", "how the step size changes")
    learning_rate: float = option(0.1, "SGD's largest step size", minimum=0, quick=0.03)
    momentum: float = option(0.9, "share of the last step that is taken again", minimum=0)
    weight_decay: float = option(5e-4, "pull of the weights towards 0", minimum=0)
    augment: bool = option(True, "shift and flip the training images", quick=False)
    mixup: float = option(0.0, "up to which share another image, with its class, is mixed into each", minimum=0)
    weights: tuple[float, ...] = option((), "weights of the ten classes in the loss (all 1 if not given)", minimum=0)
    data: str | None = option(None, "folder with CIFAR-10's binary files, or 'synthetic' for drawn digits", quick="synthetic")
    broken: Broken = option("skip", "what to do about files to --predict that cannot be read: skip them, or refuse")


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    train = CIFAR10(config.data, train=True, download=True, limit=config.images)
    test = CIFAR10(config.data, train=False, download=True, limit=300 if config.quick else None)
    model = network(config)
    run.describe(model, to_input(test.data[:1], config.device))
    if config.plots:
        show(run, model, lambda net: F.cross_entropy(net(minitorch.rand(2, 3, 8, 8)), minitorch.tensor([1, 2])))
    run.print(f"{len(train):,} images to train on, {len(test):,} for the test")

    epochs, count = config.epochs or PRESETS[config.preset].epochs, -(-len(train) // config.batch_size)
    optimizer = optim.SGD(model.parameters(), lr=config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0,
                          weight_decay=config.weight_decay)
    schedule = stepping(optimizer, config, epochs * count)
    weights = class_weights(config)
    run.keep(model=model, optimizer=optimizer, schedule=schedule)
    for epoch in run.epochs(epochs, count):
        model.train()
        for x, y in batches(train, config):
            x, mixed = mixture(x, y, config.mixup)
            scores = model(x)
            loss = sum(share * F.cross_entropy(scores, labels, weight=weights) for share, labels in mixed)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            epoch.batch(loss.item(), scores=scores, labels=y)
        grades, _ = examine(model, test, config)
        epoch.add(**grades.metrics("test"))

    run.save(model.state_dict(), "model.npz")
    grades, scores = examine(model, test, config)
    _, recall, _ = grades.per_class()
    run.table(("class", "accuracy"), [(name, f"{share:.3f}") for name, share in zip(test.classes, recall)])
    if config.plots:
        plot(grades, scores, test, run)


# -- the network ---------------------------------------------------------------------------------------------------------


class Block(nn.Module):
    """x + f(x), where f is two convolutions; x goes through a 1x1 convolution of its own where its shape has to change."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(n_out)
        self.conv2, self.norm2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out)
        self.shortcut = nn.Identity() if stride == 1 and n_in == n_out else nn.Sequential(
            nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


class ResNet(nn.Module):
    """(n, 3, 32, 32) -> (n, 10), a score for each class"""

    def __init__(self, blocks: int, width: int, stages: int, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.stages = nn.Sequential()
        n_in = width
        for stage in range(stages):
            n_out = width * 2**stage
            for block in range(blocks):
                self.stages.append(Block(n_in, n_out, stride=2 if stage and not block else 1))
                n_in = n_out
        self.classify = nn.Linear(n_in, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.stages(self.stem(x)).mean((2, 3)))


def network(config: Config) -> ResNet:
    preset = PRESETS[config.preset]
    return ResNet(config.blocks or preset.blocks, config.width or preset.width, preset.stages).to(config.device)


# -- training ------------------------------------------------------------------------------------------------------------


def batches(train: CIFAR10, config: Config) -> Iterator[tuple[Tensor, Tensor]]:
    """All training images once, in a random order, each a little different every time."""
    order = minitorch.randperm(len(train)).numpy()
    for start in range(0, len(order), config.batch_size):
        images, labels = train[order[start : start + config.batch_size]]
        images = shifted_and_flipped(images) if config.augment else images
        yield to_input(images, config.device), minitorch.as_tensor(labels, device=config.device)


def mixture(x: Tensor, y: Tensor, most: float) -> tuple[Tensor, list[tuple[float, Tensor]]]:
    """Mixup (Zhang et al. 2017): each image laid over another one, and the shares in which its class and the other's count."""
    if not most:
        return x, [(1.0, y)]
    share = most * minitorch.rand(()).item()
    other = minitorch.randperm(len(y)).to(x.device)
    return (1 - share) * x + share * x[other], [(1 - share, y), (share, y[other])]


def stepping(optimizer: optim.Optimizer, config: Config, steps: int) -> Any:
    """What changes the step size after every batch."""
    if config.schedule == "one-cycle":  # up to the largest in the first third, then down to nearly nothing (Smith 2018)
        return optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps + 1, cycle_momentum=False)
    if config.schedule == "cosine":
        return optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    return optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)


def class_weights(config: Config) -> Tensor | None:
    if not config.weights:
        return None
    if len(config.weights) != 10:
        raise SampleError(f"--weights takes ten numbers, one for each class, not {len(config.weights)}")
    return minitorch.tensor(config.weights).to(config.device)


def examine(model: nn.Module, data: CIFAR10, config: Config) -> tuple[Grades, np.ndarray]:
    """How well the images are told apart, and their scores, shape (n, 10)."""
    grades, rows = Grades(10), []
    model.eval()
    with minitorch.no_grad():
        for start in range(0, len(data), 250):
            images, labels = data[start : start + 250]
            scores, y = model(to_input(images, config.device)), minitorch.as_tensor(labels, device=config.device)
            grades.add(scores, y, F.cross_entropy(scores, y).item())
            rows.append(host(scores))
    return grades, np.concatenate(rows)


def predict(config: Config, run: Run, files: Sequence[Path]) -> None:
    """Name what is on some pictures."""
    name_pictures(network(config), config, run, files)


def plot(grades: Grades, scores: np.ndarray, test: CIFAR10, run: Run) -> None:
    """The curves, how well each class is known, what is taken for what, and the mistakes it was surest of."""
    from samples.kit import plots
    from samples.kit.pictures import image_grid

    run.save_figure(plots.curves(run.lines), "curves.png")
    run.save_figure(plots.confusion(grades.confusion, test.classes), "confusion.png")
    figure, axes = plots.figure(6.4, 3.4)
    _, recall, _ = grades.per_class()
    order = recall.argsort()
    axes.barh([test.classes[k] for k in order], recall[order], color=plots.BLUE)
    axes.axvline(grades.accuracy, color=plots.GREY, linewidth=1)
    axes.set(title=f"test accuracy of each class; of all together {grades.accuracy:.3f}", xlim=(0, 1))
    run.save_figure(figure, "classes.png")

    answers, truth = scores.argmax(1), test.targets
    regret = scores.max(1) - scores[np.arange(len(truth)), truth]  # 0 where the answer is right
    worst = [k for k in regret.argsort()[::-1][:24] if regret[k] > 0]
    if worst:
        titles = [f"{test.classes[truth[k]]} as {test.classes[answers[k]]}" for k in worst]
        run.save_figure(image_grid(test.data[worst].transpose(0, 3, 1, 2), titles=titles, columns=6, size=128), "mistakes.png")
