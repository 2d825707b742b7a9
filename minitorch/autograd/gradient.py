"""Gradients as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.gpus import beside
from ..core import backward as engine
from ..core import location
from ..core.modes import no_grad, state
from ..core.node import Node
from ..core.tensor import Tensor
from ..core.value import Value


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
    roots = as_list(outputs)
    targets = as_list(inputs)
    starts = [None] * len(roots) if grad_outputs is None else as_list(grad_outputs)
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
    if grad is not None and target.op is None:
        grad = engine.hooked(target, grad)
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
    with beside(target.raw):
        return Tensor(grad if target in flow.owned else grad.copy())


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """`backward()` of several results: adds to `.grad` of every leaf the gradient of their sum.

    `grad_tensors` gives the gradient to start from at each (needed for results of more than one element).
    """
    roots = as_list(tensors)
    starts = [None] * len(roots) if grad_tensors is None else as_list(grad_tensors)
    for number, (root, start) in enumerate(zip(roots, starts, strict=True)):
        last = number == len(roots) - 1
        engine.backward(root, start, retain_graph if last else True, create_graph)


def as_list(x: Any) -> list[Any]:
    return [x] if isinstance(x, Node) else list(x)
