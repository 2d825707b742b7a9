"""Moving through a pass: until there is a reason to stop, forward or back, and always stoppable by Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minitorch import Contribution, Stepper

if TYPE_CHECKING:
    from repl.engine import Session

SHOWN = 8  # contributions remembered of a long run
HEARD = 0.05  # seconds between two looks at whether Ctrl-C was pressed


@contextmanager
def stoppable(session: Session) -> Iterator[None]:
    """Ctrl-C inside asks the movement to stop at the next step, and leaves the pass intact."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(*_: Any) -> None:
        session.interrupt()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class Ask:
    """Whether to stop: `reasons` gives the sentences why, or an empty list.

    `at` are the positions at which it has to be asked, in order; None asks at every one.
    """

    reasons: Callable[[], list[str]]
    at: Sequence[int] | None = None


def move(session: Session, stepper: Stepper, ask: Ask, *, back: bool = False) -> tuple[list[Contribution], int, list[str]]:
    """Go on until there is a reason to stop, Ctrl-C is pressed, or the pass ends.

    Args:
        back: take contributions back instead of applying them.

    Returns:
        The last contributions, how many there were in all, and the reasons.
    """
    start, end = stepper.position, 0 if back else len(stepper)
    undone = stepper.last
    reasons: list[str] = []
    with stoppable(session):
        while stepper.position != end and not reasons:
            _go(session, stepper, _next(ask, stepper.position, back, end))
            reasons = ask.reasons() if ask.at is None or not session.interrupted else []
            if session.interrupted:
                reasons = [*reasons, "stopped by Ctrl-C"]
    moved = abs(stepper.position - start)
    if back:
        return [undone] if moved == 1 and undone is not None else [], moved, reasons
    return list(stepper.applied[max(start, stepper.position - SHOWN) :]), moved, reasons


def _next(ask: Ask, position: int, back: bool, end: int) -> int:
    """Where to ask next."""
    if ask.at is None:
        return position + (-1 if back else 1)
    number = bisect_left(ask.at, position) - 1 if back else bisect_right(ask.at, position)
    return ask.at[number] if 0 <= number < len(ask.at) else end


def _go(session: Session, stepper: Stepper, target: int) -> None:
    """Go there, in stretches short enough for Ctrl-C to be heard."""
    stretch = 1
    while stepper.position != target and not session.interrupted:
        left, begun = target - stepper.position, time.perf_counter()
        stepper.goto(stepper.position + max(-stretch, min(stretch, left)))
        stretch = 2 * stretch if time.perf_counter() - begun < HEARD / 2 else max(stretch // 2, 1)
