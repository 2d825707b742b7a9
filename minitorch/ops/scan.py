"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .axes import one_axis, pick_axis, stretch
from .compare import logical_xor
from .elementwise import sub
from .index import getitem
from .join import cat
from .shape import to

__all__ = ["cumprod", "cumsum", "diff"]


class CumSum(Op):
    """Running sums along `axis`; an element is in its own sum and in all later ones."""

    name = "cumsum"

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, xp, x):
        return xp.cumsum(x, axis=self.axis)

    def vjp_x(self, xp, grad, out, x):
        return xp.flip(xp.cumsum(xp.flip(grad, self.axis), axis=self.axis), self.axis)


class CumProd(Op):
    """Running products along `axis`."""

    name = "cumprod"

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, xp, x):
        return xp.cumprod(x, axis=self.axis)

    def vjp_x(self, xp, grad, out, x):
        return pull_cumprod(xp, grad, out, x, self.axis)


def pull_cumprod(xp: Any, grad: Any, out: Any, x: Any, axis: int) -> Any:
    """The gradient at x of its running products. An element divides the products it is in, unless one of them is 0: then
    they are multiplied up again without it."""
    if xp.nowhere_zero(x):
        return xp.flip(xp.cumsum(xp.flip(grad * out, axis), axis=axis), axis) / x
    n, parts = xp.shape(x)[axis], []
    for k in range(n):
        share = grad[stretch(axis, k, k + 1)]
        if k + 1 < n:
            later = xp.cumprod(x[stretch(axis, k + 1, None)], axis=axis)
            share = share + xp.sum(grad[stretch(axis, k + 1, None)] * later, axis=axis, keepdims=True)
        parts.append(share if k == 0 else share * out[stretch(axis, k - 1, k)])
    return xp.concatenate(parts, axis=axis)


def all_but_each(xp: Any, x: Any, axis: int | None) -> Any:
    """For each element, the product of all the others along `axis` (None: of all); right also where some are 0."""
    if axis is None:
        return xp.reshape(all_but_each(xp, xp.reshape(x, (-1,)), 0), xp.shape(x))
    if xp.shape(x)[axis] < 2:
        return xp.ones_like(x)
    one = xp.ones_like(x[stretch(axis, 0, 1)])
    before = xp.concatenate([one, xp.cumprod(x[stretch(axis, 0, -1)], axis=axis)], axis=axis)
    after = xp.concatenate([one, xp.cumprod(xp.flip(x[stretch(axis, 1, None)], axis), axis=axis)], axis=axis)
    return before * xp.flip(after, axis)


def cumsum(input: Any, dim: int | None = None, *, dtype: Any = None, axis: Any = None) -> Any:
    """Running sums along `dim`, of integers and bools in int64. Shape as input."""
    return _scan(CumSum, input, pick_axis(dim, axis), dtype)


def cumprod(input: Any, dim: int | None = None, *, dtype: Any = None, axis: Any = None) -> Any:
    """Running products along `dim`, of integers and bools in int64. Shape as input."""
    return _scan(CumProd, input, pick_axis(dim, axis), dtype)


def _scan(op: Any, x: Any, dim: Any, dtype: Any) -> Any:
    if dim is None:
        raise TypeError("give the axis to run along: dim=0 for the first")
    dtype = dtype or ("int64" if x.dtype.kind in "bui" else None)
    x = x if dtype is None else to(x, dtype)
    axis = one_axis(dim, x.ndim)
    return apply(op(axis), x) if x.ndim else x


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *, axis: int | None = None) -> Any:
    """The differences of neighbours along `dim`, `n` times over; with `prepend` and `append` joined to it first."""
    at = one_axis(dim if axis is None else axis, input.ndim)
    if input.ndim == 0:
        raise ValueError("diff needs at least one axis")
    if n == 0:
        return input
    parts = [part for part in (prepend, input, append) if part is not None]
    x = cat(parts, at) if len(parts) > 1 else input
    for _ in range(min(n, x.shape[at])):
        later, earlier = getitem(x, stretch(at, 1, None)), getitem(x, stretch(at, None, -1))
        if x.dtype.kind == "b":
            x = logical_xor(later, earlier)
        else:
            x = sub(later, earlier)
    return x
