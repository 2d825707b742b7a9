"""Where a running pass comes to rest: breakpoints, catches and watches; and what is printed on the way: traces, displays."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from minitorch import Stepper
from minitorch.core.node import Node
from repl import catches, phrases
from repl.graph import Graph
from repl.movement import Ask
from repl.phrases import brief, shaped
from repl.registry import CommandError
from viz.statistics import equal

TRACED = 40  # lines that are kept of a long run


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

    def __deepcopy__(self, memo: dict[int, Any]) -> Condition:
        return self

    def holds(self, names: Mapping[str, Any]) -> bool:
        """The expression's truth with these names; raises whatever it raises."""
        return bool(self.value(names))

    def among(self, names: Mapping[str, Any]) -> bool:
        """The expression's truth with names that are looked up as they are needed; raises whatever it raises."""
        return bool(eval(self.code, {}, names))

    def value(self, names: Mapping[str, Any]) -> Any:
        """The expression's value with these names; raises whatever it raises."""
        return eval(self.code, dict(names))


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
        else float(((abs(grad) ** 2).sum() ** 0.5).item())
        if shaped(grad)
        else abs(grad),
    }


@dataclass
class Point:
    """A numbered reason to stop. A temporary one is gone after its first hit."""

    number: int
    temporary: bool = field(default=False, kw_only=True)
    enabled: bool = field(default=True, kw_only=True)
    hits: int = field(default=0, kw_only=True)

    kind = "point"

    def describe(self) -> str:
        """The point as it was typed."""
        raise NotImplementedError


@dataclass
class Breakpoint(Point):
    """Stop where a node that `selector` picks comes up, if `condition` holds. With `prints`, print it and go on."""

    selector: str
    condition: Condition | None = None
    prints: bool = False

    @property
    def kind(self) -> str:  # type: ignore[override]
        return "trace" if self.prints else "tbreak" if self.temporary else "break"

    def describe(self) -> str:
        return self.selector + (f" if {self.condition.text}" if self.condition else "")


@dataclass
class Catch(Point):
    """Stop at a contribution of which `catches.KINDS[what]` has something to say."""

    what: str
    limit: float | None = None

    kind = "catch"

    def describe(self) -> str:
        return self.what + (f" {self.limit:g}" if self.limit is not None else "")


@dataclass
class Watch(Point):
    """Stop when an expression, or the gradient of a node, changes. `seen` is what it was; None before it was asked."""

    text: str
    of: Observed
    seen: tuple[Any] | None = field(default=None, compare=False)

    kind = "watch"

    def describe(self) -> str:
        return self.text


@dataclass(frozen=True)
class Observed:
    """What `watch` and `display` look at: the gradient of the node called `node`, or an expression."""

    text: str
    node: str = ""
    condition: Condition | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Observed:
        return self

    def value(self, graph: Graph, variables: Mapping[str, Any]) -> Any:
        """What it is now; raises whatever the expression raises."""
        stepper = graph.stepper
        assert stepper is not None
        if self.condition is None:
            found = graph.by_name.get(self.node)
            return stepper.flow(found) if found is not None else None
        here = stepper.root if stepper.node is None else stepper.node
        return self.condition.value(surroundings(stepper, graph, here, variables))


@dataclass
class Display:
    """Something shown at every stop."""

    number: int
    of: Observed


class Stops:
    """The points and displays of a session. They outlive a pass: each new one is searched for the nodes they pick."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.displays: list[Display] = []
        self.traced: list[str] = []
        self.traced_more = 0
        self._count = 0
        self._displayed = 0
        self._armed: tuple[Graph | None, dict[Node, list[Breakpoint]]] = (None, {})

    @property
    def active(self) -> list[Point]:
        """The points that are enabled."""
        return [point for point in self.points if point.enabled]

    def number(self) -> int:
        """A number for a new point."""
        self._count += 1
        return self._count

    def add(self, point: Point) -> None:
        """Set a point."""
        self.points.append(point)
        self.disarm()

    def display(self, of: Observed) -> Display:
        """Show something at every stop."""
        self._displayed += 1
        made = Display(self._displayed, of)
        self.displays.append(made)
        return made

    def find(self, number: int) -> Point:
        """A point by its number.

        Raises:
            CommandError: there is none of this number.
        """
        for point in self.points:
            if point.number == number:
                return point
        numbers = ", ".join(str(point.number) for point in self.points)
        raise CommandError(f"there is no breakpoint {number}" + (f"; there are {numbers}" if numbers else ": none is set"))

    def remove(self, number: int) -> Point:
        """Take a point away.

        Raises:
            CommandError: there is none of this number.
        """
        point = self.find(number)
        self.points.remove(point)
        self.disarm()
        return point

    def snapshot(self) -> tuple[list[Point], list[Display]]:
        """The points and displays as they are, for `undo`."""
        return copy.deepcopy(self.points), list(self.displays)

    def restore(self, kept: tuple[list[Point], list[Display]]) -> None:
        """Put back what `snapshot` gave."""
        self.points, self.displays = copy.deepcopy(kept[0]), list(kept[1])
        self.disarm()

    def disarm(self) -> None:
        """Forget the nodes that were looked up; the next pass looks them up again."""
        self._armed = (None, {})

    def armed(self, graph: Graph) -> dict[Node, list[Breakpoint]]:
        """The breakpoints of each node of a graph."""
        if self._armed[0] is not graph:
            nodes: dict[Node, list[Breakpoint]] = {}
            for point in self.active:
                if isinstance(point, Breakpoint):
                    for node in picked(graph, point.selector):
                        nodes.setdefault(node, []).append(point)
            self._armed = (graph, nodes)
        return self._armed[1]

    def watch(self, graph: Graph, variables: Mapping[str, Any]) -> Ask:
        """What to ask on the way: the reasons to stop there, a sentence for each point that is hit."""
        armed = self.armed(graph)
        caught = [point for point in self.active if isinstance(point, Catch)]
        watched = [point for point in self.active if isinstance(point, Watch)]
        for watch in watched:
            watch.seen = None
            self._changed(watch, graph, variables)
        places = None if caught or watched else sorted({place for node in armed for place in graph.comes_up(node)})
        return Ask(
            lambda: [
                *(self._at_nodes(armed, graph, variables) if armed else ()),
                *(reason for point in caught for reason in self._caught(point, graph)),
                *(reason for point in watched for reason in self._changed(point, graph, variables)),
            ],
            places,
        )

    def take_traced(self) -> tuple[list[str], int]:
        """The lines that traces left, and how many there were beyond those."""
        traced, more = self.traced, self.traced_more
        self.traced, self.traced_more = [], 0
        return traced, more

    def _at_nodes(self, armed: dict[Node, list[Breakpoint]], graph: Graph, variables: Mapping[str, Any]) -> list[str]:
        stepper = graph.stepper
        assert stepper is not None
        found = []
        for node in arrived_at(stepper):
            for point in list(armed.get(node, ())):
                reason = self._hit(point, graph, node, variables)
                if not reason:
                    continue
                point.hits += 1
                if point.prints and "could not be asked" not in reason:
                    self._trace(f"trace {point.number}: {phrases.definition(node, graph.name)}", graph, node)
                else:
                    found.append(reason)
                    self._once(point)
        return found

    def _trace(self, line: str, graph: Graph, node: Node) -> None:
        assert graph.stepper is not None
        line = f"{line}   value {brief(node)}   grad {brief(graph.stepper.flow(node))}   step {graph.stepper.position}"
        if len(self.traced) < TRACED:
            self.traced.append(line)
        else:
            self.traced_more += 1

    def _hit(self, point: Breakpoint, graph: Graph, node: Node, variables: Mapping[str, Any]) -> str:
        label = f"breakpoint {point.number}: {point.describe()}"
        if point.condition is None:
            return label
        assert graph.stepper is not None
        try:
            return label if point.condition.holds(surroundings(graph.stepper, graph, node, variables)) else ""
        except Exception as error:  # the user's expression may raise anything; it must not go unseen
            return f"{label} could not be asked: {type(error).__name__}: {error}"

    def _caught(self, point: Catch, graph: Graph) -> list[str]:
        assert graph.stepper is not None
        last = graph.stepper.last
        if last is None:
            return []
        kind = catches.KINDS[point.what]
        reason = kind.ask(graph, last, point.limit if point.limit is not None else kind.limit or 0.0)
        if reason:
            point.hits += 1
        return [reason] if reason else []

    def _changed(self, point: Watch, graph: Graph, variables: Mapping[str, Any]) -> list[str]:
        before = point.seen
        try:
            now = point.of.value(graph, variables)
            point.seen = (now,)
            if before is None or same(before[0], now):
                return []
            reason = f"watch {point.number}: {point.text} changed: {shown(before[0])}  →  {shown(now)}"
        except Exception as error:  # the user's expression may raise anything
            if before is None:
                return []
            reason = f"watch {point.number}: {point.text} could not be asked: {type(error).__name__}: {error}"
        point.hits += 1
        return [reason]

    def _once(self, point: Point) -> None:
        if point.temporary and point in self.points:
            self.points.remove(point)
            self.disarm()


def same(a: Any, b: Any) -> bool:
    """Whether two values that a watch saw are the same; a nan is the same as a nan."""
    a, b = phrases.plain(a), phrases.plain(b)
    if a is b:
        return True
    if type(a) is type(b) is float:
        return a == b or (a != a and b != b)
    try:
        return equal(a, b)
    except TypeError:
        return bool(a == b)


def shown(value: Any) -> str:
    """A value that a watch or a display saw, on one line."""
    plain = phrases.plain(value)
    numbers = plain is None or isinstance(plain, (bool, int, float)) or hasattr(plain, "dtype")
    return brief(plain) if numbers else repr(plain)[:200]


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
