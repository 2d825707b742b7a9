"""y = a · x + b · y in one pass over large arrays, by the routine in the OpenBLAS that NumPy's wheels bring along."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .threads import openblas

LEAST = 2**13
"""From how many numbers on: calling the routine takes as long as NumPy's passes over half of them."""


def blend(a: float, x: Any, b: float, y: Any, work: Any) -> None:
    """y = a · x + b · y in place, for arrays of one shape (of CuPy, too); `work`, like y, is written over.

    65,536 of float32 take 6 µs, NumPy's three passes 17.
    """
    routine = _routine(y.dtype) if y.__class__ is ndarray and y.size >= LEAST else None
    alike = routine is not None and x.dtype == y.dtype and x.shape == y.shape  # the routine would read on behind a shorter x
    # What is times 0 the routine leaves out, also nan.
    if not (alike and a and b and x.flags.c_contiguous and y.flags.c_contiguous and y.flags.writeable):
        if b != 1:
            y *= b
        y += x if a == 1 else np.multiply(x, a, out=work)
    else:
        routine(y.size, a, x.ctypes.data, 1, b, y.ctypes.data, 1)  # type: ignore[misc]


@functools.cache
def _routine(dtype: np.dtype[Any]) -> Callable[..., None] | None:
    """saxpby or daxpby with 64-bit sizes; None for other numbers, and where NumPy has another library."""
    name = {np.dtype(np.float32): "saxpby", np.dtype(np.float64): "daxpby"}.get(dtype)  # not of another byte order
    found = None if name is None else openblas("cblas", name, ("64_",))
    if found is None:
        return None
    number = ctypes.c_float if name == "saxpby" else ctypes.c_double
    array = [number, ctypes.c_void_p, ctypes.c_int64]
    found.restype, found.argtypes = None, [ctypes.c_int64, *array, *array]
    return found
