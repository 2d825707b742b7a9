"""Begin a pass, and move through it in both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from minitorch import Stepper
from minitorch.core.node import Node
from repl import stopview
from repl.graph import Graph, held
from repl.movement import Ask, move
from repl.phrases import brief, count
from repl.registry import CommandError, command
from repl.stops import Condition, arrived_at, surroundings
from repl.views import Message, View

if TYPE_CHECKING:
    from repl.engine import Session

EXAMPLE = ("a = Value(2.0)", "b = Value(-3.0)", "L = a * b + a", "backward L")
MODULE = (
    "net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())",
    "L = net(tensor([[1.0, 2.0]])).sum()",
    "backward L",
    "next",
    "finish",
)
AT_END = "the pass is complete; `rstep` goes back into it, `start` to its beginning"
AT_START = "this is the start of the pass; there is nothing to take back"


@command("backward", "bw", group="begin", usage="backward EXPR", example=EXAMPLE, argument="expression")
def backward(session: Session, argument: str) -> Sequence[View]:
    """Pause at the start of EXPR's backward pass.

    EXPR is anything that gives one number with a graph behind it: a variable, or a sum computed on the spot. Nothing has
    moved yet: `step` and `next` carry the gradient on, `continue` runs. The leaves get their .grad when the pass ends.
    """
    if not argument:
        roots = [name for name, x in session.variables.items() if isinstance(x, Node) and x.op is not None]
        raise CommandError(f"backward of what? for example `backward {roots[-1] if roots else 'L'}`")
    stepper = session.evaluate(argument, lambda value: _node(value, argument), partial(Stepper, limit=session.memory))
    notes: list[View] = []
    left = session.stepper
    if left is not None and 0 < left.position < len(left):
        notes.append(Message(f"left the pass of {session.expression} at {left.position}/{len(left)}; it gave out no .grad"))
    session.begin(stepper, argument)
    stale = [node for node in session.graph.nodes if node.is_leaf and node.requires_grad and held(node) is not None]
    if stale:
        notes.append(Message(_stale(session.graph, stale), "warning"))
    return [*notes, *session.at_stop(stopview.stop(session.graph, "start"))]


def _node(value: object, expression: str) -> Node:
    if not isinstance(value, Node):
        raise CommandError(f"'{expression}' is a {type(value).__name__}; a backward pass starts at a Value or a Tensor")
    return value


def _stale(graph: Graph, nodes: Sequence[Node]) -> str:
    named = ", ".join(f"{graph.name(node)}.grad = {brief(held(node))}" for node in nodes[:3])
    more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
    return f"{named}{more} from an earlier pass: this one adds to it (zero it with {graph.name(nodes[0])}.grad = None)"


@command("step", "s", group="move", usage="step [N]", example=(*EXAMPLE, "step"), repeats=True)
def step(session: Session, argument: str) -> View | Sequence[View]:
    """Carry the gradient over one edge (N edges).

    One contribution: the gradient that arrived at a node, times the local derivative, added to what the input has so far.
    """
    stepper, wanted = session.running(), _count(argument, "step")
    if stepper.finished:
        return _onwards(session)
    return _moved(session, stepper, "step", Ask(_reached, [min(stepper.position + wanted, len(stepper))]))


@command("next", "n", group="move", usage="next [N]", example=(*EXAMPLE, "next"), repeats=True)
def next_(session: Session, argument: str) -> View | Sequence[View]:
    """Finish the current node (N nodes).

    Like `step`, but a whole operation at a time: every edge it has left.
    """
    stepper, wanted = session.running(), _count(argument, "next")
    if stepper.finished:
        return _onwards(session)
    return _moved(session, stepper, "next", Ask(_node_countdown(stepper, wanted)))


@command("rstep", "rs", group="back", usage="rstep [N]", example=(*EXAMPLE, "step 2", "rstep"), repeats=True)
def rstep(session: Session, argument: str) -> View | Sequence[View]:
    """Take the last edge back (N edges).

    The gradient that stood there before is put back, bit for bit; at the end of the pass the leaves lose the .grad it
    gave them.
    """
    stepper, wanted = session.running(), _count(argument, "rstep")
    return _moved(session, stepper, "back", Ask(_reached, [max(stepper.position - wanted, 0)]))


@command("rnext", "rn", group="back", usage="rnext [N]", example=(*EXAMPLE, "next 2", "rnext"), repeats=True)
def rnext(session: Session, argument: str) -> View | Sequence[View]:
    """Go back to the start of the node (N nodes).

    In the middle of a node, to its first edge; at its first edge, to the node before.
    """
    stepper, wanted = session.running(), _count(argument, "rnext")
    return _moved(session, stepper, "back", Ask(_node_countdown(stepper, wanted)))


@command("continue", "c", "cont", group="move", usage="continue", example=(*EXAMPLE, "break mul_1", "continue"), repeats=True)
def continue_(session: Session, argument: str) -> View | Sequence[View]:
    """Run to the next breakpoint, or to the end.

    In a script (`minitorch debug`), `continue` at the end of the pass lets the script go on; it pauses again where a
    breakpoint is hit in a later pass.
    """
    _nothing(argument, "continue")
    if session.stepper is None and session.script:  # minitorch.set_trace(), outside any pass
        return _leave(session, pause=True)
    stepper = session.running()
    if stepper.finished:
        if session.script:
            return _leave(session, pause=False)
        raise CommandError(AT_END)
    return _moved(session, stepper, "at", session.stops.watch(session.graph, session.variables))


@command(
    "rcontinue", "rc", group="back", usage="rcontinue", example=(*EXAMPLE, "break mul_1", "end", "rcontinue"), repeats=True
)
def rcontinue(session: Session, argument: str) -> View | Sequence[View]:
    """Run back to the breakpoint before, or the start."""
    _nothing(argument, "rcontinue")
    stepper = session.running()
    return _moved(session, stepper, "back", session.stops.watch(session.graph, session.variables))


@command("until", "u", group="move", usage="until SEL|EXPR", example=(*EXAMPLE, "until a"), argument="node")
def until(session: Session, argument: str) -> View | Sequence[View]:
    """Run until a node comes up, or EXPR is true.

    SEL picks nodes (help selectors). A node comes up when its gradient is complete and its own edges are next; a
    leaf, when its last contribution arrives. EXPR may use `grad`, `value`, `step`, `norm`, `name`, `op` of the node
    that comes up, and your variables: `until norm > 10`.
    """
    stepper = session.running()
    if not argument:
        raise CommandError("until what? a node (`until mul_1`) or a condition (`until norm > 10`)")
    if stepper.finished:
        raise CommandError(AT_END)
    graph = session.graph
    nodes = set(graph.select(argument))
    if nodes:

        def reached() -> list[str]:
            return [f"reached {graph.name(node)}" for node in arrived_at(stepper) if node in nodes]

        places = sorted({place for node in nodes for place in graph.comes_up(node)})
        return _moved(session, stepper, "at", Ask(reached, places))
    if graph.is_selector(argument) and argument not in session.namespace:
        raise CommandError(graph.missing(argument))
    condition = Condition.parse(argument)
    variables = session.variables

    def met() -> list[str]:
        for node in arrived_at(stepper):
            try:
                if condition.holds(surroundings(stepper, graph, node, variables)):
                    return [f"{argument} at {graph.name(node)}"]
            except Exception as error:  # the user's expression may raise anything
                return [f"'{argument}' could not be asked: {type(error).__name__}: {error}"]
        return []

    return _moved(session, stepper, "at", Ask(met))


@command("finish", "fin", group="move", usage="finish", example=MODULE, repeats=True)
def finish(session: Session, argument: str) -> View | Sequence[View]:
    """Run until the pass leaves the current module.

    For nodes made inside an `nn.Module`: `list` and `where` show the module's path. Breakpoints inside it stop the run.
    """
    _nothing(argument, "finish")
    stepper = session.running()
    graph, here = session.graph, stepper.node
    if here is None:
        raise CommandError(AT_END)
    scope = graph.scope(here)
    if not scope:
        raise CommandError(
            f"{graph.name(here)} was made outside any module; `next` finishes the node, `continue` runs on"
        )

    breaks = session.stops.watch(session.graph, session.variables)

    def left() -> list[str]:
        node = stepper.node
        outside = node is None or not (graph.scope(node) + ".").startswith(scope + ".")
        return [f"left {scope}"] if outside else breaks.reasons()

    return _moved(session, stepper, "at", Ask(left))


@command("rfinish", "rfin", group="back", usage="rfinish", example=(*MODULE[:3], "end", "rfinish"), repeats=True)
def rfinish(session: Session, argument: str) -> View | Sequence[View]:
    """Go back to where the pass came into the module.

    To the first of its nodes; from there, to where it came into the module before. Breakpoints on the way stop it.
    """
    _nothing(argument, "rfinish")
    stepper = session.running()
    graph, last = session.graph, stepper.last
    if last is None:
        raise CommandError(AT_START)
    scope = graph.scope(last.node)
    if not scope:
        raise CommandError(f"{graph.name(last.node)} was made outside any module; `rnext` goes back one node")
    breaks = session.stops.watch(session.graph, session.variables)

    def entered() -> list[str]:
        last = stepper.last
        outside = last is None or not (graph.scope(last.node) + ".").startswith(scope + ".")
        return [f"came into {scope} here"] if outside else breaks.reasons()

    return _moved(session, stepper, "back", Ask(entered))


@command("goto", "g", group="move", usage="goto K|NODE", example=(*EXAMPLE, "goto 3"), argument="node")
def goto(session: Session, argument: str) -> View | Sequence[View]:
    """Go to step K, or to NODE, forward or back.

    `goto 3` is the position after three contributions; `goto mul_1` the one where mul_1 is about to send its first.
    """
    stepper = session.running()
    if not argument:
        raise CommandError(f"goto where? a step from 0 to {len(stepper)}, or a node")
    if argument.lstrip("-").isdigit():
        target = int(argument)
        if not 0 <= target <= len(stepper):
            raise CommandError(f"there is no step {target}: this pass has 0 (its start) to {len(stepper)} (its end)")
    else:
        node, graph = session.node(argument)
        if session.graph.number(node) is None:
            raise CommandError(
                f"{graph.name(node)} sends nothing on in this pass; `until {argument}` stops when its gradient is complete"
            )
        target = session.graph.first(node)
    return _go(session, stepper, target)


@command("start", group="back", usage="start", example=(*EXAMPLE, "step 2", "start"))
def start(session: Session, argument: str) -> View | Sequence[View]:
    """Go back to the start of the pass."""
    _nothing(argument, "start")
    return _go(session, session.running(), 0)


@command("end", group="move", usage="end", example=(*EXAMPLE, "end"))
def end(session: Session, argument: str) -> View | Sequence[View]:
    """Go to the end, past every breakpoint."""
    _nothing(argument, "end")
    stepper = session.running()
    return _go(session, stepper, len(stepper))


@command(
    "restart", "run", group="begin", usage="restart", example=(*EXAMPLE, "step", "a = Value(5.0)", "L = a * b + a", "restart")
)
def restart(session: Session, argument: str) -> Sequence[View]:
    """Begin the pass again, computed afresh.

    What the pass has done is taken back first, the .grad of the leaves included. Breakpoints stay.
    """
    _nothing(argument, "restart")
    stepper = session.running()
    stepper.goto(0)
    if not session.expression:
        return [stopview.stop(session.graph, "start")]
    return backward(session, session.expression)


def _go(session: Session, stepper: Stepper, target: int) -> Sequence[View]:
    back = target < stepper.position
    if target == stepper.position:
        how = "start" if target == 0 else "end" if stepper.finished else "at"
        return session.at_stop(stopview.stop(session.graph, how, script=session.script))  # type: ignore[arg-type]
    how = "back" if back else "step" if target - stepper.position == 1 else "at"
    return _moved(session, stepper, how, Ask(_reached, [target]))


def _moved(session: Session, stepper: Stepper, how: str, ask: Ask) -> Sequence[View]:
    """Move, and show where that led."""
    back = how == "back"
    if back and not stepper.position:
        raise CommandError(AT_START)
    contributions, moved, reasons = move(session, stepper, ask, back=back)
    reasons = [reason for reason in reasons if reason != "reached"]
    if how in ("step", "next"):
        contributions = [c for c in contributions if c.node is contributions[-1].node]
    if stepper.finished:
        how, contributions = "end", contributions if how in ("step", "next") else []
    elif back and moved > 1 and stepper.position:
        how = "at"
        reasons = [f"went back {count(moved, 'step')}", *reasons]
    elif not stepper.position:
        how, contributions = "start", []
        reasons = ["back at the start", *reasons]
    stopped = stopview.stop(session.graph, how, contributions, reasons, moved, script=session.script)  # type: ignore[arg-type]
    return session.at_stop(stopped)


def _reached() -> list[str]:
    """The reason to stop at a place that was asked for."""
    return ["reached"]


def _node_countdown(stepper: Stepper, wanted: int) -> Callable[[], list[str]]:
    """A reason to stop at the `wanted`-th border between two nodes."""
    left = [wanted]

    def done() -> list[str]:
        last = stepper.last
        if last is None or last.node is not stepper.node:
            left[0] -= 1
        return ["reached"] if left[0] == 0 else []

    return done


def _onwards(session: Session) -> View:
    """`step` or `next` at the end: in a script, on to the next pass."""
    if session.script:
        return _leave(session, pause=True)
    raise CommandError(AT_END)


def _leave(session: Session, pause: bool) -> View:
    session.leaving, session.pause_next = "resume", pause
    session.end_pass()
    if pause:
        return Message(f"{session.script} goes on to its next backward()")
    armed = len(session.stops.active)
    if session.when is not None:
        return Message(f"{session.script} goes on to a backward() when {session.when.text}")
    where = "a breakpoint" if armed == 1 else f"one of {armed} breakpoints"
    how = f"it pauses where {where} is hit" if armed else "nothing will pause it"
    return Message(f"{session.script} goes on; {how}")


def _count(argument: str, name: str) -> int:
    if not argument:
        return 1
    if not argument.isdigit() or int(argument) < 1:
        raise CommandError(f"{name} takes a count, like `{name} 3`, not '{argument}'")
    return int(argument)


def _nothing(argument: str, name: str) -> None:
    if argument:
        raise CommandError(f"{name} takes no argument (Python? `!{name} {argument}`)")
