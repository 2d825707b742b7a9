"""Convolution by oneDNN, each thread with its share of the batch; what oneDNN does not take (float64, negative padding, no
oneDNN there) by NumPy. Arguments and shapes as in `numpy_conv`."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy import ndarray

from .. import numpy_conv
from ..numpy_conv import Pads, Sizes, conv_size
from ..numpy_unrolled import FORMED
from ..threads import shared
from . import dnnl

LEAST = 2**15
"""From how many products on a plan is worth its making."""


def conv(
    x: ndarray, weight: ndarray, bias: ndarray | None, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """At each position, the products of each filter with the window of x there, added up; plus the filter's bias."""
    size, way = conv_size(x.shape[2:], weight.shape[2:], stride, padding, dilation), (stride, padding, dilation)
    products = len(x) * math.prod(size) * weight.size // groups
    if not _takes(products, padding, x, weight, *(() if bias is None else (bias,))):
        return numpy_conv.conv(x, weight, bias, *way, groups)
    out = np.empty((len(x), len(weight), *size), np.float32)
    images, filters = np.ascontiguousarray(x), _grouped(weight, groups)
    shift = None if bias is None else np.ascontiguousarray(bias)

    def some(start: int, stop: int) -> bool:
        return dnnl.run("forward", images[start:stop], filters, out[start:stop], shift, way)

    return out if all(shared(len(x), products // FORMED, some)) else numpy_conv.conv(x, weight, bias, *way, groups)


def conv_input(
    grad: ndarray, weight: ndarray, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """The gradient of `conv` with respect to its x of spatial `size`."""
    way, products = (stride, padding, dilation), grad.size * weight[0].size
    if not _takes(products, padding, grad, weight):
        return numpy_conv.conv_input(grad, weight, size, *way, groups)
    out = np.empty((len(grad), weight.shape[1] * groups, *size), np.float32)
    given, filters = np.ascontiguousarray(grad), _grouped(weight, groups)

    def some(start: int, stop: int) -> bool:
        return dnnl.run("input", out[start:stop], filters, given[start:stop], None, way)

    return out if all(shared(len(grad), products // FORMED, some)) else numpy_conv.conv_input(grad, weight, size, *way, groups)


def conv_weight(
    x: ndarray, grad: ndarray, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> ndarray:
    """The gradient of `conv` with respect to its weight of size `kernel`: one for each thread's images, added up."""
    shape, way = (grad.shape[1], x.shape[1] // groups, *kernel), (stride, padding, dilation)
    products = grad.size * math.prod(shape[1:])
    if not _takes(products, padding, x, grad):
        return numpy_conv.conv_weight(x, grad, kernel, *way, groups)
    images, given = np.ascontiguousarray(x), np.ascontiguousarray(grad)

    def some(start: int, stop: int) -> ndarray | None:
        out = np.empty(shape, np.float32)
        return out if dnnl.run("weight", images[start:stop], _grouped(out, groups), given[start:stop], None, way) else None

    parts = [part for part in shared(len(x), products // FORMED, some) if part is not None]
    return functools.reduce(np.add, parts) if parts else numpy_conv.conv_weight(x, grad, kernel, *way, groups)


def _takes(products: int, padding: Pads, *arrays: ndarray) -> bool:
    return (
        products >= LEAST
        and all(x.dtype == np.float32 for x in arrays)
        and all(p >= 0 for pair in padding for p in pair)
        and len(padding) <= 3
        and dnnl.library() is not None
    )


def _grouped(weight: ndarray, groups: int) -> ndarray:
    """The weight as oneDNN has it, with an axis for groups where there are several."""
    weight = np.ascontiguousarray(weight)
    return weight if groups == 1 else weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
