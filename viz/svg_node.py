"""One box of a picture in SVG: outline, title band, value, gradient, ledger, state."""

from __future__ import annotations

from viz.boxes import (
    BAND,
    BARS_HEIGHT,
    BARS_WIDTH,
    BODY,
    CORNER,
    FOOT,
    LABEL,
    PAD,
    RIM,
    SMALL,
    TITLE,
    block_size,
    cell_size,
)
from viz.card import Block, Card, card, node_sentence
from viz.graphview import STATE_WORDS, NodeView
from viz.layout import Box
from viz.look import heat, node_border, node_ink
from viz.marks import fold, glyph, num, outline, path, rect, rounded, text
from viz.metrics import mono_width, sans_width
from viz.theme import Ink, Theme
from viz.xml import html


def draw_node(node: NodeView, box: Box, theme: Theme) -> list[str]:
    """The group of one node; its title is a sentence for screen readers and tooltips."""
    content, ink = card(node), node_ink(node, theme)
    classes = " ".join(["node", node.kind, *([node.state] if node.state else []), *(["output"] if node.output else [])])
    lines = [f'<g id="{node.id}" class="{classes}"><title>{html(node_sentence(node))}</title>']
    x, y, w, h = box.left, box.top, box.width, box.height
    border, width, dash = node_border(node, theme)
    if node.output:  # a second outline around the first
        lines.append(path(rounded(x, y, w, h, CORNER + RIM), fill=theme.page, stroke=ink.border, width=1.4))
        x, y, w, h = x + RIM, y + RIM, w - 2 * RIM, h - 2 * RIM
    if content.compact:
        lines.append(path(outline(node.kind, x, y, w, h, CORNER), fill=ink.fill, stroke=border, width=width, dash=dash))
        lines.append(text(x + PAD, y + h / 2 + 4.5, content.title, BODY, theme.text, name="name"))
        lines.append(text(x + w - PAD, y + h / 2 + 4, content.word, SMALL, ink.word, anchor="end", sans=True))
    else:
        lines += _frame(node, content, (x, y, w, h), theme, ink)
        lines.append(path(outline(node.kind, x, y, w, h, CORNER), stroke=border, width=width, dash=dash, name="outline"))
    lines.append("</g>")
    return [line for line in lines if line]


def _frame(node: NodeView, content: Card, area: tuple[float, float, float, float], theme: Theme, ink: Ink) -> list[str]:
    x, y, w, h = area
    current = node.state == "current"
    band = theme.accent_fill if current else ink.band
    lines = [path(outline(node.kind, x, y, w, h, CORNER), fill=ink.fill)]
    lines.append(path(outline(node.kind, x, y, w, BAND, CORNER, band=True), fill=band, name="band"))
    if node.kind == "input":
        lines.append(path(fold(x, y, w, CORNER), fill=ink.fill, stroke=ink.border))
    lines.append(text(x + PAD, y + 20.5, content.title, TITLE, theme.text, bold=True, name="name"))
    lines.append(text(x + w - PAD - 2, y + 20, content.word, SMALL, ink.word, anchor="end", sans=True, name="word"))
    top = y + BAND + 6
    for block in content.blocks:
        size = block_size(block)
        lines += _block(block, x, top, w, size.height, theme)
        top += size.height
    if content.state:
        colour = theme.accent_text if current else theme.soft
        line = y + h - FOOT
        lines.append(path(f"M{num(x + PAD / 2)},{num(line)}H{num(x + w - PAD / 2)}", stroke=theme.rule))
        lines.append(glyph(content.state, x + PAD + 5, line + FOOT / 2, colour))
        word, bold = STATE_WORDS[content.state], content.state in ("current", "done")
        lines.append(text(x + PAD + 16, line + 15, word, SMALL, colour, bold=bold, sans=True, name="state"))
        lines.append(text(x + w - PAD, line + 15, content.steps, SMALL, colour, anchor="end", sans=True, name="steps"))
    return lines


def _block(block: Block, x: float, top: float, w: float, height: float, theme: Theme) -> list[str]:
    left = x + PAD + LABEL
    small = block.role in ("info", "ledger", "stale")
    lines = [text(x + PAD, top + 14, block.label, SMALL, theme.soft, sans=True)]
    if block.content is not None and block.content.cells:
        lines += _cells(block, left, top + 2, theme)
        below = top + cell_size(block)[1] * len(block.content.cells) + 17
        remarks = [(line, theme.text, False) for line in block.lines] + [(block.alarm, theme.bad, True)] * bool(block.alarm)
        for i, (line, colour, bold) in enumerate(remarks):
            lines.append(text(left, below + 15 * i, line, SMALL, colour, bold=bold, name=block.role))
    elif block.content is not None and block.content.bars:
        lines += _bars(block.content.bars, left, top + 2, theme)
        for i, line in enumerate(block.lines):
            colour = theme.text if i == 0 else theme.soft
            lines.append(text(left + BARS_WIDTH + 10, top + 13 + 15 * i, line, SMALL, colour, name=block.role))
        at = top + 13 + 15 * len(block.lines)
        lines.append(text(left + BARS_WIDTH + 10, at, block.alarm, SMALL, theme.bad, bold=True, name="alarm"))
    else:
        size, colour = (SMALL, theme.bad if block.role == "stale" else theme.soft) if small else (BODY, theme.text)
        alarmed = bool(block.alarm)
        line = block.lines[0]
        lines.append(text(left, top + 14.5, line, size, theme.bad if alarmed else colour, bold=alarmed, name=block.role))
        if alarmed and block.alarm.lower() not in block.lines:
            at = left + mono_width(line, size) + 10
            lines.append(text(at, top + 14.5, block.alarm, SMALL, theme.bad, bold=True, name="alarm"))
    if block.tag:
        lines += _tag(block.tag, x + w - PAD, top + 2, theme)
    return lines


def _tag(word: str, right: float, top: float, theme: Theme) -> list[str]:
    """The pill with "1/2 in": solid once everything is in."""
    width = sans_width(word, SMALL) + 10
    arrived, expected = word.split(" ")[0].split("/")
    dash = "" if arrived == expected else "dashed"
    return [
        rect(right - width, top, width, 16, fill=theme.page, stroke=theme.line, dash=dash, r=8),
        text(right - width / 2, top + 12, word, SMALL, theme.soft, anchor="middle", sans=True, name="arrivals"),
    ]


def _cells(block: Block, left: float, top: float, theme: Theme) -> list[str]:
    assert block.content is not None
    width, height = cell_size(block)
    lines = []
    for i, row in enumerate(block.content.cells):
        for j, cell in enumerate(row):
            x, y = left + j * width, top + i * height
            lines.append(rect(x, y, width, height, fill=heat(cell.level, theme), stroke=theme.quiet))
            if cell.level is None and not cell.text:
                lines.append(path(f"M{num(x)},{num(y)}l{num(width)},{num(height)}", stroke=theme.bad))
            size = SMALL if width >= 30 else SMALL - 2
            lines.append(text(x + width / 2, y + height / 2 + 4, cell.text, size, theme.text, anchor="middle"))
    return lines


def _bars(bars: tuple[float, ...], left: float, top: float, theme: Theme) -> list[str]:
    """The histogram: a bar per bin on a base line."""
    width, lines = BARS_WIDTH / len(bars), []
    for i, share in enumerate(bars):
        if share > 0:
            height = max(1.5, share * (BARS_HEIGHT - 2))
            lines.append(rect(left + i * width + 0.5, top + BARS_HEIGHT - height, width - 1, height, fill=theme.line))
    base = num(top + BARS_HEIGHT)
    return [*lines, path(f"M{num(left)},{base}h{num(BARS_WIDTH)}", stroke=theme.quiet)]
