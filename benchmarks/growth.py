"""How time and memory grow: per node over graph size, and convolution over image size and channels."""

from __future__ import annotations

import importlib
import time
from typing import Any

import numpy as np

from .measure import FAST, OURS, Group, Memory, Row, timed


def values(contestant: str, nodes: int) -> dict[str, Any]:
    """A graph of so many Values, built and gone back through once: seconds and bytes per node."""
    import minitorch

    memory = Memory()
    start = time.perf_counter()
    w = x = minitorch.Value(0.5)
    for _ in range(nodes // 2):
        x = x * w + 0.25
    x.backward()
    return {"seconds": (time.perf_counter() - start) / nodes, "peak": memory.peak() / nodes}


def chain(contestant: str, nodes: int) -> dict[str, Any]:
    """A chain of so many operations on 32 floats, built and gone back through once: seconds and bytes per node."""
    lib = importlib.import_module(contestant)
    memory = Memory()
    w = lib.tensor(np.full(32, 0.5, np.float32), requires_grad=True)
    start = time.perf_counter()
    x = w
    for _ in range(nodes // 2):
        x = x * w + 0.25
    x.sum().backward()
    return {"seconds": (time.perf_counter() - start) / nodes, "peak": memory.peak() / nodes}


def conv(contestant: str, channels: int, size: int) -> dict[str, Any]:
    """A 3x3 convolution of 8 images, forward and both gradients."""
    lib = importlib.import_module("torch" if contestant == "torch" else "minitorch")
    rng = np.random.default_rng(0)
    x = lib.tensor(rng.normal(size=(8, channels, size, size)).astype(np.float32), requires_grad=True)
    weight = lib.tensor(rng.normal(size=(channels, channels, 3, 3)).astype(np.float32), requires_grad=True)
    grad = lib.ones(8, channels, size, size)

    def step() -> None:
        x.grad = weight.grad = None
        lib.conv2d(x, weight, padding=1).backward(grad)

    return timed(step, 1, 0.3)


BOTH = (OURS, "torch")
THREE = (OURS, FAST, "torch")

NODES = (1000, 10**4, 10**5, 10**6)
LINKS = (100, 1000, 10**4, 10**5)

GROUP = Group(
    "growth",
    [
        *(Row(f"{n:,} Values, per node", "benchmarks.growth:values", (OURS,), {"nodes": n}) for n in NODES),
        *(Row(f"chain of {n:,}, per node", "benchmarks.growth:chain", BOTH, {"nodes": n}) for n in LINKS),
        *(
            Row(f"conv 3x3, {c} channels, {s}x{s}", "benchmarks.growth:conv", THREE, {"channels": c, "size": s}, 1.5)
            for c, s in ((16, 16), (16, 32), (16, 64), (16, 128), (64, 32), (128, 32))
        ),
    ],
    "torch",
    rounds=2,
)
