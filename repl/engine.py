"""Session: what a line does. `execute(line)` gives a Result, plain data; no terminal is involved.

prompt_toolkit, batch mode, the debugger inside a script, and the tests all drive a session through this one method.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import repl.commands  # noqa: F401  the commands enter themselves in the registry
from minitorch import Stepper, Value
from minitorch.core import modes
from minitorch.core.node import Node
from repl import blocks, echo, stopview, views
from repl.branches import Branch, Branches
from repl.dispatch import Line, dispatch
from repl.freshness import Fingerprints
from repl.graph import Graph, behind
from repl.namespace import tools
from repl.python import Interpreter, Names
from repl.record import Recorder
from repl.registry import REGISTRY, CommandError, did_you_mean
from repl.screen import Screen
from repl.stops import Condition, Display, Point, Stops
from repl.views import Message, Result, View

MEMORY = 2 * 10**9  # bytes


class Session:
    """Variables, at most one paused backward pass, and breakpoints.

    Args:
        namespace: the variables to begin with (a script's, in `minitorch debug`).
        script: the name of the script that waits for this session, "" in a session of its own.
    """

    def __init__(self, namespace: dict[str, Any] | None = None, script: str = "") -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        self.brought = tools()
        self.namespace.update(self.brought)
        self.namespace.update(namespace or {})
        self.script = script
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
        self.aliases: dict[str, str] = {}
        self.memory: int | None = MEMORY
        """Bytes that the way back through a pass may take, None for any."""
        self.recorder: Recorder | None = None
        self.loading = 0
        """How many files are being carried out, one inside the other."""
        self.fingerprints: Fingerprints | None = None
        self.when: Condition | None = None
        """At which passes of the script to pause, besides where a breakpoint is hit."""
        self.predictions = (0, 0)
        """How many answers to `predict` were right, and how many there were."""
        self.done: list[Kept] = []
        """What `undo` puts back, the latest last."""
        self.undone: list[Kept] = []
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
        return dispatch(self._unaliased(text), REGISTRY, self.variables, self._nodes_by_name())

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

    @property
    def stepper(self) -> Stepper | None:
        """The pass: the current branch's."""
        return self.branches.current.stepper if self.branches is not None else None

    @property
    def graph(self) -> Graph:
        """The graph of the pass; without one, everything behind the user's variables."""
        variables = self.variables
        naming = {name: value for name, value in variables.items() if nameable(value)}
        if self._graph is None or self._graph[1].stepper is not self.stepper or not same_objects(self._graph[0], naming):
            if self.branches is not None:
                branch = self.branches.current
                graph = Graph(behind([branch.stepper.root]), variables, branch.stepper, branch.names)
            else:
                graph = Graph.behind([value for value in variables.values() if isinstance(value, Node)], variables)
            self._graph = (naming, graph)
        return self._graph[1]

    def graph_of(self, node: Node) -> Graph:
        """The graph in which to show a node: the pass, where it belongs to it, else the one behind it."""
        graph = self.graph
        return graph if node in graph.names else Graph.behind([node], self.variables)

    def begin(self, stepper: Stepper, expression: str) -> None:
        """Take up a pass. Of the one before, the current branch's nodes stay the ones that variables hold."""
        self._graph = None
        self.outside.clear()
        self.branches, self.expression, self._repeat = Branches(stepper), expression, ""
        self.fingerprints = None

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
        self.branches, self._graph, self.fingerprints = None, None, None

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

    def undo(self, kept: Kept) -> Kept:
        """Put breakpoints and branches back as they were; returns how they are now. Of a pass that has ended, the branches
        stay."""
        now = self.kept(kept.line)
        self.stops.restore(kept.stops)
        if self.branches is not None and kept.branches is not None and kept.of is self.branches.all[0].stepper:
            self.switch(kept.branches[1])
            self.branches.put_back(kept.branches)
        return now

    def kept(self, line: str) -> Kept:
        """What `undo` puts back, before a line is carried out."""
        branches = self.branches
        if branches is None:
            return Kept(line, self.stops.snapshot())
        return Kept(line, self.stops.snapshot(), branches.kept(), branches.all[0].stepper)

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
            raise CommandError(self._unknown_name(error) or str(error)) from None
        except Exception as error:
            raise CommandError(str(error) if then else f"{type(error).__name__}: {error}") from None

    def node(self, text: str) -> tuple[Node, Graph]:
        """The node that a selector or an expression names, and the graph to show it in.

        Raises:
            CommandError: there is none, or there are several.
        """
        text = text.strip()
        graph = self.graph
        value = self.variables.get(text)
        if isinstance(value, Node):
            return value, self.graph_of(value)
        if graph.select(text):
            return graph.one(text), graph
        if text.replace("_", "a").isalnum() and text not in self.namespace:
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
        kept = self.kept(text) if line.command.edits else None
        try:
            shown = line.command.handler(self, line.text)
        except CommandError as error:
            return refused(text, error)
        except KeyboardInterrupt:
            return Result(text, False, "command", [Message("stopped by Ctrl-C", "warning")], exit_code=3)
        except Exception as error:  # e.g. the rule of a user's own operation raised while it was stepped on
            kind = "" if isinstance(error, RuntimeError) else f"{line.command.name} failed: {type(error).__name__}: "
            return Result(text, False, "command", [Message(f"{kind}{error}", "error")], exit_code=3)
        if kept is not None and not self.kept(text).same(kept):
            self.undone.clear()
            self.done.append(kept)
        return Result(text, True, "command", [*shown] if isinstance(shown, Sequence) else [shown])

    def _python(self, line: Line, text: str) -> Result:
        ran_through: list[Node] = []
        if self.fingerprints is None and self.stepper is not None and not self.script:
            self.fingerprints = Fingerprints(self.graph.nodes)  # commands edit no number: this is as the pass found them

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
        if outcome.left is not None:
            self.leaving = "detach" if self.script else "quit"
            code = outcome.left.code
            if isinstance(code, str):  # sys.exit("what went wrong")
                return Result(text, True, "python", [Message(code)], exit_code=1)
            return Result(text, True, "python", exit_code=code or 0)
        if outcome.failure is not None:
            return self._failed(text, outcome.failure)
        shown: list[View] = [] if outcome.value is None else [echo.show(self, outcome.value)]
        if ran_through and calls_backward(line.text):
            shown.append(self._ran_through(ran_through[0]))
        return Result(text, True, "python", [*shown, *self._edited()])

    def _edited(self) -> list[View]:
        """A warning where Python changed numbers that the paused pass was computed from."""
        if self.fingerprints is None or self.stepper is None:
            return []
        edited = [node for node in self.fingerprints.edited() if node in self.graph.names]
        if not edited:
            return []
        named = ", ".join(map(self.graph.name, edited[:3])) + (f" and {len(edited) - 3} more" if len(edited) > 3 else "")
        sentence = (
            f"{named} changed in place, and what was computed from {'it' if len(edited) == 1 else 'them'} still has the old "
            f"numbers; put it back and use `set {self.graph.name(edited[0])} = ...`, or compute afresh"
        )
        return [Message(sentence, "warning")]

    def _failed(self, text: str, failure: views.Failure) -> Result:
        shown: list[View] = [failure]
        code = 3
        word = re.split(r"\W", text.strip(), maxsplit=1)[0]
        if failure.error in ("NameError", "SyntaxError") and word.isidentifier() and "\n" not in text:
            command = REGISTRY.find(word)
            near = REGISTRY.near(word)
            if command is not None:
                rest = text.strip()[len(word) :].strip().strip("()")
                typed = f"{command.name} {rest}".strip()
                shown = [failure, Message(f"for the command type `{typed}`", "hint")]
            elif failure.error == "NameError" and f"'{word}'" in failure.message:
                names = [n for n in (*self.namespace, *self.graph.by_name) if not n.startswith("_")]
                near = (near + closest(word, names))[:2] if near else closest(word, names)
                sentence = f"there is no variable or command '{word}'{did_you_mean(near) or ' (help lists the commands)'}"
                shown, code = [Message(sentence, "error")], 2
            elif failure.error == "SyntaxError" and _two_words(text) and word not in self.namespace:
                code = 2
                shown = [Message(f"this is neither Python nor a command{did_you_mean(near) or ' (help lists them)'}", "error")]
        self.interrupted = failure.error == "KeyboardInterrupt"
        return Result(text, False, "python", shown, exit_code=code)

    def _unknown_name(self, error: NameError) -> str:
        name = getattr(error, "name", None)
        if not name:
            return ""
        near = closest(name, [n for n in (*self.namespace, *self.graph.by_name) if not n.startswith("_")])
        return f"there is no variable or node '{name}'{did_you_mean(near)}"

    def _ran_through(self, root: Node) -> Message:
        name = self.graph_of(root).name(root)
        return Message(f"the pass ran straight through; `backward {name}` pauses it, to be stepped", "hint")

    def _nodes_by_name(self) -> Mapping[str, Node]:
        return Lazy(lambda: self.graph.by_name)


@dataclass(frozen=True)
class Kept:
    """Breakpoints and branches as they were before a line; `of` is the pass that the branches belong to."""

    line: str
    stops: tuple[list[Point], list[Display]]
    branches: tuple[list[Branch], Branch] | None = None
    of: Stepper | None = None

    def same(self, other: Kept) -> bool:
        """Whether nothing differs."""
        return (self.stops, self.branches, self.of) == (other.stops, other.branches, other.of)


class Lazy(Mapping[str, Any]):
    """A mapping that is made when it is first asked: naming every node of a large graph takes a while."""

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make
        self._made: Mapping[str, Any] | None = None

    def _mapping(self) -> Mapping[str, Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: str) -> Any:
        return self._mapping()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping())

    def __len__(self) -> int:
        return len(self._mapping())


def refused(text: str, error: CommandError) -> Result:
    """The result of a command that could not be carried out."""
    return Result(text, False, "command", [Message(str(error), "error")], exit_code=error.exit_code)


def calls_backward(source: str) -> bool:
    """Whether a statement, and not a loop or a function in it, is a call of backward()."""
    return any(
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Attribute)
        and statement.value.func.attr == "backward"
        for statement in ast.parse(source).body
    )


def _two_words(text: str) -> bool:
    """Whether a line looks like a command with an argument: two words and no operator between them."""
    words = text.split()
    return len(words) > 1 and words[0].isidentifier() and words[1].isidentifier() and not keyword.iskeyword(words[0])


def closest(word: str, names: Sequence[str]) -> list[str]:
    """The names that look most like a word."""
    return difflib.get_close_matches(word, names, n=2, cutoff=0.6)


def same_objects(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two sets of variables bind the same names to the same objects, in the same order."""
    return list(a) == list(b) and all(x is y for x, y in zip(a.values(), b.values()))


def nameable(value: Any) -> bool:
    """Whether a variable can give a node its name: it holds one, or contains some."""
    return isinstance(value, (Node, Value, list, tuple, dict)) or hasattr(type(value), "named_parameters")
