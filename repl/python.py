"""Python at the prompt: run what was typed, echo the last expression, and tell the user's errors from ours."""

from __future__ import annotations

import ast
import builtins
import linecache
import os
import site
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from repl.phrases import file_shown
from repl.views import Failure

_OURS = tuple(
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), package) + os.sep
    for package in ("minitorch", "viz", "repl")
)
_LIBRARIES = tuple({sysconfig.get_paths()["stdlib"] + os.sep, *(path + os.sep for path in site.getsitepackages())})
_SAMPLES = os.sep + "samples" + os.sep


@dataclass
class Outcome:
    """What a piece of Python did. `value` is that of its last expression (None where there is none or it failed)."""

    value: Any = None
    failure: Failure | None = None
    left: SystemExit | None = None


class Names(MutableMapping[str, Any]):
    """The variables, and after them the nodes of the graph by name, so that `mul_3` can be asked for.

    `hidden` are names that only the expression itself uses.
    """

    def __init__(self, variables: dict[str, Any], nodes: Mapping[str, Any], hidden: Mapping[str, Any] | None = None) -> None:
        self.variables = variables
        self.nodes = nodes
        self.hidden = hidden or {}

    def __getitem__(self, name: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        if name in self.hidden:
            return self.hidden[name]
        if hasattr(builtins, name) or name not in self.nodes:  # in this order: naming a large graph takes a while
            raise KeyError(name)
        return self.nodes[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.variables[name] = value

    def __delitem__(self, name: str) -> None:
        del self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


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


class Interpreter:
    """Runs source in one namespace. Every piece is a file of its own (`<input 3>`) whose lines tracebacks can show."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.count = 0

    def run(self, source: str, nodes: Mapping[str, Any] | None = None) -> Outcome:
        """Run statements; the value of a last expression is echoed and kept in `_`.

        Args:
            source: any number of statements.
            nodes: names an expression may use that are no variables.
        """
        self.count += 1
        filename = f"<input {self.count}>"
        linecache.cache[filename] = (len(source), None, [line + "\n" for line in source.split("\n")], filename)
        try:
            tree = ast.parse(source, filename)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            if tree.body:
                exec(compile(tree, filename, "exec"), self.namespace)
            if not isinstance(last, ast.Expr):
                return Outcome()
            code = compile(ast.Expression(last.value), filename, "eval")
            value = eval(code, self.namespace, Names(self.namespace, {} if nodes is None else nodes))
        except SystemExit as left:
            return Outcome(left=left)
        except BaseException as error:  # Ctrl-C included: the user's code stops, the session goes on
            return Outcome(failure=failure(error, len(source.split("\n"))))
        if value is not None:
            self.namespace["_"] = value
        return Outcome(value)


def failure(error: BaseException, lines: int = 0) -> Failure:
    """An exception as the user should see it: their frames, not ours and not a library's.

    Args:
        error: what was raised.
        lines: how many lines the user typed; the frame of a single line says nothing that is not on the screen.
    """
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith("<"):
        return Failure(type(error).__name__, str(error.msg), code=_pointed(error))
    frames = user_frames(error.__traceback__)
    if lines == 1 and len(frames) == 1 and frames[0][0].startswith("<input"):
        frames = []
    shown = tuple((f"{_shown(file)}:{line} in {function}", source) for file, line, function, source in frames)
    if isinstance(error, KeyboardInterrupt):
        return Failure("KeyboardInterrupt", "stopped by Ctrl-C", shown)
    return Failure(type(error).__name__, str(error), shown)


def user_frames(trace: TracebackType | None) -> list[tuple[str, int, str, str]]:
    """(file, line, function, source) of the frames in the user's own files, outermost first."""
    found = []
    for frame in traceback.extract_tb(trace):
        if is_users(frame.filename):
            function = "your input" if frame.filename.startswith("<input") else frame.name
            found.append((frame.filename, frame.lineno or 0, function, frame.line or ""))
    if len(found) > 8:
        return [*found[:3], ("…", 0, f"{len(found) - 7} more frames", ""), *found[-4:]]
    return found


def is_users(filename: str) -> bool:
    """Whether a file is the user's: none of this project's packages, no library. A sample counts as theirs."""
    if filename.startswith("<input"):
        return True
    if filename.startswith("<"):
        return False
    path = os.path.abspath(filename)
    if path.startswith(_OURS):
        return False
    return _SAMPLES in path or not path.startswith(_LIBRARIES)


def _pointed(error: SyntaxError) -> tuple[str, ...]:
    """The line with the mistake, and a caret under it."""
    line = (error.text or "").rstrip("\n")
    if not line.strip():
        return ()
    shift = len(line) - len(line.lstrip())
    return line.strip(), " " * max((error.offset or 1) - 1 - shift, 0) + "^"


def _shown(filename: str) -> str:
    if filename.startswith("<input"):
        return filename.strip("<>")
    return file_shown(filename) if os.path.isabs(filename) else filename
