"""Where elements are: by size along an axis, by an index at each place, on a diagonal."""

from __future__ import annotations

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
    np.add.at(out, _along(index, axis), src)
    return out


def _along(index: ndarray, axis: int) -> tuple[ndarray, ...]:
    grid: tuple[ndarray, ...] = np.ogrid[tuple(slice(0, n) for n in index.shape)]
    return (*grid[:axis], index, *grid[axis + 1 :])
