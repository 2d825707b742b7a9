"""Convolution on CuPy arrays without cuDNN: windows as columns (im2col, one kernel), times the weights (cuBLAS).

Shapes as in the NumPy backend: x (n, channels, *size), weight (filters, channels / groups, *kernel), result (n, filters,
*positions). Columns are (channels, *kernel, n, *positions): one product for all images, whichever gradient is asked for.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import cupy

from .cupy_linear import matmul
from .cupy_windows import each_window_over, index_type, kernel, numbers
from .gpu_flags import flags
from .numpy_conv import conv_size

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

BLOCK = 2**27
"""How many numbers columns hold at most at a time (half a gigabyte of float32); more images are taken in turns."""


def conv(
    x: Any, weight: Any, bias: Any, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> Any:
    """At each position, the products of each filter with the window of x there, added up; plus the filter's bias."""
    size = conv_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    filters = len(weight)
    rows = cupy.ascontiguousarray(weight).reshape(groups, filters // groups, -1)
    shift = 0 if bias is None else bias.reshape(-1, *(1,) * len(size))
    out = cupy.empty((len(x), filters, *size), cupy.result_type(x, weight))
    for images in _turns(len(x), rows.shape[2] * groups * math.prod(size)):
        columns = _columns(x[images], weight.shape[2:], size, stride, padding, dilation)
        product = _product(rows, columns.reshape(groups, rows.shape[2], -1)).reshape(filters, -1, *size)
        cupy.add(product.swapaxes(0, 1), shift, out=out[images])
    return out


def conv_weight(
    x: Any, grad: Any, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> Any:
    """The gradient of `conv` with respect to its weight of size `kernel`: grad times every window of x, added up."""
    filters, channels, size = grad.shape[1], x.shape[1] // groups, grad.shape[2:]
    depth = channels * math.prod(kernel)
    total = cupy.zeros((groups, filters // groups, depth), cupy.result_type(x, grad))
    for images in _turns(len(x), depth * groups * math.prod(size)):
        columns = _columns(x[images], kernel, size, stride, padding, dilation).reshape(groups, depth, -1)
        above = grad[images].swapaxes(0, 1).reshape(groups, filters // groups, -1)
        total += _product(above, columns.swapaxes(1, 2))
    return total.reshape(filters, channels, *kernel)


def conv_input(
    grad: Any, weight: Any, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1
) -> Any:
    """The gradient of `conv` with respect to its x of spatial `size`: each element of grad, times the filter, put where
    the filter read. As an operation of its own, the transposed convolution."""
    filters, channels, kernel, positions = len(weight), weight.shape[1], weight.shape[2:], grad.shape[2:]
    rows = weight.reshape(groups, filters // groups, -1).swapaxes(1, 2)
    out = cupy.empty((len(grad), groups * channels, *size), cupy.result_type(grad, weight))
    for images in _turns(len(grad), rows.shape[1] * groups * math.prod(positions)):
        above = grad[images].swapaxes(0, 1).reshape(groups, filters // groups, -1)
        columns = _product(rows, above).reshape(groups * channels, *kernel, -1, *positions)
        out[images] = _together(columns, size, stride, padding, dilation)
    return out


def _product(a: Any, b: Any) -> Any:
    return matmul(a, b, flags.cudnn_tf32)


def im2col(x: Any, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """All windows of x, shape (n, channels, *kernel, *positions)."""
    size = conv_size(x.shape[2:], kernel, stride, padding, dilation)
    columns = _columns(x, kernel, size, stride, padding, dilation)
    return cupy.ascontiguousarray(cupy.moveaxis(columns, 1 + len(kernel), 0))


def col2im(columns: Any, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """The windows put back where `im2col` read them, added up where they overlap: shape (n, channels, *size)."""
    return _together(cupy.moveaxis(columns, 0, 1 + len(size)), size, stride, padding, dilation)


def _turns(images: int, each: int) -> list[slice]:
    """The images, as many at a time as fit into a block of columns with `each` numbers for one."""
    step = max(1, BLOCK // max(1, each))
    return [slice(start, start + step) for start in range(0, images, step)]


def _columns(x: Any, window: Sizes, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """(channels, *kernel, n, *positions) from x (n, channels, *size)."""
    out = cupy.empty((x.shape[1], *window, len(x), *size), x.dtype)
    if out.size:
        sizes = numbers(x.shape[2:], window, size, stride, padding, dilation)
        _im2col(len(window), index_type(out, x))(x, *x.shape[:2], *sizes, out)
    return out


def _together(columns: Any, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """(n, channels, *size) from (channels, *kernel, n, *positions)."""
    axes = len(size)
    window, positions, images = columns.shape[1 : 1 + axes], columns.shape[2 + axes :], columns.shape[1 + axes]
    out = cupy.zeros((images, len(columns), *size), columns.dtype)
    if out.size and columns.size:
        sizes = numbers(size, window, positions, stride, padding, dilation)
        _col2im(axes, index_type(out, columns))(columns, images, len(columns), *sizes, out)
    return out


@functools.cache
def _im2col(axes: int, index: str) -> Any:
    lines = [f"{index} rest = i;"]
    for a in reversed(range(axes)):
        lines.append(f"{index} x{a} = rest % p{a} * s{a} - b{a}; rest /= p{a};")
    lines.append(f"{index} at = rest % images * channels; rest /= images;")
    for a in reversed(range(axes)):
        lines.append(f"x{a} += rest % k{a} * d{a}; rest /= k{a};")
    lines.append("at += rest;")
    lines += [f"at = at * l{a} + x{a};" for a in range(axes)]
    inside = " && ".join(f"x{a} >= 0 && x{a} < l{a}" for a in range(axes))
    lines.append(f"column = {inside} ? x[at] : T(0);")
    return kernel("im2col", axes, index, "raw T x", "T column", lines, "images channels")


@functools.cache
def _col2im(axes: int, index: str) -> Any:
    """Each element of the image adds up the windows it lies in. Of a window's elements, `tap` counts those along all axes; in
    the columns they come before the images and the positions."""
    lines = [f"{index} plane = i / ({' * '.join(f'l{a}' for a in range(axes))});"]
    lines += [f"{index} channel = plane % channels, image = plane / channels;", "T total = 0;"]
    taps, spots = (" * ".join(f"{name}{a}" for a in range(axes)) for name in "kp")
    column = f"((channel * ({taps}) + tap) * images + image) * ({spots}) + at - rest * ({spots})"
    lines += [*each_window_over(axes, index, f"total += columns[{column}];"), "out = total;"]
    return kernel("col2im", axes, index, "raw T columns", "T out", lines, "images channels")
