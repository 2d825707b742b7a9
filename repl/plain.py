"""A reader without prompt_toolkit: for dumb terminals, for consoles that it cannot drive, and inside notebooks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TextIO

from repl.branches import MAIN
from repl.reader import printing_to
from repl.screen import Screen
from repl.views import Result, View

if TYPE_CHECKING:
    from repl.engine import Session


class PlainReader:
    """Reads lines with `input`, writes lines with `write`.

    Args:
        screen: what the output can show.
        source, out: the two ends; None means standard input.
    """

    def __init__(self, screen: Screen, source: TextIO | None = None, out: TextIO | None = None) -> None:
        self.screen = screen
        self.source = source
        self.out: TextIO = out or sys.stdout

    def read(self, session: Session) -> str:
        """One statement, with as many lines as it takes."""
        text = self._line(prompt(session))
        while session.needs_more(text):
            try:
                text += "\n" + self._line("... ".rjust(len(prompt(session))))
            except EOFError:
                break
        return text

    def _line(self, shown: str) -> str:
        if self.source is None:
            try:
                return input(shown)
            except (KeyboardInterrupt, EOFError):
                self.out.write("\n")
                raise
        self.out.write(shown)
        self.out.flush()
        line = self.source.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")

    def show(self, views: Sequence[View]) -> None:
        """Write views as plain text."""
        from repl.render import plain_text

        self.out.write(plain_text(views, self.screen))
        self.out.flush()

    def tell(self, result: Result) -> None:
        """Write what a line did."""
        self.show(result.views)

    def printing(self) -> AbstractContextManager[Any]:
        """What the user prints goes where results go."""
        return printing_to(self.out)

    def width(self) -> int:
        """Columns there are to write in."""
        return self.screen.width


def prompt(session: Session) -> str:
    """`>>> `, or where the paused pass stands: `(3/7 mul_1) `."""
    stepper = session.stepper
    if stepper is None:
        return f"({session.script}) " if session.script else ">>> "
    node = stepper.node
    name = session.graph.name(node) if node is not None else "end"
    if len(name) > 16:
        name = name[:7] + ".." + name[-7:]
    branch = session.branches.current.name if session.branches is not None else MAIN
    where = "" if branch == MAIN else f"{branch}: "
    return f"({where}{stepper.position}/{len(stepper)} {name}) "
