"""What the source of a derivative rule says: its formula, for people, and the values it reads."""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

SHAPE_ARGUMENT = {"shape": 0, "axis_size": 0, "len": 0, "ones_like": 0, "zeros_like": 0, "keep_axis": 2, "spread": 2}
"""Functions that ask an argument (number so and so) only for its shape."""


@functools.cache
def _parsed(rule: Callable[..., Any]) -> ast.FunctionDef | None:
    try:
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(rule))).body
    except (OSError, TypeError, SyntaxError):
        return None
    return function if isinstance(function, ast.FunctionDef) else None


@functools.cache
def formula_text(rule: Callable[..., Any]) -> str:
    """The source of a rule without its first line: an expression for one that only returns, else its statements."""
    function = _parsed(rule)
    if function is None:
        return "(source not available)"
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return ast.unparse(body[0].value)
    return "; ".join(ast.unparse(s) for s in body)


@functools.cache
def names_read(rule: Callable[..., Any]) -> frozenset[str]:
    """The variables whose elements a rule reads; one that it only asks for shape or dtype is not among them."""
    function = _parsed(rule)
    if function is not None:
        return frozenset(name for statement in function.body for name in _read(statement))
    names: set[str] = set()
    for instruction in dis.get_instructions(rule):
        if instruction.opname.startswith("LOAD_FAST"):
            value = instruction.argval
            names.update(value if isinstance(value, tuple) else (value,))
    return frozenset(names)


def _read(tree: ast.AST) -> Iterator[str]:
    if isinstance(tree, ast.Name):
        yield tree.id
        return
    skipped: ast.AST | None = None
    if isinstance(tree, ast.Attribute) and tree.attr in ("shape", "dtype", "ndim"):
        skipped = tree.value
    elif isinstance(tree, ast.Call):
        name = tree.func.attr if isinstance(tree.func, ast.Attribute) else getattr(tree.func, "id", "")
        place = SHAPE_ARGUMENT.get(name, len(tree.args))
        skipped = tree.args[place] if place < len(tree.args) else None
    for child in ast.iter_child_nodes(tree):
        if child is not skipped or not isinstance(child, ast.Name):
            yield from _read(child)
