"""What left the graph: numbers that a program took out of it, and went on with by itself."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from . import location
from .modes import state
from .node import Node, nodes_of, tick

REACH = 100
"""Nodes that a read is noted at, the one that was read and the nearest of those it was computed from."""
_passed = 0


class Mark(NamedTuple):
    """A read, noted at the node that was read and (with the operation that was read in their place) at what it came from."""

    how: str
    where: tuple[str, int] | None
    through: str
    stamp: int


@dataclass(frozen=True, slots=True, eq=False)
class Departure:
    """`node` was read by something that no gradient follows: `how` is "item", "detach", "bool", or the name of a question
    ("less", "argmax"); `where` is (file, line) of the program. With `through`, what was read is not the node but the result of
    such an operation on it, which is no part of the graph (`(b - 1) > 0`). What was done with the answer, an `if` perhaps,
    nobody knows."""

    node: Node
    how: str
    where: tuple[str, int] | None
    through: str = ""


def note(x: Any, how: str) -> None:
    """Remember that a node was read so; only while somebody looks (`modes.inspect`).

    It may not belong to the graph that somebody asks about later, only come from it: what it was computed from knows, too
    (unless a backward pass has been over it by now: the next graph is another).
    """
    if not state.inspecting or not x.requires_grad:
        return
    read = Mark(how, location.caller(), "", tick())
    nearest, seen = [(-x.stamp, x)], {x.stamp}
    for _ in range(REACH if x.stamp > _passed else 1):
        if not nearest:
            break
        _, node = heapq.heappop(nearest)
        mark = read if node is x else read._replace(through=x.op.name)
        marks: tuple[Mark, ...] = getattr(node, "_left", ())
        same = next((old for old in marks if old[:2] == read[:2]), None)
        if same is None or same.through and (node is x or node.op is None):
            node._left = (*(old for old in marks if old is not same), mark)
        elif node.op is not None:
            continue  # noted the last time, and so at what it came from
        for input in nodes_of(node.inputs):
            if input.requires_grad and input.stamp not in seen:
                seen.add(input.stamp)
                heapq.heappush(nearest, (-input.stamp, input))


def passed() -> None:
    """A backward pass is over: what was read from its leaves by way of other nodes has no part in the next one."""
    global _passed
    _passed = tick()


def departures(nodes: Iterable[Node], root: Node | None = None) -> list[Departure]:
    """How the nodes left the graph, as far as it was noted: for a what-if, the nodes that were computed again, whose old
    numbers the program has gone on with. What was read after `root` was computed had no part in it."""
    found: list[Departure] = []
    nearest: dict[tuple[Any, ...], Departure] = {}
    for node in nodes:
        for how, where, through, stamp in getattr(node, "_left", ()):
            if root is not None and stamp > root.stamp or through and node.op is None and stamp < _passed:
                continue
            if not through:
                found.append(Departure(node, how, where))
            elif (how, where) not in nearest or nearest[how, where].node.stamp < node.stamp:
                nearest[how, where] = Departure(node, how, where, through)
    direct = {(departure.how, departure.where) for departure in found}
    return found + [departure for read, departure in nearest.items() if read not in direct]
