"""The table's entries for functions of each element by itself, beyond the first ones in `optable.py`."""

from __future__ import annotations

import numpy as np

from .opentry import binary, call, given, kink, nans, op, t, unary


def _of_tensors(name: str):
    """PyTorch has no derivative of these for a Python number."""


    def of_torch(torch):
        def function(a, b):
            like = a if isinstance(a, torch.Tensor) else b
            if like.is_floating_point():
                a, b = (torch.as_tensor(x, dtype=like.dtype) for x in (a, b))
            return getattr(torch, name)(a, b)

        return function

    return of_torch


# Exponentials and logarithms

unary("exp2", ints=True)
unary("expm1", ints=True)
unary("log2", low=0.1, high=3.0, ints=True)
unary("log10", low=0.1, high=3.0, ints=True)
unary("log1p", low=-0.8, high=3.0, ints=True)
unary("square")
unary("reciprocal", low=0.3, ints=True)
unary("rsqrt", low=0.2, ints=True, numpy=lambda x: 1 / np.sqrt(x))
unary("erf", ints=True)
unary("erfc", ints=True)
unary("erfinv", low=-0.9, high=0.9, torch="erfinv", ints=True)
unary("logit", low=0.1, high=0.9, ints=True, omit_gradient=lambda x: x == 0)  # inf, of the sign of 0
op("logit", call(t(3, 4, low=-0.5, high=1.5), 0.2), call(t(3, low=0.1, high=0.9), eps=1e-6), numpy=None)
binary("logaddexp")
binary("logaddexp2", omit=lambda a, b: a == b == -1)  # 0 here, 5e-17 in PyTorch
binary("xlogy", low=0.2)
binary(
    "float_power", low=0.3, ints=True, double=True, omit=lambda a, b: a == -np.inf and b == 0.5,
    omit_gradient=lambda a, b: a == 0 and b < 0,
)  # fmt: skip

# Angles and hyperbolas

unary("tan", low=-1.2, high=1.2, ints=True)
unary("asin", low=-0.9, high=0.9, numpy=np.arcsin, ints=True)
unary("acos", low=-0.9, high=0.9, numpy=np.arccos, ints=True)
unary("atan", numpy=np.arctan, ints=True)
unary("sinh", ints=True)
unary("cosh", ints=True)
unary("asinh", numpy=np.arcsinh, ints=True)
unary("acosh", low=1.2, high=4.0, numpy=np.arccosh, ints=True)
unary("atanh", low=-0.8, high=0.8, numpy=np.arctanh, ints=True)
unary("sinc", low=0.2, ints=True)
unary("deg2rad", ints=True)
unary("rad2deg", ints=True)
binary("atan2", numpy=np.arctan2, ints=True)
binary("hypot", low=0.2)

# Whole numbers and what is left over

for name in ("floor", "ceil", "trunc"):
    unary(name, low=0.1, high=0.9, ints=True)
unary("frac", low=0.1, high=0.9, numpy=lambda x: x - np.trunc(x))
unary("round", low=0.1, high=0.4)
op("round", call(t(3, 4), decimals=2), call(t(3), decimals=-1), call(t(), decimals=1), numpy=None, differentiable=False)
binary("remainder", low=0.3, ints=True, torch=_of_tensors("remainder"))
binary("fmod", low=0.3, ints=True, torch=_of_tensors("fmod"))
binary("floor_divide", low=0.3, ints=True, torch=None)  # PyTorch has no derivative
op(
    "div",
    call(t(3, 4), t(3, 4), rounding_mode="floor"), call(t(3, 4), t(4), rounding_mode="trunc"), call(t(3), 0.7, rounding_mode="floor"),
    call(t(3, of="int", low=-5), t(3, of="int", low=1), rounding_mode="trunc"),
    numpy=None,
)  # fmt: skip

# Limits and choices

op(
    "clamp",
    call(t(3, 4), -0.5, 0.5), call(t(3, 4), min=0.1), call(t(3, 4), max=0.1), call(t(3, 4), t(4), t(3, 1)),
    call(t(3, 4), min=t(3, 4)), call(t(3, 4), max=t()), call(t(3), t(3), 1.0), call(t(), 0, 1), call(t(0), 0.0, 1.0),
    call(t(3, of="int"), 0.5), numpy=None,
)  # fmt: skip
op("clamp_min", call(t(3, 4), 0.1), call(t(3, 4), t(4)), call(t(3, of="int"), 1), numpy=None)
op("clamp_max", call(t(3, 4), 0.1), call(t(3, 4), t(4)), call(t(3, of="int"), 1), numpy=None)
binary("fmax", omit_gradient=nans)
binary("fmin", omit_gradient=nans)
unary("nan_to_num")
op(
    "nan_to_num",
    kink(given([1.0, np.nan])), kink(given([1.0, np.nan, np.inf, -np.inf]), 2.0, 3.0, -4.0),
    kink(given([np.nan, 1.0]), nan=None), numpy=None,
)  # fmt: skip
binary("copysign", low=0.2)
op(
    "lerp",
    call(t(3, 4), t(3, 4), 0.3), call(t(3, 4), t(4), t(3, 1)), call(t(), t(), t()), call(t(3), t(3), 1.7), call(t(0), t(1), 0.5),
    numpy=None,
)  # fmt: skip
op("addcmul", call(t(3, 4), t(3, 4), t(3, 4)), call(t(3, 4), t(4), t(3, 1), value=0.5), call(t(), t(), t()), numpy=None)
op(
    "addcdiv",
    call(t(3, 4), t(3, 4), t(3, 4, low=0.3)), call(t(3, 4), t(4), t(3, 1, low=0.3), value=0.5), call(t(), t(), t(low=1.0)),
    numpy=None,
)  # fmt: skip
op("add", call(t(3, 4), t(4), alpha=0.5), call(t(3, of="int"), t(3, of="int"), alpha=2), numpy=None)
op("sub", call(t(3, 4), t(4), alpha=0.5), call(t(3, of="int"), t(3, of="int"), alpha=2), numpy=None)
op("rsub", call(t(3, 4), t(4)), call(t(3, 4), 2.0, alpha=0.5), numpy=None, method=False)
op("positive", call(t(3, 4)), call(t(3, of="int")), numpy=None, differentiable=False)  # the argument itself

# Comparisons, logic, bits

_PAIRS = (
    call(t(3, 4), t(3, 4)), call(t(3, 4), t(4)), call(t(3, of="int", high=2), t(3, of="int", high=2)), call(t(), t()),
    call(t(3, of="int"), 2), call(t(3, of="int"), 1.5), call(t(3, of="int"), t(3)), call(t(0), t(1)),
    call(t(4, of="bool"), t(4, of="bool")), call(given([1.0, np.nan, np.inf]), given([1.0, np.nan, np.inf])),
)  # fmt: skip
for name, numpys in (
    ("eq", "equal"), ("ne", "not_equal"), ("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal"),
):  # fmt: skip
    op(name, *_PAIRS, numpy=getattr(np, numpys), differentiable=False)
for name in ("logical_and", "logical_or", "logical_xor"):
    op(name, *(pair for pair in _PAIRS if len(pair.tensors()) == 2), differentiable=False)
_BITS = (
    call(t(3, 4, of="int"), t(3, 4, of="int")), call(t(3, of="int"), 2), call(t(3, 4, of="int"), t(4, of="int")),
    call(t(4, of="bool"), t(4, of="bool")), call(t(4, of="bool"), t(4, of="int")), call(t(of="int"), t(of="int")),
)  # fmt: skip
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    op(name, *_BITS, differentiable=False)
for name in ("bitwise_left_shift", "bitwise_right_shift"):
    op(name, *_BITS[:3], numpy=None, differentiable=False)
op("bitwise_not", call(t(3, of="int")), call(t(3, of="bool")), numpy=np.invert, differentiable=False)
_ODD = (call(t(3, 4)), call(given([1.0, -0.0, np.nan, np.inf, -np.inf])), call(t(3, of="int")), call(t()), call(t(0)))
for name in ("logical_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit"):
    op(name, *_ODD, numpy=None, differentiable=False)
op(
    "isclose",
    call(given([1.0, 1.0, np.nan, np.inf]), given([1.0 + 1e-7, 1.1, np.nan, np.inf])), call(t(3), t(3), 0.1, 0.2),
    call(given([1.0, np.nan]), given([1.0, np.nan]), equal_nan=True), call(t(2, of="int"), t(2, of="int")),
    differentiable=False,
)  # fmt: skip
op("isin", call(t(3, 4, of="int"), t(2, of="int")), call(t(5, of="int"), t(3, of="int"), invert=True), differentiable=False, method=False)
