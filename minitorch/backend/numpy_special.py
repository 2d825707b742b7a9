"""Functions that NumPy lacks, as rational approximations: the error function, its complement and its inverse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .shares import by_elements
from .threads import shared

# For float64, Cephes (S. Moshier, Methods and Programs for Mathematical Functions, 1989), relative error below 1e-15:
# erf(x) = x T(x²)/U(x²) up to 1, erfc(x) = e**-x² P(x)/Q(x) up to 8, e**-x² R(x)/S(x) beyond. Highest power first.
_T = (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
      5.55923013010394962768e4)  # fmt: skip
_U = (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4,
      4.92673942608635921086e4)  # fmt: skip
_P = (2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0, 4.86371970985681366614e1,
      1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3,
      5.57535335369399327526e2)  # fmt: skip
_Q = (1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
      1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3, 5.57535340817727675546e2)  # fmt: skip
_R = (5.64189583547755073984e-1, 1.27536670759978104416e0, 5.01905042251180477414e0, 6.16021097993053585195e0,
      7.40974269950448939160e0, 2.97886665372100240670e0)  # fmt: skip
_S = (1.0, 2.26052863220117276590e0, 9.39603524938001434673e0, 1.20489539808096656605e1, 1.70814450747565897222e1,
      9.60896809063285878198e0, 3.36907645100081516050e0)  # fmt: skip

# For float32, erf(x) = tanh(x A(x²)) up to 4, where it has become 1: atanh(erf(x)) / x is smooth, and NumPy's tanh costs as
# little as three multiplications. A (`ERF`) is the polynomial with the smallest largest error, relative 1e-7, on 0 to 4.
ERF = (1.41857479e-7, -5.66855835e-6, 8.76377676e-5, -6.19785625e-4, -1.91829954e-4, 1.02769056e-1, 1.12837927)

# A start for the inverse, good to three digits, for Newton's method to finish.
_MIDDLE = (-0.140543331, 0.914624893, -1.645349621, 0.886226899), (0.012229801, -0.329097515, 1.442710462, -2.118377725, 1.0)
_ENDS = (1.641345311, 3.429567803, -1.624906493, -1.970840454), (1.637067800, 3.543889200, 1.0)


BLOCK = 2**17
"""Two threads that make one short call after the other wait for each other: erf of half a million numbers takes 0.57 ms, in
blocks of a quarter of this 0.89, and 1.07 with one thread."""


def erf(x: Any) -> Any:
    """2/√π times the integral of e**-t² from 0 to x, to the last digits of the dtype."""
    x = np.asarray(x)
    if x.dtype != np.float64:
        return (_erf_single(x) if x.size <= BLOCK else _by_blocks(_erf_single, x)).astype(x.dtype, copy=False)
    size = np.abs(x)
    square = np.minimum(size, 1) ** 2
    near = x * _polynomial(_T, square) / _polynomial(_U, square)
    return np.where(size < 1, near, np.copysign(1 - _tail(np.clip(size, 1, 6)), x))


def _by_blocks(kernel: Callable[[ndarray], ndarray], x: ndarray) -> ndarray:
    """`kernel` of each element of x, a block at a time, so that its many passes find the numbers in the cache; the blocks are
    shared among threads."""
    flat = x.reshape(-1)
    out = np.empty(flat.shape, np.float32)

    def work(start: int, stop: int) -> None:
        for begin in range(start * BLOCK, min(stop * BLOCK, flat.size), BLOCK):
            block = slice(begin, begin + BLOCK)
            out[block] = kernel(flat[block])

    shared(-(-flat.size // BLOCK), flat.size, work)
    return out.reshape(x.shape)


def _erf_single(x: ndarray) -> Any:
    x = np.asarray(x, np.float32) if x.dtype != np.float32 else x
    result = _polynomial(ERF, np.minimum(x * x, 16))
    result *= x
    return np.tanh(result)


def gelu_slope(out: Any, x: Any) -> Any:
    """`Gelu.d_x`, with the chance of x as out / x: half of the passes that erf(x) would take once more."""
    return by_elements(_gelu_slope, out, x) if x.__class__ is ndarray and x.ndim and x.dtype.kind == "f" else None


def _gelu_slope(out: ndarray, x: ndarray) -> ndarray:
    square = x * x
    chance = out / x
    chance[square == 0] = 0.5
    square *= -0.5
    bell = np.exp(square, out=square)
    bell *= x
    bell *= 1 / math.sqrt(2 * math.pi)
    chance += bell
    return chance


SLOPES: dict[str, Callable[..., Any]] = {"gelu": gelu_slope}
"""The local derivatives of costly operations, by their names, of out and inputs (see `core.op.Elementwise`)."""


def erfc(x: Any) -> Any:
    """1 - erf(x), exact also where erf(x) rounds to 1."""
    x = np.asarray(x)
    wide = x.astype(np.float64, copy=False)
    size = np.abs(wide)
    limited = np.clip(size, 1, 30)  # erfc(27) is 0 in float64
    outer = _tail(np.minimum(limited, 8))
    if (size > 8).any():
        outer = np.where(size < 8, outer, np.exp(-limited * limited) * _polynomial(_R, limited) / _polynomial(_S, limited))
    result = np.where(size < 1, 1 - erf(wide), np.where(wide > 0, outer, 2 - outer))
    return result.astype(x.dtype, copy=False)


def _tail(x: ndarray) -> ndarray:
    """erfc for 1 <= x <= 8."""
    return np.exp(-x * x) * _polynomial(_P, x) / _polynomial(_Q, x)


def erfinv(y: Any) -> Any:
    """The x at which erf(x) is y: a rational start, then two steps of Newton's method."""
    y = np.asarray(y)
    size = np.abs(y)
    square = np.minimum(size, 0.7) ** 2
    z = np.sqrt(-np.log((1 - np.maximum(size, 0.7)) / 2))
    middle = y * _polynomial(_MIDDLE[0], square) / _polynomial(_MIDDLE[1], square)
    x = np.where(size <= 0.7, middle, np.copysign(_polynomial(_ENDS[0], z) / _polynomial(_ENDS[1], z), y))
    for _ in range(2):
        x = x - (erf(x) - y) / (2 / math.sqrt(math.pi) * np.exp(-x * x))
    return np.where(size == 1, np.copysign(np.inf, y), x).astype(y.dtype, copy=False)


def _polynomial(coefficients: tuple[float, ...], x: ndarray) -> ndarray:
    """Horner's rule, highest power first, without an array per term."""
    result = x * coefficients[0]
    for c in coefficients[1:-1]:
        result += c
        result *= x
    result += coefficients[-1]
    return result
