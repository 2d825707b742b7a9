"""A long short-term memory on CuPy arrays: each step of `ops.recurrent.Lstm` is a matrix product and one kernel, forward and
back. (A step's own functions would be a dozen small kernels, which take longer to start than to run.)"""

from __future__ import annotations

from typing import Any

import cupy

from .cupy_linear import affine, matmul, turned

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
    bias = rows.sum(0)
    to_x = matmul(into, weight_ih) if 0 in needed else None
    return [to_x, flow, into_c, matmul(rows.T, x.reshape(-1, x.shape[2])), matmul(rows.T, before), bias, bias]
