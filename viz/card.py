"""The lines inside a box, the same for every writer: title, word, value, gradient, ledger, state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from viz.format import Content
from viz.graphview import STATE_WORDS, EdgeView, GraphView, NodeView

Role = Literal["info", "value", "gradient", "ledger", "stale"]
ABSENT = "—"
# Glyphs that the bundled fonts of graphviz-pure have; a check mark is not among them.
STATE_GLYPHS = {"todo": "·", "ready": "○", "current": "►", "done": "●", "constant": "ø"}


@dataclass(frozen=True, slots=True)
class Block:
    """One labelled part of a box. `tag` is a remark at its right end; `cells`/`bars` come from the content."""

    role: Role
    label: str
    lines: tuple[str, ...]
    tag: str = ""
    alarm: str = ""
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A box as text. `compact` boxes (constants, aliases, stubs) have a title and a word, nothing else."""

    title: str
    word: str
    blocks: tuple[Block, ...] = ()
    state: str = ""
    steps: str = ""
    compact: bool = False


def card(node: NodeView) -> Card:
    """The text of one node."""
    word = "output" if node.output else node.op if node.kind == "operation" else node.kind
    if word == node.op and f"= {word[:8]}" in node.title:
        word = ""  # the title says it
    if node.kind in ("constant", "alias", "stub", "gate"):
        return Card(node.title, {"constant": "const", "alias": "again"}.get(node.kind, ""), compact=True)
    blocks = [Block("info", "" if i else "inside", (line,)) for i, line in enumerate(node.inside)]
    if node.kind == "module":
        if node.arrivals:
            blocks.append(Block("ledger", "", (f"{node.arrivals[0]} of {node.arrivals[1]} gradients in",)))
        word = f"× {node.repeats}" if node.repeats > 1 else node.op
        return Card(node.title, word, tuple(blocks), node.state)
    if node.value is not None:
        if node.value.shape:
            blocks.append(Block("info", "", (f"{node.value.shape} {node.value.kind}",)))
        blocks.append(_content("value", "value", node.value))
    if node.wants_gradient:
        tag = f"{node.arrivals[0]}/{node.arrivals[1]} in" if node.arrivals else ""
        blocks.append(_content("gradient", "grad", node.gradient, tag))
        if node.stale:
            blocks.append(Block("stale", "stale", (node.stale,)))
        if node.ledger:
            blocks.append(Block("ledger", "", (node.ledger,)))
    return Card(node.title, word, tuple(blocks), node.state, steps(node))


def steps(node: NodeView) -> str:
    """`step 3` or `steps 3–4`: the contributions that this node sends."""
    if node.steps is None:
        return ""
    first, last = node.steps
    return f"step {first}" if first == last else f"steps {first}-{last}"


def _content(role: Role, label: str, content: Content | None, tag: str = "") -> Block:
    if content is None:
        return Block(role, label, (ABSENT,), tag)
    lines = tuple(content.text.split("  ", 1)) if content.bars else (content.text,)
    if content.cells and any(cell.text for row in content.cells for cell in row):
        lines = ()  # the numbers stand in the cells
    return Block(role, label, lines, tag, content.alarm, content)


def edge_lines(edge: EdgeView) -> tuple[str, ...]:
    """The text on an edge: slot and local derivative, then product and reduction where there are any."""
    first = f"{edge.label}  {edge.local}".strip() if edge.carries else edge.label
    return tuple(line for line in (first, edge.product, edge.reduction) if line)


def node_sentence(node: NodeView) -> str:
    """The node read aloud: `b = a + a, operation add, value 2.0, gradient 4.0, 2 of 2 contributions in, done`."""
    if node.kind == "alias":
        return f"{node.name}, drawn again for another use"
    if node.kind == "module":
        times = f", {node.repeats} equal ones" if node.repeats > 1 else ""
        state = [STATE_WORDS[node.state]] if node.state else []
        state = [STATE_WORDS[node.state]] if node.state else []
        return ", ".join([f"{node.name}, closed {node.op}{times}", *node.inside, *state])
    if node.kind == "stub":
        return f"{node.title}, not shown"
    if node.kind == "gate":
        return f"operation {node.op} of {node.name}"
    parts = [node.name if node.kind != "operation" else f"{node.name}, {node.title}", node.kind]
    if node.op:
        parts[-1] += f" {node.op}"
    parts += ["output"] * node.output
    if node.value is not None:
        parts.append(f"value {_spoken(node.value)}")
    if node.kind != "constant":
        absent = "no gradient yet" if node.wants_gradient else "needs no gradient"
        parts.append(f"gradient {_spoken(node.gradient)}" if node.gradient else absent)
    parts += [f"stale gradient, {node.stale}"] * bool(node.stale)
    if node.arrivals:
        parts.append(f"{node.arrivals[0]} of {node.arrivals[1]} contributions in")
    if node.state and node.state != "constant":
        parts.append(STATE_WORDS[node.state])
    parts += [f"module {node.scope}"] * bool(node.scope) + [f"made at {node.where}"] * bool(node.where)
    return ", ".join(parts)


def edge_sentence(edge: EdgeView, names: dict[str, str]) -> str:
    """The edge read aloud: `a is argument a of b, local derivative ×1.0`."""
    text = f"{names[edge.source]} is argument {edge.label} of {names[edge.target]}"
    if not edge.carries:
        return f"{text}, carries no gradient"
    text += f", local derivative {edge.local}" * bool(edge.local)
    state = {"last": "just arrived", "next": "comes next", "done": "arrived", "todo": "not yet", "": ""}[edge.state]
    return ", ".join(part for part in (text, state, edge.product, edge.reduction) if part)


def picture_sentence(view: GraphView) -> str:
    """The whole picture read aloud, for its description."""
    words = ("operation", "parameter", "input", "constant", "module")
    kinds = [sum(node.kind == kind for node in view.nodes) for kind in words]
    words = (*words[:4], "closed module")
    counts = [f"{n} {word}{'s' * (n != 1)}" for n, word in zip(kinds, words) if n]
    return " ".join([f"A computation graph of {', '.join(counts)}.", view.subtitle, *view.notes]).replace("  ", " ")


def _spoken(content: Content) -> str:
    return f"{content.shape} {content.text}".strip() + (f" ({content.alarm})" if content.alarm else "")
