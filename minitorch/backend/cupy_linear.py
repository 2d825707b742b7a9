"""Matrix products on CuPy arrays, with a bias."""

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


def turned(x: Any) -> Any:
    """x.T, laid out row by row."""
    return cupy.ascontiguousarray(x.T)
