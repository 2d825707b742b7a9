"""What a node is called in pictures, messages and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .location import frame_variables
from .node import Node, ancestors

__all__ = ["frame_variables", "names"]


def names(of: Node | Iterable[Node], variables: Mapping[str, Any] | None = None) -> dict[Node, str]:
    """A name for every node behind a root (or for the nodes given), each used once.

    An explicit name wins, then the variable that holds the node (the shortest, if several do), then `mul_3`: the third
    multiplication of this graph that needs such a name, in order of creation. A node keeps the number it was first shown with.
    """
    nodes = ancestors(of) if isinstance(of, Node) else sorted(of, key=lambda node: node.stamp)
    held = _held(variables or {})
    result: dict[Node, str] = {}
    taken: set[str] = set()
    for node in nodes:
        name = node.name or held.get(id(node))
        if name is not None:
            result[node] = name if name not in taken else _numbered(name, taken)
            taken.add(result[node])
    counts: dict[str, int] = {}
    fresh = []
    for node in nodes:
        if node in result:
            continue
        label = getattr(node, "_label", None)
        if label is not None and label not in taken:
            result[node] = label
            taken.add(label)
        else:
            fresh.append(node)
    for node in fresh:
        kind = node.op.name if node.op is not None else "leaf"
        result[node] = node._label = _numbered(kind, taken, counts)
        taken.add(node._label)
    return result


def _numbered(kind: str, taken: set[str], counts: dict[str, int] | None = None) -> str:
    """`kind_1`, `kind_2`, ...: the first that is free. `counts` remembers where to go on."""
    counts = {} if counts is None else counts
    while True:
        counts[kind] = counts.get(kind, 0) + 1
        name = f"{kind}_{counts[kind]}"
        if name not in taken:
            return name


def _held(variables: Mapping[str, Any]) -> dict[int, str]:
    """id of a node -> the best of the variables that hold it; a list's or module's contents are named through it."""
    held: dict[int, str] = {}

    def offer(name: str, thing: Any) -> None:
        if isinstance(thing, Node):
            other = held.get(id(thing))
            if other is None or (len(name), name) < (len(other), other):
                held[id(thing)] = name

    containers = []
    for name, thing in variables.items():
        if name.startswith("_"):
            continue
        offer(name, thing)
        is_module = hasattr(type(thing), "named_parameters")
        if is_module or isinstance(thing, (list, tuple, dict)):
            containers.append((name, thing))
    for name, thing in containers:
        for path, inner in _contents(name, thing):
            if id(inner) not in held:
                offer(path, inner)
    return held


def _contents(name: str, thing: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(thing, dict):
        return [(f"{name}[{key!r}]", x) for key, x in thing.items()]
    if isinstance(thing, (list, tuple)):
        return [(f"{name}[{i}]", x) for i, x in enumerate(thing[:1000])]
    return [(f"{name}.{path}", x) for path, x in thing.named_parameters()]
