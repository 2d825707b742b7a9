"""Worksheets: the picture of a backward pass with something left blank, and its answer key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from minitorch.core.node import Node, ancestors
from minitorch.core.stepper import Stepper
from viz.build import LIMIT, WHOLE, view
from viz.drawing import callers_variables
from viz.errors import DrawError
from viz.extent import Extent
from viz.format import DIGITS, Content
from viz.graphview import EdgeView, GraphView, NodeView, legend

BLANKS = ("gradients", "values", "locals")
LINE = "_______"


def worksheet(
    root: Node,
    what: Sequence[str] = ("gradients",),
    *,
    variables: Mapping[str, object] | None = None,
    digits: int = DIGITS,
    limit: int = LIMIT,
    extent: Extent = WHOLE,
) -> tuple[GraphView, GraphView]:
    """(the sheet, the answer key) for the backward pass of `root`; `what` is left blank: gradients, values or locals.

    `variables` name the nodes they hold (default: those of the caller). The pass is run aside: no `.grad` changes. Raises
    DrawError for something else to leave blank, or a root that is not one number.
    """
    variables = callers_variables() if variables is None else variables
    for word in what:
        if word not in BLANKS:
            raise DrawError(f"a worksheet leaves {', '.join(BLANKS)} blank, not {word!r}")
    try:
        gradients = flows(root)
    except RuntimeError as error:
        raise DrawError(str(error)) from None
    key = view(root, variables=variables, digits=digits, limit=limit, extent=extent, gradients=gradients)
    words = " and ".join({"locals": "local derivatives"}.get(word, word) for word in what)
    nodes, edges = tuple(_node(node, what) for node in key.nodes), tuple(_edge(edge, what) for edge in key.edges)
    sheet = replace(
        key,
        title=f"Worksheet: {key.title[0].lower()}{key.title[1:]}",
        subtitle=f"Fill in the {words}. Gradients add up where a node is used more than once.",
        nodes=nodes,
        edges=edges,
        legend=legend(nodes, edges),
    )
    return sheet, replace(key, title=f"Answer key: {key.title[0].lower()}{key.title[1:]}")


def flows(root: Node) -> dict[Node, Any]:
    """The gradient of every node of the backward pass of `root`, which leaves no trace."""
    stepper = Stepper(root)
    stepper.run()
    found = {node: stepper.flow(node) for node in ancestors(root)}
    stepper.goto(0)  # takes back what the leaves received
    return found


def _node(node: NodeView, what: Sequence[str]) -> NodeView:
    if "gradients" in what and node.gradient is not None and not node.output:
        node = replace(node, gradient=_blank(node.gradient))
    if "values" in what and node.value is not None and node.kind == "operation":
        node = replace(node, value=_blank(node.value))
    return node


def _blank(content: Content) -> Content:
    return Content(LINE, content.shape, content.kind)


def _edge(edge: EdgeView, what: Sequence[str]) -> EdgeView:
    return replace(edge, local="× ____", dead=False) if "locals" in what and edge.local else edge
