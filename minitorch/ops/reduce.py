"""Operations that fold axes together: sums, means, variances, products, the largest and the smallest."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .axes import Axis, normal_axis, pick_axis
from .compare import answer
from .elementwise import where
from .scan import all_but_each
from .shape import to

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "logsumexp", "mean", "nanmean", "nansum",
    "prod", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip


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


class Prod(Reduce):
    """The product over `axis` (one, or all): each element moves it by the product of all the others."""

    symbol = "Π"
    axis: int | None

    def forward(self, xp, x):
        return xp.prod(x, axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, xp, grad, out, x):
        others = self.spread(xp, out, x) / x if xp.nowhere_zero(x) else all_but_each(xp, x, self.axis)
        return self.spread(xp, grad, x) * others


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

    promotes = "float"

    def __init__(self, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> None:
        self.axis, self.keepdims, self.correction = axis, keepdims, correction

    def forward(self, xp, x):
        return xp.var(x, axis=self.axis, keepdims=self.keepdims, ddof=self.correction)

    def vjp_x(self, xp, grad, out, x):
        centred = x - xp.mean(x, axis=self.axis, keepdims=True)
        return self.spread(xp, 2 * grad / (xp.axis_size(x, self.axis) - self.correction), x) * centred


class Std(Var):
    """The standard deviation over `axis`, the root of the variance; the derivative where it is 0 is 0."""

    def forward(self, xp, x):
        return xp.sqrt(xp.var(x, axis=self.axis, keepdims=self.keepdims, ddof=self.correction))

    def vjp_x(self, xp, grad, out, x):
        centred = x - xp.mean(x, axis=self.axis, keepdims=True)
        share = xp.divide(grad, out * (xp.axis_size(x, self.axis) - self.correction))
        return self.spread(xp, xp.where(out == 0, 0 * grad, share), x) * centred


class LogSumExp(Reduce):
    """log(sum(exp(x))) over `axis`, shifted so that nothing overflows: a soft maximum, whose gradient is the softmax."""

    name = "logsumexp"
    promotes = "float"

    def forward(self, xp, x):
        return xp.logsumexp(x, axis=self.axis, keepdims=self.keepdims)

    def vjp_x(self, xp, grad, out, x):
        return self.spread(xp, grad, x) * xp.exp(x - self.spread(xp, out, x))


def sum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The sum over `dim` (an axis, several, or all when None), of integers and bools in int64.

    Shape: the axes are removed, or kept as 1 with `keepdim`.
    """
    return apply(Sum(normal_axis(pick_axis(dim, axis), input.ndim), keepdim or keepdims), summable(input, dtype))


def mean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The mean over `dim` (an axis, several, or all when None)."""
    x = input if dtype is None else to(input, dtype)
    return apply(Mean(normal_axis(pick_axis(dim, axis), x.ndim), keepdim or keepdims), x)


def prod(
    input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The product over `dim` (one axis, or all when None), of integers and bools in int64."""
    return apply(Prod(normal_axis(pick_axis(dim, axis), input.ndim), keepdim or keepdims), summable(input, dtype))


def summable(x: Any, dtype: Any = None) -> Any:
    """`x` in the dtype in which to add it up: `dtype` if given, int64 for integers and bools, else its own."""
    if dtype is not None:
        return to(x, dtype)
    return to(x, "int64") if getattr(x, "dtype", None) is not None and x.dtype.kind in "bui" else x


def nansum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The sum over `dim` of what is not nan."""
    kept = where(answer("isnan", input), 0, input) if input.dtype.kind == "f" else input
    return sum(kept, dim, keepdim, dtype=dtype, axis=axis, keepdims=keepdims)


def nanmean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The mean over `dim` of what is not nan; nan where there is nothing else."""
    count = sum(answer("logical_not", answer("isnan", input)), dim, keepdim, axis=axis, keepdims=keepdims)
    return nansum(input, dim, keepdim, dtype=dtype, axis=axis, keepdims=keepdims) / count


def amax(input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over `dim`; equal ones share the gradient."""
    return apply(Max(normal_axis(pick_axis(dim, axis), input.ndim), keepdim or keepdims), input)


def amin(input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over `dim`; equal ones share the gradient."""
    return apply(Min(normal_axis(pick_axis(dim, axis), input.ndim), keepdim or keepdims), input)


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element over `dim`, as a pair."""
    return amin(input, dim, keepdim), amax(input, dim, keepdim)


def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None,
    axis: Any = None, keepdims: bool = False,
) -> Any:  # fmt: skip
    """The variance over `dim`, divided by n - correction (1 unless given); `unbiased=False` is correction 0."""
    return _spread_of(Var, input, pick_axis(dim, axis), unbiased, keepdim or keepdims, correction)


def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None,
    axis: Any = None, keepdims: bool = False,
) -> Any:  # fmt: skip
    """The standard deviation over `dim`: the root of the variance, which see."""
    return _spread_of(Std, input, pick_axis(dim, axis), unbiased, keepdim or keepdims, correction)


def _spread_of(op: type[Var], x: Any, dim: Any, unbiased: Any, keepdim: bool, correction: float | None) -> Any:
    if isinstance(dim, bool):  # PyTorch's short form: var(x, False)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    return apply(op(normal_axis(dim, x.ndim), keepdim, correction), x)


def var_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None,
    axis: Any = None, keepdims: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """The variance and the mean over `dim`."""
    average = mean(input, None if isinstance(dim, bool) else dim, keepdim, axis=axis, keepdims=keepdims)
    return var(input, dim, unbiased, keepdim, correction=correction, axis=axis, keepdims=keepdims), average


def std_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None,
    axis: Any = None, keepdims: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """The standard deviation and the mean over `dim`."""
    average = mean(input, None if isinstance(dim, bool) else dim, keepdim, axis=axis, keepdims=keepdims)
    return std(input, dim, unbiased, keepdim, correction=correction, axis=axis, keepdims=keepdims), average


def logsumexp(input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(input))) over `dim`, without overflow."""
    return apply(LogSumExp(normal_axis(pick_axis(dim, axis), input.ndim), keepdim or keepdims), input)


# Without derivatives


def argmax(input: Any, dim: int | None = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The position of the largest element along `dim`, or of all as if they stood in one row; the first of equal ones."""
    return _plain("argmax", input, dim, axis, keepdim or keepdims)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The position of the smallest element along `dim`, or of all as if they stood in one row; the first of equal ones."""
    return _plain("argmin", input, dim, axis, keepdim or keepdims)


def any(input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether one element over `dim` is true (not 0)."""
    found = _plain("any", input, dim, axis, keepdim or keepdims)
    return to(found, "uint8") if input.dtype == "uint8" else found


def all(input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every element over `dim` is true (not 0)."""
    found = _plain("all", input, dim, axis, keepdim or keepdims)
    return to(found, "uint8") if input.dtype == "uint8" else found


def count_nonzero(input: Any, dim: Any = None, *, axis: Any = None) -> Any:
    """How many elements over `dim` are not 0."""
    return _plain("count_nonzero", input, dim, axis, False)


def _plain(kernel: str, x: Any, dim: Any, axis: Any, keepdims: bool) -> Any:
    return answer(kernel, x, axis=normal_axis(pick_axis(dim, axis), x.ndim), keepdims=keepdims)
