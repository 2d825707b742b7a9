"""Operations that fold axes together: sum, mean, max, min, var."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..core.node import Op, apply
from .axes import Axis, normal_axis, one_axis, pick_axis
from .shape import reshape


class Reduce(Op):
    """A fold over `axis` (None: all). The gradient of a reduction is spread back over what it folded."""

    def __init__(self, axis: Axis = None, keepdims: bool = False) -> None:
        self.axis, self.keepdims = axis, keepdims

    def spread(self, xp: Any, y: Any, x: Any) -> Any:
        """Give `y`, a result of this reduction, back the axes it lost, so that it broadcasts against `x`."""
        return y if self.keepdims else xp.keep_axis(y, self.axis, x)


class Sum(Reduce):
    """The sum over `axis`: every element adds once, so each receives the whole gradient."""

    symbol = "Σ"

    def forward(self, xp, x):
        return xp.sum(x, axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, xp, grad, out, x):
        return xp.broadcast_to(self.spread(xp, grad, x), xp.shape(x))


class Mean(Reduce):
    """The mean over `axis`: of n elements each moves it by 1/n."""

    def forward(self, xp, x):
        return xp.mean(x, axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, xp, grad, out, x):
        return xp.broadcast_to(self.spread(xp, grad, x) / xp.axis_size(x, self.axis), xp.shape(x))


class Max(Reduce):
    """The largest element over `axis`; equal ones share the gradient."""

    def forward(self, xp, x):
        return xp.amax(x, axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, xp, grad, out, x):
        largest = x == self.spread(xp, out, x)
        return self.spread(xp, grad, x) * largest / xp.sum(largest, axis=self.axis, keepdims=True)


class Min(Reduce):
    """The smallest element over `axis`; equal ones share the gradient."""

    def forward(self, xp, x):
        return xp.amin(x, axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, xp, grad, out, x):
        smallest = x == self.spread(xp, out, x)
        return self.spread(xp, grad, x) * smallest / xp.sum(smallest, axis=self.axis, keepdims=True)


class Var(Reduce):
    """The variance over `axis`, the sum of squares divided by n - correction (1: Bessel's, as in PyTorch)."""

    def __init__(self, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> None:
        self.axis, self.keepdims, self.correction = axis, keepdims, correction

    def forward(self, xp, x):
        return xp.var(x, axis=self.axis, keepdims=self.keepdims, ddof=self.correction)

    def vjp_x(self, xp, grad, out, x):
        centred = x - xp.mean(x, axis=self.axis, keepdims=True)
        return self.spread(xp, 2 * grad / (xp.axis_size(x, self.axis) - self.correction), x) * centred


def sum(x: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over `dim` (an axis, several, or all when None). Shape: the axes are removed, or kept as 1 with `keepdim`."""
    return apply(Sum(normal_axis(pick_axis(dim, axis), x.ndim), keepdim or keepdims), x)


def mean(x: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over `dim` (an axis, several, or all when None)."""
    return apply(Mean(normal_axis(pick_axis(dim, axis), x.ndim), keepdim or keepdims), x)


def amax(x: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over `dim`; equal ones share the gradient."""
    return apply(Max(normal_axis(pick_axis(dim, axis), x.ndim), keepdim or keepdims), x)


def amin(x: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over `dim`; equal ones share the gradient."""
    return apply(Min(normal_axis(pick_axis(dim, axis), x.ndim), keepdim or keepdims), x)


class Extreme(NamedTuple):
    """What max and min along an axis give: the values (differentiable) and where they were found."""

    values: Any
    indices: Any


class MaxAlong(Op):
    """The largest element along one axis; the gradient goes to the first of equal ones, at `saved`."""

    saves = True

    def __init__(self, axis: int, keepdims: bool = False) -> None:
        self.axis, self.keepdims = axis, keepdims

    def forward(self, xp, x):
        where = xp.expand_dims(xp.argmax(x, axis=self.axis), self.axis)
        out = xp.take_along_axis(x, where, self.axis)
        return (out if self.keepdims else xp.squeeze(out, self.axis)), where

    def vjp_x(self, xp, grad, out, saved, x):
        return xp.put_along_axis(grad if self.keepdims else xp.expand_dims(grad, self.axis), saved, self.axis, xp.shape(x))


class MinAlong(MaxAlong):
    """The smallest element along one axis; the gradient goes to the first of equal ones, at `saved`."""

    def forward(self, xp, x):
        where = xp.expand_dims(xp.argmin(x, axis=self.axis), self.axis)
        out = xp.take_along_axis(x, where, self.axis)
        return (out if self.keepdims else xp.squeeze(out, self.axis)), where


def max(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The largest element of all; with `dim`, the pair (values, indices) along it."""
    return amax(x) if dim is None else _extreme(MaxAlong, x, one_axis(dim, x.ndim), keepdim)


def min(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest element of all; with `dim`, the pair (values, indices) along it."""
    return amin(x) if dim is None else _extreme(MinAlong, x, one_axis(dim, x.ndim), keepdim)


def _extreme(op: type[MaxAlong], x: Any, axis: int, keepdims: bool) -> Extreme:
    if x.ndim == 0:
        return _extreme(op, reshape(x, (1,)), 0, keepdims=False)
    values = apply(op(axis, keepdims), x)
    found = values._saved
    return Extreme(values, type(values)(found if keepdims else found.squeeze(axis)))


def var(
    x: Any, dim: Any = None, keepdim: bool = False, *, correction: float = 1, unbiased: bool | None = None,
    axis: Any = None, keepdims: bool = False,
) -> Any:  # fmt: skip
    """The variance over `dim`, divided by n - correction; `unbiased=False` is correction 0."""
    correction = correction if unbiased is None else int(unbiased)
    return apply(Var(normal_axis(pick_axis(dim, axis), x.ndim), keepdim or keepdims, correction), x)
