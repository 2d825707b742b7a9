"""Every step of one backward pass as one picture that changes: laid out once, with room for the widest text of any step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from minitorch.core.node import Node
from minitorch.core.stepper import Contribution, Stepper
from viz import ranked
from viz.boxes import Size, edge_size, node_size
from viz.build import LIMIT, WHOLE, Builder
from viz.errors import DrawError
from viz.extent import Extent
from viz.format import DIGITS
from viz.graphview import EdgeView, GraphView, Mark, NodeView, legend
from viz.layout import Box, Layout, Route
from viz.page_edge import reserved
from viz.picture import label_sizes

MOST_STEPS = 2000  # of a page or an animation; beyond, nobody watches


@dataclass(frozen=True, slots=True)
class Frame:
    """What is different at one step: the line under the title, and the nodes and edges that changed, by id."""

    subtitle: str
    nodes: Mapping[str, NodeView]
    edges: Mapping[str, EdgeView]


class Frames:
    """A backward pass, step by step. `first` is the view before the first step, `steps[k - 1]` what step k changes.

    `contributions[k - 1]` is what step k did, `products[k - 1]` its arithmetic as text. The stepper is walked to its end
    and put back where it stood. Raises DrawError for a pass of more than 2,000 steps.
    """

    def __init__(
        self,
        stepper: Stepper,
        *,
        variables: Mapping[str, object] | None = None,
        digits: int = DIGITS,
        limit: int = LIMIT,
        extent: Extent = WHOLE,
    ) -> None:
        if len(stepper) > MOST_STEPS:
            raise DrawError(
                f"this pass has {len(stepper):,} steps, and nobody watches more than {MOST_STEPS:,}: step through a smaller "
                "part, such as one sample or one neuron"
            )
        here = stepper.position
        try:
            stepper.goto(0)
            self.builder = Builder(stepper.root, stepper, variables or {}, digits, limit, extent)
            self.first = self.builder.view()
            self._walk(stepper)
        finally:
            stepper.goto(here)

    def _walk(self, stepper: Stepper) -> None:
        self.contributions: list[Contribution] = []
        self.products: list[str] = []
        self.steps: list[Frame] = []
        builder, nodes, edges = self.builder, self._by_id(self.first.nodes), self._by_id(self.first.edges)
        boxes = {builder.box_of[group.members[0]]: group for group in builder.groups}
        moving = _moving(stepper)
        while (done := stepper.step()) is not None:
            builder.look()
            before, moving = moving, _moving(stepper)
            changed_edges: dict[str, EdgeView] = {}
            changed_nodes: dict[str, NodeView] = {}
            for node, slot in [*before, *moving]:
                assert node.inputs is not None
                for end in (node, node.inputs[slot]):
                    id = builder.box_of.get(end) or builder.ids[end]
                    if id not in nodes or id in changed_nodes:
                        continue
                    new = builder.box(boxes[id]) if id in boxes else builder.node(end)
                    if (made := _now(nodes[id], new)) != nodes[id]:
                        nodes[id] = changed_nodes[id] = made
                id = f"{builder.ids[node]}e{slot}"
                if id in edges and (other := _moved(edges[id], builder.edge("", node, slot))) != edges[id]:
                    edges[id] = changed_edges[id] = other
            self.contributions.append(done)
            self.products.append(builder.product(done))
            self.steps.append(Frame(builder.subtitle(), changed_nodes, changed_edges))

    @staticmethod
    def _by_id(items: Iterable[NodeView] | Iterable[EdgeView]) -> dict[str, Any]:
        return {item.id: item for item in items}

    def views(self) -> Iterable[GraphView]:
        """The view before the first step and after each step, all with the same legend."""
        nodes, edges = self._by_id(self.first.nodes), self._by_id(self.first.edges)
        marks = self.legend()
        yield replace(self.first, legend=marks)
        for step in self.steps:
            nodes.update(step.nodes)
            edges.update(step.edges)
            yield replace(
                self.first, subtitle=step.subtitle, nodes=tuple(nodes.values()), edges=tuple(edges.values()), legend=marks
            )

    def legend(self) -> tuple[Mark, ...]:
        """The marks of all steps."""
        nodes = [*self.first.nodes, *(node for step in self.steps for node in step.nodes.values())]
        edges = [*self.first.edges, *(edge for step in self.steps for edge in step.edges.values())]
        return legend(tuple(nodes), tuple(edges))

    def pictures(self, direction: str = "auto") -> Iterator[tuple[GraphView, Layout]]:
        """The view before the first step and after each, and its layout, the same for all but for the heights of labels."""
        placed = self.place(direction)
        for view in self.views():
            routes = {edge.id: _grown(placed.edges[edge.id], edge_size(edge), bool(edge.product)) for edge in view.edges}
            yield view, replace(placed, edges=routes)

    def place(self, direction: str = "auto") -> Layout:
        """One layout for all steps: every box and label has the size that its largest content needs (see `reserved`)."""
        nodes = {node.id: node_size(node) for node in self.first.nodes}
        first = label_sizes(self.first)
        edges, least = dict(first), dict(first)
        for step in self.steps:
            for node in step.nodes.values():
                nodes[node.id] = _larger(nodes[node.id], node_size(node))
            for edge in step.edges.values():
                edges[edge.id] = _larger(edges[edge.id], edge_size(edge))
                least[edge.id] = min(least[edge.id], edge_size(edge), key=lambda size: size.height)
        edges = {id: reserved(least[id], size) for id, size in edges.items()}
        twins: dict[tuple[str, str], Size] = {}
        for edge in self.first.edges:
            ends = edge.source, edge.target
            twins[ends] = _larger(edges[edge.id], twins.get(ends, Size(0, 0)))
        labels = {edge.id: twins[edge.source, edge.target] for edge in self.first.edges}
        if direction == "auto":
            direction = ranked.fitting(self.first, nodes, labels)
        return ranked.arrange(self.first, nodes, labels, direction=direction)


def _grown(route: Route, size: Size, active: bool) -> Route:
    """The route with its label as high as its text: on the line, or where something moves, from its beginning downwards."""
    label = route.label
    y = label.top + size.height / 2 if active else label.y
    return replace(route, label=Box(label.x, y, label.width, size.height))


def _moving(stepper: Stepper) -> list[tuple[Node, int]]:
    """The (node, slot) of the contribution that arrived last, and of the next."""
    last, coming = stepper.last, stepper.peek()
    return ([(last.node, last.slot)] if last is not None else []) + ([coming] if coming is not None else [])


def _now(old: NodeView, new: NodeView) -> NodeView:
    """The box `old`, with what a step can change taken from `new`."""
    return replace(old, gradient=new.gradient, arrivals=new.arrivals, ledger=new.ledger, state=new.state)


def _moved(old: EdgeView, new: EdgeView) -> EdgeView:
    return replace(old, state=new.state, product=new.product, reduction=new.reduction)


def _larger(one: Size, other: Size) -> Size:
    return Size(max(one.width, other.width), max(one.height, other.height))
