"""Sums on CuPy arrays down the columns of a matrix, as the gradient of a bias is."""

from __future__ import annotations

import math
from typing import Any

import cupy

from . import numpy
from .cupy_rows import fits, index_for, kernel

FEW = 256
"""Rows that CuPy's own sum takes as fast: it gives 32 columns to a block, with all their rows."""

COLUMNS = r"""
extern "C" __global__ void column_sums(const T* x, T* out, I rows, I width) {
    __shared__ T totals[256];
    I column = blockIdx.x * 32 + threadIdx.x;
    int place = threadIdx.y * 32 + threadIdx.x;
    T total = T(0);
    if (column < width)
        for (I row = blockIdx.y * 8 + threadIdx.y; row < rows; row += gridDim.y * 8) total += x[row * width + column];
    totals[place] = total;
    __syncthreads();
    if (threadIdx.y == 0 && column < width) {
        for (int part = 32; part < 256; part += 32) total += totals[place + part];
        out[(I)blockIdx.y * width + column] = total;
    }
}
"""


def column_sums(x: Any) -> Any:
    """The sum over the first axis of a matrix."""
    rows, width = x.shape
    if rows < FEW or not width or not fits(x):
        return x.sum(0)
    index, whole = index_for(x)
    parts = min(64, rows // 64)
    out = cupy.empty((parts, width), x.dtype)
    run = kernel("column_sums", COLUMNS, x.dtype.char, index)
    run((-(-width // 32), parts), (32, 8), (x, out, whole(rows), whole(width)))
    return out.sum(0)


def reduce_to(grad: Any, like: Any) -> Any:
    """Undo broadcasting: sum `grad` over the axes that were stretched, back to the shape of `like`."""
    wanted = like.shape
    if len(wanted) == 1 and grad.ndim > 1 and grad.shape[-1:] == wanted and grad.flags.c_contiguous:
        return column_sums(grad.reshape(math.prod(grad.shape[:-1]), wanted[0]))
    return numpy.reduce_to(grad, like)
