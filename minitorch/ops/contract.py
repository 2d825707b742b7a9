"""Sums of products, written as an equation over the axes: `einsum("bij,bjk->bik", a, b)`."""

from __future__ import annotations

import string
from collections import Counter
from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .diagonals import diagonal
from .shape import reshape

__all__ = ["einsum"]


class Einsum(Op):
    """Multiply the operands where their axes have the same letter, and sum over the letters that the result lacks.

    In the equation every letter occurs once per operand. The gradient of an operand is an einsum too: of the incoming
    gradient and the other operands, to the operand's letters.
    """

    def __init__(self, equation: str) -> None:
        self.equation = equation

    def forward(self, xp, *operands):
        return xp.einsum(self.equation, *operands)

    def vjp(self, xp, grad, out, needed, *operands):
        inputs, result = self.equation.split("->")
        terms = inputs.split(",")
        grads = [None] * len(operands)
        for slot in needed:
            others = [k for k in range(len(operands)) if k != slot]
            known = result + "".join(terms[k] for k in others)
            letters = "".join(c for c in terms[slot] if c in known)
            equation = ",".join([result, *(terms[k] for k in others)]) + "->" + letters
            part = xp.einsum(equation, grad, *(operands[k] for k in others))
            shape = xp.shape(operands[slot])
            spread = tuple(n if c in known else 1 for c, n in zip(terms[slot], shape))
            grads[slot] = xp.broadcast_to(xp.reshape(part, spread), shape)  # summed over alone: each element counts once
        return grads


def einsum(equation: Any, *operands: Any) -> Any:
    """Sums of products as an equation over the axes says: a letter for each axis of each operand, then "->" and those of
    the result; letters that it lacks are summed over, "..." stands for any further axes, broadcast.

    Without "->" the result has the letters that occur once, in alphabetical order. Also as `einsum(a, [0, 1], b, [1, 2])`.
    ValueError when the equation does not fit the operands.
    """
    if not isinstance(equation, str):
        equation, operands = _from_lists((equation, *operands))
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    inputs, arrow, result = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"the equation '{equation}' has {len(terms)} operands, and {len(operands)} were given")
    letters = [_spelled(term, x.ndim, equation) for term, x in zip(terms, operands)]
    dots = max((term.count("\0") for term in letters), default=0)
    letters = [_numbered(term, equation) for term in letters]
    unused = _numbered("\0" * dots, equation)
    if not arrow:
        counts = Counter(c for term in terms for c in term if c != ".")
        result = "..." + "".join(sorted(c for c, n in counts.items() if n == 1))
    result = result.replace("...", unused)
    given = set("".join(letters))
    if not set(result) <= given or len(set(result)) != len(result):
        raise ValueError(f"the result of the equation '{equation}' needs letters of the operands, each once")
    sizes = _sizes(equation, letters, operands)
    ready = [_once(x, term, sizes) for x, term in zip(operands, letters)]
    return apply(Einsum(",".join(term for _, term in ready) + "->" + result), *(x for x, _ in ready))


def _spelled(term: str, ndim: int, equation: str) -> str:
    """A term with a placeholder for every axis that "..." stands for."""
    named = len(term) - (3 if "..." in term else 0)
    if named > ndim or "..." not in term and named < ndim:
        raise ValueError(f"'{term}' of the equation '{equation}' does not fit an operand with {ndim} axes")
    return term.replace("...", "\0" * (ndim - named))


def _numbered(term: str, equation: str) -> str:
    """The placeholders as letters that the equation does not use, counted from the last one as broadcasting does."""
    free = [c for c in string.ascii_letters if c not in equation]
    count = term.count("\0")
    return term.replace("\0" * count, "".join(free[k] for k in reversed(range(count)))) if count else term


def _sizes(equation: str, letters: list[str], operands: tuple[Any, ...]) -> dict[str, int]:
    """The length of each letter's axis; an axis of length 1 fits any."""
    sizes: dict[str, int] = {}
    for term, x in zip(letters, operands):
        for c, n in zip(term, x.shape):
            if sizes.get(c, 1) not in (1, n) and n != 1:
                raise ValueError(f"the equation '{equation}' gives one letter to axes of lengths {sizes[c]} and {n}")
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    return sizes


def _once(x: Any, term: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """An operand with each letter once (a letter twice is a diagonal), and without axes of length 1 that are to stretch."""
    for c in sorted(set(term)):
        while term.count(c) > 1:
            i = term.index(c)
            k = term.index(c, i + 1)
            x = diagonal(x, 0, i, k)
            term = term[:i] + term[i + 1 : k] + term[k + 1 :] + c
    stretched = [k for k, (c, n) in enumerate(zip(term, x.shape)) if n == 1 != sizes[c]]
    if stretched:
        x = reshape(x, tuple(n for k, n in enumerate(x.shape) if k not in stretched))
        term = "".join(c for k, c in enumerate(term) if k not in stretched)
    return x, term


def _from_lists(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """`a, [0, 1], b, [1, 2], [0, 2]` as an equation and operands."""
    def spell(numbers: Any) -> str:
        return "".join("..." if i is ... else string.ascii_letters[i] for i in numbers)

    pairs = len(arguments) // 2
    equation = ",".join(spell(arguments[2 * k + 1]) for k in range(pairs))
    if len(arguments) % 2:
        equation += "->" + spell(arguments[-1])
    return equation, tuple(arguments[0 : 2 * pairs : 2])
