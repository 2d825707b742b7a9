"""A neural network made of single numbers learns to part two half-moons.

Every weight is a Value, every multiplication a node: what a tensor library does in bulk happens here one number at a
time, and each of those numbers can be looked at. The network, its loss and its training are those of micrograd's demo
(Karpathy 2020), so the two can be compared.

    minitorch run moons
    minitorch run moons --hidden 8,8 --points 60
    minitorch debug moons -- --hidden 3 --points 4     # small enough to step through by hand
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minitorch import Value, no_grad
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    points: int = option(100, "points to learn from", minimum=2, quick=40)
    noise: float = option(0.1, "standard deviation of their scatter around the moons", minimum=0)
    hidden: tuple[int, ...] = option((16, 16), "neurons of each hidden layer", minimum=1, quick=(8,))
    epochs: int = option(100, "steps; each looks at all points", minimum=1, quick=25)
    learning_rate: float = option(1.0, "of the first step; it falls to a tenth of that", minimum=0)
    weight_decay: float = option(1e-4, "weight of the sum of squares of the parameters in the loss", minimum=0)
    seed: int = option(1337, "seed of all random numbers", minimum=0)


class Neuron:
    """A weighted sum of its inputs, cut off below zero unless it is linear."""

    def __init__(self, inputs: int, linear: bool, rng: random.Random, name: str) -> None:
        self.weights = [Value(rng.uniform(-1, 1), name=f"{name}.w{k}") for k in range(inputs)]
        self.bias = Value(0.0, name=f"{name}.b")
        self.linear = linear

    def __call__(self, x: Sequence[Value | float]) -> Value:
        total = self.bias
        for w, xi in zip(self.weights, x):
            total = total + w * xi
        return total if self.linear else total.relu()


class Network:
    """Layers of neurons. The last, one linear neuron, gives the score: above 0 one moon, below 0 the other."""

    def __init__(self, sizes: Sequence[int], rng: random.Random) -> None:
        last = len(sizes) - 2
        self.layers = [[Neuron(n_in, layer == last, rng, f"{layer}.{k}") for k in range(n_out)]
                       for layer, (n_in, n_out) in enumerate(zip(sizes, sizes[1:]))]

    def __call__(self, x: Sequence[Any]) -> Value:
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        (score,) = x
        return score

    def parameters(self) -> list[Value]:
        return [p for layer in self.layers for neuron in layer for p in (*neuron.weights, neuron.bias)]


def main(config: Config, run: Run) -> None:
    rng = random.Random(config.seed)
    train, test = moons(config.points, config.noise, rng), moons(config.points, config.noise, rng)
    network = Network((2, *config.hidden, 1), rng)
    parameters = network.parameters()
    run.print(f"{len(parameters)} parameters, {config.points} points")
    run.keep(parameters=parameters)  # saved after every epoch, and what --resume goes on from

    for epoch in run.epochs(config.epochs, batches=1):
        scores = [network(point) for point, _ in train]
        loss = margin_loss(scores, train) + config.weight_decay * sum((p * p for p in parameters), Value(0.0))
        for p in parameters:
            p.grad = None  # or backward() would add to what the last step left
        loss.backward()
        rate = config.learning_rate * (1 - 0.9 * (epoch.number - 1) / config.epochs)
        for p in parameters:
            p.data -= rate * p.grad
        epoch.batch(loss.data, correct=right(scores, train), of=len(train))

        with no_grad():  # nothing is learnt from the test points, so nothing needs recording
            scores = [network(point) for point, _ in test]
            epoch.add(test_loss=margin_loss(scores, test).data, test_accuracy=right(scores, test) / len(test))

    if config.plots:
        plot(network, train, run, steps=30 if config.quick else 60)


Points = list[tuple[tuple[float, float], int]]


def moons(count: int, noise: float, rng: random.Random) -> Points:
    """Two half circles that reach into each other: ((x, y), +1 or -1), as many of one as of the other."""
    points: Points = []
    for k in range(count):
        angle = rng.uniform(0, math.pi)
        x, y, label = math.cos(angle), math.sin(angle), -1
        if k % 2:
            x, y, label = 1 - x, 0.5 - y, 1
        points.append(((x + rng.gauss(0, noise), y + rng.gauss(0, noise)), label))
    return points


def margin_loss(scores: Sequence[Value], points: Points) -> Value:
    """The "max-margin" loss of support vector machines: nothing to pay where the score is right by more than 1."""
    losses = [(1 - label * score).relu() for score, (_, label) in zip(scores, points)]
    return sum(losses, Value(0.0)) * (1.0 / len(losses))


def right(scores: Sequence[Value], points: Points) -> int:
    """How many scores have the sign of their label."""
    return sum((score.data > 0) == (label > 0) for score, (_, label) in zip(scores, points))


def plot(network: Network, points: Points, run: Run, steps: int) -> None:
    """The points over the network's opinion of the plane, and the curves of the training."""
    import numpy as np

    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    figure, axes = plots.figure(5.6, 4.4)
    xs, ys = np.linspace(-1.6, 2.6, steps), np.linspace(-1.2, 1.7, steps)
    with no_grad():
        scores = np.array([[network((x, y)).data for x in xs.tolist()] for y in ys.tolist()])
    plots.plane(axes, (np.tanh(scores) + 1) / 2, (xs[0], xs[-1], ys[0], ys[-1]))
    axes.contour(xs, ys, scores, levels=[-1, 0, 1], colors="black", linewidths=[0.6, 1.5, 0.6],
                 linestyles=["--", "-", "--"])
    plots.two_classes(axes, np.array([place for place, _ in points]), np.array([label > 0 for _, label in points]))
    axes.set_title("score 0 (solid), margins at -1 and 1 (dashed)")
    run.save_figure(figure, "boundary.png")
