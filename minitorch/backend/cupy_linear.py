"""Matrix products with what belongs to them, as CuPy arrays: a bias, the gates of a recurrent cell."""

from __future__ import annotations

from typing import Any

import cupy

matmul = cupy.matmul


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """x @ weight.T + bias: one product for all rows, the bias added in place."""
    rows = x.reshape(-1, x.shape[-1]) if x.ndim > 2 else x
    out = cupy.matmul(rows, weight.T)
    if bias is not None and out.dtype == bias.dtype:
        out += bias
    elif bias is not None:
        out = out + bias
    return out.reshape(*x.shape[:-1], len(weight)) if x.ndim > 2 else out


def lstm_gates(fed: Any, own: Any) -> Any:
    """sigmoid, sigmoid, tanh, sigmoid of the quarters of fed + own along the last axis, in the memory of `own`, in one pass."""
    return _gates(fed, own.shape[-1] // 4, own, own)


_gates = cupy.ElementwiseKernel(
    "T fed, int32 size, T own", "T gate",
    """
    T x = fed + own;
    gate = i / size % 4 == 2 ? T(tanh(x)) : T(T(1) / (T(1) + exp(-x)));
    """,
    "minitorch_lstm_gates",
)  # fmt: skip


def turned(x: Any) -> Any:
    """x.T, laid out row by row."""
    return cupy.ascontiguousarray(x.T)
