"""Which dtype a result has. PyTorch's rules, where they differ from NumPy's.

Kinds of number widen each other (bool < int < float), sizes of number only within a kind, and there by rank: arrays with
axes decide; 0-d arrays, and after them Python numbers, count only for the kind they bring. An integer never widens a float.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_default = FLOAT32
BOOL, INT64 = np.dtype(np.bool_), np.dtype(np.int64)
_OF_NUMBERS = {bool: BOOL, int: INT64}


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of Python's floats in tensors, and of functions such as exp on integers: float32 unless set otherwise."""
    return _default


def set_default_dtype(d: Any) -> None:
    """Change the default dtype, to float16, float32 or float64, for the whole program."""
    global _default
    dtype = np.dtype(d)
    if dtype.kind != "f":
        raise TypeError(f"the default dtype must be a float, not {dtype}")
    _default = dtype


@functools.cache
def promote_types(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The smallest dtype that holds both, except that a float of any size holds every integer."""
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def result_dtype(values: Iterable[Any]) -> np.dtype[Any]:
    """The dtype that arrays and numbers have in common."""
    ranks: list[Any] = [None, None, None]  # arrays with axes, 0-d arrays, Python numbers
    for x in values:
        dtype = getattr(x, "dtype", None)
        rank = (0 if x.ndim else 1) if dtype is not None else 2
        dtype = dtype or _OF_NUMBERS.get(type(x), _default)
        ranks[rank] = dtype if ranks[rank] is None else promote_types(ranks[rank], dtype)
    result = None
    for lower in reversed(ranks):
        result = lower if result is None else result if lower is None else _decided(lower, result)
    assert result is not None
    return result


def _decided(higher: np.dtype[Any], lower: np.dtype[Any]) -> np.dtype[Any]:
    """`higher` ranks above `lower`: it gives way only to another kind of number."""
    if higher.kind != "f" and (higher.kind == "b" or lower.kind == "f"):
        return promote_types(higher, lower)
    return higher


def promoted(raws: list[Any], to_float: bool = False, apart: tuple[int, ...] = ()) -> list[Any]:
    """An operation's inputs with their arrays in the dtype they have in common (a float, if `to_float`).

    Inputs number `apart` keep theirs. Python numbers stay as they are: they widen nothing.
    """
    found = {raw.dtype for slot, raw in enumerate(raws) if hasattr(raw, "dtype") and slot not in apart}
    if len(found) == 1 and next(iter(found)).kind == "f":
        return raws
    dtype = result_dtype(raw for slot, raw in enumerate(raws) if slot not in apart)
    if to_float and dtype.kind != "f":
        dtype = _default
    return [
        raw if slot in apart or getattr(raw, "dtype", dtype) == dtype else raw.astype(dtype)
        for slot, raw in enumerate(raws)
    ]
