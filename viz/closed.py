"""Many nodes as one box: what it says, and the edges that lead into it."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING

from minitorch.core.apply import has_nan
from minitorch.core.backward import needed_slots
from minitorch.core.node import Node
from viz.graphview import EdgeView, NodeState, NodeView
from viz.modules import Group, is_parameter
from viz.wording import shorten, shown_name

if TYPE_CHECKING:
    from viz.build import Builder

SOURCE_LENGTH = 68


def box(builder: Builder, group: Group, last: Node) -> NodeView:
    """A closed module, or a source line, as it is now."""
    ops = [node for node in group.members if node.op is not None]
    learned = [node for node in group.members if is_parameter(node)]
    lines = [f"{len(ops):,} operation{'s' * (len(ops) != 1)}"]
    if learned:
        numbers = sum(int(getattr(node.raw, "size", 1)) for node in learned)
        lines.append(f"{len(learned):,} parameter{'s' * (len(learned) != 1)}: {numbers:,} numbers")
    result = builder.content(last.raw)
    lines += [f"gives {result.shape} {result.kind}".strip()] if result.shape else [f"last value {result.text}"]
    if group.kind == "line" and (made := ops[0].made_at):
        lines.insert(0, shorten(linecache.getline(*made).strip(), SOURCE_LENGTH))
        lines[1] += ": " + ", ".join(dict.fromkeys(node.op.name for node in ops if node.op))[:30]
    if any(has_nan(node.raw) for node in group.members):
        lines.append("NaN inside")
    return NodeView(
        builder.box_of[group.members[0]], "module", group.name, shown_name(group.name, 40), group.kind, inside=tuple(lines),
        arrivals=_progress(builder, group), state=_state(builder, group), scope=group.scope, repeats=group.count,
        wants_gradient=any(node.requires_grad for node in group.members),
        output=builder.root in group.inside,
    )  # fmt: skip


def _progress(builder: Builder, group: Group) -> tuple[int, int] | None:
    if builder.stepper is None:
        return None
    counts = [builder.stepper.arrivals(node) for node in group.members]
    arrived, expected = sum(count[0] for count in counts), sum(count[1] for count in counts)
    return (arrived, expected) if expected else None


def _state(builder: Builder, group: Group) -> NodeState:
    if builder.stepper is None:
        return ""
    if builder.next is not None and builder.next[0] in group.inside:
        return "current"
    states = {builder.stepper.state(node) for node in group.members} - {"constant"}
    return "done" if states == {"done"} else "todo" if states else "constant"


def edges_into(builder: Builder, group: Group) -> list[EdgeView]:
    """One edge from every box that something inside reads, labelled with the shape that goes in."""
    id, chosen = builder.box_of[group.members[0]], set(builder.shown)
    found: dict[str, tuple[str, int, bool]] = {}
    for node in group.members:
        for slot, x in enumerate(node.inputs or ()):
            if isinstance(x, Node) and x in chosen and builder.box_of.get(x) != id:
                source = builder.box_of.get(x) or builder.ids[x]
                carries = slot in needed_slots(node)
                shape = builder.content(x.raw).shape if hasattr(x.raw, "shape") else ""
                old = found.get(source)
                uses, carried = (old[1] + 1, old[2] or carries) if old else (1, carries)
                found[source] = (shape, uses, carried)
    labels = {source: f"{shape} × {uses}" if uses > 1 else shape for source, (shape, uses, _) in found.items()}
    return [
        EdgeView(f"{id}e{source}", source, id, 0, labels[source].strip() or "in", carries=carries)
        for source, (_, _, carries) in found.items()
    ]
