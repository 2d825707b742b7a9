"""How long a picture takes: networks and graphs that hang others, and the time over the size of a graph.

A process draws once, from the graph to the SVG; what it takes to build the graph does not count.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .measure import OURS, Group, Memory, Row


def gpt() -> Any:
    """A GPT of twelve blocks."""
    import minitorch
    from samples.gpt import GPT, Config

    return GPT(Config(blocks=12), 65)(minitorch.arange(16).reshape(1, 16)).sum()


def resnet() -> Any:
    """The bottleneck blocks of a ResNet-50, narrow: 3 + 4 + 6 + 3 of them."""
    from minitorch import nn, randn

    class Bottleneck(nn.Module):
        def __init__(self, n_in: int, n_out: int, stride: int) -> None:
            super().__init__()
            inner = n_out // 4
            shapes = [(n_in, inner, 1, 1), (inner, inner, 3, stride), (inner, n_out, 1, 1)]
            self.convs = nn.ModuleList(nn.Conv2d(a, b, kernel, s, padding=kernel // 2) for a, b, kernel, s in shapes)
            self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b, _, _ in shapes)
            self.shortcut = nn.Identity() if n_in == n_out and stride == 1 else nn.Conv2d(n_in, n_out, 1, stride)

        def forward(self, x: Any) -> Any:
            out = x
            for place, (conv, norm) in enumerate(zip(self.convs, self.norms)):
                out = norm(conv(out))
                out = out.relu() if place < 2 else out
            return (out + self.shortcut(x)).relu()

    stages, n_in = nn.Sequential(nn.Conv2d(3, 8, 7, 2, padding=3), nn.MaxPool2d(3, 2, padding=1)), 8
    for stage, count in enumerate((3, 4, 6, 3)):
        for block in range(count):
            stages.append(Bottleneck(n_in, 16 * 2**stage, 2 if stage and not block else 1))
            n_in = 16 * 2**stage
    return stages(randn(2, 3, 64, 64)).mean()


def yolo() -> Any:
    """The network of the sample yolo-face, in its large preset."""
    from minitorch import randn
    from samples.yolo_face import PRESETS, YOLO

    return YOLO(PRESETS["large"], np.ones((6, 2)), 1)(randn(1, 3, 64, 64)).sum()


def chain(length: int = 1000, uses: int = 24) -> Any:
    """A chain of Values in which one leaf is used again and again."""
    from minitorch import Value

    w, x = Value(0.5, name="w"), Value(1.0, name="x")
    for i in range(length):
        x = x * w if i % max(1, length // uses) == 0 else x + 1.0
    return x


def densenet(layers: int = 24, depth: int = 6) -> Any:
    """Every layer reads all before it."""
    from minitorch import Value

    outs = [Value(1.0, name="x")]
    for _ in range(layers):
        x = sum(outs[1:], outs[0])
        for _ in range(depth - 1):
            x = x.tanh()
        outs.append(x)
    return outs[-1]


def many(nodes: int) -> Any:
    """A graph of so many Values, made in two source lines."""
    from minitorch import Value, inspect

    with inspect():
        weights, total = [Value(0.1 * i, name=f"w{i}") for i in range(10)], Value(0.0)
        for i in range(nodes // 2):
            bent = weights[i % 10].tanh()
            total = total + bent
    return total


def picture(contestant: str, graph: str, limit: int = 500, **size: int) -> dict[str, Any]:
    """Seconds and bytes from a graph to its SVG."""
    import viz

    make: Callable[..., Any] = getattr(importlib.import_module(__name__), graph)
    root, memory = make(**size), Memory()
    start = time.perf_counter()
    viz.draw(root, variables={}, limit=limit).svg()
    return {"seconds": time.perf_counter() - start, "peak": memory.peak()}


HERE = "benchmarks.drawing:picture"
GROUP = Group(
    "drawing",
    [
        *(Row(f"drawing {name}", HERE, (OURS,), {"graph": graph}) for name, graph in (
            ("GPT, 12 blocks (below 5 s)", "gpt"), ("ResNet-50-like (below 5 s)", "resnet"), ("YOLO (below 5 s)", "yolo"))),
        Row("drawing a chain of 1,000, a leaf used 24 times (below 2 s)", HERE, (OURS,), {"graph": "chain", "limit": 2000}),
        Row("drawing a densenet of 24x6 (below 2 s)", HERE, (OURS,), {"graph": "densenet", "limit": 2000}),
        *(Row(f"drawing a chain of {n:,}", HERE, (OURS,), {"graph": "chain", "length": n, "limit": 10**4})
          for n in (10, 100, 300, 1000, 3000)),
        *(Row(f"drawing {n:,} Values, closed", HERE, (OURS,), {"graph": "many", "nodes": n})
          for n in (1000, 10**4, 10**5)),
    ],
    "torch",
    rounds=3,
)  # fmt: skip
