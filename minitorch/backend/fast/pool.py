"""Pooling over two spatial axes: each window is read once, where NumPy goes over the image once per element of the window.
Arguments and shapes as in `numpy_pool`; inside the kernels `x` and `out` are (planes, height, width)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .. import numpy_pool
from ..numpy_conv import Pads, Sizes, conv_size
from ..threads import shared
from .compiler import fits, kernel


def max_pool(x: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """The maximum of each window; shape (n, channels, *positions). The padding never wins. A nan does."""
    if len(kernel) != 2 or not fits(x):
        return numpy_pool.max_pool(x, kernel, stride, padding, dilation)
    out = np.empty((*x.shape[:2], *conv_size(x.shape[2:], kernel, stride, padding, dilation)), x.dtype)
    return _over_planes(_max_pool, x.size, [x], out, kernel, stride, padding, dilation)


def winners(x: ndarray, out: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """Which element of each window (its number in the kernel, row by row) is the first to equal the maximum `out`.
    A nan in `out` was won by the window's first nan."""
    if len(kernel) != 2 or not fits(x, out):
        return numpy_pool.winners(x, out, kernel, stride, padding, dilation)
    found = np.empty(out.shape, np.min_scalar_type(kernel[0] * kernel[1]))
    return _over_planes(_winners, x.size, [x, out], found, kernel, stride, padding, dilation)


def unpool(
    grad: ndarray, winner: ndarray, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes
) -> ndarray:
    """Each element of grad put where its window's `winner` was, added up where windows share one: (n, channels, *size)."""
    if len(kernel) != 2 or not fits(grad) or not winner.flags.c_contiguous:
        return numpy_pool.unpool(grad, winner, size, kernel, stride, padding, dilation)
    out = np.zeros((*grad.shape[:2], *size), grad.dtype)
    return _over_planes(_unpool, out.size, [grad, winner], out, kernel, stride, padding, dilation)


def sum_pool(x: ndarray, kernel: Sizes, stride: Sizes, padding: Pads) -> ndarray:
    """The sum of each window; shape (n, channels, *positions)."""
    if len(kernel) != 2 or not fits(x) or kernel == x.shape[2:]:
        return numpy_pool.sum_pool(x, kernel, stride, padding)
    out = np.empty((*x.shape[:2], *conv_size(x.shape[2:], kernel, stride, padding, (1, 1))), x.dtype)
    return _over_planes(_sum_pool, x.size, [x], out, kernel, stride, padding, (1, 1))


def spread(grad: ndarray, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads) -> ndarray:
    """Each element of grad given to all elements of its window, added up where windows overlap; shape (n, channels, *size)."""
    if len(kernel) != 2 or not fits(grad):
        return numpy_pool.spread(grad, size, kernel, stride, padding)
    out = np.zeros((*grad.shape[:2], *size), grad.dtype)
    return _over_planes(_spread, out.size, [grad], out, kernel, stride, padding, (1, 1))


def _over_planes(
    function: Callable[..., None], size: int, given: list[ndarray], out: ndarray, kernel: Sizes, stride: Sizes, padding: Pads,
    dilation: Sizes,
) -> ndarray:  # fmt: skip
    """`out`, filled by `function` from the planes of the arrays `given`, which threads share."""
    planes = [x.reshape(-1, *x.shape[2:]) for x in (*given, out)]
    way = (*kernel, *stride, *(before for before, _ in padding), *dilation)
    shared(len(planes[0]), size, lambda start, stop: function(*planes, start, stop, way))
    return out


@kernel
def _max_pool(x: Any, out: Any, start: int, stop: int, way: Any) -> None:
    kh, kw, sh, sw, top, left, dh, dw = way
    height, width = x.shape[1:]
    for plane in range(start, stop):
        for row in range(out.shape[1]):
            for column in range(out.shape[2]):
                best = x.dtype.type(-np.inf)
                for i in range(kh):
                    y = row * sh - top + i * dh
                    if 0 <= y < height:
                        for j in range(kw):
                            z = column * sw - left + j * dw
                            if 0 <= z < width:
                                v = x[plane, y, z]
                                if v > best or v != v:
                                    best = v
                out[plane, row, column] = best


@kernel
def _winners(x: Any, best: Any, found: Any, start: int, stop: int, way: Any) -> None:
    kh, kw, sh, sw, top, left, dh, dw = way
    height, width = x.shape[1:]
    for plane in range(start, stop):
        for row in range(best.shape[1]):
            for column in range(best.shape[2]):
                wanted, number = best[plane, row, column], kh * kw - 1
                for tap in range(kh * kw):
                    y, z = row * sh - top + tap // kw * dh, column * sw - left + tap % kw * dw
                    if 0 <= y < height and 0 <= z < width:
                        v = x[plane, y, z]
                        if v == wanted or (v != v and wanted != wanted):
                            number = tap
                            break
                found[plane, row, column] = number


@kernel
def _unpool(grad: Any, winner: Any, out: Any, start: int, stop: int, way: Any) -> None:
    kh, kw, sh, sw, top, left, dh, dw = way
    height, width = out.shape[1:]
    for plane in range(start, stop):
        for row in range(grad.shape[1]):
            for column in range(grad.shape[2]):
                tap = np.int64(winner[plane, row, column])
                y, z = row * sh - top + tap // kw * dh, column * sw - left + tap % kw * dw
                if 0 <= y < height and 0 <= z < width:
                    out[plane, y, z] += grad[plane, row, column]


@kernel
def _sum_pool(x: Any, out: Any, start: int, stop: int, way: Any) -> None:
    kh, kw, sh, sw, top, left, _, _ = way
    height, width = x.shape[1:]
    for plane in range(start, stop):
        for row in range(out.shape[1]):
            for column in range(out.shape[2]):
                total = x.dtype.type(0)
                for y in range(max(0, row * sh - top), min(height, row * sh - top + kh)):
                    for z in range(max(0, column * sw - left), min(width, column * sw - left + kw)):
                        total += x[plane, y, z]
                out[plane, row, column] = total


@kernel
def _spread(grad: Any, out: Any, start: int, stop: int, way: Any) -> None:
    kh, kw, sh, sw, top, left, _, _ = way
    height, width = out.shape[1:]
    for plane in range(start, stop):
        for row in range(grad.shape[1]):
            for column in range(grad.shape[2]):
                share = grad[plane, row, column]
                for y in range(max(0, row * sh - top), min(height, row * sh - top + kh)):
                    for z in range(max(0, column * sw - left), min(width, column * sw - left + kw)):
                        out[plane, y, z] += share
