"""Look around: at the pass, at a node and its neighbours, at anything Python can compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from minitorch.core.node import Node
from repl import echo, insight, phrases
from repl.commands.move import EXAMPLE
from repl.commands.stop import listing
from repl.graph import Graph, held, sends
from repl.phrases import brief, count, short, slope
from repl.registry import CommandError, command
from repl.views import Facts, Message, Table, View

if TYPE_CHECKING:
    from repl.engine import Session

AROUND = 5  # rows of `list` before and after the current node
MOST = 30  # rows of any other table
WORDS = {"todo": "waiting", "ready": "ready", "current": "current", "done": "done", "constant": "no grad"}


@command("where", "w", group="look", usage="where", example=(*EXAMPLE, "step", "where"))
def where(session: Session, argument: str) -> View:
    """Show where the pass stands.

    Position, current node, what has arrived there, and which nodes are ready. A node is ready when every contribution
    to its gradient has arrived, so that it can pass it on.
    """
    stepper, graph = session.running(), session.graph
    facts = [("pass", f"of {graph.name(stepper.root)}, step {stepper.position} of {len(stepper)}")]
    node = stepper.node
    if node is None:
        facts.append(("node", "none: the pass is complete"))
    else:
        facts.append(("node", phrases.definition(node, graph.name)))
        facts += _made_at(graph, node)
        root = graph.name(stepper.root)
        facts.append(("gradient", f"{slope(root, graph.name(node))} = {brief(stepper.flow(node))}, complete"))
        ahead = stepper.peek()
        assert ahead is not None and node.inputs is not None and node.op is not None
        target, label = node.inputs[ahead[1]], node.op.labels(len(node.inputs))[ahead[1]]
        facts.append(("next", f"its edge '{label}' to {graph.name(target)}"))
    number = graph.number(node) if node is not None else None
    if number is not None:
        coming = stepper.order[number + 1 : number + 200]
        ready = [graph.name(x) for x in coming if stepper.state(x) == "ready"]
        facts.append(("ready", ", ".join(ready[:8]) + (" …" if len(ready) > 8 else "") or "no other node"))
    if session.script:
        facts.append(("script", session.script))
    return Facts("", tuple(facts))


def _made_at(graph: Graph, node: Node) -> list[tuple[str, str]]:
    scope = graph.scope(node)
    facts = [("module", scope)] if scope else []
    at = phrases.place(node)
    if at:
        facts.append(("made at", f"{at}  {phrases.source_line(node)}".rstrip()))
    return facts


@command("list", "l", group="look", usage="list [SEL|all]", example=(*EXAMPLE, "step", "list"), argument="node")
def list_(session: Session, argument: str) -> View:
    """Show the nodes around the current one.

    In the order of the pass; `list all` shows every one, `list SEL` those that it picks. Columns: the steps a node
    sends, what it is, its value, the gradient that has arrived, how many of its contributions are in, and its state.
    Without a pass: the nodes behind your variables.
    """
    graph, stepper = session.graph, session.stepper
    if not graph.nodes:
        raise CommandError("no graph yet; compute something with Value or tensor, for example `L = Value(2.0) * Value(3.0)`")
    current = stepper.node if stepper is not None else None
    here = graph.number(current) if current is not None else None
    nodes: Sequence[Node] = graph.nodes
    if stepper is not None:
        far = not argument and here is not None and len(stepper.order) - here > 2 * AROUND
        nodes = stepper.order if far else [*stepper.order, *_leaves(graph)]
    footer = ""
    if argument and argument != "all":
        nodes = graph.select(argument)
        if not nodes:
            raise CommandError(graph.missing(argument))
    elif not argument and len(nodes) > 2 * AROUND + 1:
        if here is None:
            here = 0 if stepper is None or not stepper.position else len(nodes) - 1
        first = min(max(here - AROUND, 0), len(nodes) - 2 * AROUND - 1)
        footer = f"{count(len(graph.nodes), 'node')}; `list all` shows more, `list op:mul` or `list leaf` some"
        nodes = nodes[first : first + 2 * AROUND + 1]
    return node_table(graph, nodes, current, footer)


def _leaves(graph: Graph) -> list[Node]:
    assert graph.stepper is not None
    return [node for node in graph.nodes if node.is_leaf and graph.stepper.arrivals(node)[1]]


def node_table(graph: Graph, nodes: Sequence[Node], current: Node | None, footer: str = "") -> Table:
    """Nodes with what they are, their values and gradients."""
    shown = nodes[:MOST]
    if len(nodes) > MOST:
        footer = f"the first {MOST} of {count(len(nodes), 'node')}; `list op:mul`, `list mlp.*` or `list leaf` show some"
    stepper = graph.stepper
    rows: list[tuple[str, ...]] = []
    for node in shown:
        shape = getattr(node.raw, "shape", ())
        row = [graph.name(node), phrases.expression(node, graph.name), phrases.shape_text(shape) if shape else short(node.raw)]
        if stepper is None:
            rows.append((*row, short(held(node)) if node.requires_grad else ""))
            continue
        sent, first = sends(node), graph.first(node)
        steps = "" if not sent else f"{first + 1}" if sent == 1 else f"{first + 1}-{first + sent}"
        arrived, expected = stepper.arrivals(node)
        into = f"{arrived}/{expected}" if expected else "seed" if node is stepper.root else ""
        rows.append((steps, *row, short(stepper.flow(node)) if node.requires_grad else "", into, WORDS[stepper.state(node)]))
    at = next((number for number, node in enumerate(shown) if node is current), None)
    if stepper is None:
        return Table(("node", "is", "value", ".grad"), tuple(rows), footer=footer, yields=1)
    header = ("steps", "node", "is", "value", "grad", "in", "state")
    return Table(header, tuple(rows), footer=footer, current=at, yields=2)


@command(
    "print",
    "p",
    group="look",
    usage="print EXPR",
    example=(*EXAMPLE, "step 2", "print a", "print a.data + 1"),
    argument="expression",
)
def print_(session: Session, argument: str) -> View:
    """Show a node as a tree, or any value.

    The tree is of what the node was computed from; EXPR may be any Python expression.
    Nodes without a variable go by the name `list` shows: `print mul_1`, `print mul_1.data * 2`. `print @` is the current node.
    """
    if not argument:
        raise CommandError("print what? a node (`print mul_1`), or any expression")
    graph = session.graph
    if argument not in session.namespace and graph.select(argument):
        return echo.tree(graph, graph.one(argument))
    value = session.evaluate(argument)
    return echo.show(session, value)


@command(
    "info",
    "i",
    group="look",
    usage="info [NODE|TOPIC]",
    example=(*EXAMPLE, "step", "info a"),
    argument="node",
)
def info(session: Session, argument: str) -> View:
    """Everything about one node; alone, about the pass.

    TOPIC is breaks, ready, leaves, params, names, grads, module or memory: `leaves` are the nodes nothing was computed
    from; `params` those of them that get a gradient; `ready` the nodes whose gradient is complete; `names` your variables
    that are nodes; `grads` the norms of weights and gradients; `module` each module with its dead units; `memory` what all
    this takes.
    """
    topics: dict[str, Callable[[Session], View]] = {
        "": _info_pass, "breaks": listing, "ready": _info_ready, "names": _info_names,
        "leaves": lambda s: _some(s, (n for n in s.graph.nodes if n.is_leaf), "leaves"),
        "params": lambda s: _some(s, (n for n in s.graph.nodes if n.is_leaf and n.requires_grad), "parameters"),
        "grads": insight.gradients, "module": insight.modules, "memory": insight.memory,
    }  # fmt: skip
    if argument in topics and argument not in session.variables:
        return topics[argument](session)
    node, graph = session.node(argument)
    return _info_node(node, graph)


def _info_pass(session: Session) -> View:
    graph, stepper = session.graph, session.stepper
    facts: list[tuple[str, str]] = []
    if stepper is not None:
        facts.append(("pass", f"of {graph.name(stepper.root)}, step {stepper.position} of {len(stepper)}"))
        current = stepper.node
        facts.append(("node", phrases.definition(current, graph.name) if current is not None else "none: the pass is complete"))
    else:
        facts.append(("pass", "none; `backward EXPR` starts one"))
    operations = sum(node.op is not None for node in graph.nodes)
    leaves = len(graph.nodes) - operations
    facts.append(("graph", f"{count(operations, 'operation')}, {leaves} {'leaf' if leaves == 1 else 'leaves'}"))
    facts.append(("breaks", ", ".join(f"{b.number}: {b.describe()}" for b in session.stops.points) or "none"))
    if session.script:
        facts.append(("script", session.script))
    return Facts("", tuple(facts))


def _info_ready(session: Session) -> View:
    stepper = session.running()
    return _some(session, (n for n in stepper.order if stepper.state(n) in ("ready", "current")), "ready nodes")


def _info_names(session: Session) -> View:
    return _some(session, (x for x in session.variables.values() if isinstance(x, Node)), "variables that are nodes")


def _some(session: Session, nodes: Iterable[Node], what: str) -> View:
    found = list(nodes)
    if not found:
        return Message(f"no {what}")
    return node_table(session.graph, found, session.stepper.node if session.stepper is not None else None)


def _info_node(node: Node, graph: Graph) -> View:
    stepper = graph.stepper if node in graph else None
    kind = f"{type(node).__name__}, " + (f"made by {node.op.name}" if node.op else "a leaf")
    shape = phrases.shaped(node)
    facts = [("kind", kind + (f", {shape}" if shape else "")), ("value", brief(node))]
    if node.name and node.name != graph.name(node):
        facts.append(("name", node.name))
    facts += _made_at(graph, node)
    if not node.requires_grad:
        facts.append(("gradient", "none: it does not require one"))
    elif stepper is not None:
        arrived, expected = stepper.arrivals(node)
        counted = f", {arrived}/{expected} in" if expected else ""
        facts.append(("gradient", brief(stepper.flow(node)) + counted))
        facts.append(("state", _state(stepper.state(node))))
        if sends(node):
            first = graph.first(node) + 1
            facts.append(("sends", f"steps {first} to {first + sends(node) - 1}" if sends(node) > 1 else f"step {first}"))
    facts.append((".grad", brief(held(node))))
    used = [graph.name(user) for user, _ in graph.users.get(node, [])]
    facts.append(("used by", ", ".join(used[:8]) + (f" and {len(used) - 8} more" if len(used) > 8 else "") or "nothing"))
    return Facts(phrases.definition(node, graph.name), tuple(facts))


def _state(state: str) -> str:
    explained = {
        "todo": "waiting: its gradient is not complete",
        "ready": "ready: its gradient is complete, its turn has not come",
        "current": "current: it passes its gradient on next",
        "done": "done",
        "constant": "no gradient flows here",
    }
    return explained[state]


@command("inputs", "in", group="look", usage="inputs [NODE]", example=(*EXAMPLE, "inputs mul_1"), argument="node")
def inputs(session: Session, argument: str) -> View:
    """What a node was computed from, by which rules.

    Alone: of the current node."""
    node, graph = node_or_current(session, argument)
    name = graph.name(node)
    if node.op is None:
        return Message(f"{name} is a leaf: it was computed from nothing")
    if node.inputs is None:
        raise CommandError(
            f"the graph behind {name} was freed by backward(); compute it again, or use backward(retain_graph=True)"
        )
    rows = []
    for slot, (label, x) in enumerate(zip(node.op.labels(len(node.inputs)), node.inputs)):
        flows = isinstance(x, Node) and x.requires_grad and node.op.differentiable(slot)
        rule = phrases.local_rule(node, slot, graph.name) if flows else "no gradient flows here"
        rows.append((label, graph.name(x) if isinstance(x, Node) else "constant", short(x), rule))
    return Table(("slot", "node", "value", "rule"), tuple(rows), summary=phrases.definition(node, graph.name), yields=3)


@command("outputs", "out", group="look", usage="outputs [NODE]", example=(*EXAMPLE, "outputs a"), argument="node")
def outputs(session: Session, argument: str) -> View:
    """Which nodes use a node.

    They are where its gradient comes from. Alone: of the current node."""
    node, graph = node_or_current(session, argument)
    name = graph.name(node)
    users = graph.users.get(node, [])
    if not users:
        return Message(f"nothing in this graph uses {name}")
    rows = []
    for user, slot in users[:MOST]:
        assert user.op is not None and user.inputs is not None
        label = user.op.labels(len(user.inputs))[slot]
        sent = "" if graph.stepper is None else _sent(graph, user, slot)
        rows.append((phrases.definition(user, graph.name), label, short(user.raw), sent))
    header = ("used by", "as", "value", "sent" if graph.stepper is not None else "")
    times = "once" if len(users) == 1 else f"{len(users):,} times"
    footer = f"the first {MOST} of them" if len(users) > MOST else ""
    return Table(header, tuple(rows), summary=f"{name} is used {times}", footer=footer, yields=0)


def _sent(graph: Graph, user: Node, slot: int) -> str:
    sent = graph.contribution(user, slot)
    return short(sent.contribution) if sent is not None else phrases.ABSENT


def node_or_current(session: Session, argument: str) -> tuple[Node, Graph]:
    """The node an argument names, or the current one."""
    if argument:
        return session.node(argument)
    node = session.running().node
    if node is None:
        raise CommandError("the pass is complete, so no node is current; name one")
    return node, session.graph
