"""relu and the masks of its gradient, one pass over memory by all threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .. import numpy
from ..threads import shared
from .compiler import fits, kernel


def maximum(a: Any, b: Any) -> Any:
    """`numpy.maximum`; of an array and 0, which is relu, compiled (0.6 to 0.25 ms for a million of float32)."""
    if b.__class__ is not int or b or a.__class__ is not ndarray or not fits(a):
        return np.maximum(a, b)
    out = np.empty_like(a)
    flat, to = a.reshape(-1), out.reshape(-1)
    shared(a.size, a.size, lambda start, stop: _relu(flat, to, start, stop))
    return out


@kernel
def _relu(x: Any, out: Any, start: int, stop: int) -> None:
    zero = x.dtype.type(0)
    for i in range(start, stop):
        v = x[i]
        out[i] = v if v >= zero or v != v else zero


def masked(x: ndarray, mask: ndarray) -> ndarray:
    """`x` where the mask holds, else 0, also in place of inf and nan."""
    if x.shape != mask.shape or not fits(x) or not mask.flags.c_contiguous:
        return numpy.masked(x, mask)
    out = np.empty_like(x)
    flat, which, to = x.reshape(-1), mask.reshape(-1), out.reshape(-1)
    shared(x.size, x.size, lambda start, stop: _masked(flat, which, to, start, stop))
    return out


@kernel
def _masked(x: Any, mask: Any, out: Any, start: int, stop: int) -> None:
    zero = x.dtype.type(0)
    for i in range(start, stop):
        out[i] = x[i] if mask[i] else zero
