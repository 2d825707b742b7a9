"""Recurrent layers on CuPy arrays: each step of `ops.recurrent.Lstm` and `Gru` is a matrix product and one kernel, forward and
back. (A step's own functions would be a dozen small kernels, which take longer to start than to run.)"""

from __future__ import annotations

from typing import Any

import cupy

from .cupy_linear import affine, matmul, turned
from .cupy_sums import column_sums

_bend = cupy.ElementwiseKernel(
    "raw T own, int64 size, T before", "raw T gates, T after, T bent, T state",
    """
    long long at = i / size * 4 * size + i % size;
    T in = T(1) / (T(1) + exp(-(gates[at] + own[at])));
    T forget = T(1) / (T(1) + exp(-(gates[at + size] + own[at + size])));
    T offer = tanh(gates[at + 2 * size] + own[at + 2 * size]);
    T out = T(1) / (T(1) + exp(-(gates[at + 3 * size] + own[at + 3 * size])));
    gates[at] = in;
    gates[at + size] = forget;
    gates[at + 2 * size] = offer;
    gates[at + 3 * size] = out;
    after = forget * before + in * offer;
    bent = tanh(after);
    state = out * bent;
    """,
    "minitorch_lstm_step",
)  # fmt: skip

_back = cupy.ElementwiseKernel(
    "raw T gates, int64 size, T before, T bent, T outer, T flow, T held", "raw T into, T into_c",
    """
    long long at = i / size * 4 * size + i % size;
    T in = gates[at], forget = gates[at + size], offer = gates[at + 2 * size], out = gates[at + 3 * size];
    T arrived = outer + flow;
    T cell = held + arrived * out * (T(1) - bent * bent);
    into[at] = cell * offer * in * (T(1) - in);
    into[at + size] = cell * before * forget * (T(1) - forget);
    into[at + 2 * size] = cell * in * (T(1) - offer * offer);
    into[at + 3 * size] = arrived * bent * out * (T(1) - out);
    into_c = cell * forget;
    """,
    "minitorch_lstm_step_back",
)  # fmt: skip


def lstm_run(x: Any, h: Any, c: Any, weight_ih: Any, weight_hh: Any, bias: Any, reverse: bool) -> Any:
    """`Lstm.run`, with the two biases added up: h after each step, the last c, and of all steps the gates i, f, g, o, c before
    and tanh of c after."""
    incoming, own = affine(x, weight_ih, bias), turned(weight_hh)
    count, (n, size) = len(incoming), h.shape
    dtype = cupy.result_type(incoming, own, h, c)
    gates, fed = cupy.ascontiguousarray(incoming.astype(dtype, copy=False)), h
    states, bents, cells = (cupy.empty((length, n, size), dtype) for length in (count, count, count + 1))
    before, after = (cells[1:], cells[:-1]) if reverse else (cells[:-1], cells[1:])
    cells[-1 if reverse else 0] = c
    for t in range(count - 1, -1, -1) if reverse else range(count):
        if n * size:
            _bend(matmul(fed, own).astype(dtype, copy=False), size, before[t], gates[t], after[t], bents[t], states[t])
        fed = states[t]
    return states, cells[0 if reverse else -1].copy(), (gates, before, bents)


def lstm_rule(
    op: Any, grad: Any, out: Any, saved: Any, needed: Any, x: Any, h: Any, c: Any, weight_ih: Any, weight_hh: Any,
    bias_ih: Any = None, bias_hh: Any = None,
) -> list[Any]:  # fmt: skip
    """`Lstm.vjp`."""
    (gates, cells, bents), (outer, last), size = saved, grad, h.shape[1]
    into, flow = cupy.empty_like(gates), cupy.zeros(h.shape, gates.dtype)
    into_c = cupy.zeros(h.shape, gates.dtype) if last is None else last.astype(gates.dtype)
    for t in op.back(len(gates)):
        if into_c.size:
            above = 0 if outer is None else outer[t]
            _back(gates[t], size, cells[t], bents[t], above, flow, into_c, into[t], into_c)
        flow = matmul(into[t], weight_hh)
    rows = into.reshape(-1, into.shape[2])
    before = op.before(cupy, out[0], h).reshape(-1, size)
    bias = column_sums(rows)
    to_x = matmul(into, weight_ih) if 0 in needed else None
    return [to_x, flow, into_c, matmul(rows.T, x.reshape(-1, x.shape[2])), matmul(rows.T, before), bias, bias]


_mix = cupy.ElementwiseKernel(
    "raw T fed, raw T own, raw T bias, int64 size, T before", "T reset, T keep, T fresh, T memory, T state",
    """
    long long place = i % size, at = i / size * 3 * size + place;
    reset = T(1) / (T(1) + exp(-(fed[at] + own[at] + bias[place])));
    keep = T(1) / (T(1) + exp(-(fed[at + size] + own[at + size] + bias[place + size])));
    memory = own[at + 2 * size] + bias[place + 2 * size];
    fresh = tanh(fed[at + 2 * size] + reset * memory);
    state = fresh + keep * (before - fresh);
    """,
    "minitorch_gru_step",
)  # fmt: skip

_mix_back = cupy.ElementwiseKernel(
    "T reset, T keep, T fresh, T memory, T before, T outer, T flow, int64 size", "raw T into, raw T into_own, T passed",
    """
    long long at = i / size * 3 * size + i % size;
    T arrived = outer + flow;
    T to_fresh = arrived * (T(1) - keep) * (T(1) - fresh * fresh);
    T to_reset = to_fresh * memory * reset * (T(1) - reset);
    T to_keep = arrived * (before - fresh) * keep * (T(1) - keep);
    into[at] = to_reset;
    into[at + size] = to_keep;
    into[at + 2 * size] = to_fresh;
    into_own[at] = to_reset;
    into_own[at + size] = to_keep;
    into_own[at + 2 * size] = to_fresh * reset;
    passed = arrived * keep;
    """,
    "minitorch_gru_step_back",
)  # fmt: skip


def gru_run(x: Any, h: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, reverse: bool) -> Any:
    """`Gru.forward`: h after each step, and of all steps r, z, n and what r lets through, one array each."""
    incoming, own = affine(x, weight_ih, bias_ih), turned(weight_hh)
    count, (n, size) = len(incoming), h.shape
    dtype = cupy.result_type(incoming, own, h)
    incoming = cupy.ascontiguousarray(incoming.astype(dtype, copy=False))
    bias = cupy.zeros(3 * size, dtype) if bias_hh is None else cupy.ascontiguousarray(bias_hh.astype(dtype, copy=False))
    *steps, states = (cupy.empty((count, n, size), dtype) for _ in range(5))
    h = h.astype(dtype, copy=False)
    for t in range(count - 1, -1, -1) if reverse else range(count):
        if n * size:
            product = matmul(h, own).astype(dtype, copy=False)
            _mix(incoming[t], product, bias, size, h, *(part[t] for part in steps), states[t])
        h = states[t]
    return states, tuple(steps)


def gru_rule(
    op: Any, grad: Any, out: Any, saved: Any, needed: Any, x: Any, h: Any, weight_ih: Any, weight_hh: Any,
    bias_ih: Any = None, bias_hh: Any = None,
) -> list[Any]:  # fmt: skip
    """`Gru.vjp`."""
    before, size, dtype = op.before(cupy, out, h.astype(out.dtype, copy=False)), h.shape[1], out.dtype
    into, own = (cupy.empty((*out.shape[:2], 3 * size), dtype) for _ in range(2))
    flow, passed = cupy.zeros(h.shape, dtype), cupy.empty(h.shape, dtype)
    for t in op.back(len(out)):
        if h.size:
            outer = grad[t].astype(dtype, copy=False)
            _mix_back(*(part[t] for part in saved), before[t], outer, flow, size, into[t], own[t], passed)
            flow = passed + matmul(own[t], weight_hh)
    rows, own_rows = (part.reshape(-1, 3 * size) for part in (into, own))
    weights = matmul(rows.T, x.reshape(-1, x.shape[2])), matmul(own_rows.T, before.reshape(-1, size))
    to_x = matmul(into, weight_ih) if 0 in needed else None
    return [to_x, flow, *weights, column_sums(rows), column_sums(own_rows)]
