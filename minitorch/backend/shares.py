"""Functions of each element by itself, worked out in shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from . import threads

COSTLY = 4
"""As many passes over its numbers, at least, a costly function makes, and a softmax."""


def by_elements(function: Callable[..., Any], *arrays: Any) -> Any:
    """function(*arrays), for a function that treats each element by itself. Large arrays of one shape and without gaps are
    shared among threads."""
    first = arrays[0]
    enough = first.ndim and COSTLY * first.size >= threads.WORTH_IT and threads.get_num_threads() > 1
    if not enough or not all(_alike(x, first) for x in arrays):
        return function(*arrays)
    flat = [x.reshape(-1) if x.__class__ is ndarray and x.ndim else x for x in arrays]
    out = np.empty(first.shape, np.result_type(*arrays))
    to = out.reshape(-1)

    def some(start: int, stop: int) -> None:
        to[start:stop] = function(*[x[start:stop] if x.__class__ is ndarray and x.ndim else x for x in flat])

    threads.shared(to.size, COSTLY * to.size, some)
    return out


def _alike(x: Any, first: ndarray) -> bool:
    return x.__class__ is not ndarray or not x.ndim or x.shape == first.shape and x.flags.c_contiguous
