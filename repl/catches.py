"""What `catch` looks for in every contribution of a pass, and who made the first bad number of a forward pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minitorch import Contribution, Stepper
from minitorch.backend.gpus import at_home
from minitorch.core.node import Node
from repl import phrases
from repl.graph import Graph
from repl.phrases import brief, count

CUTS = {"relu", "relu6", "clamp", "hardtanh", "hardsigmoid", "hardshrink", "softshrink", "threshold"}
"""Activations that are flat somewhere: a unit that is there for every input learns nothing."""


@dataclass(frozen=True)
class Kind:
    """One thing to catch: what it is, the limit it has unless another is given, and the question to a contribution."""

    summary: str
    limit: float | None
    ask: Callable[[Graph, Contribution, float], str]


@at_home
def bad(value: Any, kind: str) -> bool:
    """Whether a number or an array holds a nan (kind "nan") or an infinity (kind "inf")."""
    value = phrases.plain(value)
    if isinstance(value, (list, tuple)):
        return any(bad(part, kind) for part in value)
    if isinstance(value, float):
        return value != value if kind == "nan" else math.isinf(value)
    dtype = getattr(value, "dtype", None)
    if dtype is None or dtype.kind != "f":
        return False
    found = value != value if kind == "nan" else abs(value) == math.inf
    return bool(found.any().item())


@at_home
def size(value: Any) -> float:
    """The norm of a number or an array; 0 for nothing."""
    value = phrases.plain(value)
    if value is None or isinstance(value, list):
        return 0.0
    return abs(value) if isinstance(value, (int, float)) else float(((abs(value) ** 2).sum() ** 0.5).item())


def _not_finite(kind: str) -> Callable[[Graph, Contribution, float], str]:
    def ask(graph: Graph, c: Contribution, limit: float) -> str:
        if not bad(c.contribution, kind) or bad(c.incoming, kind):
            return ""
        return f"{kind}: {_edge(graph, c)} turned {brief(c.incoming)} into {brief(c.contribution)}{_at(c.node)}"

    return ask


def _zero(graph: Graph, c: Contribution, limit: float) -> str:
    if c.contribution is None or size(c.contribution) != 0.0 or size(c.incoming) == 0.0:
        return ""
    return f"zero: nothing of {brief(c.incoming)} gets through {_edge(graph, c)}{_at(c.node)}"


def _explode(graph: Graph, c: Contribution, limit: float) -> str:
    now = size(c.after)
    if not now > limit or size(c.before) > limit:
        return ""
    return f"explode: the gradient at {graph.name(c.input)} has norm {now:.3g}, more than {limit:g} ({_edge(graph, c)})"


def _vanish(graph: Graph, c: Contribution, limit: float) -> str:
    assert graph.stepper is not None
    arrived, expected = graph.stepper.arrivals(c.input)
    now = size(c.after)
    if arrived < expected or not 0.0 < now < limit:
        return ""
    return f"vanish: the gradient at {graph.name(c.input)} has norm {now:.3g}, less than {limit:g}"


def _dead(graph: Graph, c: Contribution, limit: float) -> str:
    if c.node.op is None or c.node.op.name not in CUTS or c.local is None:
        return ""
    local, name = c.local, graph.name(c.node)
    if isinstance(local, (int, float)):
        return f"dead: {name} is flat here, nothing gets through{_at(c.node)}" if local == 0 else ""
    dead, units = flat_units(local)
    if local.ndim < 2:
        return f"dead: {name} is flat at all {count(dead, 'element')}{_at(c.node)}" if dead == units and dead else ""
    return f"dead: {dead} of {count(units, 'unit')} of {name} are flat for every input{_at(c.node)}" if dead else ""


@at_home
def flat_units(array: Any) -> tuple[int, int]:
    """(units that are 0 for every input of the batch, units) of an array (batch, units, ...); of one with a single axis,
    elements."""
    units = array == 0 if array.ndim < 2 else (array == 0).all(axis=(0, *range(2, array.ndim)))
    return int(units.sum().item()), int(units.size)


def _stale(graph: Graph, c: Contribution, limit: float) -> str:
    assert graph.stepper is not None
    x = c.input
    if not x.is_leaf or len(graph.stepper.ledger(x)) != 1:
        return ""
    before = graph.stepper.grad_before(x)
    if before is None:
        return ""
    return f"stale: {graph.name(x)}.grad = {brief(before)} is left from an earlier pass, and this one adds to it"


KINDS = {
    "nan": Kind("a rule makes a nan out of a gradient without one; or the forward pass did", None, _not_finite("nan")),
    "inf": Kind("the same for an infinity", None, _not_finite("inf")),
    "zero": Kind("an edge through which nothing gets", None, _zero),
    "explode": Kind("a gradient whose norm exceeds a limit", 1e3, _explode),
    "vanish": Kind("a complete gradient whose norm is below a limit, and not 0", 1e-6, _vanish),
    "dead": Kind("units of a relu that are flat for every input of the batch", None, _dead),
    "stale": Kind("a leaf that still holds the .grad of an earlier pass", None, _stale),
}


def _edge(graph: Graph, c: Contribution) -> str:
    return f"{phrases.definition(c.node, graph.name)}  →  {graph.name(c.input)}"


def _at(node: Node) -> str:
    place = phrases.place(node)
    return f", made at {place}" if place else ""


def made_first(graph: Graph, kind: str) -> str:
    """The first operation of the forward pass that turned inputs without a nan (or inf) into one, in a sentence; or ""."""
    for node in graph.nodes:
        if not bad(node.raw, kind):
            continue
        inputs = [x for x in node.inputs or () if x is not None]
        if node.op is None:
            return f"{kind} in the forward pass: {graph.name(node)} came with it, {brief(node)}"
        if not any(bad(x, kind) for x in inputs):
            given = ", ".join(f"{graph.name(x)} {brief(x)}" for x in inputs if isinstance(x, Node))
            source = phrases.source_line(node)
            return (
                f"{kind} in the forward pass: {phrases.definition(node, graph.name)} made the first one{_at(node)}"
                + (f", `{source}`" if source else "")
                + (f", from {given}" if given else "")
            )
    return ""


def gradient_made_first(graph: Graph, stepper: Stepper, kind: str) -> str:
    """The first contribution from the present position on that makes a nan (or inf); the pass is left where it was."""
    ask, start = KINDS[kind].ask, stepper.position
    reason = ""
    while not reason:
        c = stepper.step()
        if c is None:
            break
        reason = ask(graph, c, 0.0)
    stepper.goto(start)
    return reason
