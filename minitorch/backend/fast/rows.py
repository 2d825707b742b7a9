"""softmax, a row at a time, by all threads (16 x 4 x 64 x 64 causal scores on one core of an EPYC: 0.13 ms, NumPy 0.51)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .. import numpy, numpy_attention
from ..threads import shared
from .compiler import fits, kernel
from .exponential import NONE, ONE, F, exp

NOTHING = F(-math.inf)
SMALLEST, MAGNITUDE, SIGN = np.int32(-(2**31)), np.int32(2**31 - 1), np.int32(31)


def masked_softmax(scores: ndarray, mask: Any, causal: bool) -> ndarray:
    """`numpy.masked_softmax`: over the last axis of the scores, which it overwrites where there is no mask."""
    if mask is not None or scores.dtype != F or not fits(scores):
        return numpy.masked_softmax(scores, mask, causal)
    places, width = scores.shape[-2:]
    rows = scores.reshape(-1, width)
    bits, turns = rows.view(np.int32), places if causal else 0
    shared(len(rows), 4 * scores.size, lambda start, stop: _softmax(rows, bits, turns, start, stop))
    return scores


def attention(query: ndarray, key: ndarray, value: ndarray, scale: float, causal: bool) -> tuple[ndarray, ndarray] | None:
    """See `numpy_attention`."""
    return numpy_attention.attention(masked_softmax, query, key, value, scale, causal)


@kernel
def _softmax(rows: Any, bits: Any, places: Any, start: int, stop: int) -> None:
    width = rows.shape[1]
    for number in range(start, stop):
        row = rows[number]
        if places:  # what is hidden goes through with the others: whole registers are faster
            for i in range(number % places + 1, width):
                row[i] = NOTHING
        peak = _largest(bits[number])
        peak = peak if np.isfinite(peak) else NONE
        total = NONE
        for i in range(width):
            row[i] = exp(row[i] - peak)
            total += row[i]
        share = NONE if total == NONE else ONE / total
        for i in range(width):
            row[i] *= share


@kernel
def _largest(bits: Any) -> Any:
    """The largest of some float32, given their bits: as whole numbers, those below 0 turned round, they are in the same order,
    and a maximum of whole numbers fits the wide registers (15 µs for 4096 rows of 64, of floats 75)."""
    found = SMALLEST
    for i in range(len(bits)):
        b = bits[i]
        found = max(found, np.int32(b ^ ((b >> SIGN) & MAGNITUDE)))
    return np.int32(found ^ ((found >> SIGN) & MAGNITUDE)).view(np.float32)
