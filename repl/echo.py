"""The echo of a result: a node as a tree of what it was computed from, anything else as Python writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minitorch.core.node import Node
from repl import phrases
from repl.graph import Graph
from repl.views import Branch, Echo, Tree, View
from viz.format import host

if TYPE_CHECKING:
    from repl.engine import Session

LINES = 14  # of a tree
TEXT_LINES = 40  # of anything else
COUNTED = 1000  # nodes behind one that is not expanded
ELEMENTS = 64  # an array up to this size is printed


def show(session: Session, value: Any) -> View:
    """The view of a value."""
    if isinstance(value, Node):
        return tree(session.graph_of(value), value)
    return Echo(written(value, session.width))


def written(value: Any, width: int) -> str:
    """`repr`, wrapped to the width and cut where it would flood the screen."""
    from rich.pretty import pretty_repr

    text = pretty_repr(value, max_width=width, max_length=60, max_string=4000)
    lines = text.split("\n")
    if len(lines) > TEXT_LINES:
        lines[TEXT_LINES:] = [f"… {len(lines) - TEXT_LINES:,} more lines (print(…) shows all)"]
    return "\n".join(lines)


def tree(graph: Graph, root: Node, lines: int = LINES) -> Tree:
    """A node and what it was computed from, nearest first, as far as `lines` go; a node used twice is expanded once."""
    expanded = _chosen(root, lines)
    branches: list[Branch] = []
    seen: set[Node] = set()

    def grow(node: Node, prefix: str, below: str) -> None:
        again = node in seen
        seen.add(node)
        inputs = _nodes(node)
        opened = inputs if node in expanded and not again else []
        more = "" if opened or not inputs else "above" if again and node in expanded else _amount_below(node)
        branches.append(branch(graph, node, prefix, more))
        for number, x in enumerate(opened):
            last = number == len(opened) - 1
            grow(x, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))

    grow(root, "", "")
    raw = root.raw
    printed = hasattr(raw, "shape") and raw.ndim > 0 and 0 < raw.size <= ELEMENTS
    return Tree(tuple(branches), host(raw) if printed else None, _footer(root))


def branch(graph: Graph, node: Node, prefix: str = "", more: str = "") -> Branch:
    """One line of a tree."""
    stepper = graph.stepper
    flowing = stepper is not None and node in graph and node.requires_grad
    return Branch(
        prefix=prefix,
        name=graph.name(node),
        made=phrases.expression(node, graph.name),
        value=node.raw,
        shape=phrases.shaped(node),
        gradient=graph.gradient(node) if node.requires_grad else "none",
        arrivals=stepper.arrivals(node) if flowing and stepper is not None and node is not stepper.root else None,
        more=more,
    )


def _chosen(root: Node, lines: int) -> set[Node]:
    """The nodes whose inputs are shown: breadth first, so that what is nearest gets the room."""
    chosen: set[Node] = set()
    queue, used = [root], 1
    for node in queue:  # grows while it is walked
        inputs = _nodes(node)
        if node in chosen or not inputs:
            continue
        if used + len(inputs) > lines:
            break
        chosen.add(node)
        used += len(inputs)
        queue.extend(inputs)
    return chosen


def _nodes(node: Node) -> list[Node]:
    return [x for x in node.inputs or () if isinstance(x, Node)]


def _amount_below(node: Node) -> str:
    """How many nodes a node was computed from: `12`, `1,000+`."""
    found: dict[Node, None] = {}
    queue = [node]
    for reader in queue:  # grows while it is walked
        for x in _nodes(reader):
            if x not in found:
                found[x] = None
                queue.append(x)
        if len(found) >= COUNTED:
            return f"{COUNTED:,}+"
    return str(len(found))


def _footer(root: Node) -> str:
    if root.inputs is None:
        return "its graph was freed by backward(); compute it again, or keep it with backward(retain_graph=True)"
    return ""
