"""Where everything goes: running Graphviz safely, and reading back the positions.

The system's `dot` is used if there is one that works, else the `graphviz-pure` program that comes with the base
install. A run has a time limit; when it passes, the whole process group is killed. What the program writes to stderr
is read: a result that came with an error is no result.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from viz.boxes import Size
from viz.dot import PIXEL, skeleton
from viz.errors import DrawError
from viz.graphview import EdgeView, GraphView

TIME_LIMIT = 10.0  # seconds for one run of dot
SHORT = 120.0  # from one rank to the next
INSTALL = "install Graphviz (https://graphviz.org/download) or run: pip install graphviz-pure"

Point = tuple[float, float]
Result = TypeVar("Result")


class LayoutTimeout(DrawError):
    """Graphviz did not finish within the time limit."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its centre and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2


@dataclass(frozen=True, slots=True)
class Route:
    """An edge: Bezier points from the source to its label, the label, and Bezier points on to the target."""

    start: tuple[Point, ...]
    label: Box
    end: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions by id, y growing downwards from the top left corner (0, 0) of a `width` x `height` area.

    `note` says what a reader should know about the layout; there may be no place for `clusters`.
    """

    width: float
    height: float
    nodes: Mapping[str, Box]
    edges: Mapping[str, Route]
    clusters: Mapping[str, Box]
    note: str = ""


def place(
    view: GraphView,
    nodes: Mapping[str, Size],
    edges: Mapping[str, Size],
    *,
    direction: str = "LR",
    time_limit: float = TIME_LIMIT,
) -> Layout:
    """Lay a view out. Raises LayoutTimeout when dot is too slow even with its fast settings, DrawError without a
    dot."""

    def laid_out(fast: bool) -> Layout:
        text = skeleton(view, nodes, edges, direction=direction, fast=fast)
        return run_dot(text, "json0", lambda raw: _read(view, raw, direction), time_limit)

    try:
        return laid_out(fast=False)
    except LayoutTimeout:
        return laid_out(fast=True)


def run_dot(text: str, format: str, read: Callable[[bytes], Result], time_limit: float = TIME_LIMIT) -> Result:
    """What `read` makes of the output of Graphviz for DOT `text`, from the first program whose output it accepts.

    `read` raises DrawError for output that is no good. Raises LayoutTimeout after `time_limit` seconds, DrawError with
    one sentence when no program works.
    """
    reasons = []
    for program in programs():
        try:
            return read(_run(program, text, format, time_limit))
        except LayoutTimeout:
            raise
        except (DrawError, OSError) as error:
            reasons.append(f"{program.name}: {str(error).strip()}")
    if not reasons:
        raise DrawError(f"no Graphviz found to lay the picture out: {INSTALL}")
    raise DrawError(f"Graphviz could not lay the picture out ({'; '.join(reasons)}): {INSTALL}")


def programs() -> list[Path]:
    """The Graphviz programs on this machine, best first; empty if there is none."""
    return [Path(path) for path in (shutil.which("dot"), _pure_path()) if path]


@functools.cache
def _pure_path() -> str | None:
    """The `graphviz-pure` program: where pip recorded it, else beside this Python, else on PATH.

    PATH comes last: a virtual environment that is used without being activated is not on it.
    """
    from importlib import metadata  # slow to import, and often not needed

    name = "graphviz-pure.exe" if os.name == "nt" else "graphviz-pure"
    places: list[Path] = []
    try:
        recorded = metadata.files("graphviz-pure") or []
        places += [Path(str(file.locate())) for file in recorded if file.name == name]
    except metadata.PackageNotFoundError:
        pass
    places += [Path(sys.executable).parent / name, Path(sysconfig.get_path("scripts")) / name]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return str(place.resolve())
    return shutil.which("graphviz-pure")


def _run(program: Path, text: str, format: str, time_limit: float) -> bytes:
    with tempfile.TemporaryDirectory(prefix="minitorch-draw-") as folder:
        source, target, messages = (Path(folder, name) for name in ("graph.dot", "graph.out", "messages"))
        source.write_text(text, encoding="utf-8")
        with messages.open("wb") as stderr:
            process = subprocess.Popen(
                [str(program), f"-T{format}", "-o", str(target), str(source)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=folder,
                start_new_session=os.name == "posix",  # its own process group: what it starts ends with it
            )
        try:
            status = process.wait(time_limit)
        except subprocess.TimeoutExpired:
            raise LayoutTimeout(
                f"Graphviz did not finish this picture within {time_limit:g} s: draw less of it, with a smaller limit"
            ) from None
        finally:
            _kill(process)
        said = messages.read_text("utf-8", "replace").splitlines()
        errors = [line for line in said if line.startswith("Error")]
        if status != 0 or errors:
            raise DrawError((errors or said or [f"exit status {status}"])[0])
        if not target.exists():
            raise DrawError("it wrote nothing")
        return target.read_bytes()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and all it started; nothing happens when it has ended."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _read(view: GraphView, raw: bytes, direction: str) -> Layout:
    """Graphviz's JSON as a Layout, moved to the origin and turned the right way up."""
    try:
        graph = json.loads(raw)
        objects = {item["name"]: item for item in graph.get("objects", ())}
        boxes = {id: _box(item) for id, item in objects.items() if "pos" in item}
        lines = {item["id"]: _points(item["pos"]) for item in graph.get("edges", ())}
        routes = {e.id: Route(lines[f"{e.id}in"], boxes[e.id], lines[f"{e.id}out"]) for e in view.edges}
        clusters = {cluster.id: _area(objects[f"cluster_{cluster.id}"]["bb"]) for cluster in view.clusters}
        nodes = {node.id: boxes[node.id] for node in view.nodes}
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise DrawError(f"its layout cannot be read ({error!r})") from None
    every = [*boxes.values(), *clusters.values()]
    points = [point for line in lines.values() for point in line]
    left = min([box.left for box in every] + [x for x, _ in points])
    right = max([box.left + box.width for box in every] + [x for x, _ in points])
    bottom = min([box.top for box in every] + [y for _, y in points])
    top = max([box.top + box.height for box in every] + [y for _, y in points])

    def moved(point: Point) -> Point:
        return (point[0] - left, top - point[1])

    def moved_box(box: Box) -> Box:
        return Box(box.x - left, top - box.y, box.width, box.height)

    def moved_route(route: Route) -> Route:
        return Route(tuple(map(moved, route.start)), moved_box(route.label), tuple(map(moved, route.end)))

    placed = {id: moved_box(box) for id, box in nodes.items()}
    found = {id: moved_route(route) for id, route in routes.items()}
    obstacles = [*placed.values(), *(route.label for route in found.values())]
    found = {id: replace(route, start=_onward(route.start, obstacles, direction)) for id, route in found.items()}
    frames = {id: moved_box(box) for id, box in clusters.items()}
    return Layout(right - left, top - bottom, placed, apart(view, found, placed, direction), frames)


def _onward(points: tuple[Point, ...], obstacles: Sequence[Box], direction: str) -> tuple[Point, ...]:
    """A short way on which dot turned back, drawn anew without a loop: straight ahead past the boxes beside it, across, and
    straight ahead again."""
    turned = direction == "TB"
    start, end = (point[::-1] if turned else point for point in (points[0], points[-1]))
    ahead = [point[turned] for point in points]
    if not 0 < end[0] - start[0] < SHORT or start[0] - 1 <= min(ahead) and max(ahead) <= end[0] + 1:
        return points
    low, high = start[0], end[0]
    left, right = sorted((start[1], end[1]))
    for box in obstacles:
        (near, far), (aside, width) = ((box.top, box.height), (box.left, box.width)) if turned else (
            (box.left, box.width), (box.top, box.height))  # fmt: skip
        if aside < right and aside + width > left:
            if near < start[0] <= near + far < end[0]:
                low = max(low, near + far)
            elif start[0] < near <= end[0] < near + far:
                high = min(high, near)
    if high - low < 8:  # no room to cross
        return points
    middle = (low + high) / 2
    way = [start] + [start, (low, start[1]), (low, start[1])] * (low > start[0])
    way += [(middle, start[1]), (middle, end[1]), (high, end[1])] + [(high, end[1]), end, end] * (high < end[0])
    return tuple(point[::-1] if turned else point for point in way)


def apart(view: GraphView, routes: dict[str, Route], nodes: Mapping[str, Box], direction: str) -> dict[str, Route]:
    """Routes whose arrows reach a box side by side, in the order in which they come.

    dot brings all to the middle of its side (given separate places, it would bend every chain into a staircase).
    """
    across = 1 if direction == "LR" else 0  # the coordinate along the side that the arrows reach
    arrivals: dict[str, list[EdgeView]] = {}
    for edge in view.edges:
        arrivals.setdefault(edge.target, []).append(edge)
    result: dict[str, Route] = {}
    for target, edges in arrivals.items():
        coming = [(edge, routes[edge.id]) for edge in edges]
        coming.sort(key=lambda pair: (pair[1].label.x, pair[1].label.y)[across])
        box = nodes[target]
        middle, side = (box.y, box.height) if across else (box.x, box.width)
        offsets = _offsets([(route.label.x, route.label.y)[across] - middle for _, route in coming], side)
        for edge, (_, route), offset in zip(_first_argument_first([edge for edge, _ in coming]), coming, offsets):
            result[edge.id] = _shifted(route, offset, across)
    return result


def _first_argument_first(edges: list[EdgeView]) -> list[EdgeView]:
    """The edges of one target in their order, but those from the same source by argument: `a + a` is drawn twice, and
    dot may put either edge on top."""
    twins: dict[str, list[EdgeView]] = {}
    for edge in sorted(edges, key=lambda edge: edge.slot, reverse=True):
        twins.setdefault(edge.source, []).append(edge)
    return [twins[edge.source].pop() for edge in edges]


def _offsets(labels: list[float], side: float) -> list[float]:
    """Where on a side of this length arrows arrive, from its middle: straight from their labels where these leave enough
    room between arrows, else evenly spread."""
    reach = max(side / 2 - 16, 0.0)
    straight = [min(max(label, -reach), reach) for label in labels]
    if all(second - first >= 16 for first, second in itertools.pairwise(straight)):
        return straight
    gap = min(42.0, max((side - 20) / len(labels), min(10.0, side / len(labels))))  # low boxes have but their side
    return [(i - (len(labels) - 1) / 2) * gap for i in range(len(labels))]


def _shifted(route: Route, offset: float, across: int) -> Route:
    """`route` with its arrival moved sideways by `offset`; a short way there is drawn anew, so that it has no kink."""

    def moved(point: Point) -> Point:
        return (point[0], point[1] + offset) if across else (point[0] + offset, point[1])

    end = (*route.end[:-2], moved(route.end[-2]), moved(route.end[-1]))
    (x, y), (to_x, to_y) = end[0], end[-1]
    along, aside = (to_x - x, to_y - y) if across else (to_y - y, to_x - x)
    if len(end) == 4 or along < 90 and abs(aside) < 45:
        if across:
            end = ((x, y), ((x + to_x) / 2, y), ((x + to_x) / 2, to_y), (to_x, to_y))
        else:
            end = ((x, y), (x, (y + to_y) / 2), (to_x, (y + to_y) / 2), (to_x, to_y))
    return Route(route.start, route.label, end)


def _box(item: Mapping[str, str]) -> Box:
    x, y = map(float, item["pos"].split(","))
    return Box(x, y, float(item["width"]) * PIXEL, float(item["height"]) * PIXEL)


def _area(text: str) -> Box:
    left, bottom, right, top = map(float, text.split(","))
    return Box((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)


def _points(text: str) -> tuple[Point, ...]:
    """The Bezier points of an edge (it has no arrow head of its own)."""
    pairs = [part.split(",") for part in text.split(";")[0].split() if not part.startswith(("e,", "s,"))]
    return tuple((float(x), float(y)) for x, y in pairs)
