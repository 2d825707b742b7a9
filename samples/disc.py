"""Is a point inside the disc? A published experiment, run again.

1,000 points to learn from and 1,000 to test, uniform in the unit square; class 1 inside the disc around (0.5, 0.5) whose area
is half of the square's, radius 1/sqrt(2 pi). A network 2-25-25-25-1 learns from the squared error, with plain SGD.

The original (a course project that wrote its own framework) reports 0.896 of the training and 0.851 of the test points
right after 50,000 epochs. Its code labels the square around the disc, not the disc: `--label square` runs that one.

    minitorch run disc
    minitorch run disc --label square
    minitorch run disc --evaluate runs/disc/<time>      # load the saved model, test it on fresh points
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

import minitorch
from minitorch import nn, optim
from minitorch.utils.data import DataLoader, TensorDataset
from samples.kit import Run, SampleError, Settings, option
from samples.kit.metrics import Grades, host

RADIUS = 1 / math.sqrt(2 * math.pi)
ORIGINAL = {"train": 0.896, "test": 0.851}


@dataclass
class Config(Settings):
    label: Literal["disc", "square"] = option("disc", "what class 1 is: the disc, or the square around it")
    activation: Literal["tanh", "relu"] = option("tanh", "what a hidden neuron applies")
    points: int = option(1000, "points to learn from, and as many to test", minimum=10)
    epochs: int = option(150, "passes over the points", minimum=1, quick=40)
    batch_size: int = option(10, "points per backward pass", minimum=1)
    accumulate: int = option(2, "backward passes per step: gradients add up until the optimizer takes them", minimum=1)
    learning_rate: float = option(0.1, "of SGD in the first epoch; it falls to a twentieth of that", minimum=0)
    momentum: float = option(0.9, "share of the last step that goes on", minimum=0)
    evaluate: str | None = option(None, "learn nothing; test the model saved in this run's folder")


def main(config: Config, run: Run) -> None:
    if config.evaluate:
        return evaluate_saved(config, run)
    minitorch.manual_seed(config.seed)
    train, test = (points(config.points, config.label, config.device) for _ in range(2))
    model = network(config.activation).to(config.device)
    criterion = nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=config.learning_rate, momentum=config.momentum)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs, eta_min=config.learning_rate / 20)
    loader = DataLoader(train, config.batch_size, shuffle=True)
    run.keep(model=model, optimizer=optimizer, scheduler=scheduler)
    run.describe(model, train.tensors[0][:1])
    run.print(f"class 1 is the {config.label}")

    for epoch in run.epochs(config.epochs, len(loader)):
        model.train()
        for k, (x, y) in enumerate(loader, 1):
            answers = model(x).reshape(-1)
            # backward() adds to .grad, so two passes of 10 points, each loss halved, are one pass of 20: the same
            # gradient for half the memory. The optimizer comes in when enough have added up.
            loss = criterion(answers, y)
            (loss / config.accumulate).backward()
            if k % config.accumulate == 0 or k == len(loader):
                optimizer.step()
                optimizer.zero_grad()
            epoch.batch(loss.item(), scores=answers - 0.5, labels=y)
        scheduler.step()
        epoch.add(**grade(model, test).metrics("test"))

    last = run.lines[-1]
    run.table(("accuracy", "original (square), 50,000 epochs", f"this run, {config.epochs} epochs"),
              [(part, f"{ORIGINAL[part]:.3f}", f"{last[part + '_accuracy']:.3f}") for part in ("train", "test")])
    run.save({"model": model.state_dict(), "activation": config.activation, "label": config.label}, "model.npz")
    run.print(f"again, on fresh points: --evaluate {run.folder}")
    if config.plots:
        plot(model, test, config, run)


def network(activation: str) -> nn.Sequential:
    """2-25-25-25-1. No activation at the end: the answer should be 0 or 1, and the squared error pulls it there."""
    between = {"tanh": nn.Tanh, "relu": nn.ReLU}[activation]
    return nn.Sequential(nn.Linear(2, 25), between(), nn.Linear(25, 25), between(), nn.Linear(25, 25), between(),
                         nn.Linear(25, 1))


def points(count: int, label: str, device: str) -> TensorDataset:
    """Points uniform in the unit square, moved to mean 0 and deviation 1, and their classes 0.0 and 1.0."""
    places = minitorch.rand(count, 2).numpy()
    away = np.abs(places - 0.5)
    inside = np.hypot(*away.T) < RADIUS if label == "disc" else away.max(1) < RADIUS
    return TensorDataset(minitorch.as_tensor(standardized(places), device=device),
                         minitorch.as_tensor(inside.astype(np.float32), device=device))


def standardized(places: np.ndarray) -> np.ndarray:
    """Mean 0 and deviation 1, known from the uniform distribution and not taken from the data."""
    return ((places - 0.5) * math.sqrt(12)).astype(np.float32)


def grade(model: nn.Module, data: TensorDataset) -> Grades:
    """How well it does on points it does not learn from."""
    grades = Grades(2)
    x, y = data.tensors
    model.eval()
    with minitorch.no_grad():
        answers = model(x).reshape(-1)
        grades.add(answers - 0.5, y, nn.MSELoss()(answers, y).item())
    return grades


def evaluate_saved(config: Config, run: Run) -> None:
    """The second command: the model as it was saved, on points nobody has seen."""
    path = Path(str(config.evaluate)) / "model.npz"
    try:
        saved = minitorch.load(path)
        model = network(saved["activation"]).to(config.device)
        model.load_state_dict(saved["model"])
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SampleError(f"there is no model of disc in {path} ({str(error).splitlines()[0]})") from None
    minitorch.manual_seed(config.seed + 1_000_003)
    grades = grade(model, points(10 * config.points, saved["label"], config.device))
    run.log(epoch=0, **grades.metrics("test"))
    run.print(f"{path}, class 1 is the {saved['label']}: {grades.accuracy:.4f} of {grades.examples:,} fresh points right")
    run.table(("", "answer 0", "answer 1"), [(f"class {k}", *map(str, row)) for k, row in enumerate(grades.confusion.tolist())])


def plot(model: nn.Module, test: TensorDataset, config: Config, run: Run) -> None:
    """Where the network says 1, the true edge, and the test points it got wrong."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    figure, axes = plots.figure(5.4, 4.6)
    side = np.linspace(0, 1, 150)
    plane = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    x, y = test.tensors
    with minitorch.no_grad():
        shade = host(model(minitorch.as_tensor(standardized(plane), device=config.device))).reshape(150, 150)
        wrong = (host(model(x)).reshape(-1) > 0.5) != (host(y) > 0.5)
    image = plots.plane(axes, shade, (0, 1, 0, 1))
    figure.colorbar(image, ax=axes, ticks=[0, 0.5, 1], label="the network's answer")
    turn = np.linspace(0, 2 * np.pi, 200)
    edge = (np.stack([np.cos(turn), np.sin(turn)]) if config.label == "disc"
            else np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]))
    axes.plot(*(0.5 + RADIUS * edge), color="black", linewidth=1, linestyle="--", label="true edge")
    places = host(x)[wrong] / math.sqrt(12) + 0.5
    axes.scatter(*places.T, marker="x", s=24, color=plots.RED, label=f"wrong: {wrong.sum()} of {len(wrong):,}", zorder=3)
    axes.set(title="0 outside, 1 inside", aspect="equal")
    axes.legend(loc="lower left", frameon=True, fontsize=8)
    run.save_figure(figure, "disc.png")
