"""Softmax and its kin on CuPy arrays."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np


def softmax(x: Any, axis: int) -> Any:
    """exp(x) / sum(exp(x)) along `axis`, shifted by the maximum so that nothing overflows."""
    e = cupy.exp(x - _finite_max(x, axis))
    e /= e.sum(axis, None, None, True)
    return e


def log_softmax(x: Any, axis: int) -> Any:
    """log(softmax(x)) along `axis`, without ever taking the logarithm of a rounded zero."""
    shifted = x - _finite_max(x, axis)
    shifted -= cupy.log(cupy.exp(shifted).sum(axis, None, None, True))
    return shifted


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))), shifted by the maximum so that nothing overflows."""
    peak = _finite_max(x, axis)
    out = cupy.log(cupy.exp(x - peak).sum(axis, None, None, True)) + peak
    return out if keepdims else cupy.squeeze(out, axis)


def masked_softmax(scores: Any, mask: Any, causal: bool) -> Any:
    """softmax over the last axis of the scores, which it overwrites, after adding the mask's numbers or hiding where it is
    False, and with `causal` what comes later than the row. A row with nothing left to choose from is 0."""
    if causal:
        scores += cupy.triu(cupy.full(scores.shape[-2:], -np.inf, scores.dtype), 1)
    if mask is not None:
        scores = scores + (cupy.where(mask, 0, -np.inf).astype(scores.dtype) if mask.dtype.kind == "b" else mask)
    scores -= _finite_max(scores, -1)
    cupy.exp(scores, out=scores)
    total = scores.sum(-1, None, None, True)
    scores /= cupy.where(total == 0, 1, total).astype(scores.dtype)
    return scores


def log_softmax_at(x: Any, target: Any) -> tuple[Any, Any]:
    """For rows x and a class number for each: the log-softmax there, and the softmax of the rows."""
    logs = log_softmax(x, -1)
    return logs[cupy.arange(len(x)), target], cupy.exp(logs)


def minus_at(x: Any, index: Any, less: Any) -> Any:
    """x with `less` subtracted at x[i, index[i]], in place."""
    x[cupy.arange(len(x)), index] -= less
    return x


def _finite_max(x: Any, axis: Any) -> Any:
    if not x.size:  # CuPy's max takes no empty arrays
        axes = range(x.ndim) if axis is None else [a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis)]
        return cupy.zeros(tuple(1 if a in axes else n for a, n in enumerate(x.shape)), x.dtype)
    peak = x.max(axis, None, True)
    return cupy.where(cupy.isfinite(peak), peak, peak.dtype.type(0))
