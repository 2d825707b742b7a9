"""What if a number were another, or the algorithm a wrong one: branches of the pass, and what differs between two."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.core.departures import Departure, departures
from minitorch.core.device import device_of, moved
from minitorch.core.node import Node, ancestors
from minitorch.core.wrong import RULES
from repl import phrases, stopview
from repl.branches import Branch, Branches, left_the_graph
from repl.commands.move import EXAMPLE
from repl.edits import Kept
from repl.graph import Graph
from repl.phrases import brief, count, short
from repl.registry import CommandError, command
from repl.stops import same
from repl.views import Message, Table, View
from viz.format import number

if TYPE_CHECKING:
    from repl.engine import Session

TWICE = ("a = Value(1.0)", "b = a + a", "c = b + b", "backward c")
MOST = 30  # rows of `diff`
SIDE = 15  # characters of a number or array in a column of `diff`
READ = 4  # of the places where numbers left the graph, those that `set` names
METHODS = ("item", "tolist", "detach")
COMPARED = {
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="
}  # fmt: skip
_ASSIGNMENT = re.compile(r"(?P<target>.+?)(?:\.(?:data|raw))?(?P<index>\[[^=]*\])?\s*=(?!=)\s*(?P<value>.+)", re.DOTALL)


@command(
    "set",
    group="what-if",
    usage="set NODE = EXPR",
    example=(*EXAMPLE, "set a = 5", "diff", "print L"),
    argument="expression",
    edits=True,
)
def set_(session: Session, argument: str) -> Sequence[View]:
    """What if NODE held another number? Forks a branch.

    The recorded operations that depend on NODE are computed again, with the same random draws; the pass as it was stays,
    as branch `main`. `set w.data = ...` is the same, `set W[0,1] = 3` changes one element. The variables of this session
    follow the branch; a script keeps its own numbers. What was computed outside the graph (`.item()`, argmax, an `if`) is
    not computed again, but named. `diff` compares, `undo` or `reset` goes back.
    """
    found = _ASSIGNMENT.fullmatch(argument)
    if found is None:
        raise CommandError("set takes a node and its new value, as `set a = 5.0` or `set W[0,1] = 3`")
    stepper, branches = session.running(), _branches(session)
    node, index = _target(session, found["target"].strip(), found["index"] or "")
    graph = session.graph
    if node is stepper.root:
        raise CommandError(f"{graph.name(node)} is where this pass begins; set something it was computed from")
    value = _new_value(session, node, index, found["value"])
    name = graph.name(node) + index
    was = brief(node.raw[_index(session, index)] if index else node)
    told = f"{name} = {brief(value[_index(session, index)] if index else value)}"
    root_before = stepper.root
    try:
        branch, made = branches.fork({node: value}, told, graph)
    except ValueError as error:
        raise CommandError(str(error)) from None
    session.switch(branch)
    root, old_graph, graph = branch.stepper.root, graph, session.graph
    text = f"{branch.name}: {told} (was {was}); {count(len(made) - 1, 'node')} computed again, "
    text += f"{graph.name(root)} = {brief(root)} (was {brief(root_before)})"
    shown: list[View] = [Message(text)]
    kept = left_the_graph(branch, made)
    if kept:
        named = ", ".join(graph.name(x) for x in kept[:4])
        shown.append(
            Message(f"{named} left the graph (detached) and {'keeps' if len(kept) == 1 else 'keep'} the old numbers", "hint")
        )
    read = _read_outside(departures(made, root_before), old_graph, bool(kept))
    if read:
        more = f"; and {len(read) - READ} more" if len(read) > READ else ""
        shown.append(Message(f"read out of the graph, and not asked again: {'; '.join(read[:READ])}{more}", "hint"))
    return shown


def _read_outside(read: Sequence[Departure], graph: Graph, detached: bool) -> list[str]:
    """How the program read nodes outside the graph while it computed the result: each a phrase with its line."""
    found = []
    for departure in read:
        if departure.how == "detach" and detached:
            continue
        name = graph.name(departure.node)
        how, sign = departure.how, COMPARED.get(departure.how)
        phrase = f"{name} {sign} …" if sign else f"{name}.{how}()" if how in METHODS else f"{how}({name})"
        through = f", after {departure.through}," if departure.through else ""
        at = phrases.line_of(departure.where)
        found.append(phrase + through + (f" at {at}" if at else ""))
    return list(dict.fromkeys(found))


def _branches(session: Session) -> Branches:
    session.running()
    assert session.branches is not None
    return session.branches


def _target(session: Session, text: str, index: str) -> tuple[Node, str]:
    """The node to change, and the index of the part of it: `W[0,1]` is an element, `layers[0]` may be a variable's."""
    graph = session.graph
    known = session.variables.get(text)
    if index and not (text in graph.by_name or isinstance(known, Node)):
        text, index = text + index, ""
    node, _ = session.node(text)
    if node not in graph:
        raise CommandError(f"{text} has no part in the pass of {graph.name(session.running().root)}")
    return node, index


def _index(session: Session, index: str) -> Any:
    return session.evaluate(f"np.s_{index}")


def _new_value(session: Session, node: Node, index: str, source: str) -> Any:
    value = phrases.plain(session.evaluate(source))
    if isinstance(node.raw, float):
        try:
            return float(value)
        except (TypeError, ValueError):
            raise CommandError(f"'{source}' is no number") from None
    if index:
        array = node.raw.copy()
        try:
            array[_index(session, index)] = _beside(value, node)
        except (IndexError, ValueError) as error:
            raise CommandError(f"{session.graph.name(node)}{index}: {error}") from None
        return array
    return np.full(node.raw.shape, value) if isinstance(value, (int, float)) else value


def _beside(value: Any, node: Node) -> Any:
    """A value for elements of a node: an array on its device, a number as it is."""
    if isinstance(value, (int, float)):
        return value
    return moved(value if hasattr(value, "dtype") else np.asarray(value), device_of(node.raw))


@command(
    "rule",
    group="what-if",
    usage="rule [NAME]",
    argument="choice",
    example=(*TWICE, "rule noorder", "end", "diff"),
    edits=True,
)
def rule(session: Session, argument: str) -> Sequence[View]:
    """Run a wrong algorithm on purpose.

    assign writes `=` for `+=`. noorder passes each arrival on at once, without waiting for the rest. nozero starts from
    the gradients that an earlier pass left. `diff` shows whose gradients come out wrong, `rule right` goes back. No wrong
    gradient ever reaches a .grad.
    """
    branches = _branches(session)
    if not argument:
        rows = tuple((name, summary) for name, summary in {**RULES, "right": "the algorithm as it should be"}.items())
        current = branches.current.rule or "right"
        at = next(position for position, row in enumerate(rows) if row[0] == current)
        return [Table(("rule", "is"), rows, current=at, yields=1)]
    if argument == "right":
        home = next(b for b in branches.all if not b.rule and b.changes == branches.current.changes)
        session.switch(home)
        return session.at_stop(_here(session))
    if argument not in RULES:
        raise CommandError(f"there is no rule '{argument}'; there are {', '.join(RULES)} and right")
    if branches.current.rule:
        session.switch(next(b for b in branches.all if not b.rule and b.changes == branches.current.changes))
    try:
        made = branches.by_rule(argument, session.graph)
    except ValueError as error:
        raise CommandError(str(error)) from None
    session.switch(made)
    return [Message(f"wrong on purpose: {RULES[argument]}", "warning"), *session.at_stop(_here(session))]


def _here(session: Session) -> Any:
    stepper = session.running()
    how: Any = "start" if not stepper.position else "end" if stepper.finished else "at"
    return stopview.stop(session.graph, how, script=session.script)


@command(
    "branch",
    "br",
    group="what-if",
    usage="branch [NAME]",
    argument="choice",
    example=(*EXAMPLE, "set a = 5", "branch main", "branch"),
    edits=True,
)
def branch(session: Session, argument: str) -> View | Sequence[View]:
    """Go to a branch. Alone: list them.

    `main` is the pass as it was; `set` and `rule` make others. Each keeps its own position. `branch 1` is what-if 1.
    """
    branches = _branches(session)
    if not argument:
        rows = tuple(
            (
                b.name,
                ", ".join(b.changes) or ("a wrong rule" if b.rule else "as it was"),
                brief(b.stepper.root),
                f"{b.stepper.position if b is branches.current else b.left_at}/{len(b.stepper)}",
            )
            for b in branches.all
        )
        root = session.graph.name(session.running().root)
        return Table(("branch", "is", root, "step"), rows, current=branches.all.index(branches.current), yields=1)
    session.switch(_named(branches, argument))
    return session.at_stop(_here(session))


def _named(branches: Branches, name: str) -> Branch:
    found = branches.find(name)
    if found is None:
        names = [b.name for b in branches.all]
        raise CommandError(f"there is no branch '{name}'; there {'is' if len(names) == 1 else 'are'} {', '.join(names)}")
    return found


@command("reset", group="what-if", usage="reset", example=(*EXAMPLE, "set a = 5", "reset"), edits=True)
def reset(session: Session, argument: str) -> View:
    """Back to the pass as it was; drop the branches."""
    branches = _branches(session)
    dropped = len(branches.all) - 1
    if not dropped:
        return Message("there is only the pass as it was")
    session.switch(branches.all[0])
    branches.close()
    return Message(f"back to main; {count(dropped, 'branch').replace('branchs', 'branches')} dropped")


@command(
    "diff",
    group="what-if",
    usage="diff [BRANCH [BRANCH]]",
    argument="choice",
    example=(*EXAMPLE, "set a = 5", "diff"),
)
def diff(session: Session, argument: str) -> View:
    """Compare values and gradients of two branches.

    Alone: the current branch with main. Nodes that differ are listed, oldest first.
    """
    branches = _branches(session)
    words = [word.strip() for word in (argument.split(",") if "," in argument else argument.split())]
    if branches.find(argument) is not None:
        words = [argument]
    if len(branches.all) == 1:
        raise CommandError("there is nothing to compare with yet; `set NODE = EXPR` or `rule assign` makes a branch")
    chosen = [_named(branches, word) for word in words]
    if not chosen:
        chosen = [branches.all[0], branches.current if branches.current is not branches.all[0] else branches.all[-1]]
    if len(chosen) == 1:
        chosen.insert(0, branches.all[0])
    if len(chosen) > 2:
        raise CommandError("diff takes two branches; names with spaces stand apart by a comma: `diff main, what-if 1`")
    graph, here = session.graph, branches.current.image()
    return _compared(chosen[0], chosen[1], lambda main: graph.name(here.get(main, main)))


def _compared(a: Branch, b: Branch, name_of: Callable[[Node], str]) -> Table:
    rows: list[tuple[str, ...]] = []
    differs = [0, 0]
    grads_a, grads_b = a.gradients(), b.gradients()
    image_a = a.image()
    of_b = {b.main(node): node for node in ancestors(b.stepper.root)}
    for main in sorted(of_b, key=lambda node: node.stamp):
        x, y = image_a.get(main, main), of_b[main]
        values, gradients = (x.raw, y.raw), (grads_a.get(x), grads_b.get(y))
        changed = [not same(*values), not same(*gradients)]
        differs = [total + one for total, one in zip(differs, changed)]
        if any(changed) and len(rows) < MOST:
            rows.append((name_of(main), *_sides(values, changed[0]), *_sides(gradients, changed[1])))
    if not rows:
        return Table((), (), summary=f"{a.name} and {b.name} agree: every value and every gradient is the same")
    summary = f"{count(differs[0], 'value')} and {count(differs[1], 'gradient')} differ"
    notes = ["Δ ≤ is the largest difference of any element"] if any("Δ" in cell for row in rows for cell in row) else []
    notes += [f"the first {MOST} of them"] if len(rows) == MOST else []
    footer = "; ".join(notes)
    header = ("node", f"value {a.name}", b.name, f"grad {a.name}", b.name)
    return Table(header, tuple(rows), summary=summary, footer=footer, right=(1, 2, 3, 4), yields=0)


def _sides(pair: tuple[Any, Any], changed: bool) -> tuple[str, str]:
    """Two values side by side; of larger arrays the second as its largest difference; nothing twice where they agree."""
    x, y = pair
    if not changed:
        return short(x, SIDE), "same" if x is not None else ""
    if hasattr(x, "shape") and hasattr(y, "shape") and x.shape == y.shape and x.size > phrases.PRINTED:
        return short(x, SIDE), f"Δ ≤ {number(float(abs(y - x).max().item()), 3)}"
    return short(x, SIDE), short(y, SIDE)


@command("undo", group="what-if", usage="undo", example=(*EXAMPLE, "set a = 5", "undo", "print L"))
def undo(session: Session, argument: str) -> View:
    """Take the last edit back (in Python, too).

    Of a line of Python, what it did to your variables, to the items of lists and dicts, and to the numbers and gradients of
    Values, tensors, modules and arrays. What it did elsewhere (an optimizer's memory, a file) stays. Movements are taken
    back by rstep and rnext.
    """
    if not session.edits.done:
        raise CommandError("there is no edit to undo; rstep and rnext take movements back")
    kept = session.edits.done.pop()
    session.edits.undone.append(kept.put_back(session))
    return Message(f"undone: {_first_line(kept.line)}{_what(session, kept)}")


def _first_line(line: str) -> str:
    first, *more = line.strip().split("\n")
    return f"{first} …" if more else first


def _what(session: Session, kept: Kept) -> str:
    """What became of the variables and numbers that a line of Python had changed."""
    if kept.world is None:
        return ""
    told = list(dict.fromkeys([*(session.graph.name(held.node) for held in kept.world.nodes), *kept.world.names]))
    named = ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")
    return f"   ({named} as before)" if told else ""


@command("redo", group="what-if", usage="redo", example=(*EXAMPLE, "set a = 5", "undo", "redo"))
def redo(session: Session, argument: str) -> View:
    """Do again what `undo` took back."""
    if not session.edits.undone:
        raise CommandError("there is nothing to do again")
    kept = session.edits.undone.pop()
    session.edits.done.append(kept.put_back(session))
    return Message(f"done again: {_first_line(kept.line)}{_what(session, kept)}")
