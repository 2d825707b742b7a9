"""Breakpoints: where a running pass comes to rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from minitorch import Stepper
from minitorch.core.node import Node
from repl.graph import Graph
from repl.phrases import shaped
from repl.registry import CommandError


@dataclass
class Condition:
    """A Python expression that decides whether to stop."""

    text: str
    code: CodeType

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Compile `text`.

        Raises:
            CommandError: it is no expression.
        """
        try:
            return cls(text, compile(text, "<condition>", "eval"))
        except (SyntaxError, ValueError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise CommandError(f"'{text}' is no Python expression: {reason}") from None

    def holds(self, names: Mapping[str, Any]) -> bool:
        """The expression's truth with these names; raises whatever it raises."""
        return bool(eval(self.code, dict(names)))


CONDITION_NAMES = "node, value, grad, local, up, step, shape, op, name, norm, np, and your variables"


def surroundings(stepper: Stepper, graph: Graph, node: Node, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a condition can ask at `node`: see `CONDITION_NAMES`."""
    grad, last = stepper.flow(node), stepper.last
    return {
        "np": np,
        **variables,
        "node": node,
        "value": node.raw,
        "grad": grad,
        "local": last.local if last else None,
        "up": last.incoming if last else None,
        "step": stepper.position,
        "shape": getattr(node.raw, "shape", ()),
        "op": node.op.name if node.op else None,
        "name": graph.name(node),
        "norm": None
        if grad is None or isinstance(grad, list)
        else float((abs(grad) ** 2).sum() ** 0.5)
        if shaped(grad)
        else abs(grad),
    }


@dataclass
class Breakpoint:
    """Stop where a node that `selector` picks comes up, if `condition` holds."""

    number: int
    selector: str
    condition: Condition | None = None
    hits: int = 0

    def describe(self) -> str:
        """The breakpoint as it was typed."""
        return self.selector + (f" if {self.condition.text}" if self.condition else "")


class Stops:
    """The breakpoints of a session. They outlive a pass: each new one is searched for the nodes they pick."""

    def __init__(self) -> None:
        self.breakpoints: list[Breakpoint] = []
        self._count = 0
        self._armed: tuple[Graph | None, dict[Node, list[Breakpoint]]] = (None, {})

    def add(self, selector: str, condition: Condition | None) -> Breakpoint:
        """Set a breakpoint."""
        self._count += 1
        made = Breakpoint(self._count, selector, condition)
        self.breakpoints.append(made)
        self.disarm()
        return made

    def remove(self, number: int) -> Breakpoint:
        """Take a breakpoint away.

        Raises:
            CommandError: there is none of this number.
        """
        for breakpoint in self.breakpoints:
            if breakpoint.number == number:
                self.breakpoints.remove(breakpoint)
                self.disarm()
                return breakpoint
        numbers = ", ".join(str(b.number) for b in self.breakpoints)
        raise CommandError(f"there is no breakpoint {number}" + (f"; there are {numbers}" if numbers else ": none is set"))

    def disarm(self) -> None:
        """Forget the nodes that were looked up; the next pass looks them up again."""
        self._armed = (None, {})

    def armed(self, graph: Graph) -> dict[Node, list[Breakpoint]]:
        """The breakpoints of each node of a graph."""
        if self._armed[0] is not graph:
            nodes: dict[Node, list[Breakpoint]] = {}
            for breakpoint in self.breakpoints:
                for node in picked(graph, breakpoint.selector):
                    nodes.setdefault(node, []).append(breakpoint)
            self._armed = (graph, nodes)
        return self._armed[1]

    def watch(self, graph: Graph, variables: Mapping[str, Any]) -> Callable[[], list[str]]:
        """What to ask after every step of a pass: the reasons to stop there, a sentence for each breakpoint that is hit."""
        armed = self.armed(graph)
        if not armed:
            return list
        return lambda: self._reasons(armed, graph, variables)

    def _reasons(self, armed: dict[Node, list[Breakpoint]], graph: Graph, variables: Mapping[str, Any]) -> list[str]:
        stepper = graph.stepper
        assert stepper is not None
        found = []
        for node in arrived_at(stepper):
            for breakpoint in armed.get(node, ()):
                reason = self._hit(breakpoint, graph, node, variables)
                if reason:
                    breakpoint.hits += 1
                    found.append(reason)
        return found

    def _hit(self, breakpoint: Breakpoint, graph: Graph, node: Node, variables: Mapping[str, Any]) -> str:
        label = f"breakpoint {breakpoint.number}: {breakpoint.describe()}"
        if breakpoint.condition is None:
            return label
        assert graph.stepper is not None
        try:
            return label if breakpoint.condition.holds(surroundings(graph.stepper, graph, node, variables)) else ""
        except Exception as error:  # the user's expression may raise anything; it must not go unseen
            return f"{label} could not be asked: {type(error).__name__}: {error}"


def arrived_at(stepper: Stepper) -> list[Node]:
    """The nodes that the present position is about: the one whose turn begins, and a leaf that has just received its all."""
    last, node = stepper.last, stepper.node
    found = []
    if last is not None and last.input.is_leaf:
        arrived, expected = stepper.arrivals(last.input)
        if arrived == expected:
            found.append(last.input)
    if node is not None and (last is None or last.node is not node):
        found.append(node)
    return found


def picked(graph: Graph, selector: str) -> list[Node]:
    """The nodes a breakpoint's selector picks in this graph; none where it does not fit (another pass may have them)."""
    try:
        return graph.select(selector)
    except CommandError:
        return []
