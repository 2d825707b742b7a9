"""Attention on NumPy arrays: each thread takes some of the batch through all of it, so that scores and weights are still in its
cache when the next product reads them. (16 texts of 64, 4 heads of 32, forward and back, two cores of an EPYC: 1.8 ms, one
product after the other 2.8.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .shares import COSTLY
from .threads import shared


def attention(
    softmax: Callable[[ndarray, Any, bool], ndarray], query: ndarray, key: ndarray, value: ndarray, scale: float, causal: bool
) -> tuple[ndarray, ndarray] | None:
    """`ops.attention.Attention` without mask and dropout: the result and the weights; None for batches that differ, and
    for integers.

    `softmax` is a backend's `masked_softmax`.
    """
    batch = query.shape[:-2]
    if not batch or key.shape[:-2] != batch or value.shape[:-2] != batch:
        return None
    dtype = np.result_type(query, key, value)
    if dtype.kind != "f":
        return None
    weights, out = (np.empty((*query.shape[:-1], x.shape[axis]), dtype) for x, axis in ((key, -2), (value, -1)))
    keys = key.swapaxes(-1, -2)

    def some(start: int, stop: int) -> None:
        part = weights[start:stop]
        np.matmul(query[start:stop] * scale, keys[start:stop], out=part)
        softmax(part, None, causal)
        np.matmul(part, value[start:stop], out=out[start:stop])

    shared(len(weights), _numbers(weights, query, value), some)
    return out, weights


def attention_rule(
    op: Any, grad: ndarray, out: ndarray, saved: Any, needed: Any, query: ndarray, key: ndarray, value: ndarray,
    mask: Any = None,
) -> list[Any] | None:  # fmt: skip
    """`Attention.vjp` of what `attention` takes."""
    batch, weights = query.shape[:-2], saved
    alike = batch and key.shape[:-2] == batch == value.shape[:-2]
    if mask is not None or op.dropout or not alike or weights.__class__ is not ndarray:
        return None
    inputs = query, key, value
    to_query, to_key, to_value = (np.empty(x.shape, weights.dtype) if i in needed else None for i, x in enumerate(inputs))
    across, values = weights.swapaxes(-1, -2), value.swapaxes(-1, -2)

    def some(start: int, stop: int) -> None:
        part, above = weights[start:stop], grad[start:stop]
        if to_value is not None:
            np.matmul(across[start:stop], above, out=to_value[start:stop])
        if to_query is None and to_key is None:
            return
        flow = np.matmul(above, values[start:stop])
        flow -= np.vecdot(flow, part)[..., None]
        flow *= part
        flow *= op.scale
        if to_query is not None:
            np.matmul(flow, key[start:stop], out=to_query[start:stop])
        if to_key is not None:
            np.matmul(flow.swapaxes(-1, -2), query[start:stop], out=to_key[start:stop])

    shared(len(weights), 2 * _numbers(weights, query, value), some)
    return [to_query, to_key, to_value, None]


def _numbers(weights: ndarray, query: ndarray, value: ndarray) -> int:
    """How many numbers `threads.shared` shall count for a forward pass: those of the two products, and of a softmax."""
    return weights.size * ((query.shape[-1] + value.shape[-1]) // 16 + COSTLY)


RULES = {"attention": attention_rule}
"""Whole rules of operations, by their names (see `core.op.Op.pull`)."""
