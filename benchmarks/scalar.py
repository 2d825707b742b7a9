"""Scalar training step: micrograd's own moons demo, with its Value and with ours in its place.

Each measurement is a fresh process; the contestants alternate; the table gives the median of the best steps and the ratio
to micrograd. Run: python -m benchmarks.scalar [--rounds 5]
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from typing import Any

from .measure import Row, compare

STEPS = 6


def step_seconds(contestant: str, collector: bool) -> float:
    """The fastest of STEPS training steps on 100 points, MLP(2, [16, 16, 1]), in seconds (called in a fresh process)."""
    import micrograd.nn as nn
    import numpy as np

    if contestant == "minitorch":
        import minitorch

        nn.Value = minitorch.Value
    if not collector:
        gc.disable()
    random.seed(1337)
    rng = np.random.default_rng(1337)
    points, labels = rng.normal(size=(100, 2)), rng.choice([-1, 1], 100)
    model = nn.MLP(2, [16, 16, 1])
    return min(_timed(lambda: _step(nn.Value, model, points, labels)) for _ in range(STEPS))


def _step(value: Any, model: Any, points: Any, labels: Any) -> None:
    """The training step of micrograd's demo.ipynb: hinge loss, L2 regularisation, gradient descent."""
    scores = [model([value(x) for x in row]) for row in points]
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(labels, scores)]
    total = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
    model.zero_grad()
    total.backward()
    for p in model.parameters():
        p.data -= 0.05 * p.grad


def _timed(step: Any) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rows = [
        Row("scalar moons, Python's defaults", "benchmarks.scalar:step_seconds", {"collector": True}),
        Row("scalar moons, collector off", "benchmarks.scalar:step_seconds", {"collector": False}),
    ]
    compare("scalar", rows, ["minitorch", "micrograd"], rounds)


if __name__ == "__main__":
    main()
