"""Views made easier to lay out and to read: short edges and frames around modules.

What hangs dot is not the number of nodes but long edges, and weights shared by many uses make them. A leaf used in many
places is therefore drawn again at each use, and so is any node at the far end of a long edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from viz.graphview import ClusterView, EdgeView, NodeView

MANY_USES = 8
LONG = 12  # ranks

Nodes = tuple[NodeView, ...]
Edges = tuple[EdgeView, ...]


def shorten_edges(nodes: Nodes, edges: Edges) -> tuple[Nodes, Edges, list[str]]:
    """The same graph with aliases in place of long edges, and a sentence if there are any."""
    ranks = _ranks(nodes, edges)
    by_id = {node.id: node for node in nodes}
    uses: dict[str, list[EdgeView]] = {}
    for edge in edges:
        uses.setdefault(edge.source, []).append(edge)
    order = {node.id: i for i, node in enumerate(nodes)}
    aliases: dict[str, NodeView] = {}  # edge id -> what stands at its beginning instead
    for source, group in uses.items():
        for edge in (*_far_uses(by_id[source], group, ranks), *(edge for edge in group if order[source] > order[edge.target])):
            node = by_id[source]
            aliases[edge.id] = NodeView(
                f"{edge.id}a", "alias", node.name, node.title.partition(" = ")[0], scope=by_id[edge.target].scope,
                wants_gradient=node.wants_gradient, of=source,
            )  # fmt: skip
    if not aliases:
        return nodes, edges, []
    repeated = {alias.of for alias in aliases.values()}
    one = by_id[next(iter(repeated))].title.partition(" = ")[0] if len(repeated) == 1 else ""
    who = f"{one} is" if one else f"{len(repeated)} nodes are"
    note = f"{who} drawn again (dashed) at {len(aliases)} further use{'s' * (len(aliases) != 1)}, to keep edges short."
    before: dict[str, list[NodeView]] = {}
    for edge in edges:
        if edge.id in aliases:
            before.setdefault(edge.target, []).append(aliases[edge.id])
    drawn = tuple(item for node in nodes for item in (*before.get(node.id, ()), node))
    moved = tuple(replace(edge, source=aliases[edge.id].id) if edge.id in aliases else edge for edge in edges)
    return drawn, moved, [note]


def _ranks(nodes: Nodes, edges: Edges) -> dict[str, int]:
    """The longest way to each node in edges; what nothing leads to stands just before its first use."""
    into: dict[str, list[str]] = {}
    for edge in edges:
        into.setdefault(edge.target, []).append(edge.source)
    ranks: dict[str, int] = {}
    for node in nodes:  # creation order: inputs come first
        # A closed module may be read before all of it is computed: then what it hands out comes later in the list.
        ranks[node.id] = max((ranks.get(source, 0) + 1 for source in into.get(node.id, ())), default=0)
    for edge in reversed(edges):
        if edge.source not in into:
            ranks[edge.source] = ranks[edge.target] - 1
    return ranks


def _far_uses(node: NodeView, uses: Sequence[EdgeView], ranks: dict[str, int]) -> list[EdgeView]:
    """The uses that get an alias: beyond the first of very many, and those at the end of a long edge."""
    ordered = sorted(uses, key=lambda edge: ranks[edge.target])
    if node.kind in ("input", "parameter"):
        first = ranks[ordered[0].target]
        if len(ordered) > MANY_USES:
            return [edge for edge in ordered if edge.target != ordered[0].target]
        return [edge for edge in ordered if ranks[edge.target] - first > LONG]
    return [edge for edge in ordered if ranks[edge.target] - ranks[node.id] > LONG]


def framed(
    nodes: Nodes, edges: Edges, models: frozenset[str] = frozenset(), remarks: Mapping[str, str] | None = None
) -> tuple[ClusterView, ...]:
    """A frame for every module with two or more boxes, and for each of several `models`. A parameter that only one module
    uses stands inside; what has no frame of its own stands in the one around it. `remarks` are said of modules, by path."""
    home = {node.id: node.scope for node in nodes}
    readers: dict[str, set[str]] = {}
    for edge in edges:
        readers.setdefault(edge.source, set()).add(home[edge.target])
    for node in nodes:
        if node.kind in ("parameter", "constant", "alias") and not home[node.id] and len(readers.get(node.id, ())) == 1:
            (home[node.id],) = readers[node.id]
    inside: dict[str, list[str]] = {}
    for node in nodes:
        if home[node.id]:
            inside.setdefault(home[node.id], []).append(node.id)
    drawn = {model for model in models if any(f"{path}.".startswith(f"{model}.") for path in inside)}
    paths = sorted({path for path, members in inside.items() if len(members) > 1} | drawn)
    around = {
        path: max((other for other in paths if path.startswith(f"{other}.")), key=len, default="") for path in [*inside, *paths]
    }
    for path in list(inside):
        if path not in paths and around[path]:
            inside.setdefault(around[path], []).extend(inside[path])
    ids = {path: f"m{number}" for number, path in enumerate(paths, 1)}
    clusters = []
    for path in paths:
        parent = around[path]
        label = f"module {path[len(parent) + 1 :] if parent else path}"
        label += f" ({remarks[path]})" if remarks and path in remarks else ""
        clusters.append(ClusterView(ids[path], label, ids.get(parent, ""), tuple(inside.get(path, ()))))
    return tuple(clusters)
