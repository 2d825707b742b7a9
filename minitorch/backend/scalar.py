"""NumPy's names on Python floats, with IEEE results: exp(1000) is inf, log(-1) is nan, 1/0 is inf, never an exception."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


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


def sigmoid(x: float) -> float:
    return divide(1.0, 1.0 + exp(-x))


def softplus(x: float) -> float:
    return maximum(x, 0.0) + log1p(exp(-abs(x)))


def either(condition: bool, a: float, b: float, like: float) -> float:
    return a if condition else b


def logical_not(x: bool) -> bool:
    return not x


def shape(x: float) -> tuple[int, ...]:
    return ()


def ones_like(x: float) -> float:
    return 1.0


def asarray(x: Any) -> float:
    return float(x)


def reduce_to(grad: float, like: float) -> float:
    """A float has no axes to sum over."""
    return grad
