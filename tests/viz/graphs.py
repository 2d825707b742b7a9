"""The graphs that the tests of the pictures draw."""

from __future__ import annotations

import random

import numpy as np

from minitorch import Stepper, Tensor, Value, cross_entropy, tensor


def double() -> Value:
    """b = a + a"""
    a = Value(1.0, name="a")
    return (a + a).named("b")


def twice_double() -> Value:
    """b = a + a; c = b + b: the graph on which a wrong backward pass shows."""
    b = double()
    return (b + b).named("c")


def readme() -> Value:
    """The expression of micrograd's README."""
    a, b = Value(-4.0, name="a"), Value(2.0, name="b")
    c, d = a + b, a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    f = (c - d) ** 2
    return (f / 2.0 + 10.0 / f).named("g")


def network() -> Tensor:
    """Matrix product, bias, relu, matrix product, cross entropy."""
    numbers = np.random.default_rng(0)
    x = tensor(numbers.standard_normal((5, 3)), name="x")
    target = tensor(np.array([0, 1, 1, 0, 1]), name="target")
    w1 = tensor(numbers.standard_normal((3, 8)), requires_grad=True, name="w1")
    bias = tensor(np.zeros(8), requires_grad=True, name="bias")
    w2 = tensor(numbers.standard_normal((8, 2)), requires_grad=True, name="w2")
    return cross_entropy((x @ w1 + bias).relu().named("h") @ w2, target).named("loss")


def broadcast() -> Tensor:
    """(3, 4) + (4,), summed."""
    x = tensor(np.arange(12.0).reshape(3, 4), requires_grad=True, name="x")
    bias = tensor(np.ones(4), requires_grad=True, name="bias")
    return (x + bias).named("y").sum().named("total")


def chain(length: int, uses: int = 0) -> Value:
    """A chain of additions, in which one leaf `w` is a factor in `uses` places."""
    w, x = Value(0.5, name="w"), Value(1.0, name="x")
    for i in range(length):
        x = x * w if uses and i % (length // uses) == 0 else x + 1.0
    return x


def paused(root: Value | Tensor, position: int) -> Stepper:
    """The backward pass of `root`, at `position`."""
    stepper = Stepper(root)
    stepper.goto(position)
    return stepper


def mlp(sizes: tuple[int, ...] = (3, 4, 4, 1)) -> Value:
    """micrograd's network of scalars, on one sample."""
    numbers = random.Random(1337)
    x = [Value(value, name=f"x{i}") for i, value in enumerate((2.0, 3.0, -1.0)[: sizes[0]])]
    for k, size in enumerate(sizes[1:]):
        weights = [[Value(numbers.uniform(-1, 1), name=f"l{k}.{j}.w{i}") for i in range(len(x))] for j in range(size)]
        x = [sum((w * xi for w, xi in zip(row, x)), Value(0.0, name=f"l{k}.{j}.b")).tanh() for j, row in enumerate(weights)]
    return x[0].named("out")
