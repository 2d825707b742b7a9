"""Checks, which turn a script of commands into a test."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.core.node import Node
from repl.commands.move import EXAMPLE
from repl.phrases import brief, plain
from repl.registry import CheckFailed, CommandError, command
from repl.views import Message, View
from viz.format import host

if TYPE_CHECKING:
    from repl.engine import Session


@command(
    "expect",
    "xp",
    group="teach",
    usage="expect EXPR [~ TOL]",
    example=(*EXAMPLE, "end", "expect a.grad == -2.0", "expect b.grad < 3", "expect b.grad == 2.1 ~ 0.2"),
    argument="expression",
)
def expect(session: Session, argument: str) -> View:
    """Check that EXPR is true; else a batch ends.

    With a tolerance, `expect A == B ~ TOL` compares numbers, Values or arrays element by element. Where the two differ,
    both are shown, and a script of commands leaves with exit code 1.
    """
    if not argument:
        raise CommandError("expect what? for example `expect a.grad == 4.0 ~ 1e-6`")
    claim, tilde, tolerance = argument.rpartition(" ~ ")
    claim = claim if tilde else argument
    sides = _sides(claim)
    if sides is not None:
        left, right = sides
        _compare(left, session.evaluate(left), session.evaluate(right), session.evaluate(tolerance.strip()) if tilde else 0.0)
    elif tilde:
        raise CommandError(f"a tolerance needs two sides: `expect A == B ~ {tolerance}`")
    elif not session.evaluate(claim):
        raise CheckFailed(f"expected {claim}: it is not so")
    return Message("as expected", "quiet")


def _sides(claim: str) -> tuple[str, str] | None:
    """The two sides of `A == B`, None for another expression."""
    try:
        parsed = ast.parse(claim.strip(), mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(parsed, ast.Compare) or len(parsed.ops) != 1 or not isinstance(parsed.ops[0], ast.Eq):
        return None
    return ast.unparse(parsed.left), ast.unparse(parsed.comparators[0])


def _compare(name: str, left: Any, right: Any, tolerance: float) -> None:
    """Raise CheckFailed unless the two sides are equal within the tolerance."""
    try:
        a, b = (np.asarray(host(plain(side)), dtype=np.float64) for side in (left, right))
        same = bool(np.allclose(a, b, rtol=0.0, atol=tolerance, equal_nan=True))
    except (TypeError, ValueError):  # no numbers, or shapes that do not fit
        same = not isinstance(left, (Node, np.ndarray)) and bool(left == right)
    if not same:
        within = f" within {tolerance:g}" if tolerance else ""
        raise CheckFailed(f"expected {name} to be {_shown(right)}{within}; it is {_shown(left)}")


def _shown(side: Any) -> str:
    return brief(side) if isinstance(side, (Node, int, float, np.ndarray)) else repr(side)
