"""Nodes, rules and numbers in words: the short texts that every display is made of. Nothing here knows a terminal."""

from __future__ import annotations

import linecache
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

from minitorch.core.node import Node
from viz.board import rule_of
from viz.format import number, scalar, shape_text, summary
from viz.statistics import fetched
from viz.wording import constant_text, factor, formula

ABSENT = "—"
PRINTED = 6  # an array of at most this many elements is written out on one line

NameOf = Callable[[Node], str]


def plain(value: Any) -> Any:
    """A node's number or array; anything else as it is."""
    return value.raw if isinstance(value, Node) else value


def brief(value: Any) -> str:
    """A number or an array on one line: `3.0`, `[1.0, 2.0]`, `(64, 10) -0.1 … 0.2  mean 0.01`; `—` for None."""
    value = plain(value)
    if value is None:
        return ABSENT
    if isinstance(value, (tuple, list)):
        return f"{len(value)} arrays"
    if isinstance(value, (bool, int, float)):
        return number(value)
    array = fetched(value)
    if array.ndim == 0:
        return number(array[()])
    if 0 < array.size <= PRINTED:
        return _brackets(array.tolist())
    return f"{shape_text(array.shape)} {summary(array).partition('  sd ')[0]}"


def _brackets(items: Any) -> str:
    return f"[{', '.join(map(_brackets, items))}]" if isinstance(items, list) else number(items, 3)


def in_product(value: Any) -> str:
    """`brief`, in brackets where a sign would stand beside an operator."""
    value = plain(value)
    return factor(value) if isinstance(value, (int, float)) else brief(value)


def shaped(value: Any) -> str:
    """`(3, 4) float32` of an array, nothing of a number."""
    value = plain(value)
    shape = getattr(value, "shape", None)
    return f"{shape_text(tuple(shape))} {value.dtype}" if shape is not None else ""


def operands(node: Node, name_of: NameOf) -> list[str]:
    """The inputs of a node as they stand in an expression: the name of a node, the number of a constant."""
    inputs = node.inputs or ()
    labels = node.op.labels(len(inputs)) if node.op is not None else ()
    return [name_of(x) if isinstance(x, Node) else constant_text(x, label) for label, x in zip(labels, inputs)]


def expression(node: Node, name_of: NameOf) -> str:
    """What made a node, with the names of its inputs: `a × b`, `relu(x)`, `sum(x, axis=1)`; nothing for a leaf."""
    if node.op is None:
        return ""
    if node.inputs is None:
        return f"{node.op.name}(…)"
    return formula(node.op, operands(node, name_of))


def definition(node: Node, name_of: NameOf) -> str:
    """`b = a + a`; for a leaf, its name."""
    made = expression(node, name_of)
    return f"{name_of(node)} = {made}" if made else name_of(node)


def place(node: Node) -> str:
    """`train.py:12` of the line that made a node, or nothing."""
    return _place(node.made_at)


def _place(where: tuple[str, int] | None) -> str:
    if where is None:
        return ""
    file, line = where
    if file.startswith("<") and not file.startswith("<input"):
        return ""
    if file.startswith("<input"):
        return file.strip("<>") + (f":{line}" if line > 1 else "")
    return f"{os.path.basename(file)}:{line}"


def line_of(where: tuple[str, int] | None) -> str:
    """A place with what stands there: ``train.py:12, `if h > 0:` ``."""
    source = linecache.getline(*where).strip() if where else ""
    return _place(where) + (f", `{source}`" if source else "")


def file_shown(path: str, folder: str = "") -> str:
    """A file's path from `folder`, or from where we are; whole where the file lies elsewhere, or we are nowhere any more."""
    try:
        relative = os.path.relpath(path, folder or None)
    except (OSError, ValueError):  # the current directory was deleted; another drive
        return path
    return path if relative.startswith("..") else relative


def source_line(node: Node) -> str:
    """The line of the program that made a node, or nothing."""
    return linecache.getline(*node.made_at).strip() if node.made_at else ""


def slope(top: str, bottom: str) -> str:
    """`∂L/∂a`, with brackets where a name would make it hard to read."""
    return f"∂{_atom(top)}/∂{_atom(bottom)}"


def received(name: str) -> str:
    """`grad(a)`: what has arrived at a node. Not written ∂L/∂a, which at the root would also be the local derivative."""
    return f"grad({name})"


def _atom(name: str) -> str:
    return f"({name})" if re.search(r"[\s/+*]", name) else name


def local_rule(node: Node, slot: int, name_of: NameOf) -> str:
    """The rule of an edge as the source of its operation states it, with the names of this graph in place of the labels.

    `∂e/∂a = b` for an elementwise operation; for another the expression that gives the input's gradient, in which
    `grad` is the gradient of the node.
    """
    assert node.op is not None and node.inputs is not None
    right = rule_of(node, slot).partition(" = ")[2]
    target = operands(node, name_of)[slot]
    if node.op.elementwise:
        return f"{slope(name_of(node), target)} = {_renamed(right, node, name_of)}"
    return _renamed(right, node, name_of)


def _renamed(source: str, node: Node, name_of: NameOf) -> str:
    """The source of a rule with the names of the graph's nodes in place of `out` and of forward's arguments."""
    assert node.op is not None
    shown = operands(node, name_of)
    names = {"out": name_of(node), **dict(zip(node.op.labels(len(shown)), shown))}
    return re.sub(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*=[^=])", lambda word: names.get(word[0], word[0]), source)


def short(value: Any, room: int = 18) -> str:
    """A value in a column of a table: a number, a very small array, else the range of one."""
    text = brief(value)
    if len(text) <= room or not text.startswith(("(", "[")):
        return text if len(text) <= room else text[: room - 1] + "…"
    array = fetched(plain(value))
    text = summary(array, 3).split("  ")[0]
    return text if len(text) <= room else shape_text(array.shape)


def total(terms: Sequence[Any], after: Any, most: int = 4, left_out: int = 0) -> str:
    """The ledger of a node, `1.0 + 3.0 = 4.0`; of arrays only the result, their terms being tables of numbers.

    `left_out` terms stand before the last that are not given.
    """
    if not terms:
        return ABSENT
    result, numbers = scalar(plain(after)), [x for term in terms if (x := scalar(plain(term))) is not None]
    if result is None or not numbers:
        return brief(after) if len(terms) == 1 else f"sum {brief(after)}"
    if len(numbers) == 1:
        return number(numbers[0])
    shown = [number(numbers[0]), *map(factor, numbers[1:])]
    if len(shown) + left_out > most:
        shown = [*shown[: most - 1], f"… {len(shown) + left_out - most:,} more …", shown[-1]]
    return f"{' + '.join(shown)} = {number(result)}"


def count(amount: int, noun: str) -> str:
    """`1 edge`, `2 edges`."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"
