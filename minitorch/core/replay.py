"""What if: the recorded operations once more, on other numbers. The graph as it was stays untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..backend import BACKENDS, scalar
from ..backend.gpus import at_home
from .modes import quietly
from .node import Node, ancestors, freed, new, tick
from .tensor import Tensor
from .value import Value


def replay(root: Node, changes: Mapping[Node, Any], nodes: Iterable[Node] | None = None) -> dict[Node, Node]:
    """Compute `root` again with the numbers of some nodes changed, {node: its new number or array}: what if?

    Returns {old node: new node} for every node that was changed or depends on one that was; what does not depend on a
    change is shared between the two graphs. The numbers are those of building the graph afresh, bit for bit; gradients may be
    added up in another order. A changed node becomes a leaf, whatever made it before. Random draws
    (dropout) are the recorded ones, and buffers (running means) stay as they are. What the program read out of the graph
    (`.item()`, a comparison, `detach()`) it has gone on with: `departures(result)` names it where somebody was looking.
    `nodes` are what `ancestors(root)` gives, where that is known.

    ValueError for a new value of another shape, and for a Function of one's own on the way, which keeps no recipe for a
    second call. RuntimeError where the graph was freed.
    """
    made = {node: _leaf(node, number) for node, number in changes.items()}  # first: an edit makes a leaf newer than its readers
    known = set(map(id, made))
    with quietly():
        for node in ancestors(root) if nodes is None else nodes:
            if node.inputs is None:
                raise freed(node)
            if not known.isdisjoint(map(id, node.inputs)) and id(node) not in known:
                made[node] = _again(node, tuple([made.get(x, x) if isinstance(x, Node) else x for x in node.inputs]))
                known.add(id(node))
    return made


@at_home
def _leaf(node: Node, number: Any) -> Node:
    """A leaf like `node`, holding `number`."""
    number = number.raw if isinstance(number, Node) else number
    leaf: Any
    if isinstance(node, Value):
        leaf = Value(number)
    else:
        array = BACKENDS[type(node.raw)].asarray(number, dtype=node.raw.dtype)
        if array.shape != node.raw.shape:
            raise ValueError(f"'{node.name or 'the tensor'}' has shape {node.raw.shape}, its new value {array.shape}")
        leaf = Tensor(array.copy(), node.requires_grad)
    _take_marks(leaf, node)
    return leaf


@at_home
def _again(node: Node, inputs: tuple[Any, ...]) -> Node:
    """`node` computed from other inputs by the same operation."""
    op = node.op
    assert op is not None
    if not hasattr(op, "forward"):
        raise ValueError(f"'{node.name or op.name}' was made by {op.name}, a Function of its own, which cannot be called again")
    raws = [x.raw if isinstance(x, Node) else x for x in inputs]
    xp = scalar if isinstance(node, Value) else BACKENDS[type(node.raw[0] if op.bundle else node.raw)]
    saved = node._saved if op.saves else None
    out = op.again(xp, saved, *raws)
    if op.saves:
        out, saved = out
    again: Any = new(type(node))
    again.raw = out if isinstance(node, Value) or op.bundle else np.asarray(out, node.raw.dtype) if xp.device == "cpu" else out
    again.op, again.inputs, again.stamp, again._grad, again._flow = op, inputs, tick(), None, None
    if isinstance(node, Tensor):
        again._cell, again.requires_grad = None, node.requires_grad
    if op.saves:
        again._saved = saved
    for x in inputs:
        if isinstance(x, Node):
            x._read = True
    _take_marks(again, node)
    return again


def _take_marks(made: Node, node: Node) -> None:
    """Names, module and source line carry over, so that the two graphs can be compared node by node."""
    for mark in ("_name", "_label", "_scope", "_where"):
        if hasattr(node, mark):
            setattr(made, mark, getattr(node, mark))
