"""How operations are written in a picture: `b = a + a`, and the local derivative or rule on each edge."""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.core.op import Op
from viz.format import DIGITS, alarm, host, number, signed
from viz.statistics import statistics
from viz.xml import clean

NAME_LENGTH = 24
TITLE_LENGTH = 34
WIDEST_TITLE = 48  # where no way to shorten names brings it down to that
RULE_LENGTH = 26


def shorten(text: str, length: int) -> str:
    """`text`, its middle left out where it is longer than `length` characters."""
    if len(text) <= length:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def shown_name(name: str, length: int = NAME_LENGTH) -> str:
    """A name as it stands in a box: shortened, visible when empty, and kept apart from its surroundings where it runs
    from right to left (without that, `x = y + z` in Hebrew letters would be shown as `z + y = x`)."""
    text = shorten(" ".join(clean(name).split()), length) or "(no name)"
    return f"\u2068{text}\u2069" if _right_to_left(text) else text


def short_rule(text: str) -> str:
    """A rule as it stands on an edge: its beginning, up to the end of a word, and the brackets that this left open."""
    if len(text) <= RULE_LENGTH:
        return text
    head = text[: RULE_LENGTH - 2]
    head = head[: max(head.rfind(" "), head.rfind("(")) + 1]
    return f"{head}…{')' * (head.count('(') - head.count(')'))}"


def _right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL", "AN", "RLE", "RLO", "RLI") for c in text)


def formula(op: Op, arguments: Sequence[str], settings: bool = True) -> str:
    """What an operation does to its arguments, as learners write it: `a + b`, `-a`, `tanh(a)`, `sum(x, axis=1)`,
    `x[0]`. Without `settings`, three points stand for what is no argument."""
    text = repr(op)
    if op.symbol and len(arguments) == 2:
        return f"{arguments[0]} {op.symbol} {arguments[1]}"
    if op.symbol and op.elementwise and len(arguments) == 1:
        if op.symbol == "²":
            return f"{arguments[0]}²" if arguments[0].isidentifier() else f"({arguments[0]})²"
        return f"{op.symbol}({arguments[0]})" if op.symbol.isalpha() else f"{op.symbol}{arguments[0]}"
    if text.startswith("["):  # an index
        return " ".join([f"{arguments[0]}{text}", *arguments[1:]])
    if len(arguments) > 4:
        arguments = [*arguments[:2], "…", arguments[-1]]
    others = _settings(op)
    return f"{op.name}({', '.join([*arguments, *(others if settings else ['…'] * bool(others))])})"


def _settings(op: Op) -> list[str]:
    """`axis=1` and the like, without those at their default."""
    usual = {name: parameter.default for name, parameter in inspect.signature(type(op)).parameters.items()}
    public = {name: value for name, value in vars(op).items() if not (name.startswith("_") or hasattr(Op, name))}
    return [f"{name}={value!r}" for name, value in public.items() if repr(value) != repr(usual.get(name, op))]


def title(name: str, op: Op, arguments: Sequence[str | None], names: Sequence[str]) -> str:
    """`name = formula`, its names shortened until it fits a box. `arguments` holds the text of each constant, and
    None for each argument that has a name, taken from `names` in turn."""
    text = ""
    for length, settings in ((NAME_LENGTH, True), (NAME_LENGTH, False), (16, False), (10, False)):
        named = iter(names)
        shown = [shown_name(next(named), length) if text is None else text for text in arguments]
        text = f"{shown_name(name, length)} = {formula(op, shown, settings)}"
        if len(text) <= TITLE_LENGTH:
            break
    # A left-to-right mark: a line that begins with Hebrew or Arabic would else run from right to left as a whole.
    return ("\u200e" if _right_to_left(text) else "") + shorten(text, WIDEST_TITLE)


def constant_text(raw: Any, label: str = "", digits: int = DIGITS) -> str:
    """A constant argument inside a formula: its number; of an array what the operation calls it (`mask`), where that says
    more than a letter, else its kind and shape."""
    if isinstance(raw, (bool, int, float)):
        return signed(raw, digits)
    return label if len(label) > 1 and label.isidentifier() else f"array{tuple(np.shape(raw))}"


def local_text(local: Any, digits: int = DIGITS) -> tuple[str, bool]:
    """(`×3.0`, whether it is zero everywhere) for a local derivative, a number or an array."""
    if np.size(local) == 1:
        one = local if isinstance(local, (bool, int, float)) else host(local).item()
        return f"×{factor(one, digits)}", one == 0
    found = statistics(local)
    if found.size == 0:
        return "×", False
    if found.finite == found.size and found.low == found.high:
        return f"×{factor(found.low, digits)}", found.zeros == found.size
    other = found.beside_zero
    if other is not None:
        shown = "1" if other == 1 else factor(other, digits)
        return f"×0 or ×{shown}, {100 * (found.size - found.zeros) / found.size:.0f}% pass", False
    if not found.finite:
        return f"×({alarm(found)})", False
    missing = f", {alarm(found)}" if found.finite < found.size else ""
    return f"×({number(found.low, 3)} … {number(found.high, 3)}{missing})", False


def factor(x: float, digits: int = DIGITS) -> str:
    """A number after ×, in brackets when negative; the whole numbers that rules return are written as floats."""
    return signed(float(x), digits)
