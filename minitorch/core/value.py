"""Value: one float that remembers how it was computed."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from .. import ops
from ..backend import scalar
from ..ops.elementwise import Add, Mul, Neg, Relu, Sub, Tanh
from . import location, node
from .apply import apply
from .departures import note
from .methods import ElementMethods
from .modes import state, watched
from .node import Node, new, tick

ADD, SUB, MUL, NEG, RELU, TANH = Add.shared, Sub.shared, Mul.shared, Neg.shared, Relu.shared, Tanh.shared


class Value(ElementMethods, Node):
    """One float in a graph: `a = Value(2.0); L = (a * a).tanh(); L.backward(); a.grad`.

    Arithmetic with numbers and Values gives Values, arithmetic with Tensors gives Tensors. Results are IEEE
    (`Value(1000).exp()` is inf). After `backward()`, every Value of the graph holds the derivative of the root in `.grad`.
    """

    __slots__ = ()
    requires_grad = True
    shape: tuple[int, ...] = ()
    ndim = 0

    def __init__(self, data: float, name: str | None = None) -> None:
        if data.__class__ is not float:
            data = _as_float(data)
        self.raw = data
        self.op = None
        self.inputs = ()
        self.stamp = tick()
        self._grad = self._flow = None
        if name is not None:
            self._name = name

    @property
    def data(self) -> float:
        """The number. Assigning to it is for leaves (`p.data -= 0.1 * p.grad`); what used the old one goes stale."""
        return self.raw

    @data.setter
    def data(self, number: float) -> None:
        if self.op is not None:
            name = location.variable_name(self) or self.op.name
            raise ValueError(
                f"'{name}' was computed by {self.op.name}; set the data of the leaves it comes from and compute it "
                f"again, or cut it off with {name}.detach()"
            )
        self.raw = _as_float(number)
        self.stamp = tick()  # newer than whoever has read the old number: see backward.stale

    @property
    def grad(self) -> Any:
        """The derivative of what backward() was called on, added up over calls; None before any arrived."""
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        self._grad = grad

    def backward(self, gradient: float | None = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Compute the derivative of this Value with respect to every Value it came from, and add each to `.grad`."""
        from .backward import backward

        backward(self, gradient, retain_graph, create_graph)

    def item(self) -> float:
        """The number as a Python float."""
        if watched:
            note(self, "item")
        return self.raw

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """How copy.copy and pickle see it: a leaf with this number, and a creation stamp of its own."""
        return Value, (self.raw, self.name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        """A leaf of its own with the same number. RuntimeError for a computed Value, whose graph stays where it is."""
        if self.op is not None:
            raise RuntimeError(f"a Value computed by {self.op.name} cannot be deep-copied: copy its number, .detach()")
        memo[id(self)] = made = Value(self.raw, self.name)
        made._grad = copy.deepcopy(self._grad, memo)
        return made

    def detach(self) -> Value:
        """The same number as a new leaf, cut off from the graph."""
        if watched:
            note(self, "detach")
        return Value(self.raw)

    # Arithmetic on Values is written out here: the same forward as the operations of ops/elementwise.py (a test holds
    # them together), without the generality of `apply`, which costs several times what the arithmetic does.

    def __add__(self, other: Any) -> Any:
        if other.__class__ is Value:
            raw = self.raw + other.raw
        elif other.__class__ is float or other.__class__ is int:
            raw = self.raw + other
        else:
            return _mixed(ADD, self, other)
        if watched and not state.plain:
            return _watched(ADD, raw, self, other)
        out = new(Value)
        out.raw = raw
        out.op = ADD
        out.inputs = (self, other)
        out.stamp = tick()
        out._grad = out._flow = None
        return out

    def __mul__(self, other: Any) -> Any:
        if other.__class__ is Value:
            raw = self.raw * other.raw
        elif other.__class__ is float or other.__class__ is int:
            raw = self.raw * other
        else:
            return _mixed(MUL, self, other)
        if watched and not state.plain:
            return _watched(MUL, raw, self, other)
        out = new(Value)
        out.raw = raw
        out.op = MUL
        out.inputs = (self, other)
        out.stamp = tick()
        out._grad = out._flow = None
        return out

    def __sub__(self, other: Any) -> Any:
        if other.__class__ is Value:
            raw = self.raw - other.raw
        elif other.__class__ is float or other.__class__ is int:
            raw = self.raw - other
        else:
            return _mixed(SUB, self, other)
        if watched and not state.plain:
            return _watched(SUB, raw, self, other)
        return _unary_like(SUB, raw, (self, other))

    def __neg__(self) -> Value:
        raw = -self.raw
        return _watched(NEG, raw, self) if watched and not state.plain else _unary_like(NEG, raw, (self,))

    def relu(self) -> Value:
        """The number where positive, else 0."""
        raw = 0.0 if self.raw <= 0 else self.raw
        return _watched(RELU, raw, self) if watched and not state.plain else _unary_like(RELU, raw, (self,))

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        raw = scalar.tanh(self.raw)
        return _watched(TANH, raw, self) if watched and not state.plain else _unary_like(TANH, raw, (self,))

    def __radd__(self, other: Any) -> Any:
        return _mixed(ADD, other, self)

    def __rmul__(self, other: Any) -> Any:
        return _mixed(MUL, other, self)

    def __rsub__(self, other: Any) -> Any:
        return _mixed(SUB, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _mixed(ops.elementwise.Div.shared, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _mixed(ops.elementwise.Div.shared, other, self)

    def __pow__(self, other: Any) -> Any:
        return _mixed(ops.elementwise.Pow.shared, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _mixed(ops.elementwise.Pow.shared, other, self)

    def __mod__(self, other: Any) -> Any:
        return _mixed(ops.rounding.Remainder.shared, self, other)

    def __rmod__(self, other: Any) -> Any:
        return _mixed(ops.rounding.Remainder.shared, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _mixed(ops.elementwise.FloorDivide.shared, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _mixed(ops.elementwise.FloorDivide.shared, other, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return ops.abs(self)

    # Comparisons compare numbers and are not part of the graph.

    def __lt__(self, other: Any) -> bool:
        return self.raw < self._asked(other, "less")

    def __le__(self, other: Any) -> bool:
        return self.raw <= self._asked(other, "less_equal")

    def __gt__(self, other: Any) -> bool:
        return self.raw > self._asked(other, "greater")

    def __ge__(self, other: Any) -> bool:
        return self.raw >= self._asked(other, "greater_equal")

    def _asked(self, other: Any, question: str) -> Any:
        """The number that this one is compared with. The answer is no part of the graph."""
        if watched:
            for x in (self, other):
                if isinstance(x, Node):
                    note(x, question)
        return _number(other)

    def __eq__(self, other: Any) -> Any:
        return self.raw == _number(other)

    def __ne__(self, other: Any) -> Any:
        return self.raw != _number(other)

    __hash__ = object.__hash__  # a node is found by identity

    def __float__(self) -> float:
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.raw, spec) if spec else repr(self)

    def __repr__(self) -> str:
        parts = [f"{self.raw:.6g}" if self.raw != int_or_self(self.raw) else f"{self.raw:.1f}"]
        if self.name:
            parts.append(f"name={self.name!r}")
        if self.grad is not None:
            parts.append(f"grad={float(self.grad):.6g}")
        return f"Value({', '.join(parts)})"


def int_or_self(x: float) -> float:
    """`x` rounded, where it is a whole number small enough to read; else nan, which equals nothing."""
    return round(x) if abs(x) < 1e6 else float("nan")


def _unary_like(op: Any, raw: float, inputs: tuple[Any, ...]) -> Value:
    out = new(Value)
    out.raw = raw
    out.op = op
    out.inputs = inputs
    out.stamp = tick()
    out._grad = out._flow = None
    return out


def _watched(op: Any, raw: float, *inputs: Any) -> Value:
    """Arithmetic where more is to be done than record it, or less: under no_grad the number is all there is."""
    if state.recording or state.anomaly:
        return apply(op, *inputs)
    return Value(raw)


def _mixed(op: Any, a: Any, b: Any) -> Any:
    """Arithmetic with anything but a Value or a float: the other operand's business, if it is a Tensor."""
    for x in (a, b):
        if not isinstance(x, (Value, int, float, np.generic, np.ndarray)):
            return NotImplemented
    return apply(op, a, b)


def _number(other: Any) -> Any:
    return other.raw if other.__class__ is Value else other


def _as_float(x: Any) -> float:
    if isinstance(x, Node):
        raise TypeError(f"Value() takes a number, not a {type(x).__name__}; use it as it is, or its .item() to cut the graph")
    if isinstance(x, (str, bytes)):
        raise TypeError(f"Value() takes a number, not the text {x!r:.40}")
    try:
        return float(x)
    except (TypeError, ValueError):
        raise TypeError(f"Value() takes one number, not {type(x).__name__} ({x!r:.40})") from None


node.VALUE = Value
