"""The gradient of one element of a large tensor as a sum over paths, of which the most promising are followed.

Between tensors of a thousand elements there are more paths than anybody could list, and taking the tensors apart into Values
would take longer than a training step. But the pass knows what arrives at every element, which is the sum over all the ways on
from there. So the search goes from the element towards the root, and takes first what carries the most: the product of the
local derivatives so far, times what arrives there. The local derivatives are those of the recorded operations, a column of
each Jacobian at a time (a rule is linear in the gradient it is given: its own derivative is that column).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.backend import BACKENDS
from minitorch.backend.gpus import at_home
from minitorch.core import backward as engine
from minitorch.core.node import Node
from minitorch.core.tensor import Tensor
from repl.graph import Graph
from viz.format import host

Index = tuple[int, ...]

FOLLOWED = 200  # elements from which the search goes on
KEPT = 12  # of the elements that one operation leads to, those that carry the most


@dataclass(frozen=True)
class Hop:
    """One factor of a path: an element of `node` depends on an element of its input number `slot` with `local`."""

    node: Node
    index: Index
    slot: int
    local: float


@dataclass(frozen=True)
class Trail:
    """One path from an element up to the root, nearest the element first, and the product of its locals."""

    hops: tuple[Hop, ...]
    product: float


def largest(
    graph: Graph, flows: Mapping[Node, Any], root: Node, node: Node, index: Index, most: int
) -> tuple[list[Trail], bool]:
    """At most `most` paths from an element to the root, the largest of those found first; and whether there are no others
    (but such with a factor of 0).

    Args:
        flows: what arrives at every node by the end of the pass.

    Raises:
        ValueError: an operation on the way is of a kind whose rule cannot be differentiated itself.
    """
    found: list[Trail] = []
    all_followed = True
    tie = itertools.count()
    heap: list[tuple[float, int, Node, Index, Trail]] = [(0.0, next(tie), node, index, Trail((), 1.0))]
    for _ in range(FOLLOWED):
        if not heap or len(found) == 2 * most:
            break
        _, _, here, at, trail = heapq.heappop(heap)
        if here is root:
            found.append(trail)
            continue
        for user, slot in graph.users.get(here, ()):
            flow = flows.get(user)
            if flow is None or slot not in engine.needed_slots(user):
                continue
            column = _column(user, slot, at)
            amount, most_carried = _most(column, trail.product * column * flow.astype("float64"))
            all_followed = all_followed and amount <= KEPT
            for flat, carried, local in most_carried:
                if not carried > 0.0:
                    break
                place = tuple(int(i) for i in np.unravel_index(int(flat), column.shape))
                hop = Hop(user, place, slot, local)
                on = Trail((*trail.hops, hop), trail.product * hop.local)
                heapq.heappush(heap, (-carried, next(tie), user, place, on))
    found.sort(key=lambda trail: -abs(trail.product))
    return found[:most], all_followed and not heap and len(found) <= most


@at_home
def _most(column: Any, carries: Any) -> tuple[int, list[list[float]]]:
    """How many elements of a column are not 0, and (number, what it carries, its entry) of those that carry the most. Found
    on the column's device, and fetched together."""
    xp = BACKENDS[type(column)]
    sizes = abs(carries).reshape(-1)
    first = (-sizes).argsort()[:KEPT]
    rows = [first.astype("float64"), sizes[first], column.reshape(-1)[first], (column != 0).sum() + 0.0 * sizes[first]]
    found = host(xp.stack(rows)).T.tolist()
    return int(found[0][3]), [row[:3] for row in found]


@at_home
def _column(node: Node, slot: int, index: Index) -> Any:
    """How every element of `node` depends on one element of its input: a column of the Jacobian."""
    if not isinstance(node, Tensor) or not isinstance(node.inputs[slot], Tensor):  # type: ignore[index]
        raise ValueError("a number among the tensors")
    xp = BACKENDS[type(node.raw)]
    given = Tensor(xp.zeros(node.shape, node.dtype), requires_grad=True)
    _, _, product = engine.pulled(node, given, (slot,), create_graph=True)[0]
    x = node.inputs[slot]  # type: ignore[index]
    received = engine.fitted(product, x, create_graph=True)
    if not isinstance(received, Tensor):
        raise ValueError(f"{node.op.name if node.op else 'an operation'} hands on several results at once")
    element = received[index] if index else received
    flow = engine.run(_since(given, element), {element: xp.ones((), element.dtype)})
    column = flow.get(given)
    return xp.zeros(node.shape, "float64") if column is None else xp.asarray(column, dtype="float64")


def _since(given: Node, root: Node) -> list[engine.Step]:
    """The plan of a pass from `root` that goes no further than what was made after `given`: the user's graph stays out."""
    made, stack = {root.stamp: root}, [root]
    while stack:
        for x in stack.pop().inputs or ():
            if isinstance(x, Node) and x.stamp >= given.stamp and x.stamp not in made:
                made[x.stamp] = x
                stack.append(x)
    steps = []
    for stamp in sorted(made, reverse=True):
        node = made[stamp]
        slots = engine.needed_slots(node) if node.op is not None else ()
        steps.append((node, tuple(slot for slot in slots if node.inputs[slot].stamp >= given.stamp)))  # type: ignore[index]
    return [(node, slots) for node, slots in steps if slots]
