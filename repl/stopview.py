"""From the stepper to what a stop shows: the contributions, the ledgers they fill, and what comes next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from minitorch import Contribution, Stepper
from minitorch.core.node import Node
from minitorch.core.wrong import WrongStepper
from repl import phrases, views
from repl.graph import Graph, held
from repl.phrases import count, received, slope
from repl.stops import Stops, arrived_at, shown

AFTER = "nothing; rstep goes back into the pass"
AFTER_SCRIPT = "continue lets {} go on, next pauses at its next backward(), rstep goes back"
TERMS = 24  # of a ledger, and the last
LONGEST_RULE = 110  # of characters; a longer rule is left to `explain`


def edge(graph: Graph, c: Contribution) -> views.Edge:
    """One contribution with the chain rule in symbols."""
    node, target = graph.name(c.node), graph.name(c.input)
    rule = phrases.local_rule(c.node, c.slot, graph.name)
    assert c.node.op is not None
    elementwise = c.node.op.elementwise
    upstream = received(node)
    if elementwise:
        right = f"{upstream} × {slope(node, target)}"
    else:
        short = len(rule) <= LONGEST_RULE and ";" not in rule
        right = _with_upstream(rule, upstream) if short else f"rule of {c.node.op.name}, given {upstream}"
    return views.Edge(
        number=c.index + 1,
        node=node,
        target=target,
        label=c.label,
        rule=rule,
        symbols=f"{received(target)} += {right}",
        incoming=c.incoming,
        local=c.local,
        product=c.product,
        reduction=c.reduction,
        contribution=c.contribution,
        before=c.before,
        after=c.after,
        elementwise=elementwise,
    )


def _with_upstream(rule: str, upstream: str) -> str:
    return re.sub(r"(?<![\w.])grad(?!\w)", upstream, rule)


def ledger(graph: Graph, node: Node, with_edges: bool = False) -> views.Ledger:
    """What has arrived at a node in the pass. The root's first term is the gradient the pass began with."""
    stepper = graph.stepper
    assert stepper is not None
    arrived, expected = stepper.arrivals(node)
    listed, left_out = shortened(stepper.ledger(node))
    seed = (stepper.flow(node),) if node is stepper.root else ()
    left = stepper.left(node) if isinstance(stepper, WrongStepper) else None
    return views.Ledger(
        node=graph.name(node),
        symbol=slope(graph.name(stepper.root), graph.name(node)),
        terms=seed or (*(() if left is None else (left,)), *(c.contribution for c in listed)),
        total=stepper.flow(node),
        arrived=arrived + len(seed),
        expected=expected + len(seed),
        edges=tuple(edge(graph, c) for c in listed) if with_edges else (),
        left_out=left_out,
        held=stepper.flow(node) if isinstance(stepper, WrongStepper) else held(node),
    )


def shortened(contributions: Sequence[Contribution]) -> tuple[list[Contribution], int]:
    """The contributions; of many the first and the last, and how many are left out before the last."""
    left_out = len(contributions) - TERMS - 1
    return (list(contributions), 0) if left_out <= 0 else ([*contributions[:TERMS], contributions[-1]], left_out)


def coming(graph: Graph) -> str:
    """The next contribution in words: `e = a × b  →  a`; nothing at the end."""
    stepper = graph.stepper
    assert stepper is not None
    ahead = stepper.peek()
    if ahead is None:
        return ""
    node, slot = ahead
    return _arrow(graph, node, slot)


def _arrow(graph: Graph, node: Node, slot: int) -> str:
    assert node.inputs is not None and node.op is not None
    target = graph.name(node.inputs[slot])
    twice = sum(x is node.inputs[slot] for x in node.inputs) > 1
    label = f" (slot {node.op.labels(len(node.inputs))[slot]})" if twice else ""
    return f"{phrases.definition(node, graph.name)}  →  {target}{label}"


def stop(
    graph: Graph,
    how: Literal["start", "step", "next", "back", "at", "end"],
    contributions: Sequence[Contribution] = (),
    reasons: Sequence[str] = (),
    moved: int = 0,
    most: int = 4,
    script: str = "",
) -> views.Stop:
    """The display of the present position.

    Args:
        how: which movement led here.
        contributions: what it applied or took back, in the order in which it did.
        reasons: why it stopped here and no later.
        moved: how many contributions it applied (more than are shown after a long run).
        most: how many contributions to show.
        script: the program that waits for the end of the pass.
    """
    stepper = graph.stepper
    assert stepper is not None
    latest = contributions[-most:]
    here = contributions[-1].node if contributions else stepper.root if stepper.node is None else stepper.node
    touched, left_out = list(dict.fromkeys(c.input for c in latest)), 0
    if how == "end":
        leaves = [node for node in graph.nodes if node.is_leaf and stepper.arrivals(node)[1]]
        touched, left_out = leaves[: 3 * most], len(leaves[3 * most :])
    elif how == "at" and stepper.node is not None:
        here, latest, touched = stepper.node, [], arrived_at(stepper) or [stepper.node]
    elif how == "start":
        touched = [stepper.root]
    return views.Stop(
        how=how,
        position=stepper.position,
        length=len(stepper),
        root=graph.name(stepper.root),
        node=graph.name(here),
        made=phrases.expression(here, graph.name),
        place=phrases.place(here),
        scope=graph.scope(here),
        reasons=tuple(reasons),
        moved=moved or len(contributions),
        edges=tuple(edge(graph, c) for c in latest),
        ledgers=tuple(ledger(graph, node) for node in touched),
        left_out=left_out,
        coming=coming(graph) or (AFTER_SCRIPT.format(script) if script else AFTER),
        advice=_advice(graph, stepper, how),
    )


def around(stopped: views.Stop, graph: Graph, stops: Stops, variables: Mapping[str, Any]) -> list[views.View]:
    """A stop with what traces printed on the way there before it, and what is displayed at every stop after it."""
    traced, more = stops.take_traced()
    lines: list[views.View] = [views.Message(line, "quiet") for line in traced]
    if more:
        lines.append(views.Message(f"… {count(more, 'line')} of traces left out", "hint"))
    return [*lines, stopped, *(displayed(graph, stops, variables) if stops.displays else ())]


def displayed(graph: Graph, stops: Stops, variables: Mapping[str, Any]) -> list[views.View]:
    """What is displayed at every stop."""
    facts = []
    for display in stops.displays:
        of = display.of
        try:
            if of.node and of.node not in graph.by_name:
                text = "not in this pass"
            else:
                text = shown(of.value(graph, variables))
        except Exception as error:  # the user's expression may raise anything
            text = f"{type(error).__name__}: {error}"
        facts.append((f"{display.number}:", f"{received(of.node) if of.node else of.text} = {text}"))
    return [views.Facts("", tuple(facts))]


def _advice(graph: Graph, stepper: Stepper, how: str) -> str:
    leaves = 0
    if how in ("start", "end"):
        leaves = sum(node.is_leaf and stepper.arrivals(node)[1] > 0 for node in graph.nodes)
    named = "1 leaf" if leaves == 1 else f"{leaves} leaves"
    if how == "end" and isinstance(stepper, WrongStepper):
        return f"wrong on purpose ({stepper.rule}): no .grad is touched"
    if how == "start":
        return f"{count(len(stepper), 'step')} through {count(len(stepper.order), 'node')}, back to {named}"
    return f"{named} got {'its' if leaves == 1 else 'their'} .grad" if how == "end" else ""
