"""`lesson.html`: a backward pass to step through in a browser, as one file that needs no network.

The picture is in the page once, each step as what it changes. The page may run its own script and style and nothing else
(a content security policy says so), and every text from the user's program is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from minitorch.core.node import Node
from minitorch.core.stepper import Stepper
from viz import notes as teachers
from viz.board import rule_of
from viz.build import LIMIT, WHOLE
from viz.card import ABSENT, picture_sentence
from viz.deltas import Group, Sheet, Strings, change, shared
from viz.drawing import callers_variables, stepper_of
from viz.extent import Extent
from viz.format import DIGITS, Content, shape_text
from viz.frames import Frames
from viz.graphview import EdgeView, GraphView, NodeView
from viz.layout import Box, Layout
from viz.legend import draw_legend
from viz.page_edge import edge_group, edge_rules, head_rules, markers
from viz.picture import written
from viz.svg import draw_cluster
from viz.svg_node import draw_node
from viz.theme import DARK, LIGHT, PRINT, VARIABLES, Theme
from viz.theme import variables as css_variables
from viz.xml import clean, html

MARGIN = 16.0
LEGEND_WIDTH = 1000.0


def lesson(
    of: Node | Stepper,
    path: str | os.PathLike[str],
    *,
    notes: str | os.PathLike[str] | None = None,
    variables: Mapping[str, object] | None = None,
    digits: int = DIGITS,
    limit: int = LIMIT,
    direction: str = "auto",
    extent: Extent = WHOLE,
) -> Path:
    """Write the lesson page of a backward pass to `path`; returns the path.

    `of` is the result whose backward pass is shown, or a Stepper (which is left where it stands). `notes` is a markdown or
    TOML file with the teacher's words for the steps (see `viz.notes`). Raises DrawError when the graph was freed, the pass
    is too long, the notes do not fit, or the file cannot be written.
    """
    page = page_of(
        of, notes=notes, variables=callers_variables() if variables is None else variables,
        digits=digits, limit=limit, direction=direction, extent=extent,
    )  # fmt: skip
    return written(Path(path), page.encode())


def page_of(
    of: Node | Stepper,
    *,
    notes: str | os.PathLike[str] | None,
    variables: Mapping[str, object],
    digits: int,
    limit: int,
    direction: str,
    extent: Extent = WHOLE,
) -> str:
    """The text of the page."""
    stepper = stepper_of(of)
    told = teachers.read(Path(notes), len(stepper)) if notes is not None else teachers.Notes()
    frames = Frames(stepper, variables=variables, digits=digits, limit=limit, extent=extent)
    return _Page(frames, told, direction).text()


class _Page:
    """The parts of one page."""

    def __init__(self, frames: Frames, told: teachers.Notes, direction: str) -> None:
        self.frames, self.told = frames, told
        self.layout: Layout = frames.place(direction)
        self.sheet = Sheet()

    def text(self) -> str:
        """The whole page."""
        first, title = self.frames.first, self.told.title or self.frames.first.title
        groups = self._groups(first.nodes, first.edges)
        graph, legend = self._graph(groups, first), self._legend()
        data = json.dumps(self._data(groups), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        style = _themes() + self.sheet.rules() + edge_rules() + head_rules() + _part("lesson.css")
        script = _part("lesson.js")
        policy = (
            f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
        )
        notes = "".join(
            f'<section class="note" data-step="{step}"><h3 class="number">{self._named(step)}</h3>{text}</section>'
            for step, text in sorted(self.told.steps.items())
        )
        slots = {
            "policy": policy,
            "title": html(re.sub(r"[`*]", "", title)),
            "heading": teachers.inline(title) if self.told.title else html(title),
            "style": style,
            "script": script,
            "data": data,
            "graph": graph,
            "legend": legend,
            "notes": notes,
            "intro": self.told.intro,
            "remarks": "".join(f'<p class="remark">{html(note)}</p>' for note in (*first.notes, self.layout.note) if note),
            "last": str(len(self.frames.steps)),
        }
        page = _part("lesson.html")
        parts = page.split("{{")  # one pass: what is filled in is not looked at again
        return parts[0] + "".join(slots[name] + rest for name, _, rest in (part.partition("}}") for part in parts[1:]))

    def _named(self, step: int) -> str:
        return "Start" if step == 0 else f"Step {step}"

    # The picture

    def _groups(self, nodes: Iterable[NodeView], edges: Iterable[EdgeView]) -> dict[str, Group]:
        made = {edge.id: self._edge(edge) for edge in edges}
        return {**made, **{node.id: self._node(node) for node in nodes}}

    def _node(self, node: NodeView) -> Group:
        box = self.layout.nodes[node.id]
        own = Box(box.width / 2, box.height / 2, box.width, box.height)  # its place is the group's, see _graph
        return self.sheet.group(draw_node(node, own, VARIABLES))

    def _edge(self, edge: EdgeView) -> Group:
        return edge_group(edge, self.layout.edges[edge.id])

    def _graph(self, groups: dict[str, Group], first: GraphView) -> str:
        width, height = (round(side + 2 * MARGIN) for side in (self.layout.width, self.layout.height))
        parts = [
            f'<svg id="graph" viewBox="0 0 {width} {height}" data-width="{width}" data-height="{height}" '
            f'role="group" aria-label="{html(picture_sentence(first))}">' + markers()
            + f'<g transform="translate({MARGIN:g} {MARGIN:g})">'
        ]  # fmt: skip
        for cluster in first.clusters:
            if cluster.id in self.layout.clusters:
                lines = draw_cluster(cluster.id, cluster.label, self.layout.clusters[cluster.id], VARIABLES)
                parts.append(self.sheet.group(lines).markup())
        parts += [groups[edge.id].markup() for edge in first.edges]
        for node in first.nodes:
            box = self.layout.nodes[node.id]
            place = f' transform="translate({round(box.left, 1):g} {round(box.top, 1):g})"'
            parts.append(groups[node.id].markup(place))
        return "".join([*parts, "</g></svg>"])

    def _legend(self) -> str:
        lines, height = draw_legend(self.frames.legend(), LEGEND_WIDTH, VARIABLES)
        group = self.sheet.group(['<g class="legend">', *filter(None, lines), "</g>"])
        box = f"-2 0 {LEGEND_WIDTH + 2:g} {height:g}"  # the first mark's outline lies on the edge
        return f'<svg id="legend" viewBox="{box}" role="img" aria-label="Legend">{group.markup()}</svg>'

    # The data

    def _data(self, groups: dict[str, Group]) -> dict[str, Any]:
        builder, first = self.frames.builder, self.frames.first
        steps: list[list[Any]] = []
        strings = Strings()
        for frame, done, product in zip(self.frames.steps, self.frames.contributions, self.frames.products):
            changes = []
            for id, group in self._groups(frame.nodes.values(), frame.edges.values()).items():
                changes.append(change(groups[id], group))
                groups[id] = group
            arrived = frame.nodes.get(builder.ids[done.input])
            rule = rule_of(done.node, done.slot)
            if done.local is None:  # a rule of several inputs at once is here that of one
                rule = f"grad_{done.label} = {rule.partition(' = ')[2]}"
            ledger = arrived.ledger if arrived else ""
            steps.append([  # in the order of STEP in lesson.js
                builder.ids[done.node], builder.ids[done.input], done.slot, done.label, product, rule, done.reduction or "",
                ledger, one_line(None if done.after is None else builder.content(done.after)), changes,
            ])  # fmt: skip
        sets = [strings.shortened(one, 0) for one in shared([one for step in steps for one in step[-1]])]
        for step in steps:
            step[-1] = [strings.shortened(one) for one in step[-1]]
        return {
            "line": first.subtitle, "nodes": self._nodes(groups), "steps": steps, "sets": sets, "strings": list(strings.numbers)
        }  # fmt: skip

    def _nodes(self, shown: Mapping[str, Group]) -> dict[str, dict[str, Any]]:
        """What the page says about each node, those that are not shown but pass something on included."""
        builder = self.frames.builder
        nodes: dict[str, dict[str, Any]] = {}
        for node, id in builder.ids.items():
            if id in shown or builder.stepper.arrivals(node)[1]:  # type: ignore[union-attr]
                about = (type(node.op).__doc__ or "").strip().partition("\n")[0] if node.op is not None else ""
                nodes[id] = {"name": builder.names[node], "op": about, "box": builder.box_of.get(node, "")}
        for view in self.frames.first.nodes:
            seen = nodes.setdefault(view.id, {"name": view.name})
            seen |= {"kind": "output" if view.output else view.kind, "of": view.of, "value": one_line(view.value)}
            seen |= {"gradient": one_line(view.gradient) if view.gradient else "", "module": view.scope, "where": view.where}
            seen |= {"title": view.title if view.title != view.name else "", "constant": not view.wants_gradient}
        return {
            id: {key: clean(value) if isinstance(value, str) else value for key, value in seen.items() if value}
            for id, seen in nodes.items()
        }


def one_line(content: Content | None) -> str:
    """A number, or the shape and the numbers or the summary of an array, on one line."""
    if content is None:
        return ABSENT
    if content.cells and all(cell.text for row in content.cells for cell in row):
        rows = ["[" + " ".join(cell.text for cell in row) + "]" for row in content.cells]
        return f"{content.shape} " + (rows[0] if len(rows) == 1 else "[" + " ".join(rows) + "]")
    return f"{content.shape if content.shape != shape_text(()) else ''} {content.text}".strip().replace("  ", " ")


def _themes() -> str:
    """The colours of the themes as CSS variables: the reader's choice, else the system's, else light; on paper, print."""

    def rules(selector: str, theme: Theme, scheme: str) -> str:
        body = "".join(f"{name}:{colour};" for name, colour in css_variables(theme).items())
        return f"{selector}{{color-scheme:{scheme};{body}}}"

    dark = rules(":root:not([data-theme])", DARK, "dark")
    return (
        rules(":root", LIGHT, "light") + f"@media (prefers-color-scheme:dark){{{dark}}}"
        + rules(":root[data-theme=dark]", DARK, "dark") + rules(":root[data-theme=print]", PRINT, "light")
        + f"@media print{{{rules(':root:root', PRINT, 'light')}}}"
    )  # fmt: skip


def _part(name: str) -> str:
    """A file of the page, without its indentation."""
    return re.sub(r"(?m)^[ ]+", "", (Path(__file__).parent / "page" / name).read_text("utf-8"))


def _hash(text: str) -> str:
    """How a content security policy names this script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
