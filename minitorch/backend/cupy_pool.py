"""Pooling on CuPy arrays, over any number of spatial axes: one kernel each, without copies of the windows."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import cupy
import numpy as np

from .cupy_windows import each_in_window, each_window_over, index_type, kernel, numbers
from .numpy_conv import conv_size, last
from .numpy_pool import adaptive_range
from .numpy_pool import per_place as _per_place

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def max_pool(x: Any, window: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """The maximum of each window; shape (n, channels, *positions). The padding never wins. A nan does."""
    size = conv_size(x.shape[2:], window, stride, padding, dilation)
    return _run(_max, x, (), cupy.empty((*x.shape[:2], *size), x.dtype), x.shape[2:], window, size, stride, padding, dilation)


def winners(x: Any, out: Any, window: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """Which element of each window (its number in the window, row by row) is the first to equal the maximum `out`.
    A nan in `out` was won by the window's first nan."""
    found = cupy.empty(out.shape, np.min_scalar_type(math.prod(window)))
    return _run(_winners, x, (out,), found, x.shape[2:], window, out.shape[2:], stride, padding, dilation)


def unpool(grad: Any, winner: Any, size: Sizes, window: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """Each element of grad put where its window's `winner` was, added up where windows share one: (n, channels, *size)."""
    out = cupy.empty((*grad.shape[:2], *size), grad.dtype)
    return _run(_unpool, grad, (winner,), out, size, window, grad.shape[2:], stride, padding, dilation)


def pick_winners(x: Any, winner: Any, window: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """The element of each window of x that `winner` names."""
    out = cupy.empty(winner.shape, x.dtype)
    return _run(_pick, x, (winner,), out, x.shape[2:], window, winner.shape[2:], stride, padding, dilation)


def sum_pool(x: Any, window: Sizes, stride: Sizes, padding: Pads) -> Any:
    """The sum of each window; shape (n, channels, *positions)."""
    dilation = (1,) * len(window)
    size = conv_size(x.shape[2:], window, stride, padding, dilation)
    if window == x.shape[2:] and math.prod(size) == 1 and not any(sum(padding, ())):
        return x.sum(tuple(range(2, x.ndim)), x.dtype, None, True)
    return _run(_sum, x, (), cupy.empty((*x.shape[:2], *size), x.dtype), x.shape[2:], window, size, stride, padding, dilation)


def spread(grad: Any, size: Sizes, window: Sizes, stride: Sizes, padding: Pads) -> Any:
    """Each element of grad given to all elements of its window, added up where windows overlap; shape (n, channels, *size)."""
    out, dilation = cupy.empty((*grad.shape[:2], *size), grad.dtype), (1,) * len(window)
    return _run(_spread, grad, (), out, size, window, grad.shape[2:], stride, padding, dilation)


def _run(made: Any, x: Any, others: tuple[Any, ...], out: Any, *way: Any) -> Any:
    if out.size:
        made(len(way[0]), index_type(x, out))(x, *others, *numbers(*way), out)
    return out


@functools.cache
def _max(axes: int, index: str) -> Any:
    body = "T v = x[at]; if (!any || v > best || v != v) { best = v; any = true; }"
    lines = ["T best = 0; bool any = false;", *each_in_window(axes, index, body), "out = best;"]
    return kernel("max_pool", axes, index, "raw T x", "T out", lines)


@functools.cache
def _winners(axes: int, index: str) -> Any:
    body = "T v = x[at]; if (first < 0 && (v == best || v != v)) first = tap;"  # where a v is nan, best is
    lines = ["int first = -1;", *each_in_window(axes, index, body), "won = first;"]
    return kernel("winners", axes, index, "raw T x, T best", "W won", lines)


@functools.cache
def _unpool(axes: int, index: str) -> Any:
    lines = ["T total = 0;", *each_window_over(axes, index, "if (winner[at] == tap) total += grad[at];"), "out = total;"]
    return kernel("unpool", axes, index, "raw T grad, raw W winner", "T out", lines)


@functools.cache
def _pick(axes: int, index: str) -> Any:
    lines = ["T found = 0;", *each_in_window(axes, index, "if (won == tap) found = x[at];"), "out = found;"]
    return kernel("pick_winners", axes, index, "raw T x, W won", "T out", lines)


@functools.cache
def _sum(axes: int, index: str) -> Any:
    lines = ["T total = 0;", *each_in_window(axes, index, "total += x[at];"), "out = total;"]
    return kernel("sum_pool", axes, index, "raw T x", "T out", lines)


@functools.cache
def _spread(axes: int, index: str) -> Any:
    lines = ["T total = 0;", *each_window_over(axes, index, "total += grad[at];"), "out = total;"]
    return kernel("spread", axes, index, "raw T grad", "T out", lines)


def per_place(counts: tuple[tuple[int, ...], ...], like: Any) -> Any:
    """1 / how many elements count in the window at each place, where `counts` says how many do along each axis."""
    return cupy.asarray(_per_place(counts, like))


def places(winner: Any, size: Sizes, window: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """Where each winner lies in the plane of `size`, counted row by row: the indices that PyTorch returns."""
    total, rest = 0, winner.astype(np.int64)
    taps: list[Any] = []
    for k in reversed(window):
        taps.insert(0, rest % k)
        rest = rest // k
    for axis, tap in enumerate(taps):
        along = cupy.arange(winner.shape[2 + axis]) * stride[axis] - padding[axis][0]
        total = total * size[axis] + along.reshape((-1,) + (1,) * (len(window) - 1 - axis)) + tap * dilation[axis]
    return total


def adaptive_places(x: Any, size: Sizes) -> tuple[Any, ...]:
    """Where the maximum of each of `size` nearly equal parts of a plane lies: an index into x for a result of shape
    (n, channels, *size)."""
    found = cupy.empty((len(size), *x.shape[:2], *size), np.int64)
    for cell in itertools.product(*map(range, size)):
        ranges = [adaptive_range(i, n, parts) for i, n, parts in zip(cell, x.shape[2:], size)]
        part = x[last(slice(a, b) for a, b in ranges)]
        local = part.reshape(*x.shape[:2], -1).argmax(-1)
        for axis in reversed(range(len(size))):
            n = part.shape[2 + axis]
            found[axis][last(cell)] = local % n + ranges[axis][0]
            local = local // n
    ones = (1,) * len(size)
    return cupy.arange(len(x)).reshape(-1, 1, *ones), cupy.arange(x.shape[1]).reshape(1, -1, *ones), *found


def flat_places(index: tuple[Any, ...], size: Sizes) -> Any:
    """Where in a plane of `size` each element of such an index lies, counted row by row."""
    total = index[2]
    for place, n in zip(index[3:], size[1:]):
        total = total * n + place
    return total
