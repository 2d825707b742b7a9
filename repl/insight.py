"""What a pass says about training: gradient norms by module, dead units, memory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.core.node import Node
from repl import catches
from repl.catches import size
from repl.graph import held
from repl.phrases import ABSENT, count, plain, shape_text
from repl.registry import CommandError
from repl.views import Facts, Table, View
from viz.format import host, number

if TYPE_CHECKING:
    from repl.engine import Session

MOST = 40


def gradients(session: Session) -> View:
    """Each parameter: norms of the number and its gradient, what an update moves, and how much of it is exactly 0."""
    graph, stepper = session.graph, session.stepper
    rows = []
    leaves = [node for node in graph.nodes if node.is_leaf and node.requires_grad]
    if not leaves:
        raise CommandError("no leaf of this graph gets a gradient")
    total = 0.0
    for node in leaves:
        grad = graph.gradient(node) if stepper is not None else held(node)
        weight, slope = size(node.raw), size(grad)
        total += slope**2
        zeros = "" if grad is None else f"{100 * float(np.mean(host(plain(grad)) == 0)):.0f}%"
        ratio = number(slope / weight, 3) if grad is not None and weight else ""
        rows.append(
            (graph.name(node), _count(node), number(weight, 3), number(slope, 3) if grad is not None else ABSENT, ratio, zeros)
        )
    footer = "grad/weight × learning rate is how far plain SGD moves the weight, as a share of it; about 0.001 is healthy"
    summary = f"all together: |grad| = {number(total**0.5, 4)}"
    if len(rows) > MOST:
        summary += f"; the first {MOST} of {len(rows)}"
    return Table(
        ("leaf", "size", "|weight|", "|grad|", "grad/weight", "zero"),
        tuple(rows[:MOST]),
        summary,
        footer,
        None,
        (1, 2, 3, 4, 5),
        0,
    )


def _count(node: Node) -> str:
    shape = getattr(node.raw, "shape", ())
    return shape_text(shape) if shape else "1"


def modules(session: Session) -> View:
    """Each module: how many nodes it made, the norm of the gradients in it, and dead units of its activations."""
    graph, stepper = session.graph, session.stepper
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.op is not None:
            found.setdefault(node.scope or "(outside any)", []).append(node)
    rows = []
    for scope, nodes in list(found.items())[:MOST]:
        read = {x: None for node in nodes for x in node.inputs or () if isinstance(x, Node) and x.is_leaf and x.requires_grad}
        amount = sum(int(host(x.raw).size) for x in read)
        flows = [stepper.flow(node) for node in nodes] if stepper is not None else [held(node) for node in nodes]
        norms = [size(flow) for flow in flows if flow is not None]
        dead = [_dead(node) for node in nodes if node.op is not None and node.op.name in catches.CUTS]
        units = f"{sum(d for d, _ in dead)}/{sum(n for _, n in dead)}" if dead else ""
        rows.append(
            (scope, str(len(nodes)), f"{amount:,}" if amount else "", number(max(norms), 3) if norms else ABSENT, units)
        )
    return Table(("module", "nodes", "parameters", "largest |grad|", "dead"), tuple(rows), right=(1, 2, 3, 4), yields=0)


def _dead(node: Node) -> tuple[int, int]:
    """(units that are 0 for every input of the batch, units) of an activation."""
    out = host(node.raw)
    if out.ndim < 2:
        return int((out == 0).sum()), int(out.size)
    units = (out == 0).all(axis=(0, *range(2, out.ndim)))
    return int(units.sum()), int(units.size)


def memory(session: Session) -> View:
    """Bytes of the numbers in the graph, of the gradients that have arrived, and of what stepping back needs."""
    graph, stepper = session.graph, session.stepper
    seen: set[int] = set()
    leaves = _bytes((node.raw for node in graph.nodes if node.is_leaf), seen)
    results = _bytes((node.raw for node in graph.nodes if not node.is_leaf), seen)
    facts = [("leaves", _told(leaves)), ("results", _told(results))]
    if stepper is not None:
        flows = _bytes((stepper.flow(node) for node in graph.nodes), seen)
        kept = stepper.nbytes
        facts += [
            ("gradients", _told(flows)),
            ("way back", f"{_told(kept)} for {count(stepper.position, 'step')} that can be taken back"),
        ]
        if stepper.limit is not None:
            facts.append(("limit", f"{_told(stepper.limit)} for the way back (option memory)"))
        facts.append(("together", _told(leaves + results + flows + kept)))
    return Facts("", tuple(facts))


def _bytes(values: Any, seen: set[int]) -> int:
    """Bytes of numbers and arrays, each array once."""
    total = 0
    for value in values:
        for part in value if isinstance(value, (list, tuple)) else (value,):
            if part is None or isinstance(part, int):
                continue
            if isinstance(part, float):
                total += sys.getsizeof(part)
                continue
            owner = part if getattr(part, "base", None) is None else part.base
            if id(owner) not in seen:
                seen.add(id(owner))
                total += int(getattr(owner, "nbytes", 0))
    return total


def _told(amount: int) -> str:
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount} {unit}" if isinstance(amount, int) else f"{amount:.3g} {unit}"
        amount = amount / 1000  # type: ignore[assignment]
    return f"{amount:.3g} GB"
