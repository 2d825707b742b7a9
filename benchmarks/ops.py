"""The cost of one small operation, beside PyTorch and the NumPy frameworks: 32 floats, forward and backward."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .measure import OURS, Group, Row, timed


def op(contestant: str, name: str) -> dict[str, Any]:
    """One elementwise operation on 32 floats and its backward pass."""
    numbers = np.random.default_rng(0).normal(size=32).astype("float32")
    ones = np.ones_like(numbers)
    if contestant == "autograd":
        from autograd import make_vjp
        from autograd.numpy import tanh

        pull = make_vjp(lambda x: x * x if name == "mul" else tanh(x))
        return timed(lambda: pull(numbers)[0](ones), 200)
    if contestant == "dezero":
        from .peers import load

        dz = load("dezero")
        v, gradient = dz.Variable(numbers), dz.Variable(ones)

        def step() -> None:
            v.cleargrad()
            y = v * v if name == "mul" else dz.functions.tanh(v)
            y.grad = gradient
            y.backward()

        return timed(step, 200)
    lib = importlib.import_module(contestant)
    x, grad = lib.tensor(numbers, requires_grad=True), lib.tensor(ones)

    def both() -> None:
        x.grad = None
        (x * x if name == "mul" else x.tanh()).backward(grad)

    return timed(both, 200)


def chain(contestant: str, length: int) -> dict[str, Any]:
    """A chain of multiplications and tanhs on 32 floats, forward and backward, per operation."""
    lib = importlib.import_module(contestant)
    numbers = np.random.default_rng(0).normal(size=32).astype("float32")
    x, grad = lib.tensor(numbers, requires_grad=True), lib.tensor(np.ones_like(numbers))

    def step() -> None:
        x.grad = None
        y = x
        for _ in range(length // 2):
            y = (y * x).tanh()
        y.backward(grad)

    measured = timed(step, 20)
    return {name: seconds / length for name, seconds in measured.items()}


PEERS = (OURS, "torch", "autograd", "dezero")

GROUP = Group(
    "one operation on 32 floats, forward and backward",
    [
        Row("mul", "benchmarks.ops:op", PEERS, {"name": "mul"}, 1.0),
        Row("tanh", "benchmarks.ops:op", PEERS, {"name": "tanh"}, 1.0),
        Row("chain of 40, per operation", "benchmarks.ops:chain", (OURS, "torch"), {"length": 40}, 1.0),
    ],
    "torch",
)
