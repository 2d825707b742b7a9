"""Random graphs: a drawn list of instructions, run on Values, on Tensors of small shapes, or on PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import minitorch
from minitorch import Value

Program = list[tuple[int, int, int]]

programs = st.lists(st.tuples(*[st.integers(0, 10_000)] * 3), min_size=1, max_size=14)
"""Instructions: which operation, and which two of the nodes made so far (all taken modulo what there is)."""

numbers = st.floats(-3, 3, width=32).map(float)

VALUE_STEPS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - b,
    lambda a, b: a / b,
    lambda a, b: a * 2.5,
    lambda a, b: 1 - a,
    lambda a, b: a**2,
    lambda a, b: a.sigmoid() ** b,
    lambda a, b: -a,
    lambda a, b: a.tanh(),
    lambda a, b: a.relu(),
    lambda a, b: a.exp(),
    lambda a, b: a.log(),
    lambda a, b: abs(a),
    lambda a, b: a.sin().maximum(b),
    lambda a, b: minitorch.where(a > b, a, b * 0.5),
    lambda a, b: a.sign() + b,
]


CHOICE = next(k for k, step in enumerate(VALUE_STEPS) if "where" in step.__code__.co_names)
"""The number of the instruction above that asks which number is larger: the answer is no part of the graph."""


def build_values(program: Program, leaves: list[float]) -> tuple[Value, list[Value]]:
    """The root and the leaves of a graph of Values."""
    start = [Value(x) for x in leaves]
    pool = list(start)
    for which, i, j in program:
        pool.append(VALUE_STEPS[which % len(VALUE_STEPS)](pool[i % len(pool)], pool[j % len(pool)]))
    root = pool[-1]
    return (root if root.op is not None else root + 0.0), start


def _fit(b: Any, shape: tuple[int, ...]) -> Any:
    """`b`, or its sum where it does not broadcast with `shape`."""
    try:
        np.broadcast_shapes(b.shape, shape)
        return b
    except ValueError:
        return b.sum()


def _matrix(x: Any) -> Any:
    return x.reshape(1, -1) if x.ndim != 2 else x


TENSOR_STEPS: list[Callable[[Any, Any, Any], Any]] = [
    lambda lib, a, b: a + _fit(b, a.shape),
    lambda lib, a, b: a * _fit(b, a.shape),
    lambda lib, a, b: a - _fit(b, a.shape),
    lambda lib, a, b: _fit(b, a.shape) / (a * a + 1.0),
    lambda lib, a, b: 2.0 * a,
    lambda lib, a, b: (a * a + 0.5) ** 1.5,
    lambda lib, a, b: a.tanh(),
    lambda lib, a, b: a.relu() + a,
    lambda lib, a, b: a.sum(),
    lambda lib, a, b: a.sum(0) if a.ndim else a,
    lambda lib, a, b: a.mean(-1, keepdim=True),
    lambda lib, a, b: a.reshape(-1),
    lambda lib, a, b: a.T if a.ndim == 2 else a + 1.0,
    lambda lib, a, b: a[0] if a.ndim and a.shape[0] else a,
    lambda lib, a, b: a[..., -1:] if a.ndim else a,
    lambda lib, a, b: a[[0, 0, -1]] if a.ndim and a.shape[0] else a,
    lambda lib, a, b: _matrix(a) @ _matrix(a).T,
    lambda lib, a, b: lib.cat([a.reshape(-1), b.reshape(-1)]),
    lambda lib, a, b: lib.stack([a, a * 2.0], -1).sum(-1),
    lambda lib, a, b: lib.softmax(a, -1),
    lambda lib, a, b: a.max(-1).values,
    lambda lib, a, b: a.amin() * _fit(b, ()),
    lambda lib, a, b: a.var(correction=0).sqrt() + a,
    lambda lib, a, b: lib.where(a > 0, a, a * 0.1),
    lambda lib, a, b: a.broadcast_to((2, *a.shape)).mean(0),
]


def _written(lib: Any, a: Any, b: Any) -> Any:
    """A buffer that needs no gradient, filled by hand, twice in the same place."""
    buffer = lib.zeros(3, 2, dtype=a.dtype)
    buffer[0] = a.sum()
    buffer[1:, 0] = b.mean()
    buffer[1] = a.sum() * 2.0
    return buffer * buffer


def _added_in_place(lib: Any, a: Any, b: Any) -> Any:
    out = a * 1.0
    out += _fit(b, a.shape)
    out *= 0.5
    return out


def _slices(lib: Any, a: Any, b: Any) -> Any:
    flat = a.reshape(-1)
    return sum(flat[i : i + 2].sum() * (i + 1.0) for i in range(3))


def _lstm(lib: Any, a: Any, b: Any) -> Any:
    """Two results of one operation, and weights that are used at each of two steps."""
    cell = lib.nn.LSTMCell(1, 1).to(a.dtype)
    h, c = cell(a.mean().reshape(1, 1), (b.mean().reshape(1, 1), a.sum().reshape(1, 1)))
    h, c = cell(b.sum().reshape(1, 1), (h, c))
    return h.sum() + c * b.mean()


def _svd(lib: Any, a: Any, b: Any) -> Any:
    u, s, _ = lib.linalg.svd(_matrix(a), full_matrices=False)
    return u.sum() * s


OWN_STEPS: list[Callable[[Any, Any, Any], Any]] = [
    *TENSOR_STEPS[:-2],  # without the `where`, whose condition is no part of the graph
    _written, _added_in_place, _slices, _lstm, _svd,
    lambda lib, a, b: lib.nn.functional.dropout(a, 0.5),
]  # fmt: skip


def build_tensors(
    program: Program,
    dtype: str = "float64",
    lib: Any = minitorch,
    value: bool = True,
    steps: list[Callable[[Any, Any, Any], Any]] = TENSOR_STEPS,
    first: float | None = None,
) -> tuple[Any, list[Any]]:
    """The root (one number) and the leaves, a Value among them, of a graph of Tensors; `lib` may be torch, without the Value.
    The first leaf is filled with `first`, where that is given."""
    draw = np.random.default_rng(len(program))
    shapes: list[tuple[int, ...]] = [(2, 3), (3,), (), (2, 1)]
    leaves: list[Any] = [lib.tensor(draw.normal(size=shape), dtype=getattr(lib, dtype), requires_grad=True) for shape in shapes]
    if first is not None:
        leaves[0] = lib.tensor(np.full((2, 3), first), dtype=getattr(lib, dtype), requires_grad=True)
    pool = list(leaves)
    if value:
        leaves.append(Value(1.5))
        pool.append(leaves[0] * leaves[-1])
    for which, i, j in program:
        made = steps[which % len(steps)](lib, pool[i % len(pool)], pool[j % len(pool)])
        pool.append(made if made.numel() <= 64 else made.reshape(-1)[:7])
    return sum((x * 0.5).sum() for x in pool[-3:]) * 1.0, leaves
