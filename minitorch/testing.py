"""What tells a learner whether an exercise is solved: `expect`, which `minitorch check FILE` reads.

    from minitorch.testing import expect

    gradient = ...      # the number of the exercise
    expect("the gradient of a", gradient, 4.0, mistakes=[(2.0, "a is used twice: its contributions add.")])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .core.node import Node

__all__ = ["OPEN", "Expectation", "asked", "expect", "is_open"]

WITHIN = 1e-6
OPEN = "not filled in yet: put your answer where the `...` stands"
_told: list[list[Expectation]] = []
"""The lists of those who wait for expectations, the innermost last."""


@dataclass(frozen=True)
class Expectation:
    """What an exercise asked for, and what it got.

    Attributes:
        what: the thing asked for, in words.
        right: whether it is as it should be.
        why: for a wrong one, what came instead and what kind of mistake it is.
        error: what the learner's code raised, if it did.
    """

    what: str
    right: bool
    why: str = ""
    error: Exception | None = None


def expect(
    what: str,
    got: Any,
    wanted: Any,
    *,
    within: float = WITHIN,
    mistakes: Iterable[tuple[Any, str]] = (),
    otherwise: str = "",
) -> bool:
    """Compare what a learner found with what is right, and say what kind of mistake it is; returns whether it is right.

    Args:
        what: the thing asked for, in words: it stands behind the tick.
        got: the learner's result: a number, a Value, a Tensor, an array, anything that `==` compares; or a function without
            arguments that computes it, so that what it raises counts as this expectation's mistake. The place to fill is
            `...`, and a result of `...` or None counts as not filled in yet.
        wanted: the right result, or a function that says of a result whether it is right.
        within: how far numbers may be from it, absolutely and as a part of it.
        mistakes: pairs of a wrong result (or a function that recognises it) and one sentence about it.
        otherwise: the sentence for every other wrong result.

    Outside `minitorch check` the line is printed.
    """
    made = _judged(what, got, wanted, within, mistakes, otherwise)
    if _told:
        _told[-1].append(made)
    else:
        print(f"✓ {made.what}" if made.right else f"✗ {made.what}: {made.why}")
    return made.right


@contextmanager
def asked() -> Iterator[list[Expectation]]:
    """A list that fills with the expectations inside the `with` block, which then print nothing."""
    _told.append([])
    try:
        yield _told[-1]
    finally:
        _told.pop()


def is_open(error: BaseException) -> bool:
    """Whether an exercise raised this because a `...` in it is not filled in yet."""
    return isinstance(error, NotImplementedError) or "ellipsis" in str(error).lower()


def _judged(
    what: str, got: Any, wanted: Any, within: float, mistakes: Iterable[tuple[Any, str]], otherwise: str
) -> Expectation:
    try:
        result = got() if _is_function(got) else got
    except Exception as error:  # the learner's, shown as such
        if is_open(error):
            return Expectation(what, False, OPEN)
        return Expectation(what, False, f"{type(error).__name__}: {error}", error)
    if result is None or result is ...:
        return Expectation(what, False, OPEN)
    if _is(result, wanted, within):
        return Expectation(what, True)
    why = next((sentence for wrong, sentence in mistakes if _is(result, wrong, within)), otherwise)
    return Expectation(what, False, f"{_shown(result)} is not it" + (f". {why}" if why else ""))


def _is(result: Any, wanted: Any, within: float) -> bool:
    """Whether a result is the wanted one, or such as the function says."""
    if _is_function(wanted):
        return bool(wanted(result))
    have, want = _plain(result), _plain(wanted)
    numbers = all(isinstance(one, (int, float, complex, np.ndarray, np.generic)) for one in (have, want))
    if not numbers:
        return type(have) is type(want) and bool(have == want)
    have, want = np.asarray(have), np.asarray(want)
    return have.shape == want.shape and bool(np.allclose(have, want, rtol=within, atol=within, equal_nan=True))


def _is_function(thing: Any) -> bool:
    return callable(thing) and not isinstance(thing, Node)


def _plain(thing: Any) -> Any:
    """The number or array of a node; an array of a list of numbers."""
    if isinstance(thing, Node):
        return np.asarray(thing.raw)
    if isinstance(thing, (list, tuple)) and thing and all(isinstance(one, (int, float, Node)) for one in thing):
        return np.asarray([_plain(one) for one in thing])
    return thing


def _shown(result: Any) -> str:
    """A result, short: its first digits, the beginning of a long one."""
    if isinstance(result, Node):
        result = result.raw
    if isinstance(result, (float, np.floating)):
        return f"{result:.8g}"
    if isinstance(result, (list, tuple)):
        inside = ", ".join(map(_shown, result))
        text = f"({inside})" if isinstance(result, tuple) else f"[{inside}]"
    else:
        text = " ".join(repr(result).split())
    return text if len(text) <= 60 else text[:59] + "…"
