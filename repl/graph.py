"""The graph in front of the user: its nodes, what they are called, who uses them, and how to pick some of them."""

from __future__ import annotations

import difflib
import fnmatch
import os
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from minitorch import Stepper, Value
from minitorch.core import backward as engine
from minitorch.core.naming import held_by, names, scopes
from minitorch.core.node import Node
from repl.registry import CommandError, did_you_mean

if TYPE_CHECKING:
    from minitorch import Contribution

_SELECTOR = re.compile(r"[\w.*?]+|(op|shape):.*|[@#].*|\S+\.\w+:\d+")
LARGE = 20_000  # nodes; a larger graph is not named as a whole until somebody asks for all of it
NOTABLE = 1000
ITEMS = 1000  # of a list or dict, beyond which it is not looked into

SELECTORS = (
    ("h", "the node of that name: your variable, `.named('h')`, or the parameter's path"),
    ("mul_3", "the third × of the graph that has no name of its own"),
    ("mlp.0.*", "every node whose name or module fits; * and ? as in file names"),
    ("op:relu", "every node made by that operation"),
    ("shape:(*,10)", "every node of that shape; * is any size"),
    ("train.py:12", "every node made at that line of the program"),
    ("leaf  param", "every leaf; every leaf that gets a gradient"),
    ("#12", "the node that sends contribution number 12"),
    ("@  @-1  @+1", "the node whose contribution comes next; the one before, the one after it"),
)


class Graph:
    """Nodes with their names.

    Args:
        nodes: oldest first.
        variables: what the user's names are bound to.
        stepper: the pass over these nodes, where there is one.
        named: what they are called, where that follows from another graph.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        variables: Mapping[str, Any],
        stepper: Stepper | None = None,
        named: Callable[[Node], str] | None = None,
    ) -> None:
        self.nodes = nodes
        self.stepper = stepper
        self._variables = dict(variables)
        self._stamps: dict[str, list[int]] = {}
        self._named = named
        models = [name for name, value in variables.items() if _is_model(value)]
        self.model = models[0] if len(models) == 1 else ""
        """The variable that holds the only model: its parts go by `model.0` as well as by their path, `0`."""

    @classmethod
    def behind(cls, roots: Sequence[Node], variables: Mapping[str, Any], stepper: Stepper | None = None) -> Graph:
        """The graph that the roots were computed from."""
        return cls(behind(roots), variables, stepper)

    def __contains__(self, node: object) -> bool:
        if len(self.nodes) > LARGE and isinstance(node, Node):  # oldest first; an edit has made a leaf newer, perhaps
            at = bisect_left(self.nodes, node.stamp, key=lambda one: one.stamp)
            if at < len(self.nodes) and self.nodes[at] is node:
                return True
        return id(node) in self._ids

    @cached_property
    def _ids(self) -> set[int]:
        return set(map(id, self.nodes))

    @cached_property
    def names(self) -> dict[Node, str]:
        """What every node is called. (Of a large graph, this takes a second: `name` does without, as long as it can.)"""
        if self._named is not None:
            return {node: self._named(node) for node in self.nodes}
        return names(self.nodes, self._variables)

    def named_by(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
        """Whether the nodes are still called the same, with these variables in place of those before."""
        other = [name for name in {*before, *now} if before.get(name) is not now.get(name)]
        changed = [variables.get(name) for name in other for variables in (before, now)]
        if not changed:
            return True
        return self.stepper is not None and not any(node in self for thing in changed for node in _inside(thing))

    def name(self, node: Node) -> str:
        """What a node is called here."""
        if "names" not in self.__dict__ and len(self.nodes) > LARGE and node in self:
            return self._name_alone(node) if self._named is None else self._named(node)
        known = self.names.get(node)
        return known if known is not None else node.name or (node.op.name if node.op else "leaf")

    def _name_alone(self, node: Node) -> str:
        """What `names` would call the node, without naming the others."""
        given = node.name
        if given is not None:
            return given if self.given.count(given) == 1 else self.names[node]
        label = self._held.get(id(node)) or getattr(node, "_label", None)
        if label is None:
            kind = node.op.name if node.op is not None else "leaf"
            label = f"{kind}_{bisect_left(self._unnamed(kind), node.stamp) + 1}"
            if label in self._variables or label in self.given:
                return self.names[node]
            node._label = label
        return label

    @cached_property
    def _held(self) -> dict[int, str]:
        return held_by(self._variables)

    def _unnamed(self, kind: str) -> list[int]:
        """The stamps of the nodes that one operation made and nobody named."""
        if kind not in self._stamps:
            of_kind = (x for x in self.nodes if (x.op.name if x.op is not None else "leaf") == kind)
            self._stamps[kind] = [x.stamp for x in of_kind if x.name is None and id(x) not in self._held]
        return self._stamps[kind]

    @cached_property
    def given(self) -> list[str]:
        """The names that nodes were given with `name=` or `named()`."""
        return [name for node in self.nodes if (name := getattr(node, "_name", None)) is not None]

    @cached_property
    def notable(self) -> list[str]:
        """Names worth looking through for the one that was meant: of a large graph, those that somebody gave."""
        if len(self.nodes) <= LARGE:
            return list(self.by_name)
        inside = [name for name, value in self._variables.items() if isinstance(value, Node) and value in self]
        return list(dict.fromkeys([*inside, *self.given, *(self.name(leaf) for leaf in self.leaves[:NOTABLE])]))

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """The nodes by name."""
        return {name: node for node, name in self.names.items()}

    @cached_property
    def users(self) -> dict[Node, list[tuple[Node, int]]]:
        """For each node the (node, slot) pairs that read it, in order of creation."""
        found: dict[Node, list[tuple[Node, int]]] = {}
        for node in self.nodes:
            for slot, x in enumerate(node.inputs or ()):
                if isinstance(x, Node):
                    found.setdefault(x, []).append((node, slot))
        return found

    @cached_property
    def leaves(self) -> list[Node]:
        """The nodes that nothing was computed from."""
        return [node for node in self.nodes if node.op is None]

    def scope(self, node: Node) -> str:
        """The path of the module in which a node was made; it begins with the model's name where there are several models."""
        path = node.scope
        return self._scopes.get(node, path) if path and len(self.nodes) <= LARGE else path

    @cached_property
    def _scopes(self) -> dict[Node, str]:
        return scopes(self.nodes, self._variables)[0]

    @cached_property
    def modules(self) -> list[str]:
        """The paths of the modules in which nodes were made, and of those around them."""
        paths = dict.fromkeys(map(self.scope, self.nodes))
        return list(dict.fromkeys(".".join(p.split(".")[: n + 1]) for p in paths if p for n in range(p.count(".") + 1)))

    def in_module(self, scope: str, pattern: re.Pattern[str]) -> bool:
        """Whether a pattern fits the path of a module, which may begin with the variable that holds the model."""
        return any(pattern.fullmatch(path) for path in (scope, f"{scope}.", f"{self.model}.{scope}", f"{self.model}.{scope}."))

    def first(self, node: Node) -> int:
        """The position at which the pass comes to `node`; its length for a node that sends nothing."""
        assert self.stepper is not None
        return self.stepper.first(node)

    def comes_up(self, node: Node) -> list[int]:
        """The positions at which a node comes up: its turn begins, or, at a leaf, all has arrived."""
        assert self.stepper is not None
        if node.op is None:
            arrivals = self.stepper.complete_at(node)
            return [arrivals] if arrivals else []
        return [self.stepper.first(node)] if sends(node) else []

    def select(self, text: str) -> list[Node]:
        """The nodes that a selector (see `SELECTORS`) picks, oldest first; none is an empty list.

        Raises:
            CommandError: the selector asks for a pass and there is none, or for a step outside it.
        """
        text = text.strip()
        if text in self.by_name:
            return [self.by_name[text]]
        if text.startswith(("@", "#")):
            return [self._of_pass(text)]
        if text.startswith("op:"):
            return [node for node in self.nodes if node.op and fnmatch.fnmatchcase(node.op.name, text[3:])]
        if text.startswith("shape:"):
            return [node for node in self.nodes if _fits(getattr(node.raw, "shape", ()), text[6:])]
        place = re.fullmatch(r"(.+\.\w+|<?input \d+>?):(\d+)", text)
        if place is not None:
            return [node for node in self.nodes if _made_at(node, place[1], int(place[2]))]
        if text in ("leaf", "leaves"):
            return [node for node in self.nodes if node.is_leaf]
        if text in ("param", "params"):
            return [node for node in self.nodes if node.is_leaf and node.requires_grad]
        if ("*" in text or "?" in text) and _SELECTOR.fullmatch(text):
            pattern = re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))
            inside = {scope for scope in set(map(self.scope, self.nodes)) if scope and self.in_module(scope, pattern)}
            return [node for node in self.nodes if self.scope(node) in inside or pattern.fullmatch(self.name(node))]
        return []

    def is_selector(self, text: str) -> bool:
        """Whether a text has the form of a selector, whatever it picks."""
        return _SELECTOR.fullmatch(text) is not None

    def one(self, text: str) -> Node:
        """The single node that a selector picks.

        Raises:
            CommandError: none, naming the nearest; or several, listing them.
        """
        found = self.select(text)
        if len(found) == 1:
            return found[0]
        if not found:
            raise CommandError(self.missing(text))
        shown = ", ".join(self.name(node) for node in found[:6]) + (", …" if len(found) > 6 else "")
        raise CommandError(f"'{text}' picks {len(found)} nodes ({shown}); name one of them")

    def missing(self, text: str) -> str:
        """The sentence for a selector that picks nothing."""
        if not self.nodes:
            return f"there is no node '{text}': no graph yet; compute something with Value or tensor first"
        near = difflib.get_close_matches(text, self.notable, n=2, cutoff=0.5)
        return f"there is no node '{text}' in this graph{did_you_mean(near) or ' (list shows its nodes)'}"

    def _of_pass(self, text: str) -> Node:
        stepper = self.stepper
        if stepper is None:
            raise CommandError(f"'{text}' needs a pass: start one with `backward EXPR`")
        marked = re.fullmatch(r"#(\d+)|@([+-]\d+)?", text)
        if marked is None:
            raise CommandError(f"'{text}' is no selector; #12 is a step of the pass, @ the current node, @-1 the one before")
        order = stepper.order
        if marked[1] is not None:
            number = int(marked[1])
            if not 1 <= number <= len(stepper):
                raise CommandError(f"there is no step {number}: this pass has steps 1 to {len(stepper)}")
            return next(node for node in reversed(order) if self.first(node) < number and sends(node))
        here = stepper.node
        at = (self._numbers[here] if here is not None else len(order)) + int(marked[2] or 0)
        if not 0 <= at < len(order):
            raise CommandError("the pass is complete: no node is current" if text == "@" else f"'{text}' is outside the pass")
        return order[at]

    @cached_property
    def _numbers(self) -> dict[Node, int]:
        assert self.stepper is not None
        return {node: number for number, node in enumerate(self.stepper.order)}

    def number(self, node: Node) -> int | None:
        """The place of `node` in the order of the pass, None for a node without one."""
        return self._numbers.get(node)

    def gradient(self, node: Node) -> Any:
        """What has arrived at a node in the pass, or outside one what its `.grad` holds; None for nothing."""
        if self.stepper is not None and node in self:
            return self.stepper.flow(node)
        return held(node)

    def contribution(self, node: Node, slot: int) -> Contribution | None:
        """The contribution that `node` sent through `slot`, if it has been applied."""
        stepper = self.stepper
        assert stepper is not None and node.inputs is not None
        if type(stepper) is Stepper:
            slots = engine.needed_slots(node)
            number = stepper.first(node) + slots.index(slot) if slot in slots else len(stepper)
            return stepper.applied[number] if number < stepper.position else None
        # A wrong algorithm comes to a node several times, in an order of its own.
        return next((c for c in stepper.ledger(node.inputs[slot]) if c.node is node and c.slot == slot), None)


def _made_at(node: Node, file: str, line: int) -> bool:
    """Whether a line of the program made a node; `file` may leave out folders."""
    if node.made_at is None or node.made_at[1] != line:
        return False
    made_in = node.made_at[0].strip("<>")
    return made_in == file or made_in.endswith(os.sep + file) or os.path.basename(made_in) == file


def _fits(shape: tuple[int, ...], pattern: str) -> bool:
    """Whether a shape fits `(*,10)`."""
    sizes = [part.strip() for part in pattern.strip("() ").split(",") if part.strip()]
    return len(sizes) == len(shape) and all(want in ("*", str(have)) for want, have in zip(sizes, shape))


def sends(node: Node) -> int:
    """How many contributions a node sends in a pass."""
    op = node.op
    if op is None:
        return 0
    return sum(isinstance(x, Node) and x.requires_grad and op.differentiable(slot) for slot, x in enumerate(node.inputs or ()))


def held(node: Node) -> Any:
    """What `.grad` holds: a float, an array, or None."""
    grad = getattr(node, "grad", None)
    return grad.raw if isinstance(grad, Node) else grad


def behind(roots: Sequence[Node]) -> list[Node]:
    """The roots and what they were computed from, oldest first; as far as it is still there, where backward freed it."""
    seen = {root.stamp: root for root in roots}
    stack = list(seen.values())
    while stack:
        for x in stack.pop().inputs or ():
            if isinstance(x, Node) and x.stamp not in seen:
                seen[x.stamp] = x
                stack.append(x)
    return [seen[stamp] for stamp in sorted(seen)]


def nameable(value: Any) -> bool:
    """Whether a variable can give a node its name: it holds one, or contains some."""
    return isinstance(value, (Node, Value, list, tuple, dict)) or hasattr(type(value), "named_parameters")


def _is_model(value: Any) -> bool:
    """Whether a variable holds a module with parameters."""
    module = hasattr(type(value), "named_parameters") and not isinstance(value, type)
    return module and next(iter(value.parameters()), None) is not None


def _inside(thing: Any) -> Iterable[Any]:
    """The nodes that a variable can give a name to."""
    if isinstance(thing, Node):
        return (thing,)
    if isinstance(thing, dict):
        return (x for x in thing.values() if isinstance(x, Node))
    if isinstance(thing, (list, tuple)):
        return (x for x in thing[:ITEMS] if isinstance(x, Node))
    return thing.parameters() if nameable(thing) and not isinstance(thing, type) else ()
