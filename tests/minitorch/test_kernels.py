"""The NumPy kernels that work block by block and by threads: the same numbers however the work is cut."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
import minitorch.nn.functional as F
from minitorch.backend import graph, numpy_conv, numpy_sums, numpy_unrolled, threads
from minitorch.ops.normalize import BatchNorm, GroupNorm, LayerNorm


@pytest.fixture(params=[(2**17, 10**6, 1), (2**17, 10**6, 3), (64, 200, 1), (600, 10**6, 2)])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workspaces of some size, products of some size, and a number of threads."""
    block, small, count = request.param
    for module in (numpy_unrolled, numpy_conv, numpy_sums):
        if hasattr(module, "BLOCK"):
            monkeypatch.setattr(module, "BLOCK", block)
    monkeypatch.setattr(numpy_unrolled, "SMALL", small)
    monkeypatch.setattr(threads, "WORTH_IT", 0)
    monkeypatch.setattr(threads, "_count", count)


def geometries(count: int) -> Iterator[dict[str, Any]]:
    """Convolutions drawn at random: 1 to 3 axes, groups, strides, dilations, uneven and negative paddings."""
    draw = np.random.default_rng(7)

    def some(low: int, high: int, times: int) -> tuple[int, ...]:
        return tuple(draw.integers(low, high, times).tolist())

    while count:
        axes = int(draw.integers(1, 4))
        size, kernel, stride, dilation = (some(1, high, axes) for high in (9, 5, 4, 4))
        padding = tuple(zip(some(-1, 4, axes), some(-1, 4, axes)))
        positions = numpy_conv.conv_size(size, kernel, stride, padding, dilation)
        if min(positions) < 1 or any(n + sum(pair) < 1 for n, pair in zip(size, padding)):
            continue
        count -= 1
        groups, images, channels, filters = (int(draw.integers(1, high)) for high in (4, 6, 10, 10))
        yield {
            "x": draw.normal(size=(images, groups * channels, *size)),
            "weight": draw.normal(size=(groups * filters, channels, *kernel)),
            "bias": draw.normal(size=groups * filters),
            "grad": draw.normal(size=(images, groups * filters, *positions)),
            "way": (stride, padding, dilation),
            "groups": groups,
        }


def test_convolutions_and_their_gradients_are_products_with_all_windows(cut: None) -> None:
    for case in geometries(40):
        x, weight, grad, way, groups = (case[key] for key in ("x", "weight", "grad", "way", "groups"))
        n, filters, kernel = len(x), len(weight), weight.shape[2:]
        columns = numpy_conv.im2col(x, kernel, *way)
        windows = columns.reshape(n, groups, weight[0].size, -1)
        rows, flat = weight.reshape(groups, filters // groups, -1), grad.reshape(n, groups, filters // groups, -1)
        out = np.einsum("gfk,ngkp->ngfp", rows, windows).reshape(grad.shape) + case["bias"].reshape(-1, *(1,) * len(kernel))
        by_weight = np.einsum("ngfp,ngkp->gfk", flat, windows).reshape(weight.shape)
        back = np.einsum("gfk,ngfp->ngkp", rows, flat).reshape(columns.shape)
        by_x = numpy_conv.col2im(back, x.shape[2:], *way)
        close = {"rtol": 1e-10, "atol": 1e-10, "err_msg": str(case["way"])}
        np.testing.assert_allclose(numpy_conv.conv(x, weight, case["bias"], *way, groups), out, **close)
        np.testing.assert_allclose(numpy_conv.conv_weight(x, grad, kernel, *way, groups), by_weight, **close)
        np.testing.assert_allclose(numpy_conv.conv_input(grad, weight, x.shape[2:], *way, groups), by_x, **close)


def test_convolution_gives_the_same_bits_every_time(cut: None) -> None:
    case = next(geometries(1))
    x, weight = (np.concatenate([case[key].astype(np.float32)] * 3) for key in ("x", "weight"))
    x, weight = np.ascontiguousarray(x[:, : weight.shape[1]]), weight
    first = numpy_conv.conv(x, weight, None, *case["way"])
    for _ in range(5):
        np.testing.assert_array_equal(numpy_conv.conv(x, weight, None, *case["way"]), first)


NORMS = [
    *((BatchNorm((0, 2, 3), 1e-5), shape, 1) for shape in ((4, 6, 20, 16), (3, 5, 70, 70))),
    (BatchNorm((0, 2), 1e-5), (2, 3, 6001), 1),
    *((GroupNorm(groups, 1e-5), (4, 6, 20, 16), 1) for groups in (1, 2, 6)),
    (LayerNorm((2,), 1e-5), (8, 64, 64), 2),  # as many channels as numbers in a row
    (LayerNorm((1, 2, 3), 1e-5), (3, 4, 20, 40), 1),
]


@pytest.mark.parametrize(("op", "shape", "axis"), NORMS, ids=lambda value: str(value).replace(" ", ""))
def test_normalization_by_blocks_is_its_formula(op: Any, shape: tuple[int, ...], axis: int, cut: None) -> None:
    draw = np.random.default_rng(0)
    x, grad = draw.normal(size=shape) + 3, draw.normal(size=shape)
    size = shape[axis:] if op.name == "layer_norm" else shape[1:2]
    weight, bias = draw.normal(size=size), draw.normal(size=size)
    for given in ((), (weight,), (weight, bias)):
        nodes = [minitorch.Tensor(array, requires_grad=True) for array in (x, *given)]
        out = minitorch.core.apply.apply(op, *nodes)
        out.backward(minitorch.Tensor(grad))
        # The rule on Tensors computes everything anew, with other kernels.
        needed = tuple(range(len(nodes)))
        plain = op.pull(graph, minitorch.Tensor(grad), out, None, needed, tuple(minitorch.Tensor(node.raw) for node in nodes))
        folded = op.fold(np, x)
        centred = folded - folded.mean(op.axes, keepdims=True)
        normal = (centred / np.sqrt((centred**2).mean(op.axes, keepdims=True) + 1e-5)).reshape(shape)
        wide = [p if op.name == "layer_norm" else p.reshape(-1, *(1,) * (len(shape) - 2)) for p in given]
        for parameter, what in zip(wide, itertools.cycle((np.multiply, np.add))):
            normal = what(normal, parameter)
        np.testing.assert_allclose(out.detach().numpy(), normal, rtol=1e-9, atol=1e-9)
        for node, (_, _, product) in zip(nodes, plain):
            expected = product.raw.sum(tuple(range(product.ndim - node.ndim))) if product.shape != node.shape else product.raw
            np.testing.assert_allclose(node.grad.numpy(), expected, rtol=1e-8, atol=1e-8)


def test_pooling_by_blocks_and_threads(cut: None) -> None:
    x = minitorch.Tensor(np.random.default_rng(0).permutation(5 * 3 * 9 * 8).reshape(5, 3, 9, 8) * 1.0, requires_grad=True)
    out = F.max_pool2d(x, 3, 2, 1)
    out.sum().backward()
    windows = numpy_conv.im2col(x.detach().numpy() + 1, (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1))
    np.testing.assert_array_equal(out.detach().numpy() + 1, windows.reshape(5, 3, 9, 5, 4).max(2))
    wins = np.array([(out.detach().numpy()[i, j] == value).sum() for (i, j, _, _), value in np.ndenumerate(x.detach().numpy())])
    np.testing.assert_array_equal(x.grad.numpy().reshape(-1), wins)
