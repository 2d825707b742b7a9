"""What a node or an edge looks like by its kind and state: the decisions that the SVG and the DOT writer share."""

from __future__ import annotations

from viz.graphview import EdgeView, NodeView
from viz.theme import LEVELS, Ink, Theme

Stroke = tuple[str, float, str]
"""Colour, width, and dash: "", "dashed" or "dotted"."""


def node_ink(node: NodeView, theme: Theme) -> Ink:
    """The colours of a node, by its kind."""
    return theme.inks["output" if node.output else node.kind]


def node_border(node: NodeView, theme: Theme) -> Stroke:
    """The outline of a node: its state, where it has one, else its kind."""
    if node.kind in ("alias", "stub"):
        return theme.inks[node.kind].border, 1.4, "dashed" if node.kind == "alias" else "dotted"
    return state_border(node.state, node_ink(node, theme).border, theme)


def state_border(state: str, colour: str, theme: Theme) -> Stroke:
    """The outline that shows a state on a box of this colour."""
    return {
        "current": (theme.accent, 3.5, ""),
        "ready": (colour, 2.2, "dashed"),
        "done": (colour, 2.2, ""),
        "todo": (theme.quiet, 1.0, ""),
        "constant": (theme.quiet, 1.0, "dotted"),
        "": (colour, 1.4, ""),
    }[state]


def edge_stroke(edge: EdgeView, theme: Theme) -> Stroke:
    """The line of an edge."""
    if not edge.carries:
        return theme.line, 1.4, "dotted"
    colour, width, dash = {
        "last": (theme.accent, 3.4, ""),
        "next": (theme.accent, 2.4, "dashed"),
        "done": (theme.text, 2.0, ""),
        "todo": (theme.quiet, 1.3, ""),
        "": (theme.line, 1.5, ""),
    }[edge.state]
    return colour, width, "dashed" if edge.dead else dash


def moves(edge: EdgeView) -> bool:
    """Whether a gradient moves along this edge now. It goes from target to source, and so does the arrow then."""
    return edge.state in ("last", "next")


def heat(level: float | None, theme: Theme) -> str:
    """The fill of a cell at `level` (-1 to 1): neutral at zero, towards one colour for each sign, its own for NaN.

    The fills keep the digits on them readable, at least 4.5:1.
    """
    return theme.nan if level is None else theme.cells[round(level * LEVELS) + LEVELS]
