"""Softmax and its kin on CuPy arrays."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

from .cupy_rows import fits, index_for, kernel, threads_for

ROWS = r"""
extern "C" __global__ void softmax(const T* x, T* out, I width, int places, int causal, int logarithm, int empty) {
    __shared__ T shared[32];
    const T* from = x + blockIdx.x * (long long)width;
    T* to = out + blockIdx.x * (long long)width;
    I seen = causal && blockIdx.x % places < width ? blockIdx.x % places + 1 : width;
    T peak = T(-1) / T(0);
    for (I k = threadIdx.x; k < seen; k += blockDim.x) peak = fmax(peak, from[k]);
    peak = block_max(peak, shared);
    if (!isfinite(peak)) peak = T(0);
    T total = T(0);
    for (I k = threadIdx.x; k < seen; k += blockDim.x) total += exp(from[k] - peak);
    total = block_sum(total, shared);
    if (empty && total == T(0)) total = T(1);
    T shift = log(total);
    for (I k = threadIdx.x; k < width; k += blockDim.x)
        to[k] = k >= seen ? T(0) : logarithm ? from[k] - peak - shift : exp(from[k] - peak) / total;
}

extern "C" __global__ void softmax_at(const T* x, const long long* target, T* at, T* out, I width) {
    __shared__ T shared[32];
    const T* from = x + blockIdx.x * (long long)width;
    T* to = out + blockIdx.x * (long long)width;
    T peak = T(-1) / T(0);
    for (I k = threadIdx.x; k < width; k += blockDim.x) peak = fmax(peak, from[k]);
    peak = block_max(peak, shared);
    if (!isfinite(peak)) peak = T(0);
    T total = T(0);
    for (I k = threadIdx.x; k < width; k += blockDim.x) total += exp(from[k] - peak);
    total = block_sum(total, shared);
    for (I k = threadIdx.x; k < width; k += blockDim.x) to[k] = exp(from[k] - peak) / total;
    long long here = target[blockIdx.x];
    if (threadIdx.x == 0) at[blockIdx.x] = here < 0 || here >= width ? T(0) : from[here] - peak - log(total);
}

extern "C" __global__ void softmax_back(const T* chances, const T* flow, T* to, I width) {
    __shared__ T shared[32];
    long long row = blockIdx.x * (long long)width;
    T total = T(0);
    for (I k = threadIdx.x; k < width; k += blockDim.x) total += chances[row + k] * flow[row + k];
    total = block_sum(total, shared);
    for (I k = threadIdx.x; k < width; k += blockDim.x) to[row + k] = chances[row + k] * (flow[row + k] - total);
}
"""
"""One block for each row. `causal` hides, in row r, what comes after place r of every `places`; with `empty`, a row that sees
nothing is 0."""


def softmax(x: Any, axis: int) -> Any:
    """exp(x) / sum(exp(x)) along `axis`, shifted by the maximum so that nothing overflows."""
    if not x.ndim:  # CuPy has no axis of a single number
        return softmax(x.reshape(1), 0).reshape(())
    if _in_rows(x, axis):
        return _by_rows(x, cupy.empty_like(x), False, False, False)
    e = cupy.exp(x - _finite_max(x, axis))
    e /= e.sum(axis, None, None, True)
    return e


def log_softmax(x: Any, axis: int) -> Any:
    """log(softmax(x)) along `axis`, without ever taking the logarithm of a rounded zero."""
    if not x.ndim:
        return log_softmax(x.reshape(1), 0).reshape(())
    if _in_rows(x, axis):
        return _by_rows(x, cupy.empty_like(x), False, True, False)
    shifted = x - _finite_max(x, axis)
    shifted -= cupy.log(cupy.exp(shifted).sum(axis, None, None, True))
    return shifted


def _in_rows(x: Any, axis: int) -> bool:
    return x.ndim > 0 and axis in (-1, x.ndim - 1) and x.size > 0 and fits(x)


def _by_rows(x: Any, out: Any, causal: bool, logarithm: bool, empty: bool) -> Any:
    index, whole = index_for(x)
    width = x.shape[-1]
    ways = np.int32(x.shape[-2] if causal else 1), np.int32(causal), np.int32(logarithm), np.int32(empty)
    run = kernel("softmax", ROWS, x.dtype.char, index)
    run((x.size // width,), (threads_for(width),), (x, out, whole(width), *ways))
    return out


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))), shifted by the maximum so that nothing overflows."""
    axis = axis if x.ndim else None
    peak = _finite_max(x, axis)
    out = cupy.log(cupy.exp(x - peak).sum(axis, None, None, True)) + peak
    return out if keepdims else cupy.squeeze(out, axis)


def masked_softmax(scores: Any, mask: Any, causal: bool) -> Any:
    """softmax over the last axis of the scores, which it overwrites, after adding the mask's numbers or hiding where it is
    False, and with `causal` what comes later than the row. A row with nothing left to choose from is 0."""
    if mask is not None:
        scores = scores + (cupy.where(mask, 0, -np.inf).astype(scores.dtype) if mask.dtype.kind == "b" else mask)
    if scores.ndim > 1 and _in_rows(scores, -1):
        return _by_rows(scores, scores, causal, False, True)
    if causal:
        scores += cupy.triu(cupy.full(scores.shape[-2:], -np.inf, scores.dtype), 1)
    scores -= _finite_max(scores, -1)
    cupy.exp(scores, out=scores)
    total = scores.sum(-1, None, None, True)
    scores /= cupy.where(total == 0, 1, total).astype(scores.dtype)
    return scores


def log_softmax_at(x: Any, target: Any) -> tuple[Any, Any]:
    """For rows x and a class number for each: the log-softmax there (0 for one that is no class), and the softmax of the
    rows."""
    if _in_rows(x, -1) and target.dtype == np.int64 and target.flags.c_contiguous:
        index, whole = index_for(x)
        at, chances = cupy.empty(len(x), x.dtype), cupy.empty_like(x)
        run = kernel("softmax_at", ROWS, x.dtype.char, index)
        run((len(x),), (threads_for(x.shape[1]),), (x, target, at, chances, whole(x.shape[1])))
        return at, chances
    logs = log_softmax(x, -1)
    inside = (target >= 0) & (target < x.shape[1])
    return logs[cupy.arange(len(x)), target * inside] * inside.astype(x.dtype), cupy.exp(logs)


def softmax_back(chances: Any, flow: Any) -> Any:
    """The gradient of the scores whose softmax along the last axis is `chances`, from that of the softmax, which it may write
    over: chances · (flow - sum(flow · chances))."""
    if _in_rows(flow, -1) and chances.shape == flow.shape and fits(flow, chances):
        index, whole = index_for(flow)
        width = flow.shape[-1]
        run = kernel("softmax_back", ROWS, flow.dtype.char, index)
        run((flow.size // width,), (threads_for(width),), (chances, flow, flow, whole(width)))
        return flow
    return chances * (flow - (flow * chances).sum(-1, None, None, True))


def minus_at(x: Any, index: Any, less: Any) -> Any:
    """x with `less` subtracted at x[i, index[i]], in place; nothing where that is outside."""
    if x.flags.c_contiguous and len(x):
        _minus(index, less, x.shape[1], x)
    else:
        inside = (index >= 0) & (index < x.shape[1])
        x[cupy.arange(len(x)), index * inside] -= less * inside
    return x


_minus = cupy.ElementwiseKernel(
    "I index, T less, int64 width", "raw T x",
    "if (index >= 0 && index < width) x[i * width + index] -= less;", "minitorch_minus_at",
)  # fmt: skip


def _finite_max(x: Any, axis: Any) -> Any:
    if not x.size:  # CuPy's max takes no empty arrays
        axes = range(x.ndim) if axis is None else [a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis)]
        return cupy.zeros(tuple(1 if a in axes else n for a, n in enumerate(x.shape)), x.dtype)
    peak = x.max(axis, None, True)
    return cupy.where(cupy.isfinite(peak), peak, peak.dtype.type(0))
