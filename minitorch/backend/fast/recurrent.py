"""A long short-term memory whose steps are one compiled loop, for some rows of the batch: no row waits for another, so each
thread takes its rows through the whole sequence. (32 steps of 32 x 128, two cores of an EPYC, forward and back: 3.7 ms, NumPy
7.0.)"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy import ndarray

from .. import numpy_recurrent
from ..numpy_linear import affine, turned
from ..threads import shared
from . import compiler
from .blas import gemm, multiply
from .compiler import kernel
from .exponential import HALF, ONE, F

# tanh(x) = x P(x²) / Q(x²) to 7.905, and what it is there, 1 - 2e-7, beyond: the rational function of Eigen's ptanh (Eigen
# 3.4, MathFunctionsImpl.h). Highest power first.
FAR = F(7.90531110763549805)
P = tuple(map(F, (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08,
                  1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03)))  # fmt: skip
Q = tuple(map(F, (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)))
P6, P5, P4, P3, P2, P1, P0 = P
Q3, Q2, Q1, Q0 = Q


def lstm_run(
    x: ndarray, h: ndarray, c: ndarray, weight_ih: ndarray, weight_hh: ndarray, bias: ndarray | None, reverse: bool
) -> Any:
    """`Lstm.run`, with the two biases added up."""
    count, (n, size) = len(x), h.shape
    given = (x, h, c, weight_ih, weight_hh)
    fit = x.shape[1] == n and len(weight_ih) == 4 * size and weight_hh.shape == (4 * size, size)  # the loops do not look
    if not fit or not _takes(count * 4 * h.size, *(given if bias is None else (*given, bias))):
        return numpy_recurrent.lstm_run(*given, bias, reverse)
    gates, own = affine(x, weight_ih, bias), turned(weight_hh)
    states, bents, cells = (np.empty((length, n, size), F) for length in (count, count, count + 1))
    before, after = (cells[1:], cells[:-1]) if reverse else (cells[:-1], cells[1:])
    cells[-1 if reverse else 0] = c
    place, start = gemm(), np.ascontiguousarray(h)
    shared(n, gates.size * size // 16, lambda a, b: _run(place, gates, own, start, before, after, bents, states, reverse, a, b))
    return states, cells[0 if reverse else -1].copy(), (gates, before, bents)


def lstm_rule(
    op: Any, grad: Any, out: Any, saved: Any, needed: Any,
    x: ndarray, h: ndarray, c: ndarray, weight_ih: ndarray, weight_hh: ndarray, bias_ih: Any = None, bias_hh: Any = None,
) -> list[Any]:  # fmt: skip
    """`Lstm.vjp`."""
    (outer, last), (gates, before, bents) = grad, saved
    arrays = [array for array in (*saved, outer, last, x, h, c, weight_ih, weight_hh) if array is not None]
    if not _takes(gates.size, *arrays):
        return numpy_recurrent.lstm_rule(op, grad, out, saved, needed, x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)
    into, flow = np.empty_like(gates), np.zeros(h.shape, F)
    into_c = np.zeros(h.shape, F) if last is None else np.array(last, order="C")
    outer = np.zeros_like(bents) if outer is None else np.ascontiguousarray(outer)
    place, own = gemm(), np.ascontiguousarray(weight_hh)
    size = gates.size * h.shape[1] // 16
    shared(len(h), size, lambda a, b: _go_back(place, gates, before, bents, outer, own, flow, into_c, into, op.reverse, a, b))
    to_ih, to_hh, bias = numpy_recurrent.to_weights(op, into, out[0], x, h)
    return [numpy_recurrent.to_x(into, weight_ih, needed), flow, into_c, to_ih, to_hh, bias, bias]


def _takes(size: int, *arrays: Any) -> bool:
    """Whether the loops take arrays of these kinds, `size` numbers of gates in all."""
    return gemm() != 0 and size >= compiler.LEAST and all(array.dtype == F for array in arrays)


@numba.njit(inline="always", error_model="numpy")
def tanh(x: Any) -> Any:
    """tanh of a float32, to four or five units in its last place; of nan nan."""
    x = min(max(x, -FAR), FAR)
    s = x * x
    above = ((((((P6 * s + P5) * s + P4) * s + P3) * s + P2) * s + P1) * s + P0) * x
    return above / (((Q3 * s + Q2) * s + Q1) * s + Q0)


# Loops from 0 over few arrays: of such the compiler can tell that nothing overlaps, and they fit the wide registers.


@kernel
def _run(
    gemm: Any, gates: Any, own: Any, h: Any, before: Any, after: Any, bents: Any, states: Any, reverse: Any,
    start: Any, stop: Any,
) -> None:  # fmt: skip
    count, size = len(gates), h.shape[1]
    fed = h[start:stop]
    for step in range(count):
        t = count - 1 - step if reverse else step
        multiply(gemm, fed, own, 1, gates[t, start:stop])
        for row in range(start, stop):
            whole, old, new, bent, state = gates[t, row], before[t, row], after[t, row], bents[t, row], states[t, row]
            i, f, g, o = whole[:size], whole[size : 2 * size], whole[2 * size : 3 * size], whole[3 * size :]
            for a in range(2 * size):
                whole[a] = HALF + HALF * tanh(HALF * whole[a])
            for a in range(size):
                g[a] = tanh(g[a])
            for a in range(size):
                o[a] = HALF + HALF * tanh(HALF * o[a])
            for a in range(size):
                new[a] = f[a] * old[a] + i[a] * g[a]
            for a in range(size):
                bent[a] = tanh(new[a])
            for a in range(size):
                state[a] = o[a] * bent[a]
        fed = states[t, start:stop]


@kernel
def _go_back(
    gemm: Any, gates: Any, before: Any, bents: Any, outer: Any, own: Any, flow: Any, into_c: Any, into: Any, reverse: Any,
    start: Any, stop: Any,
) -> None:  # fmt: skip
    count, size = len(gates), flow.shape[1]
    for step in range(count):
        t = step if reverse else count - 1 - step
        for row in range(start, stop):
            whole, to, given, old, bent = gates[t, row], into[t, row], outer[t, row], before[t, row], bents[t, row]
            i, f, g, o = whole[:size], whole[size : 2 * size], whole[2 * size : 3 * size], whole[3 * size :]
            to_i, to_f, to_g, to_o = to[:size], to[size : 2 * size], to[2 * size : 3 * size], to[3 * size :]
            to_h, received = flow[row], into_c[row]
            for a in range(size):
                to_h[a] += given[a]
            for a in range(size):
                received[a] += to_h[a] * o[a] * (ONE - bent[a] * bent[a])
            for a in range(size):
                to_i[a] = received[a] * g[a] * i[a] * (ONE - i[a])
            for a in range(size):
                to_f[a] = received[a] * old[a] * f[a] * (ONE - f[a])
            for a in range(size):
                to_g[a] = received[a] * i[a] * (ONE - g[a] * g[a])
            for a in range(size):
                to_o[a] = to_h[a] * bent[a] * o[a] * (ONE - o[a])
            for a in range(size):
                received[a] *= f[a]
        multiply(gemm, into[t, start:stop], own, 0, flow[start:stop])
