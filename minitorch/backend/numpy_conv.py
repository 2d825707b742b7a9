"""Convolution on NumPy arrays, over any number of spatial axes: windows as columns (im2col), times the weights.

Shapes: x (n, channels, *size), weight (filters, channels / groups, *kernel), result (n, filters, *positions).
`stride`, `dilation` have one number per spatial axis, `padding` a pair (before, after), negative to cut off.
The columns are built a block at a time in a workspace that stays in the cache and are never kept: building them again
for the backward pass costs less than the memory.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import as_strided

from .numpy_unrolled import BLOCK, FORMED, Pads, Sizes, Unrolled, positions_at_once, rows_at_once, whole_lines
from .threads import one_thread_each, shared


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
    size = conv_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = np.empty((len(x), len(weight), *size), np.result_type(x, weight))
    _conv_into(out, x, weight, bias, stride, padding, dilation, groups)
    return out


def _conv_into(
    out: ndarray, x: ndarray, weight: ndarray, bias: ndarray | None, stride: Sizes, padding: Pads, dilation: Sizes, groups: int
) -> None:
    """`conv`, written to an array of any strides."""
    if x.ndim == 3:
        out, x, weight = (array[:, :, None] for array in (out, x, weight))
        stride, padding, dilation = _with_lines(stride, padding, dilation)
    filters, kernel, size = len(weight), weight.shape[2:], out.shape[2:]
    depth = weight[0].size
    images, lines = positions_at_once(size, depth, len(x))
    part = rows_at_once(filters // groups, depth * images * lines * math.prod(size[1:]))
    rows = np.ascontiguousarray(weight).reshape(groups, -1, part, depth)
    shift = None if bias is None else bias.reshape(groups, -1, part, 1)

    def some(start: int, stop: int) -> None:
        blocks = column_blocks(x[start:stop], kernel, size, stride, padding, dilation, images, lines)
        for which, line, columns in blocks:
            (count, _, _, _, high, together), rest = columns.shape[:6], columns.shape[6:]
            to = out[start:stop][which, :, line : line + count * high].reshape(together, filters, count, high, *rest)
            columns = columns.reshape(count, groups, 1, depth, -1)
            if together == 1 and out.flags.c_contiguous:  # each product goes where it belongs
                place = to.reshape(*rows.shape[:3], count, columns.shape[4]).transpose(3, 0, 1, 2, 4)
                product = np.matmul(rows, columns, out=place)
                if shift is not None:
                    product += shift
                continue
            product = np.matmul(rows, columns)
            if shift is not None:
                product += shift
            product = product.reshape(count, filters, high, together, *rest)
            to[...] = product.transpose(3, 1, 0, 2, *range(4, product.ndim))

    _shared(len(x), out.size * depth, some)


def conv_weight(
    x: ndarray, grad: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """The gradient of `conv` with respect to its weight of size `kernel`: grad times every window of x, added up."""
    filters, channels, across = grad.shape[1], x.shape[1] // groups, kernel
    if x.ndim == 3:
        x, grad, across = x[:, :, None], grad[:, :, None], (1, *kernel)
        stride, padding, dilation = _with_lines(stride, padding, dilation)
    if channels * math.prod(across[1:]) < 16:  # a product needs more rows: all elements of the kernel at once
        x, grad, across = x[:, :, None], grad[:, :, None], (1, *across)
        stride, padding, dilation = _with_lines(stride, padding, dilation)
    size, dtype, each = grad.shape[2:], np.result_type(x, grad), filters // groups
    if not grad.size:
        return np.zeros((filters, channels, *kernel), dtype)
    taps = math.prod(across[1:])
    images, lines = whole_lines(size, x.shape[1] * taps, channels * taps, each, len(x))

    def some(start: int, stop: int) -> ndarray:
        total = np.zeros((across[0], groups, channels * taps, each), dtype)
        unrolled = Unrolled(x, across, size, stride, padding, dilation, min(images, stop - start), lines)
        for first, top in itertools.product(range(start, stop, images), range(0, size[0], lines)):
            block = grad[first : min(first + images, stop), :, top : top + lines]
            unrolled.load(x[first : first + len(block)], top)
            if each < 32:
                right = np.moveaxis(block, 0, 2).reshape(groups, each, -1).swapaxes(1, 2)
            else:  # filters last: a product with many of them takes three quarters of the time when they lie side by side
                right = np.moveaxis(block, (0, 1), (1, -1)).reshape(-1, groups, each).swapaxes(0, 1)
            part = rows_at_once(total.shape[2], right.shape[1] * each)
            for t in range(across[0]):
                left = unrolled.tap(t, 0, block.shape[2], len(block)).reshape(groups, -1, part, right.shape[1])
                total[t] += np.matmul(left, right[:, None]).reshape(total.shape[1:])
        return total

    total = functools.reduce(np.add, _shared(len(x), grad.size * channels * math.prod(kernel), some))
    total = total.reshape(across[0], groups, channels, taps, each).transpose(1, 4, 2, 0, 3)
    return np.ascontiguousarray(total).reshape(filters, channels, *kernel)


def _shared(images: int, products: int, some: Callable[[int, int], Any]) -> list[Any]:
    """`threads.shared`, for so many multiplications; the matrix routines keep to one thread also where nothing is shared:
    theirs wait for the next of many small products in a loop (a DCGAN's step: 37 ms, otherwise 41, and 68 beside another
    program)."""
    with one_thread_each:
        return shared(images, products // FORMED, some)


def _with_lines(stride: Sizes, padding: Pads, dilation: Sizes) -> tuple[Sizes, Pads, Sizes]:
    """How a window moves that is given a first axis of one line."""
    return (1, *stride), ((0, 0), *padding), (1, *dilation)


def conv_input(
    grad: ndarray, weight: ndarray, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """The gradient of `conv` with respect to its x of spatial `size`: each element of grad, times the filter, put where
    the filter read. As an operation of its own, the transposed convolution."""
    filters, channels, kernel = len(weight), weight.shape[1], weight.shape[2:]
    out = np.empty((len(grad), groups * channels, *size), np.result_type(grad, weight))
    crowded = math.prod(size) <= 2 * math.prod(stride) * math.prod(grad.shape[2:])
    if not crowded or channels < min(8, filters // groups):  # few channels: a product with few rows, slow
        _scatter(out, grad, weight, stride, padding, dilation, groups)
        return out
    # A convolution of grad with the filters turned around. With a stride of 2, elements 0 2 4 ... of x meet only every other
    # element of the filters, and elements 1 3 5 ... the rest: for each corner of a stride, a convolution of its own.
    swapped = weight.reshape(groups, filters // groups, channels, *kernel).swapaxes(1, 2)
    turned = np.flip(swapped, tuple(range(3, swapped.ndim))).reshape(groups * channels, filters // groups, *kernel)

    def some(start: int, stop: int) -> None:
        for corner in itertools.product(*map(range, stride)):
            part = out[start:stop][last(slice(c, None, s) for c, s in zip(corner, stride))]
            meets = [_meeting(*axis) for axis in zip(corner, size, grad.shape[2:], kernel, stride, padding, dilation)]
            picks, pads, steps = zip(*meets)
            if all(len(range(*pick.indices(k))) for pick, k in zip(picks, kernel)):
                _conv_into(part, grad[start:stop], turned[last(picks)], None, (1,) * len(size), pads, steps, groups)
            else:
                part[...] = 0

    _shared(len(grad), grad.size * channels * math.prod(kernel), some)
    return out


def _meeting(
    corner: int, n: int, positions: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int
) -> tuple[slice, tuple[int, int], int]:
    """For elements corner + i · stride of an axis of n: which elements of the turned kernel meet them, and how to pad and
    dilate a convolution of the `positions` with those so that it gives one number for each i."""
    shift = corner + padding[0]
    meet = [t for t in range(kernel) if (t * dilation - shift) % stride == 0]
    if not meet:
        return slice(0, 0), (0, 0), 1
    common = math.gcd(stride, dilation)
    before, step = (meet[-1] * dilation - shift) // stride, dilation // common
    count = (n - corner + stride - 1) // stride
    pick = slice(kernel - 1 - meet[-1], kernel - meet[0], stride // common)
    return pick, (before, count + step * (len(meet) - 1) - before - positions), step


def _scatter(out: ndarray, grad: ndarray, weight: ndarray, stride: Sizes, padding: Pads, dilation: Sizes, groups: int) -> None:
    """`conv_input` as products of every filter with grad, added up where windows overlap."""
    (filters, channels, *kernel), positions = weight.shape, grad.shape[2:]
    flat = grad.reshape(len(grad), groups, filters // groups, math.prod(positions))
    rows = np.ascontiguousarray(weight.reshape(groups, filters // groups, -1).swapaxes(1, 2))
    step = max(1, 8 * BLOCK // max(1, rows.shape[0] * rows.shape[1] * flat.shape[3]))

    def some(start: int, stop: int) -> None:
        for first in range(start, stop, step):
            images = slice(first, min(first + step, stop))
            if flat.shape[3] < 16:  # one product for all images, for a product with few columns is slow
                inside = np.moveaxis(flat[images], 0, -1).reshape(groups, filters // groups, -1)
                columns = np.matmul(rows, inside).reshape(groups * channels, *kernel, *positions, -1)
                columns = np.moveaxis(columns, -1, 0)
            else:
                columns = np.matmul(rows, flat[images]).reshape(-1, groups * channels, *kernel, *positions)
            out[images] = col2im(columns, out.shape[2:], stride, padding, dilation)

    _shared(len(grad), grad.size * channels * math.prod(kernel), some)


def column_blocks(
    x: ndarray, kernel: Sizes, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, images: int, lines: int
) -> Iterator[tuple[slice, int, ndarray]]:
    """The windows of x, some blocks at a time, each of `images` images and `lines` lines of positions: (which images, first
    line, columns (blocks, channels, kernel[0], the kernel's other elements, lines, images, *rest)). The columns are
    overwritten by the next."""
    n, line, images = len(x), math.prod(size[1:]), min(images, len(x))
    if not n or not math.prod(size):
        return
    wide = x.shape[1] * math.prod(kernel[1:]) * line * images  # one line of one element of the kernel along the first axis
    most = max(1, BLOCK // (wide * kernel[0] * lines))
    band = min(-(-size[0] // lines), most * max(1, BLOCK // (wide * most * lines)))  # in blocks
    unrolled = Unrolled(x, kernel, size, stride, padding, dilation, images, band * lines)
    windows = unrolled.windows(lines)
    whole = (slice(None),) * (len(size) - 1)
    workspace = np.empty(wide * kernel[0] * lines * most, x.dtype)
    for first, top in itertools.product(range(0, n, images), range(0, size[0], band * lines)):
        some = x[first : first + images]
        unrolled.load(some, top)
        full, rest = divmod(min(band * lines, size[0] - top), lines)
        pieces = [(block, min(most, full - block), lines) for block in range(0, full, most)]
        for block, count, high in pieces + [(full, 1, rest)] * (rest > 0):
            part: Any = (slice(block, block + count), ..., slice(high), slice(len(some)), *whole)
            if kernel[0] == 1:  # nothing overlaps
                columns = windows[0][1][part]
            else:
                shape = (count, x.shape[1], kernel[0], unrolled.across, high, len(some), *size[1:])
                columns = workspace[: math.prod(shape)].reshape(shape)
                for t, window in windows:
                    np.copyto(columns[:, :, t], window[part])
            yield slice(first, first + images), top + block * lines, columns


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
