"""Breakpoints, catches, watches; traces and displays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from repl import catches
from repl.commands.move import EXAMPLE
from repl.phrases import count
from repl.registry import CommandError, command
from repl.stops import CONDITION_NAMES, Breakpoint, Catch, Condition, Observed, Point, Watch, picked
from repl.stopview import displayed
from repl.views import Message, Table, View

if TYPE_CHECKING:
    from repl.engine import Session

_CONDITION = re.compile(r"(?:(?P<selector>.*?)\s+)?if\s+(?P<condition>.+)")
RELU = (
    "x = tensor([[1.0, -2.0], [3.0, -4.0]], requires_grad=True)",
    "L = minitorch.relu(x).sum()",
    "backward L",
)


@command(
    "break",
    "b",
    group="stop",
    usage="break SEL [if EXPR]",
    example=(*EXAMPLE, "break mul_1 if grad > 0.5", "continue"),
    argument="node",
    edits=True,
)
def break_(session: Session, argument: str) -> View:
    """Stop where a node comes up. Alone: list.

    With a condition, only where it is true. SEL is a name, `op:relu`, `mlp.0.*`, `leaf`, `param`, `#12`, `@`, or
    FILE:LINE for the nodes made at a line of the program (help selectors). EXPR is Python and may use node, value, grad,
    local, up, step, shape, op, name, norm, np and your variables. `break * if norm > 10` looks at every node.
    Breakpoints stay for later passes.
    """
    return _set(session, argument) if argument else listing(session)


@command(
    "tbreak",
    "tb",
    group="stop",
    usage="tbreak SEL [if EXPR]",
    example=(*EXAMPLE, "tbreak mul_1", "continue", "break"),
    argument="node",
    edits=True,
)
def tbreak(session: Session, argument: str) -> View:
    """Stop once where a node comes up.

    A breakpoint that goes after its first hit.
    """
    if not argument:
        raise CommandError("tbreak where? for example `tbreak mul_1`")
    return _set(session, argument, temporary=True)


@command(
    "trace",
    "tr",
    group="watch",
    usage="trace SEL [if EXPR]",
    example=(*EXAMPLE, "trace *", "continue"),
    argument="node",
    edits=True,
)
def trace(session: Session, argument: str) -> View:
    """Print where nodes come up, without stopping.

    Like `break`, but the pass goes on; the lines appear where it stops. `delete N` ends it.
    """
    if not argument:
        raise CommandError("trace what? for example `trace op:mul`, or `trace * if norm > 1`")
    return _set(session, argument, prints=True)


def _set(session: Session, argument: str, temporary: bool = False, prints: bool = False) -> View:
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
    made = Breakpoint(session.stops.number(), selector, condition, prints, temporary=temporary)
    session.stops.add(made)
    where = count(len(nodes), "node") if nodes else "no node yet; looked for in every pass"
    what = "trace" if prints else "breakpoint"
    once = ", once" if temporary else ""
    return Message(f"{what} {made.number}: {made.describe()} ({where}{once})")


@command(
    "condition",
    group="stop",
    usage="condition N [EXPR]",
    example=(*EXAMPLE, "break *", "condition 1 grad < 0", "continue"),
    edits=True,
)
def condition(session: Session, argument: str) -> View:
    """Give breakpoint N a condition, or take it away.

    With EXPR it stops only where that is true (help break says what EXPR may use); without, wherever it comes up.
    """
    number, _, text = argument.partition(" ")
    if not number.isdigit():
        raise CommandError("condition takes the number of a breakpoint and an expression, as `condition 1 grad < 0`")
    point = session.stops.find(int(number))
    if not isinstance(point, Breakpoint):
        raise CommandError(f"{point.number} is a {point.kind}; only breakpoints and traces have conditions")
    text = text.strip().removeprefix("if ").strip()
    point.condition = Condition.parse(text) if text else None
    return Message(f"{point.kind} {point.number}: {point.describe()}")


@command(
    "catch",
    "ca",
    group="stop",
    usage="catch KIND [LIMIT]",
    example=(*RELU, "catch dead", "continue"),
    argument="choice",
    edits=True,
)
def catch(session: Session, argument: str) -> Sequence[View]:
    """Stop where a gradient goes wrong.

    KIND is nan, inf, zero, explode, vanish, dead or stale. `catch nan` also says at once which operation of the forward
    pass made the first nan, and at which line. `catch explode 10` and `catch vanish 1e-8` set their own limit. Catches stay
    for later passes; `delete N` ends one. Alone: list the kinds.
    """
    if not argument:
        rows = tuple(
            (name, kind.summary, f"{kind.limit:g}" if kind.limit is not None else "") for name, kind in catches.KINDS.items()
        )
        return [Table(("catch", "stops at", "limit"), rows, yields=1)]
    what, _, limit = argument.partition(" ")
    kind = catches.KINDS.get(what)
    if kind is None:
        raise CommandError(f"catch knows {', '.join(catches.KINDS)}, not '{what}'")
    if limit and kind.limit is None:
        raise CommandError(f"catch {what} takes no limit")
    try:
        made = Catch(session.stops.number(), what, float(limit) if limit else kind.limit)
    except ValueError:
        raise CommandError(f"the limit of catch {what} is a number, not '{limit}'") from None
    session.stops.add(made)
    shown: list[View] = [Message(f"catch {made.number}: {made.describe()}")]
    if what in ("nan", "inf") and session.stepper is not None:
        found = catches.made_first(session.graph, what)
        shown += [Message(found, "warning")] if found else []
    return shown


@command("when", group="stop", usage="when [EXPR]", example=("when nan or step == 100", "continue"), in_script=True)
def when(session: Session, argument: str) -> View:
    """In a script: pause at passes where EXPR holds.

    EXPR may use `step` (the number of the backward() in the program, from 1), `loss`, `nan` and `inf` (there is one in the
    forward pass or in a gradient), and the program's variables. `continue` then lets the script go on. Alone: no longer.
    """
    if not session.script:
        raise CommandError("when is for scripts (`minitorch debug train.py`); here, `until EXPR` and `break SEL if EXPR`")
    session.when = Condition.parse(argument) if argument else None
    return Message(f"pauses at a backward() when {argument}" if argument else "no condition any more")


@command(
    "watch",
    "wa",
    group="watch",
    usage="watch NODE|EXPR",
    example=(*EXAMPLE, "watch a", "continue", "continue"),
    argument="node",
    edits=True,
)
def watch(session: Session, argument: str) -> View:
    """Stop when a gradient, or EXPR, changes.

    Of a node, the gradient that arrives there. EXPR is Python with the names that conditions have (help break).
    """
    if not argument:
        raise CommandError("watch what? a node (`watch a`) or an expression (`watch norm > 1`)")
    made = Watch(session.stops.number(), argument, _observed(session, argument))
    session.stops.add(made)
    return Message(f"watch {made.number}: {_named(made.of)}")


@command(
    "display",
    "di",
    group="watch",
    usage="display [NODE|EXPR]",
    example=(*EXAMPLE, "display a", "display step * 2", "step 2"),
    argument="node",
    edits=True,
)
def display(session: Session, argument: str) -> View:
    """Show a gradient, or EXPR, at every stop.

    Of a node, the gradient that has arrived there. EXPR is Python with the names that conditions have (help break). Alone:
    show what is displayed now.
    """
    if not argument:
        if not session.stops.displays:
            return Message("nothing is displayed; `display NODE` or `display EXPR` adds something")
        session.running()
        return displayed(session.graph, session.stops, session.variables)[0]
    made = session.stops.display(_observed(session, argument))
    return Message(f"display {made.number}: {_named(made.of)}")


@command("undisplay", group="watch", usage="undisplay [N]", example=(*EXAMPLE, "display a", "undisplay 1", "step"), edits=True)
def undisplay(session: Session, argument: str) -> View:
    """Display something no more; alone, nothing."""
    stops = session.stops
    if argument and not any(str(shown.number) == argument for shown in stops.displays):
        numbers = ", ".join(str(shown.number) for shown in stops.displays) or "none"
        raise CommandError(f"there is no display {argument}; there are {numbers}")
    stops.displays = [shown for shown in stops.displays if argument and str(shown.number) != argument]
    return Message(f"display {argument} removed" if argument else "nothing is displayed")


def _observed(session: Session, text: str) -> Observed:
    graph = session.graph
    if text in graph.by_name or text not in session.namespace and graph.select(text):
        name = graph.name(graph.one(text))
        return Observed(name, node=name)
    if re.fullmatch(r"[A-Za-z_]\w*", text) and text not in session.namespace and text not in CONDITION_NAMES.split(", "):
        raise CommandError(session.graph.missing(text))
    return Observed(text, condition=Condition.parse(text))


def _named(of: Observed) -> str:
    return f"the gradient of {of.node}" if of.node else of.text


@command("enable", group="stop", usage="enable [N ...]", example=(*EXAMPLE, "break a", "disable 1", "enable 1"), edits=True)
def enable(session: Session, argument: str) -> View:
    """Make breakpoints stop again; alone, all.

    Catches, watches and traces, too.
    """
    return _enable(session, argument, True)


@command("disable", group="stop", usage="disable [N ...]", example=(*EXAMPLE, "break a", "disable 1", "continue"), edits=True)
def disable(session: Session, argument: str) -> View:
    """Keep breakpoints without stopping; alone, all.

    Catches, watches and traces, too.
    """
    return _enable(session, argument, False)


def _enable(session: Session, argument: str, enabled: bool) -> View:
    name = "enable" if enabled else "disable"
    points = [session.stops.find(number) for number in _numbers(argument, name)] if argument else session.stops.points
    for point in points:
        point.enabled = enabled
    session.stops.disarm()
    return Message(f"{name}d " + (", ".join(map(_labelled, points)) or "nothing: there are no breakpoints"))


@command("delete", "d", group="stop", usage="delete [N ...]", example=(*EXAMPLE, "break mul_1", "delete 1"), edits=True)
def delete(session: Session, argument: str) -> View:
    """Delete breakpoints; alone, all.

    Catches, watches and traces, too. `break` lists them with their numbers.
    """
    gone = _numbers(argument, "delete") if argument else [point.number for point in session.stops.points]
    if not gone:
        return Message("no breakpoints to delete")
    for number in gone:
        session.stops.find(number)
    removed = [session.stops.remove(number) for number in gone]
    return Message("deleted " + ", ".join(map(_labelled, removed)))


def _labelled(point: Point) -> str:
    kind = "breakpoint" if point.kind in ("break", "tbreak") else point.kind
    return f"{kind} {point.number}: {point.describe()}"


def _numbers(argument: str, name: str) -> list[int]:
    words = argument.replace(",", " ").split()
    if not all(word.isdigit() for word in words):
        raise CommandError(f"{name} takes the numbers of breakpoints, as `break` lists them, not '{argument}'")
    return list(dict.fromkeys(map(int, words)))


def listing(session: Session) -> View:
    """The breakpoints, catches, watches and traces as a table."""
    if not session.stops.points:
        return Message("no breakpoints; `break NODE` sets one")
    rows = []
    for point in session.stops.points:
        at, text, nodes = point.describe(), "", ""
        if isinstance(point, Breakpoint):
            at, text = point.selector, point.condition.text if point.condition else ""
            nodes = str(len(picked(session.graph, point.selector)))
        rows.append((str(point.number), point.kind, at, text, nodes, str(point.hits), "" if point.enabled else "disabled"))
    return Table(("#", "", "at", "if", "nodes", "hits", ""), tuple(rows), right=(0, 4, 5))
