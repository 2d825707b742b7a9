"""A graph as a tree of text: the result first, below it what it is computed from. For terminals, logs and screen readers."""

from __future__ import annotations

from viz.card import STATE_GLYPHS
from viz.format import Content
from viz.graphview import STATE_WORDS, EdgeView, GraphView, NodeView


def tree(view: GraphView) -> str:
    """The lines of the tree. A node that is used again is written once and then named with `(above)`; where a node has only
    one input, the tree goes on without a further indent, so that a long chain stays readable."""
    inputs: dict[str, list[EdgeView]] = {}
    for use in view.edges:
        inputs.setdefault(use.target, []).append(use)
    used = {use.source for use in view.edges}
    by_id = {node.id: node for node in view.nodes}
    lines = [line for line in (view.title, view.subtitle, *view.notes) if line]
    written: set[str] = set()
    # What is still to write, next last: the indent, the branch in front, the indent of what is below, the edge, the node.
    roots = [node for node in view.nodes if node.id not in used]
    stack: list[tuple[str, str, str, EdgeView | None, NodeView]] = [("", "", "", None, node) for node in roots]
    while stack:
        indent, branch, below, edge, node = stack.pop()
        again = node.id in written or node.kind == "alias"
        lines.append(f"{indent}{branch}{_edge(edge)}{_short(node) if again else _node(node)}")
        if again:
            continue
        written.add(node.id)
        below_it = inputs.get(node.id, [])
        for i, one in reversed(list(enumerate(below_it))):
            last, alone = i == len(below_it) - 1, len(below_it) == 1
            mark, indented = ("← ", below) if alone else ("└─ ", below + "   ") if last else ("├─ ", below + "│  ")
            stack.append((below, mark, indented, one, by_id[one.source]))
    return "\n".join(lines) + "\n"


def _edge(edge: EdgeView | None) -> str:
    if edge is None:
        return ""
    arrived = edge.product or edge.local
    text = " ".join(part for part in (edge.label, arrived, edge.reduction) if part)
    return f"{text}: " if text else ""


def _short(node: NodeView) -> str:
    return f"{node.title.partition(' = ')[0]} (above)"


def _node(node: NodeView) -> str:
    parts = [node.title]
    if node.kind == "parameter" or node.output:
        parts.append("[output]" if node.output else "[parameter]")
    parts += node.inside
    if node.value is not None and node.kind != "constant":
        parts.append(f"value {_content(node.value)}")
    if node.kind in ("operation", "parameter", "input"):
        parts.append(f"grad {_content(node.gradient)}" if node.gradient else "grad —" if node.wants_gradient else "no grad")
        parts.append(f"({node.stale})" if node.stale else "")
        parts.append(f"({node.ledger})" if node.ledger else "")
        parts.append(f"{node.arrivals[0]}/{node.arrivals[1]} in" if node.arrivals else "")
    if node.state:
        parts.append(f"{STATE_GLYPHS[node.state]} {STATE_WORDS[node.state]}")
    return "  ".join(part for part in parts if part)


def _content(content: Content) -> str:
    alarm = f" ({content.alarm})" if content.alarm else ""
    return f"{content.shape if content.shape != '()' else ''} {content.text}".strip().replace("  ", " ") + alarm
