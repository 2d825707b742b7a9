"""Resizing on NumPy arrays, over any number of spatial axes: one matrix, or one list of places, per axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .numpy_pool import adaptive_range, spread, sum_pool

Sizes = tuple[int, ...]


def along_axes(x: ndarray, matrices: Sequence[ndarray]) -> ndarray:
    """Each of the last axes of x multiplied by its matrix, shape (new length, old length)."""
    # The axis that shrinks most comes first: less is left for the others.
    for axis in sorted(range(-len(matrices), 0), key=lambda a: matrices[a].shape[0] / max(1, matrices[a].shape[1])):
        matrix = matrices[axis]
        if axis == -1:
            x = np.matmul(x, matrix.T)
        elif axis == -2:
            x = np.matmul(matrix, x)
        else:
            x = np.moveaxis(np.matmul(np.moveaxis(x, axis, -1), matrix.T), -1, axis)
    return x


def averaging(length: int, parts: int, like: ndarray) -> ndarray:
    """The matrix that takes an axis of `length` to the means of nearly equal `parts`, in the dtype of `like`."""
    matrix = np.zeros((parts, length), like.dtype)
    for part in range(parts):
        start, stop = adaptive_range(part, length, parts)
        matrix[part, start:stop] = 1 / (stop - start)
    return matrix


def mixing(taps: Any, length: int, like: ndarray) -> ndarray:
    """The matrix that takes an axis of `length` to mixtures of its places: `taps` lists (place, share) for each new one."""
    matrix = np.zeros((len(taps), length), like.dtype)
    for row, mixture in enumerate(taps):
        for place, share in mixture:
            matrix[row, place] += share
    return matrix


def nearest(x: ndarray, indices: Sequence[Sequence[int]]) -> ndarray:
    """x (n, channels, *size) with, along each spatial axis, the places that its list names."""
    times = _times(indices, x.shape[2:])
    if times is not None:
        return spread(x, tuple(n * t for n, t in zip(x.shape[2:], times)), times, times, ((0, 0),) * len(times))
    for axis, index in enumerate(indices, start=2):
        x = np.take(x, index, axis)
    return x


def nearest_back(grad: ndarray, indices: Sequence[Sequence[int]], size: Sizes) -> ndarray:
    """The gradient of `nearest`: each element of grad added where it was read. The lists rise."""
    times = _times(indices, size)
    if times is not None:
        return sum_pool(grad, times, times, ((0, 0),) * len(times))
    for axis, (index, n) in enumerate(zip(indices, size), start=2):
        places, starts = np.unique(np.asarray(index), return_index=True)
        out = np.zeros((*grad.shape[:axis], n, *grad.shape[axis + 1 :]), grad.dtype)
        out[(slice(None),) * axis + (places,)] = np.add.reduceat(grad, starts, axis)
        grad = out
    return grad


def _times(indices: Sequence[Sequence[int]], size: Sizes) -> Sizes | None:
    """How often each axis repeats every place, where it does so evenly: 0 0 1 1 2 2."""
    times = tuple(len(index) // max(1, n) for index, n in zip(indices, size))
    even = all(tuple(index) == tuple(i // t for i in range(n * t)) for index, n, t in zip(indices, size, times) if t)
    return times if min(times) and even else None
