"""An edge in a page with steps: drawn once; its state is a class, its arithmetic a text that comes and goes.

Line and arrow head are styled by rules made of the same decisions as every other picture (`look.edge_stroke`). The head is
a marker at either end, so that a gradient on the move turns the arrow around without a new path.
"""

from __future__ import annotations

from viz.boxes import LABEL_ROW, SMALL, Size, edge_size, step_width
from viz.deltas import Element, Group
from viz.graphview import EdgeView
from viz.layout import Point, Route
from viz.look import edge_stroke
from viz.marks import num
from viz.metrics import mono_width
from viz.theme import VARIABLES

HEADS = {"head": VARIABLES.line, "head-dark": VARIABLES.text, "head-quiet": VARIABLES.quiet, "head-moving": VARIABLES.accent}
_HEAD_OF = {colour: name for name, colour in HEADS.items()}
_GAP = 2.0  # between a box and the line: the arrow head's tip is at the box


def reserved(least: Size, largest: Size) -> Size:
    """The room that an edge's label takes in the layout: the widest of all steps, but the line of arithmetic of the one or
    two edges where something moves may stand in the gap below."""
    return Size(largest.width, largest.height - min(largest.height - least.height, LABEL_ROW))


def edge_group(edge: EdgeView, route: Route) -> Group:
    """The group of an edge at one step."""
    kinds = {"dead": edge.dead, "plain": not edge.carries, "told": edge.product, "summed": edge.reduction}
    classes = " ".join(["edge", *([edge.state] if edge.state else []), *(name for name, holds in kinds.items() if holds)])
    own, left = edge_size(edge), route.label.left
    # On its line; only with arithmetic it takes the room that is reserved, and more below.
    top = route.label.top if edge.product else route.label.y - own.height / 2
    x, y = left + 8, top + 15.5
    elements = [
        Element("path", (("class", "line"), ("d", _line(route))), ""),
        _rect("pill", left, top, own.width),
    ]
    if edge.step is not None:
        width = step_width(edge)
        elements.append(_rect("disc", left + 4, top + 3, width))
        elements.append(_text("step", left + 4 + width / 2, top + 14.6, str(edge.step)))
        x += width + 3
    elements.append(_text("slot", x, y, edge.label))
    if edge.carries and edge.local:
        elements.append(_text("local", x + mono_width(edge.label + "  ", SMALL + 1), y, edge.local))
    elements += [_text("reduction", x, y + LABEL_ROW * (1 + bool(edge.product)), edge.reduction)] * bool(edge.reduction)
    # Last, and there from the start where something will move: it comes and goes as a text.
    elements += [_text("product", x, y + LABEL_ROW, edge.product)] * (edge.step is not None)
    return Group(edge.id, classes, tuple(elements))


def edge_rules() -> str:
    """How edges look in each state."""
    rules = []
    for selector, edge in {
        ".edge": EdgeView("", "", "", 0, ""),
        **{f".edge.{state}": EdgeView("", "", "", 0, "", state=state) for state in ("todo", "next", "last", "done")},
        ".edge.plain": EdgeView("", "", "", 0, "", carries=False),
    }.items():
        colour, width, dash = edge_stroke(edge, VARIABLES)
        pattern = {"dashed": "7 4", "dotted": "0.1 4", "": "none"}[dash]
        end, other = ("start", "end") if edge.state in ("next", "last") else ("end", "start")
        head = f"marker-{end}:url(#{_HEAD_OF[colour]});marker-{other}:none"
        look = f"stroke:{colour};stroke-width:{num(width)};stroke-dasharray:{pattern};{head}"
        rules.append(f"{selector} .line{{{look}}}")
    rules.append(".edge.plain .line{stroke-linecap:round}")
    for selector, rows in {"": 1, ".told": 2, ".summed": 2, ".told.summed": 3}.items():
        rules.append(f".edge{selector}>.pill{{height:{num(LABEL_ROW * rows + 5)}px}}")
    return "".join(rules)


def markers() -> str:
    """The arrow heads."""
    return "<defs>" + "".join(
        f'<marker id="{name}" viewBox="0 0 12 10" refX="10" refY="5" markerWidth="12" markerHeight="10" '
        f'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="{name}" d="M0,0L12,5L0,10Z"/></marker>'
        for name in HEADS
    ) + "</defs>"  # fmt: skip


def head_rules() -> str:
    """The colours of the arrow heads."""
    return "".join(f".{name}{{fill:{colour}}}" for name, colour in HEADS.items())


def _line(route: Route) -> str:
    """The whole way from source to target; it runs on below the label."""
    first, last = _inward(route.start), _inward(route.end[::-1])[::-1]
    return f"{_curve('M', first)}{_curve('L', last)}"


def _curve(how: str, points: tuple[Point, ...]) -> str:
    start, *rest = [f"{round(x, 1):g},{round(y, 1):g}" for x, y in points]
    return f"{how}{start}C{' '.join(rest)}"


def _inward(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The curve with its first point a little on the way to the next."""
    (x, y), away = points[0], next((p for p in points if p != points[0]), points[0])
    length = max(((away[0] - x) ** 2 + (away[1] - y) ** 2) ** 0.5, 1e-6)
    share = min(_GAP / length, 1.0)
    return ((x + (away[0] - x) * share, y + (away[1] - y) * share), *points[1:])


def _rect(name: str, x: float, y: float, width: float) -> Element:
    """A rectangle; its height and its corners are rules of the style sheet."""
    return Element("rect", (("class", name), ("x", _at(x)), ("y", _at(y)), ("width", _at(width))), "")


def _text(name: str, x: float, y: float, text: str) -> Element:
    return Element("text", (("class", name), ("x", _at(x)), ("y", _at(y))), text)


def _at(x: float) -> str:
    return f"{round(x, 1):g}"
