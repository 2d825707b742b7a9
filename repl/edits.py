"""What a line changed, so that `undo` can put it back: breakpoints, branches, how pictures look, variables, numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import Stepper
from minitorch.core.node import Node
from minitorch.core.tensor import Tensor
from repl.branches import Branch
from repl.pictures import Look
from repl.stops import Display, Point
from viz.statistics import equal

if TYPE_CHECKING:
    from repl.engine import Session

ROOM = 200_000_000
"""Bytes of numbers that are kept of the moment before a line of Python; of what is larger, the leaves first."""
ITEMS = 10_000  # a list, dict or set with more items is not looked into
ABSENT = object()
BOUND = ("raw", "op", "inputs", "stamp", "_grad", "_name")
"""What makes a node what it is, and a line of Python may change."""
_EDITS = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Call, ast.NamedExpr, ast.For, ast.With, ast.Import,
          ast.ImportFrom, ast.FunctionDef, ast.ClassDef)  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What stood before a line: `of` is the pass that the branches belong to, `world` what Python has changed since."""

    line: str
    stops: tuple[list[Point], list[Display]]
    look: Look
    branches: tuple[list[Branch], Branch] | None = None
    of: Stepper | None = None
    world: World | None = None

    @classmethod
    def before(cls, session: Session, line: str, world: World | None = None) -> Kept:
        """As things stand."""
        branches = session.branches
        kept = branches.kept() if branches is not None else None
        of = branches.all[0].stepper if branches is not None else None
        return cls(line, session.stops.snapshot(), session.look, kept, of, world)

    def same(self, other: Kept) -> bool:
        """Whether no command has changed anything."""
        return (self.stops, self.look, self.branches, self.of) == (other.stops, other.look, other.branches, other.of)

    def put_back(self, session: Session) -> Kept:
        """Make things what they were; returns how they were until now. Of a pass that has ended, the branches stay."""
        now = Kept.before(session, self.line, self.world.now() if self.world is not None else None)
        session.stops.restore(self.stops)
        session.look = self.look
        branches = session.branches
        if branches is not None and self.branches is not None and self.of is branches.all[0].stepper:
            session.switch(self.branches[1])
            branches.put_back(self.branches)
        if self.world is not None:
            self.world.put_back()
        return now


class Edits:
    """The lines that can be undone, the latest last, and those that can be done again."""

    def __init__(self) -> None:
        self.done: list[Kept] = []
        self.undone: list[Kept] = []

    def note(self, kept: Kept, room: int | None) -> None:
        """A line has changed something. The oldest go when what they keep takes more than `room` bytes."""
        self.undone.clear()
        self.done.append(kept)
        while room is not None and len(self.done) > 1 and sum(k.world.size for k in self.done if k.world) > room:
            del self.done[0]

    def forget(self, session: Session) -> None:
        """The pass has ended, and a script's variables are gone: keep the edits of breakpoints and pictures, and no node."""
        after, kept = Kept.before(session, ""), []
        for edit in reversed(self.done):
            if (edit.stops, edit.look) != (after.stops, after.look):
                kept.append(replace(edit, branches=None, of=None, world=None))
            after = edit
        self.done = kept[::-1]
        self.undone.clear()


@dataclass
class Held:
    """One node as it was: its slots, and copies of the numbers in its array and in its gradient's."""

    node: Node
    slots: dict[str, Any]
    version: int | None
    arrays: list[tuple[Any, Any]]

    @classmethod
    def of(cls, node: Node) -> Held:
        """The node as it is."""
        bound = (*BOUND, "requires_grad", "_cell") if isinstance(node, Tensor) else BOUND
        slots = {name: getattr(node, name) for name in bound if hasattr(node, name)}
        numbers: tuple[Any, ...] = (node.raw, getattr(slots.get("_grad"), "raw", None))
        arrays = [(array, array.copy()) for array in numbers if hasattr(array, "dtype")]
        return cls(node, slots, node._cell[0] if node._cell is not None else None, arrays)

    @property
    def raw(self) -> Any:
        """The number or array that the node held."""
        return next((copy for array, copy in self.arrays if array is self.slots["raw"]), self.slots["raw"])

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return 200 + sum(copy.nbytes for _, copy in self.arrays)

    def other_numbers(self) -> bool:
        """Whether the node holds other numbers now."""
        raw = self.slots["raw"]
        if raw is not self.node.raw:
            return not isinstance(raw, float) or repr(raw) != repr(self.node.raw)
        return any(array is raw and not equal(array, copy) for array, copy in self.arrays)

    def changed(self) -> bool:
        """Whether anything of it is other now."""
        slots = any(getattr(self.node, name, ABSENT) is not value for name, value in self.slots.items())
        return slots or any(not equal(array, copy) for array, copy in self.arrays)

    def put_back(self) -> None:
        """Make the node what it was."""
        for array, copy in self.arrays:
            if getattr(array.flags, "writeable", True):  # CuPy's flags do not say
                array[...] = copy
        for name, value in self.slots.items():
            setattr(self.node, name, value)
        if self.version is not None and self.node._cell is not None:
            self.node._cell[0] = self.version


@dataclass
class World:
    """Variables, the contents of lists and arrays among them, and nodes: as they were when it was made.

    Looked at are the session's variables, what stands in their lists, dicts and modules, and the leaves of the pass.
    """

    namespace: dict[str, Any]
    names: dict[str, Any]
    boxes: list[tuple[Any, Any]] = field(default_factory=list)
    arrays: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    nodes: list[Held] = field(default_factory=list)

    @classmethod
    def of(cls, namespace: dict[str, Any], leaves: Iterable[Node]) -> World:
        """The world as it is."""
        made = cls(namespace, {name: value for name, value in namespace.items() if not name.startswith("_")})
        room, seen = ROOM, set[int]()
        for thing in _things([*made.names.values(), *leaves]):
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if isinstance(thing, (list, dict, set)):
                made.boxes.append((thing, thing.copy()))
                continue
            room -= getattr(thing.raw if isinstance(thing, Node) else thing, "nbytes", 24)
            if room < 0:
                break
            if isinstance(thing, Node):
                made.nodes.append(Held.of(thing))
            else:
                made.arrays.append((thing, thing.copy()))
        return made

    @property
    def size(self) -> int:
        """Bytes that the kept numbers take."""
        return sum(copy.nbytes for _, copy in self.arrays) + sum(held.size for held in self.nodes)

    def changed(self) -> World:
        """The part of it that is other now; empty (false) where nothing is. A new variable changes nothing that was."""
        return World(
            self.namespace,
            {name: value for name, value in self.names.items() if self.namespace.get(name, ABSENT) is not value},
            [(box, copy) for box, copy in self.boxes if not _same_items(box, copy)],
            [(array, copy) for array, copy in self.arrays if not equal(array, copy)],
            [held for held in self.nodes if held.changed()],
        )

    def __bool__(self) -> bool:
        return bool(self.names or self.boxes or self.arrays or self.nodes)

    def now(self) -> World:
        """The same part of the world as it is at present."""
        return World(
            self.namespace,
            {name: self.namespace.get(name, ABSENT) for name in self.names},
            [(box, box.copy()) for box, _ in self.boxes],
            [(array, array.copy()) for array, _ in self.arrays],
            [Held.of(held.node) for held in self.nodes],
        )

    def put_back(self) -> None:
        """Make it what it was."""
        for name, value in self.names.items():
            if value is ABSENT:
                self.namespace.pop(name, None)
            else:
                self.namespace[name] = value
        for box, copy in self.boxes:
            box.clear()
            box.extend(copy) if isinstance(box, list) else box.update(copy)
        for array, copy in self.arrays:
            array[...] = copy
        for held in self.nodes:
            held.put_back()


def may_edit(source: str) -> bool:
    """Whether a piece of Python could change anything: `x` and `a + b` cannot (apart from operators that do)."""
    try:
        return any(isinstance(part, _EDITS) for part in ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return False


def _things(values: Iterable[Any]) -> Iterator[Any]:
    """Nodes, arrays and containers among some values, and inside their containers and modules."""
    for value in values:
        if isinstance(value, (list, dict, set)) and len(value) <= ITEMS:
            yield value
        inside: Iterable[Any] = ()
        if isinstance(value, (Node, np.ndarray)):
            inside = (value,)
        elif isinstance(value, (list, tuple, set, dict)) and len(value) <= ITEMS:
            inside = value.values() if isinstance(value, dict) else value
        elif hasattr(type(value), "named_parameters") and not isinstance(value, type):
            inside = (*value.parameters(), *value.buffers())
        yield from (x for x in inside if isinstance(x, Node) or isinstance(x, np.ndarray) and x.flags.writeable)


def _same_items(box: Any, copy: Any) -> bool:
    if len(box) != len(copy):
        return False
    if isinstance(box, set):
        return bool(box == copy)
    if isinstance(box, dict):
        return all(a is b for a, b in zip(box, copy)) and all(box[key] is copy[key] for key in box)
    return all(a is b for a, b in zip(box, copy))
