"""GraphView to DOT, the language of Graphviz.

`write` gives a complete drawing, good for `dot -Tpng` on any machine; `skeleton` gives bare rectangles of known size,
of which the layout alone is wanted (`svg.py` draws them). Both are written by hand rather than with the `graphviz`
package: that package takes every string of the form `<...>` for HTML, so a node named `<b>` would be markup, and it
neither kills a layout that hangs nor sees past its own process; what is left of it is a loop that joins strings.

Escaping is done in two places and nowhere else: `label_text` for text inside labels, `quoted` for tooltips. Ids are
ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from viz.boxes import Size
from viz.card import edge_sentence, node_sentence, picture_sentence
from viz.dot_label import MONO, SANS, caption, edge_label, label_text, node_label
from viz.graphview import EdgeView, GraphView, NodeView
from viz.look import edge_stroke, moves, node_border, node_ink
from viz.theme import LIGHT, Theme
from viz.xml import clean

SHAPES = {  # shape and style
    "operation": ("box", "filled,rounded"),
    "input": ("note", "filled"),
    "parameter": ("box", "filled,diagonals"),
    "constant": ("box", "filled,rounded"),
    "alias": ("box", "filled,rounded"),
    "stub": ("box", "filled,rounded"),
    "module": ("box3d", "filled"),
    "gate": ("box", "filled,rounded"),
}
PIXEL = 72.0  # layout is done in points, one for each pixel of the SVG


def quoted(text: str) -> str:
    r"""`text` as a quoted tooltip that shows exactly `text`. Graphviz reads entities in it, and backslashes twice
    over."""
    return '"' + clean(text).replace("&", "&amp;").replace("\\", "\\" * 4).replace('"', '\\"') + '"'


def write(view: GraphView, *, direction: str = "LR", pills: bool = False, theme: Theme = LIGHT) -> str:
    """The complete DOT of a view. The same view gives the same text.

    One statement is one edge, its text a label; with `pills`, labels are nodes of their own, which looks better.
    """
    names = {node.id: node.name for node in view.nodes}
    lines = [
        "digraph minitorch {",
        f'  graph [rankdir={direction} nodesep=0.3 ranksep=0.35 pad=0.3 bgcolor="{theme.page}" fontname="{SANS}"',
        f"    labelloc=b labeljust=l tooltip={quoted(picture_sentence(view))}",
        f"    label=<{caption(view, theme)}>]",
        f'  node [margin="0.08,0.04" fontname="{MONO}" fontsize=13 fontcolor="{theme.text}"]',
        f'  edge [fontname="{MONO}" fontsize=11 arrowsize=0.7]',
    ]
    texts = {node.id: _node(node, theme) for node in view.nodes}
    if pills:
        texts.update((edge.id, _pill(edge, theme)) for edge in view.edges)
    lines += _framed(view, texts, f'color="{theme.cluster_line}" bgcolor="{theme.cluster}"')
    for edge in view.edges:
        lines += _halves(edge, names, theme, direction) if pills else [_edge(edge, names, theme)]
    return "\n".join([*lines, "}", ""])


def skeleton(
    view: GraphView, nodes: Mapping[str, Size], edges: Mapping[str, Size], *, direction: str = "LR", fast: bool = False
) -> str:
    """DOT with no text at all: each box and each edge label is an empty rectangle, so no font and no escape matters.

    A label is a node of its own between the two ends: dot then runs the edge through its middle, where a label proper
    would stand beside the edge, and the two edges of `a + a` spread evenly. `fast` trades beauty for time.
    """
    ranks = "nslimit=0.5 nslimit1=0.5 mclimit=0.1 splines=line" if fast else "splines=spline"
    lines = [
        "digraph minitorch {",
        f"  graph [rankdir={direction} nodesep=0.28 ranksep=0.3 {ranks}]",
        '  node [shape=box fixedsize=true label=""]',
        "  edge [arrowhead=none]",
    ]
    sizes = {**nodes, **{edge.id: edges[edge.id] for edge in view.edges}}
    texts = {id: f"{id} [width={size.width / PIXEL:.4f} height={size.height / PIXEL:.4f}]" for id, size in sizes.items()}
    lines += _framed(view, texts, "margin=14")
    leave, enter = ("e", "w") if direction == "LR" else ("s", "n")
    for edge in view.edges:
        # The label stays by the argument it names; only the way from the source to it may get long.
        # And what carries a gradient is kept straight before what does not.
        weights = (4, 12) if edge.carries else (1, 3)
        lines.append(f'  {edge.source}:{leave} -> {edge.id}:{enter} [id="{edge.id}in" weight={weights[0]}]')
        lines.append(f'  {edge.id}:{leave} -> {edge.target}:{enter} [id="{edge.id}out" weight={weights[1]}]')
    return "\n".join([*lines, "}", ""])


def _framed(view: GraphView, texts: Mapping[str, str], style: str) -> list[str]:
    """The lines of nodes and labels, each inside the frame it belongs to; a label belongs in the innermost
    frame around both its ends."""
    home = {id: cluster.id for cluster in view.clusters for id in cluster.nodes}
    parents = {cluster.id: cluster.parent for cluster in view.clusters}

    def around(id: str) -> list[str]:
        """The frames around a box, innermost first."""
        found = [home[id]] if id in home else []
        while found and parents[found[-1]]:
            found.append(parents[found[-1]])
        return found

    for edge in view.edges:
        outer = around(edge.target)
        if edge.id in texts and (shared := [one for one in around(edge.source) if one in outer]):
            home[edge.id] = shared[0]
    inside: dict[str, list[str]] = {}
    for id in texts:
        inside.setdefault(home.get(id, ""), []).append(id)
    lines: list[str] = []

    def frame(parent: str, indent: str) -> None:
        for cluster in view.clusters:
            if cluster.parent == parent:
                label = f'<<FONT FACE="{SANS}" POINT-SIZE="12">{label_text(cluster.label) or " "}</FONT>>'
                lines.append(f"{indent}subgraph cluster_{cluster.id} {{")
                lines.append(f"{indent}  graph [{style} label={label} labeljust=l labelloc=t]")
                frame(cluster.id, indent + "  ")
                lines.append(f"{indent}}}")
        lines.extend(f"{indent}{texts[id]}" for id in inside.get(parent, ()))

    frame("", "  ")
    return lines


def _node(node: NodeView, theme: Theme) -> str:
    shape, style = SHAPES[node.kind]
    colour, width, dash = node_border(node, theme)
    ink = node_ink(node, theme)
    light = node.kind in ("operation", "constant", "alias", "stub") and not node.output
    fill = theme.accent_fill if node.state == "current" else ink.fill if light else ink.band
    look = f'shape={shape} style="{style}{"," + dash if dash else ""}"{" peripheries=2" if node.output else ""}'
    look += f' color="{colour}" penwidth={width} fillcolor="{fill}"'
    classes = f"node {node.kind} {node.state}".strip()
    label, tooltip = node_label(node, theme), quoted(node_sentence(node))
    return f'{node.id} [id="{node.id}" class="{classes}" {look} label=<{label}> tooltip={tooltip}]'


def _edge(edge: EdgeView, names: dict[str, str], theme: Theme) -> str:
    """An edge as one statement, its text as its label."""
    look = f"label=<{edge_label(edge, theme)}> dir={'back' if moves(edge) else 'forward'} {_line(edge, names, theme)}"
    return f'  {edge.source} -> {edge.target} [id="{edge.id}" {look}]'


def _halves(edge: EdgeView, names: dict[str, str], theme: Theme, direction: str) -> list[str]:
    """An edge as two statements, to its label and on to its target; the arrow is at the end where something arrives."""
    leave, enter = ("e", "w") if direction == "LR" else ("s", "n")
    line = _line(edge, names, theme)
    first, second = ("back", "none") if moves(edge) else ("none", "forward")
    return [
        f'  {edge.source}:{leave} -> {edge.id}:{enter} [id="{edge.id}in" dir={first} {line}]',
        f'  {edge.id}:{leave} -> {edge.target}:{enter} [id="{edge.id}out" dir={second} {line}]',
    ]


def _pill(edge: EdgeView, theme: Theme) -> str:
    """The node that is the label of an edge."""
    fill = theme.accent_fill if edge.state == "last" else theme.page
    style = "rounded,filled,dashed" if edge.state == "next" else "rounded,filled"
    look = f'style="{style}" color="{theme.accent if moves(edge) else theme.rule}" fillcolor="{fill}"'
    size = 'shape=box fontsize=11 margin="0.06,0.02" width=0.2 height=0.2'
    return f'{edge.id} [id="{edge.id}" class="label" label=<{edge_label(edge, theme)}> {size} {look}]'


def _line(edge: EdgeView, names: dict[str, str], theme: Theme) -> str:
    """Class, stroke and tooltip of an edge."""
    colour, width, dash = edge_stroke(edge, theme)
    classes, tooltip = f"edge {edge.state}".strip(), quoted(edge_sentence(edge, names))
    return f'class="{classes}" style="{dash or "solid"}" penwidth={width} color="{colour}" tooltip={tooltip}'
