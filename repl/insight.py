"""What a pass says about training: gradient norms by module, dead units, memory."""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import Stepper
from minitorch.backend.gpus import beside
from minitorch.core.node import Node
from minitorch.optim import Optimizer
from repl import catches
from repl.catches import size
from repl.edits import Held
from repl.graph import held
from repl.phrases import ABSENT, count, plain, shape_text
from repl.registry import CommandError
from repl.views import Facts, Table, View
from viz.format import number
from viz.statistics import Statistics, statistics

if TYPE_CHECKING:
    from repl.engine import Session

MOST = 40


def gradients(session: Session) -> View:
    """Each parameter: norms of the number and its gradient, what an update moves, and how much of it is exactly 0."""
    graph, stepper = session.graph, session.stepper
    leaves = [node for node in graph.leaves if node.requires_grad]
    if not leaves:
        raise CommandError("no leaf of this graph gets a gradient")
    found = [graph.gradient(node) if stepper is not None else held(node) for node in leaves]
    if all(grad is None for grad in found):
        raise CommandError(
            "no gradient has arrived at a leaf yet" + ("; `end` goes on to the end of the pass" if stepper else "")
        )
    optimizer, moves = updates(session)
    rows = []
    for node, grad in zip(leaves[:MOST], found):
        weight, slope = size(node.raw), size(grad)
        zeros = "" if grad is None else _share_of_zeros(statistics(plain(grad)))
        moved = moves.get(node) if optimizer else slope if grad is not None else None
        ratio = number(moved / weight, 3) if moved is not None and weight else ""
        rows.append(
            (graph.name(node), _count(node), number(weight, 3), number(slope, 3) if grad is not None else ABSENT, ratio, zeros)
        )
    if optimizer:
        footer = f"update/weight: how far {optimizer}'s next step moves the weight, as a share of it; about 0.001 is healthy"
    else:
        footer = "grad/weight × learning rate is how far plain SGD moves the weight, as a share of it; about 0.001 is healthy"
        if any(isinstance(x, Optimizer) for x in session.variables.values()):
            footer += "; at the end of the pass, what your optimizer would do"
    summary = f"all together: |grad| = {number(sum(size(grad) ** 2 for grad in found) ** 0.5, 4)}"
    if len(leaves) > MOST:
        summary += f"; the first {MOST} of {len(leaves)}"
    ratio = "update/weight" if optimizer else "grad/weight"
    header = ("leaf", "size", "|weight|", "|grad|", ratio, "zero")
    return Table(header, tuple(rows), summary, footer, None, (1, 2, 3, 4, 5), 0)


def updates(session: Session) -> tuple[str, dict[Node, float]]:
    """What the optimizers among the variables would do now: their names, and how far they would move each parameter.

    They take their step, and all of it is taken back. Nothing where there is none, where gradients are still to come, and
    in a what-if (whose gradients the optimizers do not have).
    """
    stepper, branches = session.stepper, session.branches
    if stepper is not None and not stepper.finished or branches is not None and branches.current is not branches.all[0]:
        return "", {}
    moved: dict[Node, float] = {}
    names = []
    for optimizer in {id(x): x for x in session.variables.values() if isinstance(x, Optimizer)}.values():
        parameters = [p for group in optimizer.param_groups for p in group["params"] if held(p) is not None]
        state, before = copy.deepcopy(optimizer.state_dict()), [Held.of(p) for p in parameters]
        try:
            optimizer.step()
            for p, was in zip(parameters, before):
                with beside(p.raw):
                    moved[p] = size(p.raw - was.raw)
            names.append(type(optimizer).__name__)
        except Exception:  # one that needs a closure, or a gradient that is not there: it cannot be asked
            continue
        finally:
            for was in before:
                was.put_back()
            optimizer.load_state_dict(state)
    return " and ".join(dict.fromkeys(names)), moved


def _share_of_zeros(found: Statistics) -> str:
    return f"{100 * found.zeros / max(found.size, 1):.0f}%"


def _count(node: Node) -> str:
    shape = getattr(node.raw, "shape", ())
    return shape_text(shape) if shape else "1"


def modules(session: Session) -> View:
    """Each module: its parameters and the norm of their gradients, the gradients at its nodes, and its dead units."""
    graph, stepper = session.graph, session.stepper
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.op is not None:
            found.setdefault(graph.scope(node) or "(outside any)", []).append(node)
    rows = []
    for scope, nodes in list(found.items())[:MOST]:
        read = {x: None for node in nodes for x in node.inputs or () if isinstance(x, Node) and x.is_leaf and x.requires_grad}
        amount = sum(int(np.size(x.raw)) for x in read)
        weights = [graph.gradient(x) if stepper is not None else held(x) for x in read]
        arrived = [size(grad) for grad in weights if grad is not None]
        flows = [stepper.flow(node) for node in nodes] if stepper is not None else [held(node) for node in nodes]
        norms = [size(flow) for flow in flows if flow is not None]
        dead = [catches.flat_units(node.raw) for node in nodes if node.op is not None and node.op.name in catches.CUTS]
        rows.append(
            (
                scope,
                str(len(nodes)),
                f"{amount:,}" if amount else "",
                (number(sum(norm**2 for norm in arrived) ** 0.5, 3) if arrived else ABSENT) if read else "",
                number(max(norms), 3) if norms else ABSENT,
                f"{sum(d for d, _ in dead)}/{sum(n for _, n in dead)}" if dead else "",
            )
        )
    header = ("module", "nodes", "parameters", "|grad|", "at a node", "dead")
    footer = "|grad| is that of its parameters, `at a node` the largest of its results'"
    footer += "; dead: units of an activation that are 0 for every input" if any(row[5] for row in rows) else ""
    return Table(header, tuple(rows), footer=footer, right=(1, 2, 3, 4, 5), yields=0)


def memory(session: Session) -> View:
    """Bytes of the numbers in the graph, of the gradients that have arrived, and of what stepping back needs."""
    graph, stepper = session.graph, session.stepper
    seen: set[int] = set()
    leaves = _bytes((node.raw for node in graph.nodes if node.is_leaf), seen)
    results = _bytes((node.raw for node in graph.nodes if not node.is_leaf), seen)
    facts = [("leaves", told(leaves)), ("results", told(results))]
    if stepper is not None:
        flows = _bytes((stepper.flow(node) for node in graph.nodes), seen)
        kept = way_back(stepper)
        facts += [
            ("gradients", told(flows)),
            ("way back", f"{told(kept)} for {count(stepper.position, 'step')} that can be taken back"),
        ]
        if stepper.limit is not None:
            facts.append(("limit", f"{told(stepper.limit)} for the way back (option memory)"))
        facts.append(("together", told(leaves + results + flows + kept)))
    return Facts("", tuple(facts))


def way_back(stepper: Stepper) -> int:
    """Bytes that going back through the pass takes: arrays, and about two numbers for each contribution."""
    return stepper.nbytes + 2 * sys.getsizeof(1.0) * stepper.position


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


def told(amount: int) -> str:
    """Bytes in words: `512 B`, `1.2 MB`."""
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount} {unit}" if isinstance(amount, int) else f"{amount:.3g} {unit}"
        amount = amount / 1000  # type: ignore[assignment]
    return f"{amount:.3g} GB"
