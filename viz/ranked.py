"""A layout of our own, for when Graphviz is missing, broken or too slow: ranks, as few crossings as a few sweeps find, and
every box as near to its neighbours as the others in its rank let it.

It never fails and takes a second for a thousand boxes. It keeps modules together where that comes easily: a frame is drawn
where nothing else stands inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from viz import layout
from viz.boxes import Size
from viz.errors import DrawError
from viz.graphview import GraphView
from viz.layout import TIME_LIMIT, Box, Layout, Point, Route, apart

MANY = 300  # boxes
SWEEPS = 6
GAP_ACROSS = 22.0  # between boxes of one rank
GAP_ALONG = 30.0  # between ranks
FRAME, FRAME_HEAD = 9.0, 24.0  # around what is in a frame, and above it
WAYPOINT = Size(0.0, 8.0)  # where a long edge passes a rank
SCREEN = Size(1920, 1080)  # a projector's
DIRECTIONS = ("auto", "LR", "TB")


def fitting(view: GraphView, nodes: Mapping[str, Size], edges: Mapping[str, Size]) -> str:
    """The direction in which a view is larger on a screen: "LR" (left to right, as it is read) unless it would be much
    smaller than "TB" (top to bottom)."""
    ranks = _ranks(view)
    ranks.update((edge.id, ranks[edge.target] - 1) for edge in view.edges)
    rows: dict[int, list[Size]] = {}
    for id, rank in ranks.items():
        rows.setdefault(rank, []).append(nodes.get(id) or edges[id])

    def room(turned: bool) -> float:
        """By how much the picture can be enlarged, or must be reduced, to fill the screen; down, one may turn a page."""
        upright = [[Size(size.height, size.width) if turned else size for size in row] for row in rows.values()]
        length = sum(max(size.width for size in row) + GAP_ALONG for row in upright)
        breadth = max(sum(size.height + GAP_ACROSS for size in row) for row in upright)
        across, down = (breadth, length) if turned else (length, breadth)
        return min(SCREEN.width / across, 2 * SCREEN.height / down)

    return "LR" if room(False) >= min(1.0, room(True) / 1.2) else "TB"


def arrange(
    view: GraphView, nodes: Mapping[str, Size], edges: Mapping[str, Size], *, direction: str, time_limit: float = TIME_LIMIT
) -> Layout:  # fmt: skip
    """The layout of Graphviz, else our own with a note that says why. Many boxes take dot long: then ours at once."""
    if len(nodes) > MANY:
        return place(view, nodes, edges, direction=direction)
    try:
        return layout.place(view, nodes, edges, direction=direction, time_limit=time_limit)
    except layout.LayoutTimeout:
        note = f"Graphviz was too slow for this picture (more than {time_limit:g} s): laid out without it."
    except DrawError:
        note = f"Laid out without Graphviz; for a better picture, {layout.INSTALL}."
    return place(view, nodes, edges, direction=direction, note=note)


def place(
    view: GraphView, nodes: Mapping[str, Size], edges: Mapping[str, Size], *, direction: str = "LR", note: str = ""
) -> Layout:
    """Lay a view out without Graphviz."""
    turned = direction == "TB"

    def upright(size: Size) -> Size:
        return Size(size.height, size.width) if turned else size

    sizes = {id: upright(size) for id, size in (*nodes.items(), *edges.items())}
    home = _home(view)
    chains, ranks = _chains(view, sizes, home)
    rows = _rows(chains, ranks)
    _untangle(rows, chains, home)
    across = _across(rows, chains, sizes, GAP_ACROSS + (FRAME + FRAME_HEAD if home else 0))
    along, length = _along(rows, sizes)
    least = min((across[id] - sizes[id].height / 2 for id in across), default=0.0)
    most = max((across[id] + sizes[id].height / 2 for id in across), default=0.0)

    def turn(point: Point) -> Point:
        return (point[1], point[0]) if turned else point

    def box(id: str) -> Box:
        size = nodes.get(id) or edges[id]
        return Box(*turn((along[ranks[id]], across[id] - least)), size.width, size.height)

    boxes = {id: box(id) for id in nodes}
    routes = {}
    for edge in view.edges:
        *way, target = chains[edge.id]
        points = [(along[ranks[id]], across[id] - least) for id in way]
        (x, y), (lx, ly), half = points[0], points[-1], sizes[edge.id].width / 2
        start = [(x + sizes[edge.source].width / 2, y), *points[1:-1], (lx - half, ly)]
        end = [(lx + half, ly), (along[ranks[target]] - sizes[target].width / 2, across[target] - least)]
        routes[edge.id] = Route(tuple(map(turn, _smooth(start))), box(edge.id), tuple(map(turn, _smooth(end))))
    width, height = (most - least, length) if turned else (length, most - least)
    placed = Layout(width, height, boxes, apart(view, routes, boxes, direction), {}, note)
    return _framed(view, placed, home) if home else placed


def _home(view: GraphView) -> dict[str, str]:
    """The innermost frame of every box in one; the label of an edge stands with its target."""
    home = {id: cluster.id for cluster in view.clusters for id in cluster.nodes}
    home.update((edge.id, home[edge.target]) for edge in view.edges if edge.target in home)
    return home


def _framed(view: GraphView, placed: Layout, home: Mapping[str, str]) -> Layout:
    """The layout with the frames inside which nothing else stands, and with room for them at its sides."""
    everything = {**placed.nodes, **{id: route.label for id, route in placed.edges.items()}}
    parents = {cluster.id: cluster.parent for cluster in view.clusters}
    inside: dict[str, set[str]] = {id: set() for id in parents}
    for id, path in home.items():
        while path:
            inside[path].add(id)
            path = parents[path]
    frames: dict[str, Box] = {}
    for cluster in reversed(view.clusters):  # a frame comes before those inside it
        held = [everything[id] for id in inside[cluster.id]] + [frames[id] for id in frames if parents[id] == cluster.id]
        left, right = min(box.left for box in held) - FRAME, max(box.left + box.width for box in held) + FRAME
        top, bottom = min(box.top for box in held) - FRAME_HEAD, max(box.top + box.height for box in held) + FRAME
        frame = Box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        others = [box for id, box in everything.items() if id not in inside[cluster.id]]
        others += [box for id, box in frames.items() if not inside[id] <= inside[cluster.id]]
        if not any(_touch(frame, other) for other in others):
            frames[cluster.id] = frame
    dx = max([0.0, *(-frame.left for frame in frames.values())])
    dy = max([0.0, *(-frame.top for frame in frames.values())])

    def moved(box: Box) -> Box:
        return replace(box, x=box.x + dx, y=box.y + dy)

    def along(points: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple((x + dx, y + dy) for x, y in points)

    return Layout(
        max([placed.width, *(frame.left + frame.width for frame in frames.values())]) + dx,
        max([placed.height, *(frame.top + frame.height for frame in frames.values())]) + dy,
        {id: moved(box) for id, box in placed.nodes.items()},
        {id: Route(along(way.start), moved(way.label), along(way.end)) for id, way in placed.edges.items()},
        {id: moved(frame) for id, frame in frames.items()},
        placed.note,
    )


def _touch(one: Box, other: Box) -> bool:
    return abs(one.x - other.x) < (one.width + other.width) / 2 and abs(one.y - other.y) < (one.height + other.height) / 2


def _chains(view: GraphView, sizes: dict[str, Size], home: Mapping[str, str]) -> tuple[dict[str, list[str]], dict[str, int]]:
    """What each edge passes, from its source over waypoints and its label to its target, and the rank of all of these.

    Nodes have even ranks; a label stands just before its target.
    """
    ranks = _ranks(view, home)
    chains: dict[str, list[str]] = {}
    for edge in view.edges:
        ranks[edge.id] = ranks[edge.target] - 1
        way = []
        for rank in range(ranks[edge.source] + 1, ranks[edge.id]):
            way.append(f"{edge.id}.{rank}")
            ranks[way[-1]], sizes[way[-1]] = rank, WAYPOINT
        chains[edge.id] = [edge.source, *way, edge.id, edge.target]
    least = min(ranks.values(), default=0)
    return chains, {id: rank - least for id, rank in ranks.items()}


def _ranks(view: GraphView, home: Mapping[str, str] | None = None) -> dict[str, int]:
    """The rank of every box; two apart where an edge leads from one to the other and nothing is between. With `home`, four
    where it leads into a frame whose leaves need a rank of their own before it, beside nothing from outside."""
    ranks: dict[str, int] = {}
    into: dict[str, list[str]] = {}
    onward: dict[str, list[str]] = {}
    for edge in view.edges:
        into.setdefault(edge.target, []).append(edge.source)
        onward.setdefault(edge.source, []).append(edge.target)
    for node in view.nodes:  # inputs come first
        sources, frame = into.get(node.id, ()), (home or {}).get(node.id)
        inner = [source for source in sources if frame and home and home.get(source) == frame]
        leaves = any(source not in into for source in inner)
        ranks[node.id] = max(
            (ranks.get(source, 0) + (4 if leaves and source not in inner else 2) for source in sources), default=0
        )
    for node in view.nodes:  # what nothing leads to stands just before its first use
        if node.id not in into and node.id in onward:
            ranks[node.id] = min(ranks[target] for target in onward[node.id]) - 2
    return ranks


def _rows(chains: Mapping[str, Sequence[str]], ranks: Mapping[str, int]) -> list[list[str]]:
    """The ids of each rank; what belongs together starts side by side."""
    rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    order: dict[str, None] = {}
    for chain in list(chains.values())[::-1]:  # from the root
        order.update(dict.fromkeys(reversed(chain)))
    order.update(dict.fromkeys(ranks))
    for id in order:
        rows[ranks[id]].append(id)
    return rows


def _neighbours(chains: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for chain in chains.values():
        for one, other in zip(chain, chain[1:]):
            after.setdefault(one, []).append(other)
            before.setdefault(other, []).append(one)
    return before, after


def _untangle(rows: list[list[str]], chains: Mapping[str, Sequence[str]], home: Mapping[str, str]) -> None:
    """Order each rank by the mean place of its neighbours, back and forth: the barycentre heuristic of Sugiyama. What is in
    one frame stays side by side."""
    before, after = _neighbours(chains)
    places = {id: i / len(row) for row in rows for i, id in enumerate(row)}
    for sweep in range(2 * SWEEPS):
        beside = after if sweep % 2 == 0 else before
        for row in rows[::-1] if sweep % 2 == 0 else rows:
            if len(row) > 1:
                row.sort(key=lambda id: fmean([places[other] for other in beside[id]]) if id in beside else places[id])
                if home:
                    first: dict[str, int] = {}
                    for i, id in enumerate(row):
                        first.setdefault(home.get(id, id), i)
                    row.sort(key=lambda id: first[home.get(id, id)])
                places.update((id, i / len(row)) for i, id in enumerate(row))


def _across(
    rows: list[list[str]], chains: Mapping[str, Sequence[str]], sizes: Mapping[str, Size], gap: float
) -> dict[str, float]:  # fmt: skip
    """Where each thing stands in its rank: as near as it can to the mean of its neighbours, without touching the others."""
    before, after = _neighbours(chains)
    at: dict[str, float] = {}
    for row in rows:
        at.update(zip(row, _spread([0.0] * len(row), [sizes[id].height for id in row], gap)))
    for sweep in range(2 * SWEEPS):
        beside, still = after if sweep % 2 == 0 else before, True
        for row in rows[::-1] if sweep % 2 == 0 else rows:
            wanted = [fmean([at[other] for other in beside[id]]) if id in beside else at[id] for id in row]
            found = _spread(wanted, [sizes[id].height for id in row], gap)
            still = still and all(abs(at[id] - place) < 0.5 for id, place in zip(row, found))
            at.update(zip(row, found))
        if still:
            break
    return at


def _spread(wanted: Sequence[float], heights: Sequence[float], gap: float) -> list[float]:
    """The places nearest to `wanted` (least squares) at which things of these heights, in this order, do not touch.

    Pool adjacent violators: without the room the things before need, the places must only not decrease.
    """
    if len(wanted) == 1:
        return list(wanted)
    room, offsets = 0.0, []
    for i, height in enumerate(heights):
        room += (heights[i - 1] + height) / 2 + gap if i else 0.0
        offsets.append(room)
    pools: list[tuple[float, int]] = []  # mean, count
    for place, offset in zip(wanted, offsets):
        mean, count = place - offset, 1
        while pools and pools[-1][0] > mean:
            other, others = pools.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [place + offset for place, offset in zip(flat, offsets)]


def _along(rows: Sequence[Sequence[str]], sizes: Mapping[str, Size]) -> tuple[list[float], float]:
    """The middle of every rank, and the length of all."""
    middles, at = [], 0.0
    for row in rows:
        width = max((sizes[id].width for id in row), default=0.0)
        middles.append(at + width / 2)
        at += width + GAP_ALONG
    return middles, max(at - GAP_ALONG, 0.0)


def _smooth(points: Sequence[Point]) -> tuple[Point, ...]:
    """Bezier points through `points`, along the ranks at each."""
    curve = [points[0]]
    for (x, y), (to_x, to_y) in zip(points, points[1:]):
        curve += [((x + to_x) / 2, y), ((x + to_x) / 2, to_y), (to_x, to_y)]
    return tuple(curve)
