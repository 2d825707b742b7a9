"""Images unrolled for convolution: the windows laid out so that products of matrices read them without waiting."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import as_strided

from .threads import has_small_products

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

BLOCK = 2**18
"""How many numbers a workspace holds: a megabyte of float32, about what a core's own cache does (half and twice as much are
4 % slower)."""

FORMED = 32
"""How many multiplications of a convolution count as one number for `threads.shared`. (16 channels of 16 x 16, 4 images:
0.14 ms, shared among two threads that wait for each other between short calls 0.29; of 32 x 32, 8 images: 0.68 and 0.65.)"""

SMALL = 10**6
"""Up to this many multiplications, OpenBLAS with AVX-512 multiplies matrices where they lie, without copying them first."""


def rows_at_once(rows: int, products: int) -> int:
    """Into parts of how many rows to cut the left factor of a product, `products` being the multiplications for one row.

    On an EPYC, 32 x 288 times 288 x 192 takes three quarters of the time in parts of 16 rows (112 to 85 GFLOP/s).
    """
    if not has_small_products():
        return rows
    part = next(n for n in range(max(1, min(rows, SMALL // max(1, products))), 0, -1) if rows % n == 0)
    return part if part >= 4 else rows


def positions_at_once(size: Sizes, depth: int, images: int) -> tuple[int, int]:
    """How many images, and how many of their lines of positions, go into one product over `depth`."""
    line = max(1, math.prod(size[1:]))
    together = max(1, min(images, BLOCK // max(1, depth * size[0] * line)))
    wanted = min(384, max(64, SMALL // max(1, 8 * depth))) if has_small_products() else 384
    lines = max(1, min(size[0], (wanted + wanted // 8) // (line * together)))
    even = next(n for n in range(lines, 0, -1) if size[0] % n == 0)
    return together, even if 2 * even > lines else lines


def whole_lines(size: Sizes, depth: int, rows: int, columns: int, images: int) -> tuple[int, int]:
    """How many images, and how many of their lines, fit into a workspace with `depth` numbers for each position, and into a
    product of `rows` by `columns` that adds up over the positions."""
    line = math.prod(size[1:])
    together = max(1, min(images, BLOCK // (depth * size[0] * line)))
    most = SMALL // (min(rows, 8) * columns) if has_small_products() else BLOCK
    return together, max(1, min(size[0], min(BLOCK // depth, max(256, most)) // (line * together)))


class Unrolled:
    """A workspace for some images, copied once for each element of the kernel along all axes but the first.

    The first axis holds lines. `tap(t)`, element t along it of all windows, is a range of lines: one piece of memory, however
    much the windows overlap. With a stride of 2, lines 0 2 4 ... and 1 3 5 ... are two phases, kept apart.
    """

    def __init__(
        self, x: ndarray, kernel: Sizes, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, images: int, lines: int
    ) -> None:
        """For up to `images` of x (n, channels, lines, *rest) and `lines` lines of `size` positions at a time."""
        (self.stride, *across), (self.before, *before) = stride, (p for p, _ in padding)
        reads = [t * dilation[0] for t in range(kernel[0])]
        self.phases = sorted({at % self.stride for at in reads})
        self.taps = [(self.phases.index(at % self.stride), at // self.stride) for at in reads]
        self.depth = lines + reads[-1] // self.stride
        # For each element of the kernel along the other axes: where its elements go, and where they come from.
        self.moves = [
            tuple(zip(*(reach(n, s, t * d - b, length) for n, s, t, d, b, length in zip(size[1:], across, tap, *rest))))
            for tap in itertools.product(*map(range, kernel[1:]))
            for rest in [(dilation[1:], before, x.shape[3:])]
        ]
        self.across = len(self.moves)
        # The zeros of the padding along the other axes are never written to.
        self.buffer = np.zeros((x.shape[1], self.across, len(self.phases), self.depth, images, *size[1:]), x.dtype)

    def load(self, x: ndarray, line: int) -> None:
        """Copy the windows of images x at the lines of positions from `line` on."""
        x = x.transpose(1, 2, 0, *range(3, x.ndim))  # channels, lines, images, ...
        for number, phase in enumerate(self.phases):
            to, of = reach(self.depth, self.stride, line * self.stride + phase - self.before, x.shape[1])
            block = self.buffer[:, :, number, :, : x.shape[2]]
            block[:, :, : to.start] = 0
            block[:, :, to.stop :] = 0
            for t, (there, here) in enumerate(self.moves):
                block[(slice(None), t, to, slice(None), *there)] = x[(slice(None), of, slice(None), *here)]

    def tap(self, t: int, line: int, lines: int, images: int) -> ndarray:
        """Element t along the first axis of the windows: (channels, the kernel's other elements, lines, images, *rest)."""
        phase, shift = self.taps[t]
        return self.buffer[:, :, phase, line + shift : line + shift + lines, :images]

    def windows(self, lines: int) -> list[tuple[Any, ndarray]]:
        """All windows as views on the workspace, in blocks of `lines`: pairs of an index of elements along the first axis of
        the kernel, and what is there: (blocks, channels, *index, the kernel's other elements, lines, images, *rest)."""
        channel, across, phase, line, *rest = self.buffer.strides
        blocks = self.buffer.shape[3] // lines
        after, steps = self.buffer.shape[4:], (line, *rest)
        if len(self.phases) == 1:  # evenly spaced: one view
            apart = line * (self.taps[1][1] if len(self.taps) > 1 else 0)
            shape = (blocks, len(self.buffer), len(self.taps), self.across, lines, *after)
            return [(slice(None), as_strided(self.buffer, shape, (line * lines, channel, apart, across, *steps)))]
        shape, strides = (blocks, len(self.buffer), self.across, lines, *after), (line * lines, channel, across, *steps)
        return [(t, as_strided(self.buffer[:, :, p, at:], shape, strides)) for t, (p, at) in enumerate(self.taps)]


def reach(count: int, step: int, start: int, length: int) -> tuple[slice, slice]:
    """Of the places start + i · step, i below `count`, those within `length`: which i, and which places."""
    low = max(0, -(start // step))
    high = max(low, min(count, (length - 1 - start) // step + 1))
    if high == low:
        return slice(count, count), slice(0, 0)
    return slice(low, high), slice(start + low * step, start + (high - 1) * step + 1, step)
