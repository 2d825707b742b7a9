"""The circuit style: every operation a small box of its own, values between them, as CS231n and micrograd draw it."""

from __future__ import annotations

from dataclasses import replace

from minitorch.core.op import Op
from viz.graphview import EdgeView, GraphView, NodeView, legend


def circuit(view: GraphView) -> GraphView:
    """The same graph with `a + b` as a node between its arguments and its result."""
    nodes: list[NodeView] = []
    edges: list[EdgeView] = []
    gates: dict[str, str] = {}
    for node in view.nodes:
        if node.kind == "operation":
            gates[node.id] = f"{node.id}o"
            kind = Op.registry.get(node.op)
            sign = (kind.symbol if kind else "") or node.op
            wants = node.wants_gradient
            nodes.append(NodeView(gates[node.id], "gate", node.title, sign, node.op, wants_gradient=wants, scope=node.scope))
            edges.append(EdgeView(f"{node.id}eo", gates[node.id], node.id, 0, "out", carries=node.wants_gradient))
            node = replace(node, title=node.title.partition(" = ")[0])
        nodes.append(node)
    edges = [*(replace(edge, target=gates.get(edge.target, edge.target)) for edge in view.edges), *edges]
    clusters = tuple(
        replace(cluster, nodes=tuple(id for one in cluster.nodes for id in ((gates[one], one) if one in gates else (one,))))
        for cluster in view.clusters
    )
    return replace(view, nodes=tuple(nodes), edges=tuple(edges), clusters=clusters, legend=legend(tuple(nodes), tuple(edges)))
