"""Pooling on NumPy arrays, over any number of spatial axes: maxima and sums of slices, one axis after the other.

The slice number t along an axis holds element t of every window; their maximum, or sum, is the pooled axis. That is a few
passes over contiguous memory, where gathering the windows would copy each element as often as it is seen. Planes (one
channel of one image each) are taken a block at a time, so that the passes after the first find theirs in the cache.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from .numpy_conv import Padded, Pads, Sizes, conv_size, last, tap_slices
from .numpy_sums import sum_sides
from .threads import shared

BLOCK = 2**18
"""How many numbers of the input one block holds. In smaller ones two threads wait for each other between short calls (the
largest of 2 x 2 among two million numbers: 0.6 ms, in blocks of a quarter of this 1.0, with one thread 1.3)."""


def max_pool(x: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """The maximum of each window; shape (n, channels, *positions). The padding never wins. A nan does."""
    return _pool(x, np.maximum, least(x.dtype), kernel, stride, padding, dilation)


def sum_pool(x: ndarray, kernel: Sizes, stride: Sizes, padding: Pads) -> ndarray:
    """The sum of each window; shape (n, channels, *positions)."""
    return _pool(x, np.add, 0, kernel, stride, padding, (1,) * len(kernel))


def _pool(
    x: ndarray, join: Any, border: float, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes
) -> ndarray:
    size = conv_size(x.shape[2:], kernel, stride, padding, dilation)
    whole = kernel == x.shape[2:] and math.prod(size) == 1 and not any(sum(padding, ()))
    if join is np.add and whole and x.dtype.kind == "f":
        return sum_sides(np.ascontiguousarray(x), 1, len(x) * x.shape[1], math.prod(kernel)).reshape(*x.shape[:2], *size)
    out = np.empty((len(x) * x.shape[1], 1, *size), x.dtype)

    def some(start: int, stop: int) -> None:
        for planes, block in _blocks(x, padding, border, start, stop):
            for axis, (k, s, d, n) in enumerate(zip(kernel, stride, dilation, size), start=2):
                final = axis == block.ndim - 1
                ahead: Any = (slice(None),) * axis
                parts = [block[(*ahead, slice(t * d, t * d + (n - 1) * s + 1, s))] for t in range(k)]
                to = out[planes] if final else np.empty(parts[0].shape, x.dtype)
                if n == 1 and d == 1 and k > 2:  # one window along this axis
                    join.reduce(block[(*ahead, slice(0, k))], axis, out=to, keepdims=True)
                    block = to
                    continue
                if k == 1:
                    to[...] = parts[0]
                else:
                    join(parts[0], parts[1], out=to)
                for part in parts[2:]:
                    join(to, part, out=to)
                block = to

    shared(len(out), x.size, some)
    return out.reshape(*x.shape[:2], *size)


def _blocks(x: ndarray, padding: Pads, border: float, first: int, last: int) -> Iterator[tuple[slice, ndarray]]:
    """The planes of x from `first` to `last`, a block at a time, each with its border: (which, (planes, 1, *padded size))."""
    flat = x.reshape(len(x) * x.shape[1], 1, *x.shape[2:])
    step = max(1, BLOCK // max(1, math.prod(x.shape[2:])))
    pad = Padded(flat.shape, padding, min(step, last - first), x.dtype, border)
    for start in range(first, last, step):
        planes = slice(start, min(start + step, last))
        yield planes, pad(flat[planes])


def per_place(counts: tuple[tuple[int, ...], ...], like: ndarray) -> ndarray:
    """1 / how many elements count in the window at each place, where `counts` says how many do along each axis."""
    total = np.ones((), like.dtype)
    for count in counts:
        total = total[..., None] * np.array(count, like.dtype)
    return 1 / total


def least(dtype: Any) -> Any:
    """What is below every number of `dtype`."""
    return -np.inf if dtype.kind in "fO" else np.iinfo(dtype).min


def winners(x: ndarray, out: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """Which element of each window (its number in the kernel, row by row) is the first to equal the maximum `out`.
    A nan in `out` was won by the window's first nan."""
    taps = list(itertools.product(*map(range, kernel)))
    found = np.zeros((len(x) * x.shape[1], 1, *out.shape[2:]), np.min_scalar_type(len(taps)))
    flat = out.reshape(found.shape)

    def find(start: int, stop: int) -> None:
        for planes, block in _blocks(x, padding, least(x.dtype), start, stop):
            best, which = flat[planes], found[planes]
            spoilt = x.dtype.kind == "f" and bool(np.isnan(best).any())
            searching = np.ones(best.shape, bool)  # the winner's number is how many elements were seen before it
            for tap in taps[:-1]:
                part = block[last(tap_slices(tap, out.shape[2:], stride, dilation))]
                searching &= (part != best) & (part == part) if spoilt else part != best
                which += searching

    shared(len(found), 2 * x.size, find)
    return found.reshape(out.shape)


def unpool(
    grad: ndarray, winner: ndarray, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes
) -> ndarray:
    """Each element of grad put where its window's `winner` was, added up where windows share one: (n, channels, *size)."""
    taps = [tap_slices(tap, grad.shape[2:], stride, dilation) for tap in itertools.product(*map(range, kernel))]
    out = _canvas(grad, size, kernel, stride, padding, dilation)
    apart = _apart(kernel, stride, dilation)
    step = max(1, BLOCK // max(1, grad.shape[1] * math.prod(size)))

    def put(start: int, stop: int) -> None:
        for first in range(start, stop, step):
            images = slice(first, min(first + step, stop))
            some, won, to = grad[images], winner[images], out[images]
            for number, tap in enumerate(taps):
                if apart:  # no element lies in two windows: written once, nothing to add to
                    np.multiply(some, won == number, out=to[last(tap)])
                else:
                    to[last(tap)] += some * (won == number)

    shared(len(grad), out.size, put)
    return _inside(out, padding)


def spread(grad: ndarray, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads) -> ndarray:
    """Each element of grad given to all elements of its window, added up where windows overlap; shape (n, channels, *size)."""
    if kernel == stride and tuple(k * n for k, n in zip(kernel, grad.shape[2:])) == tuple(size) and not any(sum(padding, ())):
        for axis in range(grad.ndim - 1, 1, -1):
            grad = _repeated(grad, axis, kernel[axis - 2])
        return grad
    dilation = (1,) * len(kernel)
    out = np.zeros((*grad.shape[:2], *(n + sum(pair) for n, pair in zip(size, padding))), grad.dtype)
    for tap in itertools.product(*map(range, kernel)):
        out[last(tap_slices(tap, grad.shape[2:], stride, dilation))] += grad
    return _inside(out, padding)


def _repeated(x: ndarray, axis: int, times: int) -> ndarray:
    """Each element of x `times` in a row along `axis`."""
    out = np.empty((*x.shape[: axis + 1], times, *x.shape[axis + 1 :]), x.dtype)
    if axis == x.ndim - 1 and times < 8:  # NumPy copies rows of a few elements slowly: column by column instead
        for t in range(times):
            out[..., t] = x
    else:
        out[...] = np.expand_dims(x, axis + 1)
    return out.reshape(*x.shape[:axis], x.shape[axis] * times, *x.shape[axis + 1 :])


def _apart(kernel: Sizes, stride: Sizes, dilation: Sizes) -> bool:
    """No two windows share an element."""
    return all(s >= d * (k - 1) + 1 for k, s, d in zip(kernel, stride, dilation))


def _canvas(grad: ndarray, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """What the elements of grad are put on, with its border: zeros, unless every element will be written."""
    full = tuple(n + before + after for n, (before, after) in zip(size, padding))
    covered = dilation == (1,) * len(size) and kernel == stride and tuple(k * n for k, n in zip(kernel, grad.shape[2:])) == full
    return (np.empty if covered else np.zeros)((*grad.shape[:2], *full), grad.dtype)


def _inside(canvas: ndarray, padding: Pads) -> ndarray:
    """Without the border."""
    return canvas[last(slice(before, n - after) for n, (before, after) in zip(canvas.shape[2:], padding))]


def pick_winners(
    x: ndarray, winner: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes
) -> ndarray:
    """The element of each window of x that `winner` names."""
    padded = Padded(x.shape, padding, len(x), x.dtype)(x)
    out = np.zeros(winner.shape, x.dtype)
    for number, tap in enumerate(itertools.product(*map(range, kernel))):
        np.copyto(out, padded[last(tap_slices(tap, winner.shape[2:], stride, dilation))], where=winner == number)
    return out


def places(winner: ndarray, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """Where each winner lies in the plane of `size`, counted row by row: the indices that PyTorch returns."""
    total = np.zeros(winner.shape, np.int64)
    taps = np.unravel_index(winner.astype(np.int64), kernel)
    for axis, tap in enumerate(taps):
        along = np.arange(winner.shape[2 + axis]) * stride[axis] - padding[axis][0]
        along = along.reshape((-1,) + (1,) * (len(kernel) - 1 - axis))
        total = total * size[axis] + along + tap * dilation[axis]
    return total


def adaptive_places(x: ndarray, size: Sizes) -> tuple[ndarray, ...]:
    """Where the maximum of each of `size` nearly equal parts of a plane lies: an index into x for a result of shape
    (n, channels, *size)."""
    found = np.empty((len(size), *x.shape[:2], *size), np.int64)
    for cell in itertools.product(*map(range, size)):
        ranges = [adaptive_range(i, n, parts) for i, n, parts in zip(cell, x.shape[2:], size)]
        part = x[last(slice(a, b) for a, b in ranges)]
        local = np.unravel_index(part.reshape(*x.shape[:2], -1).argmax(-1), part.shape[2:])
        for axis, (along, (start, _)) in enumerate(zip(local, ranges)):
            found[axis][last(cell)] = along + start
    batch, channel = np.ogrid[: len(x), : x.shape[1]]
    ones = (1,) * len(size)
    return batch.reshape(-1, 1, *ones), channel.reshape(1, -1, *ones), *found


def flat_places(index: tuple[ndarray, ...], size: Sizes) -> ndarray:
    """Where in a plane of `size` each element of such an index lies, counted row by row."""
    return np.ravel_multi_index(index[2:], size)


def adaptive_range(part: int, length: int, parts: int) -> tuple[int, int]:
    """Start and end of part number `part` when an axis of `length` is cut into `parts` (which may overlap by one)."""
    return part * length // parts, -(-(part + 1) * length // parts)
