"""Explain: the rule from its source, in symbols, then in numbers, and why contributions add up."""

from __future__ import annotations

import inspect
import os
import textwrap
from typing import TYPE_CHECKING

from minitorch import Contribution
from minitorch.core.node import Node
from repl import phrases, stopview
from repl.commands.move import EXAMPLE
from repl.graph import Graph, sends
from repl.phrases import brief, count, in_product, received, slope
from repl.registry import CommandError, command
from repl.views import Facts, Ledger, View
from viz.board import rule_text

if TYPE_CHECKING:
    from repl.engine import Session

SOURCE_LINES = 6
READERS = 50  # of a node, among which those are found that are named


@command(
    "explain",
    "ex",
    group="teach",
    usage="explain [NODE]",
    example=(*EXAMPLE, "step 3", "explain", "explain a"),
    argument="node",
)
def explain(session: Session, argument: str) -> View:
    """Explain the last step, or the gradient of NODE.

    The rule as the engine's source states it, the chain rule in symbols, then in numbers, and why contributions to one
    node are added. At the start of a pass: the contribution that comes first.
    """
    if argument:
        node, graph = session.node(argument)
        if graph.stepper is None:
            return _without_pass(node, graph)
        return _explain_node(node, graph)
    stepper, graph = session.running(), session.graph
    if stepper.last is not None:
        return _explain_contribution(stepper.last, graph)
    ahead = stepper.peek()
    assert ahead is not None
    return _explain_edge(*ahead, graph)


@command("ledger", "le", group="teach", usage="ledger [NODE]", example=(*EXAMPLE, "end", "ledger a"), argument="node")
def ledger(session: Session, argument: str) -> Ledger:
    """List what has arrived at NODE, and the sum.

    One contribution a line. Alone: of the node reached last. A node used twice gets two contributions: `1.0 + 3.0 =
    4.0, 2/2 in`.
    """
    stepper, graph = session.running(), session.graph
    if argument:
        node, graph = session.node(argument)
        if graph.stepper is None:
            raise CommandError(f"{graph.name(node)} is not part of the pass of {session.graph.name(stepper.root)}")
    else:
        node = stepper.last.input if stepper.last is not None else stepper.root
    return stopview.ledger(graph, node, with_edges=True)


def _explain_contribution(c: Contribution, graph: Graph) -> Facts:
    """The contribution applied last."""
    edge = stopview.edge(graph, c)
    facts = _rule(c.node, c.slot, graph)
    root = graph.name(graph.nodes[-1])
    facts.append(("symbols", f"{edge.symbols}   where {received(edge.target)} gathers {slope(root, edge.target)}"))
    if isinstance(c.contribution, float):
        how = f"{brief(c.incoming)} × {in_product(c.local)} = " if edge.elementwise else f"{brief(c.incoming)}  →  "
        facts.append(("numbers", how + brief(c.contribution)))
    else:
        facts.append(("incoming", brief(c.incoming)))
        facts += [("× local", brief(c.local))] if edge.elementwise else []
        facts += (
            [("product", brief(c.product)), ("reduced", f"{c.reduction}: {_why_reduced(edge.target)}")] if c.reduction else []
        )
        facts.append(("result", brief(c.contribution)))
    facts += _why_sum(c.input, graph)
    return Facts(f"#{edge.number}  {phrases.definition(c.node, graph.name)}  →  {edge.target}", tuple(facts))


def _why_reduced(name: str) -> str:
    return (
        f"{name} was stretched to fit, and each of its copies got a gradient. A change of {name} moves all copies at once, "
        "so their gradients add up (they are not averaged)"
    )


def _explain_edge(node: Node, slot: int, graph: Graph) -> Facts:
    """A contribution still to come."""
    assert node.inputs is not None and node.op is not None and graph.stepper is not None
    root, target = graph.name(graph.stepper.root), graph.name(node.inputs[slot])
    facts = [("seed", f"{slope(root, root)} = {brief(graph.stepper.flow(node))}: {root} changes one for one with itself")]
    facts += _rule(node, slot, graph)
    if node.op.elementwise:
        facts.append(("symbols", f"{received(target)} += {received(graph.name(node))} × {slope(graph.name(node), target)}"))
    return Facts(f"next  {phrases.definition(node, graph.name)}  →  {target}", tuple(facts), "step applies it")


def _explain_node(node: Node, graph: Graph) -> Facts:
    """How a node's gradient comes about, and what it does with it."""
    stepper = graph.stepper
    assert stepper is not None
    name, root = graph.name(node), graph.name(stepper.root)
    facts = [("value", brief(node))]
    if node is stepper.root:
        facts.append(("seed", f"{slope(root, root)} = {brief(stepper.flow(node))}: {root} changes one for one with itself"))
    else:
        arrived, expected = stepper.arrivals(node)
        symbol = slope(root, name)
        if not expected:
            facts.append(("gradient", f"none: no gradient flows from {root} to {name}"))
        else:
            facts.append(("gradient", f"{symbol} = {_total(graph, node)}, {arrived}/{expected} in"))
            for c in stepper.ledger(node)[:4]:
                edge = stopview.edge(graph, c)
                facts.append(
                    (
                        "via",
                        f"{edge.node}: {edge.symbols.partition(' += ')[2]} = {brief(c.contribution)}   (step {edge.number})",
                    )
                )
            facts += _why_sum(node, graph)
    if sends(node):
        assert node.op is not None and node.inputs is not None
        for slot, x in list(enumerate(node.inputs))[:3]:
            if isinstance(x, Node) and x.requires_grad and node.op.differentiable(slot):
                facts.append(("rule", phrases.local_rule(node, slot, graph.name)))
    return Facts(phrases.definition(node, graph.name), tuple(facts))


def _without_pass(node: Node, graph: Graph) -> Facts:
    if node.op is None:
        return Facts(graph.name(node), (("is", "a leaf: nothing was computed to get it"), ("value", brief(node))))
    facts = [("value", brief(node))]
    for slot, x in enumerate(node.inputs or ()):
        if isinstance(x, Node) and x.requires_grad and node.op.differentiable(slot):
            facts += _rule(node, slot, graph)
    return Facts(phrases.definition(node, graph.name), tuple(facts), f"`backward {graph.name(node)}` starts a pass here")


def _rule(node: Node, slot: int, graph: Graph) -> list[tuple[str, str]]:
    """The rule of an edge: where it stands in the source, as written there, and with this graph's names."""
    assert node.op is not None and node.inputs is not None
    rule = node.op.rule(slot)
    facts = []
    try:
        lines, first = inspect.getsourcelines(rule)
        file = os.path.relpath(
            inspect.getfile(rule), os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        )
        text = textwrap.dedent("".join(lines)).rstrip().split("\n")
        if len(text) > SOURCE_LINES:
            text[SOURCE_LINES:] = [f"… {len(text) - SOURCE_LINES} more lines"]
        facts.append(("source", f"{file}:{first}, class {type(node.op).__name__}\n" + "\n".join(text)))
    except (OSError, TypeError):
        facts.append(("source", "not available"))
    if node.op.elementwise:
        stated = node.op.formula(slot)
        general = f"{stated.partition(' = ')[0]} = {rule_text(stated)}   here   " if rule_text(stated) else ""
        facts.append(("rule", f"{general}{phrases.local_rule(node, slot, graph.name)}"))
    return facts


def _why_sum(node: Node, graph: Graph) -> list[tuple[str, str]]:
    """Why contributions are added, for a node that gets more than one."""
    stepper = graph.stepper
    assert stepper is not None
    arrived, expected = stepper.arrivals(node)
    if expected < 2:
        return []
    name, root = graph.name(node), graph.name(stepper.root)
    readers = list(dict.fromkeys(graph.name(user) for user, _ in graph.users.get(node, [])[:READERS]))
    via = ", ".join(readers[:4]) + (" …" if len(readers) > 4 else "")
    so_far = f"{slope(root, name)} = {_total(graph, node)}, {arrived}/{expected} in"
    ways = count(expected, "way")
    why = f"{name} is used {expected} times (in {via}): a small change of it reaches {root} in {ways}, and the effects add up: "
    scalar = isinstance(stepper.flow(node), float)
    return [("why add", why + so_far if scalar else why.removesuffix(": "))]


def _total(graph: Graph, node: Node) -> str:
    """The contributions to a node and their sum."""
    assert graph.stepper is not None
    listed, left_out = stopview.shortened(graph.stepper.ledger(node))
    return phrases.total([c.contribution for c in listed], graph.stepper.flow(node), 8, left_out)
