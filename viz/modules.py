"""Modules drawn as one box: which ones, and which of them are equal.

A module path such as `blocks.3.mlp.0` has the levels `blocks.3`, `mlp` and `0`: a number belongs to the list it counts where
that is a list of blocks, and not to a stack of single layers, which is a module as any other. With `depth` levels open, the
modules below are boxes. Where no module says what belongs together, source lines can.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from minitorch.core.node import Node

READABLE = 40  # boxes; a larger graph with modules is drawn with some of them closed


@dataclass(frozen=True)
class Group:
    """Nodes that are drawn as one box: a module, equal modules in a row (`count` of them), or a source line."""

    name: str
    members: tuple[Node, ...]
    count: int = 1
    kind: str = "module"
    scope: str = ""

    @cached_property
    def inside(self) -> frozenset[Node]:
        """The members as a set."""
        return frozenset(self.members)


@dataclass(frozen=True)
class Homes:
    """The path of the module of every node. Where there are several models, it begins with the name of one of `models`."""

    scopes: Mapping[Node, str]
    models: frozenset[str] = frozenset()

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths that there are."""
        return frozenset(self.scopes.values())

    @cached_property
    def whole(self) -> frozenset[str]:
        """What is a level of its own although numbers follow: models, and stacks of layers that have no modules inside."""
        lists: dict[str, bool] = {}
        for path in self.paths:
            parts = path.split(".")
            for i, part in enumerate(parts):
                if i and part.isdigit():
                    stem = ".".join(parts[:i])
                    lists[stem] = lists.get(stem, True) and i == len(parts) - 1
        return self.models | {stem for stem, layers in lists.items() if layers}


def levels(path: str, whole: frozenset[str] = frozenset()) -> list[str]:
    """The levels of a module path, outermost first: `a.0.b` gives `a.0` and `a.0.b`, unless `a` is `whole` (see `Homes`)."""
    found: list[str] = []
    parts = path.split(".") if path else []
    for i, part in enumerate(parts):
        prefix = ".".join(parts[: i + 1])
        if found and part.isdigit() and not parts[i - 1].isdigit() and found[-1] not in whole:
            found[-1] = prefix
        else:
            found.append(prefix)
    return found


def closed(
    path: str, depth: int, expand: Sequence[str], collapse: Sequence[str], whole: frozenset[str] = frozenset()
) -> str:  # fmt: skip
    """The path of the box in which a node of module `path` disappears, "" where it is drawn itself."""
    steps = levels(path, whole)
    parts = path.split(".")
    for step in [*steps, *(".".join(parts[: i + 1]) for i in range(len(parts)))]:  # a list of blocks, too, when it is named
        if any(fnmatchcase(step, pattern) for pattern in collapse):
            return step
    for level, step in enumerate(steps):
        if level >= depth and not any(_opens(pattern, step) for pattern in expand):
            return step
    return ""


def _opens(pattern: str, path: str) -> bool:
    """Whether a pattern names this module, or one inside it (which could not be seen otherwise)."""
    return fnmatchcase(path, pattern) or pattern.startswith(path + ".")


def is_parameter(node: Node) -> bool:
    """Whether the node is a parameter of a module."""
    return any(base.__name__ == "Parameter" for base in type(node).__mro__)


def homes(nodes: Sequence[Node], home: Callable[[Node], str], older: bool = False) -> dict[Node, str]:
    """Where each node belongs: what `home` says of a result. A leaf belongs where all its uses do when it is a parameter, or
    younger than the first result there: what was passed in from outside is older (with `older`, that too)."""
    found: dict[Node, str] = {}
    oldest: dict[str, int] = {}
    uses: dict[Node, set[str]] = {}
    for node in nodes:
        if node.op is not None:
            place = found[node] = home(node)
            oldest[place] = min(oldest.get(place, node.stamp), node.stamp)
            for x in node.inputs or ():
                if isinstance(x, Node) and x.op is None:
                    uses.setdefault(x, set()).add(place)
    for leaf, places in uses.items():
        place = places.pop() if len(places) == 1 else ""
        found[leaf] = place if older or is_parameter(leaf) or leaf.stamp > oldest.get(place, 0) else ""
    return found


def module_groups(
    nodes: Sequence[Node], at: Homes, depth: int | None, expand: Sequence[str], collapse: Sequence[str], repeats: bool,
) -> list[Group]:  # fmt: skip
    """The boxes for the modules that are closed. Without a depth, as many levels are open as stay readable."""
    deepest = max((len(levels(scope, at.whole)) for scope in at.paths), default=0)
    if depth is not None:
        return _at_depth(nodes, at, depth, expand, collapse, repeats)
    for level in range(deepest, 0, -1):
        groups = _at_depth(nodes, at, level, expand, collapse, repeats)
        if len(nodes) - sum(len(group.members) - 1 for group in groups) <= READABLE:
            return groups
    return _at_depth(nodes, at, 0, expand, collapse, repeats)


def _at_depth(
    nodes: Sequence[Node], at: Homes, depth: int, expand: Sequence[str], collapse: Sequence[str], repeats: bool,
) -> list[Group]:  # fmt: skip
    boxes = {scope: closed(scope, depth, expand, collapse, at.whole) for scope in at.paths}
    inside: dict[str, list[Node]] = {}
    place = homes(nodes, lambda node: boxes[at.scopes[node]])
    for node in nodes:
        if place.get(node):
            inside.setdefault(place[node], []).append(node)
    inside = {path: members for path, members in inside.items() if sum(node.op is not None for node in members) > 1}
    names = merged(inside) if repeats else [[path] for path in inside]
    return [
        Group(
            names_of[0] if len(names_of) == 1 else f"{names_of[0]} … {names_of[-1]}",
            tuple(node for path in names_of for node in inside[path]), len(names_of), "module", _parent(names_of[0], at.whole),
        )
        for names_of in names
    ]  # fmt: skip


def twins(nodes: Sequence[Node], at: Homes, groups: Sequence[Group]) -> dict[str, str]:
    """What to say of a numbered module that stands open while its equals are closed: `blocks.0` is "1 of 12 equal ones"."""
    boxed = {node for group in groups if group.kind == "module" for node in group.members}
    stems = {group.name.partition(" ")[0].rpartition(".")[0] for group in groups}

    def numbered(node: Node) -> str:
        steps = levels(at.scopes[node], at.whole)
        return next((step for step in steps if step[-1].isdigit() and step.rpartition(".")[0] in stems), "")

    inside: dict[str, list[Node]] = {}
    for node, path in homes(nodes, numbered).items():
        if path:
            inside.setdefault(path, []).append(node)
    found: dict[str, str] = {}
    for run in merged(inside):
        opened = [path for path in run if boxed.isdisjoint(inside[path])]
        if len(opened) < len(run):
            found.update((path, f"{run.index(path) + 1} of {len(run)} equal ones") for path in opened)
    return found


def _parent(path: str, whole: frozenset[str]) -> str:
    above = levels(path, whole)[:-1]
    return above[-1] if above else ""


def merged(inside: Mapping[str, Sequence[Node]]) -> list[list[str]]:
    """The paths, equal siblings (`blocks.0`, `blocks.1`, ...) that follow each other in one list."""
    runs: list[list[str]] = []
    signatures = {path: _signature(members) for path, members in inside.items()}
    for path in sorted(inside, key=lambda path: [(len(part), part) for part in path.split(".")]):
        stem, _, number = path.rpartition(".")
        if runs and number.isdigit():
            before = runs[-1][-1]
            if (
                before.rpartition(".")[:2] == (stem, "." if stem else "")
                and before.rpartition(".")[2].isdigit()
                and (int(before.rpartition(".")[2]) == int(number) - 1 and signatures[before] == signatures[path])
            ):
                runs[-1].append(path)
                continue
        runs.append([path])
    return runs


def _signature(members: Sequence[Node]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What two modules must share to be called equal: their operations in order, and all shapes."""
    ops = [(repr(node.op) if node.op is not None else "", tuple(getattr(node.raw, "shape", ()))) for node in members]
    return (*(one for one in ops if one[0]), *sorted(one for one in ops if not one[0]))


def line_groups(nodes: Sequence[Node]) -> list[Group]:
    """A box for every source line that made more than a few nodes; none where the lines tell nothing apart."""
    place = homes(nodes, _line, older=True)
    counts = Counter(place.values())
    del counts[""]
    if len(counts) < 2 or len(nodes) - sum(counts.values()) + len(counts) > READABLE:
        return []
    inside: dict[str, list[Node]] = {}
    for node in nodes:
        if counts[place.get(node, "")] > 1:
            inside.setdefault(place[node], []).append(node)
    return [Group(line, tuple(members), 1, "line") for line, members in inside.items()]


def _line(node: Node) -> str:
    return f"{os.path.basename(node.made_at[0])}:{node.made_at[1]}" if node.made_at is not None else ""
