"""Recurrent layers: sequences read step by step, with a state that remembers."""

from __future__ import annotations

import math
from typing import Any

from ..core.tensor import Tensor
from ..ops import create
from ..ops.join import cat, stack
from ..ops.recurrent import gru_layer, lstm_layer, rnn_layer
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class Recurrent(Module):
    """What recurrent layers and cells share: the weights of a cell, which start uniform within ±1/√hidden_size.

    weight_ih (gates · hidden, input), weight_hh (gates · hidden, hidden), bias_ih and bias_hh (gates · hidden,).
    """

    gates = 1

    def add_cell(self, suffix: str, inputs: int, hidden: int, bias: bool, device: Any, dtype: Any) -> None:
        """Register the four parameters of one cell, their names ending in `suffix`."""
        shapes = {"weight_ih": (inputs,), "weight_hh": (hidden,), "bias_ih": (), "bias_hh": ()}
        for name, columns in shapes.items():
            if columns or bias:
                weight = create.empty(self.gates * hidden, *columns, device=device, dtype=dtype)
                self.register_parameter(name + suffix, Parameter(weight))

    def cell(self, suffix: str) -> tuple[Any, ...]:
        """The parameters of one cell."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if self.bias else ("weight_ih", "weight_hh")
        return tuple(self._parameters[name + suffix] for name in names)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)


class RNNBase(Recurrent):
    """Layers of recurrent cells, the first fed with the input, each other with the states of the one before.

    Shapes: input (time, n, input_size), or (n, time, input_size) with `batch_first`, or without n; the output has
    hidden_size features, twice that if `bidirectional` (the second half reads the sequence from its end). The states h_0,
    h_n (and c_0, c_n) are (num_layers · directions, n, hidden_size), zeros if not given. `dropout` acts between layers.
    """

    mode = ""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if not 0 <= dropout <= 1:
            raise ValueError(f"{type(self).__name__}: dropout is a probability, between 0 and 1, not {dropout}")
        if hidden_size <= 0 or num_layers <= 0:
            raise ValueError(f"{type(self).__name__}: hidden_size, num_layers are 1 or more, not {hidden_size}, {num_layers}")
        if proj_size:
            raise NotImplementedError(f"{type(self).__name__}: proj_size is not supported; put a Linear after the layer")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional, self.proj_size = batch_first, float(dropout), bidirectional, 0
        self.ends = ("", "_reverse") if bidirectional else ("",)
        for layer in range(num_layers):
            for end in self.ends:
                inputs = input_size if layer == 0 else hidden_size * len(self.ends)
                self.add_cell(f"_l{layer}{end}", inputs, hidden_size, bias, device, dtype)
        self.reset_parameters()

    def flatten_parameters(self) -> None:
        """Nothing: in PyTorch, puts the weights side by side for cuDNN."""

    def run(self, x: Any, states: tuple[Any, ...], weights: tuple[Any, ...], reverse: bool) -> tuple[Any, ...]:
        """One layer in one direction: all h, and the last of each state."""
        raise NotImplementedError

    def sweep(self, input: Tensor, starts: tuple[Any, ...] | None, kinds: int) -> tuple[Any, list[Any]]:
        """All layers: the output, and the last states, one tensor for each of `kinds` (h, or h and c)."""
        name = type(self).__name__
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            raise ValueError(f"{name} takes sequences of {self.input_size} features, (time, n, features) or (time, features), "
                             f"not shape {tuple(input.shape)}")  # fmt: skip
        single = input.ndim == 2
        x: Any = input.unsqueeze(1) if single else input.transpose(0, 1) if self.batch_first else input
        shape = (self.num_layers * len(self.ends), x.shape[1], self.hidden_size)
        if starts is None:
            starts = tuple(create.zeros(*shape, dtype=input.dtype, device=input.device) for _ in range(kinds))
        elif single:
            starts = tuple(start.unsqueeze(1) if start.ndim == 2 else start for start in starts)
        for start in starts:
            if tuple(start.shape) != shape:
                raise ValueError(f"{name} needs a state of shape {shape} for this input, not {tuple(start.shape)}")
        ends: list[tuple[Any, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = F.dropout(x, self.dropout, self.training)
            outs = []
            for number, end in enumerate(self.ends):
                first = tuple(start[layer * len(self.ends) + number] for start in starts)
                out, *last = self.run(x, first, self.cell(f"_l{layer}{end}"), bool(number))
                outs.append(out)
                ends.append(tuple(last))
            x = outs[0] if len(outs) == 1 else cat(outs, -1)
        finals = [stack(states) for states in zip(*ends)]
        if single:
            return x.squeeze(1), [state.squeeze(1) for state in finals]
        return (x.transpose(0, 1) if self.batch_first else x), finals

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False}
        for name, value in usual.items():
            if getattr(self, name) != value:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)


class RNN(RNNBase):
    """h = tanh(weight_ih x + bias_ih + weight_hh h + bias_hh), or relu for tanh, at every step (Elman, 1990)."""

    mode = "RNN_TANH"

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)
        self.nonlinearity, self.mode = nonlinearity, f"RNN_{nonlinearity.upper()}"

    def run(self, x: Any, states: tuple[Any, ...], weights: tuple[Any, ...], reverse: bool) -> tuple[Any, ...]:
        return rnn_layer(x, states[0], weights, self.nonlinearity, reverse)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        out, (last,) = self.sweep(input, None if hx is None else (hx,), 1)
        return out, last


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014): gates r, z, n, in this order along the first axis of the weights."""

    gates = 3
    mode = "GRU"

    def run(self, x: Any, states: tuple[Any, ...], weights: tuple[Any, ...], reverse: bool) -> tuple[Any, ...]:
        return gru_layer(x, states[0], weights, reverse)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        out, (last,) = self.sweep(input, None if hx is None else (hx,), 1)
        return out, last


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): gates i, f, g, o, in this order along the first axis of the
    weights. Takes and gives the pair (h, c) as state."""

    gates = 4
    mode = "LSTM"

    def run(self, x: Any, states: tuple[Any, ...], weights: tuple[Any, ...], reverse: bool) -> tuple[Any, ...]:
        return lstm_layer(x, states[0], states[1], weights, reverse)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        out, (h, c) = self.sweep(input, hx, 2)
        return out, (h, c)


class RNNCellBase(Recurrent):
    """One step of a recurrent layer. Shapes: input (n, input_size) or (input_size,), state (n, hidden_size) or (hidden_size,),
    zeros if not given."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self.add_cell("", input_size, hidden_size, bias, device, dtype)
        self.reset_parameters()

    def batched(self, input: Tensor, states: tuple[Any, ...] | None, kinds: int) -> tuple[Any, ...]:
        """The input as a sequence of one step, and the states, with a batch."""
        name = type(self).__name__
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ValueError(f"{name} takes (n, {self.input_size}) or ({self.input_size},), not shape {tuple(input.shape)}")
        x: Any = input if input.ndim == 2 else input.unsqueeze(0)
        shape = (x.shape[0], self.hidden_size)
        if states is None:
            states = tuple(create.zeros(*shape, dtype=input.dtype, device=input.device) for _ in range(kinds))
        states = tuple(state if state.ndim == 2 else state.unsqueeze(0) for state in states)
        for state in states:
            if tuple(state.shape) != shape:
                raise ValueError(f"{name} needs a state of shape {shape} for this input, not {tuple(state.shape)}")
        return (x.unsqueeze(0), *states)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of an RNN: `cell(input, h)` gives the next h."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, h = self.batched(input, None if hx is None else (hx,), 1)
        last = rnn_layer(x, h, self.cell(""), self.nonlinearity)[1]
        return last if input.ndim == 2 else last.squeeze(0)


class GRUCell(RNNCellBase):
    """One step of a GRU: `cell(input, h)` gives the next h."""

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, h = self.batched(input, None if hx is None else (hx,), 1)
        last = gru_layer(x, h, self.cell(""))[1]
        return last if input.ndim == 2 else last.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of an LSTM: `cell(input, (h, c))` gives the next (h, c)."""

    gates = 4

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        x, h, c = self.batched(input, hx, 2)
        _, h, c = lstm_layer(x, h, c, self.cell(""))
        return (h, c) if input.ndim == 2 else (h.squeeze(0), c.squeeze(0))
