"""Node: a number, or an array of them, and how it came to be."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterable
from typing import Any

from . import location
from .op import Op

tick = itertools.count(1).__next__
"""The next creation stamp. A node is always newer than its inputs, so newest first is a topological order."""

new = object.__new__
"""Allocate without a constructor call; `apply` and Value's arithmetic fill the slots in themselves."""


class Node:
    """A number, or an array of them, and how it came to be. Value and Tensor are its two kinds.

    `raw` is the plain float or array; `op` and `inputs` say what made it (`op` is None for a leaf; `inputs` is None once
    backward has freed the graph); an input is a Node, or a plain number or array that is constant.
    """

    __slots__ = (
        "raw", "op", "inputs", "stamp", "_grad", "_flow", "_saved", "_read",
        "_name", "_label", "_scope", "_where", "_left", "__weakref__",
    )  # fmt: skip

    raw: Any
    op: Op | None
    inputs: tuple[Any, ...] | None
    stamp: int
    requires_grad: bool
    _grad: Any
    _flow: Any  # what has arrived, during a pass over Values
    _saved: Any  # what an operation with `saves` keeps for its rules
    _name: str | None
    _label: str  # the name it was given for want of another: "mul_3"
    _scope: str
    _where: tuple[str, int] | None
    _left: tuple[Any, ...]  # who read the number without recording it; see departures.py
    _read: bool  # an operation had this node as an input; see Tensor.__setitem__
    backward_hooks: dict[int, Any] | None = None
    _cell: Any = None  # for Tensors the stamp of the last edit in place, [int], shared with views
    __array_ufunc__ = None  # so that ndarray * node asks the node

    @property
    def is_leaf(self) -> bool:
        """True for a node that no recorded operation made."""
        return self.op is None

    @property
    def name(self) -> str | None:
        """The name given with `name=` or `named()`, else None; see `core.naming` for the one shown in pictures."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    def named(self, name: str) -> Any:
        """Give this node a name for pictures and messages; returns the node."""
        self._name = name
        return self

    @property
    def scope(self) -> str:
        """Path of the module in which this node was made ("encoder.0.attn"), "" outside modules."""
        return getattr(self, "_scope", "")

    @property
    def made_at(self) -> tuple[str, int] | None:
        """(file, line) that made this node; recorded while somebody looks (`modes.inspect`), else None."""
        return getattr(self, "_where", None)

    where = made_at  # of a Value; a Tensor's `where` is PyTorch's choice between tensors

    def _repr_svg_(self) -> str | None:
        """The graph as a picture, for notebooks; None (they show the text) for a leaf, or where there is nothing to draw."""
        return notebook_picture(self) if self.inputs else None


VALUE: type[Node] = Node
TENSOR: type[Node] = Node
"""The two kinds of node; value.py and tensor.py enter themselves here."""


def notebook_picture(of: Any) -> str | None:
    """The SVG of a graph or of a paused pass, its nodes called by the notebook's variables; None where it cannot be drawn."""
    viz = importlib.import_module("viz")
    variables = vars(importlib.import_module("__main__"))  # a notebook's cells live there
    try:
        svg: str | None = viz.draw(of, variables=variables)._repr_svg_()
    except viz.DrawError:
        return None
    return svg


def ancestors(root: Node) -> list[Node]:
    """`root` and every node it was computed from, oldest first. Raises RuntimeError where backward freed the graph."""
    seen = {root.stamp: root}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.inputs is None:
            raise freed(node)
        for x in node.inputs:
            if isinstance(x, Node) and x.stamp not in seen:
                seen[x.stamp] = x
                stack.append(x)
    return [seen[stamp] for stamp in sorted(seen)]


def freed(node: Node) -> RuntimeError:
    """The sentence for a graph that is gone."""
    name = location.variable_name(node) or node.name or (node.op.name if node.op else "the result")
    return RuntimeError(
        f"the graph behind '{name}' was freed by an earlier backward(): "
        "call that backward(retain_graph=True), or compute the result again"
    )


def nodes_of(inputs: Iterable[Any] | None) -> list[Node]:
    """The inputs that are nodes (the others are constants)."""
    return [x for x in inputs or () if isinstance(x, Node)]
