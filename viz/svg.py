"""GraphView and Layout to SVG.

Looks are presentation attributes, not a style sheet: several pictures in one notebook page must not restyle each
other, and office programs ignore style sheets. Ids and classes are stable, so that a page can add rules and change
texts step by step.
"""

from __future__ import annotations

from dataclasses import replace
from math import hypot

from viz.boxes import LABEL_ROW, SMALL, STEP, step_width
from viz.card import edge_lines, edge_sentence, picture_sentence
from viz.graphview import EdgeView, GraphView
from viz.layout import Box, Layout, Point, Route
from viz.legend import draw_legend
from viz.look import edge_stroke, moves
from viz.marks import num, path, polygon, rounded, text
from viz.metrics import mono_width, sans_width
from viz.svg_node import draw_node
from viz.theme import LIGHT, Theme
from viz.xml import html

MARGIN = 24.0
LEAST_WIDTH = 460.0
ARROW = 9.0


def render(view: GraphView, layout: Layout, *, theme: Theme = LIGHT, least: float = 0.0) -> str:
    """The SVG document of a view, with room for a title `least` wide. The same view and layout give the same text."""
    if layout.note:
        view = replace(view, notes=(*view.notes, layout.note))
    zoom = min(max(layout.width / 1100, 1.0), 2.2)  # a wide picture is shown smaller: its title and legend grow with it
    head, head_height = _header(view, theme)
    width = max(layout.width, LEAST_WIDTH, zoom * max(least, header_width(view)))
    legend, legend_height = draw_legend(view.legend, width / zoom, theme)
    left, top = MARGIN + (width - layout.width) / 2, MARGIN + zoom * head_height
    total_width, total_height = width + 2 * MARGIN, top + layout.height + zoom * legend_height + MARGIN
    scale = f" scale({num(zoom)})" if zoom != 1 else ""
    names = {node.id: node.name for node in view.nodes}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" class="minitorch-graph" '
        f'width="{num(total_width)}" height="{num(total_height)}" '
        f'viewBox="0 0 {num(total_width)} {num(total_height)}">',
        f'<title id="title">{html(view.title)}</title>',
        f'<desc id="desc">{html(picture_sentence(view))}</desc>',
        f'<rect width="100%" height="100%" fill="{theme.page}"/>',
        f'<g class="header" transform="translate({num(MARGIN)} {num(MARGIN)}){scale}">',
        *head,
        "</g>",
        f'<g class="graph" transform="translate({num(left)} {num(top)})">',
    ]
    for cluster in view.clusters:
        if cluster.id in layout.clusters:
            lines += draw_cluster(cluster.id, cluster.label, layout.clusters[cluster.id], theme)
    for edge in view.edges:
        lines += draw_edge(edge, layout.edges[edge.id], names, theme)
    for node in view.nodes:
        lines += draw_node(node, layout.nodes[node.id], theme)
    lines.append("</g>")
    lines.append(f'<g class="legend" transform="translate({num(MARGIN)} {num(top + layout.height)}){scale}">')
    lines += [*legend, "</g>", "</svg>", ""]
    return "\n".join(line for line in lines if line) + "\n"


def header_width(view: GraphView) -> float:
    """How wide the title and the lines below it are."""
    return max(sans_width(view.title, 18, bold=True), *(sans_width(line, 13) for line in (view.subtitle, *view.notes)))


def _header(view: GraphView, theme: Theme) -> tuple[list[str], float]:
    """Title, where we are, and what was simplified; with the height they take."""
    lines = [text(0, 16, view.title, 18, theme.text, bold=True, sans=True, name="title")]
    y = 16.0
    below = [(view.subtitle, "subtitle", theme.soft), *((note, "note", theme.accent_text) for note in view.notes)]
    for line, name, colour in below:
        if line:
            y += 20
            lines.append(text(0, y, line, 13, colour, sans=True, name=name))
    return lines, y + 22


def draw_cluster(id: str, label: str, box: Box, theme: Theme) -> list[str]:
    """The frame of a module."""
    return [
        f'<g id="{id}" class="cluster"><title>{html(label)}</title>',
        path(
            rounded(box.left, box.top, box.width, box.height, 12),
            fill=theme.cluster,
            stroke=theme.cluster_line,
            dash="dashed",
        ),
        text(box.left + 12, box.top + 18, label, 12, theme.soft, bold=True, sans=True),
        "</g>",
    ]


def draw_edge(edge: EdgeView, route: Route, names: dict[str, str], theme: Theme) -> list[str]:
    """The group of one edge: its line in two halves, its arrow head, its label."""
    colour, width, dash = edge_stroke(edge, theme)
    classes = " ".join(["edge", *([edge.state] if edge.state else []), *(["dead"] if edge.dead else [])])
    first, second = (route.end[::-1], route.start[::-1]) if moves(edge) else (route.start, route.end)
    shaft, tip, base = _arrow(second, ARROW + width)
    nx, ny = (tip[1] - base[1]) * 0.42, (base[0] - tip[0]) * 0.42
    return [
        f'<g id="{edge.id}" class="{classes}"><title>{html(edge_sentence(edge, names))}</title>',
        path(_curve(first), stroke=colour, width=width, dash=dash),
        path(_curve(shaft), stroke=colour, width=width, dash=dash),
        path(polygon([tip, (base[0] + nx, base[1] + ny), (base[0] - nx, base[1] - ny)]), fill=colour),
        *_label(edge, route.label, theme),
        "</g>",
    ]


def _label(edge: EdgeView, box: Box, theme: Theme) -> list[str]:
    """The pill on an edge: the number of the step, the argument's name, the local derivative, the arithmetic."""
    active = moves(edge)
    fill = theme.accent_fill if edge.state == "last" else theme.page
    stroke = theme.accent if active else theme.rule
    texts = edge_lines(edge)
    dash = "dashed" if edge.state == "next" else ""
    shape = rounded(box.left, box.top, box.width, box.height, 11)
    lines = [path(shape, fill=fill, stroke=stroke, width=2 if active else 1, dash=dash)]
    x, y = box.left + 8, box.top + 15.5
    if edge.step is not None:
        lines += _step(edge, box.left + 4, box.top + 3, theme)
        x += step_width(edge) + 3
    colour = theme.accent_text if active else theme.text
    lines.append(text(x, y, edge.label, SMALL + 1, colour, bold=True, name="slot"))
    if edge.carries and edge.local:
        lines.append(text(x + mono_width(edge.label + "  ", SMALL + 1), y, edge.local, SMALL + 1, colour, name="local"))
    for i, line in enumerate(texts[1:], 1):
        bold = edge.state == "last" and line == edge.product
        lines.append(text(x, y + LABEL_ROW * i, line, SMALL, colour, bold=bold, name="product" if bold else "reduction"))
    return lines


def _step(edge: EdgeView, x: float, y: float, theme: Theme) -> list[str]:
    """The disc with the number of the contribution: full once it has arrived."""
    arrived = edge.state in ("done", "last")
    colour = theme.accent if moves(edge) else theme.text if arrived else theme.soft
    fill = colour if arrived else theme.page
    ink, width = theme.page if arrived else colour, step_width(edge)
    return [
        path(rounded(x, y, width, STEP, STEP / 2), fill=fill, stroke=colour, width=1.3),
        text(x + width / 2, y + 11.6, str(edge.step), 10, ink, anchor="middle", bold=True, sans=True, name="step"),
    ]


def _curve(points: tuple[Point, ...]) -> str:
    first, *rest = [f"{num(x)},{num(y)}" for x, y in points]
    return f"M{first}C{' '.join(rest)}"


def _arrow(points: tuple[Point, ...], length: float) -> tuple[tuple[Point, ...], Point, Point]:
    """The curve ended where its arrow head begins, the head's tip, and the middle of its base."""
    tip = points[-1]
    before = next((p for p in reversed(points[:-1]) if hypot(p[0] - tip[0], p[1] - tip[1]) > 1e-6), (tip[0] - 1, tip[1]))
    distance = hypot(tip[0] - before[0], tip[1] - before[1])
    base = (tip[0] + (before[0] - tip[0]) * length / distance, tip[1] + (before[1] - tip[1]) * length / distance)
    return (*points[:-1], base), tip, base
