"""Operations that move elements without changing them; their gradients move them back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import BACKENDS
from ..core.apply import apply
from ..core.device import device_of, moved, there
from ..core.node import Node
from ..core.op import Elementwise, Op
from .axes import one_axis, whole

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_tensors", "broadcast_to", "clone", "flatten", "flip", "fliplr",
    "flipud", "moveaxis", "movedim", "permute", "ravel", "reshape", "roll", "rot90", "squeeze", "swapaxes", "swapdims", "t",
    "to", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip


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


class ToDevice(Op):
    """The elements on another device; the gradient comes back to where they were."""

    def __init__(self, device: Any, non_blocking: bool = False) -> None:
        self.device, self._non_blocking = device, non_blocking

    def forward(self, xp, x):
        return x if x.dtype.kind == "O" else moved(x, self.device, self._non_blocking)  # Values, in a zoom, are nowhere

    def vjp_x(self, xp, grad, out, x):
        return to_device(grad, x.device) if isinstance(grad, Node) else moved(grad, device_of(x))


class ToValue(Op):
    """The sum of the elements as a Value: how the gradient of a Value in a tensor operation comes back to it."""

    makes_value = True

    def forward(self, xp, x):
        return x.sum().item()

    def vjp_x(self, xp, grad, out, x):
        raw = x.raw if isinstance(x, Node) else x
        return BACKENDS[type(raw)].ones_like(raw) * grad


class Flip(Op):
    """The elements along `axes` in reverse order."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes

    def forward(self, xp, x):
        return xp.flip(x, self.axes)

    def vjp_x(self, xp, grad, out, x):
        return xp.flip(grad, self.axes)


class Roll(Op):
    """The elements moved along `axes` by `shifts` places; what leaves at the end comes in at the start."""

    def __init__(self, shifts: tuple[int, ...], axes: tuple[int, ...]) -> None:
        self.shifts, self.axes = shifts, axes

    def forward(self, xp, x):
        return xp.roll(x, self.shifts, self.axes)

    def vjp_x(self, xp, grad, out, x):
        return xp.roll(grad, tuple(-n for n in self.shifts), self.axes)


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` alike."""
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        shape = tuple(shape[0])
    return tuple(whole(n, "a size") for n in shape)


def reshape(input: Any, *sizes_: Any, shape: Any = ()) -> Any:
    """The same elements in another shape; one size may be -1 and is worked out."""
    return apply(Reshape(sizes(sizes_ or (shape,))), input)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` as one."""
    start, end = one_axis(start_dim, input.ndim), one_axis(end_dim, input.ndim)
    if end < start:
        raise ValueError(f"flatten goes from an axis to a later one, not from {start_dim} to {end_dim}")
    shape = input.shape
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def ravel(input: Any) -> Any:
    """All axes as one."""
    return flatten(input)


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """Axis `dim` as several of the given sizes, whose product is its length; one may be -1 and is worked out."""
    at = one_axis(dim, input.ndim)
    return reshape(input, (*input.shape[:at], *sizes, *input.shape[at + 1 :]))


def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the axes of length 1 (or, of axis or axes `dim`, without those whose length is 1)."""
    if dim is None:
        drop: Any = range(input.ndim)
    else:
        drop = tuple(one_axis(d, input.ndim) for d in (dim if isinstance(dim, Sequence) else (dim,)))
    return reshape(input, tuple(n for i, n in enumerate(input.shape) if i not in drop or n != 1))


def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of length 1 at `dim`."""
    at = one_axis(dim, input.ndim + 1)
    return reshape(input, (*input.shape[:at], 1, *input.shape[at:]))


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Axes `dim0` and `dim1` exchanged."""
    axes = list(range(input.ndim))
    a, b = one_axis(dim0, input.ndim), one_axis(dim1, input.ndim)
    if axes:
        axes[a], axes[b] = b, a
    return apply(Transpose(tuple(axes)), input)


def permute(input: Any, *axes: Any, dims: Any = ()) -> Any:
    """The axes in the order `dims`."""
    order = tuple(one_axis(d, input.ndim) for d in sizes(axes or (dims,)))
    if sorted(order) != list(range(input.ndim)):
        raise ValueError(f"permute needs each of the {input.ndim} axes once, not {order}")
    return apply(Transpose(order), input)


def broadcast_to(input: Any, *sizes_: Any, size: Any = ()) -> Any:
    """`input` copied along new or stretched axes to the shape `size`; -1 keeps a length."""
    wanted = sizes(sizes_ or (size,))
    have, extra = tuple(input.shape), len(wanted) - input.ndim
    shape = tuple(have[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(wanted))
    if extra < 0 or any(n not in (1, shape[i + extra]) for i, n in enumerate(have)):
        raise ValueError(f"a tensor of shape {have} cannot be stretched to {wanted}: only new axes and those of length 1 can")
    return apply(BroadcastTo(shape), input)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors, each broadcast to the shape that they have together."""
    shape = common_shape(*(x.shape for x in tensors))
    return tuple(broadcast_to(x, shape) for x in tensors)


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which all of `shapes` broadcast. ValueError where two do not fit."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(f"the shapes {', '.join(map(str, shapes))} do not broadcast: {Elementwise.requires}") from None


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Axis (or axes) `source` at the place `destination`; the others keep their order."""
    froms, tos = (
        [one_axis(d, input.ndim) for d in (dims if isinstance(dims, Sequence) else (dims,))] for dims in (source, destination)
    )
    if len(froms) != len(tos) or len(set(froms)) != len(froms) or len(set(tos)) != len(tos):
        raise ValueError(f"movedim needs as many different axes as places, not {source} and {destination}")
    order = [i for i in range(input.ndim) if i not in froms]
    for place, axis in sorted(zip(tos, froms)):
        order.insert(place, axis)
    return permute(input, order) if input.ndim else permute(input, ())


moveaxis = movedim
swapaxes = swapdims = transpose


def mT(input: Any) -> Any:
    """The last two axes exchanged: every matrix transposed."""
    return transpose(input, -2, -1)


def t(input: Any) -> Any:
    """A matrix with its axes exchanged; a vector or a single number as it is."""
    if input.ndim > 2:
        raise ValueError(f"t() is for matrices, and this tensor has {input.ndim} axes: use .mT or transpose(dim0, dim1)")
    return transpose(input, 0, -1)


def flip(input: Any, *axes: Any, dims: Any = ()) -> Any:
    """The elements along the axes `dims` in reverse order."""
    axes = tuple(one_axis(d, input.ndim) for d in sizes(axes or (dims,)))
    return apply(Flip(axes if input.ndim else ()), input)


def fliplr(input: Any) -> Any:
    """The columns in reverse order."""
    return flip(input, 1)


def flipud(input: Any) -> Any:
    """The rows in reverse order."""
    return flip(input, 0)


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """The elements moved by `shifts` places along `dims`, the last ones coming in at the front; without `dims`, along
    all axes as if they were one."""
    steps = tuple(shifts) if isinstance(shifts, Sequence) else (shifts,)
    if dims is None or dims == ():
        return reshape(roll(flatten(input), steps, (0,)), input.shape)
    axes = tuple(one_axis(d, input.ndim) for d in (dims if isinstance(dims, Sequence) else (dims,)))
    if len(axes) != len(steps):
        raise ValueError(f"roll needs a shift for each axis: {len(steps)} shifts, {len(axes)} axes")
    return apply(Roll(steps if input.ndim else (), axes if input.ndim else ()), input)


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """The plane of the two axes `dims` turned by k quarters of a circle, from the first towards the second."""
    a, b = (one_axis(d, input.ndim) for d in dims)
    if k % 4 == 0:
        return clone(input)
    if k % 4 == 2:
        return flip(input, (a, b))
    turned = transpose(input, a, b)
    return flip(turned, (a,)) if k % 4 == 1 else flip(turned, (b,))


def atleast_1d(*tensors: Any) -> Any:
    """The tensors with at least one axis: a 0-d one as a vector of one element."""
    return _atleast(1, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """The tensors with at least two axes: a vector as the row of a matrix."""
    return _atleast(2, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """The tensors with at least three axes: a vector of n as (1, n, 1), a matrix of (m, n) as (m, n, 1)."""
    return _atleast(3, tensors)


def _atleast(ndim: int, tensors: tuple[Any, ...]) -> Any:
    several = len(tensors) == 1 and isinstance(tensors[0], (list, tuple))
    found = []
    for x in tensors[0] if several else tensors:
        missing = ndim - x.ndim
        shape = (1, *x.shape, 1)[2 - missing :] if ndim == 3 and x.ndim else (1,) * missing + tuple(x.shape)
        found.append(x if missing <= 0 else reshape(x, shape))
    return tuple(found) if several or len(found) > 1 else found[0]


def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy of `input` that passes its gradient on."""
    return apply(Clone.shared, input)


def to(x: Any, dtype: Any) -> Any:
    """The elements of `x` in `dtype`; `x` itself when they are already. Only floats carry a gradient on."""
    if x.dtype == dtype:
        return x
    return apply(To(dtype), x if np.dtype(dtype).kind == "f" else x.detach())


def to_device(x: Any, device: Any, non_blocking: bool = False) -> Any:
    """The elements of `x` on `device`; `x` itself when they are there already. RuntimeError for a device that is not there."""
    return x if there(x.raw, device) else apply(ToDevice(device, non_blocking), x)
