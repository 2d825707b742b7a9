"""Reading and writing parts of a tensor, and the parts of an operation with several results."""

from __future__ import annotations

from typing import Any

from ..core.node import Node, Op, apply


class GetItem(Op):
    """x[index]; the gradient goes back to where the elements were read, and adds up where one was read twice."""

    view = True

    def __init__(self, index: Any) -> None:
        self.index = index

    def forward(self, xp, x):
        return xp.part(x, self.index)

    def vjp_x(self, xp, grad, out, x):
        return xp.into(grad, self.index, xp.shape(x))

    def __repr__(self) -> str:
        return f"[{shown(self.index)}]"


class Into(Op):
    """Zeros of `shape` with x added at `index`: the gradient of GetItem, as an operation of its own."""

    def __init__(self, index: Any, shape: tuple[int, ...]) -> None:
        self.index, self.shape = index, shape

    def forward(self, xp, x):
        return xp.into(x, self.index, self.shape).dense()

    def vjp_x(self, xp, grad, out, x):
        return grad[self.index]


class SetItem(Op):
    """x with `value` written at `index`; what was overwritten receives no gradient."""

    def __init__(self, index: Any) -> None:
        self.index = index

    def forward(self, xp, x, value):
        out = x.copy()
        out[self.index] = value
        return out

    def vjp_x(self, xp, grad, out, x, value):
        return xp.zeroed(grad, self.index)

    def vjp_value(self, xp, grad, out, x, value):
        return grad[self.index]

    def __repr__(self) -> str:
        return f"[{shown(self.index)}] ="


class PutAlong(Op):
    """Zeros of `shape` with x at `index` along `axis`: the gradient of a maximum along an axis, as an operation of its own."""

    def __init__(self, index: Any, axis: int, shape: tuple[int, ...]) -> None:
        self.index, self.axis, self.shape = index, axis, shape

    def forward(self, xp, x):
        return xp.put_along_axis(x, self.index, self.axis, self.shape)

    def vjp_x(self, xp, grad, out, x):
        return xp.take_along_axis(grad, self.index, self.axis)


class TakeAlong(Op):
    """The elements at `index` along `axis`."""

    def __init__(self, index: Any, axis: int) -> None:
        self.index, self.axis = index, axis

    def forward(self, xp, x):
        return xp.take_along_axis(x, self.index, self.axis)

    def vjp_x(self, xp, grad, out, x):
        return xp.put_along_axis(grad, self.index, self.axis, xp.shape(x))


class Pick(Op):
    """Result number `index` of the `count` that an operation has."""

    def __init__(self, index: int, count: int) -> None:
        self.index, self.count = index, count

    def forward(self, xp, results):
        return results[self.index]

    def vjp_results(self, xp, grad, out, results):
        return Part(self.index, grad, self.count)

    def __repr__(self) -> str:
        return f"[{self.index}]"


class Part:
    """The gradient of one result among several; the others are None until theirs arrives."""

    __slots__ = ("index", "grad", "count")

    def __init__(self, index: int, grad: Any, count: int) -> None:
        self.index, self.grad, self.count = index, grad, count


def shown(index: Any) -> str:
    """An index as it was written: `0, 1:3, ...`."""
    parts = index if isinstance(index, tuple) else (index,)
    return ", ".join(_part(i) for i in parts)


def _part(i: Any) -> str:
    if isinstance(i, slice):
        text = ":".join("" if x is None else str(x) for x in (i.start, i.stop))
        return f"{text}:{i.step}" if i.step not in (None, 1) else text
    if i is ...:
        return "..."
    if hasattr(i, "shape") and getattr(i, "size", 0) > 4:
        return f"<{i.dtype} {i.shape}>"
    return str(i.tolist() if hasattr(i, "tolist") else i)


def plain(index: Any) -> Any:
    """An index without nodes: a 0-d integer is a number, and arrays are copied, for an operation keeps its index while the
    user may go on editing the tensor."""
    if isinstance(index, tuple):
        return tuple(plain(i) for i in index)
    if isinstance(index, Node):
        index = index.raw
    if hasattr(index, "dtype"):
        return index.item() if index.ndim == 0 and index.dtype.kind in "iu" else index.copy()
    return index


def getitem(x: Any, index: Any) -> Any:
    """x[index]: integers, slices, None, ..., and integer or bool arrays, lists and tensors.

    The axes of the result are in PyTorch's order: an integer only takes its axis away, where NumPy lets it take part in the
    broadcasting of arrays that stand apart from it.
    """
    index = plain(index)
    if isinstance(index, tuple) and _apart(index):
        numbers, index = _numbers_first(index, x.ndim)
        x = apply(GetItem(numbers), x)
    return apply(GetItem(index), x)


def _apart(index: tuple[Any, ...]) -> bool:
    """Whether integers and arrays of an index are separated by slices (only then does NumPy move axes to the front)."""
    places = [k for k, i in enumerate(index) if type(i) is int or _is_array(i)]
    return any(map(_is_array, index)) and places[-1] - places[0] >= len(places) and any(type(i) is int for i in index)


def _is_array(i: Any) -> bool:
    return isinstance(i, list) or hasattr(i, "dtype")


def _numbers_first(index: tuple[Any, ...], ndim: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """`index` in two steps: the integers, then all the rest."""
    taken = [0 if i is None or i is ... else i.ndim if hasattr(i, "dtype") and i.dtype.kind == "b" else 1 for i in index]
    full: list[Any] = []
    rest: list[Any] = []
    for i, n in zip(index, taken):
        n = ndim - sum(taken) if i is ... else n
        full += [i] if type(i) is int else [slice(None)] * n
        rest += [] if type(i) is int else [slice(None)] * n if i is ... else [i]
    return tuple(full), tuple(rest)


def results(bundle: Any) -> tuple[Any, ...]:
    """The nodes through which the results of an operation with several are read."""
    count = len(bundle.raw)
    return tuple(apply(Pick(i, count), bundle) for i in range(count))
