"""NumPy's names on NumPy arrays: mostly NumPy itself, and the few kernels it lacks."""

# ruff: noqa: F401, F811  (NumPy's own names are half of this namespace)
from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numpy import (
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
    bincount,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    broadcast_to,
    ceil,
    concatenate,
    copysign,
    cos,
    cosh,
    count_nonzero,
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
    repeat,
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

from . import numpy_attention, numpy_normalize, shares, threads
from .into import Into
from .numpy_conv import col2im, conv, conv_input, conv_weight, im2col
from .numpy_einsum import einsum
from .numpy_linear import affine, lstm_gates, matmul, turned
from .numpy_matrices import cholesky, cofactors, cross, det, eye_like, inv, mT, slogdet, solve, svd
from .numpy_normalize import standardize
from .numpy_pad import pad, unpad
from .numpy_places import add_at, argmedian, argrunning, gather, order, scatter, scatter_add, undiagonal
from .numpy_pool import (
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
)  # fmt: skip
from .numpy_recurrent import lstm_rule, lstm_run
from .numpy_resize import along_axes, averaging, mixing, nearest, nearest_back
from .numpy_sample import grid_cell, grid_lines, grid_pixel, image_numbers, into_all, unit_grid
from .numpy_special import SLOPES, erf, erfc, erfinv
from .numpy_sums import fast_sum, mean_product, mean_square_from, worth_it
from .shares import by_elements

device = "cpu"

products = None
"""No kernel for a whole elementwise rule (see `core.op.Elementwise.pull`). Said, because to ask a module for a name that it
does not have takes half a microsecond."""

RULES = {**numpy_normalize.RULES, **numpy_attention.RULES, "lstm": lstm_rule}
"""Whole rules of operations, by their names (see `core.op.Op.pull`)."""


def where(condition: Any, a: Any, b: Any) -> Any:
    """`numpy.where`, and a plain choice when the condition is one bool."""
    if condition is True or condition is False:
        return a if condition else b
    if np.size(condition) < 2**14 or condition.dtype != bool:
        return np.where(condition, a, b)
    dtype = np.result_type(a, b)
    return _blend(condition, np.asarray(a, dtype), np.asarray(b, dtype)) if dtype.kind == "f" else np.where(condition, a, b)


def _blend(condition: ndarray, a: ndarray, b: ndarray) -> ndarray:
    """`where` by the bits, without a branch per element: a tenth of the time where neighbours differ (0.3 to 3.3 ms for half
    a million of float32)."""
    whole = {2: np.int16, 4: np.int32, 8: np.int64}[a.itemsize]
    bits, other = a.view(whole), b.view(whole)
    mask = condition.astype(whole)
    np.negative(mask, out=mask)  # all bits or none
    fits = np.broadcast_shapes(mask.shape, a.shape, b.shape) == mask.shape
    mask = np.bitwise_and(mask, bits ^ other, out=mask if fits else None)
    mask ^= other
    return mask.view(a.dtype)


def sum(x: ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum; of unsigned integers int64, as in PyTorch (NumPy says uint64)."""
    if axis is not None and worth_it(x):
        out = fast_sum(x, axis)
        if out is not None:
            axes = [a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis)]
            return out.reshape([1 if a in axes else n for a, n in enumerate(x.shape) if keepdims or a not in axes])
    dtype: Any = np.int64 if x.dtype.kind == "u" else None
    return np.add.reduce(x, axis, dtype, None, keepdims)  # type: ignore[call-overload]  # by position: it is faster


def mean(x: ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean; where there is nothing to average nan, without NumPy's warning."""
    if not x.size or worth_it(x):
        return sum(x, axis, keepdims) / axis_size(x, axis)
    return np.mean(x, axis=axis, keepdims=keepdims)


def var(x: ndarray, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Any:
    """The sum of squared distances from the mean by n - ddof; nan where that is 0, without NumPy's warning."""
    centred = x - mean(x, axis, True)
    return sum(centred * centred, axis, keepdims) / max(axis_size(x, axis) - ddof, 0)


def softmax(x: ndarray, axis: int) -> ndarray:
    """exp(x) / sum(exp(x)) along `axis`, shifted by the maximum so that nothing overflows."""
    e = x - _finite_max(x, axis)
    e = np.exp(e, out=e if isinstance(e, ndarray) else None)
    e /= sum(e, axis, True)
    return e


def masked_softmax(scores: ndarray, mask: Any, causal: bool) -> ndarray:
    """softmax over the last axis of the scores, which it overwrites, after adding the mask's numbers or hiding where it is
    False, and with `causal` what comes later than the row. A row with nothing left to choose from is 0."""
    if causal:
        scores += np.triu(np.full(scores.shape[-2:], -np.inf, scores.dtype), 1)
    if mask is not None:
        scores = scores + (np.where(mask, 0, -np.inf).astype(scores.dtype) if mask.dtype.kind == "b" else mask)
    if scores.ndim < 3:
        return _softmax_in_place(scores)
    threads.shared(len(scores), shares.COSTLY * scores.size, lambda start, stop: _softmax_in_place(scores[start:stop]))
    return scores


def attention(query: ndarray, key: ndarray, value: ndarray, scale: float, causal: bool) -> tuple[ndarray, ndarray] | None:
    """See `numpy_attention`."""
    return numpy_attention.attention(masked_softmax, query, key, value, scale, causal)


def _softmax_in_place(scores: ndarray) -> ndarray:
    scores -= _finite_max(scores, -1)
    np.exp(scores, out=scores)
    total = sum(scores, -1, True)
    scores /= np.where(total == 0, 1, total).astype(scores.dtype, copy=False)
    return scores


def log_softmax_at(x: ndarray, target: ndarray) -> tuple[ndarray, ndarray]:
    """For rows x and a class number for each: the log-softmax there, and the softmax of the rows."""
    e = x - _finite_max(x, -1)
    at = e[np.arange(len(e)), target]
    np.exp(e, out=e)
    total = sum(e, -1, True)
    e /= total
    return at - np.log(total[:, 0]), e


def minus_at(x: ndarray, index: ndarray, less: Any) -> ndarray:
    """x with `less` subtracted at x[i, index[i]], in place."""
    x[np.arange(len(x)), index] -= less
    return x


def log_softmax(x: ndarray, axis: int) -> ndarray:
    """log(softmax(x)) along `axis`, without ever taking the logarithm of a rounded zero."""
    shifted = x - _finite_max(x, axis)
    shifted -= np.log(sum(np.exp(shifted), axis, True))
    return shifted


def _finite_max(x: ndarray, axis: int) -> ndarray:
    peak = x.max(axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(peak), peak, 0) if not np.isfinite(peak).all() else peak


def part(x: ndarray, index: Any) -> ndarray:
    """x[index]; a view also where NumPy hands out a scalar."""
    found = x[index]
    if found.__class__ is not ndarray:
        found = x[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    return found


def into(part: ndarray, index: Any, shape: tuple[int, ...]) -> Into:
    """Zeros of `shape` with `part` added at `index`; written out when somebody needs the whole array."""
    return Into(sys.modules[__name__], part, index, shape)


def put_along_axis(part: ndarray, index: ndarray, axis: int, shape: tuple[int, ...]) -> ndarray:
    """Zeros of `shape` with `part` at `index` along `axis` (as `numpy.take_along_axis` reads)."""
    out = np.zeros(shape, part.dtype)
    np.put_along_axis(out, index, part, axis)
    return out


def astype(x: ndarray, dtype: Any) -> ndarray:
    return x.astype(dtype)


def zeroed(x: ndarray, index: Any) -> ndarray:
    """A copy of `x` with 0 at `index`."""
    out = np.array(x)  # x may be one of NumPy's scalars: arithmetic on 0-d arrays gives those
    out[index] = 0
    return out


def reduce_to(grad: ndarray, like: Any) -> Any:
    """Undo broadcasting: sum `grad` over the axes that were stretched, back to the shape of `like`.

    The derivative of a copy is a sum: an element used in n places receives n gradients.
    """
    wanted = np.shape(like)
    if grad.shape == wanted:
        return grad
    return grad.sum(axis=stretched_axes(grad.shape, wanted)).reshape(wanted)


def stretched_axes(from_shape: tuple[int, ...], to_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of `from_shape` that broadcasting added to, or stretched in, `to_shape`."""
    extra = len(from_shape) - len(to_shape)
    return tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(to_shape) if n == 1 and from_shape[i + extra] != 1
    )


def logsumexp(x: ndarray, axis: Any = None, keepdims: bool = False) -> ndarray:
    """log(sum(exp(x))), shifted by the maximum so that nothing overflows."""
    peak = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, 0)
    out = np.log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)) + peak
    return out if keepdims else np.squeeze(out, axis)


def nowhere_zero(x: ndarray) -> bool:
    """True if no element is 0."""
    return bool(np.all(x))


def parts(out: Any) -> Any:
    """The results of an operation that has several."""
    return out


def axis_size(x: Any, axis: Any) -> int:
    """How many elements a reduction over `axis` (None, an int, a tuple) adds up into one."""
    dims = np.shape(x)
    if axis is None:
        return math.prod(dims)
    return math.prod(dims[a] for a in ((axis,) if isinstance(axis, int) else axis))


def keep_axis(x: ndarray, axis: Any, like: Any) -> ndarray:
    """Put the axes back that a reduction of `like` over `axis` removed, each of length 1, so that it broadcasts."""
    if axis is None:
        return np.reshape(x, (1,) * np.ndim(like))
    return np.expand_dims(x, axis)


def one_hot(index: ndarray, classes: int, like: ndarray) -> ndarray:
    """A 1 at `index` along a new last axis of length `classes`, in the dtype of `like`."""
    return (index[..., None] == np.arange(classes)).astype(like.dtype)


def power(a: Any, b: Any) -> Any:
    """a to the power b. Small whole exponents are multiplied out: a hundred times as fast for float32."""
    if (b.__class__ is int or b.__class__ is float) and a.__class__ is ndarray and a.dtype.kind == "f":
        if b == 3:
            return a * a * a
        if b == 4:
            square = a * a
            return square * square
        if b == -1:
            return np.divide(1, a)
    return np.power(a, b)


def trunc_divide(a: Any, b: Any) -> Any:
    """a / b rounded towards 0, in the dtype the two have in common (`numpy.trunc` would make floats of integers)."""
    if np.result_type(a, b).kind == "f":
        return np.trunc(np.divide(a, b))
    return np.sign(a) * np.sign(b) * np.floor_divide(np.abs(a), np.abs(b))


def sigmoid(x: ndarray) -> ndarray:
    """1 / (1 + e**-x)"""
    out = np.exp(-x)
    out += 1
    return np.divide(1, out, out if isinstance(out, ndarray) else None)


def softplus(x: ndarray) -> ndarray:
    """log(1 + e**x), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def either(condition: Any, a: float, b: float, like: ndarray) -> ndarray:
    """The number `a` where the condition holds, else the number `b`, in the dtype of `like`."""
    kind = like.dtype.type
    return where(condition, kind(a), kind(b))


def masked(x: ndarray, mask: ndarray) -> ndarray:
    """`x` where the mask holds, else 0, also in place of inf and nan. The product of the bits, as whole numbers, with 0 or
    1 is exactly that: 0.2 ms for a million floats, as long as x * mask takes, where numpy.where takes 3.5."""
    return (x.view(_WHOLE[x.itemsize]) * mask.view(np.int8)).view(x.dtype)


_WHOLE = {2: np.int16, 4: np.int32, 8: np.int64}
"""Whole numbers of as many bytes."""


def kept(saved: Any, compute: Any, *inputs: Any) -> Any:
    """What forward kept of `compute(xp, *inputs)`. On Tensors it is computed again, as part of the graph."""
    return saved


def how_often(index: ndarray) -> ndarray:
    """For each of the whole numbers in `index`, how often it occurs there."""
    return np.bincount(index.reshape(-1))[index]
