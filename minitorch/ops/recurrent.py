"""Recurrent layers: one operation runs a whole sequence through a layer, and its rule runs back through time.

Shapes: x (time, n, inputs), state (n, size), weight_ih (gates · size, inputs), weight_hh (gates · size, size), biases
(gates · size,). `reverse` reads the sequence from its end. The products of all of x with weight_ih, and all gradients of
the weights, are one matrix product each; only what must wait for the step before is done step by step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .index import results


class Recurrent(Op):
    """A layer of cells. A subclass says how many gates a cell has, and what one step does, forward and back."""

    saves = True  # each step's gates and states; a rule that is itself differentiated computes them again

    def __init__(self, reverse: bool = False) -> None:
        self.reverse = reverse

    def times(self, length: int) -> Iterator[int]:
        """The steps in the order in which they are taken."""
        return iter(range(length - 1, -1, -1) if self.reverse else range(length))

    def back(self, length: int) -> Iterator[int]:
        """The steps in the order in which the gradient goes through them."""
        return iter(range(length) if self.reverse else range(length - 1, -1, -1))

    def before(self, xp: Any, states: Any, start: Any) -> Any:
        """The state before each step, given those after each, (time, n, size), and the first."""
        start = xp.expand_dims(start, 0)
        return xp.concatenate([states[1:], start] if self.reverse else [start, states[:-1]])


def affine(xp: Any, x: Any, weight: Any, *biases: Any) -> Any:
    """x @ weight.T + the biases, for all steps at once"""
    return xp.affine(x, weight, None if biases[0] is None else sum(biases[1:], biases[0]))


def rows(xp: Any, x: Any) -> Any:
    """(time, n, features) as (time · n, features)."""
    return xp.reshape(x, (-1, xp.shape(x)[-1]))


def across(xp: Any, grads: Any, values: Any) -> Any:
    """The gradient of a weight used at every step: grads.T @ values, over all steps and the whole batch."""
    return xp.matmul(xp.swapaxes(rows(xp, grads), 0, 1), rows(xp, values))


class Rnn(Recurrent):
    """h = tanh(weight_ih x + bias_ih + weight_hh h + bias_hh), or relu for tanh. Gives all h, (time, n, size)."""

    def __init__(self, nonlinearity: str = "tanh", reverse: bool = False) -> None:
        self.nonlinearity = nonlinearity
        super().__init__(reverse)

    def forward(self, xp, x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
        incoming, own, states = affine(xp, x, weight_ih, bias_ih, bias_hh), xp.turned(weight_hh), [None] * len(x)
        for t in self.times(len(x)):
            total = incoming[t] + xp.matmul(h, own)
            states[t] = h = xp.tanh(total) if self.nonlinearity == "tanh" else xp.maximum(total, 0)
        return xp.stack(states), None

    def vjp(self, xp, grad, out, saved, needed, x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
        flow, into = 0, [None] * len(x)
        for t in self.back(len(x)):
            slope = 1 - out[t] * out[t] if self.nonlinearity == "tanh" else out[t] > 0
            into[t] = (grad[t] + flow) * slope
            flow = xp.matmul(into[t], weight_hh)
        into = xp.stack(into)
        before = self.before(xp, out, h)
        bias = xp.sum(into, axis=(0, 1))
        return [xp.matmul(into, weight_ih), flow, across(xp, into, x), across(xp, into, before), bias, bias]


class Gru(Recurrent):
    """A gated recurrent unit (Cho et al., 2014): r and z = sigmoid(weight_ih x + weight_hh h), n = tanh(weight_ih x + r ·
    weight_hh h), h = (1 - z) · n + z · h, each with its biases. Gives all h, (time, n, size)."""

    def forward(self, xp, x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
        whole = getattr(xp, "gru_run", None)  # a backend may have a kernel
        if whole is not None:
            return whole(x, h, weight_ih, weight_hh, bias_ih, bias_hh, self.reverse)
        states, steps = self.run(xp, x, h, weight_ih, weight_hh, bias_ih, bias_hh)
        return xp.stack(states), steps

    def run(self, xp: Any, x: Any, h: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Any:
        """The state after each step, and each step's r, z, n, and what r lets through."""
        incoming, own_weight, size = affine(xp, x, weight_ih, bias_ih), xp.turned(weight_hh), xp.shape(h)[-1]
        states: list[Any] = [None] * len(x)
        steps: list[Any] = [None] * len(x)
        for t in self.times(len(x)):
            own, fed = xp.matmul(h, own_weight), incoming[t]
            own = own if bias_hh is None else own + bias_hh
            gates = xp.sigmoid(fed[:, : 2 * size] + own[:, : 2 * size])
            r, z, memory = gates[:, :size], gates[:, size:], own[:, 2 * size :]
            new = xp.tanh(fed[:, 2 * size :] + r * memory)
            steps[t] = r, z, new, memory
            states[t] = h = new + z * (h - new)
        return states, steps

    def vjp(self, xp, grad, out, saved, needed, x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
        steps = xp.kept(saved, lambda *a: self.run(*a)[1], x, h, weight_ih, weight_hh, bias_ih, bias_hh)
        before = self.before(xp, out, h)
        flow, into, into_own = 0, [None] * len(x), [None] * len(x)
        for t in self.back(len(x)):
            r, z, new, memory = steps[t]
            flow = grad[t] + flow
            to_new = flow * (1 - z) * (1 - new * new)
            to_r = to_new * memory * r * (1 - r)
            to_z = flow * (before[t] - new) * z * (1 - z)
            into[t] = xp.concatenate([to_r, to_z, to_new], axis=1)
            into_own[t] = xp.concatenate([to_r, to_z, to_new * r], axis=1)
            flow = flow * z + xp.matmul(into_own[t], weight_hh)
        into, own = xp.stack(into), xp.stack(into_own)
        biases = xp.sum(into, axis=(0, 1)), xp.sum(own, axis=(0, 1))
        return [xp.matmul(into, weight_ih), flow, across(xp, into, x), across(xp, own, before), *biases]


class Lstm(Recurrent):
    """A long short-term memory (Hochreiter and Schmidhuber, 1997): from weight_ih x + weight_hh h and the biases the gates i,
    f, o (sigmoid) and g (tanh); c = f · c + i · g, h = o · tanh(c). Gives all h, (time, n, size), and the last c, (n, size)."""

    bundle = True

    def forward(self, xp, x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
        states, last, steps = self.run(xp, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
        return (states, last), steps

    def run(self, xp: Any, x: Any, h: Any, c: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Any:
        """h after each step, the last c, and of all steps the gates i, f, g, o, c before and tanh of c after."""
        whole = getattr(xp, "lstm_run", None)  # a backend may have a kernel
        if whole is not None:
            bias = None if bias_ih is None else bias_ih if bias_hh is None else bias_ih + bias_hh
            return whole(x, h, c, weight_ih, weight_hh, bias, self.reverse)
        incoming, own, size = affine(xp, x, weight_ih, bias_ih, bias_hh), xp.turned(weight_hh), xp.shape(h)[-1]
        states, gates, cells, bents = ([None] * len(x) for _ in range(4))
        for t in self.times(len(x)):
            gates[t] = xp.lstm_gates(incoming[t], xp.matmul(h, own))
            i, f, g, o = quarters(gates[t], size)
            cells[t], c = c, f * c + i * g
            bents[t] = xp.tanh(c)
            states[t] = h = o * bents[t]
        return xp.stack(states), c, tuple(map(xp.stack, (gates, cells, bents)))

    def vjp(self, xp, grad, out, saved, needed, x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
        inputs = x, h, c, weight_ih, weight_hh, bias_ih, bias_hh
        gates, cells, bents = xp.kept(saved, lambda *a: self.run(*a)[2], *inputs)
        i, f, g, o = quarters(gates, xp.shape(h)[-1])
        # Of all steps at once, what no later step changes: how c follows the sums inside i, f and g, h that inside o, h c.
        to_i, to_f, to_g = g * i * (1 - i), cells * f * (1 - f), i * (1 - g * g)
        to_o, to_c = bents * o * (1 - o), o * (1 - bents * bents)
        outer, into_c = grad
        flow, into_c, into = 0, 0 if into_c is None else into_c, [None] * len(x)
        for t in self.back(len(x)):
            flow = flow if outer is None else outer[t] + flow
            into_c = into_c + flow * to_c[t]
            into[t] = xp.concatenate([into_c * to_i[t], into_c * to_f[t], into_c * to_g[t], flow * to_o[t]], axis=1)
            flow, into_c = xp.matmul(into[t], weight_hh), into_c * f[t]
        into = xp.stack(into)
        bias, own = xp.sum(into, axis=(0, 1)), across(xp, into, self.before(xp, xp.parts(out)[0], h))
        to_x = xp.matmul(into, weight_ih) if 0 in needed else None
        return [to_x, flow, into_c, across(xp, into, x), own, bias, bias]


def quarters(x: Any, size: int) -> Any:
    """The four gates in the last axis of x, each of `size`."""
    return tuple(x[..., k * size : (k + 1) * size] for k in range(4))


def rnn_layer(x: Any, h: Any, weights: tuple[Any, ...], nonlinearity: str = "tanh", reverse: bool = False) -> tuple[Any, Any]:
    """A layer of plain recurrent cells over a sequence: (all h, the last h). `weights`: weight_ih, weight_hh, and the biases,
    if any. Shapes as at the top of this file; "tanh" or "relu"."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"a recurrent cell's nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
    out = apply(Rnn(nonlinearity, reverse), x, h, *weights)
    return out, out[0 if reverse else -1]


def gru_layer(x: Any, h: Any, weights: tuple[Any, ...], reverse: bool = False) -> tuple[Any, Any]:
    """A layer of gated recurrent units over a sequence: (all h, the last h)."""
    out = apply(Gru(reverse), x, h, *weights)
    return out, out[0 if reverse else -1]


def lstm_layer(x: Any, h: Any, c: Any, weights: tuple[Any, ...], reverse: bool = False) -> tuple[Any, Any, Any]:
    """A layer of long short-term memories over a sequence: (all h, the last h, the last c)."""
    out, last = results(apply(Lstm(reverse), x, h, c, *weights))
    return out, out[0 if reverse else -1], last
