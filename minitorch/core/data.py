"""From what a user gives as data to an array of numbers, or to one sentence about what is no number in it."""

from __future__ import annotations

from typing import Any

import numpy as np

NUMBERS = "biuf"
"""The kinds of dtypes that a tensor may have: bool, int, uint, float."""


def array_of(data: Any, dtype: Any = None) -> np.ndarray:
    """Numbers, nested lists or an array as a new array.

    Raises TypeError for what is no number, ValueError for rows of different lengths and for whole numbers that are too large.
    """
    try:
        array = np.array(data, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise _wrong_with(data) or error from None
    return numeric(array, data)


def numeric(array: Any, data: Any = None) -> Any:
    """The array, which came from `data`, if it is one of numbers; else TypeError or ValueError, as `array_of`."""
    if array.dtype.kind in NUMBERS:
        return array
    what = array if data is None else data
    raise _wrong_with(what.tolist() if isinstance(what, np.ndarray) else what) or TypeError(
        f"a tensor holds numbers, not an array of dtype {array.dtype}; array.astype('float32') may make one"
    )


def _wrong_with(data: Any) -> Exception | None:
    """What is no number in `data`, or does not fit; None where all of it does."""
    if isinstance(data, (list, tuple)):
        found = next(filter(None, map(_wrong_with, data)), None)
        shapes = [np.shape(x) if found is None else () for x in data]
        other = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
        if found is not None or other is None:
            return found
        return ValueError(f"a tensor needs rows of equal length: row 0 has shape {shapes[0]}, row {other} {shapes[other]}")
    if isinstance(data, int) and not -(2**63) <= data < 2**64:
        return ValueError(f"no whole-number dtype holds {data:.3e}: give it as a float")
    if isinstance(data, (bool, int, float)) or getattr(getattr(data, "dtype", None), "kind", " ") in NUMBERS:
        return None
    return TypeError(f"a tensor holds numbers, not {data!r:.40} ({type(data).__name__})")
