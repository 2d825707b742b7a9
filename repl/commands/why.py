"""Why is the gradient what it is: as a sum over paths; guessed before it is shown; measured by a small change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import Value
from minitorch.core import paths
from minitorch.core.node import Node
from minitorch.core.replay import replay
from minitorch.core.zoom import unfold
from repl import elements, phrases, stopview
from repl.branches import Branch
from repl.commands.move import EXAMPLE, step
from repl.graph import Graph
from repl.phrases import brief, count, received, slope
from repl.registry import CommandError, command
from repl.views import Facts, Message, Table, View
from viz.format import host, number
from viz.wording import factor

if TYPE_CHECKING:
    from repl.engine import Session

SHOWN = 8  # paths
MEASURED = 5  # elements of an array that `check` changes
TERMS = 4  # of the sum that are written out
_ELEMENT = re.compile(r"(?P<node>.+)\[(?P<index>[-\d,\s]+)\]")
MATRIX = (
    "x = tensor([[1.0, 2.0]])",
    "W = tensor([[0.5, -1.0], [0.25, 1.0]], requires_grad=True)",
    "L = (x @ W).tanh().sum()",
    "backward L",
)


@command(
    "why",
    group="teach",
    usage="why NODE[INDEX]",
    example=(*EXAMPLE, "why a"),
    argument="node",
)
def why(session: Session, argument: str) -> View:
    """Show a gradient as a sum over paths.

    Every way from the root down to NODE, the largest first: the product of the local derivatives along it. Their sum is
    the gradient. `why W[0,1]` asks for one element of a tensor, and the path goes from element to element. Of many paths
    the largest are listed, and what the others add up to; in large tensors, the largest that a search finds.
    """
    stepper = session.running()
    if not argument:
        raise CommandError("why what? a Value, or an element of a tensor: `why W[0,1]`")
    node, index = _element(session, argument)
    graph = session.graph
    root = stepper.root
    if isinstance(root, Value) and isinstance(node, Value) and all(isinstance(x, Value) for x in graph.nodes):
        top, bottom = root, node
    else:
        taken_apart = _unfolded(graph, root, node, index)
        if taken_apart is None:
            return _searched(session, node, index or ())
        top, bottom = taken_apart
        graph = Graph.behind([top], {})
    name, top_name = graph.name(bottom), session.graph.name(root)
    found = paths.why(top, bottom, SHOWN)
    if not found.count:
        return Message(f"no gradient flows from {top_name} to {name}: there is no path")
    listed = [path for path in found.paths if path.product != 0.0] or list(found.paths[:1])
    rows = [(number(path.product), _product(path), _way(path, graph, top_name if top is not root else "")) for path in listed]
    terms = [number(path.product) if not position else factor(path.product) for position, path in enumerate(listed)]
    rest = found.count - len(listed)
    if rest or len(terms) > TERMS:
        sum_text = f"the sum over {count(found.count, 'path')} = {number(found.total)}"
    else:
        sum_text = " + ".join(terms) + (f" = {number(found.total)}" if len(terms) > 1 else "")
    summary = f"{slope(top_name, name)} = {sum_text}"
    footer = f"{count(rest, 'smaller path')} more {_adding(found, listed, rest)}" if rest else ""
    seed = stepper.flow(root)
    if seed is not None and np.ndim(phrases.plain(seed)) == 0 and (began := float(host(phrases.plain(seed)))) != 1.0:
        footer += f"{'; ' if footer else ''}the pass began with {number(began)}, which multiplies all of it"
    return _paths(summary, rows, footer)


def _adding(found: paths.Why, listed: Sequence[paths.Path], amount: int) -> str:
    """What the paths that are not listed come to; nothing but rounding is told as nothing."""
    rest = found.total - sum(path.product for path in listed)
    largest = max((abs(path.product) for path in listed), default=0.0)
    add = "adds" if amount == 1 else "add"
    return f"{add} nothing" if abs(rest) < 1e-12 * largest else f"{add} {number(rest)}"


def _element(session: Session, argument: str) -> tuple[Node, tuple[int, ...] | None]:
    """The node that an argument names, and the index of the element it asks for."""
    graph = session.graph
    found = _ELEMENT.fullmatch(argument)
    if found and argument not in graph.by_name and (graph.select(found["node"]) or found["node"] in session.variables):
        node, _ = session.node(found["node"])
        index = tuple(int(part) for part in found["index"].replace(" ", "").strip(",").split(","))
    else:
        node, index = session.node(argument)[0], None
    if node not in graph:
        raise CommandError(f"{argument} has no part in the pass of {graph.name(session.running().root)}")
    shape = getattr(node.raw, "shape", ())
    if index is None and np.size(node.raw) > 1:
        zeros = ",".join("0" for _ in shape)
        raise CommandError(f"{graph.name(node)} has {node.raw.size} elements; name one, as `why {argument}[{zeros}]`")
    if index is None:
        return node, (0,) * len(shape) if shape else None
    if len(index) != len(shape) or any(not -size <= i < size for i, size in zip(index, shape)):
        raise CommandError(
            f"{graph.name(node)} has shape {phrases.shape_text(shape)}; [{found['index'] if found else ''}] is outside it"
        )
    return node, tuple(i % size for i, size in zip(index, shape))


def _unfolded(graph: Graph, root: Node, node: Node, index: tuple[int, ...] | None) -> tuple[Value, Value] | None:
    """The Values that the root and the element stand for; None where they are too many."""
    try:
        zoomed = unfold(root, graph.names)
    except ValueError:
        return None
    top, bottom = zoomed[root].reshape(-1)[0], zoomed[node][index or ()]
    if not isinstance(top, Value) or not isinstance(bottom, Value):
        raise CommandError(f"{graph.name(node)} is no number with a gradient")
    return top, bottom


def _searched(session: Session, node: Node, index: tuple[int, ...]) -> View:
    """The largest paths that a search through large tensors finds."""
    graph, stepper = session.graph, session.running()
    assert session.branches is not None
    flows = session.branches.current.gradients()
    name, top = _at(graph.name(node), index), graph.name(stepper.root)
    flow = flows.get(node)
    if flow is None or not node.requires_grad:
        return Message(f"no gradient flows from {top} to {name}: there is no path")
    total = float(host(phrases.plain(flow)[index]))
    try:
        trails, complete = elements.largest(graph, flows, stepper.root, node, index, SHOWN)
    except (ValueError, RuntimeError, NotImplementedError) as error:
        raise CommandError(f"its paths cannot be followed ({error}); `check {name}` measures the gradient instead") from None
    summary = f"{slope(top, name)} = {number(total)}"
    if not trails:
        return Message(f"{summary}: on every path a factor is 0")
    seed = float(host(phrases.plain(flows[stepper.root])).reshape(-1)[0])
    rows = []
    for trail in trails:
        way = [name, *(_at(graph.name(hop.node), hop.index) for hop in trail.hops)][::-1]
        locals_ = [hop.local for hop in reversed(trail.hops)]
        rows.append((number(trail.product * seed), _factors(locals_), _shortened(way)))
    listed = sum(trail.product for trail in trails) * seed
    footer = f"of more paths than can be counted, the largest that a search found; all others add {number(total - listed)}"
    return _paths(summary, rows, "" if complete else footer)


def _paths(summary: str, rows: list[tuple[str, str, str]], footer: str) -> Table:
    return Table(("product", "factors", "path"), tuple(rows), summary, footer, right=(0,), yields=2, spare=1)


def _at(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _product(path: paths.Path) -> str:
    """The local derivatives of a path; of many those that are not 1, and at most a few."""
    return _factors([edge.local for edge in path.edges])


def _factors(locals_: list[float]) -> str:
    if len(locals_) > 3:
        locals_ = [local for local in locals_ if local != 1.0] or [1.0]
    if len(locals_) > 4:
        return f"{_times(locals_[:3])} × … ({len(locals_) - 3} more)"
    return _times(locals_)


def _times(locals_: list[float]) -> str:
    return " × ".join([number(local) if not i else factor(local) for i, local in enumerate(locals_)]) or "1"


def _way(path: paths.Path, graph: Graph, top: str) -> str:
    """`L → e → a`, or where that is long its beginning and its end."""
    names = [graph.name(edge.node) for edge in path.edges]
    if top and names:
        names[0] = top
    if path.edges:
        last = path.edges[-1]
        assert last.node.inputs is not None
        names.append(graph.name(last.node.inputs[last.slot]))
    return _shortened(names)


def _shortened(names: list[str]) -> str:
    if len(names) > 7:
        names = [*names[:3], f"… {len(names) - 6} more …", *names[-3:]]
    return " → ".join(names)


@command(
    "predict",
    "pr",
    group="teach",
    usage="predict [EXPR]",
    example=(*EXAMPLE, "step 2", "predict", "predict 1.0 * b.data"),
    argument="expression",
)
def predict(session: Session, argument: str) -> Sequence[View]:
    """Guess the next contribution before it is shown.

    Alone: the question. With your answer (a number, or Python), the pass takes the step and tells whether you were right.
    """
    stepper, graph = session.running(), session.graph
    ahead = stepper.peek()
    if ahead is None:
        raise CommandError("the pass is complete: there is nothing left to predict; `start` goes back")
    node, slot = ahead
    assert node.inputs is not None and node.op is not None
    target = node.inputs[slot]
    if not argument:
        facts = [("next", stopview.coming(graph)), (received(graph.name(node)), f"{brief(stepper.flow(node))}, known")]
        facts += [
            (label, f"{shown} = {brief(x)}")
            for label, shown, x in zip(node.op.labels(len(node.inputs)), phrases.operands(node, graph.name), node.inputs)
        ]
        shape = phrases.shaped(target)
        what = f"an array of shape {phrases.shape_text(target.raw.shape)}" if shape else "a number"
        question = (
            f"what does {graph.name(node)} hand on to {graph.name(target)}? answer with `predict {what.split()[1].upper()}`"
        )
        return [Facts("", tuple(facts), question)]
    guess = phrases.plain(session.evaluate(argument))
    if not isinstance(guess, (int, float)) and not hasattr(guess, "shape"):
        try:
            guess = np.asarray(guess, dtype=float)
        except (TypeError, ValueError):
            raise CommandError(f"'{argument}' is neither a number nor an array") from None
    shown = step(session, "")
    last = stepper.last
    assert last is not None
    right = _close(guess, last.contribution)
    session.predictions = (session.predictions[0] + right, session.predictions[1] + 1)
    score = f"{session.predictions[0]} of {session.predictions[1]} right"
    if right:
        verdict = Message(f"right: {brief(last.contribution)}   ({score})", "plain")
    else:
        verdict = Message(f"not quite: you said {brief(guess)}, it is {brief(last.contribution)}   ({score})", "warning")
    return [verdict, *(shown if isinstance(shown, Sequence) else [shown])]


def _close(guess: Any, actual: Any) -> bool:
    if actual is None:
        return False
    try:
        a, b = np.asarray(host(guess), float), np.asarray(host(actual), float)
        return bool(np.allclose(a, b, rtol=5e-3, atol=1e-6)) and (a.shape == b.shape or a.size == 1)
    except ValueError:
        return False


@command(
    "check",
    "ck",
    group="teach",
    usage="check [NODE[INDEX]]",
    example=(*MATRIX, "check W", "check W[1,0]"),
    argument="node",
)
def check(session: Session, argument: str) -> View:
    """Measure a gradient by a small change of NODE.

    The recorded operations are computed again with NODE a step higher and a step lower; the difference of the two results,
    divided by the two steps, must be the gradient. Of a tensor, the elements with the largest gradients; `check W[0,1]` one.
    Alone: the node that was reached last. Where an operation has a kink (relu at 0, max), the two may rightly differ.
    """
    stepper, graph = session.running(), session.graph
    branch = session.branches.current if session.branches is not None else Branch("", stepper)
    found = _ELEMENT.fullmatch(argument) if argument not in graph.by_name else None
    if not argument:
        node, indices = (stepper.last.input if stepper.last is not None else stepper.root), None
    elif found and (graph.select(found["node"]) or found["node"] in session.variables):
        node, index = _element(session, argument)
        indices = [index or ()]
    else:
        node, indices = session.node(argument)[0], None
    name = graph.name(node)
    if node not in graph:
        raise CommandError(f"{argument} has no part in the pass of {graph.name(stepper.root)}")
    if not node.requires_grad or node is not stepper.root and not stepper.arrivals(node)[1]:
        raise CommandError(f"no gradient flows from {graph.name(stepper.root)} to {name}")
    if node is stepper.root:
        return Message(f"{name} is the root: its gradient is 1 by definition")
    gradient = host(branch.gradients()[node])
    if indices is None:
        order = np.argsort(-abs(np.nan_to_num(gradient)).reshape(-1), kind="stable")[:MEASURED]
        indices = [tuple(int(i) for i in np.unravel_index(at, gradient.shape)) for at in order] if gradient.shape else [()]
    rows, wrong = [], 0
    for index in indices:
        measured, step_size, noise = _measured(stepper.root, node, index)
        exact = float(gradient[index])
        error = abs(measured - exact)
        good = error <= noise + 1e-4 * abs(exact) + 1e-9
        wrong += not good
        label = f"{name}[{','.join(map(str, index))}]" if index else name
        rows.append(
            (label, number(exact), number(measured), f"{step_size:.2g}", f"{error:.1e}", "agrees" if good else "DIFFERS")
        )
    what = "gradient and measurement agree" if not wrong else f"{wrong} of {len(rows)} differ"
    footer = "a kink within the step, a rule that is wrong, or a wrong algorithm (`rule right`)" if wrong else ""
    header = ("of", "gradient", "measured", "step", "error", "")
    return Table(header, tuple(rows), summary=f"∂{graph.name(stepper.root)}/∂{name}: {what}", footer=footer, right=(1, 2, 3, 4))


def _measured(root: Node, node: Node, index: tuple[int, ...]) -> tuple[float, float, float]:
    """The central difference in one element, the step, and the error that rounding alone may cause."""
    dtype = getattr(node.raw, "dtype", np.dtype("float64"))
    tops = []
    eps = float(np.finfo(min(dtype, getattr(root.raw, "dtype", dtype), key=lambda d: d.itemsize)).eps)
    at = float(node.raw if isinstance(node.raw, float) else host(node.raw[index]))
    step_size = eps ** (1 / 3) * max(abs(at), 1.0)
    moved = []
    for sign in (1.0, -1.0):
        changed: Any = at + sign * step_size
        if not isinstance(node.raw, float):
            changed = host(node.raw).copy()
            changed[index] = at + sign * step_size
            moved.append(float(changed[index]))
        else:
            moved.append(changed)
        tops.append(float(host(replay(root, {node: changed})[root].raw).reshape(-1)[0]))
    span = moved[0] - moved[1]
    size = max(abs(tops[0]), abs(tops[1]))
    curvature = step_size**2 * 10 * max(1.0, size)
    return (tops[0] - tops[1]) / span, step_size, 8 * eps * size / span + curvature
