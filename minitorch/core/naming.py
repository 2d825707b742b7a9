"""What a node is called in pictures, messages and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .location import frame_variables
from .node import Node, ancestors

__all__ = ["frame_variables", "held_by", "names", "scopes"]


def names(of: Node | Iterable[Node], variables: Mapping[str, Any] | None = None) -> dict[Node, str]:
    """A name for every node behind a root (or for the nodes given), each used once.

    An explicit name wins, then a parameter's path in the module that a variable holds (and not the `p` of a loop over them),
    then the variable that holds the node (the shortest, if several do), then `mul_3`: the third multiplication of this graph
    that needs such a name, in order of creation. A node keeps the number it was first shown with.
    """
    nodes = ancestors(of) if isinstance(of, Node) else sorted(of, key=lambda node: node.stamp)
    held = held_by(variables or {})
    taken: dict[str, Node] = {}
    counts: dict[str, int] = {}
    unnamed = []
    for node in nodes:
        name = getattr(node, "_name", None) or held.get(id(node))
        if name is None:
            unnamed.append(node)
        else:
            taken[name if name not in taken else _numbered(name, taken, counts)] = node
    fresh = []
    for node in unnamed:
        label = getattr(node, "_label", None)
        if label is not None and label not in taken:
            taken[label] = node
        else:
            fresh.append(node)
    for node in fresh:
        node._label = label = _numbered(node.op.name if node.op is not None else "leaf", taken, counts)
        taken[label] = node
    return dict(zip(taken.values(), taken))


def scopes(nodes: Iterable[Node], variables: Mapping[str, Any]) -> tuple[dict[Node, str], frozenset[str]]:
    """The path of the module of every node, and the names of the models that these paths begin with: none where there is but
    one model. Of several (a GAN's two, called one after the other) each goes by the variable that holds it, else by its class.
    """
    paths: dict[Node, Any] = {node: node.scope for node in nodes}
    models = {path.model: path.kind for path in paths.values() if hasattr(path, "model")}
    if len(models) < 2:
        return paths, frozenset()
    held = {id(thing): name for name, thing in variables.items() if id(thing) in models}
    counts: dict[str, int] = {}
    named: dict[str, int] = {}
    for model, kind in models.items():
        name = held.get(model)
        named[name if name is not None and name not in named else _numbered(kind, named, counts)] = model
    names = {model: name for name, model in named.items()}
    full = {node: f"{names[path.model]}.{path}" if hasattr(path, "model") else path for node, path in paths.items()}
    return full, frozenset(named)


def _numbered(kind: str, taken: Mapping[str, object], counts: dict[str, int]) -> str:
    """`kind_1`, `kind_2`, ...: the first that is free. `counts` remembers where to go on."""
    number = counts.get(kind, 0) + 1
    while f"{kind}_{number}" in taken:
        number += 1
    counts[kind] = number
    return f"{kind}_{number}"


def held_by(variables: Mapping[str, Any]) -> dict[int, str]:
    """id of a node -> the best of the variables that hold it; a list's or module's contents are named through it."""
    held: dict[int, str] = {}

    def offer(name: str, thing: Any) -> None:
        if isinstance(thing, Node):
            other = held.get(id(thing))
            if other is None or (len(name), name) < (len(other), other):
                held[id(thing)] = name

    named = {name: thing for name, thing in variables.items() if not name.startswith("_")}
    modules = {name: thing for name, thing in named.items() if hasattr(type(thing), "named_parameters")}
    containers = {name: thing for name, thing in named.items() if isinstance(thing, (list, tuple, dict))}
    owned = {id(x): path for name in reversed(modules) for path, x in _contents(name, modules[name])}
    for name, thing in named.items():
        if id(thing) not in owned:
            offer(name, thing)
    held.update(owned)
    for name, thing in containers.items():
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
