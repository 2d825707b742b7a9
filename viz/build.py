"""From the engine to a GraphView: what a graph, or a paused backward pass, looks like."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minitorch.backend.numpy import stretched_axes
from minitorch.core.backward import needed_slots
from minitorch.core.naming import names as engine_names
from minitorch.core.naming import scopes
from minitorch.core.node import Node, ancestors
from minitorch.core.stepper import Contribution, Stepper
from minitorch.core.value import Value
from viz.board import constants, rule_of, rule_text
from viz.closed import box, edges_into
from viz.errors import DrawError
from viz.extent import HOPS, Extent, near
from viz.format import DIGITS, Content, content, number, scalar
from viz.graphview import EdgeView, GraphView, Kind, NodeView, legend
from viz.locals import local_derivative
from viz.modules import READABLE, Group, Homes, is_parameter, line_groups, module_groups, twins
from viz.simplify import framed, shorten_edges
from viz.wording import constant_text, factor, local_text, short_rule, shown_name, title

LIMIT = 500  # a graph of more nodes is not drawn whole
NEAREST = 80  # of such a graph, at most so many nodes are drawn
WHOLE = Extent()


def view(
    of: Node | Stepper,
    *,
    variables: Mapping[str, object] | None = None,
    digits: int = DIGITS,
    limit: int = LIMIT,
    extent: Extent = WHOLE,
    gradients: Mapping[Node, Any] | None = None,
) -> GraphView:
    """The GraphView of the graph behind a Value or Tensor, or of a paused Stepper.

    `variables` name the nodes they hold, `extent` says which part is drawn and which modules are closed. Where more than
    `limit` boxes would remain, the source lines become boxes, or the graph is cut down to the nodes nearest its root (or
    nearest the point where the stepper stands); a note says so. `gradients` are shown in place of those that the nodes hold.
    Raises DrawError when backward() freed the graph, TypeError for anything that has no graph.
    """
    stepper = of if isinstance(of, Stepper) else None
    root = stepper.root if stepper is not None else of
    if not isinstance(root, Node):
        raise TypeError(f"draw needs a Value, a Tensor or a Stepper, not {type(of).__name__}")
    return Builder(root, stepper, variables or {}, digits, limit, extent, gradients).view()


class Builder:
    """One build: the graph in drawing order, its names, and what the stepper knows."""

    def __init__(
        self, root: Node, stepper: Stepper | None, variables: Mapping[str, object], digits: int, limit: int,
        extent: Extent = WHOLE, gradients: Mapping[Node, Any] | None = None,
    ) -> None:  # fmt: skip
        self.root, self.stepper, self.digits = root, stepper, digits
        self.gradients = gradients
        self.notes: list[str] = []
        try:
            everything = _drawing_order(ancestors(root))
        except RuntimeError:
            raise DrawError(
                f"the graph of {_variable(root, variables)} was freed by backward(): draw before it, or keep the graph "
                "with backward(retain_graph=True)"
            ) from None
        self.names = engine_names(root, variables)
        self.homes = Homes(*scopes(everything, variables))
        self.shown: list[Node] = everything
        if extent.focused:
            self.shown, note = extent.part(everything, self.names)
            self.notes.append(note)
        self.groups = self._closed(extent, limit)
        if len(self.shown) - sum(len(group.members) - 1 for group in self.groups) > limit:
            self.groups = []
            self.shown = self._nearest(self.shown, min(limit, NEAREST))
        self.ids = {node: f"n{number}" for number, node in enumerate(everything, 1)}
        self.box_of = {node: f"b{number}" for number, group in enumerate(self.groups, 1) for node in group.members}
        self.first_step = self._first_steps()
        self.look()

    def look(self) -> None:
        """Take note of where the stepper stands now."""
        stepper = self.stepper
        self.last = stepper.last if stepper is not None else None
        self.next = stepper.peek() if stepper is not None else None

    def view(self) -> GraphView:
        """The view of the whole."""
        nodes, edges, notes = shorten_edges(*self.build())
        return GraphView(
            title=self.title(),
            subtitle=self.subtitle(),
            nodes=nodes,
            edges=edges,
            clusters=framed(nodes, edges, self.homes.models, twins(self.shown, self.homes, self.groups) if self.groups else {}),
            notes=(*self.notes, *notes),
            legend=legend(nodes, edges),
        )

    def build(self) -> tuple[tuple[NodeView, ...], tuple[EdgeView, ...]]:
        """Every node and edge that is shown; constants and stubs stand before the node that uses them."""
        chosen = set(self.shown)
        nodes: list[NodeView] = []
        edges: list[EdgeView] = []
        lasts = {self._last_member(group): group for group in self.groups}
        for node in self.shown:
            if node in lasts:
                edges += edges_into(self, lasts[node])
                nodes.append(self.box(lasts[node]))
            if node in self.box_of:
                continue
            id = self.ids[node]
            inputs = node.inputs or ()
            hidden = [slot for slot, x in enumerate(inputs) if isinstance(x, Node) and x not in chosen]
            for slot, x in enumerate(inputs):
                if slot in hidden:
                    continue
                source = (self.box_of.get(x) or self.ids[x]) if isinstance(x, Node) else f"{id}c{slot}"
                if not isinstance(x, Node):
                    nodes.append(self._constant(source, x, node, slot))
                edges.append(self.edge(source, node, slot))
            if hidden:
                nodes.append(self._stub(id, [inputs[slot] for slot in hidden]))
                edges.append(self._stub_edge(id, node, hidden))
            nodes.append(self.node(node))
        return tuple(nodes), tuple(edges)

    def title(self) -> str:
        """What is drawn."""
        name = shown_name(self.names[self.root])
        return f"Backward pass of {name}" if self.stepper is not None else f"Graph of {name}"

    def subtitle(self) -> str:
        """Where we are."""
        stepper = self.stepper
        if stepper is None:
            if self.gradients is not None or self.root.op is None or any(node.grad is not None for node in self.shown):  # type: ignore[attr-defined]
                return ""
            return "forward pass only: no gradient has arrived yet"
        text = f"step {stepper.position} of {len(stepper)}"
        if self.last is not None:
            text += f" · arrived: {self._hop(self.last.node, self.last.slot)}"
        return text + (f" · next: {self._hop(*self.next)}" if self.next is not None else " · finished")

    def _hop(self, node: Node, slot: int) -> str:
        assert node.op is not None and node.inputs is not None
        label = node.op.labels(len(node.inputs))[slot]
        target = node.inputs[slot]
        return f"{shown_name(self.names[node])} → {shown_name(self.names[target])} (as {label})"

    # Nodes

    def node(self, node: Node) -> NodeView:
        """One node, as it is now."""
        name, op = self.names[node], node.op
        labels = op.labels(len(node.inputs or ())) if op is not None else ()
        arguments = [None if isinstance(x, Node) else constant_text(x, label) for label, x in zip(labels, node.inputs or ())]
        named = [self.names[x] for x in node.inputs or () if isinstance(x, Node)]
        kind: Kind = "operation" if op is not None else "parameter" if is_parameter(node) else "input"
        where = node.made_at
        shared: dict[str, Any] = {
            "id": self.ids[node],
            "kind": kind,
            "name": name,
            "title": title(name, op, arguments, named) if op is not None else shown_name(name),
            "op": op.name if op is not None else "",
            "value": self.content(node.raw),
            "wants_gradient": node.requires_grad,
            "output": node is self.root and op is not None,
            "scope": self.homes.scopes[node],
            "where": f"{os.path.basename(where[0])}:{where[1]}" if where else "",
        }
        if self.stepper is None:
            grad = node.grad if self.gradients is None else self.gradients.get(node)  # type: ignore[attr-defined]
            gradient = None if grad is None else self.content(getattr(grad, "raw", grad))
            return NodeView(**shared, gradient=gradient, stale=self._stale(node))
        stepper, flow = self.stepper, self.stepper.flow(node)
        arrivals = stepper.arrivals(node)
        return NodeView(
            **shared,
            gradient=None if flow is None else self.content(flow),
            arrivals=arrivals if arrivals[1] else None,
            ledger=self._ledger(node, arrivals),
            steps=self._steps(node),
            stale=self._held(node),
            state=stepper.state(node),  # type: ignore[arg-type]
        )

    def _stale(self, node: Node) -> str:
        """Why a gradient cannot be this graph's: its root has none. (Of a bare Tensor's graph that says nothing: only
        leaves keep theirs, unless somebody was looking.)"""
        root: Any = self.root
        looked = isinstance(root, Value) or root.made_at is not None
        if self.gradients is None and looked and root.op is not None and root.grad is None and node.grad is not None:  # type: ignore[attr-defined]
            return "from an earlier backward()"
        return ""

    def _held(self, node: Node) -> str:
        """What a leaf held before this pass, which will be added to."""
        if self.stepper is None or self.stepper.finished or node.op is not None or node.grad is None:  # type: ignore[attr-defined]
            return ""
        held = self.content(getattr(node.grad, "raw", node.grad))  # type: ignore[attr-defined]
        return f"holds {held.text.split('  ')[0]} from before"

    def content(self, raw: Any) -> Content:
        """What a value or a gradient looks like."""
        if isinstance(raw, (tuple, list)):  # an operation with several results; they are read one by one
            return Content(f"{len(raw)} results")
        return content(raw, self.digits)

    def _constant(self, id: str, raw: Any, node: Node, slot: int) -> NodeView:
        """An argument of a node that is no node itself: a number, an array."""
        assert node.op is not None
        text = constant_text(raw, node.op.labels(slot + 1)[slot], self.digits)
        text = text.strip("()") if isinstance(raw, (bool, int, float)) else text
        value, scope = self.content(raw), self.homes.scopes[node]
        title = f"{text}  {value.text.partition('  mean ')[0]}" if value.shape and text.isidentifier() else text
        return NodeView(id, "constant", text, title, value=value, wants_gradient=False, scope=scope)

    def _ledger(self, node: Node, arrivals: tuple[int, int]) -> str:
        """`1.0 + 3.0 = 4.0`, or who contributed where the contributions are arrays; empty for a single contribution."""
        assert self.stepper is not None
        arrived, expected = arrivals
        if expected < 2:
            return ""
        entries = [self._entry(one) for one in self.stepper.ledger(node)]
        if len(entries) > 4:
            entries = [*entries[:2], "…", entries[-1]]
        if arrived < expected:
            return " + ".join([*entries, "…"]) if entries else "…"
        total = scalar(self.stepper.flow(node))
        return " + ".join(entries) + (f" = {number(total, self.digits)}" if total is not None else "")

    def _entry(self, one: Contribution) -> str:
        value = scalar(one.contribution)
        if value is not None:
            return factor(value, self.digits)
        return f"from {shown_name(self.names[one.node])}"

    def _first_steps(self) -> dict[Node, int]:
        """The number of the first contribution of every node of the pass."""
        first: dict[Node, int] = {}
        position = 1
        for node in self.stepper.order if self.stepper is not None else ():
            first[node] = position
            position += len(needed_slots(node))
        return first

    def _steps(self, node: Node) -> tuple[int, int] | None:
        count = len(needed_slots(node)) if node in self.first_step else 0
        return (self.first_step[node], self.first_step[node] + count - 1) if count else None

    # Boxes

    def _closed(self, extent: Extent, limit: int) -> list[Group]:
        """The modules, or source lines, that are drawn as one box each."""
        asked = extent.depth is not None or extent.collapse
        if not asked and len(self.shown) <= READABLE:
            return []
        groups = module_groups(self.shown, self.homes, extent.depth, extent.expand, extent.collapse, extent.repeats)
        if groups and not asked:
            self.notes.append(f"{len(self.shown):,} nodes: modules are closed; depth, expand and collapse open and close them.")
        if not groups and not asked and len(self.shown) > limit and self.stepper is None:
            groups = line_groups(self.shown)
            if groups:
                self.notes.append(f"{len(self.shown):,} nodes: what one source line computed is one box.")
        return groups

    def _last_member(self, group: Group) -> Node:
        return next(node for node in reversed(self.shown) if node in group.inside)

    def box(self, group: Group) -> NodeView:
        """A closed module, or a source line, as it is now."""
        return box(self, group, self._last_member(group))

    # Edges

    def edge(self, source: str, node: Node, slot: int) -> EdgeView:
        """The edge from the box `source` into argument `slot` of `node`, as it is now."""
        assert node.op is not None and node.inputs is not None
        x, label = node.inputs[slot], node.op.labels(len(node.inputs))[slot]
        id = f"{self.ids[node]}e{slot}"
        needed = needed_slots(node)
        if slot not in needed or self.stepper is not None and node not in self.first_step:
            return EdgeView(id, source, self.ids[node], slot, label, carries=False)
        local = local_derivative(node, slot)
        text, dead = local_text(local, self.digits) if local is not None else ("", False)
        text = text or self._rule(node, slot)
        step = self.first_step[node] + needed.index(slot) if self.stepper is not None else None
        edge = EdgeView(id, source, self.ids[node], slot, label, text, rule=rule_of(node, slot), step=step, dead=dead)
        edge = replace(edge, reduction=_reduction(node, x))
        return self._in_motion(edge, node, slot, local) if step is not None else edge

    def _rule(self, node: Node, slot: int) -> str:
        """The rule of an edge whose local derivative is not one number, short: `grad @ b.T`, `×(2 * a)`."""
        assert node.op is not None
        rule = short_rule(rule_text(node.op.formula(slot), constants(node)))
        if not node.op.elementwise:
            return rule
        return f"×({rule})" if " " in rule else f"×{rule}"

    def _in_motion(self, edge: EdgeView, node: Node, slot: int, local: Any) -> EdgeView:
        """An edge of a backward pass: arrived, just arrived, next or still to come, with the numbers that moved."""
        assert self.stepper is not None and edge.step is not None
        position = self.stepper.position
        if edge.step == position and self.last is not None:
            return replace(edge, state="last", product=self.product(self.last), reduction=self.last.reduction or "")
        if edge.step == position + 1:
            return replace(edge, state="next", product=self._arithmetic(self.stepper.flow(node), local, "?"))
        return replace(edge, state="done" if edge.step < position else "todo")

    def product(self, last: Contribution) -> str:
        """The arithmetic of a contribution: with its numbers for scalars, with its outcome for arrays."""
        if last.contribution is None:  # a user's function has nothing to say about this input
            return "→ no gradient"
        result = scalar(last.contribution)
        if result is not None:
            text = number(result, self.digits)
            return self._arithmetic(last.incoming, last.local, text) or f"→ {text}"
        outcome = self.content(last.contribution)
        return f"→ {outcome.shape} {outcome.text.split('  ')[0]}"

    def _arithmetic(self, incoming: Any, local: Any, result: str) -> str:
        """`4.0 × 3.0 = 12.0`, or nothing where these are not single numbers."""
        left, right = scalar(incoming), scalar(local)
        if left is None or right is None:
            return ""
        return f"{factor(left, self.digits)} × {factor(right, self.digits)} = {result}"

    # Large graphs

    def _nearest(self, everything: list[Node], count: int) -> list[Node]:
        """The `count` nodes fewest edges away from the root, or from where the stepper stands; in drawing order."""
        centre = self.root
        if self.stepper is not None:
            last = self.stepper.last
            centre = self.stepper.node or (last.input if last is not None else self.root)
        found = near(centre, everything, HOPS, count, forward=centre is not self.root)
        self.notes.append(f"Showing the {len(found)} of {len(everything):,} nodes nearest to {shown_name(self.names[centre])}.")
        rest = Counter(node.op.name if node.op is not None else "leaf" for node in everything if node not in found)
        kinds = ", ".join(f"{count:,} {name}" for name, count in rest.most_common(4)) + (", …" if len(rest) > 4 else "")
        self.notes.append(f"Not shown: {kinds}.")
        return [node for node in everything if node in found]

    def _stub(self, id: str, hidden: list[Node]) -> NodeView:
        text = f"… {shown_name(self.names[hidden[0]])}" if len(hidden) == 1 else f"… {len(hidden)} nodes"
        return NodeView(f"{id}s", "stub", text, text)

    def _stub_edge(self, id: str, node: Node, hidden: list[int]) -> EdgeView:
        assert node.op is not None and node.inputs is not None
        if len(hidden) == 1:
            return replace(self.edge(f"{id}s", node, hidden[0]), source=f"{id}s")
        labels = node.op.labels(len(node.inputs))
        names = ", ".join(labels[slot] for slot in hidden[:2]) + (", …" if len(hidden) > 2 else "")
        carries = any(slot in needed_slots(node) for slot in hidden)
        return EdgeView(f"{id}es", f"{id}s", id, hidden[0], names, carries=carries)


def _drawing_order(nodes: list[Node]) -> list[Node]:
    """Results in creation order, each leaf just before its first use. Creation stamps alone would not do: a leaf whose
    number was changed is as new as the change, and the picture must not be rearranged by a training step."""
    ordered: dict[Node, None] = {}
    for node in nodes:
        if node.op is not None:
            ordered.update((x, None) for x in node.inputs or () if isinstance(x, Node) and x not in ordered)
            ordered.setdefault(node)
    return list(ordered) or nodes


def _variable(node: Node, variables: Mapping[str, object]) -> str:
    """How to call a node in a message when it may have no name."""
    named = (name for name, value in variables.items() if value is node)
    name = node.name or next(named, "")
    return repr(name) if name else "this result"


def _reduction(node: Node, x: Node) -> str:
    """How the gradient of an elementwise operation is summed back to the shape of an input that was stretched."""
    if node.op is None or not node.op.elementwise:
        return ""
    have, want = getattr(node.raw, "shape", ()), getattr(x.raw, "shape", ())
    if have == want:
        return ""
    axes = stretched_axes(have, want)
    return f"sum {f'axis {axes[0]}' if len(axes) == 1 else f'axes {axes}'}: {have} → {want}"
