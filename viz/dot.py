"""GraphView to DOT, the language of Graphviz.

`write` gives a complete drawing, good for `dot -Tpng` on any machine; `skeleton` gives bare rectangles of known size, of
which the layout alone is wanted (`svg.py` draws them). Both are written by hand rather than with the `graphviz` package:
that package takes every string of the form `<...>` for HTML, so a node named `<b>` would be markup, and it neither kills a
layout that hangs nor sees past its own process; what is left of it is a loop that joins strings.

Escaping is done in two places and nowhere else: `html` for text inside labels, `quoted` for attributes. Ids are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from viz.boxes import Size
from viz.card import STATE_GLYPHS, Block, card, edge_lines, edge_sentence, node_sentence, picture_sentence
from viz.format import Cell
from viz.graphview import STATE_WORDS, EdgeView, GraphView, NodeView
from viz.theme import LIGHT, Theme

# Single names: graphviz-pure looks a font up by its exact name, and both are stand-ins that every dot knows.
MONO, SANS = "Courier New", "Helvetica"
SHAPES = {
    "operation": "style=\"filled,rounded\"",
    "input": "shape=note style=filled",
    "parameter": "style=\"filled,diagonals\"",
    "constant": "style=\"filled,rounded\"",
    "alias": "style=\"filled,rounded,dashed\"",
    "stub": "style=\"filled,rounded,dotted\"",
}
PIXEL = 72.0  # layout is done in points, one for each pixel of the SVG


def clean(text: str) -> str:
    """`text` without characters that XML forbids (control characters, lone surrogates); tabs and breaks become spaces."""
    return "".join(
        " " if c in "\t\n\r\x85\u2028\u2029" else c
        for c in text
        if c in "\t\n\r" or (" " <= c < "\x7f") or ("\x85" <= c < "\ud800") or ("\ue000" <= c and c not in "\ufffe\uffff")
    )


def html(text: str) -> str:
    """`text` for an HTML-like label or for XML, markup and quotes escaped."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def quoted(text: str) -> str:
    r"""`text` as a quoted DOT string that shows exactly `text`.

    Graphviz reads `\N`, `\n` and the like in such strings, and entities such as `&lt;`, so both `\` and `&` are escaped.
    """
    return '"' + clean(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(view: GraphView, *, direction: str = "LR", pills: bool = False, theme: Theme = LIGHT) -> str:
    """The complete DOT of a view. The same view gives the same text.

    One statement is one edge, its text a label; with `pills`, labels are nodes of their own, which looks better.
    """
    names = {node.id: node.name for node in view.nodes}
    edge_font = f'fontname="{MONO}" fontsize=11'
    lines = [
        "digraph minitorch {",
        f'  graph [rankdir={direction} nodesep=0.3 ranksep=0.35 pad=0.3 bgcolor="{theme.page}" fontname="{SANS}"',
        f"    labelloc=b labeljust=l tooltip={quoted(picture_sentence(view))}",
        f"    label=<{_footer(view, theme)}>]",
        f'  node [shape=box margin="0.08,0.04" fontname="{MONO}" fontsize=13 fontcolor="{theme.text}"]',
        f'  edge [color="{theme.line}" {edge_font} fontcolor="{theme.soft}" arrowsize=0.7 labelfloat=false]',
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
        f"  graph [rankdir={direction} nodesep=0.28 ranksep=0.36 {ranks}]",
        '  node [shape=box fixedsize=true label=""]',
        "  edge [arrowhead=none]",
    ]
    sizes = {**nodes, **{edge.id: edges[edge.id] for edge in view.edges}}
    texts = {
        id: f"{id} [width={size.width / PIXEL:.4f} height={size.height / PIXEL:.4f}]" for id, size in sizes.items()
    }
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
    """The lines of nodes and labels, each inside the frame it belongs to; a label belongs where both its ends do."""
    home = {id: cluster.id for cluster in view.clusters for id in cluster.nodes}
    for edge in view.edges:
        if edge.id in texts and home.get(edge.source) == home.get(edge.target) is not None:
            home[edge.id] = home[edge.source]
    inside: dict[str, list[str]] = {}
    for id in texts:
        inside.setdefault(home.get(id, ""), []).append(id)
    lines: list[str] = []

    def frame(parent: str, indent: str) -> None:
        for cluster in view.clusters:
            if cluster.parent == parent:
                label = f'<<FONT FACE="{SANS}" POINT-SIZE="12">{html(cluster.label) or " "}</FONT>>'
                lines.append(f"{indent}subgraph cluster_{cluster.id} {{")
                lines.append(f"{indent}  graph [{style} label={label} labeljust=l labelloc=t]")
                frame(cluster.id, indent + "  ")
                lines.append(f"{indent}}}")
        lines.extend(f"{indent}{texts[id]}" for id in inside.get(parent, ()))

    frame("", "  ")
    return lines


def _node(node: NodeView, theme: Theme) -> str:
    content = card(node)
    ink = theme.inks["output" if node.output else node.kind]
    word = _font(content.word, f'FACE="{SANS}" POINT-SIZE="10" COLOR="{ink.word}"')
    if content.compact:
        rows = f"<TR><TD>{html(content.title) or ' '}</TD><TD>{word}</TD></TR>"
    else:
        title = f'<FONT POINT-SIZE="15"><B>{html(content.title) or " "}</B></FONT>'
        rows = f'<TR><TD ALIGN="LEFT" COLSPAN="2">{title}</TD><TD ALIGN="RIGHT">{word}</TD></TR><HR/>'
        rows += "".join(_block(block, theme) for block in content.blocks)
        if content.state:
            text = f"{STATE_GLYPHS[content.state]} {STATE_WORDS[content.state]}"
            face = f'FACE="{SANS}" POINT-SIZE="11" COLOR="{theme.accent_text if content.state == "current" else theme.soft}"'
            rows += f'<HR/><TR><TD ALIGN="LEFT" COLSPAN="2">{_font(text, face, bold=content.state == "current")}</TD>'
            rows += f'<TD ALIGN="RIGHT">{_font(content.steps, face)}</TD></TR>'
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{rows}</TABLE>'
    shape = SHAPES[node.kind] + (" peripheries=2" if node.output else "")
    border, width, dash = state_border(node, theme)
    if dash and "dashed" not in shape and "dotted" not in shape:
        shape = shape.replace('style="filled', f'style="filled,{dash}').replace("style=filled", f'style="filled,{dash}"')
    return (
        f'{node.id} [id="{node.id}" class="node {node.kind} {node.state or "still"}" {shape} label=<{table}> '
        f'color="{border}" penwidth={width} fillcolor="{node_fill(node, theme)}" tooltip={quoted(node_sentence(node))}]'
    )


def state_border(node: NodeView, theme: Theme) -> tuple[str, float, str]:
    """Colour, width and dash ("", "dashed", "dotted") of a node's outline, by its state, else by its kind."""
    ink = theme.inks["output" if node.output else node.kind]
    return {
        "current": (theme.accent, 3.5, ""),
        "ready": (ink.border, 2.2, "dashed"),
        "done": (ink.border, 2.2, ""),
        "todo": (theme.quiet, 1.0, ""),
        "constant": (theme.quiet, 1.0, "dotted"),
        "": (ink.border, 1.4, ""),
    }[node.state]


def node_fill(node: NodeView, theme: Theme) -> str:
    """The fill of a node in DOT, where title band and body share one."""
    if node.state == "current":
        return theme.accent_fill
    ink = theme.inks["output" if node.output else node.kind]
    return ink.fill if node.kind in ("operation", "constant", "alias", "stub") and not node.output else ink.band


def _block(block: Block, theme: Theme) -> str:
    label = _font(block.label, f'FACE="{SANS}" POINT-SIZE="11" COLOR="{theme.soft}"')
    size = 11 if block.role in ("info", "ledger") or (block.content and (block.content.cells or block.content.bars)) else 13
    colour = theme.soft if block.role in ("info", "ledger") else theme.text
    body = "<BR/>".join(_font(line, f'POINT-SIZE="{size}" COLOR="{colour}"') for line in block.lines)
    if block.content is not None and block.content.bars:
        body = f'<TABLE BORDER="0" CELLSPACING="0"><TR><TD>{_histogram(block.content.bars, theme)}</TD><TD>{body}</TD></TR></TABLE>'
    if block.content is not None and block.content.cells:
        body = _grid(block.content.cells, theme) + (f"<TR><TD>{body}</TD></TR>" if body else "")
        body = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{body}</TABLE>'
    if block.alarm:
        alarm = _font(block.alarm, f'POINT-SIZE="11" COLOR="{theme.bad}"', bold=True)
        body = f'<TABLE BORDER="0" CELLSPACING="0"><TR><TD>{body}</TD><TD>{alarm}</TD></TR></TABLE>'
    tag = _font(block.tag, f'FACE="{SANS}" POINT-SIZE="11" COLOR="{theme.soft}"')
    return f'<TR><TD ALIGN="LEFT">{label}</TD><TD ALIGN="LEFT">{body or " "}</TD><TD ALIGN="RIGHT">{tag}</TD></TR>'


def _grid(cells: Iterable[Iterable[Cell]], theme: Theme) -> str:
    small, rows = 'POINT-SIZE="10"', []
    for row in cells:
        tds = "".join(
            f'<TD BGCOLOR="{heat(cell.level, theme)}" WIDTH="14" HEIGHT="13">{_font(cell.text, small)}</TD>' for cell in row
        )
        rows.append(f"<TR>{tds}</TR>")
    inner = f'<TABLE BORDER="0" CELLBORDER="1" COLOR="{theme.rule}" CELLSPACING="0" CELLPADDING="2">{"".join(rows)}</TABLE>'
    return f"<TR><TD>{inner}</TD></TR>"


def _histogram(bars: Sequence[float], theme: Theme) -> str:
    """Bars as columns of two cells each, the upper one empty."""
    table = 'BORDER="0" CELLBORDER="0" CELLPADDING="0"'
    columns = ""
    for bar in bars:
        height = max(1, round(24 * bar))
        cells = (f'WIDTH="5" HEIGHT="{25 - height}"', f'BGCOLOR="{theme.line}" WIDTH="5" HEIGHT="{height}"')
        rows = "".join(f'<TR><TD FIXEDSIZE="TRUE" {cell}></TD></TR>' for cell in cells)
        columns += f'<TD><TABLE {table} CELLSPACING="0">{rows}</TABLE></TD>'
    return f'<TABLE {table} CELLSPACING="1"><TR>{columns}</TR></TABLE>'


def heat(level: float | None, theme: Theme) -> str:
    """The fill of a cell: white at zero, towards one colour for each sign, its own for NaN.

    Kept pale enough that black digits stay readable (at least 4.5:1) on the strongest fill.
    """
    if level is None:
        return "#f5d0fe"
    end = theme.positive if level > 0 else theme.negative
    share = 0.75 * abs(level) ** 0.8
    channels = (round(255 + (int(end[i : i + 2], 16) - 255) * share) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _edge(edge: EdgeView, names: dict[str, str], theme: Theme) -> str:
    """An edge as one statement, its text as its label."""
    look = f"label=<{_edge_text(edge, theme)}> dir={'back' if _moves(edge) else 'forward'} {_line(edge, names, theme)}"
    return f'  {edge.source} -> {edge.target} [id="{edge.id}" {look}]'


def _halves(edge: EdgeView, names: dict[str, str], theme: Theme, direction: str) -> list[str]:
    """An edge as two statements, to its label and on to its target. A value goes from source to target; a gradient that
    moves goes the other way, and so does its arrow."""
    leave, enter = ("e", "w") if direction == "LR" else ("s", "n")
    line, moves = _line(edge, names, theme), _moves(edge)
    return [
        f'  {edge.source}:{leave} -> {edge.id}:{enter} [id="{edge.id}in" dir={"back" if moves else "none"} {line}]',
        f'  {edge.id}:{leave} -> {edge.target}:{enter} [id="{edge.id}out" dir={"none" if moves else "forward"} {line}]',
    ]


def _pill(edge: EdgeView, theme: Theme) -> str:
    """The node that is the label of an edge."""
    fill = theme.accent_fill if edge.state == "last" else theme.page
    style = "rounded,filled,dashed" if edge.state == "next" else "rounded,filled"
    look = f'style="{style}" color="{theme.accent if _moves(edge) else theme.rule}" fillcolor="{fill}"'
    label = _edge_text(edge, theme)
    return f'{edge.id} [id="{edge.id}" class="label" label=<{label}> fontsize=11 margin="0.06,0.02" width=0.2 height=0.2 {look}]'


def _edge_text(edge: EdgeView, theme: Theme) -> str:
    lines = list(edge_lines(edge))
    if edge.step is not None and lines:
        lines[0] = f"{edge.step}: {lines[0]}"
    face = f'COLOR="{theme.accent_text if _moves(edge) else theme.text if edge.carries else theme.soft}"'
    return "<BR/>".join(_font(line, face, bold=edge.state == "last") for line in lines) or " "


def _line(edge: EdgeView, names: dict[str, str], theme: Theme) -> str:
    """Class, stroke and tooltip of an edge."""
    style = {"last": "bold", "next": "bold,dashed"}.get(edge.state, "solid")
    if edge.dead or not edge.carries:
        style = "dashed" if edge.carries else "dotted"
    width = {"last": 3.2, "next": 2.4, "done": 1.8}.get(edge.state, 1.1)
    colour = theme.accent if _moves(edge) else theme.text if edge.state == "done" else theme.line
    tooltip = quoted(edge_sentence(edge, names))
    return f'class="edge {edge.state or "still"}" style="{style}" penwidth={width} color="{colour}" tooltip={tooltip}'


def _moves(edge: EdgeView) -> bool:
    return edge.state in ("last", "next")


def _font(text: str, attributes: str, bold: bool = False) -> str:
    """`text` escaped, in a FONT element; Graphviz rejects an empty one."""
    if not text:
        return " "
    inner = f"<B>{html(text)}</B>" if bold else html(text)
    return f"<FONT {attributes}>{inner}</FONT>" if attributes else inner


def _footer(view: GraphView, theme: Theme) -> str:
    """Title, notes and legend, as the label of the whole graph."""
    face, bold = f'FACE="{SANS}" POINT-SIZE="13" COLOR="{theme.soft}"', f'FACE="{SANS}" POINT-SIZE="18" COLOR="{theme.text}"'
    rows = [_font(view.title, bold, bold=True), _font(view.subtitle, face), *(_font(note, face) for note in view.notes)]
    body = "".join(f'<TR><TD ALIGN="LEFT" COLSPAN="6">{row}</TD></TR>' for row in rows if row.strip())
    entries = [
        f'<TD>{_sample(mark.sample, theme)}</TD><TD ALIGN="LEFT">{_font(mark.text + "   ", face)}</TD>' for mark in view.legend
    ]
    for start in range(0, len(entries), 3):
        body += f"<TR>{''.join(entries[start : start + 3])}</TR>"
    return f'<TABLE BORDER="0" CELLSPACING="2" CELLPADDING="3">{body}</TABLE>'


def _sample(sample: str, theme: Theme) -> str:
    """A legend entry's mark, as far as a label can draw it."""
    family, _, key = sample.partition(":")
    small = f'POINT-SIZE="11" COLOR="{theme.text}"'
    if family == "node":
        ink, style = theme.inks[key], {"alias": "ROUNDED,DASHED", "stub": "ROUNDED,DOTTED", "input": "", "parameter": ""}
        look = f'BGCOLOR="{ink.band}" COLOR="{ink.border}" STYLE="{style.get(key, "ROUNDED")}"'
        words = {"operation": "add", "alias": "again", "stub": "…", "constant": "const"}
        word = _font(words.get(key, key), f'FACE="{SANS}" POINT-SIZE="11" COLOR="{ink.word}"')
        return f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" {look}><TR><TD>{word}</TD></TR></TABLE>'
    if family == "state":
        return _font(STATE_GLYPHS[key], small)
    marks = {"local": "a  ×3.0", "last": "◄—", "next": "◄- -", "dead": "- - -►"}
    return _font(marks[key] if family == "edge" else key, small)
