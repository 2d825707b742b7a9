"""Session: what a line does. `execute(line)` gives a Result, plain data; no terminal is involved.

prompt_toolkit, batch mode, the debugger inside a script, and the tests all drive a session through this one method.
"""

from __future__ import annotations

import ast
import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import repl.commands  # noqa: F401  the commands enter themselves in the registry
from minitorch import Stepper
from minitorch.core import modes
from minitorch.core.node import Node
from repl import blocks, echo, stopview, views
from repl.branches import Branch, Branches
from repl.dispatch import Line, dispatch
from repl.edits import Edits, Kept, World, may_edit
from repl.graph import Graph, behind, nameable
from repl.mistakes import failed, refused, unknown_name
from repl.namespace import tools
from repl.pictures import Live, Look
from repl.python import Interpreter, Lazy, Names
from repl.record import Recorder
from repl.registry import REGISTRY, CommandError
from repl.screen import Screen
from repl.stops import Condition, Stops
from repl.views import Message, Result, View

MEMORY = 2 * 10**9  # bytes


class Session:
    """Variables, at most one paused backward pass, and breakpoints.

    Args:
        namespace: the variables to begin with (a script's, in `minitorch debug`).
        script: the name of the script that waits for this session, "" in a session of its own.
        folder: where a session that only shows an example puts its files, "" for the current folder.
    """

    def __init__(self, namespace: dict[str, Any] | None = None, script: str = "", folder: str = "") -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        self.brought = tools()
        self.namespace.update(self.brought)
        self.namespace.update(namespace or {})
        self.script = script
        self.run_as: dict[str, Any] = {}
        """How `minitorch debug` was called, for a recording to run the script again."""
        self.folder = folder
        self.width = 80
        self.interpreter = Interpreter(self.namespace)
        self.branches: Branches | None = None
        self.outside: list[Branches] = []
        """The passes around the present one, which is a zoom into one of their nodes."""
        self.expression = ""
        self.stops = Stops()
        self.lines: list[str] = []
        self.leaving: Literal["", "quit", "resume", "detach", "abort"] = ""
        self.interrupted = False
        self.pause_next = False
        """The script shall pause again at its next backward()."""
        self.ended = False
        """The script has ended in an exception: nothing goes on."""
        self.aliases: dict[str, str] = {}
        self.memory: int | None = MEMORY
        """Bytes that the way back through a pass may take, None for any."""
        self.recorder: Recorder | None = None
        self.loading = 0
        """How many files are being carried out, one inside the other."""
        self.when: Condition | None = None
        """At which passes of the script to pause, besides where a breakpoint is hit."""
        self.predictions = (0, 0)
        """How many answers to `predict` were right, and how many there were."""
        self.edits = Edits()
        self.look = Look()
        self.live: Live | None = None
        self._repeat = ""
        self._graph: tuple[dict[str, Any], Graph] | None = None  # and the variables that named it

    # Asked by the frontends

    def execute(self, text: str) -> Result:
        """Carry out one command or one piece of Python."""
        if not text.strip():
            if not self._repeat:
                return Result(text)
            text = self._repeat
        else:
            self.lines.append(text)
        self.interrupted = False
        self.leaving = ""
        recorder = self.recorder
        try:
            line = self.dispatch(text)
        except CommandError as error:
            return refused(text, error)
        result = self._command(line, text) if line.kind == "command" else self._python(line, text)
        if line.hint:
            result.views.append(Message(line.hint, "hint"))
        result.leave = self.leaving
        if self.live is not None:
            self._follow(result)
        if recorder is not None and recorder is self.recorder and not self.loading:
            from repl.render import plain_text

            recorder.note(result, plain_text(result.views, Screen()))
        return result

    def execute_all(self, text: str) -> Iterator[Result]:
        """Carry out pasted or piped text, statement by statement; ends after the first that fails or leaves."""
        if not text.strip():
            yield self.execute(text)
        for piece in blocks.blocks(text.split("\n"), self.is_command):
            result = self.execute(piece)
            yield result
            if not result.ok or result.leave:
                return

    def dispatch(self, text: str) -> Line:
        """Whether a line is a command or Python."""
        return dispatch(self._unaliased(text), REGISTRY, self.variables, Lazy(lambda: dict.fromkeys(self.graph.given)))

    def _unaliased(self, text: str) -> str:
        """A line with the alias it begins with written out."""
        word, _, rest = text.strip().removeprefix(":").partition(" ")
        if word not in self.aliases or word in self.variables or rest.lstrip()[:1] == "=":
            return text
        return f":{self.aliases[word].removeprefix(':')} {rest}".rstrip()

    def is_command(self, text: str) -> bool:
        """Whether a line would be carried out as a command."""
        try:
            return self.dispatch(text).kind == "command"
        except CommandError:
            return True

    def needs_more(self, text: str) -> bool:
        """Whether Enter after this text should open another line."""
        return blocks.needs_more(text, self.is_command)

    def interrupt(self) -> None:
        """Ctrl-C during a movement: stop at the next step."""
        self.interrupted = True

    # Asked by the commands

    @property
    def variables(self) -> dict[str, Any]:
        """What the user has bound: without what the session brought along, and without Python's own names."""
        return {
            name: value
            for name, value in self.namespace.items()
            if not name.startswith("_") and self.brought.get(name, self) is not value
        }

    def path(self, name: str) -> str:
        """The file that a name stands for."""
        return os.path.join(self.folder, name)

    @property
    def stepper(self) -> Stepper | None:
        """The pass: the current branch's."""
        return self.branches.current.stepper if self.branches is not None else None

    @property
    def graph(self) -> Graph:
        """The graph of the pass; without one, everything behind the user's variables."""
        variables = self.variables
        naming = {name: value for name, value in variables.items() if nameable(value)}
        known = self._graph
        if known is None or known[1].stepper is not self.stepper or not known[1].named_by(known[0], naming):
            if self.branches is not None:
                branch = self.branches.current
                if branch.nodes is None:
                    branch.nodes = behind([branch.stepper.root])
                graph = Graph(branch.nodes, variables, branch.stepper, branch.named)
            else:
                graph = Graph.behind([value for value in variables.values() if isinstance(value, Node)], variables)
            self._graph = (naming, graph)
        elif naming.keys() != known[0].keys() or any(known[0][name] is not value for name, value in naming.items()):
            self._graph = (naming, known[1])
        return self._graph[1]  # type: ignore[index]

    def graph_of(self, node: Node) -> Graph:
        """The graph in which to show a node: the pass, where it belongs to it, else the one behind it."""
        graph = self.graph
        return graph if node in graph else Graph.behind([node], self.variables)

    def begin(self, stepper: Stepper, expression: str) -> None:
        """Take up a pass. Of the one before, the current branch's nodes stay the ones that variables hold."""
        self._graph = None
        self.outside.clear()
        self.branches, self.expression, self._repeat = Branches(stepper), expression, ""

    def zoom(self, stepper: Stepper) -> None:
        """Take up a pass inside the present one, to which `unzoom` returns."""
        assert self.branches is not None
        self.outside.append(self.branches)
        self.branches, self._graph = Branches(stepper), None
        self.stops.disarm()

    def unzoom(self) -> None:
        """Back to the pass around this one."""
        self.branches, self._graph = self.outside.pop(), None
        self.stops.disarm()

    def end_pass(self) -> None:
        """Leave the pass, as the main branch has it."""
        while self.outside:
            self.unzoom()
        if self.branches is not None:
            self.switch(self.branches.all[0])
            self.branches.close()
        self.branches, self._graph = None, None

    def switch(self, branch: Branch) -> None:
        """Make a branch current; variables that hold one of its nodes' counterparts follow."""
        assert self.branches is not None
        before = self.branches.current
        self.branches.switch(branch)
        image = branch.image()
        for name, value in self.variables.items():
            if isinstance(value, Node):
                main = before.main(value)
                self.namespace[name] = image.get(main, main)
        self._graph = None
        self.stops.disarm()

    def at_stop(self, stopped: views.Stop) -> list[View]:
        """The display of a stop, with traces and displays."""
        return stopview.around(stopped, self.graph, self.stops, self.variables)

    def forget_graph(self) -> None:
        """Hold on to no node that only a display needed."""
        self._graph = None
        self.stops.disarm()
        self.namespace.pop("_", None)

    def running(self) -> Stepper:
        """The pass.

        Raises:
            CommandError: there is none.
        """
        if self.stepper is None:
            roots = [name for name, x in self.variables.items() if isinstance(x, Node) and x.op is not None]
            example = f"`backward {roots[-1]}`" if roots else "`backward L`, L being what you computed"
            raise CommandError(f"no backward pass is paused; start one with {example}")
        return self.stepper

    def evaluate(self, source: str, *then: Callable[[Any], Any]) -> Any:
        """The value of an expression in which nodes may be called by name; with `then`, what these make of it in turn.

        They are called from the user's expression, so that messages of the engine speak of the user's variables.

        Raises:
            CommandError: it cannot be evaluated, with Python's reason.
        """
        nodes = self._nodes_by_name()
        try:
            compile(source, "<expression>", "eval")
            hidden = {f"_then_{number}": function for number, function in enumerate(then)}
            wrapped = source
            for name in hidden:
                wrapped = f"{name}({wrapped}\n)"
            code = compile(wrapped, "<expression>", "eval")
        except (SyntaxError, ValueError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise CommandError(f"'{source}' is no Python expression: {reason}") from None
        try:
            with modes.inspect():
                return eval(code, self.namespace, Names(self.namespace, nodes, hidden))
        except CommandError:
            raise
        except NameError as error:
            raise CommandError(unknown_name(self, error)) from None
        except Exception as error:
            raise CommandError(str(error) if then else f"{type(error).__name__}: {error}") from None

    def node(self, text: str) -> tuple[Node, Graph]:
        """The node that a selector or an expression names, and the graph to show it in.

        Raises:
            CommandError: there is none, or there are several.
        """
        text = text.strip()
        value = self.variables.get(text)
        if isinstance(value, Node):
            return value, self.graph_of(value)
        graph = self.graph
        if graph.select(text):
            return graph.one(text), graph
        if graph.is_selector(text) and text not in self.namespace:
            raise CommandError(graph.missing(text))
        try:
            value = self.evaluate(text)
        except CommandError as error:
            raise CommandError(f"'{text}' names no node: {error}") from None
        if not isinstance(value, Node):
            raise CommandError(f"'{text}' is a {type(value).__name__}, not a Value or Tensor")
        return value, self.graph_of(value)

    # Inside

    def _command(self, line: Line, text: str) -> Result:
        assert line.command is not None
        if line.command.repeats:
            self._repeat = text
        kept = Kept.before(self, text) if line.command.edits else None
        try:
            with _collector_paused():
                shown = line.command.handler(self, line.text)
        except CommandError as error:
            return refused(text, error)
        except KeyboardInterrupt:
            return Result(text, False, "command", [Message("stopped by Ctrl-C", "warning")], exit_code=3)
        except Exception as error:  # e.g. the rule of a user's own operation raised while it was stepped on
            kind = "" if isinstance(error, RuntimeError) else f"{line.command.name} failed: {type(error).__name__}: "
            return Result(text, False, "command", [Message(f"{kind}{error}", "error")], exit_code=3)
        if kept is not None and not Kept.before(self, text).same(kept):
            self.edits.note(kept, self.memory)
        return Result(text, True, "command", [*shown] if isinstance(shown, Sequence) else [shown])

    def _python(self, line: Line, text: str) -> Result:
        ran_through: list[Node] = []
        kept = None
        if may_edit(line.text):
            kept = Kept.before(self, text, World.of(self.namespace, self.graph.leaves if self.stepper is not None else ()))

        def notice(root: Node, *_: Any) -> bool:
            if not ran_through:
                ran_through.append(root)
            return False

        before, modes.state.on_backward = modes.state.on_backward, notice
        try:
            with modes.inspect():
                outcome = self.interpreter.run(line.text, self._nodes_by_name())
        finally:
            modes.state.on_backward = before
        edited = self._edited(kept) if kept is not None else []
        if outcome.left is not None:
            self.leaving = "detach" if self.script else "quit"
            code = outcome.left.code
            if isinstance(code, str):  # sys.exit("what went wrong")
                return Result(text, True, "python", [Message(code)], exit_code=1)
            return Result(text, True, "python", exit_code=code or 0)
        if outcome.failure is not None:
            self.interrupted = outcome.failure.error == "KeyboardInterrupt"
            return failed(self, text, outcome.failure)
        shown: list[View] = [] if outcome.value is None else [echo.show(self, outcome.value)]
        if ran_through and calls_backward(line.text):
            shown.append(self._ran_through(ran_through[0]))
        return Result(text, True, "python", [*shown, *edited])

    def _edited(self, kept: Kept) -> list[View]:
        """Note what a line of Python changed; a warning where these are numbers that the paused pass was computed from."""
        assert kept.world is not None
        world = kept.world.changed()
        if not world:
            return []
        self.edits.note(replace(kept, world=world), self.memory)
        if self.stepper is None:
            return []
        graph = self.graph
        edited = [held.node for held in world.nodes if held.node in graph and held.other_numbers()]
        if not edited:
            return []
        named = ", ".join(map(graph.name, edited[:3])) + (f" and {len(edited) - 3} more" if len(edited) > 3 else "")
        sentence = (
            f"{named} changed in place, and what was computed from {'it' if len(edited) == 1 else 'them'} still has the old "
            f"numbers; `undo` puts {'it' if len(edited) == 1 else 'them'} back, and `set {graph.name(edited[0])} = ...` "
            "computes the rest again"
        )
        return [Message(sentence, "warning")]

    def _follow(self, result: Result) -> None:
        """Draw the picture that is being viewed again; where that fails, say so and view it no longer."""
        assert self.live is not None
        try:
            self.live.follow(self)
        except CommandError as error:
            self.live = None
            result.views.append(Message(f"the picture follows no longer: {error}", "warning"))

    def _ran_through(self, root: Node) -> Message:
        name = self.graph_of(root).name(root)
        return Message(f"the pass ran straight through; `backward {name}` pauses it, to be stepped", "hint")

    def _nodes_by_name(self) -> Mapping[str, Node]:
        return Lazy(lambda: self.graph.by_name)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Inside, Python does not look for garbage: a pass makes millions of objects, none of them garbage, and every look at
    them all would take longer than the pass."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def calls_backward(source: str) -> bool:
    """Whether a statement, and not a loop or a function in it, is a call of backward()."""
    return any(
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Attribute)
        and statement.value.func.attr == "backward"
        for statement in ast.parse(source).body
    )
