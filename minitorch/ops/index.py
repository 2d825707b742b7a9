"""Reading and writing parts of a tensor, and the parts of an operation with several results."""

from __future__ import annotations

from typing import Any

from ..backend import BACKENDS
from ..backend.gpus import at_home, beside
from ..core import node
from ..core.apply import apply, backend_among
from ..core.device import device_of, moved
from ..core.node import Node
from ..core.op import Op
from .axes import one_axis
from .elementwise import add, where
from .shape import broadcast_tensors, broadcast_to, clone, flatten, movedim, reshape

__all__ = [
    "argwhere", "getitem", "index_add", "index_copy", "index_fill", "index_put", "index_select", "masked_fill",
    "masked_scatter", "masked_select", "nonzero", "take",
]  # fmt: skip


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
        write(out, self.index, value)
        return out

    def vjp_x(self, xp, grad, out, x, value):
        return xp.zeroed(grad, self.index)

    def vjp_value(self, xp, grad, out, x, value):
        return fronted(xp, read(grad, self.index), len(xp.shape(value)))

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


def plain(index: Any, of: Any = None) -> Any:
    """An index without nodes: a 0-d integer is a number, and arrays are copied, for an operation keeps its index while the
    user may go on editing the tensor. They go to the device of the raw array `of`, from which they are to pick."""
    if isinstance(index, tuple):
        return tuple(plain(i, of) for i in index)
    if isinstance(index, Node):
        index = index.raw
    if hasattr(index, "dtype"):
        if index.ndim == 0 and index.dtype.kind in "iu":
            return index.item()
        elsewhere = type(index) is not type(of) and type(index) in BACKENDS and type(of) in BACKENDS
        with beside(of):
            return moved(index, device_of(of)) if elsewhere else index.copy()
    return index


def getitem(x: Any, index: Any) -> Any:
    """x[index]: integers, slices, None, ..., and integer or bool arrays, lists and tensors.

    The axes of the result are in PyTorch's order: an integer only takes its axis away, where NumPy lets it take part in the
    broadcasting of arrays that stand apart from it.
    """
    index = _tight(plain(index, x.raw), x.ndim)
    if isinstance(index, tuple) and _apart(index):
        numbers, index = _numbers_first(index, x.ndim)
        x = apply(GetItem(numbers), x)
    return apply(GetItem(index), x)


def _tight(index: Any, ndim: int) -> Any:
    """An index without a ... that stands for no axis, for NumPy takes it for something between the arrays around it."""
    if not isinstance(index, tuple) or not any(map(_is_array, index)) or sum(map(_axes, index)) < ndim:
        return index
    return tuple(i for i in index if i is not ...)


def _axes(i: Any) -> int:
    """How many axes an entry of an index takes."""
    return 0 if i is None or i is ... else i.ndim if hasattr(i, "dtype") and i.dtype.kind == "b" else 1


def _apart(index: tuple[Any, ...]) -> bool:
    """Whether integers and arrays of an index are separated by slices (only then does NumPy move axes to the front)."""
    places = [k for k, i in enumerate(index) if type(i) is int or _is_array(i)]
    return any(map(_is_array, index)) and places[-1] - places[0] >= len(places) and any(type(i) is int for i in index)


def _is_array(i: Any) -> bool:
    return isinstance(i, list) or hasattr(i, "dtype")


def _numbers_first(index: tuple[Any, ...], ndim: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """`index` in two steps: the integers, then all the rest."""
    taken = [_axes(i) for i in index]
    full: list[Any] = []
    rest: list[Any] = []
    for i, n in zip(index, taken):
        n = ndim - sum(taken) if i is ... else n
        full += [i] if type(i) is int else [slice(None)] * n
        rest += [] if type(i) is int else [slice(None)] * n if i is ... else [i]
    return tuple(full), tuple(rest)


def read(x: Any, index: Any) -> Any:
    """x[index] of an array (or a node), the axes in PyTorch's order; see `getitem`."""
    index = _tight(index, len(x.shape))
    if isinstance(index, tuple) and _apart(index):
        numbers, index = _numbers_first(index, len(x.shape))
        x = x[numbers]
    return x[index]


def write(x: Any, index: Any, value: Any) -> None:
    """x[index] = value for an array, edited in place, the axes in PyTorch's order."""
    index = _tight(index, x.ndim)
    if isinstance(index, tuple) and _apart(index):
        numbers, index = _numbers_first(index, x.ndim)
        x = x[numbers]  # a view: numbers and slices only
    x[index] = value


def fronted(xp: Any, x: Any, ndim: int) -> Any:
    """`x` with axes of length 1 in front, up to `ndim`."""
    shape = xp.shape(x)
    return xp.reshape(x, (1,) * (ndim - len(shape)) + tuple(shape)) if len(shape) < ndim else x


def setitem(x: Any, index: Any, value: Any) -> Any:
    """A copy of `x` with `value` written at `index`."""
    return apply(SetItem(plain(index, x.raw)), x, value)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices along `dim` at the positions in `index`, a vector of ints; one may be named more than once."""
    return getitem(input, places(input, dim, index)) if input.ndim else clone(input)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """`input` with the slices of alpha × `source` along `dim` added at the positions in `index`."""
    x, source = (input, source) if input.ndim else (reshape(input, (1,)), reshape(source, (-1,)))
    into = apply(Into(plain(places(x, dim, index), x.raw), x.shape), source)
    return reshape(add(x, into, alpha=alpha), input.shape) if not input.ndim else add(x, into, alpha=alpha)


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """`input` with the slices of `source` along `dim` written at the positions in `index`."""
    return setitem(input, places(input, dim, index) if input.ndim else ..., source)


@at_home
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """`input` with `value` written at the positions in `index` along `dim`."""
    once = backend_among([input.raw]).unique(index.raw)  # a place named twice takes one value
    return setitem(input, places(input, dim, once) if input.ndim else ..., value)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """`input` with `values` written at input[indices], or added to what is there."""
    index = tuple(indices)
    if not accumulate:
        return setitem(input, index, values)
    part = getitem(input.detach(), index)
    return add(input, apply(Into(plain(index, input.raw), input.shape), broadcast_to(values, part.shape)))


def places(x: Any, dim: int, index: Any) -> tuple[Any, ...]:
    """The index that names the positions `index` along `dim`."""
    if getattr(index, "ndim", 1) > 1:
        raise ValueError(f"the index along an axis is a vector, not of shape {tuple(index.shape)}")
    return (slice(None),) * one_axis(dim, x.ndim) + (reshape(index, (1,)) if getattr(index, "ndim", 1) == 0 else index,)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`value`, a number or a 0-d tensor, where the mask is true, else `input`."""
    return where(mask, value, input)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements at which the mask is true, as a vector."""
    x, mask = broadcast_tensors(input, mask)
    return getitem(x, mask)


@at_home
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """`input` with the elements of `source`, in their order, written where the mask is true."""
    x, mask = broadcast_tensors(input, mask)
    return setitem(x, mask, getitem(flatten(source), slice(0, int(mask.raw.sum().item()))))


def take(input: Any, index: Any) -> Any:
    """The elements at the positions in `index`, counted as if all stood in one row; shape as index."""
    return getitem(flatten(input), index)


@at_home
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Where `input` is not 0: a row of indices for each such element, or as a tuple with one vector for each axis."""
    x = input if input.ndim or not as_tuple else reshape(input.detach(), (1,))
    xp = backend_among([x.raw])
    found = xp.nonzero(x.raw) if x.ndim else (xp.nonzero(x.raw.reshape(1))[0],)
    if as_tuple:
        return tuple(node.TENSOR(i) for i in found)  # type: ignore[call-arg]
    rows = xp.stack(found, -1)
    return node.TENSOR(rows if x.ndim else rows[:, :0])  # type: ignore[call-arg]


def argwhere(input: Any) -> Any:
    """A row of indices for each element that is not 0."""
    return nonzero(input)


@at_home
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` elements along `dimension`, one every `step`: their number there, their elements on a new last axis."""
    if not input.ndim:
        return reshape(input, (1,))
    at = one_axis(dimension, input.ndim)
    n = input.shape[at]
    if not 0 <= size <= n or step < 1:
        raise ValueError(f"unfold needs windows of at most the {n} elements along the axis and a step of at least 1")
    xp = backend_among([input.raw])
    starts = xp.arange((n - size) // step + 1) * step
    windows = getitem(input, (slice(None),) * at + (xp.expand_dims(starts, -1) + xp.arange(size),))
    return movedim(windows, at + 1, -1)


def results(bundle: Any) -> tuple[Any, ...]:
    """The nodes through which the results of an operation with several are read."""
    count = len(bundle.raw)
    return tuple(apply(Pick(i, count), bundle) for i in range(count))
