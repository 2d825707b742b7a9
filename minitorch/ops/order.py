"""Finding elements by their order along an axis: the largest, the median, the k-th, all of them sorted."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..core import node
from ..core.apply import apply
from ..core.op import Op
from .axes import one_axis, pick_axis, stretch
from .elementwise import maximum, minimum
from .reduce import amax, amin
from .shape import reshape

__all__ = ["argsort", "kthvalue", "max", "median", "min", "msort", "nanmedian", "sort", "topk"]


class Found(NamedTuple):
    """The elements that were found (differentiable), and where."""

    values: Any
    indices: Any


class Along(Op):
    """Elements chosen along `axis` by their place in its order. Where they were is saved; there the gradient goes back."""

    saves = True

    def __init__(self, axis: int, keepdims: bool = False) -> None:
        self.axis, self.keepdims = axis, keepdims

    def pick(self, xp: Any, x: Any, where: Any) -> tuple[Any, Any]:
        """The elements at the positions `where` along the axis, and those."""
        out = xp.take_along_axis(x, where, self.axis)
        return (out if self.keepdims else xp.squeeze(out, self.axis)), where

    def vjp_x(self, xp, grad, out, saved, x):
        return xp.put_along_axis(grad if self.keepdims else xp.expand_dims(grad, self.axis), saved, self.axis, xp.shape(x))


class MaxAlong(Along):
    """The largest element along one axis; the gradient goes to the first of equal ones, at `saved`."""

    def forward(self, xp, x):
        return self.pick(xp, x, xp.argmax(x, axis=self.axis, keepdims=True))


class MinAlong(Along):
    """The smallest element along one axis; the gradient goes to the first of equal ones, at `saved`."""

    def forward(self, xp, x):
        return self.pick(xp, x, xp.argmin(x, axis=self.axis, keepdims=True))


class MedianAlong(Along):
    """The middle element along one axis, the lower one of two; the gradient goes to where it was found, at `saved`."""

    def __init__(self, axis: int, keepdims: bool = False, skip_nan: bool = False) -> None:
        self.axis, self.keepdims, self.skip_nan = axis, keepdims, skip_nan

    def forward(self, xp, x):
        return self.pick(xp, x, xp.argmedian(x, self.axis, self.skip_nan))


class Median(Op):
    """The middle element of all, the lower one of two; equal ones share the gradient."""

    def __init__(self, skip_nan: bool = False) -> None:
        self.skip_nan = skip_nan

    def forward(self, xp, x):
        flat = xp.reshape(x, (-1,))
        return xp.reshape(xp.take_along_axis(flat, xp.argmedian(flat, 0, self.skip_nan), 0), ())

    def vjp_x(self, xp, grad, out, x):
        same = (x == out) | ((x != x) & (out != out))
        return grad * same / xp.sum(same)


class Kth(Along):
    """The k-th smallest element along one axis, counted from 1; the gradient goes to where it was found, at `saved`."""

    def __init__(self, k: int, axis: int, keepdims: bool = False) -> None:
        self.k, self.axis, self.keepdims = k, axis, keepdims

    def forward(self, xp, x):
        return self.pick(xp, x, xp.order(x, self.axis, False)[stretch(self.axis, self.k - 1, self.k)])


class Sort(Along):
    """The elements along one axis by size; `saved` says where each was, and there its gradient goes back."""

    keepdims = True

    def __init__(self, axis: int, descending: bool = False) -> None:
        self.axis, self.descending = axis, descending

    def forward(self, xp, x):
        return self.pick(xp, x, xp.order(x, self.axis, self.descending))


class TopK(Along):
    """The k largest (or smallest) elements along one axis, by size; the gradient goes to where they were, at `saved`."""

    name = "topk"
    keepdims = True

    def __init__(self, k: int, axis: int, largest: bool = True) -> None:
        self.k, self.axis, self.largest = k, axis, largest

    def forward(self, xp, x):
        return self.pick(xp, x, xp.order(x, self.axis, self.largest)[stretch(self.axis, 0, self.k)])


def _found(op: Along, x: Any) -> Found:
    """Values and positions of an operation along an axis; a 0-d tensor counts as one element in a row."""
    values = apply(op, x if x.ndim else reshape(x, (1,)))
    where = values._saved if op.keepdims or values.ndim == values._saved.ndim else values._saved.squeeze(op.axis)
    if not x.ndim:
        return Found(reshape(values, ()), node.TENSOR(where.reshape(())))  # type: ignore[call-arg]
    return Found(values, node.TENSOR(where))  # type: ignore[call-arg]


def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, axis: int | None = None) -> Any:
    """The largest element of all; with `dim`, the pair (values, indices) along it; of two tensors, element by element."""
    return _extreme(input, dim, keepdim, other, axis, amax, MaxAlong, maximum)


def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, axis: int | None = None) -> Any:
    """The smallest element of all; with `dim`, the pair (values, indices) along it; of two tensors, element by element."""
    return _extreme(input, dim, keepdim, other, axis, amin, MinAlong, minimum)


def _extreme(x: Any, dim: Any, keepdim: bool, other: Any, axis: Any, of_all: Any, along: type[Along], of_two: Any) -> Any:
    if other is not None or isinstance(dim, node.Node):
        return of_two(x, dim if other is None else other)
    dim = pick_axis(dim, axis)
    return of_all(x) if dim is None else _found(along(one_axis(dim, x.ndim), keepdim), x)


def median(input: Any, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None) -> Any:
    """The middle element of all, the lower one of two; with `dim`, the pair (values, indices) along it. nan if one is."""
    return _median(input, pick_axis(dim, axis), keepdim, skip_nan=False)


def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None) -> Any:
    """The median of what is not nan; with `dim`, the pair (values, indices) along it."""
    return _median(input, pick_axis(dim, axis), keepdim, skip_nan=True)


def _median(x: Any, dim: int | None, keepdim: bool, skip_nan: bool) -> Any:
    return apply(Median(skip_nan), x) if dim is None else _found(MedianAlong(one_axis(dim, x.ndim), keepdim, skip_nan), x)


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False, *, axis: int | None = None) -> Found:
    """The k-th smallest element along `dim`, counted from 1, and where it was, as (values, indices)."""
    at = one_axis(dim if axis is None else axis, input.ndim)
    n = input.shape[at] if input.ndim else 1
    if not 1 <= k <= n:
        raise ValueError(f"kthvalue counts from 1 to the {n} elements along the axis; k = {k}")
    return _found(Kth(k, at, keepdim), input)


def sort(
    input: Any, dim: int = -1, descending: bool = False, stable: bool = True, *, axis: int | None = None
) -> Found:
    """The elements along `dim` by size, and where each was, as (values, indices); equal ones stay in their order."""
    return _found(Sort(one_axis(dim if axis is None else axis, input.ndim), descending), input)


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True, *, axis: int | None = None) -> Any:
    """Where the elements along `dim`, taken by size, are."""
    return sort(input.detach(), dim, descending, axis=axis).indices


def msort(input: Any) -> Any:
    """The elements along the first axis by size."""
    return sort(input, 0).values


def topk(
    input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, axis: int | None = None
) -> Found:
    """The `k` largest elements along `dim` (or smallest), by size, and where they were, as (values, indices)."""
    at = one_axis(dim if axis is None else axis, input.ndim)
    n = input.shape[at] if input.ndim else 1
    if not 0 <= k <= n:
        raise ValueError(f"topk cannot find {k} of the {n} elements along the axis")
    return _found(TopK(k, at, largest), input)
