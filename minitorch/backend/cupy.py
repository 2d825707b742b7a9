"""NumPy's names on CuPy's arrays: the "cuda" device. Importing it enters it; it needs CuPy, and its first use a GPU.

Whatever is only a composition of NumPy's functions serves both: CuPy's arrays answer NumPy's functions (`__array_ufunc__`,
`__array_function__`), and what such a function computes stays on the GPU. Here is what makes arrays, what CuPy lacks, and what
is slow when composed of CuPy's functions, for each of them is a kernel to start and a pass over memory.
"""

# ruff: noqa: F401, F811  (CuPy's own names are half of this namespace)
from __future__ import annotations

import math
import sys
from typing import Any

import cupy
import numpy as np
from cupy import (
    abs,
    all,
    amax,
    amin,
    any,
    arange,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    argmax,
    argmin,
    asarray,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    broadcast_to,
    ceil,
    copysign,
    cos,
    cosh,
    cumprod,
    cumsum,
    diagonal,
    divide,
    equal,
    exp,
    exp2,
    expand_dims,
    expm1,
    flip,
    floor,
    floor_divide,
    fmax,
    fmin,
    fmod,
    greater,
    greater_equal,
    hypot,
    invert,
    isclose,
    isfinite,
    isin,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    left_shift,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    nan_to_num,
    ndarray,
    nonzero,
    not_equal,
    ones,
    ones_like,
    prod,
    remainder,
    reshape,
    right_shift,
    roll,
    round,
    searchsorted,
    shape,
    sign,
    signbit,
    sin,
    sinc,
    sinh,
    sqrt,
    squeeze,
    stack,
    swapaxes,
    take_along_axis,
    tan,
    tanh,
    tile,
    transpose,
    tril,
    triu,
    trunc,
    unique,
    zeros,
    zeros_like,
)

from . import BACKENDS
from .cupy_attention import attention, attention_rule
from .cupy_checks import refuse_outside
from .cupy_conv import conv, conv_input, conv_weight
from .cupy_fused import by_elements, products
from .cupy_gemm import col2im, im2col
from .cupy_linear import affine, matmul, turned
from .cupy_normalize import RULES as NORMALIZATION
from .cupy_normalize import follow_moments, mean_product, mean_square_from, moments, standardize
from .cupy_optimize import adam_together, scale_together, sgd_together, squares_together, takes
from .cupy_pad import pad, unpad
from .cupy_places import (
    add_at,
    argmedian,
    argrunning,
    bincount,
    gather,
    how_often,
    image_numbers,
    into_all,
    put_along_axis,
    repeat,
    scatter,
    scatter_add,
    undiagonal,
)  # fmt: skip
from .cupy_pool import (
    adaptive_places,
    flat_places,
    max_pool,
    per_place,
    pick_winners,
    places,
    spread,
    sum_pool,
    unpool,
    winners,
)
from .cupy_random import random_mask
from .cupy_recurrent import gru_rule, gru_run, lstm_rule, lstm_run
from .cupy_resize import along_axes, averaging, mixing, nearest, nearest_back, unit_grid
from .cupy_softmax import log_softmax, log_softmax_at, logsumexp, masked_softmax, minus_at, softmax
from .cupy_special import erf, erfc, erfinv
from .cupy_sums import reduce_to
from .into import Into
from .numpy import astype, axis_size, keep_axis, kept, parts, softplus, stretched_axes, trunc_divide
from .numpy_einsum import einsum
from .numpy_matrices import cofactors, cross, mT, slogdet, svd
from .numpy_places import order
from .numpy_sample import grid_cell, grid_lines, grid_pixel

device = "cuda"

RULES = {**NORMALIZATION, "attention": attention_rule, "gru": gru_rule, "lstm": lstm_rule}

cholesky, det, inv, solve = cupy.linalg.cholesky, cupy.linalg.det, cupy.linalg.inv, cupy.linalg.solve


def where(condition: Any, a: Any, b: Any) -> Any:
    """`cupy.where`, and a plain choice when the condition is one bool."""
    if condition is True or condition is False:
        return a if condition else b
    return cupy.where(condition, a, b)


def concatenate(arrays: Any, axis: int = 0) -> Any:
    return cupy.concatenate(arrays, axis)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum; of unsigned integers int64, as in PyTorch. (A 0-d array has no axis in CuPy.)"""
    return x.sum(axis if x.ndim else None, np.int64 if x.dtype.kind == "u" else None, None, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean; where there is nothing to average nan."""
    return x.mean(axis, None, None, keepdims) if x.size else sum(x, axis, keepdims) / axis_size(x, axis)


def var(x: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Any:
    """The sum of squared distances from the mean by n - ddof; nan where that is 0."""
    centred = x - mean(x, axis, True)
    total = sum(centred * centred, axis, keepdims)
    return total / cupy.full((), max(axis_size(x, axis) - ddof, 0), total.dtype)


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements are not 0."""
    return (x != 0).sum(axis, None, None, keepdims)


def part(x: Any, index: Any) -> Any:
    """x[index]"""
    return x[index]


def into(part: Any, index: Any, shape: tuple[int, ...]) -> Into:
    """Zeros of `shape` with `part` added at `index`; written out when somebody needs the whole array."""
    return Into(_HERE, part, index, shape)


def zeroed(x: Any, index: Any) -> Any:
    """A copy of `x` with 0 at `index`."""
    out = x.copy()
    out[index] = 0
    return out


def nowhere_zero(x: Any) -> bool:
    """True if no element is 0. Waits for the GPU."""
    return bool(x.all().item())


def one_hot(index: Any, classes: int, like: Any) -> Any:
    """A 1 at `index` along a new last axis of length `classes`, in the dtype of `like`."""
    return (index[..., None] == cupy.arange(classes)).astype(like.dtype)


def power(a: Any, b: Any) -> Any:
    """a to the power b. Small whole exponents are multiplied out."""
    if (b.__class__ is int or b.__class__ is float) and a.__class__ is ndarray and a.dtype.kind == "f":
        if b == 2:
            return a * a
        if b == 3:
            return a * a * a
        if b == -1:
            return cupy.divide(1, a)
    return cupy.power(a, b)


sigmoid = cupy.ElementwiseKernel("T x", "T y", "y = T(1) / (T(1) + exp(-x))", "minitorch_sigmoid")
"""1 / (1 + e**-x)"""


def either(condition: Any, a: float, b: float, like: Any) -> Any:
    """The number `a` where the condition holds, else the number `b`, in the dtype of `like`."""
    kind = like.dtype.type
    return where(condition, kind(a), kind(b))


def masked(x: Any, mask: Any) -> Any:
    """`x` where the mask holds, else 0, also in place of inf and nan."""
    return cupy.where(mask, x, x.dtype.type(0))


def eye_like(x: Any) -> Any:
    """The identity for every matrix in `x`."""
    return cupy.broadcast_to(cupy.eye(x.shape[-2], x.shape[-1], dtype=x.dtype), x.shape)


_HERE = BACKENDS[ndarray] = sys.modules[__name__]
