"""Resizing on CuPy arrays. The small matrices and lists are made in main memory, and copied."""

# ruff: noqa: F401
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy

from . import numpy_resize, numpy_sample
from .cupy_pool import spread, sum_pool
from .numpy_resize import along_axes

Sizes = tuple[int, ...]


def averaging(length: int, parts: int, like: Any) -> Any:
    """The matrix that takes an axis of `length` to the means of nearly equal `parts`, in the dtype of `like`."""
    return cupy.asarray(numpy_resize.averaging(length, parts, like))


def mixing(taps: Any, length: int, like: Any) -> Any:
    """The matrix that takes an axis of `length` to mixtures of its places: `taps` lists (place, share) for each new one."""
    return cupy.asarray(numpy_resize.mixing(taps, length, like))


def unit_grid(size: tuple[int, ...], align_corners: bool) -> Any:
    """For each pixel of `size`, row by row: its place from -1 to 1 along each axis, last axis first, and 1."""
    return cupy.asarray(numpy_sample.unit_grid(size, align_corners))


def nearest(x: Any, indices: Sequence[Sequence[int]]) -> Any:
    """x (n, channels, *size) with, along each spatial axis, the places that its list names."""
    times = numpy_resize._times(indices, x.shape[2:])
    if times is not None:
        return spread(x, tuple(n * t for n, t in zip(x.shape[2:], times)), times, times, ((0, 0),) * len(times))
    for axis, index in enumerate(indices, start=2):
        x = cupy.take(x, cupy.asarray(index), axis)
    return x


def nearest_back(grad: Any, indices: Sequence[Sequence[int]], size: Sizes) -> Any:
    """The gradient of `nearest`: each element of grad added where it was read."""
    times = numpy_resize._times(indices, size)
    if times is not None:
        return sum_pool(grad, times, times, ((0, 0),) * len(times))
    for axis, (index, n) in enumerate(zip(indices, size), start=2):
        out = cupy.zeros((*grad.shape[:axis], n, *grad.shape[axis + 1 :]), grad.dtype)
        cupy.add.at(out, (slice(None),) * axis + (cupy.asarray(index),), grad)
        grad = out
    return grad
