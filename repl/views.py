"""What there is to see after a line, as plain data: the frontends render it, `--json` prints it, tests read it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from minitorch.core.device import host
from minitorch.core.node import Node
from viz.statistics import fetched, statistics

JSON_ELEMENTS = 64  # larger arrays are told by shape, dtype and range

Tone = Literal["plain", "quiet", "hint", "warning", "error"]


@dataclass(frozen=True)
class Message:
    """One sentence."""

    kind: ClassVar[str] = "message"
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Echo:
    """The result of an expression that is no node, as Python writes it."""

    kind: ClassVar[str] = "value"
    text: str


@dataclass(frozen=True)
class Failure:
    """An exception in the user's Python: type, message, and the user's own frames (`file:line in function`, source)."""

    kind: ClassVar[str] = "exception"
    error: str
    message: str
    frames: tuple[tuple[str, str], ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Branch:
    """One line of a tree of nodes. `prefix` is the drawn part; `more` tells that the inputs are not shown below it."""

    prefix: str
    name: str
    made: str
    value: Any
    shape: str
    gradient: Any
    arrivals: tuple[int, int] | None = None
    more: str = ""


@dataclass(frozen=True)
class Tree:
    """A node and what it was computed from. `array` is the node's value where it is an array worth printing."""

    kind: ClassVar[str] = "tree"
    branches: tuple[Branch, ...]
    array: Any = None
    footer: str = ""


@dataclass(frozen=True)
class Edge:
    """One contribution: number in the pass, where it came from and went, and the chain rule in symbols and numbers."""

    number: int
    node: str
    target: str
    label: str
    rule: str
    symbols: str
    incoming: Any
    local: Any
    product: Any
    reduction: str | None
    contribution: Any
    before: Any
    after: Any
    elementwise: bool = True


@dataclass(frozen=True)
class Ledger:
    """What has arrived at a node so far; `held` is its `.grad`. Of many terms, `left_out` before the last are not there."""

    kind: ClassVar[str] = "ledger"
    node: str
    symbol: str
    terms: tuple[Any, ...]
    total: Any
    arrived: int
    expected: int
    edges: tuple[Edge, ...] = ()
    held: Any = None
    left_out: int = 0


@dataclass(frozen=True)
class Stop:
    """Where a movement came to rest.

    `how` is start, step, next, back, at or end; `edges` what it applied (or, going back, took away), the nearest ones
    when there were `moved` many; `ledgers` what stands at the nodes it touched, without the last `left_out` of them; `coming`
    the next contribution.
    """

    kind: ClassVar[str] = "stop"
    how: Literal["start", "step", "next", "back", "at", "end"]
    position: int
    length: int
    root: str
    node: str
    made: str
    place: str = ""
    scope: str = ""
    reasons: tuple[str, ...] = ()
    moved: int = 0
    edges: tuple[Edge, ...] = ()
    ledgers: tuple[Ledger, ...] = ()
    left_out: int = 0
    coming: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under headings; the row number `current` is pointed at. `summary` and `footer` stand before and after.

    `right` are the columns whose numbers end at one edge. Where room is short, the column `yields` is cut, and the column
    `spare` left out before much of that is lost.
    """

    kind: ClassVar[str] = "table"
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    summary: str = ""
    footer: str = ""
    current: int | None = None
    right: tuple[int, ...] = ()
    yields: int | None = None
    spare: int | None = None


@dataclass(frozen=True)
class Facts:
    """Labelled lines: `where`, `info`, `explain`."""

    kind: ClassVar[str] = "facts"
    title: str
    facts: tuple[tuple[str, str], ...]
    footer: str = ""


@dataclass(frozen=True)
class Help:
    """The help of one command; `played` is its example as (line, output) pairs."""

    kind: ClassVar[str] = "help"
    usage: str
    names: tuple[str, ...]
    summary: str
    details: str
    played: tuple[tuple[str, tuple[Any, ...]], ...] = ()


@dataclass(frozen=True)
class Overview:
    """The list of commands by group: (group, ((usage, abbreviation, summary), ...))."""

    kind: ClassVar[str] = "overview"
    groups: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]
    footer: str = ""


@dataclass(frozen=True)
class Drawing:
    """A picture that was written."""

    kind: ClassVar[str] = "drawing"
    path: str
    nodes: int
    note: str = ""


View = Message | Echo | Failure | Tree | Ledger | Stop | Table | Facts | Help | Overview | Drawing


@dataclass
class Result:
    """What one line did.

    Attributes:
        line: the line.
        ok: it did what it said.
        kind: what it was: blank, command, python.
        views: what there is to see, in order.
        exit_code: what batch mode leaves with when it stops here: 0, 1 a check failed, 2 usage, 3 Python raised.
        leave: the frontend is to end: quit (the session), resume (the script, under watch), detach (the script goes on), abort
            (it does not).
    """

    line: str
    ok: bool = True
    kind: Literal["blank", "command", "python"] = "blank"
    views: list[View] = field(default_factory=list)
    exit_code: int = 0
    leave: Literal["", "quit", "resume", "detach", "abort"] = ""

    def data(self) -> dict[str, Any]:
        """The result as an object for `--json`."""
        shown = [{"kind": view.kind, **jsonable(view)} for view in self.views]
        return {"line": self.line, "ok": self.ok, "kind": self.kind, "views": shown}


def jsonable(value: Any) -> Any:
    """`value` with arrays as nested lists (larger ones by shape and range) and the numbers JSON has no word for as text."""
    if isinstance(value, Node):
        value = value.raw
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _kinded(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_kinded(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    array = fetched(value)
    if array.size <= JSON_ELEMENTS:
        return jsonable(host(array).tolist())
    found = statistics(array)
    limits = [found.low, found.high] if found.finite else None
    return {"shape": list(array.shape), "dtype": str(array.dtype), "range": limits}


def _kinded(value: Any) -> Any:
    kind = getattr(type(value), "kind", None)
    return {"kind": kind, **jsonable(value)} if isinstance(kind, str) else jsonable(value)
