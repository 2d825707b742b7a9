"""cuBLAS as `cupy.cuda.cublas` has it: of it the one function that the backend calls, from addresses."""

from __future__ import annotations

import ctypes

import numpy as np

HANDLE = 0xB1A5
CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_64F, CUBLAS_GEMM_DEFAULT = 68, 77, 70, -1
KINDS = {0: np.float32, 1: np.float64, 2: np.float16}

CALLS: list[tuple[str, int, int, int, int]] = []
"""(dtype, whether a and b are read transposed, how many, in what they are computed) of every product, as it was asked for."""


def gemmStridedBatchedEx(
    handle: int, transa: int, transb: int, m: int, n: int, k: int, alpha: int, A: int, Atype: int, lda: int, strideA: int,
    B: int, Btype: int, ldb: int, strideB: int, beta: int, C: int, Ctype: int, ldc: int, strideC: int, batchCount: int,
    computeType: int, algo: int,
) -> None:  # fmt: skip
    """C = A @ B for every matrix, which lie column after column; a transposed one row after row."""
    assert all(type(x) is int for x in locals().values()) and handle == HANDLE
    assert lda >= (k if transa else m) and ldb >= (n if transb else k) and ldc >= m, "a leading dimension is too small"
    assert min(m, n, k, batchCount, strideC) > 0 <= min(strideA, strideB) and max(m, n, k, lda, ldb, ldc, batchCount) < 2**31
    exact = np.dtype(np.float64 if Atype == 1 else np.float32)
    assert Atype == Btype == Ctype and (computeType == CUBLAS_COMPUTE_64F) == (Atype == 1)
    assert (at(alpha, exact, 1)[0], at(beta, exact, 1)[0]) == (1, 0)
    dtype = np.dtype(KINDS[Atype])

    def matrices(address: int, rows: int, columns: int, apart: int, gap: int) -> np.ndarray:
        whole = at(address, dtype, (batchCount - 1) * gap + (columns - 1) * apart + rows)
        steps = tuple(step * dtype.itemsize for step in (gap, 1, apart))
        return np.lib.stride_tricks.as_strided(whole, (batchCount, rows, columns), steps)

    a = matrices(A, k, m, lda, strideA).swapaxes(1, 2) if transa else matrices(A, m, k, lda, strideA)
    b = matrices(B, n, k, ldb, strideB).swapaxes(1, 2) if transb else matrices(B, k, n, ldb, strideB)
    matrices(C, m, n, ldc, strideC)[...] = (a.astype(exact) @ b.astype(exact)).astype(dtype)
    CALLS.append((dtype.name, transb, transa, batchCount, computeType))  # in the order of the rows' product, bT @ aT


def at(address: int, dtype: np.dtype, count: int) -> np.ndarray:
    return np.frombuffer((ctypes.c_char * (count * dtype.itemsize)).from_address(address), dtype)
