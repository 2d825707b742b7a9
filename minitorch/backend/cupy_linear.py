"""Matrix products on CuPy arrays, with a bias.

CuPy hands products of two matrices to cuBLAS as they are. Of more axes it copies what is transposed, computes halves in
float32, and knows no TF32. So here the rows of all matrices become one matrix where the other side is one, and batches go to
cuBLAS directly, which reads either side transposed.
"""

from __future__ import annotations

import math
from typing import Any

import cupy
import numpy as np

from .gpu_flags import flags

KINDS = {"e": np.float32, "f": np.float32, "d": np.float64}
"""The dtypes that go to cuBLAS in batches, and in what it adds up."""

ONE, ZERO = ({dtype: np.array(number, dtype) for dtype in KINDS.values()} for number in (1, 0))


def matmul(a: Any, b: Any, tf32: bool | None = None) -> Any:
    """a @ b, batched as NumPy does; also of float16 the sums are float32's. `tf32` is for batches, in place of the flag."""
    if a.ndim > 2 and b.ndim == 2 and a.size and b.size:
        return cupy.matmul(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[1])
    batched = a.ndim > 2 and a.shape[:-2] == b.shape[:-2] and a.dtype == b.dtype and a.dtype.char in KINDS
    if batched and a.shape[-1] == b.shape[-2] and a.size and b.size:
        return _batched(a, b, flags.matmul_tf32 if tf32 is None else tf32)
    return cupy.matmul(a, b)


def _batched(a: Any, b: Any, tf32: bool) -> Any:
    """The product of every matrix in a with the one in b. cuBLAS counts columns first: it is told of bᵀ @ aᵀ = (a @ b)ᵀ."""
    lead, m, n = a.shape[:-2], a.shape[-2], b.shape[-1]
    out = cupy.empty((*lead, m, n), a.dtype)
    exact = KINDS[a.dtype.char]
    cublas, runtime = cupy.cuda.cublas, cupy.cuda.runtime
    kind = {"e": runtime.CUDA_R_16F, "f": runtime.CUDA_R_32F, "d": runtime.CUDA_R_64F}[a.dtype.char]
    if exact is np.float64:
        way = cublas.CUBLAS_COMPUTE_64F
    else:
        way = cublas.CUBLAS_COMPUTE_32F_FAST_TF32 if tf32 and a.dtype.char == "f" else cublas.CUBLAS_COMPUTE_32F
    left, turned_left, step_left, next_left = _as_it_lies(a)
    right, turned_right, step_right, next_right = _as_it_lies(b)
    cublas.gemmStridedBatchedEx(
        cupy.cuda.get_cublas_handle(), turned_right, turned_left, n, m, a.shape[-1], ONE[exact].ctypes.data,
        right.data.ptr, kind, step_right, next_right, left.data.ptr, kind, step_left, next_left,
        ZERO[exact].ctypes.data, out.data.ptr, kind, n, m * n, math.prod(lead), way, cublas.CUBLAS_GEMM_DEFAULT,
    )  # fmt: skip
    return out


def _as_it_lies(x: Any) -> tuple[Any, int, int, int]:
    """(x or its copy, 1 where its matrices lie column after column and 0 where row after row, how many elements rows or
    columns are apart, and matrices)."""
    (*lead, rows, columns), size = x.shape, x.itemsize
    *outer, down, right = (step // size for step in x.strides)
    steps = [(count, step) for count, step in zip(lead, outer) if count > 1]
    gap = steps[-1][1] if steps else rows * columns
    even = all(step == inner * count for (_, step), (count, inner) in zip(steps, steps[1:]))
    if even and gap >= 0:  # from each matrix to the next it is equally far
        if (right == 1 or columns == 1) and (down >= columns or rows == 1):
            return x, 0, down if rows > 1 else columns, gap
        if (down == 1 or rows == 1) and (right >= rows or columns == 1):
            return x, 1, right if columns > 1 else rows, gap
    return _as_it_lies(x.copy("C"))


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """x @ weight.T + bias: one product for all rows, the bias added in place."""
    rows = x.reshape(-1, x.shape[-1]) if x.ndim > 2 else x
    out = cupy.matmul(rows, weight.T)
    if bias is not None and out.dtype == bias.dtype:
        out += bias
    elif bias is not None:
        out = out + bias
    return out.reshape(*x.shape[:-1], len(weight)) if x.ndim > 2 else out


def turned(x: Any) -> Any:
    """x.T, laid out row by row."""
    return cupy.ascontiguousarray(x.T)
