"""Reading and writing one element per place along an axis: gather, scatter and their kin."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .axes import one_axis
from .index import getitem
from .shape import broadcast_to, common_shape, flatten, reshape

__all__ = ["gather", "scatter", "scatter_add", "take_along_dim"]


class Gather(Op):
    """out[i, j] = x[index[i, j], j] (along axis 0): at each place, the element that the index names along `axis`."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, xp, x, index):
        return xp.gather(x, index, self.axis)

    def vjp_x(self, xp, grad, out, x, index):
        return xp.scatter_add(xp.zeros_like(x), index, grad, self.axis)


class Scatter(Op):
    """x with x[index[i, j], j] = src[i, j] (along axis 0): each element of src written where the index says."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, xp, x, index, src):
        return xp.scatter(x, index, src, self.axis)

    def vjp_x(self, xp, grad, out, x, index, src):
        return xp.scatter(grad, index, 0.0, self.axis)

    def vjp_src(self, xp, grad, out, x, index, src):
        return xp.gather(grad, index, self.axis)


class ScatterAdd(Op):
    """x with x[index[i, j], j] += src[i, j] (along axis 0): each element of src added where the index says."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, xp, x, index, src):
        return xp.scatter_add(x, index, src, self.axis)

    def vjp_x(self, xp, grad, out, x, index, src):
        return grad

    def vjp_src(self, xp, grad, out, x, index, src):
        return xp.gather(grad, index, self.axis)


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """At each place of `index`, the element of `input` that it names along `dim`; shape as index.

    The sizes of index may be smaller than those of input along the other axes.
    """
    if input.ndim == 0:
        return reshape(getitem(reshape(input, (1,)), reshape(index, (-1,))), index.shape)
    at = one_axis(dim, input.ndim)
    if 0 in index.shape:
        return reshape(getitem(flatten(input), slice(0, 0)), index.shape)
    return apply(Gather(at), fitted(input, index, at), index) if index.ndim else getitem(input, index)


def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """`input` with the elements of `src`, a tensor or one number, written at the places that `index` names along `dim`;
    with reduce="add", added there."""
    src = value if src is None else src
    if reduce not in (None, "add"):
        raise NotImplementedError(f"scatter with reduce={reduce!r} is not supported: only writing, and 'add'")
    if reduce == "add":
        source = src if hasattr(src, "ndim") else broadcast_to(input.detach() * 0 + src, input.shape)
        return scatter_add(input, dim, index, source)
    return _scattered(Scatter, input, dim, index, src)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with the elements of `src` added at the places that `index` names along `dim`."""
    return _scattered(ScatterAdd, input, dim, index, src)


def _scattered(op: Any, x: Any, dim: int, index: Any, src: Any) -> Any:
    if x.ndim == 0 or index.ndim == 0:
        rows = (reshape(part, (-1,)) if hasattr(part, "ndim") and part.ndim == 0 else part for part in (x, index, src))
        wide, index, src = rows
        return reshape(_scattered(op, wide, 0 if wide.ndim == 1 else dim, index, src), x.shape)
    if hasattr(src, "ndim"):
        src = fitted(src, index, None)
    return apply(op(one_axis(dim, x.ndim)), x, index, src)


def fitted(x: Any, index: Any, axis: int | None) -> Any:
    """`x` cut to the sizes of `index` along every axis but `axis`."""
    if index.ndim != x.ndim:
        raise ValueError(f"the index needs as many axes as the tensor: shapes {index.shape} and {x.shape}")
    cut = tuple(slice(None) if k == axis or n == m else slice(0, n) for k, (n, m) in enumerate(zip(index.shape, x.shape)))
    return x if all(s == slice(None) for s in cut) else getitem(x, cut)


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """The elements that `indices` names along `dim` (None: as if all stood in one row); the other axes are broadcast."""
    if dim is None:
        return gather(flatten(input), 0, flatten(indices))
    at = one_axis(dim, input.ndim)
    shape = common_shape(*(tuple(1 if k == at else n for k, n in enumerate(x.shape)) for x in (input, indices)))
    wide, index = (
        x if (want := (*shape[:at], x.shape[at], *shape[at + 1 :])) == x.shape else broadcast_to(x, want)
        for x in (input, indices)
    )
    return gather(wide, at, index)
