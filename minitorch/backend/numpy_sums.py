"""Sums over some axes of large arrays as dot products with ones: half the time of NumPy's own sum (20 to 45 µs for 131,072 of
float32 in rows of 128). Row by row, for a product of matrices would wake the threads of the matrix routines for little."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .threads import one_thread_each, shared

LEAST, LONGEST = 2**12, 2**12
"""From how many elements on it is worth it; and the longest row added up in one go, for many small sums are more exact."""

BLOCK = 2**17
"""How many numbers a block of rows holds: few enough to stay in a core's own cache between passes, and so many that two
threads seldom wait for each other between calls (half a million batch-normalized, forward and back: 1.3 ms, 1.7 in blocks of a
quarter of this, 1.4 with one thread)."""


def worth_it(x: ndarray) -> bool:
    return x.size >= LEAST and x.dtype.char in "fd" and x.flags.c_contiguous


def sides(shape: tuple[int, ...], axis: Any) -> tuple[int, int, int] | None:
    """The sizes of x as (before, kept, after) where a sum over `axis` folds the first and the last; None where it folds
    something in the middle."""
    axes = {a % len(shape) for a in ((axis,) if isinstance(axis, int) else axis)}
    first = next((a for a in range(len(shape)) if a not in axes), len(shape))
    last = next((a for a in reversed(range(len(shape))) if a not in axes), -1) + 1
    if len(axes) != first + len(shape) - last or first == len(shape):
        return None
    return math.prod(shape[:first]), math.prod(shape[first:last]), math.prod(shape[last:])


def sum_sides(x: ndarray, before: int, kept: int, after: int) -> ndarray:
    """The sum of x, seen as (before, kept, after), over the first and the last."""
    if after > 1:
        rows = x.reshape(before * kept, after)
        parts = shared(before * kept, x.size // 8, lambda start, stop: row_sums(rows[start:stop]))
        x = parts[0] if len(parts) == 1 else np.concatenate(parts)
    x = x.reshape(before, kept)
    return x[0] if before == 1 else np.add.reduce(x, 0)


def row_sums(x: ndarray) -> ndarray:
    """The sum of each row of x (rows, width), as a product with ones: 54 µs for two million numbers, `row_dots` takes 124."""
    pieces = _pieces(x.shape[1])
    if not pieces:
        return np.add.reduce(x, 1)
    parts = x.reshape(len(x) * pieces, -1)
    with one_thread_each:
        sums = np.matmul(parts, np.ones(parts.shape[1], x.dtype))
    return sums if pieces == 1 else np.add.reduce(sums.reshape(-1, pieces), 1)


def row_dots(x: ndarray, y: ndarray) -> ndarray:
    """The dot product of each row of x (rows, width) with that of y."""
    pieces = _pieces(x.shape[1])
    if not pieces:
        return np.add.reduce(x * y, 1)
    shape = len(x), pieces, x.shape[1] // pieces
    dots = np.vecdot(x.reshape(shape), y.reshape(shape))
    return dots[:, 0] if pieces == 1 else np.add.reduce(dots, 1)


def _pieces(width: int) -> int:
    """Into how many equal pieces to cut a row that is added up; 0: it cannot be cut evenly."""
    return next((n for n in range(1, 1 + max(1, width // 8)) if width % n == 0 and width <= n * LONGEST), 0)


def in_blocks(rows: ndarray, work: Callable[[slice, ndarray], Any]) -> None:
    """work(which rows, a workspace of their shape) for all rows, a block at a time; threads share the blocks."""
    count, width = rows.shape
    step = max(1, BLOCK // width)

    def some(start: int, stop: int) -> None:
        space = np.empty((min(step, stop - start), width), rows.dtype)
        for first in range(start, stop, step):
            last = min(first + step, stop)
            work(slice(first, last), space[: last - first])

    shared(count, rows.size, some)


def fast_sum(x: ndarray, axis: Any) -> ndarray | None:
    """The sum over `axis`, flat; None where this way has nothing to offer."""
    found = sides(x.shape, axis)
    return None if found is None or found[2] < 8 else sum_sides(x, *found)


def mean_product(x: ndarray, y: ndarray, axis: tuple[int, ...]) -> ndarray:
    """The mean of x · y over `axis`, the axes kept with length 1; for two large arrays, without the array of products."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    count = math.prod(shape[a] for a in axis)
    kept = tuple(1 if a in {b % len(shape) for b in axis} else n for a, n in enumerate(shape))
    found = sides(shape, axis) if x.shape == y.shape and worth_it(x) and worth_it(y) else None
    if found is None or not 1 < found[2] <= LONGEST:
        return np.add.reduce(x * y, axis, keepdims=True) / count
    before, middle, after = found
    rows = np.vecdot(x.reshape(before * middle, after), y.reshape(before * middle, after))
    return (sum_sides(rows, before, middle, 1) / count).reshape(kept)


def mean_square_from(centre: ndarray, x: ndarray, axis: tuple[int, ...]) -> ndarray:
    """The mean of (x - centre)² over `axis`, the axes kept with length 1: the variance, where centre is the mean."""
    found = sides(x.shape, axis) if worth_it(x) else None
    if found is None or found[2] < 8 or centre.size != found[1]:
        away = x - centre
        return mean_product(away, away, axis)
    before, middle, after = found
    rows, squares = x.reshape(-1, after), np.empty((before, middle), x.dtype)
    centres, flat = np.array(np.broadcast_to(centre.reshape(1, -1), (before, middle))).reshape(-1, 1), squares.reshape(-1)

    def some(block: slice, away: ndarray) -> None:
        np.subtract(rows[block], centres[block], out=away)
        flat[block] = row_dots(away, away)

    in_blocks(rows, some)
    return (np.add.reduce(squares, 0) / (before * after)).reshape(centre.shape)
