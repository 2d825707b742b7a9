"""Why is the gradient what it is: the sum over all paths from the root, each the product of its local derivatives."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass

from ..backend import scalar
from . import backward as engine
from .node import Node
from .value import Value


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """One factor of a path: `node` depends on its input number `slot` with the local derivative `local`."""

    node: Node
    slot: int
    local: float


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One way in which the root depends on a node: edges from the root down, and the product of their locals."""

    edges: tuple[Edge, ...]
    product: float


@dataclass(frozen=True, slots=True, eq=False)
class Why:
    """The gradient of `root` with respect to `node` as a sum over paths.

    `paths` are the largest by absolute product, largest first; `count` is how many there are in all, `total` the sum over
    all of them (the gradient), `rest` the part of it that `paths` leaves out.
    """

    root: Node
    node: Node
    total: float
    count: int
    paths: tuple[Path, ...]

    @property
    def rest(self) -> float:
        """total minus the sum of the paths shown."""
        return self.total - sum(path.product for path in self.paths)


def why(root: Value, node: Value, limit: int = 10) -> Why:
    """The `limit` largest paths from `root` to `node`, and the total over all of them.

    Exact also where there are more paths than could be listed: totals and counts are added up node by node, and the
    search for the largest paths knows, at every node, how large the best way on can be.

    TypeError where a Tensor lies between them: ask the Values that it stands for (`core.zoom.unfold`). RuntimeError where
    the graph was freed.
    """
    steps = engine.plan([root]) if root.op is not None else []
    ways: dict[Node, list[Edge]] = {}
    total: dict[Node, float] = {node: 1.0}
    count: dict[Node, int] = {node: 1}
    best: dict[Node, float] = {node: 1.0}
    for place, slots in reversed(steps):
        if place is node:
            continue
        inputs = place.inputs or ()
        towards = tuple([slot for slot in slots if inputs[slot] in total])
        if towards:
            edges = _edges(place, towards)
            ways[place] = edges
            total[place] = sum(edge.local * total[inputs[edge.slot]] for edge in edges)
            count[place] = sum(count[inputs[edge.slot]] for edge in edges)
            best[place] = max(_size(edge.local) * best[inputs[edge.slot]] for edge in edges)
    if root not in total:
        return Why(root, node, 0.0, 0, ())
    return Why(root, node, total[root], count[root], tuple(_largest(root, node, ways, best, limit)))


def _edges(place: Node, slots: tuple[int, ...]) -> list[Edge]:
    """The local derivatives of a scalar node: what each input would receive if 1 arrived."""
    if not isinstance(place, Value) or not all(isinstance(place.inputs[slot], Value) for slot in slots):  # type: ignore[index]
        name = place.name or (place.op.name if place.op else "a node")
        raise TypeError(f"a path leads through single numbers, and '{name}' is or reads a tensor: unfold the graph first")
    raws = tuple(x.raw if isinstance(x, Node) else x for x in place.inputs or ())
    assert place.op is not None
    return [Edge(place, slot, float(product)) for slot, _, product in place.op.pull(scalar, 1.0, place.raw, None, slots, raws)]


def _largest(root: Node, node: Node, ways: dict[Node, list[Edge]], best: dict[Node, float], limit: int) -> list[Path]:
    """Best first: what is taken from the queue is the largest path left, complete or to be completed."""
    tie = itertools.count()
    queue: list[tuple[float, int, Node, float, tuple[Edge, ...]]] = [(-best[root], next(tie), root, 1.0, ())]
    found: list[Path] = []
    while queue and len(found) < limit:
        _, _, place, product, edges = heapq.heappop(queue)
        if place is node:
            found.append(Path(edges, product))
            continue
        for edge in ways[place]:
            x = place.inputs[edge.slot]  # type: ignore[index]
            on = product * edge.local
            heapq.heappush(queue, (-_size(on) * best[x], next(tie), x, on, (*edges, edge)))
    return found


def _size(x: float) -> float:
    """|x|, with nan counted as the largest: it is what one is looking for."""
    return abs(x) if x == x else math.inf
