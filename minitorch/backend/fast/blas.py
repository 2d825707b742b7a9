"""Matrix products inside compiled loops, by the routine in the OpenBLAS that NumPy's wheels bring along."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..numpy_unrolled import SMALL
from ..threads import openblas
from .compiler import kernel

ROW_MAJOR, AS_IT_IS = 101, 111
"""CBLAS's numbers for matrices row by row, and for factors that are not transposed."""


@functools.cache
def gemm() -> int:
    """The address of cblas_sgemm with 64-bit sizes; 0 where there is none."""
    found = openblas("cblas", "sgemm", ("64_",))
    return 0 if found is None else ctypes.cast(found, ctypes.c_void_p).value or 0


@intrinsic
def _call(
    typing: Any, address: Any, m: Any, n: Any, k: Any, a: Any, lda: Any, b: Any, ldb: Any, beta: Any, c: Any, ldc: Any
) -> Any:
    """c = a @ b + beta · c by the routine at `address`, of matrices at the addresses a (m, k), b (k, n), c (m, n), whose rows
    are lda, ldb, ldc numbers apart."""
    word, single = types.intp, types.float32

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, m, n, k, a, lda, b, ldb, beta, c, ldc = args
        i32, i64, f32 = ir.IntType(32), ir.IntType(64), ir.FloatType()
        takes = [i32, i32, i32, i64, i64, i64, f32, i64, i64, i64, i64, f32, i64, i64]
        routine = builder.inttoptr(address, ir.FunctionType(ir.VoidType(), takes).as_pointer())
        ways = i32(ROW_MAJOR), i32(AS_IT_IS), i32(AS_IT_IS)
        builder.call(routine, [*ways, m, n, k, f32(1), a, lda, b, ldb, beta, c, ldc])
        return context.get_dummy_value()

    return types.void(word, word, word, word, word, word, word, word, single, word, word), code


@kernel
def multiply(gemm: Any, a: Any, b: Any, beta: Any, out: Any) -> None:
    """out = a @ b + beta · out, of float32 matrices without gaps, in parts that OpenBLAS multiplies where they lie."""
    (rows, inner), columns = a.shape, b.shape[1]
    step = max(32, SMALL // max(1, rows * inner) // 32 * 32)
    for at in range(0, columns, step):
        wide = min(step, columns - at)
        to, right = out[:, at:], b[:, at:]
        _call(
            gemm, rows, wide, inner, a.ctypes.data, inner, right.ctypes.data, columns, np.float32(beta), to.ctypes.data, columns
        )
