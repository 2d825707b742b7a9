"""The ten graphs of the lessons, from two additions to a GAN, each small enough for a projector."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor, Value, nn, tensor
from tests.viz.graphs import broadcast, double, mlp, twice_double


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def neuron() -> Value:
    """micrograd's neuron: two inputs, two weights, a bias, tanh."""
    x1, x2 = Value(2.0, name="x1"), Value(0.0, name="x2")
    w1, w2 = Value(-3.0, name="w1"), Value(1.0, name="w2")
    b = Value(6.8813735870195432, name="b")
    x1w1, x2w2 = (x1 * w1).named("x1w1"), (x2 * w2).named("x2w2")
    n = ((x1w1 + x2w2).named("x1w1x2w2") + b).named("n")
    return n.tanh().named("o")


def linear() -> Tensor:
    """x @ W + b: the bias is broadcast."""
    x = tensor(numbers(4, 3), name="x")
    w, b = tensor(numbers(3, 2, seed=1), requires_grad=True, name="W"), tensor(numbers(2, seed=2), requires_grad=True, name="b")
    return (x @ w + b).named("y").sum().named("total")


def classifier() -> Tensor:
    """Softmax and cross entropy, written out."""
    scores = tensor(numbers(3, 4), requires_grad=True, name="scores")
    chances = minitorch.softmax(scores, dim=1).named("p")
    truth = tensor(np.eye(4, dtype=np.float32)[[0, 2, 1]], name="truth")
    return (-(truth * chances.log()).sum() / 3).named("loss")


class Convolutional(nn.Module):
    """Convolution, relu, pooling, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool, self.fc = nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Linear(36, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.conv(x).relu()).flatten(1))


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm, self.conv2 = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.conv2(self.norm(self.conv1(x)).relu())).relu()


class Cell(nn.Module):
    """An LSTM cell, its gates written out."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.input, self.hidden = nn.Linear(width, 4 * width), nn.Linear(width, 4 * width, bias=False)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Tensor:
        i, f, g, o = (self.input(x) + self.hidden(h)).chunk(4, dim=1)
        c = (f.sigmoid() * c + i.sigmoid() * g.tanh()).named("c'")
        return (o.sigmoid() * c.tanh()).named("h'")


class Attention(nn.Module):
    """One head of causal attention with a residual connection."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        q, k, v = self.q(normed).named("q"), self.k(normed).named("k"), self.v(normed).named("v")
        mask = tensor(np.triu(np.full((3, 3), -1e9, np.float32), 1), name="mask")
        return x + (minitorch.softmax(q @ k.T / 2.0 + mask, dim=-1).named("attention") @ v)


def of(net: nn.Module, *shapes: tuple[int, ...]) -> Tensor:
    names = ("x", "h", "c")
    return net(*(tensor(numbers(*shape, seed=k), name=name) for k, (shape, name) in enumerate(zip(shapes, names)))).sum().named("loss")


def nets() -> tuple[nn.Module, nn.Module]:
    """A GAN's generator and critic."""
    minitorch.manual_seed(0)
    return (nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3)),
            nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1)))  # fmt: skip


def gan(generator: nn.Module, critic: nn.Module) -> Tensor:
    """What a generator learns from: its picture judged by the other net."""
    fake = generator(tensor(numbers(2, 2), name="noise")).named("fake")
    real = tensor(np.ones((2, 1), np.float32), name="real")
    return nn.functional.binary_cross_entropy_with_logits(critic(fake), real).named("loss")


GRAPHS = {
    "double": double,
    "diamond": twice_double,
    "neuron": neuron,
    "mlp": mlp,
    "linear": linear,
    "broadcast": broadcast,
    "classifier": classifier,
    "convolution": lambda: of(Convolutional(), (2, 1, 8, 8)),
    "residual": lambda: of(Residual(), (1, 2, 5, 5)),
    "lstm": lambda: of(Cell(), (1, 3), (1, 3), (1, 3)),
    "attention": lambda: of(Attention(), (3, 4)),
    "gan": lambda: gan(*nets()),
}
