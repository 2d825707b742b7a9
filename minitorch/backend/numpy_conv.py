"""Convolution on NumPy arrays, over any number of spatial axes: windows as columns (im2col), times the weights.

Shapes: x (n, channels, *size), weight (filters, channels / groups, *kernel), result (n, filters, *positions).
`stride`, `dilation` have one number per spatial axis, `padding` a pair (before, after), negative to cut off.
The columns are built a block at a time in a workspace that stays in the cache and are never kept: building them again
for the backward pass costs less than the memory. (On an EPYC, forward and backward take 1.4 to 2.5 times PyTorch's time.)
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import as_strided

from .threads import shared

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

BLOCK = 2**18
"""How many numbers a workspace of columns holds: 1 MB of float32, what fits in a core's own cache."""


def conv_size(size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Sizes:
    """At how many positions a window of `kernel` fits along each axis."""
    return tuple(
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, k, s, (before, after), d in zip(size, kernel, stride, padding, dilation)
    )


def conv(
    x: ndarray, weight: ndarray, bias: ndarray | None, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """At each position, the products of each filter with the window of x there, added up; plus the filter's bias."""
    filters, kernel = len(weight), weight.shape[2:]
    size = conv_size(x.shape[2:], kernel, stride, padding, dilation)
    out = np.empty((len(x), groups, filters // groups, math.prod(size)), np.result_type(x, weight))
    rows = weight.reshape(groups, filters // groups, -1)
    shift = None if bias is None else bias.reshape(groups, -1, 1)

    def some(start: int, stop: int) -> None:
        for images, positions, columns in column_blocks(x[start:stop], kernel, size, stride, padding, dilation):
            part = out[start:stop][images, :, :, positions]
            np.matmul(rows, columns.reshape(len(columns), groups, rows.shape[2], part.shape[3]), out=part)
            if shift is not None:
                part += shift

    shared(len(x), len(x) * math.prod(size) * weight[0].size, some)
    return out.reshape(len(x), filters, *size)


def conv_weight(
    x: ndarray, grad: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """The gradient of `conv` with respect to its weight of size `kernel`: grad times every window of x, added up."""
    filters, size, channels = grad.shape[1], grad.shape[2:], x.shape[1] // groups
    flat = grad.reshape(len(grad), groups, filters // groups, math.prod(size))

    def some(start: int, stop: int) -> ndarray:
        total = np.zeros((groups, channels * math.prod(kernel), filters // groups), np.result_type(x, grad))
        blocks = column_blocks(x[start:stop], kernel, size, stride, padding, dilation, batch_inside=True)
        for images, positions, columns in blocks:
            # One product with all the images of the block in its inner axis, where the sum over them comes for free. The
            # columns on the left, for there are more of them than filters: half the time of the other way around.
            part = np.moveaxis(flat[start:stop][images, :, :, positions], 0, 2)
            part = part.reshape(groups, filters // groups, part.shape[2] * part.shape[3])
            total += np.matmul(columns.reshape(groups, total.shape[1], part.shape[2]), part.swapaxes(1, 2))
        return total

    total: ndarray = functools.reduce(np.add, shared(len(x), len(x) * math.prod(size) * channels * math.prod(kernel), some))
    return np.ascontiguousarray(total.swapaxes(1, 2)).reshape(filters, channels, *kernel)


def conv_input(
    grad: ndarray, weight: ndarray, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """The gradient of `conv` with respect to its x of spatial `size`: each element of grad, times the filter, put where
    the filter read. As an operation of its own, the transposed convolution."""
    filters, channels, kernel = len(weight), weight.shape[1], weight.shape[2:]
    if all(s == 1 for s in stride) and channels >= min(8, filters // groups):
        # A convolution of grad with the filters turned around. (With few channels that is a product with few rows, slow.)
        swapped = weight.reshape(groups, filters // groups, channels, *kernel).swapaxes(1, 2)
        turned = np.flip(swapped, tuple(range(3, swapped.ndim))).reshape(groups * channels, filters // groups, *kernel)
        pads = turned_padding(size, grad.shape[2:], kernel, padding, dilation)
        return conv(grad, turned, None, stride, pads, dilation, groups)
    out = np.empty((len(grad), groups * channels, *size), np.result_type(grad, weight))
    flat = grad.reshape(len(grad), groups, filters // groups, math.prod(grad.shape[2:]))
    rows = np.ascontiguousarray(weight.reshape(groups, filters // groups, -1).swapaxes(1, 2))
    step = max(1, 4 * BLOCK // max(1, rows.shape[0] * rows.shape[1] * flat.shape[3]))

    def some(start: int, stop: int) -> None:
        for first in range(start, stop, step):
            images = slice(first, min(first + step, stop))
            columns = np.matmul(rows, flat[images])
            columns = columns.reshape(len(columns), groups * channels, *kernel, *grad.shape[2:])
            out[images] = col2im(columns, size, stride, padding, dilation)

    shared(len(grad), grad.size * channels * math.prod(kernel), some)
    return out


def turned_padding(size: Sizes, positions: Sizes, kernel: Sizes, padding: Pads, dilation: Sizes) -> Pads:
    """How far to pad the `positions` of a convolution with stride 1 so that one with the turned kernel leads back to `size`."""
    spans = (d * (k - 1) for k, d in zip(kernel, dilation))
    return tuple((span - before, n - p + before) for n, p, span, (before, _) in zip(size, positions, spans, padding))


def column_blocks(
    x: ndarray, kernel: Sizes, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, batch_inside: bool = False
) -> Iterator[tuple[slice, slice, ndarray]]:
    """The windows of x, a block at a time: (images, positions, columns (images, channels, *kernel, *positions)).

    A block is several small images, or some rows of a large one. The columns are overwritten by the next block's.
    With `batch_inside` they are (channels, *kernel, images, *positions).
    """
    n, axes = len(x), len(kernel)
    per_row = x.shape[1] * math.prod(kernel) * math.prod(size[1:])
    step, rows = max(1, BLOCK // max(1, per_row * size[0])), max(1, min(size[0], BLOCK // max(1, per_row)))
    if not n or not math.prod(size):
        return
    workspace = np.empty(min(step, n) * rows * per_row, x.dtype)
    pad = Padded(x.shape, padding, min(step, n), x.dtype)
    for start in range(0, n, step):
        view = windows(pad(x[start : start + step]), kernel, size, stride, dilation)
        for row in range(0, size[0], rows):
            part = view[(slice(None),) * (2 + axes) + (slice(row, row + rows),)]
            if batch_inside:
                part = np.moveaxis(part, 0, 1 + axes)
            columns = workspace[: part.size].reshape(part.shape)
            np.copyto(columns, part)
            inner = math.prod(size[1:])
            yield slice(start, start + step), slice(row * inner, (row + rows) * inner), columns


class Padded:
    """A workspace that gives images a border of `value`; the border is written once."""

    def __init__(self, shape: Sizes, padding: Pads, count: int, dtype: Any, value: float = 0) -> None:
        self.none = not any(itertools.chain(*padding))
        if not self.none:
            size = tuple(n + before + after for n, (before, after) in zip(shape[2:], padding))
            self.buffer = np.full((count, shape[1], *size), value, dtype)
            self.inside = tuple(slice(max(0, b), m - max(0, a)) for m, (b, a) in zip(size, padding))
            self.used = tuple(slice(max(0, -b), n - max(0, -a)) for n, (b, a) in zip(shape[2:], padding))

    def __call__(self, images: ndarray) -> ndarray:
        if self.none:
            return images
        buffer = self.buffer[: len(images)]
        buffer[(slice(None), slice(None), *self.inside)] = images[(slice(None), slice(None), *self.used)]
        return buffer


def windows(x: ndarray, kernel: Sizes, size: Sizes, stride: Sizes, dilation: Sizes) -> ndarray:
    """All windows of x as a view, shape (n, channels, *kernel, *size); elements appear in as many windows as they lie in."""
    steps = x.strides[2:]
    within, between = (s * d for s, d in zip(steps, dilation)), (s * t for s, t in zip(steps, stride))
    return as_strided(x, (*x.shape[:2], *kernel, *size), (*x.strides[:2], *within, *between), writeable=False)


def im2col(x: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """All windows of x, shape (n, channels, *kernel, *positions)."""
    size = conv_size(x.shape[2:], kernel, stride, padding, dilation)
    return windows(Padded(x.shape, padding, len(x), x.dtype)(x), kernel, size, stride, dilation).copy()


def col2im(columns: ndarray, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> ndarray:
    """The windows put back where `im2col` read them, added up where they overlap: shape (n, channels, *size)."""
    axes = len(size)
    kernel, positions = columns.shape[2 : 2 + axes], columns.shape[2 + axes :]
    full = tuple(n + before + after for n, (before, after) in zip(size, padding))
    out = np.zeros((*columns.shape[:2], *full), columns.dtype)
    for tap in itertools.product(*map(range, kernel)):
        at: Any = (slice(None), slice(None), *tap)
        out[last(tap_slices(tap, positions, stride, dilation))] += columns[at]
    kept = tuple(slice(max(0, b), m - max(0, a)) for m, (b, a) in zip(full, padding))
    if min(itertools.chain(*padding), default=0) >= 0:
        return out[last(kept)]
    back = np.zeros((*columns.shape[:2], *size), columns.dtype)
    back[last(slice(max(0, -b), n - max(0, -a)) for n, (b, a) in zip(size, padding))] = out[last(kept)]
    return back


def last(index: Iterable[Any]) -> Any:
    """An index into the last axes."""
    return (..., *index)


def tap_slices(tap: Sizes, positions: Sizes, stride: Sizes, dilation: Sizes) -> tuple[slice, ...]:
    """Where element `tap` of the window lies in the (padded) array, at each of the `positions`."""
    return tuple(slice(t * d, t * d + (p - 1) * s + 1, s) for t, p, s, d in zip(tap, positions, stride, dilation))
