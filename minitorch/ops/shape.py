"""Operations that move elements without changing them; their gradients move them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import BACKENDS
from ..core.node import Node, Op, apply
from .axes import one_axis


class Reshape(Op):
    """The same elements, in the same order, in another shape."""

    view = True

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, xp, x):
        return xp.reshape(x, self.shape)

    def vjp_x(self, xp, grad, out, x):
        return xp.reshape(grad, xp.shape(x))


class Transpose(Op):
    """The axes in another order."""

    view = True
    symbol = "T"

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes

    def forward(self, xp, x):
        return xp.transpose(x, self.axes)

    def vjp_x(self, xp, grad, out, x):
        return xp.transpose(grad, inverse(self.axes))


class BroadcastTo(Op):
    """Copies along new or stretched axes; the gradient of a copy is a sum (the engine's, as for any broadcasting)."""

    view = True

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, xp, x):
        return xp.broadcast_to(x, self.shape)

    def vjp_x(self, xp, grad, out, x):
        return grad


class Clone(Op):
    """The same elements in memory of their own."""

    def forward(self, xp, x):
        return x.copy()

    def vjp_x(self, xp, grad, out, x):
        return grad


class To(Op):
    """The elements in another dtype."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def forward(self, xp, x):
        return x.astype(self.dtype)

    def vjp_x(self, xp, grad, out, x):
        return xp.astype(grad, x.dtype)


class ToValue(Op):
    """The sum of the elements as a Value: how the gradient of a Value in a tensor operation comes back to it."""

    makes_value = True

    def forward(self, xp, x):
        return x.sum().item()

    def vjp_x(self, xp, grad, out, x):
        raw = x.raw if isinstance(x, Node) else x
        return BACKENDS[type(raw)].ones_like(raw) * grad


class Cat(Op):
    """The tensors one after the other along `axis`; each receives its own piece of the gradient."""

    requires = "all sizes but the one along the axis must be equal"

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, xp, *tensors):
        return xp.concatenate(tensors, axis=self.axis)

    def vjp(self, xp, grad, out, needed, *tensors):
        pieces, start = [], 0
        for tensor in tensors:
            stop = start + xp.shape(tensor)[self.axis]
            pieces.append(grad[(slice(None),) * self.axis + (slice(start, stop),)])
            start = stop
        return pieces


class Stack(Op):
    """The tensors side by side along a new `axis`; each receives its own slice of the gradient."""

    makes_tensor = True
    requires = "all shapes must be equal"

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, xp, *tensors):
        return xp.stack(tensors, axis=self.axis)

    def vjp(self, xp, grad, out, needed, *tensors):
        return [grad[(slice(None),) * self.axis + (i,)] for i in range(len(tensors))]


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` alike."""
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        shape = tuple(shape[0])
    return tuple(int(n) for n in shape)


def reshape(x: Any, *shape: Any) -> Any:
    """The same elements in another shape; one size may be -1 and is worked out."""
    return apply(Reshape(sizes(shape)), x)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` as one."""
    start, end = one_axis(start_dim, x.ndim), one_axis(end_dim, x.ndim)
    return reshape(x, (*x.shape[:start], -1, *x.shape[end + 1 :]))


def squeeze(x: Any, dim: int | None = None) -> Any:
    """Without the axes of length 1 (or without axis `dim`, if its length is 1)."""
    drop = range(x.ndim) if dim is None else (one_axis(dim, x.ndim),)
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in drop or n != 1))


def unsqueeze(x: Any, dim: int) -> Any:
    """With a new axis of length 1 at `dim`."""
    at = one_axis(dim, x.ndim + 1)
    return reshape(x, (*x.shape[:at], 1, *x.shape[at:]))


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Axes `dim0` and `dim1` exchanged."""
    axes = list(range(x.ndim))
    a, b = one_axis(dim0, x.ndim), one_axis(dim1, x.ndim)
    if axes:
        axes[a], axes[b] = b, a
    return apply(Transpose(tuple(axes)), x)


def permute(x: Any, *dims: Any) -> Any:
    """The axes in the order `dims`."""
    axes = tuple(one_axis(d, x.ndim) for d in sizes(dims))
    if sorted(axes) != list(range(x.ndim)):
        raise ValueError(f"permute needs each of the {x.ndim} axes once, not {axes}")
    return apply(Transpose(axes), x)


def broadcast_to(x: Any, *shape: Any) -> Any:
    """`x` copied along new or stretched axes to `shape`; -1 keeps a size."""
    wanted = sizes(shape)
    extra = len(wanted) - x.ndim
    return apply(BroadcastTo(tuple(x.shape[i - extra] if n == -1 else n for i, n in enumerate(wanted))), x)


def clone(x: Any) -> Any:
    """A copy of `x` that passes its gradient on."""
    return apply(Clone.shared, x)


def to(x: Any, dtype: Any) -> Any:
    """The elements of `x` in `dtype`; `x` itself when they are already. Only floats carry a gradient on."""
    if x.dtype == dtype:
        return x
    return apply(To(dtype), x if np.dtype(dtype).kind == "f" else x.detach())


def cat(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors one after the other along `dim`; all other sizes must agree."""
    dim = dim if axis is None else axis
    if not tensors:
        raise ValueError("cat needs at least one tensor")
    return apply(Cat(one_axis(dim, tensors[0].ndim)), *tensors)


def stack(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors (or Values) side by side along a new axis `dim`; all sizes must agree."""
    dim = dim if axis is None else axis
    if not tensors:
        raise ValueError("stack needs at least one tensor")
    return apply(Stack(one_axis(dim, tensors[0].ndim + 1)), *tensors)
