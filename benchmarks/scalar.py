"""A training step on single numbers: micrograd's moons demo, with its Value, with ours, and with PyTorch's 0-d tensors."""

from __future__ import annotations

import gc
import random
from typing import Any

from .measure import OURS, Group, Row, timed


def moons(contestant: str, collector: bool) -> dict[str, Any]:
    """micrograd's MLP(2, [16, 16, 1]) on 32 points: hinge loss, L2 regularisation, gradient descent (its demo.ipynb)."""
    import micrograd.nn as nn
    import numpy as np

    value: Any = nn.Value
    if contestant == OURS:
        import minitorch

        value = minitorch.Value
    elif contestant == "torch":
        import torch

        def value(number: float) -> Any:
            return torch.tensor(number, dtype=torch.float64, requires_grad=True)

    nn.Value = value
    if not collector:
        gc.disable()
    random.seed(1337)
    rng = np.random.default_rng(1337)
    points, labels = rng.normal(size=(32, 2)).tolist(), rng.choice([-1, 1], 32).tolist()
    model = nn.MLP(2, [16, 16, 1])
    nothing = None if contestant == "torch" else 0

    def step() -> Any:
        scores = [model([value(x) for x in row]) for row in points]
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(labels, scores)]
        total = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        for p in model.parameters():
            p.grad = nothing
        total.backward()
        for p in model.parameters():
            p.data -= 0.05 * p.grad
        return total

    losses = [float(step().data) for _ in range(4)]
    return {**timed(step), "losses": losses}


CONTESTANTS = (OURS, "micrograd", "torch")

GROUP = Group(
    "scalar moons",
    [
        Row("moons, Python's defaults", "benchmarks.scalar:moons", CONTESTANTS, {"collector": True}, 0.125),
        Row("moons, collector off", "benchmarks.scalar:moons", CONTESTANTS, {"collector": False}, 1.0),
    ],
    "micrograd",
)
