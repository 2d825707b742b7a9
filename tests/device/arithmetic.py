"""C's arithmetic on NumPy's arrays: the types in which it computes, its signs and its functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.backend.numpy_special import erfinv

INT32, FLOAT32 = np.dtype("int32"), np.dtype("float32")


def common(a: Any, b: Any) -> np.dtype:
    """The type in which C computes with two numbers."""
    kinds = [np.asarray(x).dtype for x in (a, b)]
    floats = [k for k in kinds if k.kind == "f"]
    if floats:
        widest = max(floats, key=lambda k: k.itemsize)
        return FLOAT32 if widest.itemsize == 2 else widest
    kinds = [INT32 if k.itemsize < 4 or k.kind == "b" else k for k in kinds]
    return max(kinds, key=lambda k: (k.itemsize, k.kind == "u"))


def convert(x: Any, dtype: np.dtype) -> Any:
    x = np.asarray(x)
    return x if x.dtype == dtype else x != 0 if dtype.kind == "b" else x.astype(dtype)


def _math(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of floats: in float where it is given floats, in double for doubles and whole numbers."""

    def call(*given: Any) -> Any:
        kinds = [np.asarray(x).dtype for x in given]
        dtype = np.dtype("float64") if any(k == np.float64 or k.kind in "iub" for k in kinds) else FLOAT32
        out = np.asarray(function(*(convert(x, dtype) for x in given)))
        return out if out.dtype.kind == "b" else out.astype(dtype, copy=False)

    return call


def _either(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that CUDA has for whole numbers too."""
    return lambda a, b: function(convert(a, common(a, b)), convert(b, common(a, b)))


def _erf(name: str) -> Callable[..., Any]:
    exact = np.frompyfunc(getattr(math, name), 1, 1)
    return _math(lambda x: np.asarray(exact(x)).astype(np.float64))


def _high_half(a: Any, b: Any) -> Any:
    return (np.asarray(a).astype(np.uint64) * np.asarray(b).astype(np.uint64) >> np.uint64(32)).astype(np.uint32)


SIGNS: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "%": np.fmod, "&": np.bitwise_and, "|": np.bitwise_or,
    "^": np.bitwise_xor, "<<": np.left_shift, ">>": np.right_shift, "<": np.less, ">": np.greater, "<=": np.less_equal,
    ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
MATH: dict[str, Callable[..., Any]] = {
    **{name: _math(getattr(np, name)) for name in (
        "exp exp2 log log2 log10 log1p expm1 sqrt sin cos tan sinh cosh tanh floor ceil rint trunc isnan isinf isfinite hypot "
        "copysign fmod signbit").split()},
    "asin": _math(np.arcsin), "acos": _math(np.arccos), "atan": _math(np.arctan), "atan2": _math(np.arctan2),
    "asinh": _math(np.arcsinh), "acosh": _math(np.arccosh), "atanh": _math(np.arctanh), "fabs": _math(np.abs),
    "pow": _math(np.power), "fmax": _math(np.fmax), "fmin": _math(np.fmin), "rsqrt": _math(lambda x: 1 / np.sqrt(x)),
    "erf": _erf("erf"), "erfc": _erf("erfc"), "erfinv": _math(erfinv), "max": _either(np.maximum), "min": _either(np.minimum), "abs": np.abs,
    "__umulhi": _high_half,
}  # fmt: skip
for _name in ("exp", "log", "sqrt", "tanh", "pow", "fabs", "floor", "erf", "log1p", "rsqrt", "fmax", "fmin", "expm1", "sin", "cos"):
    MATH[_name + "f"] = lambda *given, _f=MATH[_name]: _f(*(convert(x, FLOAT32) for x in given))
CONSTANTS: dict[str, Any] = {
    "true": np.True_, "false": np.False_, "INFINITY": np.float32(np.inf), "NAN": np.float32(np.nan),
}  # fmt: skip
