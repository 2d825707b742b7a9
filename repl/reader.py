"""A conversation: read a line, carry it out, show what came of it. The readers (terminal, plain, batch) differ in the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from repl.views import Message, Result, View

if TYPE_CHECKING:
    from repl.engine import Session


class Reader(Protocol):
    """Where lines come from and results go."""

    def read(self, session: Session) -> str:
        """The next text to carry out. EOFError where there is no more, KeyboardInterrupt for Ctrl-C."""

    def show(self, views: Sequence[View]) -> None:
        """Show something that no line asked for, such as the place where a script paused."""

    def tell(self, result: Result) -> None:
        """Show what a line did."""

    def printing(self) -> AbstractContextManager[Any]:
        """Entered while a line is carried out: where goes what the user's Python prints?"""

    def width(self) -> int:
        """Columns there are to write in."""


def converse(session: Session, reader: Reader) -> Result | None:
    """Carry out lines until one of them leaves; returns its result, or None when there were no more lines."""
    while True:
        session.width = reader.width()
        try:
            text = reader.read(session)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return None
        result = _execute(session, text, reader)
        if result is not None and result.leave:
            return result


def _execute(session: Session, text: str, reader: Reader) -> Result | None:
    """Carry out what was typed or pasted, statement by statement; returns the last result."""
    count, result = 0, None
    results = session.execute_all(text)
    while True:
        with reader.printing():
            following = next(results, None)
        if following is None:
            break
        count, result = count + 1, following
        reader.tell(result)
    if result is not None and not result.ok and count > 1:
        reader.show([Message("what you pasted after this was not run", "hint")])
    return result


def printing_to(out: TextIO) -> AbstractContextManager[Any]:
    """What is printed at a prompt belongs to that prompt, also where the program's own output goes elsewhere."""
    return redirect_stdout(out) if out is not sys.stdout else nullcontext()
