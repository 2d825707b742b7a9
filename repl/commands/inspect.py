"""Look closer: find nodes, their source lines, the way a gradient takes, and what is inside an array."""

from __future__ import annotations

import linecache
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.backend import BACKENDS
from minitorch.backend.gpus import at_home
from minitorch.core import backward as engine
from minitorch.core.node import Node
from repl import phrases
from repl.catches import size
from repl.commands.look import node_or_current, node_table
from repl.commands.move import EXAMPLE
from repl.phrases import brief, plain
from repl.registry import CommandError, command
from repl.stops import Condition, surroundings
from repl.views import Echo, Facts, Message, Table, View
from viz.format import host, number
from viz.statistics import fetched, statistics

if TYPE_CHECKING:
    from repl.engine import Session

BINS, BAR = 10, 40
ROWS = 16
AROUND = 3
MATRIX = (
    "x = tensor([[1.0, 2.0, 3.0]])",
    "W = tensor([[0.5, -1.0], [0.25, 1.0], [-2.0, 0.0]], requires_grad=True)",
    "L = (x @ W).tanh().sum()",
    "backward L",
)
POSITIVE, NEGATIVE, ZERO = "░▓█", "-=≡", "·"


@command("find", "fi", group="look", usage="find SEL|EXPR", example=(*EXAMPLE, "end", "find grad < 0"), argument="node")
def find(session: Session, argument: str) -> View:
    """List the nodes of SEL, or where EXPR is true.

    EXPR is Python with the names that conditions have: `find norm > 1`, `find op == 'relu' and value.max() == 0`. A node
    for which it cannot be asked (it has no gradient yet) is left out.
    """
    graph = session.graph
    if not argument:
        raise CommandError("find what? a selector (`find op:mul`) or a condition (`find norm > 1`)")
    found = graph.select(argument)
    if not found:
        if graph.is_selector(argument):
            raise CommandError(graph.missing(argument))
        condition = Condition.parse(argument)
        stepper, failed, asked = session.running(), "", 0
        for node in graph.nodes:
            try:
                if condition.holds(surroundings(stepper, graph, node, session.variables)):
                    found.append(node)
                asked += 1
            except Exception as error:  # the user's expression may raise anything
                failed = f"{type(error).__name__}: {error}"
        if not asked and failed:
            raise CommandError(f"'{argument}' could not be asked of any node: {failed}")
    if not found:
        return Message("no node")
    return node_table(graph, found, session.stepper.node if session.stepper is not None else None)


@command("source", "src", group="look", usage="source [NODE]", example=(*EXAMPLE, "source mul_1"), argument="node")
def source(session: Session, argument: str) -> View:
    """Show the program around the line of a node.

    Alone: of the current node."""
    node, graph = node_or_current(session, argument)
    if node.made_at is None:
        raise CommandError(f"{graph.name(node)} remembers no line: it is a leaf, or was made before anybody looked")
    file, line = node.made_at
    shown = []
    for at in range(max(line - AROUND, 1), line + AROUND + 1):
        text = linecache.getline(file, at).rstrip("\n")
        if text or at == line:
            shown.append((f"{'►' if at == line else ' '} {at}", text))
    title = f"{graph.name(node)}, made at {phrases.place(node) or os.path.basename(file)}"
    return Facts(title, tuple(shown))


@command("path", "pa", group="look", usage="path NODE", example=(*EXAMPLE, "path b"), argument="node")
def path(session: Session, argument: str) -> View:
    """The way on which most of a gradient comes.

    At each node the user that sends the largest contribution by the end of the pass. `why` lists all ways to a number.
    """
    if not argument:
        raise CommandError("path to what? a node, as `path mlp.0.weight`")
    node, _ = session.node(argument)
    graph, stepper = session.graph, session.running()
    assert session.branches is not None
    flows = session.branches.current.gradients()
    if node not in graph or flows.get(node) is None:
        raise CommandError(f"no gradient flows from {graph.name(stepper.root)} to {argument}")
    rows: list[tuple[str, ...]] = []
    while node is not stepper.root:
        sent = [(s, *edge) for edge in graph.users.get(node, ()) if (s := _sent(*edge, flows)) is not None]
        norm, user, slot = max(sent, key=lambda one: one[0] if not math.isnan(one[0]) else math.inf)
        assert user.op is not None and user.inputs is not None
        others = f"of {len(sent)}" if len(sent) > 1 else ""
        rows.append(
            (
                graph.name(node),
                phrases.short(flows[node]),
                f"{number(norm, 3)} {others}".strip(),
                phrases.definition(user, graph.name),
                graph.scope(user),
            )
        )
        node = user
    rows.append((graph.name(node), phrases.short(flows[node]), "seed", "", graph.scope(node)))
    header: tuple[str, ...] = ("node", "grad", "largest |sent|", "by", "module")
    if not any(row[4] for row in rows):
        header, rows = header[:4], [row[:4] for row in rows]
    return Table(header, tuple(reversed(rows)), right=(1, 2), yields=3)


def _sent(user: Node, slot: int, flows: Any) -> float | None:
    """The norm of what a node sends through a slot; None for nothing."""
    if flows.get(user) is None or slot not in engine.needed_slots(user):
        return None
    _, _, product = engine.pulled(user, flows[user], (slot,))[0]
    assert user.inputs is not None
    if product is None:
        return None
    given = engine.fitted(product, user.inputs[slot], create_graph=False)
    return size(given.dense() if hasattr(given, "dense") else getattr(given, "grad", given))


@command("hist", "hs", group="look", usage="hist [NODE|EXPR]", example=(*MATRIX, "end", "hist W"), argument="expression")
def hist(session: Session, argument: str) -> Sequence[View]:
    """Histograms of a node's numbers and gradient.

    Of any expression that gives an array, one. Alone: of the current node.
    """
    arrays = _arrays(session, argument)
    room = max(min(session.width - 40, BAR), 8)
    return [view for name, array in arrays for view in _histogram(name, array, room)]


def _arrays(session: Session, argument: str) -> list[tuple[str, Any]]:
    """(what it is, the numbers): of a node its value and its gradient, where that has arrived. Large arrays of a GPU are
    there, all else is here, as floats."""
    if not argument or argument not in session.variables and session.graph.select(argument):
        node, graph = node_or_current(session, argument)
        gradient = graph.gradient(node) if node.requires_grad else None
        found = [(graph.name(node), node.raw), (f"grad({graph.name(node)})", gradient)]
    else:
        value = session.evaluate(argument)
        graph = session.graph_of(value) if isinstance(value, Node) else session.graph
        found = [(argument, plain(value))]
        if isinstance(value, Node) and value in graph and value.requires_grad:
            found.append((f"grad({graph.name(value)})", graph.gradient(value)))
    arrays = []
    for name, raw in found:
        if raw is None or isinstance(raw, list):
            continue
        try:
            numbers = fetched(raw)
            arrays.append((name, np.asarray(numbers, dtype=float) if isinstance(numbers, np.ndarray) else numbers))
        except (TypeError, ValueError):
            raise CommandError(f"'{argument}' is no array of numbers") from None
    return arrays


def _histogram(name: str, array: Any, room: int) -> list[View]:
    found = statistics(array)
    summary = f"{name}: {brief(array)}"
    if not found.finite or found.low == found.high:
        return [Message(summary)]
    if found.counts:  # counted on the GPU
        counts, edges = np.array(found.counts), np.linspace(found.low, found.high, len(found.counts) + 1)
    else:
        counts, edges = np.histogram(array[np.isfinite(array)], bins=min(BINS, max(found.finite, 2)))
    most = counts.max()
    rows = tuple(
        (number(float(a), 3), number(float(b), 3), f"{amount:,}", "█" * max(round(room * amount / most), int(amount > 0)))
        for a, b, amount in zip(edges, edges[1:], counts)
    )
    zeros = f"{found.zeros / found.finite:.0%} are exactly 0" if found.zeros else ""
    return [Table(("from", "to", "count", ""), rows, summary=summary, footer=zeros, right=(0, 1, 2))]


@command("heat", "he", group="look", usage="heat [NODE|EXPR]", example=(*MATRIX, "end", "heat W"), argument="expression")
def heat(session: Session, argument: str) -> Sequence[View]:
    """Maps of a node's numbers and of its gradient.

    ░▓█ are positive, -=≡ negative, · is 0, ? nan and ! infinite; the scale ends at the largest size. Of an array with more
    than two axes, the first of each; `heat W[3]` picks. Large ones are shown by the largest of each block.
    """
    shown: list[View] = []
    for name, array in _arrays(session, argument):
        while array.ndim > 2:
            array, name = array[0], f"{name}[0]"
        found = statistics(array)
        top = max(abs(found.low), abs(found.high)) if found.finite else 0.0
        flat = array.reshape(1, -1) if array.ndim < 2 else array
        pooled = _pooled(flat, ROWS, max(session.width - 2, 8))
        by = "" if pooled.shape == flat.shape else f", blocks of {-(-array.size // max(pooled.size, 1))} or so"
        shown.append(Message(f"{name}: {brief(array)}; █ = {number(top, 3)}{by}"))
        shown.append(Echo("\n".join("".join(_cell(x, top) for x in row) for row in pooled.tolist())))
    return shown


@at_home
def _pooled(array: Any, rows: int, columns: int) -> np.ndarray:
    """The array in at most so many rows and columns: of each block the number that is largest in size. Found where the array
    is, and fetched then."""
    down, across = (max(1, -(-n // most)) for n, most in zip(array.shape, (rows, columns)))
    if down == across == 1:
        return host(array)
    xp = BACKENDS[type(array)]
    high, wide = (-(-n // each) for n, each in zip(array.shape, (down, across)))
    filled = xp.zeros((high * down, wide * across), "float64")  # a 0 is never the largest, unless all are
    filled[: array.shape[0], : array.shape[1]] = array
    blocks = filled.reshape(high, down, wide, across).swapaxes(1, 2).reshape(high, wide, down * across)
    largest = xp.argmax(xp.where(xp.isnan(blocks), math.inf, abs(blocks)), axis=-1)
    return host(xp.take_along_axis(blocks, xp.expand_dims(largest, -1), -1)[..., 0])


def _cell(x: float, top: float) -> str:
    if math.isnan(x):
        return "?"
    if math.isinf(x):
        return "!"
    if x == 0 or top == 0:
        return ZERO
    return (POSITIVE if x > 0 else NEGATIVE)[min(int(3 * abs(x) / top), 2)]
