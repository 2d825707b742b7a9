"""How large every box and every label is, and where its lines stand: the measured side of a picture.

Sizes come from the text alone (see `metrics`), never from the fonts of this machine, so that the layout engine gets
plain rectangles and two machines agree. All lengths are in CSS pixels; y grows downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from viz.card import Block, Card, card, edge_lines
from viz.graphview import EdgeView, NodeView
from viz.metrics import mono_width, sans_width

TITLE, BODY, SMALL = 15.0, 13.0, 11.0  # font sizes
PAD = 12.0
BAND = 30.0  # height of the title band
ROW = 20.0
LABEL = 46.0  # width of the column with "value", "grad"
FOOT = 22.0
COMPACT = 26.0
BARS_WIDTH, BARS_HEIGHT = 62.0, 26.0
LABEL_ROW = 17.0  # height of a line on an edge
STEP = 16.0  # height of the disc with the step number
CORNER = 9.0  # radius or cut of a corner
RIM = 4.0  # distance of the second outline of an output


@dataclass(frozen=True, slots=True)
class Size:
    width: float
    height: float


def cell_size(block: Block) -> tuple[float, float]:
    """Width and height of one cell of a thumbnail: large where numbers are printed in it."""
    assert block.content is not None
    longest = max(len(cell.text) for row in block.content.cells for cell in row)
    printed = all(cell.text for row in block.content.cells for cell in row)
    return (max(longest * SMALL * 0.602 + 10, 30), 18) if printed else (max(14, longest * SMALL * 0.602 + 2), 13)


def block_size(block: Block) -> Size:
    """Size of the part right of the label column."""
    tag = sans_width(block.tag, SMALL) + 20 if block.tag else 0
    alarm = [block.alarm] if block.alarm else []
    if block.content is not None and block.content.cells:
        width, height = cell_size(block)
        grid = Size(width * len(block.content.cells[0]), height * len(block.content.cells) + 6)
        lines = [*block.lines, *alarm]
        widest = max((mono_width(line, SMALL) for line in lines), default=0)
        return Size(max(grid.width + tag, widest), grid.height + 15 * len(lines) + 2 * bool(lines))
    if block.content is not None and block.content.bars:
        lines = [*block.lines, *alarm]
        widest = max(mono_width(line, SMALL) for line in lines)
        return Size(BARS_WIDTH + 10 + widest + tag, max(BARS_HEIGHT + 6, 15 * len(lines) + 4))
    size = SMALL if block.role in ("info", "ledger", "stale") else BODY
    width = max(mono_width(line, size) for line in block.lines)
    if alarm and block.alarm.lower() not in block.lines:
        width += mono_width(block.alarm, SMALL) + 10
    return Size(width + tag, ROW if size == BODY else 17)


def card_size(content: Card) -> Size:
    """Size of a whole box."""
    word = sans_width(content.word, SMALL) + 14 if content.word else 0
    if content.compact:
        return Size(mono_width(content.title, BODY) + word + 2 * PAD, COMPACT)
    widths = [mono_width(content.title, TITLE) + word]
    widths += [LABEL + block_size(block).width for block in content.blocks]
    foot = FOOT if content.state else 0
    if content.state:
        widths.append(sans_width(f"{content.state}   {content.steps}", SMALL) + 40)
    height = BAND + 8 + sum(block_size(block).height for block in content.blocks) + 4 + foot
    return Size(max(max(widths) + 2 * PAD, 108), height)


def node_size(node: NodeView) -> Size:
    """Size of a node's box."""
    size, rim = card_size(card(node)), 2 * RIM * node.output
    return Size(round(size.width + rim), round(size.height + rim))


def step_width(edge: EdgeView) -> float:
    """Width of the disc with the number of a contribution, 0 without one."""
    return max(STEP, sans_width(str(edge.step), 10, bold=True) + 8) if edge.step is not None else 0.0


def edge_size(edge: EdgeView) -> Size:
    """Size of an edge's label."""
    lines = edge_lines(edge)
    width = max((mono_width(line, SMALL + (i == 0)) for i, line in enumerate(lines)), default=0.0) + 16
    if edge.step is not None:
        width += step_width(edge) + 5
    return Size(round(width), round(LABEL_ROW * max(len(lines), 1) + 5))
