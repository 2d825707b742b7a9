"""Zoom: the scalar Values that a tensor stands for, and the multiply-adds that an operation on tensors stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import BACKENDS, objects
from ..ops.index import Pick
from . import naming
from .apply import apply
from .device import host
from .modes import enable_grad, quietly
from .node import Node, ancestors, freed
from .value import Value

LIMIT = 2_000
"""Elements in and out of the operations, beyond which a zoom is refused: nobody reads more than that."""


@dataclass(frozen=True, slots=True, eq=False)
class Zoom:
    """Part of a tensor graph as Values: `values[node]` is an object array of the node's shape, of Values where numbers were.

    An element of a result (`zoom[y][0, 1]`) is the root of a graph of scalars that can be drawn, stepped and asked why. An
    operation with several results has a tuple of such arrays.
    """

    values: dict[Node, Any]

    def __getitem__(self, node: Node) -> Any:
        return self.values[node]


def zoom(node: Node, names: Mapping[Node, str] | None = None, limit: int = LIMIT) -> Zoom:
    """The one operation that made `node`, from Values named after the elements of its inputs (`x[0,1]`) to those of its result.

    Values of float64 tensors agree with the tensor's to rounding; a Value of a float32 tensor holds its number exactly.
    ValueError for a leaf, for more than `limit` elements, and for an operation without a form in single numbers (a matrix
    decomposition by a library, a Function of one's own). RuntimeError where the graph was freed.
    """
    if node.op is None:
        raise ValueError(f"'{_named(node, names)}' is a leaf: there is no operation to zoom into")
    if node.inputs is None:
        raise freed(node)
    picked = isinstance(node.op, Pick)
    operation = node.inputs[0] if picked else node  # one of several results: the operation is one node further on
    if operation.inputs is None:
        raise freed(operation)
    _refuse_large([operation], limit, names)
    values = {x: _leaf_values(x, names) for x in operation.inputs if isinstance(x, Node)}
    values[operation] = _unfold(operation, values, names)
    if picked:
        values[node] = _unfold(node, values, names)
    return Zoom(values)


def unfold(root: Node, names: Mapping[Node, str] | None = None, limit: int = LIMIT) -> Zoom:
    """The whole graph behind `root` as Values, leaf elements to result. ValueError for more than `limit` elements in and out
    of one operation, and as for `zoom`."""
    nodes = ancestors(root)
    names = names or naming.names(root)
    _refuse_large([node for node in nodes if node.op is not None], limit, names)
    values: dict[Node, Any] = {}
    for node in nodes:
        values[node] = _leaf_values(node, names) if node.op is None else _unfold(node, values, names)
    return Zoom(values)


def _refuse_large(nodes: list[Node], limit: int, names: Mapping[Node, str] | None) -> None:
    for node in nodes:
        around = (node, *(x for x in node.inputs or () if isinstance(x, Node)))
        size = sum(int(np.size(raw)) for x in around for raw in (x.raw if isinstance(x.raw, tuple) else (x.raw,)))
        if size > limit:
            what = f"{node.op.name if node.op else 'a leaf'} has {size:,} elements in and out"
            raise ValueError(f"'{_named(node, names)}' is too large to zoom into: {what}, the limit is {limit:,}")


def _leaf_values(x: Node, names: Mapping[Node, str] | None) -> np.ndarray:
    """A Value for every element, called `x[0,1]`. Integers and truth values stay what they are."""
    if isinstance(x, Value):
        return objects.filled((), lambda index: x)
    if x.raw.dtype.kind != "f":
        return host(x.raw)
    name, raw = _named(x, names), host(x.raw)
    return objects.filled(raw.shape, lambda index: Value(raw[index], name=_element(name, index)))


def _unfold(node: Node, values: Mapping[Node, Any], names: Mapping[Node, str] | None) -> Any:
    """The result of `node`, computed from Values by the same operation, with the same random draws."""
    op = node.op
    assert op is not None
    inputs = [values[x] if isinstance(x, Node) else _here(x) for x in node.inputs or ()]
    name = _named(node, names)
    try:
        with enable_grad(), quietly():
            if op.elementwise and not op.saves:
                out = np.frompyfunc(lambda *numbers: apply(op, *numbers), len(inputs), 1)(*inputs)
            else:
                out = op.again(objects, _here(node._saved) if op.saves else None, *inputs)
    except Exception as error:  # whatever NumPy says of Values: this kernel has no plain form
        raise ValueError(f"'{name}' cannot be zoomed into, {op.name} has no form in single numbers: {error}") from None
    if op.saves:
        out = out[0]
    if op.bundle:
        return tuple(out)
    return _labelled(out, node.raw, name)


def _here(x: Any) -> Any:
    """A number, an array or a tuple of them, in main memory."""
    return tuple(map(_here, x)) if type(x) is tuple else host(x) if type(x) in BACKENDS else x


def _labelled(out: Any, raw: Any, name: str) -> np.ndarray:
    """A result with a Value in every place, also where it is constant (the border of a padding), called `name[0,1]`."""
    if not isinstance(out, np.ndarray):
        single, out = out, np.empty((), object)
        out[()] = single
    if getattr(raw, "dtype", np.dtype(float)).kind != "f":
        return out
    made = np.empty(out.shape, object)
    for index in np.ndindex(out.shape):
        made[index] = x = out[index] if isinstance(out[index], Value) else Value(out[index])
        if x.name is None:
            x.named(_element(name, index))
    return made


def _named(node: Node, names: Mapping[Node, str] | None) -> str:
    found = names.get(node) if names else None
    return found or node.name or (node.op.name if node.op else "leaf")


def _element(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name
