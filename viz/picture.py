"""Picture: a GraphView, ready to be shown, saved or sent."""

from __future__ import annotations

import functools
import json
import os
import shutil
import warnings
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from minitorch.core.files import write_whole
from viz import dot, layout, ranked, raster, svg
from viz.boxes import Size, edge_size, node_size
from viz.errors import DrawError
from viz.graphview import GraphView
from viz.text import tree
from viz.theme import LIGHT, Theme

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".json", ".txt")
PNG_DPI = 144
PNG_INCHES = 80  # a larger picture is scaled down: beyond 16,000 pixels, many programs give up


class Picture:
    """A drawing of a graph. It shows itself in a notebook; `save` writes it where a program is wanted."""

    def __init__(
        self, view: GraphView, *, direction: str = "auto", time_limit: float = layout.TIME_LIMIT, theme: Theme = LIGHT
    ) -> None:  # fmt: skip
        self.view = view
        self._direction = direction
        self.time_limit = time_limit
        self.theme = theme
        self.placed: layout.Layout | None = None  # a layout made before, for one of many alike

    @functools.cached_property
    def direction(self) -> str:
        """"LR" (left to right) or "TB" (top to bottom): what was asked for, else what is larger on a screen."""
        return ranked.fitting(self.view, *self._sizes) if self._direction == "auto" else self._direction

    def dot(self) -> str:
        """The picture as DOT text; needs no Graphviz."""
        return dot.write(self.view, direction=self.direction, theme=self.theme)

    def svg(self) -> str:
        """The picture as an SVG document, laid out by Graphviz, or without it where there is none."""
        return self._svg

    def png(self) -> bytes:
        """The picture as a PNG: its SVG at 144 dots per inch, drawn by Pillow; where that is not installed, or lacks the
        letters, by Graphviz. Raises DrawError without either."""
        if self.placed is not None or find_spec("PIL") and (raster.can_write(self.svg()) or not layout.programs()):
            return raster.png(self.svg())
        text = dot.write(self.view, direction=self.direction, pills=True, theme=self.theme)
        text = text.replace("  graph [", f'  graph [dpi={PNG_DPI} size="{PNG_INCHES},{PNG_INCHES}" ', 1)
        return layout.run_dot(text, "png", _checked_png, self.time_limit)

    def pdf(self) -> bytes:
        """The picture as a PDF, by Graphviz. Raises DrawError without one that can (the one of graphviz-pure cannot)."""
        if shutil.which("dot") is None:
            raise DrawError("a PDF needs Graphviz itself (https://graphviz.org/download); or let a browser print the SVG")
        text = dot.write(self.view, direction=self.direction, pills=True, theme=self.theme)
        return layout.run_dot(text, "pdf", _checked_pdf, self.time_limit)

    def json(self) -> str:
        """The data of the picture, for programs."""
        text = json.dumps({"format": 1, **asdict(self.view)}, ensure_ascii=False, indent=1) + "\n"
        return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair in a name: as JSON's escape

    def text(self) -> str:
        """The picture as a tree of text."""
        return tree(self.view)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to `path`; its suffix (svg, png, pdf, dot, json, txt) says how. Returns the path.

        Raises DrawError for another suffix or a folder that cannot be written. When no Graphviz can draw it, the DOT is
        written beside `path` and the DrawError says so.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in SUFFIXES:
            shown = f"no picture ends in '{target.suffix}'" if target.suffix else "it has no suffix"
            raise DrawError(f"cannot write {target.name!r}: {shown}; use one of {', '.join(SUFFIXES)}")
        words = {".dot": self.dot, ".json": self.json, ".txt": self.text}
        if suffix in words:
            return written(target, words[suffix]().encode())
        try:
            content = {".png": self.png, ".pdf": self.pdf, ".svg": lambda: self.svg().encode()}[suffix]()
        except DrawError as error:
            beside = written(target.with_suffix(".dot"), self.dot().encode())
            raise DrawError(f"{error}; wrote {beside} instead") from None
        return written(target, content)

    def _repr_svg_(self) -> str | None:
        """For notebooks, which show the text instead when there is no picture (and would show a traceback of ours)."""
        try:
            return self.svg()
        except DrawError as error:
            warnings.warn(str(error), stacklevel=2)
            return None

    def __repr__(self) -> str:
        return f"<Picture: {self.view.title}, {len(self.view.nodes)} boxes; .save('graph.svg') writes it>"

    @functools.cached_property
    def _sizes(self) -> tuple[dict[str, Size], dict[str, Size]]:
        return {node.id: node_size(node) for node in self.view.nodes}, label_sizes(self.view)

    @functools.cached_property
    def _svg(self) -> str:
        placed = self.placed or ranked.arrange(self.view, *self._sizes, direction=self.direction, time_limit=self.time_limit)
        return svg.render(self.view, placed, theme=self.theme)


def label_sizes(view: GraphView) -> dict[str, Size]:
    """The size of every edge label. Edges between the same two nodes get the same, so that they may change places."""
    own = {edge.id: edge_size(edge) for edge in view.edges}
    twins: dict[tuple[str, str], Size] = {}
    for edge in view.edges:
        size, other = own[edge.id], twins.get((edge.source, edge.target), Size(0, 0))
        twins[edge.source, edge.target] = Size(max(size.width, other.width), max(size.height, other.height))
    return {edge.id: twins[edge.source, edge.target] for edge in view.edges}


def _checked_png(raw: bytes) -> bytes:
    if not raw.startswith(b"\x89PNG"):
        raise DrawError("it wrote no PNG")
    return raw


def _checked_pdf(raw: bytes) -> bytes:
    if not raw.startswith(b"%PDF"):
        raise DrawError("it wrote no PDF")
    return raw


def written(target: Path, content: bytes) -> Path:
    """Write a file; DrawError where that cannot be done."""
    try:
        write_whole(target, content)
    except OSError as error:
        raise DrawError(f"cannot write {str(target)!r}: {error.strerror or error}") from None
    return target
