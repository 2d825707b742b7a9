"""Gradients held to finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.device import host
from ..core.modes import enable_grad, no_grad
from ..core.node import Node
from ..core.tensor import Tensor
from ..core.value import Value
from .gradient import as_list, grad


def gradcheck(
    func: Callable[..., Any], inputs: Any, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:  # fmt: skip
    """Compare the gradients of `func(*inputs)` with central finite differences of step `eps`.

    Every input with requires_grad must be float64 (or a Value); `func` returns one result or several, of which a random
    weighted sum is checked. Raises RuntimeError naming the input and element of the first disagreement beyond
    atol + rtol × |difference|, or returns False with `raise_exception=False`.
    """
    points = as_list(inputs)
    active = [i for i, x in enumerate(points) if isinstance(x, Node) and x.requires_grad]
    for i in active:
        if isinstance(points[i], Tensor) and points[i].dtype != np.float64:
            raise ValueError(f"gradcheck needs float64 inputs; input {i} is {points[i].dtype}")
    outs = _differentiable(func(*points))
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.5, 1.5, np.shape(out.raw)) for out in outs]

    def total() -> float:
        return float(sum(np.sum(host(out.raw) * w) for out, w in zip(_results(func(*points)), weights)))

    starts = [Tensor(w).to(out.device) if isinstance(out, Tensor) else Value(float(w)) for out, w in zip(outs, weights)]
    analytic = grad(outs, [points[i] for i in active], starts, allow_unused=True)
    for i, found in zip(active, analytic):
        problem = _compare(points[i], found, total, i, eps, atol, rtol)
        if problem:
            if raise_exception:
                raise RuntimeError(problem)
            return False
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, raise_exception: bool = True,
) -> bool:  # fmt: skip
    """`gradcheck` of the gradients of `func`: second derivatives against finite differences of the first.

    `grad_outputs` are the gradients the first backward starts from (random ones when None); they are checked too.
    """
    points = as_list(inputs)
    active = [i for i, x in enumerate(points) if isinstance(x, Node) and x.requires_grad]
    outs = _differentiable(func(*points))
    rng = np.random.default_rng(1)
    if grad_outputs is None:
        starts: list[Any] = [
            Value(rng.uniform(0.5, 1.5)) if isinstance(out, Value)
            else Tensor(rng.uniform(0.5, 1.5, out.shape)).to(out.device).requires_grad_()
            for out in outs
        ]  # fmt: skip
    else:
        starts = as_list(grad_outputs)

    def gradients(*args: Any) -> list[Any]:
        again, first = args[: len(points)], list(args[len(points) :])
        with enable_grad():  # gradcheck looks at finite differences without recording; here the first pass is needed
            with_graph = grad(
                _differentiable(func(*again)), [again[i] for i in active], first, create_graph=True, allow_unused=True
            )
        return [g for g in with_graph if g is not None]

    return gradcheck(gradients, (*points, *starts), eps, atol, rtol, raise_exception)


def _results(out: Any) -> list[Node]:
    """The results of a function that carry a gradient, or would outside no_grad."""
    return [x for x in as_list(out) if isinstance(x, Value) or isinstance(x, Tensor) and x.raw.dtype.kind == "f"]


def _differentiable(out: Any) -> list[Any]:
    found = [x for x in _results(out) if x.requires_grad]
    if len(found) != len(_results(out)):
        raise ValueError("every result must depend on an input with requires_grad")
    return found


def _compare(x: Any, found: Any, total: Callable[[], float], number: int, eps: float, atol: float, rtol: float) -> str:
    """What is wrong with the gradient `found` at input `x`, or "". `x` is nudged and put back."""
    shape = np.shape(x.raw)
    numeric = np.zeros(shape)
    for index in np.ndindex(shape):
        numeric[index] = (_nudged(x, index, eps, total) - _nudged(x, index, -eps, total)) / (2 * eps)
    exact = np.zeros(shape) if found is None else host(found.raw)
    wrong = ~np.isclose(exact, numeric, rtol, atol, equal_nan=True)
    if not wrong.any():
        return ""
    where = tuple(int(k[0]) for k in np.nonzero(np.atleast_1d(wrong)))
    at = list(where) if shape else ""
    return (
        f"gradient of input {number}{at}: backward gives {np.atleast_1d(exact)[where]:.8g}, "
        f"finite differences give {np.atleast_1d(numeric)[where]:.8g}"
    )


def _nudged(x: Any, index: tuple[int, ...], by: float, total: Callable[[], float]) -> float:
    """`total()` with one element of `x` moved by `by`; the old number is put back."""
    before = x.raw if isinstance(x, Value) else x.raw[index].copy()
    try:
        if isinstance(x, Value):
            x.raw = before + by
        else:
            x.raw[index] = before + by
        with no_grad():
            return total()
    finally:
        if isinstance(x, Value):
            x.raw = before
        else:
            x.raw[index] = before
