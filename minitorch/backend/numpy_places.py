"""Where elements are: by size along an axis, by an index at each place, on a diagonal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray


def order(x: ndarray, axis: int, descending: bool) -> ndarray:
    """The positions of the elements along `axis`, by size; equal ones stay in their order, nan counts as the largest."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


def argmedian(x: ndarray, axis: int, skip_nan: bool) -> ndarray:
    """Where the middle element along `axis` is (the lower of two; that of a nan if there is one, unless skipped)."""
    last = x.shape[axis] - 1
    middle = np.full(np.sum(x, axis=axis, keepdims=True).shape, last // 2)
    if x.dtype.kind == "f":
        numbers = np.sum(~np.isnan(x), axis=axis, keepdims=True)
        middle = np.maximum((numbers - 1) // 2, 0) if skip_nan else np.where(numbers > last, middle, last)
    return np.take_along_axis(np.argsort(x, axis=axis, kind="stable"), middle, axis)


def argrunning(x: ndarray, axis: int, largest: bool) -> ndarray:
    """Where the largest (or smallest) element so far along `axis` is; the last of equal ones, the last nan if there is one."""
    best = (np.maximum if largest else np.minimum).accumulate(x, axis)
    places = np.arange(x.shape[axis]).reshape(-1, *(1,) * (x.ndim - axis - 1))
    return np.maximum.accumulate(np.where((x == best) | (x != x), places, 0), axis)


def undiagonal(x: ndarray, offset: int, axes: tuple[int, int], shape: tuple[int, ...]) -> ndarray:
    """Zeros of `shape` with the last axis of `x` on the diagonal that `numpy.diagonal` reads."""
    out = np.zeros(shape, x.dtype)
    plane = np.moveaxis(out, axes, (-2, -1))
    i = np.arange(x.shape[-1])
    plane[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return out


def gather(x: ndarray, index: ndarray, axis: int) -> ndarray:
    """x[i, index[i, j], ...] with the index in the place of `axis`."""
    return x[_along(index, axis)]


def scatter(x: ndarray, index: ndarray, src: Any, axis: int) -> ndarray:
    """A copy of `x` with `src` written where `gather` reads."""
    out = x.copy()
    out[_along(index, axis)] = src
    return out


def scatter_add(x: ndarray, index: ndarray, src: Any, axis: int) -> ndarray:
    """A copy of `x` with `src` added where `gather` reads; a place named twice receives twice."""
    out = x.copy()
    add_at(out, _along(index, axis), src)
    return out


def _along(index: ndarray, axis: int) -> tuple[ndarray, ...]:
    grid: tuple[ndarray, ...] = np.ogrid[tuple(slice(0, n) for n in index.shape)]
    return (*grid[:axis], index, *grid[axis + 1 :])


def add_at(x: ndarray, index: Any, part: Any) -> None:
    """x[index] += part, in place, where a place named twice receives twice."""
    if isinstance(index, ndarray) and index.dtype.kind == "i" and x.ndim > 1 and index.size > 8 and x.dtype.kind == "f":
        _add_rows(x, index.reshape(-1) % len(x), np.broadcast_to(part, (*index.shape, *x.shape[1:])))
        return
    places = _flat_places(x.shape, index) if x.flags.c_contiguous and x.dtype.kind == "f" else None
    if places is None:
        np.add.at(x, index, part)
        return
    flat = x.reshape(-1)
    numbers = np.broadcast_to(part, places.shape).reshape(-1)
    if isinstance(index, tuple) and len(index) == x.ndim and 4 * numbers.size > x.size:  # places all over: count them all
        flat += np.bincount(places.reshape(-1), numbers, x.size).astype(x.dtype, copy=False)
    else:
        np.add.at(flat, places.reshape(-1), numbers)


def _add_rows(x: ndarray, rows: ndarray, part: ndarray) -> None:
    """x[rows] += part for whole rows: those that go to the same row are brought together and summed first (the gradient of
    an embedding, an eighth of `np.add.at`'s time)."""
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    x[rows[starts]] += np.add.reduceat(part.reshape(rows.size, *x.shape[1:])[order], starts, axis=0)


def _flat_places(shape: tuple[int, ...], index: Any) -> ndarray | None:
    """Where x[index] is when x is laid out in one row, for full slices followed by integer arrays; None for other indices.

    NumPy adds at places in a row five times as fast as at those of several axes.
    """
    parts = index if isinstance(index, tuple) else (index,)
    skipped = 0
    while skipped < len(parts) and isinstance(parts[skipped], slice) and parts[skipped] == slice(None):
        skipped += 1
    arrays = parts[skipped:]
    if not arrays or not all(isinstance(i, ndarray) and i.dtype.kind == "i" for i in arrays):
        return None
    count = len(arrays)
    rows = np.zeros((), np.int64)
    for i, n in zip(arrays, shape[skipped : skipped + count]):
        rows = rows * n + np.where(i < 0, i + n, i)
    below = math.prod(shape[skipped + count :])
    places = rows[..., None] * below + np.arange(below) if below != 1 else rows
    for n, size in zip(reversed(shape[:skipped]), _sizes_below(shape, skipped)):
        places = np.arange(n).reshape(-1, *(1,) * places.ndim) * size + places
    return places.reshape(*shape[:skipped], *rows.shape, *shape[skipped + count :])


def _sizes_below(shape: tuple[int, ...], axes: int) -> list[int]:
    """How many elements one step along each of the first `axes` axes passes over, from the last of them to the first."""
    return [math.prod(shape[k + 1 :]) for k in reversed(range(axes))]
