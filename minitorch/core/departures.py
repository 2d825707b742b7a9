"""What left the graph: numbers that a program took out of it, and went on with by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import location
from .modes import state
from .node import Node


@dataclass(frozen=True, slots=True, eq=False)
class Departure:
    """`node` was read by something that no gradient follows: `how` is "item", "detach", "bool", or the name of a question
    ("less", "argmax"); `where` is (file, line) of the program. What was done with the answer, an `if` perhaps, nobody knows."""

    node: Node
    how: str
    where: tuple[str, int] | None


def note(x: Any, how: str) -> None:
    """Remember that a node of the graph was read so; only while somebody looks (`modes.inspect`)."""
    if state.inspecting and x.requires_grad:
        mark = how, location.caller()
        marks = getattr(x, "_left", ())
        if mark not in marks:
            x._left = (*marks, mark)


def departures(nodes: Iterable[Node]) -> list[Departure]:
    """How the nodes left the graph, as far as it was noted: for a what-if, the nodes that were computed again, whose old
    numbers the program has gone on with."""
    return [Departure(node, how, where) for node in nodes for how, where in getattr(node, "_left", ())]
