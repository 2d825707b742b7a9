"""Where elements are, on CuPy arrays: by an index at each place, on a diagonal, added up where places are named twice."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np


def argmedian(x: Any, axis: int, skip_nan: bool) -> Any:
    """Where the middle element along `axis` is (the lower of two; that of a nan if there is one, unless skipped)."""
    last = x.shape[axis] - 1
    shape = tuple(1 if a == axis % x.ndim else n for a, n in enumerate(x.shape))
    middle = cupy.full(shape, last // 2)
    if x.dtype.kind == "f":
        numbers = (~cupy.isnan(x)).sum(axis=axis, keepdims=True)
        middle = cupy.maximum((numbers - 1) // 2, 0) if skip_nan else cupy.where(numbers > last, middle, last)
    return cupy.take_along_axis(cupy.argsort(x, axis=axis, kind="stable"), middle, axis)


def argrunning(x: Any, axis: int, largest: bool) -> Any:
    """Where the largest (or smallest) element so far along `axis` is; the last of equal ones, the last nan if there is one."""
    lines = cupy.ascontiguousarray(cupy.moveaxis(x, axis, 0))
    out = cupy.empty(lines.shape, np.int64)
    if out.size:
        _running(lines, len(lines), lines.size // len(lines), largest, out, size=lines.size // len(lines))
    return cupy.moveaxis(out, 0, axis)


_running = cupy.ElementwiseKernel(
    "raw T x, int64 length, int64 lines, bool largest", "raw int64 found",
    """
    long long best = 0;
    for (long long t = 0; t < length; ++t) {
        T held = x[best * lines + i], next = x[t * lines + i];
        bool wins = largest ? next >= held : next <= held;
        if (next != next || (held == held && wins)) best = t;
        found[t * lines + i] = best;
    }
    """,
    "minitorch_argrunning",
)  # fmt: skip


def undiagonal(x: Any, offset: int, axes: tuple[int, int], shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with the last axis of `x` on the diagonal that `numpy.diagonal` reads."""
    out = cupy.zeros(shape, x.dtype)
    i = cupy.arange(x.shape[-1])
    cupy.moveaxis(out, axes, (-2, -1))[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return out


def gather(x: Any, index: Any, axis: int) -> Any:
    """x[i, index[i, j], ...] with the index in the place of `axis`."""
    return x[_along(index, axis)]


def scatter(x: Any, index: Any, src: Any, axis: int) -> Any:
    """A copy of `x` with `src` written where `gather` reads."""
    out = x.copy()
    out[_along(index, axis)] = src
    return out


def scatter_add(x: Any, index: Any, src: Any, axis: int) -> Any:
    """A copy of `x` with `src` added where `gather` reads; a place named twice receives twice."""
    out = x.copy()
    add_at(out, _along(index, axis), src)
    return out


def put_along_axis(part: Any, index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with `part` at `index` along `axis` (as `take_along_axis` reads)."""
    out = cupy.zeros(shape, part.dtype)
    out[_along(index, axis)] = part
    return out


def _along(index: Any, axis: int) -> tuple[Any, ...]:
    grid = [cupy.arange(n).reshape(-1, *(1,) * (index.ndim - a - 1)) for a, n in enumerate(index.shape)]
    grid[axis] = index
    return tuple(grid)


def add_at(x: Any, index: Any, part: Any) -> None:
    """x[index] += part, in place, where a place named twice receives twice."""
    if x.dtype == np.int64:  # a GPU adds these as unsigned numbers only, which comes to the same
        x, part = x.view(np.uint64), cupy.asarray(part, np.int64).view(np.uint64)
    cupy.add.at(x, index, part)


def into_all(parts: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with each part added at its index: `parts` lists (part, index)."""
    out = cupy.zeros(shape, parts[0][0].dtype)
    for part, index in parts:
        add_at(out, index, part)
    return out


def image_numbers(grid: Any) -> Any:
    """0 to n - 1, one for each image's part of the grid."""
    return cupy.arange(len(grid)).reshape((-1,) + (1,) * (grid.ndim - 2))


def repeat(x: Any, counts: Any, axis: int = 0) -> Any:
    """Each element along `axis` as often as `counts` says, a number or one for each. Waits for the GPU to know how many."""
    if not isinstance(counts, cupy.ndarray):
        return cupy.repeat(x, counts, axis)
    ends = cupy.cumsum(counts)
    total = int(ends[-1].item()) if len(ends) else 0
    return cupy.take(x, cupy.searchsorted(ends, cupy.arange(total), side="right"), axis)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each whole number from 0 on occurs in x, or the sum of its weights."""
    return cupy.bincount(x, weights, minlength)


def how_often(index: Any) -> Any:
    """For each of the whole numbers in `index`, how often it occurs there."""
    return cupy.bincount(index.reshape(-1))[index]
