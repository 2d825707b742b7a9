"""NumPy's names on Python floats, with IEEE results: exp(1000) is inf, log(-1) is nan, 1/0 is inf, never an exception."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from . import numpy_special

products = None
"""As in `numpy`."""


def _ieee(fast: Callable[..., float], reference: Callable[..., Any]) -> Callable[..., float]:
    """`fast` from Python's math, and NumPy's answer where Python raises instead of saying inf or nan."""

    def function(*args: float) -> float:
        try:
            result = fast(*args)
        except (OverflowError, ValueError, ZeroDivisionError):
            with np.errstate(all="ignore"):
                return float(reference(*map(np.float64, args)))
        # (-8.0) ** (1/3) is a complex number in Python, nan in IEEE arithmetic.
        return math.nan if isinstance(result, complex) else result

    function.__name__ = reference.__name__
    return function


exp = _ieee(math.exp, np.exp)
log = _ieee(math.log, np.log)
expm1 = _ieee(math.expm1, np.expm1)
log1p = _ieee(math.log1p, np.log1p)
sqrt = _ieee(math.sqrt, np.sqrt)
sin = _ieee(math.sin, np.sin)
cos = _ieee(math.cos, np.cos)
tanh = _ieee(math.tanh, np.tanh)
exp2 = _ieee(lambda x: 2.0**x, np.exp2)
log2 = _ieee(math.log2, np.log2)
log10 = _ieee(math.log10, np.log10)
tan = _ieee(math.tan, np.tan)
arcsin = _ieee(math.asin, np.arcsin)
arccos = _ieee(math.acos, np.arccos)
arctan = _ieee(math.atan, np.arctan)
arctan2 = _ieee(math.atan2, np.arctan2)
sinh = _ieee(math.sinh, np.sinh)
cosh = _ieee(math.cosh, np.cosh)
arcsinh = _ieee(math.asinh, np.arcsinh)
arccosh = _ieee(math.acosh, np.arccosh)
arctanh = _ieee(math.atanh, np.arctanh)
hypot = _ieee(math.hypot, np.hypot)
remainder = _ieee(lambda a, b: a % b, np.remainder)
fmod = _ieee(math.fmod, np.fmod)
erf = math.erf
erfc = math.erfc
copysign = math.copysign
equal, not_equal, less, less_equal = operator.eq, operator.ne, operator.lt, operator.le
greater, greater_equal = operator.gt, operator.ge
isfinite, isnan, isinf = math.isfinite, math.isnan, math.isinf
isclose, signbit = np.isclose, np.signbit
power = _ieee(lambda a, b: a**b, np.power)
divide = _ieee(lambda a, b: a / b, np.divide)
floor_divide = _ieee(lambda a, b: a // b, np.floor_divide)
abs = math.fabs


def sign(x: float) -> float:
    return float((x > 0) - (x < 0)) if x == x else x


# An operand may be an int (`maximum(x, 0)`), a result never is.


def maximum(a: float, b: float) -> float:
    return float(a if a > b or a != a else b)


def minimum(a: float, b: float) -> float:
    return float(a if a < b or a != a else b)


def where(condition: bool, a: float, b: float) -> float:
    return float(a if condition else b)


def trunc_divide(a: float, b: float) -> float:
    return trunc(divide(a, b))


def trunc(x: float) -> float:
    return float(math.trunc(x)) if math.isfinite(x) else x


def floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) else x


def ceil(x: float) -> float:
    return float(math.ceil(x)) if math.isfinite(x) else x


def round(x: float, decimals: int = 0) -> float:
    return float(np.round(x, decimals))


def fmax(a: float, b: float) -> float:
    return maximum(a, b) if a == a and b == b else a if b != b else b


def fmin(a: float, b: float) -> float:
    return minimum(a, b) if a == a and b == b else a if b != b else b


def nan_to_num(x: float, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> float:
    return float(np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf))


def logaddexp(a: float, b: float) -> float:
    return maximum(a, b) + log1p(exp(-abs(a - b))) if a != b else a + math.log(2)


def logaddexp2(a: float, b: float) -> float:
    return maximum(a, b) + log1p(exp2(-abs(a - b))) / math.log(2) if a != b else a + 1


def sinc(x: float) -> float:
    return sin(math.pi * x) / (math.pi * x) if x else 1.0


def erfinv(x: float) -> float:
    return float(numpy_special.erfinv(x))


def sigmoid(x: float) -> float:
    return divide(1.0, 1.0 + exp(-x))


def softplus(x: float) -> float:
    return maximum(x, 0.0) + log1p(exp(-abs(x)))


def either(condition: bool, a: float, b: float, like: float) -> float:
    return a if condition else b


def masked(x: float, mask: bool) -> float:
    return x if mask else 0.0


def logical_not(x: float) -> bool:
    return not x


def logical_and(a: float, b: float) -> bool:
    return bool(a and b)


def logical_or(a: float, b: float) -> bool:
    return bool(a or b)


def logical_xor(a: float, b: float) -> bool:
    return bool(a) != bool(b)


def isposinf(x: float) -> bool:
    return x == math.inf


def isneginf(x: float) -> bool:
    return x == -math.inf


def shape(x: float) -> tuple[int, ...]:
    return ()


def ones_like(x: float) -> float:
    return 1.0


def asarray(x: Any) -> float:
    return float(x)


def reduce_to(grad: float, like: float) -> float:
    """A float has no axes to sum over."""
    return grad
