"""NumPy's names on Tensors and Values: what a derivative rule calls when its own result is to be differentiated again.

Every name is the user's function of the same operation, so a second derivative runs the very rules the first one did.
"""

# ruff: noqa: F401
from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .. import ops
from ..core.apply import apply
from ..core.node import Node
from ..core.tensor import Tensor
from ..core.value import Value
from ..ops import (
    abs,
    cos,
    cosh,
    cumprod,
    cumsum,
    diagonal,
    erf,
    exp,
    flip,
    floor_divide,
    isfinite,
    log,
    log_softmax,
    maximum,
    minimum,
    reshape,
    roll,
    sigmoid,
    sign,
    sin,
    sinh,
    softmax,
    sqrt,
    tanh,
    tril,
    triu,
)  # fmt: skip
from ..ops import div as divide
from ..ops import pow as power
from ..ops import transpose as swapaxes
from ..ops.activation import Softplus
from ..ops.along import Gather, Scatter, ScatterAdd
from ..ops.contract import Einsum
from ..ops.diagonals import Undiagonal
from ..ops.index import Into, PutAlong, SetItem, TakeAlong, plain, results
from ..ops.join import Cat
from ..ops.matrices import inv, solve, svd
from ..ops.products import Cross
from ..ops.scan import all_but_each
from ..ops.shape import BroadcastTo, ToValue, Transpose, mT
from . import BACKENDS
from . import numpy as array
from .graph_layers import *  # noqa: F403
from .graph_layers import raw


def shape(x: Any) -> tuple[int, ...]:
    return tuple(np.shape(raw(x)))


def matmul(a: Any, b: Any) -> Any:
    return ops.matmul(a, b)


def transpose(x: Any, axes: tuple[int, ...]) -> Any:
    return apply(Transpose(axes), x)


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    return x if x.shape == shape else apply(BroadcastTo(shape), x)


def where(condition: Any, a: Any, b: Any) -> Any:
    if condition is True or condition is False:
        return a if condition else b
    return ops.where(condition, a, b)


def masked(x: Any, mask: Any) -> Any:
    if mask is True or mask is False:  # of Values
        return x if mask else Value(0.0)
    return ops.where(mask, x, 0)


def logical_not(x: Any) -> Any:
    return not x if isinstance(x, bool) else Tensor(BACKENDS[type(raw(x))].logical_not(raw(x)))


def trunc_divide(a: Any, b: Any) -> Any:
    return ops.div(a, b, rounding_mode="trunc")


def either(condition: Any, a: float, b: float, like: Any) -> Any:
    if isinstance(condition, bool):
        return a if condition else b
    return Tensor(BACKENDS[type(raw(like))].either(raw(condition), a, b, raw(like)))


def softplus(x: Any) -> Any:
    return apply(Softplus(), x)


def stack(parts: Any, axis: int = 0) -> Any:
    return ops.stack(parts, axis)


def concatenate(parts: Any, axis: int = 0) -> Any:
    return apply(Cat(axis), *parts)


def kept(saved: Any, compute: Any, *inputs: Any) -> Any:
    return compute(sys.modules[__name__], *inputs)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.sum(x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.mean(x, axis, keepdims)


def ones_like(x: Any) -> Any:
    return Tensor(BACKENDS[type(x.raw)].ones_like(x.raw))


def nowhere_zero(x: Any) -> bool:
    return BACKENDS[type(x.raw)].nowhere_zero(x.raw)


def zeros_like(x: Any) -> Any:
    return Tensor(BACKENDS[type(x.raw)].zeros_like(x.raw))


def gather(x: Any, index: Any, axis: int) -> Any:
    return apply(Gather(axis), x, index)


def scatter(x: Any, index: Any, src: Any, axis: int) -> Any:
    return apply(Scatter(axis), x, index, src)


def scatter_add(x: Any, index: Any, src: Any, axis: int) -> Any:
    return apply(ScatterAdd(axis), x, index, src)


def undiagonal(x: Any, offset: int, axes: tuple[int, int], shape: tuple[int, ...]) -> Any:
    return apply(Undiagonal(offset, axes, shape), x)


def einsum(equation: str, *operands: Any) -> Any:
    return apply(Einsum(equation), *operands)


def cross(a: Any, b: Any, axis: int) -> Any:
    return apply(Cross(axis), a, b)


def eye_like(x: Any) -> Any:
    return Tensor(BACKENDS[type(x.raw)].eye_like(x.raw))


def cofactors(x: Any) -> Any:
    plain = BACKENDS[type(x.raw)]
    determinant = ops.det(x)
    if nowhere_zero(determinant):
        return expand_dims(determinant, (-2, -1)) * mT(inv(x))
    U, S, Vh = svd(x)
    turns = Tensor(plain.asarray(plain.det(U.raw) * plain.det(Vh.raw)))
    others = all_but_each(sys.modules[__name__], S, S.ndim - 1)
    return expand_dims(turns, (-2, -1)) * matmul(U * ops.unsqueeze(others, -2), Vh)


def parts(out: Any) -> Any:
    return results(out)


def axis_size(x: Any, axis: Any) -> int:
    return array.axis_size(raw(x), axis)


def keep_axis(x: Any, axis: Any, like: Any) -> Any:
    dims = shape(like)
    folded = range(len(dims)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return reshape(x, tuple(1 if i in folded else n for i, n in enumerate(dims)))


def into(part: Any, index: Any, shape: tuple[int, ...]) -> Any:
    return apply(Into(plain(index), shape), part)


def put_along_axis(part: Any, index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    return apply(PutAlong(raw(index), axis, shape), part)


def take_along_axis(x: Any, index: Any, axis: int) -> Any:
    return apply(TakeAlong(raw(index), axis), x)


def expand_dims(x: Any, axis: Any) -> Any:
    return ops.unsqueeze(x, axis) if isinstance(axis, int) else reshape(x, (*x.shape, *(1,) * len(axis)))


def astype(x: Any, dtype: Any) -> Any:
    return ops.to(x, dtype)


def zeroed(x: Any, index: Any) -> Any:
    return apply(SetItem(index), x, 0.0)


def one_hot(index: Any, classes: int, like: Any) -> Any:
    plain = raw(like)
    return BACKENDS[type(plain)].one_hot(raw(index), classes, plain)


def reduce_to(grad: Any, like: Node) -> Any:
    """Sum `grad` over the axes that broadcasting stretched, back to the shape of `like`, as operations of the graph; in
    the dtype of `like`, and as a Value where `like` is one."""
    if isinstance(like, Value):
        return grad if isinstance(grad, Value) else apply(ToValue.shared, grad)
    have, wanted = shape(grad), shape(like)
    if have != wanted:
        grad = reshape(ops.sum(grad, array.stretched_axes(have, wanted)), wanted)
    return ops.to(grad, like.dtype)  # type: ignore[attr-defined]
