"""Lengths of vectors and sizes of matrices."""

from __future__ import annotations

import math
from typing import Any

from ..core.apply import apply
from .axes import Axis, normal_axis, one_axis, pick_axis
from .elementwise import abs, sign, sub
from .matrices import svdvals
from .reduce import Reduce, amax, amin, sum
from .shape import movedim, reshape, to

__all__ = ["dist", "norm"]


class Norm(Reduce):
    """The Euclidean length over `axis`, √(sum of squares); its gradient is the unit vector, 0 where the length is 0."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.sqrt(xp.sum(x * x, axis=self.axis, keepdims=self.keepdims))

    def vjp_x(self, xp, grad, out, x):
        return self.spread(xp, over(xp, grad, out), x) * x


class PNorm(Reduce):
    """(sum of |x|**p) ** (1/p) over `axis`; the gradient where x or the norm is 0 is 0."""

    name = "p_norm"
    promotes = "float"

    def __init__(self, p: float, axis: Axis = None, keepdims: bool = False) -> None:
        self.p, self.axis, self.keepdims = p, axis, keepdims

    def forward(self, xp, x):
        total = xp.sum(xp.power(xp.abs(x), self.p), axis=self.axis, keepdims=self.keepdims)
        return xp.power(total, 1 / self.p)

    def vjp_x(self, xp, grad, out, x):
        share = over(xp, xp.abs(x), self.spread(xp, out, x))
        slope = xp.where(x == 0, 0 * share, xp.power(xp.where(x == 0, 1, share), self.p - 1))
        return self.spread(xp, grad, x) * xp.sign(x) * slope


def over(xp: Any, a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0: flat there, also for the next derivative."""
    return xp.where(b == 0, 0 * a, xp.divide(a, xp.where(b == 0, 1, b)))


def vector_norm(
    x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The length of the vectors along `dim` (None: of all elements as one): (sum of |x|**ord) ** (1/ord).

    ord=inf is the largest size, -inf the smallest, 0 the number of elements that are not 0.
    """
    dim, keep = pick_axis(dim, axis), keepdim or keepdims
    x = x if dtype is None else to(x, dtype)
    ord = ord.item() if hasattr(ord, "item") else ord
    if ord == 2:
        return apply(Norm(normal_axis(dim, x.ndim), keep), x)
    if ord == 1:
        return sum(abs(x), dim, keep)
    if ord in (math.inf, -math.inf):
        return (amax if ord > 0 else amin)(abs(x), dim, keep)
    if ord == 0:
        return sum(abs(sign(x)), dim, keep)
    return apply(PNorm(float(ord), normal_axis(dim, x.ndim), keep), x)


def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The size of the matrices in the two axes `dim`: "fro" (√ of the sum of squares), "nuc" (the sum of the singular
    values), 2 and -2 (the largest and the smallest of them), 1 and -1 (of the sums of sizes in a column), inf and -inf (in
    a row)."""
    A = A if dtype is None else to(A, dtype)
    rows, columns = (one_axis(d, A.ndim) for d in dim)
    if rows == columns:
        raise ValueError(f"a matrix norm needs two different axes, not {dim}")
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    moved = movedim(A, (rows, columns), (-2, -1))
    if ord in (1, -1, math.inf, -math.inf):
        sizes = sum(abs(moved), -2 if ord in (1, -1) else -1)
    elif ord in ("nuc", 2, -2):
        sizes = svdvals(moved)
    else:
        raise ValueError(f"matrix_norm knows 'fro', 'nuc', 1, -1, 2, -2, inf and -inf, not {ord!r}")
    out = sum(sizes, -1) if ord == "nuc" else (amax if ord > 0 else amin)(sizes, -1)
    return reshape(out, tuple(1 if k in (rows, columns) else n for k, n in enumerate(A.shape))) if keepdim else out


def linalg_norm(
    A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """`vector_norm` along one axis, `matrix_norm` over two; without `ord` and `dim` the length of all elements as one vector.

    With `ord` alone, A is a vector or a matrix.
    """
    dims = tuple(dim) if isinstance(dim, (tuple, list)) else dim
    if ord is not None and dims is None and A.ndim == 2 or isinstance(dims, tuple) and len(dims) == 2 and ord is not None:
        return matrix_norm(A, ord, dims or (-2, -1), keepdim, dtype=dtype)
    if ord is not None and dims is None and A.ndim != 1:
        raise ValueError(f"norm with ord and without dim is for a vector or a matrix, not shape {tuple(A.shape)}")
    return vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Any:
    """The length over `dim` (None: of all elements as one vector): (sum of |x|**p) ** (1/p), "fro" being p = 2.

    p="nuc" is the sum of the singular values of the matrices in the two axes `dim`.
    """
    dim = pick_axis(dim, axis)
    if p == "nuc":
        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The length (sum of |x|**p) ** (1/p) of input - other."""
    return vector_norm(sub(input, other), p)
