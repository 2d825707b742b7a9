"""Gradients as values: `grad`, and the checks that hold them to finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .core import backward as engine
from .core import location
from .core.backward import backward
from .core.modes import enable_grad, inspect, is_grad_enabled, no_grad, set_grad_enabled, state
from .core.node import Node
from .core.tensor import Tensor
from .core.value import Value

__all__ = ["backward", "enable_grad", "grad", "gradcheck", "inspect", "is_grad_enabled", "no_grad", "set_grad_enabled"]


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` (added up) with respect to each of `inputs`, without touching any `.grad`.

    Returns one Value or Tensor per input, of the input's shape; with `create_graph` they can be differentiated again.
    `grad_outputs` gives the gradient to start from at each output (needed for outputs of more than one element).
    Raises RuntimeError for an input that the outputs do not depend on, unless `allow_unused` (None in its place).
    """
    roots = _as_list(outputs)
    targets = _as_list(inputs)
    starts = [None] * len(roots) if grad_outputs is None else _as_list(grad_outputs)
    flow_start: dict[Node, Any] = {}
    for root, start in zip(roots, starts, strict=True):
        first = engine.seed(root, start, create_graph)
        flow_start[root] = flow_start[root] + first if root in flow_start else first
    steps = engine.plan(roots)
    wanted = _leading_to(targets, steps)
    if create_graph:
        flow = engine.run(steps, flow_start, True, wanted)
    else:
        with no_grad():
            flow = engine.run(steps, flow_start, False, wanted)
    result = tuple(_found(flow, target, create_graph, allow_unused) for target in targets)
    if not (retain_graph if retain_graph is not None else create_graph or state.inspecting):
        engine.free(steps)
    return result


def _leading_to(targets: Sequence[Node], steps: Sequence[engine.Step]) -> set[Node]:
    """The targets, and every node of the plan through which a gradient gets to one."""
    wanted = set(targets)
    for node, slots in reversed(steps):
        if any(node.inputs[slot] in wanted for slot in slots):  # type: ignore[index]
            wanted.add(node)
    return wanted


def _found(flow: engine.Flow, target: Node, create_graph: bool, allow_unused: bool) -> Any:
    grad = flow.get(target)
    if grad is None:
        if allow_unused:
            return None
        name = location.variable_name(target) or "an input"
        reason = "" if target.requires_grad else " (it does not require a gradient)"
        raise RuntimeError(f"the output does not depend on '{name}'{reason}; pass allow_unused=True to get None for it")
    if isinstance(grad, Node):
        return grad
    if isinstance(target, Value):
        return Value(grad)
    return Tensor(grad if target in flow.owned else grad.copy())


def _as_list(x: Any) -> list[Any]:
    return [x] if isinstance(x, Node) else list(x)


def gradcheck(
    function: Callable[..., Any], inputs: Any, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:  # fmt: skip
    """Compare the gradients of `function(*inputs)` with central finite differences of step `eps`.

    Every input with requires_grad must be float64 (or a Value). Raises RuntimeError naming the input and element of the
    first disagreement beyond atol + rtol × |difference|, or returns False with `raise_exception=False`.
    """
    points = _as_list(inputs)
    active = [i for i, x in enumerate(points) if isinstance(x, Node) and x.requires_grad]
    for i in active:
        if isinstance(points[i], Tensor) and points[i].dtype != np.float64:
            raise ValueError(f"gradcheck needs float64 inputs; input {i} is {points[i].dtype}")
    weights = np.random.default_rng(0)
    out = function(*points)
    v = weights.uniform(0.5, 1.5, np.shape(out.raw))

    def total() -> float:
        return float(np.sum(function(*points).raw * v))

    analytic = grad(out, [points[i] for i in active], v if isinstance(out, Tensor) else float(v), allow_unused=True)
    for i, found in zip(active, analytic):
        problem = _compare(points[i], found, total, i, eps, atol, rtol)
        if problem:
            if raise_exception:
                raise RuntimeError(problem)
            return False
    return True


def _compare(x: Any, found: Any, total: Callable[[], float], number: int, eps: float, atol: float, rtol: float) -> str:
    """What is wrong with the gradient `found` at input `x`, or "". `x` is nudged and put back."""
    shape = np.shape(x.raw)
    numeric = np.zeros(shape)
    for index in np.ndindex(shape):
        numeric[index] = (_nudged(x, index, eps, total) - _nudged(x, index, -eps, total)) / (2 * eps)
    exact = np.zeros(shape) if found is None else np.asarray(found.raw)
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
    before = x.raw if isinstance(x, Value) else x.raw[index]
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
