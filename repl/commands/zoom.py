"""Zoom: an operation on tensors as the scalar Values it stands for, stepped like any pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from minitorch import Stepper, Value
from minitorch.core.node import Node, ancestors
from minitorch.core.zoom import zoom as zoom_into
from repl import stopview
from repl.phrases import count
from repl.registry import CommandError, command
from repl.views import Message, View
from viz.format import host

if TYPE_CHECKING:
    from repl.engine import Session

MATRIX = (
    "x = tensor([[1.0, 2.0]])",
    "W = tensor([[0.5, -1.0], [0.25, 1.0]], requires_grad=True)",
    "y = x @ W",
    "L = y.sum()",
    "backward L",
)


@command("zoom", "z", group="draw", usage="zoom [NODE]", example=(*MATRIX, "zoom y", "next 2", "unzoom"), argument="node")
def zoom(session: Session, argument: str) -> Sequence[View]:
    """Step through the inside of a tensor operation.

    The one operation that made NODE, as the scalar Values it stands for: `x[0,1]`, `W[1,0]`, and the multiply-adds between
    them. The pass begins with what has arrived at NODE (with 1 everywhere, where nothing has), so that the gradients of the
    elements are those of the tensors. Refused above 2,000 elements. `unzoom` comes back. Alone: the current node.
    """
    stepper, graph = session.running(), session.graph
    node = session.node(argument)[0] if argument else stepper.node
    if node is None:
        raise CommandError("the pass is complete, so no node is current; name one")
    if isinstance(node, Value) and all(isinstance(x, Value) for x in node.inputs or () if isinstance(x, Node)):
        raise CommandError(f"{graph.name(node)} is a Value already: there is nothing smaller inside")
    name = graph.name(node)
    try:
        values = zoom_into(node, graph.names)[node]
    except ValueError as error:
        raise CommandError(str(error)) from None
    several = isinstance(values, tuple)  # an operation with several results has several arrays of Values
    elements = [x for part in (values if several else (values,)) for x in part.reshape(-1)]
    outs = [x for x in elements if isinstance(x, Value) and x.op is not None]
    if not outs and any(isinstance(x, Value) for x in elements):
        how = node.op.name if node.op is not None else "nothing"
        raise CommandError(f"{name} is made by {how}, which only moves elements: there is no arithmetic inside it")
    if not outs:
        raise CommandError(f"nothing in {name} has a gradient")
    flow = graph.gradient(node) if node in graph else None
    if several:
        none = np.zeros if flow else np.ones
        arrived = [none(x.shape) if g is None else host(g) for g, x in zip(flow or [None] * len(values), values)]
    else:
        arrived = [np.ones(values.shape) if flow is None else host(flow)]
    incoming = np.concatenate([np.asarray(part, dtype=float).reshape(-1) for part in arrived])
    given = [float(g) for g, x in zip(incoming, elements) if isinstance(x, Value) and x.op is not None]
    if len(outs) == 1:
        inner, what = Stepper(outs[0], given[0]), "what has arrived"
    else:
        root = outs[0] * given[0]
        for x, g in zip(outs[1:], given[1:]):
            root = root + x * g
        inner, what = (
            Stepper(root.named(f"in {name}")),
            f"the sum of its elements, each times what has arrived at it, is '{root.name}'",
        )
    session.zoom(inner)
    amount = sum(x.op is not None for x in ancestors(inner.root))
    started = "" if flow is not None else " (nothing has arrived yet: with 1 everywhere)"
    text = f"{name} is {count(amount, 'operation')} on Values; {what}{started}. `unzoom` comes back"
    return [Message(text), *session.at_stop(stopview.stop(session.graph, "start"))]


@command("unzoom", "uz", group="draw", usage="unzoom", example=(*MATRIX, "zoom y", "end", "unzoom"))
def unzoom(session: Session, argument: str) -> Sequence[View]:
    """Come back from a zoom, to where the pass stood."""
    if not session.outside:
        raise CommandError("nothing is zoomed; `zoom NODE` looks into an operation on tensors")
    session.unzoom()
    stepper = session.running()
    how = "start" if not stepper.position else "end" if stepper.finished else "at"
    return session.at_stop(stopview.stop(session.graph, how, script=session.script))  # type: ignore[arg-type]
