"""What is done to all parameters of a model at once, in one kernel for however many: it finds them by a table of addresses.

Each block of threads takes a piece of one array. Where the pieces are is worked out once for a list of sizes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from .cupy_rows import C_TYPES
from .gpus import SEVERAL, beside

PIECE, THREADS = 4096, 256
"""How many elements a block takes, and how many threads it has."""

SOURCE = r"""
typedef %s T;

extern "C" __global__ void adam(
    const unsigned long long* table, const long long* pieces, int arrays, T sign, T pull, T shrink, T beta1, T rest1, T beta2,
    T rest2, T rate, T eps
) {
    long long which = pieces[blockIdx.x * 3], start = pieces[blockIdx.x * 3 + 1], stop = pieces[blockIdx.x * 3 + 2];
    T* p = (T*)table[which];
    const T* g = (const T*)table[arrays + which];
    T* average = (T*)table[2 * arrays + which];
    T* square = (T*)table[3 * arrays + which];
    for (long long i = start + threadIdx.x; i < stop; i += blockDim.x) {
        T along = sign * g[i] + pull * p[i];
        T m = beta1 * average[i] + rest1 * along, v = beta2 * square[i] + rest2 * (along * along);
        average[i] = m;
        square[i] = v;
        p[i] = shrink * p[i] - rate * m / (sqrt(v) + eps);
    }
}

extern "C" __global__ void sgd(
    const unsigned long long* table, const long long* pieces, int arrays, T sign, T pull, T rate, T momentum, T rest, int first,
    int nesterov
) {
    long long which = pieces[blockIdx.x * 3], start = pieces[blockIdx.x * 3 + 1], stop = pieces[blockIdx.x * 3 + 2];
    T* p = (T*)table[which];
    const T* g = (const T*)table[arrays + which];
    T* buffer = (T*)table[2 * arrays + which];
    for (long long i = start + threadIdx.x; i < stop; i += blockDim.x) {
        T along = sign * g[i] + pull * p[i];
        if (momentum != T(0)) {
            T held = first ? along : momentum * buffer[i] + rest * along;
            buffer[i] = held;
            along = nesterov ? along + momentum * held : held;
        }
        p[i] -= rate * along;
    }
}

extern "C" __global__ void squares(const unsigned long long* table, const long long* pieces, double* out) {
    __shared__ double shared[256];
    long long which = pieces[blockIdx.x * 3], start = pieces[blockIdx.x * 3 + 1], stop = pieces[blockIdx.x * 3 + 2];
    const T* g = (const T*)table[which];
    double total = 0.0;
    for (long long i = start + threadIdx.x; i < stop; i += blockDim.x) total += (double)g[i] * (double)g[i];
    shared[threadIdx.x] = total;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) out[blockIdx.x] = shared[0];
}

extern "C" __global__ void scale(const unsigned long long* table, const long long* pieces, const T* factor) {
    long long which = pieces[blockIdx.x * 3], start = pieces[blockIdx.x * 3 + 1], stop = pieces[blockIdx.x * 3 + 2];
    T* g = (T*)table[which];
    for (long long i = start + threadIdx.x; i < stop; i += blockDim.x) g[i] *= factor[0];
}
"""


@functools.cache
def _kernel(name: str, dtype: str) -> Any:
    return cupy.RawKernel(SOURCE % C_TYPES[dtype], name)


@functools.lru_cache(64)
def _pieces(sizes: tuple[int, ...], device: int) -> Any:
    """For each block: which array, from which element to which. Kept for all streams, so it waits until it is there."""
    rows = [(which, start, min(start + PIECE, size)) for which, size in enumerate(sizes) for start in range(0, size, PIECE)]
    return cupy.array(np.array(rows, np.int64), blocking=True)


def _launch(name: str, lists: Sequence[Sequence[Any]], *numbers: Any) -> None:
    first = lists[0][0]
    table = cupy.asarray(np.array([x.data.ptr for arrays in lists for x in arrays], np.uint64))
    pieces = _pieces(tuple([x.size for x in lists[0]]), first.device.id)
    _kernel(name, first.dtype.char)((len(pieces),), (THREADS,), (table, pieces, *numbers))


def takes(*arrays: Any) -> bool:
    """Whether these kernels take arrays that belong together: floats of one dtype, size and device, without gaps."""
    first = arrays[0]
    return first.dtype.char in C_TYPES and first.size > 0 and all(
        x.dtype == first.dtype and x.size == first.size and x.flags.c_contiguous and x.device == first.device for x in arrays
    )


def adam_together(numbers: Sequence[float], *lists: Sequence[Any]) -> None:
    """`optim.Adam.update` of many: `numbers` are its settings (see there), the lists parameters, gradients, running means of
    the gradients and of their squares. In place."""
    kind = lists[0][0].dtype.type
    _launch("adam", lists, np.int32(len(lists[0])), *map(kind, numbers))


def sgd_together(numbers: Sequence[float], first: bool, nesterov: bool, *lists: Sequence[Any]) -> None:
    """`optim.SGD.update` of many: the lists are parameters, gradients and, with momentum, its buffers. In place."""
    kind = lists[0][0].dtype.type
    full = lists if len(lists) == 3 else (*lists, lists[0])  # without momentum the last is not looked at
    _launch("sgd", full, np.int32(len(lists[0])), *map(kind, numbers), np.int32(first), np.int32(nesterov))


def squares_together(arrays: Sequence[Any]) -> Any:
    """The sum of all squares, a 0-d array of float64 on the current GPU; of each dtype and GPU in one kernel."""
    total = cupy.zeros((), np.float64)
    for some in _by_kind(arrays):
        with beside(some[0]):
            if takes(some[0]):
                blocks = len(_pieces(tuple([x.size for x in some]), some[0].device.id))
                parts = cupy.empty(blocks, np.float64)
                _launch("squares", [some], parts)
            else:
                parts = some[0].astype(np.float64) ** 2
            part = parts.sum()
        total += part.copy() if SEVERAL else part  # a copy is where it is made
    return total


def scale_together(arrays: Sequence[Any], factor: Any) -> None:
    """Every array times the 0-d array `factor`, in place."""
    for some in _by_kind(arrays):
        with beside(some[0]):
            here = (factor.copy() if SEVERAL else factor).astype(some[0].dtype)
            if takes(some[0]):
                _launch("scale", [some], here)
            else:
                array = some[0]  # by itself
                array *= here


def _by_kind(arrays: Sequence[Any]) -> list[list[Any]]:
    """The arrays in lists of one dtype and device that a kernel takes, each of the others by itself."""
    alike: dict[Any, list[Any]] = {}
    for number, x in enumerate(arrays):
        alike.setdefault((x.dtype, x.device.id) if takes(x) else number, []).append(x)
    return list(alike.values())
