"""Putting tensors together, taking them apart, and repeating them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.gpus import at_home
from ..core.apply import apply, backend_among
from ..core.node import Node
from ..core.op import Op
from .axes import one_axis, stretch
from .index import getitem, index_select
from .shape import atleast_1d, atleast_2d, atleast_3d, broadcast_to, common_shape, flatten, reshape, sizes, unsqueeze

__all__ = [
    "cat", "chunk", "column_stack", "concat", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "meshgrid", "narrow",
    "repeat_interleave", "row_stack", "select", "split", "stack", "tensor_split", "tile", "unbind", "vsplit", "vstack",
]  # fmt: skip


class Cat(Op):
    """The tensors one after the other along `axis`; each receives its own piece of the gradient."""

    promotes = "common"
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
    promotes = "common"
    requires = "all shapes must be equal"

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, xp, *tensors):
        return xp.stack(tensors, axis=self.axis)

    def vjp(self, xp, grad, out, needed, *tensors):
        return [grad[(slice(None),) * self.axis + (i,)] for i in range(len(tensors))]


class Tile(Op):
    """The whole tensor `repeats` times over along each axis; the gradient of a copy is a sum."""

    def __init__(self, repeats: tuple[int, ...]) -> None:
        self.repeats = repeats

    def forward(self, xp, x):
        return xp.tile(x, self.repeats)

    def vjp_x(self, xp, grad, out, x):
        shape = xp.shape(x)
        copies = [n for pair in zip(self.repeats, shape) for n in pair]
        return xp.sum(xp.reshape(grad, tuple(copies)), axis=tuple(range(0, 2 * len(shape), 2)))


def _several(name: str, tensors: Sequence[Any]) -> None:
    """Refuses one tensor in place of the list of them, and an empty list."""
    if isinstance(tensors, Node):
        raise TypeError(f"{name} takes the tensors as one list: {name}([a, b])")
    if not tensors:
        raise ValueError(f"{name} needs at least one tensor")


def cat(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors one after the other along `dim`; all other sizes must agree."""
    dim = dim if axis is None else axis
    _several("cat", tensors)
    # As in PyTorch, an empty vector fits anywhere (the start of `x = cat([x, row])`).
    parts = [x for x in tensors if x.shape != (0,)] or list(tensors)
    if parts[0].ndim == 0:
        raise ValueError("cat joins along an axis, and a 0-d tensor has none: use stack")
    return apply(Cat(one_axis(dim, parts[0].ndim)), *parts)


concat = concatenate = cat


def stack(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors (or Values) side by side along a new axis `dim`; all sizes must agree."""
    dim = dim if axis is None else axis
    _several("stack", tensors)
    return apply(Stack(one_axis(dim, tensors[0].ndim + 1)), *tensors)


def hstack(tensors: Sequence[Any]) -> Any:
    """The tensors side by side: along the second axis, vectors along their only one."""
    parts = [atleast_1d(x) for x in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """The tensors one below the other, along the first axis; a vector is a row."""
    return cat([atleast_2d(x) for x in tensors], 0)


row_stack = vstack


def dstack(tensors: Sequence[Any]) -> Any:
    """The tensors one behind the other, along the third axis."""
    return cat([atleast_3d(x) for x in tensors], 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """The tensors side by side; a vector is a column."""
    return cat([x if x.ndim > 1 else reshape(x, (-1, 1)) for x in tensors], 1)


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """The `length` elements from `start` on along `dim`."""
    at = one_axis(dim, input.ndim)
    start, n = int(start), input.shape[at]
    start = start + n if start < 0 else start
    if not 0 <= start <= start + length <= n:
        raise IndexError(f"narrow to {length} elements from {start} on does not fit axis {dim} of length {n}")
    return getitem(input, stretch(at, start, start + length))


def select(input: Any, dim: int, index: Any) -> Any:
    """Element number `index` along `dim`, without that axis."""
    return getitem(input, (slice(None),) * one_axis(dim, input.ndim) + (int(index),))


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along `dim`, of one size (the last may be shorter) or of the sizes in a list."""
    at = one_axis(dim, tensor.ndim)
    n, wanted = tensor.shape[at], split_size_or_sections
    if isinstance(wanted, int):
        if wanted < 0 or wanted == 0 < n:
            raise ValueError(f"split needs pieces of at least one element, not {wanted}")
        starts = range(0, n, wanted) if n else (0,)
        return tuple(getitem(tensor, stretch(at, start, min(start + wanted, n))) for start in starts)
    if sum(wanted) != n:
        raise ValueError(f"split sizes {list(wanted)} do not add up to the length {n} of axis {dim}")
    return tuple(getitem(tensor, stretch(at, sum(wanted[:i]), sum(wanted[: i + 1]))) for i in range(len(wanted)))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` pieces of one size along `dim`; the last may be shorter."""
    if chunks < 1:
        raise ValueError(f"chunk needs at least one piece, not {chunks}")
    n = input.shape[one_axis(dim, input.ndim)]
    return split(input, -(-n // chunks), dim) if n else tuple(getitem(input, ...) for _ in range(chunks))


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along `dim`: so many of almost one size, or cut before the positions in a list (or a tensor)."""
    at = one_axis(dim, input.ndim)
    cuts = indices_or_sections.tolist() if hasattr(indices_or_sections, "tolist") else indices_or_sections
    n = input.shape[at]
    if isinstance(cuts, int):
        if cuts < 1:
            raise ValueError(f"tensor_split needs at least one piece, not {cuts}")
        cuts = [i * (n // cuts) + min(i, n % cuts) for i in range(1, cuts)]
    return tuple(getitem(input, stretch(at, start, stop)) for start, stop in zip([0, *cuts], [*cuts, None]))


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along the second axis, that of the columns; of a vector along its only one."""
    return tensor_split(input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along the first axis, that of the rows."""
    return tensor_split(input, indices_or_sections, 0)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along the third axis."""
    return tensor_split(input, indices_or_sections, 2)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`, without that axis."""
    at = one_axis(dim, input.ndim)
    return tuple(select(input, at, i) for i in range(input.shape[at]))


def tile(input: Any, *counts: Any, dims: Any = ()) -> Any:
    """The whole tensor so many times over along each axis; missing repeats, or missing axes, are 1."""
    repeats = sizes(counts or (dims,))
    ndim = max(len(repeats), input.ndim)
    x = reshape(input, (1,) * (ndim - input.ndim) + tuple(input.shape)) if input.ndim < ndim else input
    return apply(Tile((1,) * (ndim - len(repeats)) + repeats), x)


@at_home
def repeat_interleave(input: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """Each element along `dim` `repeats` times in a row: a number for all, or a tensor with one for each."""
    if dim is None:
        input, dim = flatten(input), 0
    at = one_axis(dim, input.ndim)
    if isinstance(repeats, int) and input.ndim:  # copies side by side, whose gradients add up without a search for them
        shape = tuple(input.shape)
        wide = broadcast_to(unsqueeze(input, at + 1), (*shape[: at + 1], repeats, *shape[at + 1 :]))
        return reshape(wide, (*shape[:at], shape[at] * repeats, *shape[at + 1 :]))
    xp = backend_among([input.raw])
    counts = repeats.raw if hasattr(repeats, "raw") else repeats
    positions = xp.repeat(xp.arange(input.shape[at] if input.ndim else 1), counts)
    return index_select(input if input.ndim else reshape(input, (1,)), at, positions)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Coordinate grids from vectors: result k holds, everywhere, the coordinate along axis k.

    Vectors of lengths n, m, ... give tensors of shape (n, m, ...), with "xy" (m, n, ...).
    """
    if indexing not in ("ij", "xy"):
        raise ValueError(f"indexing is 'ij' or 'xy', not {indexing!r}")
    vectors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    places = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        places[0], places[1] = 1, 0
    shaped = [
        reshape(x, tuple(-1 if k == place else 1 for k in range(len(vectors)))) for x, place in zip(vectors, places)
    ]
    shape = common_shape(*(x.shape for x in shaped))
    return tuple(broadcast_to(x, shape) for x in shaped)
