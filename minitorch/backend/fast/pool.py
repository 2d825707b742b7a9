"""The maximum of windows of 2 x 2 side by side, which is most pooling there is; other windows go to NumPy.

Milliseconds for 64 x 16 planes of 28 x 28 numbers of float32 on one core of an EPYC: max_pool 0.14 (NumPy 0.44), winners 0.25
(0.60), unpool 0.19 (0.65).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .. import numpy_pool
from ..threads import shared
from .compiler import fits, kernel

TWO = ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
"""Kernel, stride, padding, dilation."""


def max_pool(x: ndarray, *way: Any) -> ndarray:
    """The maximum of each window; shape (n, channels, *positions). A nan wins."""
    if way != TWO or not fits(x):
        return numpy_pool.max_pool(x, *way)
    out = np.empty((*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2), x.dtype)
    _share(_max_pool, x, out)
    return out


def winners(x: ndarray, out: ndarray, *way: Any) -> ndarray:
    """Which element of each window (its number in the kernel, row by row) is the first to equal the maximum `out`.
    A nan in `out` was won by the window's first nan."""
    if way != TWO or not fits(x, out):
        return numpy_pool.winners(x, out, *way)
    found = np.empty(out.shape, np.uint8)
    _share(_winners, x, out, found)
    return found


def unpool(grad: ndarray, winner: ndarray, size: tuple[int, ...], *way: Any) -> ndarray:
    """Each element of grad put where its window's `winner` was: (n, channels, *size)."""
    if way != TWO or not fits(grad) or not winner.flags.c_contiguous:
        return numpy_pool.unpool(grad, winner, size, *way)
    odd = size[0] % 2 or size[1] % 2  # a last row or column in no window
    out = (np.zeros if odd else np.empty)((*grad.shape[:2], *size), grad.dtype)
    _share(_unpool, grad, winner, out)
    return out


def _share(function: Any, *arrays: ndarray) -> None:
    """Call `function` on planes of the arrays, some for each thread."""
    planes = [x.reshape(-1, *x.shape[2:]) for x in arrays]
    shared(len(planes[0]), 4 * arrays[0].size, lambda start, stop: function(*(x[start:stop] for x in planes)))


@kernel
def _max_pool(x: Any, out: Any) -> None:
    for plane in range(len(out)):
        for row in range(out.shape[1]):
            above, below, to = x[plane, 2 * row], x[plane, 2 * row + 1], out[plane, row]
            for i in range(len(to)):
                best = _larger(above[2 * i], above[2 * i + 1])
                to[i] = _larger(best, _larger(below[2 * i], below[2 * i + 1]))


@kernel
def _larger(a: Any, b: Any) -> Any:
    return b if (b > a) | (b != b) else a


@kernel
def _winners(x: Any, best: Any, found: Any) -> None:
    for plane in range(len(best)):
        for row in range(best.shape[1]):
            above, below = x[plane, 2 * row], x[plane, 2 * row + 1]
            wanted, to = best[plane, row], found[plane, row]
            for i in range(len(to)):
                number = np.uint8(3)  # from the last to the first, so that the first of equal ones remains
                number = np.uint8(2) if _won(below[2 * i], wanted[i]) else number
                number = np.uint8(1) if _won(above[2 * i + 1], wanted[i]) else number
                to[i] = np.uint8(0) if _won(above[2 * i], wanted[i]) else number


@kernel
def _won(value: Any, best: Any) -> Any:
    return (value == best) | ((value != value) & (best != best))


@kernel
def _unpool(grad: Any, winner: Any, out: Any) -> None:
    zero = grad.dtype.type(0)
    for plane in range(len(grad)):
        for row in range(grad.shape[1]):
            given, won = grad[plane, row], winner[plane, row]
            for below in range(2):
                to = out[plane, 2 * row + below]
                for i in range(len(given)):
                    v, number = given[i], won[i]
                    to[2 * i] = v if number == 2 * below else zero
                    to[2 * i + 1] = v if number == 2 * below + 1 else zero
