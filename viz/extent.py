"""What of a graph is drawn: all of it, a part, and how deep into its modules."""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minitorch.core.node import Node, ancestors
from viz.errors import DrawError
from viz.wording import shown_name

HOPS = 12  # edges; nodes nearer than this are drawn of a graph that is too large


@dataclass(frozen=True)
class Extent:
    """`depth` levels of modules stand open (None: as many as stay readable); `expand` and `collapse` are patterns of module
    paths (`blocks.0*`) that are opened or closed whatever the depth; `repeats` draws equal modules in a row as one.

    Of the graph, only the nodes at most `hops` edges `around` one node, those on the way of a `path` (from, to), or the
    `ancestors` of one node; nodes are given themselves or by name.
    """

    depth: int | None = None
    expand: Sequence[str] = ()
    collapse: Sequence[str] = ()
    repeats: bool = True
    around: Node | str | None = None
    hops: int = 2
    path: tuple[Node | str, Node | str] | None = None
    ancestors: Node | str | None = None

    @property
    def focused(self) -> bool:
        """Whether a part was asked for."""
        return self.around is not None or self.path is not None or self.ancestors is not None

    def part(self, everything: Sequence[Node], names: Mapping[Node, str]) -> tuple[list[Node], str]:
        """The nodes that were asked for, in drawing order, and a sentence that says so. Raises DrawError for a name that no
        node has, or a path where there is none."""
        if self.around is not None:
            centre = find(self.around, names)
            chosen = near(centre, everything, self.hops, len(everything), through_leaves=True)
            what = f"at most {self.hops} edge{'s' * (self.hops != 1)} from {shown_name(names[centre])}"
        elif self.path is not None:
            start, end = (find(node, names) for node in self.path)
            chosen = between(start, end, everything)
            what = f"on the way from {shown_name(names[start])} to {shown_name(names[end])}"
            if not chosen:
                raise DrawError(f"{names[end]!r} does not depend on {names[start]!r}: there is no path to draw")
        else:
            assert self.ancestors is not None
            root = find(self.ancestors, names)
            chosen = set(ancestors(root))
            what = f"that {shown_name(names[root])} is computed from"
        return [
            node for node in everything if node in chosen
        ], f"Showing the {len(chosen)} of {len(everything):,} nodes {what}."


def find(wanted: Node | str, names: Mapping[Node, str]) -> Node:
    """The node itself, or the one with this name. Raises DrawError with the nearest names when there is none."""
    if isinstance(wanted, Node):
        if wanted not in names:
            raise DrawError("the node to look at is not part of this graph")
        return wanted
    for node, name in names.items():
        if name == wanted:
            return node
    close = difflib.get_close_matches(wanted, names.values(), 3, 0.4)
    hint = f"; did you mean {', '.join(map(repr, close))}?" if close else ""
    raise DrawError(f"no node is called {wanted!r}{hint}")


def readers_of(nodes: Sequence[Node]) -> dict[Node, list[Node]]:
    """The nodes that use each node."""
    readers: dict[Node, list[Node]] = {}
    for node in nodes:
        for x in node.inputs or ():
            if isinstance(x, Node):
                readers.setdefault(x, []).append(node)
    return readers


def near(
    centre: Node, everything: Sequence[Node], hops: int, count: int, *, through_leaves: bool = False, forward: bool = True
) -> set[Node]:  # fmt: skip
    """At most `count` nodes fewest edges away from `centre`, at most `hops`; without `forward` only what it is made from."""
    readers = readers_of(everything) if forward else {}
    found, queue = {centre: 0}, deque([centre])
    while queue and len(found) < count:
        node = queue.popleft()
        # Usually not on from a leaf to its readers: a weight that is used everywhere would make everything near.
        onwards = readers.get(node, ()) if node.op is not None or through_leaves and node is centre else ()
        for x in (*onwards, *(node.inputs or ())):
            if isinstance(x, Node) and x not in found and found[node] < hops and len(found) < count:
                found[x] = found[node] + 1
                queue.append(x)
    return set(found)


def between(start: Node, end: Node, everything: Sequence[Node]) -> set[Node]:
    """The nodes on some way from `start` to `end`; none if there is no way."""
    leads = {start}
    for node in sorted(everything, key=lambda node: node.stamp):
        if any(isinstance(x, Node) and x in leads for x in node.inputs or ()):
            leads.add(node)
    return leads & set(ancestors(end)) if end in leads else set()
