"""Logistic regression: the smallest thing that deserves the name of a classifier, a line through the plane.

    z = x @ w + b                 which side of the line a point lies on, and how far from it
    p = 1 / (1 + exp(-z))         the probability that it is of class 1
    loss = mean of -log p, or of -log(1 - p) where the class is 0

Nothing but two tensors learns here, and the update is written out: the three lines that every optimizer hides.

    minitorch run logistic
    minitorch run logistic --distance 1 --epochs 60      # clouds that overlap: no line can be right everywhere
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import minitorch
from minitorch import Tensor, no_grad
from minitorch.nn.functional import softplus
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    points: int = option(200, "points to learn from; as many again test", minimum=2)
    distance: float = option(2.4, "between the middles of the two clouds, in standard deviations", minimum=0)
    learning_rate: float = option(0.5, "step per unit of gradient", minimum=0)
    epochs: int = option(40, "steps; each looks at all points", minimum=1, quick=15)


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    x, y = clouds(config.points, config.distance)
    x_test, y_test = clouds(config.points, config.distance)
    w = minitorch.tensor([-1.0, 1.0], requires_grad=True)  # a bad start, so that there is something to see
    b = minitorch.tensor([0.0], requires_grad=True)
    path = [(*w.tolist(), b.item())]
    run.keep(w_and_b=[w, b])

    for epoch in run.epochs(config.epochs, batches=1):
        z = x @ w + b
        loss = cross_entropy(z, y)
        loss.backward()
        with no_grad():  # the update is no part of the function that is being learnt
            for p in (w, b):
                assert p.grad is not None
                p -= config.learning_rate * p.grad
                p.grad = None  # or the next backward() would add to it
        epoch.batch(loss.item(), scores=z, labels=y)
        with no_grad():
            z = x_test @ w + b
            right = (z > 0) == (y_test > 0.5)
            epoch.add(test_loss=cross_entropy(z, y_test).item(), test_accuracy=right.float().mean().item())
            epoch.add(w_x=w[0].item(), w_y=w[1].item(), b=b.item())

    run.print(f"the line: {w[0].item():.3f} x {w[1].item():+.3f} y {b.item():+.3f} = 0")
    run.save({"w": w, "b": b}, "model.npz")
    path += [(line["w_x"], line["w_y"], line["b"]) for line in run.lines]
    if config.plots:
        plot(path, x, y, run, frames=12 if config.quick else 60)


def clouds(count: int, distance: float) -> tuple[Tensor, Tensor]:
    """Two round clouds: points, shape (count, 2), and their classes 0 and 1, shape (count,)."""
    y = (minitorch.arange(count) % 2).float()
    middles = (y - 0.5).reshape(-1, 1) * minitorch.tensor([0.8, 0.6]) * distance
    return middles + minitorch.randn(count, 2), y


def cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    """-log p for class 1 is log(1 + exp(-z)) = softplus(-z); for class 0, softplus(z). Written so, nothing overflows."""
    return softplus((1 - 2 * y) * z).mean()


def plot(path: list[tuple[float, ...]], x: Tensor, y: Tensor, run: Run, frames: int) -> None:
    """The boundary as it turns, with the loss beside it: an animation, and its last picture."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    points, classes = x.numpy(), y.numpy()
    low, high = points.min() - 0.5, points.max() + 0.5
    side = np.linspace(low, high, 120)
    plane = np.stack(np.meshgrid(side, side), axis=-1)

    figure, (left, right) = plots.figure(9.0, 4.2, columns=2)
    shade = plots.plane(left, np.zeros((120, 120)), (low, high, low, high))
    (boundary,) = left.plot([], [], color="black", linewidth=1.5)
    clouds = plots.two_classes(left, points, classes > 0)
    left.set_title("probability of class 1; the line is where it is ½")
    losses = [line["train_loss"] for line in run.lines]
    right.plot(range(1, len(losses) + 1), losses, color=plots.GREY, linewidth=1)
    (mark,) = right.plot([], [], "o", color=plots.BLUE)
    right.set(title="loss", xlabel="epoch", ylim=(0, None))

    def show(k: int) -> None:
        w0, w1, b = path[k]
        z = plane @ np.array([w0, w1]) + b
        shade.set_data(1 / (1 + np.exp(-z)))
        # Where w0*x + w1*y + b = 0: the foot of the line and its direction.
        length = max(w0**2 + w1**2, 1e-12)
        foot, along = -b / length * np.array([w0, w1]), np.array([-w1, w0]) / length**0.5
        ends = foot + np.outer([-99, 99], along)
        boundary.set_data(*ends.T)
        mark.set_data([max(k, 1)], [losses[max(k, 1) - 1]])

    last = len(path) - 1
    shown = sorted({round(last * (k / (frames - 1)) ** 2) for k in range(frames)})
    run.save_gif(plots.animate(figure, [shade, boundary, *clouds, mark], show, shown), "boundary.gif", seconds=4)
    show(last)
    run.save_figure(figure, "boundary.png")
