"""One function of arrays, worked out in shares: each thread takes a range of the first axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from . import threads

COSTLY = 4
"""As many passes over its numbers, at least, makes what `by_elements` is for, and a softmax."""


def by_rows(function: Callable[..., Any], *arrays: Any, passes: int = 1) -> Any:
    """function(*arrays), for a function that treats each row (along the first axis) by itself; a tuple of results where it
    gives one. Anything but arrays with equally many rows goes to every thread as it is. `passes`: how often it goes through
    the numbers."""
    count, size = len(arrays[0]), passes * sum(x.size for x in arrays if x.__class__ is ndarray)
    cut = [x.__class__ is ndarray and x.ndim > 0 and len(x) == count for x in arrays]
    parts = threads.shared(
        count, size, lambda start, stop: function(*[x[start:stop] if rows else x for x, rows in zip(arrays, cut)])
    )
    if len(parts) == 1:
        return parts[0]
    return tuple(map(np.concatenate, zip(*parts))) if parts[0].__class__ is tuple else np.concatenate(parts)


def by_elements(function: Callable[..., Any], *arrays: Any) -> Any:
    """function(*arrays), for a function that treats each element by itself. Large arrays of one shape and without gaps are
    shared among threads."""
    first = arrays[0]
    if not first.ndim or COSTLY * first.size < threads.WORTH_IT or not all(_alike(x, first) for x in arrays):
        return function(*arrays)
    flat = [x.reshape(-1) if x.__class__ is ndarray and x.ndim else x for x in arrays]
    return by_rows(function, *flat, passes=COSTLY).reshape(first.shape)


def _alike(x: Any, first: ndarray) -> bool:
    return x.__class__ is not ndarray or not x.ndim or x.shape == first.shape and x.flags.c_contiguous
