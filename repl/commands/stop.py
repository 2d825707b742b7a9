"""Breakpoints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from repl.commands.move import EXAMPLE
from repl.phrases import count
from repl.registry import CommandError, command
from repl.stops import Condition, picked
from repl.views import Message, Table, View

if TYPE_CHECKING:
    from repl.engine import Session

_CONDITION = re.compile(r"(?:(?P<selector>.*?)\s+)?if\s+(?P<condition>.+)")


@command(
    "break",
    "b",
    group="stop",
    usage="break SEL [if EXPR]",
    example=(*EXAMPLE, "break mul_1 if grad > 0.5", "continue"),
    argument="node",
)
def break_(session: Session, argument: str) -> View:
    """Stop where a node comes up. Alone: list breakpoints.

    With a condition, only where it is true. SEL is a name, `op:relu`, `mlp.0.*`, `leaf`, `param`, `#12` or `@` (help
    selectors). EXPR is Python and may use node, value, grad, local, up, step, shape, op, name, norm, np and your
    variables. `break * if norm > 10` looks at every node. Breakpoints stay for later passes.
    """
    if not argument:
        return listing(session)
    selector, condition = argument, None
    found = _CONDITION.fullmatch(argument)
    if found:
        selector, condition = found["selector"] or "*", Condition.parse(found["condition"])
    graph = session.graph
    nodes = graph.select(selector)
    if not nodes and session.stepper is not None and not session.script:
        raise CommandError(graph.missing(selector))
    if selector.startswith(("@", "#")):
        selector = graph.name(nodes[0])
    made = session.stops.add(selector, condition)
    where = count(len(nodes), "node") if nodes else "no node yet; looked for in every pass"
    return Message(f"breakpoint {made.number}: {made.describe()} ({where})")


@command("delete", "d", group="stop", usage="delete [N ...]", example=(*EXAMPLE, "break mul_1", "delete 1"))
def delete(session: Session, argument: str) -> View:
    """Delete breakpoints by number, or all.

    `break` lists them with their numbers.
    """
    if not argument:
        gone = [breakpoint.number for breakpoint in session.stops.breakpoints]
        if not gone:
            return Message("no breakpoints to delete")
    else:
        words = argument.replace(",", " ").split()
        if not all(word.isdigit() for word in words):
            raise CommandError(f"delete takes the numbers of breakpoints, as `break` lists them, not '{argument}'")
        gone = [int(word) for word in words]
    removed = [session.stops.remove(number) for number in gone]
    return Message("deleted " + ", ".join(f"breakpoint {b.number}: {b.describe()}" for b in removed))


def listing(session: Session) -> View:
    """The breakpoints as a table."""
    if not session.stops.breakpoints:
        return Message("no breakpoints; `break NODE` sets one")
    rows = tuple(
        (
            str(b.number),
            b.selector,
            b.condition.text if b.condition else "",
            str(len(picked(session.graph, b.selector))),
            str(b.hits),
        )
        for b in session.stops.breakpoints
    )
    return Table(("#", "at", "if", "nodes", "hits"), rows, right=(0, 3, 4))
