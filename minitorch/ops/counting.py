"""Counting and looking up: which values there are, how often, and where a value belongs. Outside the graph."""

from __future__ import annotations

from typing import Any

from ..backend.gpus import at_home
from ..core import node
from ..core.apply import backend_among
from ..core.node import Node
from .along import gather
from .axes import one_axis, pick_axis
from .create import arange
from .elementwise import sub
from .index import nonzero
from .join import meshgrid, stack
from .order import Found
from .shape import common_shape, to

__all__ = [
    "bincount", "broadcast_shapes", "bucketize", "cummax", "cummin", "one_hot", "searchsorted", "tril_indices", "triu_indices",
    "unique",
]  # fmt: skip


def _tensor(array: Any) -> Any:
    return node.TENSOR(array)  # type: ignore[call-arg]


def _raw(x: Any) -> Any:
    return x.raw if isinstance(x, Node) else x


@at_home
def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A 1 at the place that each class number names along a new last axis of length `num_classes`, zeros elsewhere; int64.

    -1 takes the largest class number there is. ValueError for a class number out of range.
    """
    xp = backend_among([tensor.raw])
    if tensor.raw.size == 0 and num_classes < 1:
        raise ValueError("one_hot of no class numbers needs num_classes")
    top = int(tensor.raw.max().item()) if tensor.raw.size else -1
    if tensor.raw.size and int(tensor.raw.min().item()) < 0 or -1 != num_classes <= top:
        raise ValueError(f"one_hot needs class numbers from 0 to {num_classes - 1}; these go from {tensor.raw.min()} to {top}")
    return _tensor(xp.one_hot(tensor.raw, top + 1 if num_classes == -1 else num_classes, xp.zeros(0, "int64")))


@at_home
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of the numbers 0, 1, 2, ... is in a vector of ints; with `weights`, the sum of theirs instead."""
    if input.ndim != 1 or input.dtype.kind not in "iu":
        raise ValueError(f"bincount needs a vector of ints, not {input.dtype} of shape {tuple(input.shape)}")
    xp = backend_among([input.raw])
    counts = xp.asarray(xp.bincount(input.raw, _raw(weights), minlength))
    return _tensor(counts if weights is None else counts.astype(weights.dtype if weights.dtype.kind == "f" else "float64"))


@at_home
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different elements, in ascending order (or slices along `dim`); if asked, also where each element of `input` is
    among them, and how often each occurs."""
    xp = backend_among([input.raw])
    axis = None if dim is None else one_axis(dim, input.ndim)
    found = xp.unique(input.raw, return_inverse=return_inverse, return_counts=return_counts, axis=axis)
    if not (return_inverse or return_counts):
        return _tensor(found)
    parts = list(found)
    if return_inverse:
        parts[1] = parts[1].reshape(input.shape if dim is None else (input.shape[axis],))
    return tuple(_tensor(part) for part in parts)


@at_home
def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Any = None,
) -> Any:  # fmt: skip
    """Where each element of `input` belongs in an ascending sequence: before equal ones (side "left"), or after ("right").

    The sequence is a vector, or has a row for each row of input; the result has the shape of input. `sorter` says in which
    order the elements of the sequence are ascending, when they are not.
    """
    after = right if side is None else side == "right"
    values = _raw(input)
    sequence = _raw(sorted_sequence)
    xp = backend_among([sequence])
    if sorter is not None:
        sequence = xp.take_along_axis(sequence, sorter.raw, -1)
    dtype = "int32" if out_int32 else "int64"
    if sequence.ndim == 1:
        return _tensor(xp.asarray(xp.searchsorted(sequence, values, side="right" if after else "left")).astype(dtype))
    if sequence.shape[:-1] != values.shape[:-1]:
        raise ValueError(f"searchsorted needs a sequence for each row: shapes {sequence.shape} and {values.shape}")
    rows, wanted = sequence[..., None, :], values[..., None]
    return _tensor(xp.sum(rows <= wanted if after else rows < wanted, axis=-1).astype(dtype))


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the interval between ascending `boundaries` in which each element lies; on a boundary, of the one that
    ends there (right=True: that begins there)."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def cummax(input: Any, dim: int | None = None, *, axis: int | None = None) -> Found:
    """The largest element so far along `dim` (differentiable), and where it was, as (values, indices)."""
    return _running(input, pick_axis(dim, axis), largest=True)


def cummin(input: Any, dim: int | None = None, *, axis: int | None = None) -> Found:
    """The smallest element so far along `dim` (differentiable), and where it was, as (values, indices)."""
    return _running(input, pick_axis(dim, axis), largest=False)


@at_home
def _running(x: Any, dim: Any, largest: bool) -> Found:
    if dim is None:
        raise TypeError("give the axis to run along: dim=0 for the first")
    xp = backend_among([x.raw])
    axis = one_axis(dim, x.ndim)
    where = _tensor(xp.argrunning(x.raw, axis, largest) if x.ndim else xp.zeros((), "int64"))
    return Found(gather(x, axis, where), where)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = "int64", device: Any = None) -> Any:
    """Row and column numbers, shape (2, n), of the lower triangle of a matrix up to diagonal `offset`."""
    i, j = meshgrid(arange(row), arange(col))
    return to(stack(nonzero(sub(j, i) <= offset, as_tuple=True)), dtype).to(device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = "int64", device: Any = None) -> Any:
    """Row and column numbers, shape (2, n), of the upper triangle of a matrix from diagonal `offset` on."""
    i, j = meshgrid(arange(row), arange(col))
    return to(stack(nonzero(sub(j, i) >= offset, as_tuple=True)), dtype).to(device)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape to which all of `shapes` broadcast. ValueError where two do not fit."""
    return common_shape(*((s,) if isinstance(s, int) else tuple(s) for s in shapes))
