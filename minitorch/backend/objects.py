"""NumPy's names on arrays of Values: an operation on tensors, unfolded into the scalar operations it stands for.

The plain form of each kernel, as a textbook writes it. What only moves elements is NumPy's own.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..core.value import Value
from . import numpy as arrays
from . import scalar

_NAMES = {"divide": "div", "power": "pow"}
"""NumPy's name -> ours, where they differ."""

WHOLE = ("cholesky", "det", "inv", "slogdet", "solve", "svd")
attention = None  # no kernel for all of it: its steps are what there is to see


def __getattr__(name: str) -> Any:
    """A function of numbers is applied to each element by itself; any other name is NumPy's."""
    ours = getattr(ops, _NAMES.get(name, name), None)
    if callable(ours) and hasattr(scalar, name):
        return each(ours)
    if name in WHOLE:
        raise ValueError(f"{name} is computed by a library as a whole, without scalar steps to show")
    return getattr(arrays, name)


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of single Values, broadcast over object arrays."""
    broadcast = _broadcast(function)
    return lambda *values: broadcast(*map(_array, values))


@functools.cache
def _broadcast(function: Callable[..., Any]) -> Any:
    parameters = inspect.signature(function).parameters.values()
    return np.frompyfunc(function, builtins.sum(p.default is p.empty for p in parameters), 1)


def _array(x: Any) -> Any:
    """`x`, a single Value as an array of it: NumPy hands out the element where a 0-d array is meant."""
    return filled((), lambda index: x) if isinstance(x, Value) else x


def numbers(x: Any) -> np.ndarray:
    """The plain numbers in an array of Values."""
    return np.asarray(np.frompyfunc(float, 1, 1)(x), dtype=float)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _array(x)
    return np.sum(x, axis=_axes(x, axis), keepdims=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return sum(x, axis, keepdims) / arrays.axis_size(x, axis)


def var(x: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Any:
    centred = x - _array(mean(x, axis, True))
    return sum(centred * centred, axis, keepdims) / (arrays.axis_size(x, axis) - ddof)


def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _fold(ops.maximum, x, axis, keepdims)


def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _fold(ops.minimum, x, axis, keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.prod(x, axis=_axes(x, axis), keepdims=keepdims)


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return numbers(x).argmax(axis, keepdims=keepdims)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return numbers(x).argmin(axis, keepdims=keepdims)


def argmedian(x: Any, axis: int, skip_nan: bool) -> Any:
    return arrays.argmedian(numbers(x), axis, skip_nan)


def order(x: Any, axis: int, descending: bool) -> Any:
    return arrays.order(numbers(x), axis, descending)


def grid_lines(along: Any, *how: Any) -> Any:
    """Slopes and starts, as plain numbers: they are constants of the place where each Value of the grid is."""
    return arrays.grid_lines(numbers(along), *how)


def grid_cell(place: Any, mode: str) -> Any:
    return arrays.grid_cell(numbers(place), mode)


def grid_pixel(number: Any, *how: Any) -> Any:
    return arrays.grid_pixel(numbers(number), *how)


def softmax(x: Any, axis: int) -> Any:
    raised = each(ops.exp)(x - _peak(x, axis))
    return raised / sum(raised, axis, True)


def log_softmax(x: Any, axis: int) -> Any:
    shifted = x - _peak(x, axis)
    return shifted - each(ops.log)(sum(each(ops.exp)(shifted), axis, True))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    peak = _peak(x, axis)
    out = _array(each(ops.log)(sum(each(ops.exp)(x - peak), axis, True))) + peak
    return out if keepdims else np.squeeze(_array(out), axis)


def masked_softmax(scores: Any, mask: Any, causal: bool) -> Any:
    hidden = np.tri(*scores.shape[-2:]) == 0 if causal else np.zeros((), bool)
    if mask is not None and mask.dtype.kind == "b":
        hidden = ~mask
    elif mask is not None:
        scores = scores + mask
    return softmax(np.where(hidden, -np.inf, scores), -1)


def log_softmax_at(x: Any, target: Any) -> Any:
    return log_softmax(x, -1)[np.arange(len(x)), target], softmax(x, -1)


def affine(x: Any, weight: Any, bias: Any) -> Any:
    out = np.matmul(x, weight.T)
    return out if bias is None else out + bias


def lstm_gates(fed: Any, own: Any) -> Any:
    i, f, g, o = np.split(fed + own, 4, axis=-1)
    sigmoid = each(ops.sigmoid)
    return np.concatenate([sigmoid(i), sigmoid(f), each(ops.tanh)(g), sigmoid(o)], axis=-1)


def conv(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int = 1) -> Any:
    """Each output element the sum over its window of input × weight."""
    kernel, axes = weight.shape[2:], range(2, x.ndim)
    padded = np.pad(x, [(0, 0), (0, 0), *((max(b, 0), max(a, 0)) for b, a in padding)], constant_values=0.0)
    inner: Any = (..., *(slice(max(-b, 0), min(a, 0) or None) for b, a in padding))  # a negative padding takes away
    padded = padded[inner]
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation))
    windows = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=tuple(axes))
    moved = (slice(None), slice(None), *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))
    windows = windows[moved]
    n, positions = x.shape[0], windows.shape[2 : x.ndim]
    windows = np.moveaxis(windows, 1, x.ndim - 1).reshape(n, *positions, groups, math.prod(weight.shape[1:]))
    filters = weight.reshape(groups, weight.shape[0] // groups, -1)
    parts = [np.matmul(windows[..., g, :], filters[g].T) for g in range(groups)]
    out = np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)
    return out if bias is None else out + bias.reshape(-1, *(1,) * len(kernel))


def _fold(function: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    """Fold `x` with a function of two Values, over one axis after the other."""
    axes = _axes(x, axis)
    for a in sorted((axes,) if isinstance(axes, int) else axes, reverse=True):
        x = np.asarray(_broadcast(function).reduce(x, axis=a, keepdims=keepdims), dtype=object)
    return x


def _axes(x: Any, axis: Any) -> Any:
    return tuple(range(x.ndim)) if axis is None else axis


def _peak(x: Any, axis: Any) -> Any:
    """The largest number along `axis`, as a constant: a shift that changes neither result nor gradient."""
    peak = numbers(x).max(axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(peak), peak, 0.0).astype(object)


def filled(shape: tuple[int, ...], make: Callable[[tuple[int, ...]], Value]) -> np.ndarray:
    """An array of Values, one made for each index."""
    out = np.empty(shape, object)
    for index in np.ndindex(shape):
        out[index] = make(index)
    return out
