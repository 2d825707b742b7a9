"""GraphView: what a picture shows, as plain data.

Everything a writer needs is here and nothing of the engine is: DOT, SVG and later formats read only this, so that they
agree, and equal input gives equal bytes. Everything is a tuple in a fixed order (creation order, then slot).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from viz.format import Content

Kind = Literal["operation", "parameter", "input", "constant", "alias", "stub", "module", "gate"]
NodeState = Literal["", "todo", "ready", "current", "done", "constant"]
EdgeState = Literal["", "todo", "next", "last", "done"]


@dataclass(frozen=True, slots=True)
class NodeView:
    """One box.

    `name` is complete, `title` is what is printed (`b = a + a`, long names shortened). `gradient` is None while
    none has arrived, and `wants_gradient` tells whether one can. `arrivals`, `ledger`, `steps` and `state`
    are filled only when the view is made from a stepper. `of` is the node that an alias repeats, `op` the name of the
    operation. `stale` says what an earlier pass left in a gradient. A closed module says what is `inside`, and for how many
    equal ones it stands (`repeats`).
    """

    id: str
    kind: Kind
    name: str
    title: str
    op: str = ""
    value: Content | None = None
    gradient: Content | None = None
    wants_gradient: bool = True
    arrivals: tuple[int, int] | None = None
    ledger: str = ""
    steps: tuple[int, int] | None = None
    state: NodeState = ""
    output: bool = False
    scope: str = ""
    where: str = ""
    of: str = ""
    stale: str = ""
    inside: tuple[str, ...] = ()
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class EdgeView:
    """One use of `source` as argument `slot` of `target`; `a + a` has two.

    `local` is the local derivative or rule, short (`×3.0`), `rule` its formula in full, `product` the arithmetic of a
    contribution that just arrived or comes next (`4.0 × 3.0 = 12.0`), `reduction` how it was summed back over
    broadcast axes, `step` its number in the backward pass. `dead` marks a local derivative of zero, `carries` whether
    a gradient flows at all.
    """

    id: str
    source: str
    target: str
    slot: int
    label: str
    local: str = ""
    rule: str = ""
    product: str = ""
    reduction: str = ""
    step: int | None = None
    state: EdgeState = ""
    dead: bool = False
    carries: bool = True


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A module of the model: a frame around `nodes`; `parent` is the id of the frame around it, or empty."""

    id: str
    label: str
    parent: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry of the legend: `sample` names what is drawn beside `text`, such as `node:input`."""

    sample: str
    text: str


@dataclass(frozen=True, slots=True)
class GraphView:
    """A whole picture. `notes` say, one sentence each, what was simplified."""

    title: str
    subtitle: str
    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    clusters: tuple[ClusterView, ...] = ()
    notes: tuple[str, ...] = ()
    legend: tuple[Mark, ...] = ()

    def node(self, id: str) -> NodeView:
        """The node with this id; KeyError if there is none."""
        for node in self.nodes:
            if node.id == id:
                return node
        raise KeyError(id)


MARKS = {
    "node:operation": "operation: name = formula",
    "node:input": "input: given",
    "node:parameter": "parameter: learned",
    "node:constant": "constant: gets no gradient",
    "node:alias": "the same node again",
    "node:stub": "more of the graph, not shown",
    "node:module": "closed: many nodes in one box",
    "node:gate": "the operation itself",
    "node:output": "output: the backward pass starts here",
    "state:todo": "todo: gradient incomplete",
    "state:ready": "ready: all of it arrived",
    "state:current": "current: passes its gradient on next",
    "state:done": "done: passed on",
    "state:constant": "needs no gradient",
    "edge:local": "argument, and local derivative ∂out/∂argument",
    "edge:last": "the gradient that just arrived: incoming × local",
    "edge:next": "the gradient that moves next",
    "edge:dead": "local derivative 0: nothing passes",
    "text:—": "no gradient has arrived (that is not 0)",
    "text:stale": "left by an earlier backward(): zero_grad() forgotten?",
    "text:1/2 in": "contributions arrived / expected",
}
"""Every mark a legend can explain, in the order of legends: what is drawn, and what it means."""
STATE_WORDS = {"todo": "todo", "ready": "ready", "current": "current", "done": "done", "constant": "no grad"}


def legend(nodes: tuple[NodeView, ...], edges: tuple[EdgeView, ...]) -> tuple[Mark, ...]:
    """The marks that occur in these nodes and edges, each explained once, in a fixed order."""
    occurring = {f"node:{node.kind}" for node in nodes} | {f"state:{node.state}" for node in nodes}
    tests = {
        "node:output": any(node.output for node in nodes),
        "edge:local": any(edge.carries for edge in edges),
        "edge:last": any(edge.state == "last" for edge in edges),
        "edge:next": any(edge.state == "next" for edge in edges),
        "edge:dead": any(edge.dead for edge in edges),
        "text:—": any(
            node.wants_gradient and node.kind in ("operation", "parameter", "input") and not node.gradient for node in nodes
        ),
        "text:stale": any(node.stale for node in nodes),
        "text:1/2 in": any(node.arrivals for node in nodes),
    }
    return tuple(Mark(sample, text) for sample, text in MARKS.items() if sample in occurring or tests.get(sample))
