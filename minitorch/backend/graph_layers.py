"""What the rules of layers (convolution, pooling, resizing, ...) call on Tensors: each kernel as the operation it is."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..core.apply import apply
from ..core.node import Node
from ..core.tensor import Tensor
from ..ops.attention import MaskedSoftmax
from ..ops.conv import Col2Im, Conv, ConvTranspose, ConvWeight, Im2Col
from ..ops.index import Into
from ..ops.linear import linear
from ..ops.pad import Pad, Unpad
from ..ops.pool import PickWinners, Spread, SumPool, Unpool
from ..ops.resize import AlongAxes, Nearest, NearestBack
from . import BACKENDS

Sizes = tuple[int, ...]


def raw(x: Any) -> Any:
    return x.raw if isinstance(x, Node) else x


def backend(x: Any) -> Any:
    """The namespace of the arrays behind x."""
    return BACKENDS[type(raw(x))]


def conv(x: Any, weight: Any, bias: Any, *way: Any) -> Any:
    return apply(Conv(*way), x, weight)


def conv_input(grad: Any, weight: Any, size: Sizes, *way: Any) -> Any:
    return apply(ConvTranspose(size, *way), grad, weight)


def conv_weight(x: Any, grad: Any, kernel: Sizes, *way: Any) -> Any:
    return apply(ConvWeight(kernel, *way), x, grad)


def im2col(x: Any, kernel: Sizes, *way: Any) -> Any:
    return apply(Im2Col(kernel, *way), x)


def col2im(columns: Any, size: Sizes, *way: Any) -> Any:
    return apply(Col2Im(size, *way), columns)


def winners(x: Any, out: Any, *way: Any) -> Any:
    return backend(x).winners(raw(x), raw(out), *way)


def unpool(grad: Any, winner: Any, size: Sizes, *way: Any) -> Any:
    return apply(Unpool(winner, size, *way), grad)


def pick_winners(x: Any, winner: Any, *way: Any) -> Any:
    return apply(PickWinners(winner, *way), x)


def sum_pool(x: Any, *way: Any) -> Any:
    return apply(SumPool(*way), x)


def spread(grad: Any, size: Sizes, *way: Any) -> Any:
    return apply(Spread(size, *way), grad)


def per_place(counts: Any, like: Any) -> Any:
    return Tensor(backend(like).per_place(counts, raw(like)))


def mean_product(x: Any, y: Any, axis: Any) -> Any:
    return ops.mean(x * y, axis, True)


def mean_square_from(centre: Any, x: Any, axis: Any) -> Any:
    away = x - centre
    return mean_product(away, away, axis)


def turned(x: Any) -> Any:
    return ops.transpose(x, 0, 1)


def affine(x: Any, weight: Any, bias: Any) -> Any:
    return linear(x, weight, bias)


def lstm_gates(fed: Any, own: Any) -> Any:
    i, f, g, o = ops.chunk(fed + own, 4, -1)
    return ops.cat([ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)], -1)


def along_axes(x: Any, matrices: Any) -> Any:
    return apply(AlongAxes(matrices), x)


def averaging(length: int, parts: int, like: Any) -> Any:
    return backend(like).averaging(length, parts, raw(like))


def mixing(taps: Any, length: int, like: Any) -> Any:
    return backend(like).mixing(taps, length, raw(like))


def nearest(x: Any, indices: Any) -> Any:
    return apply(Nearest(indices), x)


def nearest_back(grad: Any, indices: Any, size: Sizes) -> Any:
    return apply(NearestBack(indices, size), grad)


def pad(x: Any, pads: Any, mode: str, value: float) -> Any:
    return apply(Pad(pads, mode, value), x)


def unpad(grad: Any, pads: Any, mode: str, shape: Sizes) -> Any:
    return apply(Unpad(pads, mode, shape), grad)


def how_often(index: Any) -> Any:
    return backend(index).how_often(raw(index))


def grid_lines(along: Any, *rest: Any) -> Any:
    return backend(along).grid_lines(raw(along), *rest)


def grid_cell(place: Any, mode: str) -> Any:
    return backend(place).grid_cell(raw(place), mode)


def grid_pixel(number: Any, *rest: Any) -> Any:
    return backend(number).grid_pixel(number, *rest)


def image_numbers(grid: Any) -> Any:
    return backend(grid).image_numbers(raw(grid))


def into_all(parts: Any, shape: tuple[int, ...]) -> Any:
    total = apply(Into(parts[0][1], shape), parts[0][0])
    for part, index in parts[1:]:
        total = total + apply(Into(index, shape), part)
    return total


def masked_softmax(scores: Any, mask: Any, causal: bool) -> Any:
    return apply(MaskedSoftmax(causal), scores) if mask is None else apply(MaskedSoftmax(causal), scores, mask)


def minus_at(x: Any, index: Any, less: Any) -> Any:
    if less.ndim:  # one for each row
        less = ops.unsqueeze(less, 1)
    return x - Tensor(backend(x).one_hot(raw(index), x.shape[-1], raw(x))) * less
