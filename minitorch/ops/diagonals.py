"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .axes import one_axis
from .reduce import sum
from .shape import flatten

__all__ = ["diag", "diag_embed", "diagflat", "diagonal", "trace", "tril", "triu"]


class Tril(Op):
    """The lower triangle of the last two axes, up to diagonal k above the main one; zeros elsewhere."""

    def __init__(self, diagonal: int = 0) -> None:
        self.diagonal = diagonal

    def forward(self, xp, x):
        return xp.tril(x, self.diagonal)

    def vjp_x(self, xp, grad, out, x):
        return xp.tril(grad, self.diagonal)


class Triu(Op):
    """The upper triangle of the last two axes, from diagonal k above the main one on; zeros elsewhere."""

    def __init__(self, diagonal: int = 0) -> None:
        self.diagonal = diagonal

    def forward(self, xp, x):
        return xp.triu(x, self.diagonal)

    def vjp_x(self, xp, grad, out, x):
        return xp.triu(grad, self.diagonal)


class Diagonal(Op):
    """The diagonal `offset` places above the main one, of the two axes `axes`, as a new last axis."""

    view = True

    def __init__(self, offset: int, axes: tuple[int, int]) -> None:
        self.offset, self.axes = offset, axes

    def forward(self, xp, x):
        return xp.diagonal(x, self.offset, *self.axes)

    def vjp_x(self, xp, grad, out, x):
        return xp.undiagonal(grad, self.offset, self.axes, xp.shape(x))


class Undiagonal(Op):
    """Zeros of `shape` with the last axis of x on a diagonal of the two axes `axes`: the gradient of Diagonal."""

    def __init__(self, offset: int, axes: tuple[int, int], shape: tuple[int, ...]) -> None:
        self.offset, self.axes, self.shape = offset, axes, shape

    def forward(self, xp, x):
        return xp.undiagonal(x, self.offset, self.axes, self.shape)

    def vjp_x(self, xp, grad, out, x):
        return xp.diagonal(grad, self.offset, *self.axes)


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix, up to `diagonal` places above the main diagonal; zeros elsewhere."""
    return apply(Tril(diagonal), input)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix, from `diagonal` places above the main diagonal on; zeros elsewhere."""
    return apply(Triu(diagonal), input)


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the axes `dim1`, `dim2`, `offset` places above the main one, as a new last axis."""
    axes = one_axis(dim1, input.ndim), one_axis(dim2, input.ndim)
    if axes[0] == axes[1]:
        raise ValueError(f"a diagonal needs two different axes, not {dim1} and {dim2}")
    return apply(Diagonal(offset, axes), input)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Zeros with the last axis of `input` on a diagonal of two new axes, `dim1` and `dim2`."""
    ndim = input.ndim + 1
    axes = one_axis(dim1, ndim), one_axis(dim2, ndim)
    size = input.shape[-1] + (offset if offset > 0 else -offset)
    shape = list(input.shape[:-1])
    for axis in sorted(axes):
        shape.insert(axis, size)
    return apply(Undiagonal(offset, axes, tuple(shape)), input)


def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix; of a vector, the matrix with it on its diagonal."""
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ValueError(f"diag is for a vector or a matrix, not shape {input.shape}; use diagonal or diag_embed")
    return apply(Diagonal(diagonal, (0, 1)), input)


def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with all elements of `input` on its diagonal."""
    return diag_embed(flatten(input), offset)


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise ValueError(f"trace is for a matrix, not shape {input.shape}")
    return sum(apply(Diagonal(0, (0, 1)), input))
