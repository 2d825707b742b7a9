"""Zoom: the scalar Values that a tensor stands for, and the multiply-adds that an operation on tensors stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..backend import objects
from . import naming
from .apply import apply
from .modes import enable_grad
from .node import Node, ancestors
from .value import Value

LIMIT = 2_000
"""Elements in and out of the operations, beyond which a zoom is refused: nobody reads more than that."""


@dataclass(frozen=True, slots=True, eq=False)
class Zoom:
    """Part of a tensor graph as Values: `values[node]` is an object array of the node's shape, of Values where numbers were.

    An element of a result (`zoom[y][0, 1]`) is the root of a graph of scalars that can be drawn, stepped and asked why.
    """

    values: dict[Node, np.ndarray]

    def __getitem__(self, node: Node) -> np.ndarray:
        return self.values[node]


def zoom(node: Node, names: Mapping[Node, str] | None = None, limit: int = LIMIT) -> Zoom:
    """The one operation that made `node`, from Values named after the elements of its inputs (`x[0,1]`) to those of its result.

    Values of float64 tensors agree with the tensor's to rounding; a Value of a float32 tensor holds its number exactly.
    ValueError for a leaf, and for more than `limit` elements.
    """
    if node.op is None or node.inputs is None:
        raise ValueError(f"'{_named(node, names)}' is a leaf: there is no operation to zoom into")
    _refuse_large([node], limit, names)
    values = {x: _leaf_values(x, names) for x in node.inputs if isinstance(x, Node)}
    values[node] = _unfold(node, values, names)
    return Zoom(values)


def unfold(root: Node, names: Mapping[Node, str] | None = None, limit: int = LIMIT) -> Zoom:
    """The whole graph behind `root` as Values, leaf elements to result. ValueError for more than `limit` elements."""
    nodes = ancestors(root)
    names = names or naming.names(root)
    _refuse_large([node for node in nodes if node.op is not None], limit, names)
    values: dict[Node, np.ndarray] = {}
    for node in nodes:
        values[node] = _leaf_values(node, names) if node.op is None else _unfold(node, values, names)
    return Zoom(values)


def _refuse_large(nodes: list[Node], limit: int, names: Mapping[Node, str] | None) -> None:
    for node in nodes:
        size = sum(int(np.size(x.raw)) for x in (node, *(x for x in node.inputs or () if isinstance(x, Node))))
        if size > limit:
            what = f"{node.op.name if node.op else 'a leaf'} has {size:,} elements in and out"
            raise ValueError(f"'{_named(node, names)}' is too large to zoom into: {what}, the limit is {limit:,}")


def _leaf_values(x: Node, names: Mapping[Node, str] | None) -> np.ndarray:
    """A Value for every element, called `x[0,1]`. Integers and truth values stay what they are."""
    if isinstance(x, Value):
        return objects.filled((), lambda index: x)
    if x.raw.dtype.kind != "f":
        return x.raw
    name = _named(x, names)
    return objects.filled(x.raw.shape, lambda index: Value(x.raw[index], name=_element(name, index)))


def _unfold(node: Node, values: Mapping[Node, np.ndarray], names: Mapping[Node, str] | None) -> np.ndarray:
    """The result of `node`, computed from Values by the same operation."""
    op = node.op
    assert op is not None
    inputs = [values[x] if isinstance(x, Node) else x for x in node.inputs or ()]
    with enable_grad():
        if op.elementwise:
            out = np.frompyfunc(lambda *numbers: apply(op, *numbers), len(inputs), 1)(*inputs)
        else:
            out = op.forward(objects, *inputs)
    if op.saves:
        out = out[0]
    if not isinstance(out, np.ndarray):
        single, out = out, np.empty((), object)
        out[()] = single
    name = _named(node, names)
    for index in np.ndindex(out.shape):
        made = out[index]
        if isinstance(made, Value) and made.name is None:
            made.named(_element(name, index))
    return out


def _named(node: Node, names: Mapping[Node, str] | None) -> str:
    found = names.get(node) if names else None
    return found or node.name or (node.op.name if node.op else "leaf")


def _element(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name
