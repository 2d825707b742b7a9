"""Derivatives of functions: jacobian, hessian, and their products with vectors. As `torch.autograd.functional`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.modes import enable_grad
from ..core.tensor import Tensor
from .gradient import grad


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """(func(inputs), vᵀJ): the gradient of v · func at `inputs`, in their shapes. v has the shape of the result."""
    points, single = _points(inputs)
    with enable_grad():
        outs, out_single = _results(func(*points))
        grads = grad(outs, points, _weights(v, outs), create_graph=create_graph, allow_unused=True)
    result = tuple(_or_zero(g, x) for g, x in zip(grads, points))
    return _unwrap(_finish(outs, create_graph), out_single), _unwrap(result, single)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """(func(inputs), Jv): how the result moves when the inputs move along v, which has their shapes.

    Two backward passes: vᵀJ is linear in the vector it starts from, and differentiating it there gives J v.
    """
    points, single = _points(inputs)
    with enable_grad():
        outs, out_single = _results(func(*points))
        starts = [Tensor(np.zeros_like(out.raw), requires_grad=True) for out in outs]
        grads = grad(outs, points, starts, create_graph=True, allow_unused=True)
        pairs = [(g, w) for g, w in zip(grads, _weights(v, points)) if g is not None and g.requires_grad]
        moved = grad(
            [g for g, _ in pairs], starts, [w for _, w in pairs], create_graph=create_graph, allow_unused=True
        ) if pairs else [None] * len(outs)  # fmt: skip
    result = tuple(_or_zero(m, out) for m, out in zip(moved, outs))
    return _unwrap(_finish(outs, create_graph), out_single), _unwrap(result, out_single)


def jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False) -> Any:
    """The derivative of every element of the result by every element of the inputs: shape result.shape + input.shape.

    With several inputs or results, a tuple over inputs within a tuple over results. One backward pass per element.
    """
    points, single = _points(inputs)
    with enable_grad():
        outs, out_single = _results(func(*points))
        rows = [_jacobian_of(out, points, create_graph, strict) for out in outs]
    nested = tuple(_unwrap(row, single) for row in rows)
    return _unwrap(nested, out_single)


def hessian(func: Callable[..., Any], inputs: Any, create_graph: bool = False) -> Any:
    """The second derivatives of a scalar function: shape input.shape + input.shape, as `jacobian` of the gradient."""

    def gradient(*points: Any) -> Any:
        out = _scalar(func(*points))
        grads = grad(out, points, create_graph=True, allow_unused=True)
        grads = tuple(_or_zero(g, x) for g, x in zip(grads, points))
        return grads if not isinstance(inputs, Tensor) else grads[0]

    return jacobian(gradient, inputs, create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """(func(inputs), Hv) for a scalar function: the derivative of its gradient along v."""
    points, single = _points(inputs)
    with enable_grad():
        out = _scalar(func(*points))
        grads = grad(out, points, create_graph=True, allow_unused=True)
        pairs = [(g, w) for g, w in zip(grads, _weights(v, points)) if g is not None and g.requires_grad]
        second = grad(
            [g for g, _ in pairs], points, [w for _, w in pairs], create_graph=create_graph, allow_unused=True
        ) if pairs else [None] * len(points)  # fmt: skip
    result = tuple(_or_zero(g, x) for g, x in zip(second, points))
    return _finish([out], create_graph)[0], _unwrap(result, single)


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """(func(inputs), vᵀH); a Hessian is symmetric, so the same as `hvp`."""
    return hvp(func, inputs, v, create_graph)


def _jacobian_of(out: Tensor, points: list[Tensor], create_graph: bool, strict: bool) -> tuple[Tensor, ...]:
    from ..ops import reshape, stack

    rows: list[list[Any]] = [[] for _ in points]
    for index in np.ndindex(out.shape):
        start = np.zeros_like(out.raw)
        start[index] = 1
        if out.requires_grad:
            grads = grad(out, points, Tensor(start), True, create_graph, allow_unused=not strict)
        else:
            grads = (None,) * len(points)
        for row, g, x in zip(rows, grads, points):
            row.append(_or_zero(g, x))
    return tuple(reshape(stack(row), (*out.shape, *x.shape)) for row, x in zip(rows, points))


def _points(inputs: Any) -> tuple[list[Tensor], bool]:
    """The inputs as tensors that require a gradient (copies of leaves that do not), and whether one stood alone."""
    single = isinstance(inputs, Tensor)
    points = [inputs] if single else list(inputs)
    return [x if x.requires_grad else x.detach().requires_grad_() for x in points], single


def _results(out: Any) -> tuple[list[Tensor], bool]:
    return ([out], True) if isinstance(out, Tensor) else (list(out), False)


def _weights(v: Any, like: list[Tensor]) -> list[Tensor]:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError("v is needed: it may be left out only for a single element")
        return [Tensor(np.ones_like(like[0].raw))]
    weights = [v] if isinstance(v, Tensor) else list(v)
    for w, x in zip(weights, like, strict=True):
        if w.shape != x.shape:
            raise RuntimeError(f"v has shape {w.shape} where {x.shape} is needed")
    return weights


def _scalar(out: Any) -> Tensor:
    if not isinstance(out, Tensor) or out.numel() != 1:
        raise RuntimeError("the function must return one tensor of one element")
    return out


def _or_zero(g: Any, x: Tensor) -> Tensor:
    return Tensor(np.zeros_like(x.raw)) if g is None else g


def _finish(outs: list[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    return tuple(out if create_graph else out.detach() for out in outs)


def _unwrap(results: tuple[Any, ...], single: bool) -> Any:
    return results[0] if single else results
