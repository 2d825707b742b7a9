"""Checks whose outcome is still on its way from a GPU: what was wrong is said when it has come, not waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

UNSEEN: deque[tuple[Any, Any, Callable[[], Exception]]] = deque()
"""(the event of its arrival, whether something was wrong, what to say then) of each check, oldest first."""


def look() -> None:
    """Raise what the first check that has arrived, and found something wrong, has to say."""
    while UNSEEN and UNSEEN[0][0].done:
        _, wrong, error = UNSEEN.popleft()
        if wrong:
            raise error()
