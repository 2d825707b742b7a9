"""How callers name axes: PyTorch's `dim`/`keepdim` and NumPy's `axis`/`keepdims`, one or several, also negative."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

Axis = int | tuple[int, ...] | None


def pick_axis(dim: Any, axis: Any) -> Any:
    """`dim` and `axis` are the same argument; giving both is an error."""
    if axis is None:
        return dim
    if dim is not None:
        raise TypeError("give dim or axis, not both: they are two names of one argument")
    return axis


def normal_axis(dim: Any, ndim: int) -> Axis:
    """`dim` as None (all axes), one non-negative int, or a tuple of them. IndexError when out of range."""
    if dim is None:
        return None
    if isinstance(dim, Sequence) and not dim:
        return None
    axes = tuple(one_axis(d, ndim) for d in (dim if isinstance(dim, Sequence) else (dim,)))
    if ndim == 0:
        return None  # a 0-d tensor answers to axis 0 and -1, and has none to fold
    return axes if isinstance(dim, Sequence) else axes[0]


def whole(x: Any, what: str) -> int:
    """`x` as an int, if it is one in any guise (NumPy's, a Tensor of one). TypeError: what has to be a whole number."""
    try:
        return operator.index(x)
    except (TypeError, ValueError):
        raise TypeError(f"{what} is a whole number, not {type(x).__name__}") from None


def one_axis(dim: int, ndim: int) -> int:
    """A non-negative axis number for `dim` in [-ndim, ndim)."""
    dim = whole(dim, "an axis")
    span = max(ndim, 1)  # as in PyTorch, a 0-d tensor answers to axis 0 and -1
    if not -span <= dim < span:
        raise IndexError(f"axis {dim} is out of range for a tensor of {ndim} dimensions (allowed: {-span} to {span - 1})")
    return dim % span


def stretch(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    """The index of the elements from `start` up to `stop` along one axis."""
    return (slice(None),) * axis + (slice(start, stop),)
