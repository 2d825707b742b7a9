"""Tensor work beside PyTorch on the CPU: the cost of one small operation, and whole training steps.

Run: python -m benchmarks.tensors [--rounds 5]
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .measure import Row, compare


def best(step: Callable[[], object], repeat: int, number: int) -> float:
    """Seconds per call: the best of `repeat` runs of `number` calls, after a run that warms up."""
    for _ in range(number):
        step()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        for _ in range(number):
            step()
        times.append((time.perf_counter() - start) / number)
    return min(times)


def op(contestant: str, name: str) -> float:
    """One elementwise operation on 32 floats, forward and backward."""
    lib = importlib.import_module(contestant)
    numbers = np.random.default_rng(0).normal(size=32).astype("float32")
    x, gradient = lib.tensor(numbers, requires_grad=True), lib.tensor(np.ones_like(numbers))

    def step() -> None:
        x.grad = None
        (x * x if name == "mul" else getattr(x, name)()).backward(gradient)

    return best(step, 20, 500)


def chain(contestant: str, length: int) -> float:
    """A chain of multiplications and tanhs on 32 floats, forward and backward, per operation."""
    lib = importlib.import_module(contestant)
    numbers = np.random.default_rng(0).normal(size=32).astype("float32")
    x, gradient = lib.tensor(numbers, requires_grad=True), lib.tensor(np.ones_like(numbers))

    def step() -> None:
        x.grad = None
        y = x
        for _ in range(length // 2):
            y = (y * x).tanh()
        y.backward(gradient)

    return best(step, 20, 50) / length


def mlp(contestant: str) -> float:
    """A training step of 784-256-128-32-10 on 64 images: forward, cross entropy, backward, Adam."""
    lib = importlib.import_module(contestant)
    nn = importlib.import_module(f"{contestant}.nn")
    optim = importlib.import_module(f"{contestant}.optim")
    rng = np.random.default_rng(0)
    images = lib.tensor(rng.random((64, 784), dtype=np.float32))
    labels = lib.tensor(rng.integers(0, 10, 64))
    sizes = (784, 256, 128, 32, 10)
    layers: list[Any] = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        loss_of(model(images), labels).backward()
        optimizer.step()

    return best(step, 20, 20)


ROWS = [
    Row("mul, 32 floats, forward + backward", "benchmarks.tensors:op", {"name": "mul"}),
    Row("tanh, 32 floats, forward + backward", "benchmarks.tensors:op", {"name": "tanh"}),
    Row("chain of 40 on 32 floats, per operation", "benchmarks.tensors:chain", {"length": 40}),
    Row("MLP 784-256-128-32-10, batch 64, Adam", "benchmarks.tensors:mlp"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    if importlib.util.find_spec("torch") is None:
        raise SystemExit("the peer is missing: pip install torch==2.13.0")
    compare("tensors", ROWS, ["minitorch", "torch"], rounds)


if __name__ == "__main__":
    main()
