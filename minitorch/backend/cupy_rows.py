"""Kernels in which the threads of a block work on one row together: what needs sums or maxima on the way."""

from __future__ import annotations

import functools
from typing import Any

import cupy
import numpy as np

SOURCE = r"""
typedef %s T;
typedef %s I;

__device__ T block_sum(T x, T* shared) {
    for (int step = 16; step > 0; step /= 2) x += __shfl_down_sync(0xffffffffu, x, step);
    __syncthreads();  // everybody has read what was there
    if (threadIdx.x %% 32 == 0) shared[threadIdx.x / 32] = x;
    __syncthreads();
    T total = shared[0];
    for (int warp = 1; warp < blockDim.x / 32; ++warp) total += shared[warp];
    return total;
}

__device__ T block_max(T x, T* shared) {
    for (int step = 16; step > 0; step /= 2) x = fmax(x, __shfl_down_sync(0xffffffffu, x, step));
    __syncthreads();
    if (threadIdx.x %% 32 == 0) shared[threadIdx.x / 32] = x;
    __syncthreads();
    T peak = shared[0];
    for (int warp = 1; warp < blockDim.x / 32; ++warp) peak = fmax(peak, shared[warp]);
    return peak;
}
"""

C_TYPES = {"f": "float", "d": "double"}


@functools.cache
def kernel(name: str, body: str, dtype: str, index: str) -> Any:
    """The kernel `name` in `body`, for arrays of `dtype` ("f" or "d"), counted through in `index`."""
    return cupy.RawKernel(SOURCE % (C_TYPES[dtype], index) + body, name)


def fits(*arrays: Any) -> bool:
    """Whether all are floats of one dtype that lie in memory without gaps: what these kernels read."""
    first = arrays[0].dtype
    return first.char in C_TYPES and all(x.dtype == first and x.flags.c_contiguous for x in arrays)


def index_for(*arrays: Any) -> tuple[str, Any]:
    """The type that counts through the arrays, in C and in NumPy: whole numbers of 64 bits are divided several times slower."""
    return ("int", np.int32) if max(x.size for x in arrays) < 2**31 - 2**20 else ("long long", np.int64)


def threads_for(length: int) -> int:
    """How many threads take a row: several numbers for each."""
    return min(1024, max(32, 1 << max(0, length // 4 - 1).bit_length()))


def splits_for(rows: int, length: int) -> int:
    """Into how many parts to cut long rows, so that few of them fill a GPU too."""
    return max(1, min(512 // max(1, rows), length // 4096, 64))
