"""The HTML-like labels of Graphviz: the text of boxes, edges and the legend in DOT."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from viz.card import STATE_GLYPHS, Block, card, edge_lines
from viz.format import Cell
from viz.graphview import STATE_WORDS, EdgeView, GraphView, NodeView
from viz.look import heat, moves, node_ink
from viz.theme import Theme
from viz.xml import html

# Single names: graphviz-pure looks a font up by its exact name, and both are stand-ins that every dot knows.
MONO, SANS = "Courier New", "Helvetica"


def label_text(text: str) -> str:
    r"""`text` for an HTML-like label. Graphviz reads `\N` and the like even there, so a backslash is written twice."""
    return html(text).replace("\\", "\\\\")


def font(text: str, attributes: str, bold: bool = False) -> str:
    """`text` escaped, in a FONT element; a space for no text, since Graphviz rejects an empty element."""
    if not text:
        return " "
    inner = f"<B>{label_text(text)}</B>" if bold else label_text(text)
    return f"<FONT {attributes}>{inner}</FONT>" if attributes else inner


def table(rows: str, *, spacing: int = 0, padding: int = 0, look: str = 'CELLBORDER="0"') -> str:
    """A TABLE element without an outer border."""
    return f'<TABLE BORDER="0" CELLSPACING="{spacing}" CELLPADDING="{padding}" {look}>{rows}</TABLE>'


def node_label(node: NodeView, theme: Theme) -> str:
    """The inside of a box."""
    content, ink = card(node), node_ink(node, theme)
    word = font(content.word, f'FACE="{SANS}" POINT-SIZE="10" COLOR="{ink.word}"')
    if content.compact:
        return table(f"<TR><TD>{label_text(content.title) or ' '}</TD><TD>{word}</TD></TR>", padding=3)
    title = font(content.title, 'POINT-SIZE="15"', bold=True)
    rows = _two(title, word) + "<HR/>" + "".join(_block(block, theme) for block in content.blocks)
    if content.state:
        text, current = f"{STATE_GLYPHS[content.state]} {STATE_WORDS[content.state]}", content.state == "current"
        face = f'FACE="{SANS}" POINT-SIZE="11" COLOR="{theme.accent_text if current else theme.soft}"'
        rows += "<HR/>" + _two(font(text, face, bold=current), font(content.steps, face))
    return table(rows, padding=3)


def _two(left: str, right: str) -> str:
    """A row with something at either end."""
    return f'<TR><TD ALIGN="LEFT">{left}</TD><TD ALIGN="RIGHT">{right}</TD></TR>'


def _block(block: Block, theme: Theme) -> str:
    """One row of a box: what it says at the left, its tag at the right."""
    label = font(f"{block.label:<6}", f'POINT-SIZE="11" COLOR="{theme.soft}"')
    tag = font(block.tag, f'FACE="{SANS}" POINT-SIZE="11" COLOR="{theme.soft}"')
    alarm = "" if block.alarm.lower() in block.lines else block.alarm
    # Where the number itself is the alarm (nan), it is not said twice.
    colour = theme.bad if block.alarm and not alarm else theme.soft if block.role in ("info", "ledger", "stale") else theme.text
    drawn = block.content is not None and (block.content.cells or block.content.bars)
    size = 11 if drawn or block.role in ("info", "ledger", "stale") else 13
    body = "<BR/>".join(font(line, f'POINT-SIZE="{size}" COLOR="{colour}"') for line in block.lines)
    warning = font(alarm, f'POINT-SIZE="11" COLOR="{theme.bad}"', bold=True) if alarm else ""
    if block.content is None or not drawn:
        left = f"{label}{body} {warning}"
    else:
        content = block.content
        picture = _grid(content.cells, theme) if content.cells else _histogram(content.bars, theme)
        below = "".join(f"<TR><TD>{text}</TD></TR>" for text in (body, warning) if text)
        inside = table(f"<TR><TD>{picture}</TD></TR>{below}", padding=1)
        left = table(f"<TR><TD>{label}</TD><TD>{inside}</TD></TR>")
    return _two(left, tag)


def _grid(cells: Iterable[Iterable[Cell]], theme: Theme) -> str:
    small, rows = 'POINT-SIZE="10"', []
    for row in cells:
        tds = "".join(
            f'<TD BGCOLOR="{heat(cell.level, theme)}" WIDTH="14" HEIGHT="13">{font(cell.text, small)}</TD>' for cell in row
        )
        rows.append(f"<TR>{tds}</TR>")
    return table("".join(rows), padding=2, look=f'CELLBORDER="1" COLOR="{theme.rule}"')


def _histogram(bars: Sequence[float], theme: Theme) -> str:
    """Bars as columns of two cells each, the upper one empty."""
    columns = ""
    for bar in bars:
        height = max(1, round(24 * bar))
        cells = (f'WIDTH="5" HEIGHT="{25 - height}"', f'BGCOLOR="{theme.line}" WIDTH="5" HEIGHT="{height}"')
        rows = "".join(f'<TR><TD FIXEDSIZE="TRUE" {cell}></TD></TR>' for cell in cells)
        columns += f"<TD>{table(rows)}</TD>"
    return table(f"<TR>{columns}</TR>", spacing=1)


def edge_label(edge: EdgeView, theme: Theme) -> str:
    """The text on an edge."""
    lines = list(edge_lines(edge))
    if edge.step is not None and lines:
        lines[0] = f"{edge.step}: {lines[0]}"
    face = f'COLOR="{theme.accent_text if moves(edge) else theme.text if edge.carries else theme.soft}"'
    return "<BR/>".join(font(line, face, bold=edge.state == "last") for line in lines) or " "


def caption(view: GraphView, theme: Theme) -> str:
    """Title, notes and legend, for the foot of the picture."""
    face = f'FACE="{SANS}" POINT-SIZE="13" COLOR="{theme.soft}"'
    title = font(view.title, f'FACE="{SANS}" POINT-SIZE="18" COLOR="{theme.text}"', bold=True)
    lines = [title, *(font(line, face) for line in (view.subtitle, *view.notes) if line)]
    rows = "".join(f'<TR><TD ALIGN="LEFT" COLSPAN="6">{line}</TD></TR>' for line in lines)
    entries = [
        f'<TD>{_sample(mark.sample, theme)}</TD><TD ALIGN="LEFT">{font(mark.text + "   ", face)}</TD>' for mark in view.legend
    ]
    rows += "".join(f"<TR>{''.join(entries[start : start + 3])}</TR>" for start in range(0, len(entries), 3))
    return table(rows, spacing=2, padding=3)


def _sample(sample: str, theme: Theme) -> str:
    """A legend entry's mark, as far as a label can draw it."""
    family, _, key = sample.partition(":")
    small = f'POINT-SIZE="11" COLOR="{theme.text}"'
    if family == "node":
        ink = theme.inks[key]
        style = {"alias": "ROUNDED,DASHED", "stub": "ROUNDED,DOTTED", "input": "", "parameter": ""}.get(key, "ROUNDED")
        words = {"operation": "add", "alias": "again", "stub": "…", "constant": "const"}
        word = font(words.get(key, key), f'FACE="{SANS}" POINT-SIZE="11" COLOR="{ink.word}"')
        look = f'CELLBORDER="0" CELLSPACING="0" BGCOLOR="{ink.band}" COLOR="{ink.border}" STYLE="{style}"'
        return f'<TABLE BORDER="1" CELLPADDING="3" {look}><TR><TD>{word}</TD></TR></TABLE>'
    if family == "state":
        return font(STATE_GLYPHS[key], small)
    marks = {"local": "a  ×3.0", "last": "◄—", "next": "◄- -", "dead": "- - -►"}
    return font(marks[key] if family == "edge" else key, small)
