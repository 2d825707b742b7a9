"""Matrix products with what belongs to them, as NumPy arrays: a bias, the gates of a recurrent cell."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from . import threads
from .numpy_unrolled import SMALL, rows_at_once

ALONE = 2**18
"""Up to so many multiplications OpenBLAS works in the calling thread, and needs no telling."""

WORTH_SHARING = 2**23
"""From so many on: 150 µs in one thread."""

LARGE = 2**19
"""Factors of more numbers leave a core's own cache when they are read in parts."""


def matmul(a: ndarray, b: ndarray) -> ndarray:
    """a @ b; where b is one matrix for a whole batch, one product instead of many (three quarters of their time), and many
    small products are shared among threads."""
    if b.ndim == 2:
        if a.ndim == 2:
            return product(a, b)
        if a.ndim > 2 and a.size and a.flags.c_contiguous:
            return product(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    elif a.ndim == b.ndim > 2 and a.shape[:-2] == b.shape[:-2] and a.dtype is b.dtype:
        out = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
        size = (a.size + b.size) * max(1, b.shape[-1] // 32)
        threads.shared(len(a), size, lambda start, stop: np.matmul(a[start:stop], b[start:stop], out=out[start:stop]))
        return out
    return np.matmul(a, b)


def product(a: ndarray, b: ndarray, out: ndarray | None = None, bias: ndarray | None = None) -> ndarray:
    """a @ b of two matrices, plus a bias of its dtype for each column, into `out` if there is one, by threads of our own: those
    of OpenBLAS wait in a loop for the next product, and as soon as another program wants their core, everything waits for them
    (1024 x 128 x 512 beside a training run: 8 ms, ours 1.3)."""
    rows, columns = len(a), b.shape[1]
    work = a.size * columns
    if work <= ALONE or a.dtype is not b.dtype or a.dtype.kind != "f":
        out = np.matmul(a, b, out=out)
        if bias is not None:
            out += bias
        return out
    out = np.empty((rows, columns), a.dtype) if out is None else out

    def part(some: slice, across: slice) -> None:
        to = out[some, across]
        _multiply(a[some], b[:, across], to)
        if bias is not None:
            to += bias[across]

    everything = slice(None)
    with threads.one_thread_each:
        if work < WORTH_SHARING:
            part(everything, everything)
        elif rows >= min(columns, 128):
            threads.shared(rows, work // 16, lambda start, stop: part(slice(start, stop), everything), 16)
        else:
            threads.shared(columns, work // 16, lambda start, stop: part(everything, slice(start, stop)), 16)
    return out


def _multiply(a: ndarray, b: ndarray, out: ndarray) -> None:
    """a @ b into `out`, in parts so small that OpenBLAS with AVX-512 multiplies the matrices where they lie, without copying
    them first. Billions of operations a second on one core of an EPYC, in parts and whole: 64 x 784 times (256 x 784).T
    111 and 76, 32 x 128 times 128 x 512 110 and 82, (1024 x 512).T times 1024 x 128 106 and 96."""
    (rows, inner), columns = a.shape, b.shape[1]
    if a.flags.c_contiguous and not b.flags.c_contiguous and inner < 256 <= rows:
        b = np.ascontiguousarray(b)  # a transposed matrix is read in long lines only
    if a.flags.c_contiguous and b.flags.c_contiguous:
        high, wide = rows_at_once(rows, inner * columns), columns
    else:
        wide = next((n for n in (32, 16) if columns % n == 0), columns)
        high = rows_at_once(rows, max(SMALL // 16, inner * wide)) if wide <= 32 else rows
    if high == rows and wide == columns or inner * max(rows, columns) > LARGE:
        np.matmul(a, b, out=out)
        return
    parts = out.reshape(rows // high, high, columns // wide, wide).transpose(0, 2, 1, 3)
    np.matmul(
        a.reshape(rows // high, 1, high, inner), b.reshape(inner, columns // wide, wide).transpose(1, 0, 2), out=parts
    )


def times(b: ndarray, rows: int, dtype: Any) -> Callable[[ndarray], ndarray]:
    """The function a @ b for many a of so many rows, one after the other: what it gives is overwritten by the next. (32 x 128
    times 128 x 512: 38 µs, `matmul` 43.)"""
    right, out = np.ascontiguousarray(b), np.empty((rows, b.shape[1]), dtype)
    high = rows_at_once(rows, right.size)
    parts = out.reshape(-1, high, b.shape[1]) if out.size else out

    def product(a: ndarray) -> ndarray:
        np.matmul(a.reshape(-1, high, a.shape[1]) if out.size else a, right, out=parts)
        return out

    return product


def affine(x: ndarray, weight: ndarray, bias: ndarray | None) -> ndarray:
    """x @ weight.T + bias, the bias added in place."""
    alike = bias is not None and x.dtype is weight.dtype is bias.dtype and bias.shape == weight.shape[:1]
    if alike and x.ndim > 1 and x.size and x.flags.c_contiguous:
        return product(x.reshape(-1, x.shape[-1]), weight.T, bias=bias).reshape(*x.shape[:-1], len(weight))
    out = matmul(x, weight.T)
    return out if bias is None else out + bias


def lstm_gates(fed: ndarray, own: ndarray) -> ndarray:
    """sigmoid, sigmoid, tanh, sigmoid of the quarters of fed + own along the last axis, in the memory of `own`.

    All by one tanh, as sigmoid(x) = ½ + ½ tanh(½ x), and in one array for the rules: 17 µs for 32 x 512 numbers, where separate
    functions take 20 and leave three arrays (AMD EPYC).
    """
    half, rest = _halves(own.shape[-1] // 4, own.dtype)
    own += fed
    own *= half
    np.tanh(own, out=own)
    own *= half
    own += rest
    return own


@functools.lru_cache(16)
def _halves(size: int, dtype: Any) -> tuple[ndarray, ndarray]:
    half = np.repeat(np.array([0.5, 0.5, 1, 0.5], dtype), size)
    return half, 1 - half


def turned(x: ndarray) -> ndarray:
    """x.T, laid out row by row: products with few rows, one after the other, read it faster (56 to 87 µs, 32 x 128 x 512)."""
    return np.ascontiguousarray(x.T)
