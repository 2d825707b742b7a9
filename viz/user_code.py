"""Running the user's code for a picture: a script, or an expression from the command line."""

from __future__ import annotations

import ast
import builtins
import contextlib
import linecache
import os
import sys
import traceback
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import minitorch
from minitorch.core.modes import inspect
from minitorch.core.node import Node

EXPRESSION = "<expression>"
_OURS = tuple(os.path.dirname(os.path.abspath(file)) + os.sep for file in (__file__, minitorch.__file__ or ""))


class UsageError(Exception):
    """What was asked for cannot be found: one sentence."""


class Raised(Exception):
    """The user's code raised; the text is its traceback, without the frames of this project."""


@dataclass(frozen=True)
class Found:
    """What to draw: the root, how to call it, and the variables that name its nodes."""

    root: Node
    what: str
    variables: Mapping[str, object]


def evaluate(source: str) -> Found:
    """The value of the last expression in `source`, after the statements before it (`a = Value(2.0); b = a + a; b`).

    The public names of minitorch are there, and nn, optim and np. When the last statement gives nothing, as an
    assignment or `c.backward()`, what was computed last is drawn. Raises UsageError for a syntax error or a result
    without a graph, Raised when the code raises.
    """
    try:
        body = ast.parse(source, EXPRESSION).body
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"-e is not Python: {getattr(error, 'msg', error)} in {source!r}") from None
    if not body:
        raise UsageError("-e is empty: give an expression, such as -e 'a = Value(2.0); a * a'")
    linecache.cache[EXPRESSION] = (len(source), None, source.splitlines(keepends=True), EXPRESSION)
    namespace = _starting_names()
    before = set(namespace)
    last = body[-1].value if isinstance(body[-1], ast.Expr) else None
    statements = body[:-1] if last is not None else body
    with _user_code(), inspect():
        exec(compile(ast.Module(statements, []), EXPRESSION, "exec"), namespace)
        result = eval(compile(ast.Expression(last), EXPRESSION, "eval"), namespace) if last is not None else None
    variables = {name: value for name, value in namespace.items() if name not in before}
    if result is None:  # it ends with an assignment, or with something like c.backward()
        return _newest(variables, "-e computes no Value or Tensor: end it with the expression to draw")
    assert last is not None
    return Found(_node(result, f"-e gives {_described(result)}"), repr(_short(ast.unparse(last))), variables)


def run_script(argument: str) -> Found:
    """Run `SCRIPT.py`, or `SCRIPT.py:name`, and find what to draw in its global variables.

    Raises UsageError when there is no such file or name, or nothing to draw, Raised when the script raises.
    """
    path, name = _split(argument)
    try:
        code = compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    except (SyntaxError, ValueError) as error:
        raise Raised("".join(traceback.format_exception_only(error))) from None
    module = types.ModuleType("__main__")
    module.__file__ = str(path)
    with _as_main(module, path), _user_code(), inspect(), contextlib.suppress(SystemExit):
        exec(code, module.__dict__)
    variables = {key: value for key, value in vars(module).items() if not key.startswith("__")}
    if not name:
        return _newest(
            variables,
            f"{path.name} keeps no computed Value or Tensor in a global variable: assign one, or name it ({path.name}:NAME)",
        )
    try:
        result = eval(name, module.__dict__)
    except Exception as error:
        kept = ", ".join(key for key, value in variables.items() if isinstance(value, Node)) or "none"
        raise UsageError(f"{path.name} has nothing called {name!r} ({error}); Values and Tensors it keeps: {kept}") from None
    return Found(_node(result, f"{path.name}:{name} is {_described(result)}"), f"{name!r} of {path.name}", variables)


def _split(argument: str) -> tuple[Path, str]:
    """The file and the name in `SCRIPT.py:name`; a drive letter's colon (C:\\...) is not the one meant."""
    head, colon, name = argument.rpartition(".py:")
    if not colon or Path(argument).is_file():
        return Path(argument), ""
    return Path(head + ".py"), name


def _newest(variables: Mapping[str, object], otherwise: str) -> Found:
    """The result that was computed last, among the variables."""
    computed = [(value.stamp, name) for name, value in variables.items() if isinstance(value, Node) and value.op]
    if not computed:
        raise UsageError(otherwise)
    _, name = max(computed)
    root = variables[name]
    assert isinstance(root, Node)
    line = root.made_at
    where = f" ({Path(line[0]).name}:{line[1]})" if line and line[0] != EXPRESSION else ""
    return Found(root, f"{name!r}, computed last{where}", variables)


def _node(result: object, what: str) -> Node:
    if isinstance(result, Node):
        return result
    raise UsageError(f"{what}, which has no graph: draw a Value or a Tensor")


def _described(result: object) -> str:
    return f"{_short(repr(result))} ({type(result).__name__})"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _starting_names() -> dict[str, Any]:
    """What an expression can use. Names that Python has already (sum, float, ...) keep Python's meaning."""
    import numpy

    from minitorch import nn, optim

    names = {name: getattr(minitorch, name) for name in minitorch.__all__ if not hasattr(builtins, name)}
    return {**names, "minitorch": minitorch, "nn": nn, "optim": optim, "np": numpy, "__name__": "__main__"}


@contextlib.contextmanager
def _as_main(module: types.ModuleType, path: Path) -> Iterator[None]:
    """`module` is `__main__`, its folder first on the path and its file the command, as when Python runs the file."""
    main, argv, paths = sys.modules["__main__"], sys.argv, list(sys.path)
    sys.modules["__main__"], sys.argv = module, [str(path)]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = main, argv, paths


@contextlib.contextmanager
def _user_code() -> Iterator[None]:
    """What the user's code raises becomes `Raised`, with the traceback cut down to the user's own frames."""
    try:
        yield
    except Exception as error:
        told = traceback.TracebackException.from_exception(error)
        _trim(told)
        raise Raised("".join(told.format())) from None


def _trim(told: traceback.TracebackException) -> None:
    told.stack = traceback.StackSummary.from_list([frame for frame in told.stack if not frame.filename.startswith(_OURS)])
    for other in (told.__cause__, told.__context__):
        if other is not None:
            _trim(other)
