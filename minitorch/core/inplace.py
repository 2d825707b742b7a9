"""Editing a tensor in place, and what becomes of the graph."""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable
from typing import Any

from .. import ops
from ..backend import BACKENDS
from ..backend.gpus import SEVERAL, beside, elsewhere
from ..ops import random
from ..ops.index import SetItem, plain, write
from . import location
from .apply import apply
from .device import moved
from .modes import no_grad, state
from .node import Node, new

KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}
"""Kinds of number, by what they can hold."""


def in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as a method that edits its tensor: `x.f_(...)` leaves in x what `f(x, ...)` gives (see InPlace.edit)."""

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.edit(function, *args, **kwargs)

    method.__doc__ = f"In place, and returns the tensor: {function.__doc__}"
    return method


def reshaping(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, a view, as a method that changes the tensor's own shape: `x.f_(...)` leaves x with that of `f(x, ...)`."""

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if state.recording and self.requires_grad:
            self._become(function(self._before_edit(), *args, **kwargs))
        else:
            with no_grad():
                self.raw = function(self, *args, **kwargs).raw
            self.touch()  # who read the numbers for a gradient read them in another shape
        return self

    method.__doc__ = f"In place, and returns the tensor: {function.__doc__}"
    return method


class InPlace:
    """What a tensor can do to itself."""

    __slots__ = ()

    def __iadd__(self: Any, other: Any) -> Any:
        return self._in_place(ops.add, other)

    def __isub__(self: Any, other: Any) -> Any:
        return self._in_place(ops.sub, other)

    def __imul__(self: Any, other: Any) -> Any:
        return self._in_place(ops.mul, other)

    def __itruediv__(self: Any, other: Any) -> Any:
        return self._in_place(ops.div, other)

    def __ipow__(self: Any, other: Any) -> Any:
        return self._in_place(ops.pow, other)

    def __ifloordiv__(self: Any, other: Any) -> Any:
        return self._in_place(ops.floor_divide, other)

    def __imod__(self: Any, other: Any) -> Any:
        return self._in_place(ops.remainder, other)

    def __iand__(self: Any, other: Any) -> Any:
        return self._in_place(ops.bitwise_and, other)

    def __ior__(self: Any, other: Any) -> Any:
        return self._in_place(ops.bitwise_or, other)

    def __ixor__(self: Any, other: Any) -> Any:
        return self._in_place(ops.bitwise_xor, other)

    def _in_place(self: Any, function: Any, other: Any) -> Any:
        """`out += x`: a new node where the graph is recorded (the name is rebound to it), an edit elsewhere."""
        if state.recording and (self.requires_grad or getattr(other, "requires_grad", False)):
            return function(self, other)
        return self.edit(function, other)

    def edit(self: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Put `function(self, ...)` into this tensor, and return it: every method whose name ends in _ is this one.

        Where the graph is recorded this tensor becomes the new node (a method cannot rebind a name, as `+=` does), refused
        where the old numbers are still in use; elsewhere its memory is edited, and whoever shares it sees it.
        RuntimeError when the result has another shape, or another kind of number.
        """
        asked = self.requires_grad or any(getattr(x, "requires_grad", False) for x in (*args, *kwargs.values()))
        if state.recording and asked:
            old = self._before_edit()
            args = tuple(old if x is self else x for x in args)
            self._become(self._fitting(function(old, *args, **kwargs), function))
            return self
        with no_grad():
            result = self._fitting(function(self, *args, **kwargs), function)
        with beside(self.raw):
            self.raw[...] = result.raw
        self.touch()
        return self

    def _fitting(self: Any, result: Any, function: Any) -> Any:
        """The result of an edit in this tensor's dtype. RuntimeError where it does not fit in its place."""
        if result.shape != self.shape:
            raise RuntimeError(f"{function.__name__} in place would change the shape {self.shape} to {result.shape}")
        if KINDS[result.dtype.kind] > KINDS[self.dtype.kind]:
            raise RuntimeError(f"{function.__name__} in place would need {result.dtype} to fit into {self.dtype}")
        return ops.to(result, self.dtype)

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        if SEVERAL and (gpu := elsewhere(self.raw)) is not None:
            with gpu:
                return self.__setitem__(index, value)
        raw = getattr(value, "raw", value)
        apart = type(raw) is not type(self.raw) or SEVERAL and elsewhere(raw) is not None
        if apart and type(raw) in BACKENDS:  # numbers of another device are copied to this one, as in PyTorch
            value = value.to(self.device) if isinstance(value, Node) else moved(value, self.device)  # type: ignore[attr-defined]
        if state.recording and (self.requires_grad or getattr(value, "requires_grad", False)):
            old = self._before_edit()
            self._become(apply(SetItem(plain(index, self.raw)), old, old if value is self else value))
            return
        write(self.raw, plain(index, self.raw), value.raw if isinstance(value, Node) else value)
        self.touch()

    def _before_edit(self: Any) -> Any:
        """This tensor's present node as a node of its own, for `x[...] = v` to build on.

        RuntimeError where the old numbers are in use: by a leaf's gradient, or by an operation that has read them.
        """
        name = location.variable_name(self) or "this tensor"
        if self.op is None and self.requires_grad:
            raise RuntimeError(
                f"'{name}' is a leaf that requires a gradient; editing it in place would lose the leaf: "
                f"edit under no_grad(), or edit a copy ({name} = {name}.clone())"
            )
        reader = last_reader(self) if getattr(self, "_read", False) else None
        if reader is not None:
            at = f" at {reader.made_at[0]}:{reader.made_at[1]}" if reader.made_at else ""
            user = reader.op.name if reader.op else "an operation"
            raise RuntimeError(
                f"'{name}' was already read by {user}{at}, which needs the old numbers: edit a copy ({name} = {name}.clone())"
            )
        if self.op is not None and self.op.view and self.inputs and shares(self, self.inputs[0]):
            raise RuntimeError(
                f"'{name}' is a view, by {self.op.name}, of another tensor of the graph, which an edit in place would have to "
                f"change too: write into that one by index (x[...] = v), or edit a copy ({name} = {name}.clone())"
            )
        if self._cell is not None and sys.getrefcount(self._cell) > 2:  # ours, and getrefcount's own
            raise RuntimeError(
                f"'{name}' shares its memory with a view or a detached tensor, which would not see an edit that the graph "
                f"records: edit a copy ({name} = {name}.clone())"
            )
        old = new(type(self))
        old._grad = self._grad
        old._become(self)
        return old

    def _become(self: Any, made: Any) -> None:
        """Take the place of `made`, a node that nobody else holds."""
        for slot in ("raw", "op", "inputs", "stamp", "requires_grad", "_cell"):
            setattr(self, slot, getattr(made, slot))
        for slot in ("_saved", "_scope", "_where"):
            if hasattr(made, slot):
                setattr(self, slot, getattr(made, slot))
        self._read = False

    def fill_(self: Any, value: Any) -> Any:
        """Put `value`, a number or a 0-d tensor, in every place; returns the tensor."""
        self[...] = value
        return self

    def zero_(self: Any) -> Any:
        """Put 0 in every place; returns the tensor."""
        return self.fill_(0)

    def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
        """Put the elements of `src`, of any device, here, broadcast to this shape and in this dtype; returns the tensor."""
        self[...] = src
        return self

    add_, sub_, mul_, div_ = in_place(ops.add), in_place(ops.sub), in_place(ops.mul), in_place(ops.div)
    subtract_, multiply_, divide_, true_divide_ = sub_, mul_, div_, div_
    floor_divide_, remainder_, fmod_ = in_place(ops.floor_divide), in_place(ops.remainder), in_place(ops.fmod)
    pow_, neg_, abs_ = in_place(ops.pow), in_place(ops.neg), in_place(ops.abs)
    sign_, sgn_ = in_place(ops.sign), in_place(ops.sgn)
    addcmul_, addcdiv_, lerp_ = in_place(ops.addcmul), in_place(ops.addcdiv), in_place(ops.lerp)
    sqrt_, rsqrt_, square_ = in_place(ops.sqrt), in_place(ops.rsqrt), in_place(ops.square)
    reciprocal_ = in_place(ops.reciprocal)
    exp_, exp2_, expm1_, sigmoid_ = in_place(ops.exp), in_place(ops.exp2), in_place(ops.expm1), in_place(ops.sigmoid)
    log_, log2_, log10_, log1p_ = in_place(ops.log), in_place(ops.log2), in_place(ops.log10), in_place(ops.log1p)
    sin_, cos_, tan_, tanh_ = in_place(ops.sin), in_place(ops.cos), in_place(ops.tan), in_place(ops.tanh)
    floor_, ceil_, round_, trunc_ = in_place(ops.floor), in_place(ops.ceil), in_place(ops.round), in_place(ops.trunc)
    frac_, relu_, erf_, logit_ = in_place(ops.frac), in_place(ops.relu), in_place(ops.erf), in_place(ops.logit)
    clamp_, clip_, nan_to_num_ = in_place(ops.clamp), in_place(ops.clamp), in_place(ops.nan_to_num)
    clamp_min_, clamp_max_ = in_place(ops.clamp_min), in_place(ops.clamp_max)
    asin_, acos_, atan_, atan2_ = in_place(ops.asin), in_place(ops.acos), in_place(ops.atan), in_place(ops.atan2)
    sinh_, cosh_, asinh_, acosh_ = in_place(ops.sinh), in_place(ops.cosh), in_place(ops.asinh), in_place(ops.acosh)
    atanh_, sinc_, hypot_, copysign_ = in_place(ops.atanh), in_place(ops.sinc), in_place(ops.hypot), in_place(ops.copysign)
    erfc_, erfinv_, xlogy_ = in_place(ops.erfc), in_place(ops.erfinv), in_place(ops.xlogy)
    deg2rad_, rad2deg_, float_power_ = in_place(ops.deg2rad), in_place(ops.rad2deg), in_place(ops.float_power)
    eq_, ne_, lt_, le_, gt_, ge_ = (in_place(f) for f in (ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge))
    logical_and_, logical_or_, logical_xor_, logical_not_ = (
        in_place(f) for f in (ops.logical_and, ops.logical_or, ops.logical_xor, ops.logical_not)
    )
    bitwise_and_, bitwise_or_, bitwise_xor_, bitwise_not_ = (
        in_place(f) for f in (ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor, ops.bitwise_not)
    )
    index_copy_, index_put_, masked_scatter_ = in_place(ops.index_copy), in_place(ops.index_put), in_place(ops.masked_scatter)
    masked_fill_, scatter_, scatter_add_ = in_place(ops.masked_fill), in_place(ops.scatter), in_place(ops.scatter_add)
    index_add_, index_fill_ = in_place(ops.index_add), in_place(ops.index_fill)
    tril_, triu_ = in_place(ops.tril), in_place(ops.triu)
    cumsum_, cumprod_ = in_place(ops.cumsum), in_place(ops.cumprod)
    unsqueeze_, squeeze_ = reshaping(ops.unsqueeze), reshaping(ops.squeeze)
    transpose_, swapaxes_, swapdims_ = reshaping(ops.transpose), reshaping(ops.swapaxes), reshaping(ops.swapdims)
    t_ = reshaping(ops.t)

    def normal_(self: Any, mean: float = 0, std: float = 1, *, generator: Any = None) -> Any:
        """Put random numbers of the normal distribution in every place; returns the tensor."""
        return self.copy_(random.randn(*self.shape, generator=generator, dtype=self.dtype) * std + mean)

    def uniform_(self: Any, from_: float = 0, to: float = 1, *, generator: Any = None) -> Any:
        """Put random numbers, even between `from_` and `to`, in every place; returns the tensor."""
        return self.copy_(random.rand(*self.shape, generator=generator, dtype=self.dtype) * (to - from_) + from_)

    def bernoulli_(self: Any, p: float = 0.5, *, generator: Any = None) -> Any:
        """Put 1 with probability `p`, else 0, in every place; returns the tensor."""
        return self.copy_(random.rand(*self.shape, generator=generator) < p)


def shares(tensor: Any, other: Any) -> bool:
    """Whether the arrays of two nodes are views of the same memory."""
    mine, its = tensor.raw, other.raw
    return mine.base is not None and (mine.base is its or mine.base is its.base)


def last_reader(tensor: Node) -> Node | None:
    """The newest recorded node still alive that has `tensor` as an input.

    Asked only when a tensor that was read is edited in a graph, so it may take the long way: nodes do not point to
    their readers.
    """
    readers = [
        owner
        for inputs in gc.get_referrers(tensor)
        if inputs.__class__ is tuple
        for owner in gc.get_referrers(inputs)
        if isinstance(owner, Node) and owner.inputs is inputs
    ]
    return max(readers, key=lambda reader: reader.stamp, default=None)
