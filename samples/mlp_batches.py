"""Ten classes in the plane, and what the batch size does to learning.

A network 2-32-10 (ReLU, then Softmax) learns by plain SGD. A batch of one follows every single point, a batch of 128 the mean
of many: few large steps with little noise, or many with much. An earlier study found learning erratic with a batch of 1 and
best with 2. One run cannot tell; a sweep over seeds can. Ours, 10 rounds of 15 epochs, also finds a batch of 1 the most erratic
(validation loss 0.40 ± 0.08, accuracy 0.862 ± 0.022), but 8 to 16 the best (accuracy 0.898 ± 0.015, against 0.875 ± 0.020
with 2); above 32 there are too few steps to arrive. docs/samples.md has all of it.

    minitorch run mlp-batches --batch-size 2
    minitorch sweep mlp-batches --set batch_size=1,2,4,8,16,32,64,128 --rounds 10
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.utils.data import DataLoader, TensorDataset, random_split
from samples.kit import Run, Settings, option
from samples.kit.metrics import evaluate, host

CLASSES = 10


@dataclass
class Config(Settings):
    points: int = option(1500, "points in all; a third of them validates", minimum=30)
    spread: float = option(0.2, "standard deviation of a class; the middles lie 0.6 apart", minimum=0)
    batch_size: int = option(2, "points per step", minimum=1, quick=8)
    epochs: int = option(15, "passes over the points", minimum=1, quick=10)
    learning_rate: float = option(0.1, "SGD's step size, the same for every batch size", minimum=0)


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    data = classes(config.points, config.spread, config.device)
    train, held_out = random_split(data, [len(data) - len(data) // 3, len(data) // 3])
    loader = DataLoader(train, config.batch_size, shuffle=True)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, CLASSES), nn.Softmax(1)).to(config.device)
    optimizer = optim.SGD(model.parameters(), lr=config.learning_rate)
    run.keep(model=model, optimizer=optimizer)

    for epoch in run.epochs(config.epochs, len(loader)):
        model.train()
        for x, y in loader:
            chances = model(x)
            loss = likelihood_loss(chances, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch.batch(loss.item(), scores=chances, labels=y)
        epoch.add(**evaluate(model, held_out, CLASSES, likelihood_loss).metrics("val"))

    run.save(model.state_dict(), "model.npz")
    if config.plots:
        plot(model, data, held_out, run)


def likelihood_loss(chances: Tensor, y: Tensor) -> Tensor:
    """Minus the logarithm of the chance that the network gave to the right class.

    The network ends in a Softmax, as in the study, so the logarithm comes after it. (CrossEntropyLoss does both at once, and
    does not overflow; here a chance of exactly 0 is kept from becoming an infinite loss.)
    """
    return -minitorch.log(chances.gather(1, y.unsqueeze(1)).clamp(min=1e-12)).mean()


def classes(count: int, spread: float, device: str) -> TensorDataset:
    """Ten round clouds, three in the middle and seven around them, as many points of each as of any other."""
    inner, outer = (2 * np.pi * np.arange(n) / n for n in (3, 7))
    middles = np.concatenate([0.35 * np.stack([np.cos(inner), np.sin(inner)], 1), np.stack([np.cos(outer), np.sin(outer)], 1)])
    y = minitorch.randperm(count).numpy() % CLASSES
    x = middles[y] + spread * minitorch.randn(count, 2).numpy()
    return TensorDataset(minitorch.as_tensor(x.astype(np.float32), device=device), minitorch.as_tensor(y, device=device))


def plot(model: nn.Module, data: TensorDataset, held_out: object, run: Run) -> None:
    """The plane as the network divides it, the curves, the confusion matrix."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    run.save_figure(plots.confusion(evaluate(model, held_out, CLASSES, likelihood_loss).confusion,
                                    [str(k) for k in range(CLASSES)]), "confusion.png")
    points, y = (host(tensor) for tensor in data.tensors)
    edge = float(np.abs(points).max()) + 0.1
    side = np.linspace(-edge, edge, 200, dtype=np.float32)
    with minitorch.no_grad():
        places = minitorch.as_tensor(np.stack(np.meshgrid(side, side), -1).reshape(-1, 2), device=data.tensors[0].device)
        chances = host(model(places))
    figure, axes = plots.figure(5.4, 5.2)
    axes.imshow(chances.argmax(1).reshape(200, 200), extent=(-edge, edge, -edge, edge), origin="lower", cmap="tab10", vmin=0,
                vmax=9, alpha=0.35, interpolation="nearest")
    axes.scatter(*points.T, c=y, cmap="tab10", vmin=0, vmax=9, s=7)
    axes.set(title="ten classes, and where the network puts their borders", xlim=(-edge, edge), ylim=(-edge, edge))
    axes.grid(False)
    run.save_figure(figure, "plane.png")
