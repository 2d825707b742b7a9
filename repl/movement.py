"""Moving through a pass: until there is a reason to stop, forward or back, and always stoppable by Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minitorch import Contribution, Stepper

if TYPE_CHECKING:
    from repl.engine import Session

SHOWN = 8  # contributions remembered of a long run


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


def move(
    session: Session, stepper: Stepper, stop: Callable[[], list[str]], *, back: bool = False
) -> tuple[list[Contribution], int, list[str]]:
    """Step until `stop` gives a reason, Ctrl-C is pressed, or the pass ends.

    Args:
        stop: asked after every contribution; the reasons to stay here, or an empty list.
        back: take contributions back instead of applying them.

    Returns:
        The last contributions, how many there were in all, and the reasons.
    """
    recent: deque[Contribution] = deque(maxlen=SHOWN)
    take = stepper.rstep if back else stepper.step
    moved = 0
    with stoppable(session):
        while True:
            contribution = take()
            if contribution is None:
                return list(recent), moved, []
            recent.append(contribution)
            moved += 1
            reasons = stop()
            if session.interrupted:
                reasons = [*reasons, "stopped by Ctrl-C"]
            if reasons:
                return list(recent), moved, reasons
