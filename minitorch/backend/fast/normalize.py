"""Sums over the outer and inner axes, and normalization with its rule: threads share the channels, and a channel that is read
twice is found in the cache the second time. Inside the kernels arrays are (before, kept, after), as in `numpy_sums.sides`."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy import ndarray

from .. import numpy
from ..numpy_sums import sides
from ..threads import shared
from .compiler import fits, kernel


def sum(x: ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum; of unsigned integers int64."""
    found = _sides(x, axis)
    if found is None:
        return numpy.sum(x, axis, keepdims)
    total = np.empty(found[1], x.dtype)
    three = x.reshape(found)
    shared(found[1], x.size, lambda start, stop: _sum(three, total, start, stop))
    return total.reshape(_left(x.shape, axis, keepdims))


def mean(x: ndarray, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean; where there is nothing to average nan, without NumPy's warning."""
    return numpy.mean(x, axis, keepdims) if _sides(x, axis) is None else sum(x, axis, keepdims) / numpy.axis_size(x, axis)


def mean_product(x: ndarray, y: ndarray, axis: tuple[int, ...]) -> ndarray:
    """The mean of x · y over `axis`, the axes kept with length 1; without the array of products."""
    found = _sides(x, axis) if x.shape == y.shape and fits(x, y) else None
    if found is None:
        return numpy.mean_product(x, y, axis)
    total = np.empty(found[1], x.dtype)
    three, other = x.reshape(found), y.reshape(found)
    shared(found[1], x.size, lambda start, stop: _sum_products(three, other, total, start, stop))
    total /= found[0] * found[2]
    return total.reshape(_left(x.shape, axis, True))


def mean_square_from(centre: ndarray, x: ndarray, axis: tuple[int, ...]) -> ndarray:
    """The mean of (x - centre)² over `axis`, the axes kept with length 1, in one pass."""
    found = _sides(x, axis)
    if found is None or centre.size != found[1] or centre.dtype != x.dtype:
        return numpy.mean_square_from(centre, x, axis)
    total = np.empty(found[1], x.dtype)
    three, centres = x.reshape(found), np.ascontiguousarray(centre).reshape(-1)
    shared(found[1], x.size, lambda start, stop: _sum_squares_from(centres, three, total, start, stop))
    total /= found[0] * found[2]
    return total.reshape(_left(x.shape, axis, True))


def standardize(x: ndarray, mean: ndarray, scale: ndarray, shape: Any, weight: Any, bias: Any) -> ndarray:
    """(x - mean) · scale, in `shape`, times weight, plus bias (each may be None): for one weight per channel, or one for each
    place along a row, one pass."""
    found = _sides(x, tuple(a for a, n in enumerate(mean.shape) if n == 1 < x.shape[a]))
    if found is None or x.shape != shape:
        return numpy.standardize(x, mean, scale, shape, weight, bias)
    given = [p for p in (weight, bias) if p is not None]
    if given and found[0] == 1 and all(p.size == found[2] and p.shape == x.shape[-p.ndim :] for p in given):
        return _standardize_rows(x.reshape(found[1:]), mean, scale, weight, bias).reshape(shape)
    if not all(p.shape == mean.shape for p in given):
        return numpy.standardize(x, mean, scale, shape, weight, bias)
    factor = scale if weight is None else scale * weight
    shift = -mean * factor if bias is None else bias - mean * factor
    factor, shift = factor.reshape(-1), shift.reshape(-1)
    out = np.empty_like(x)
    three, to = x.reshape(found), out.reshape(found)
    shared(found[1], x.size, lambda start, stop: _scale_and_shift(three, factor, shift, to, start, stop))
    return out


def _standardize_rows(x: ndarray, mean: ndarray, scale: ndarray, weight: Any, bias: Any) -> ndarray:
    """`standardize` where weight and bias go along the rows of x."""
    width, out = x.shape[1], np.empty_like(x)
    weight = np.ones(width, x.dtype) if weight is None else np.ascontiguousarray(weight, x.dtype).reshape(-1)
    bias = np.zeros(width, x.dtype) if bias is None else np.ascontiguousarray(bias, x.dtype).reshape(-1)
    centre, scale = mean.reshape(-1), scale.reshape(-1)
    shared(len(x), x.size, lambda a, b: _scale_rows(x, centre, scale, weight, bias, out, a, b))
    return out


def batch_norm_rule(
    op: Any, grad: ndarray, out: ndarray, saved: Any, needed: Any, x: ndarray, weight: Any = None, bias: Any = None
) -> list[ndarray] | None:
    """`BatchNorm.vjp` in two passes over x and grad, where NumPy makes a dozen."""
    found = _sides(x, op.axes)
    if found is None or not fits(x, grad):
        return None
    mean, scale = (moment.reshape(-1) for moment in saved)
    total, lean = np.empty_like(scale), np.empty_like(scale)
    factor = scale if weight is None else scale * weight
    flow = np.empty_like(x)
    x, grad, to = x.reshape(found), grad.reshape(found), flow.reshape(found)
    shared(found[1], 2 * x.size, lambda a, b: _batch_norm_rule(x, grad, mean, scale, factor, total, lean, to, a, b))
    return [flow, lean, total]


def layer_norm_rule(
    op: Any, grad: ndarray, out: ndarray, saved: Any, needed: Any, x: ndarray, weight: Any = None, bias: Any = None
) -> list[ndarray] | None:
    """`LayerNorm.vjp` row by row. The gradients of weight and bias come from each thread's rows, added up."""
    rows, width = math.prod(x.shape[: op.axes[0]]), math.prod(x.shape[op.axes[0] :])
    if not fits(x, grad) or width < SHORTEST:
        return None
    mean, scale = (moment.reshape(-1) for moment in saved)
    factor = np.ones(width, x.dtype) if weight is None else np.ascontiguousarray(weight).reshape(-1)
    flow = np.empty_like(x)
    two, above, to = x.reshape(rows, width), grad.reshape(rows, width), flow.reshape(rows, width)

    def some(start: int, stop: int) -> ndarray:
        sums = np.zeros((2, width), x.dtype)
        _layer_norm_rule(two, above, mean, scale, factor, sums[0], sums[1], to, start, stop)
        return sums

    parts = shared(rows, 2 * x.size, some)
    sums = np.add.reduce(parts).reshape(2, *x.shape[op.axes[0] :])
    return [flow, sums[0], sums[1]]


SHORTEST = 8
"""How long the last axis of the three must be at least: the kernels run along it."""


def _sides(x: Any, axis: Any) -> tuple[int, int, int] | None:
    if axis is None or x.__class__ is not ndarray or not x.ndim or not fits(x):
        return None
    found = _sides_of(x.shape, axis if axis.__class__ is int else tuple(axis))
    return None if found is None or found[2] < SHORTEST else found


_sides_of = functools.lru_cache(1024)(sides)


def _left(shape: tuple[int, ...], axis: Any, keepdims: bool) -> list[int]:
    """The shape after a reduction."""
    axes = {a % len(shape) for a in ((axis,) if isinstance(axis, int) else axis)}
    return [1 if a in axes else n for a, n in enumerate(shape) if keepdims or a not in axes]


@kernel
def _sum(x: Any, total: Any, start: int, stop: int) -> None:
    for k in range(start, stop):
        whole = 0.0
        for b in range(x.shape[0]):
            part = x.dtype.type(0)  # a row at a time, in the wide registers; rows in double precision
            for a in range(x.shape[2]):
                part += x[b, k, a]
            whole += part
        total[k] = whole


@kernel
def _sum_products(x: Any, y: Any, total: Any, start: int, stop: int) -> None:
    for k in range(start, stop):
        whole = 0.0
        for b in range(x.shape[0]):
            part = x.dtype.type(0)
            for a in range(x.shape[2]):
                part += x[b, k, a] * y[b, k, a]
            whole += part
        total[k] = whole


@kernel
def _sum_squares_from(centre: Any, x: Any, total: Any, start: int, stop: int) -> None:
    for k in range(start, stop):
        whole, here = 0.0, centre[k]
        for b in range(x.shape[0]):
            part = x.dtype.type(0)
            for a in range(x.shape[2]):
                away = x[b, k, a] - here
                part += away * away
            whole += part
        total[k] = whole


@kernel
def _scale_and_shift(x: Any, factor: Any, shift: Any, out: Any, start: int, stop: int) -> None:
    for b in range(x.shape[0]):
        for k in range(start, stop):
            for a in range(x.shape[2]):
                out[b, k, a] = x[b, k, a] * factor[k] + shift[k]


@kernel
def _scale_rows(x: Any, mean: Any, scale: Any, weight: Any, bias: Any, out: Any, start: int, stop: int) -> None:
    for row in range(start, stop):
        centre, factor = mean[row], scale[row]
        for a in range(x.shape[1]):
            out[row, a] = (x[row, a] - centre) * factor * weight[a] + bias[a]


@kernel
def _batch_norm_rule(
    x: Any, grad: Any, mean: Any, scale: Any, factor: Any, total: Any, lean: Any, flow: Any, start: int, stop: int
) -> None:
    count = x.shape[0] * x.shape[2]
    for k in range(start, stop):
        grads, products = 0.0, 0.0
        for b in range(x.shape[0]):
            part, product = x.dtype.type(0), x.dtype.type(0)
            for a in range(x.shape[2]):
                part += grad[b, k, a]
                product += grad[b, k, a] * (x[b, k, a] - mean[k])
            grads += part
            products += product
        total[k], lean[k] = grads, products * scale[k]
        # scale · weight · (grad - mean of grad - normal · mean of grad · normal), as a sum of multiples of grad and x
        by_x = -factor[k] * scale[k] * lean[k] / x.dtype.type(count)
        rest = -factor[k] * total[k] / x.dtype.type(count)
        for b in range(x.shape[0]):
            for a in range(x.shape[2]):
                flow[b, k, a] = factor[k] * grad[b, k, a] + by_x * (x[b, k, a] - mean[k]) + rest


@kernel
def _layer_norm_rule(
    x: Any, grad: Any, mean: Any, scale: Any, weight: Any, leans: Any, totals: Any, flow: Any, start: int, stop: int
) -> None:
    width = x.dtype.type(x.shape[1])
    for row in range(start, stop):
        average, lean = x.dtype.type(0), x.dtype.type(0)
        for a in range(x.shape[1]):
            normal = (x[row, a] - mean[row]) * scale[row]
            average += grad[row, a] * weight[a]
            lean += grad[row, a] * weight[a] * normal
            leans[a] += grad[row, a] * normal
            totals[a] += grad[row, a]
        average /= width
        lean /= width
        for a in range(x.shape[1]):
            normal = (x[row, a] - mean[row]) * scale[row]
            flow[row, a] = scale[row] * (grad[row, a] * weight[a] - average - normal * lean)


RULES = {"batch_norm": batch_norm_rule, "layer_norm": layer_norm_rule}
"""Whole rules of operations, by their names (see `core.op.Op.pull`)."""
