"""numba, as the kernels of this package use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

LEAST = 2**14
"""From how many numbers on the compiled kernels are used: below, NumPy is as fast, and nothing need be compiled first."""


def kernel(function: Callable[..., Any]) -> Any:
    """`function` compiled when it is first called on a kind of arrays, and kept in a cache beside this file, or in the user's
    own where that is not writable.

    It lets other Python threads run: `backend.threads` shares the work, as it does NumPy's. (numba's own threads end the
    whole program when two threads call them at once, or a forked process does.) Sums may be added up in another order, in
    which they fit the processor's wide registers; nothing is assumed about nan and inf.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # there is no place that can be written to
        return numba.njit(**options)(function)


def fits(*arrays: Any) -> bool:
    """Whether the kernels take these: large, of float32 or float64, all alike, row by row in memory."""
    first = arrays[0]
    return (
        first.size >= LEAST
        and first.dtype.char in "fd"
        and first.dtype.isnative
        and all(x.dtype is first.dtype and x.flags.c_contiguous for x in arrays)
    )
