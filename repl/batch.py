"""Lines from `-c`, `-x` and pipes: no terminal, no prompt, no escape byte. The first failure ends it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

from repl.blocks import blocks
from repl.reader import converse, printing_to
from repl.screen import Screen
from repl.views import Result, View

if TYPE_CHECKING:
    from repl.engine import Session

Source = tuple[str, str]
"""("line", text) of a `-c`, or ("file", path) of a `-x`; the path "-" is standard input."""


class SourceError(Exception):
    """A file of lines cannot be read."""


class BatchReader:
    """Reads prepared lines; results go to `out`, failures to `errors` with the line they come from.

    Args:
        sources: what `-c` and `-x` gave, in order.
        screen: width and characters of the output.
        as_json: write one JSON object per line carried out instead of text.
    """

    def __init__(self, sources: Sequence[Source], screen: Screen, as_json: bool = False, out: TextIO | None = None) -> None:
        self.sources = [(where, text.split("\n")) for where, text in map(load, sources)]
        self.screen = screen
        self.as_json = as_json
        self.out: TextIO = out or sys.stdout
        self.failed: Result | None = None
        self._pieces: Iterator[str] | None = None
        self._place = ""
        self._printed = io.StringIO()

    def read(self, session: Session) -> str:
        """The next statement or command; EOFError after the last, or after a failure."""
        if self.failed is not None:
            raise EOFError
        if self._pieces is None:
            self._pieces = self._read_all(session.is_command)
        try:
            return next(self._pieces)
        except StopIteration:
            raise EOFError from None

    def _read_all(self, is_command: Callable[[str], bool]) -> Iterator[str]:
        for where, lines in self.sources:
            for piece in blocks(lines, is_command):
                number = f":{_line_number(lines, piece)}" if len(lines) > 1 else ""
                self._place = f"{where}{number}: "
                yield piece

    def show(self, views: Sequence[View]) -> None:
        """Write views that no line asked for; in JSON there is an object for each line, and for nothing else."""
        if not self.as_json:
            self._write(views, self.out)

    def tell(self, result: Result) -> None:
        """Write what a line did."""
        if not result.ok:
            self.failed = result
        if self.as_json:
            told = {**result.data(), "output": self._printed.getvalue()}
            self.out.write(json.dumps(told, ensure_ascii=self.screen.ascii) + "\n")
            self.out.flush()
        elif result.ok:
            self._write(result.views, self.out)
        else:
            self.out.flush()
            sys.stderr.write(self._place)
            self._write(result.views, sys.stderr)

    def printing(self) -> AbstractContextManager[Any]:
        """What the user prints goes between the results, in JSON into the object of its line."""
        self._printed = io.StringIO()
        return redirect_stdout(self._printed) if self.as_json else printing_to(self.out)

    def width(self) -> int:
        """Columns there are to write in."""
        return self.screen.width

    def _write(self, views: Sequence[View], stream: TextIO) -> None:
        from repl.render import plain_text

        stream.write(plain_text(views, self.screen))
        stream.flush()


def run(session: Session, reader: BatchReader) -> int:
    """Carry out every line; returns the exit code: 0, or that of the line that failed."""
    ended = converse(session, reader)
    if reader.failed is not None:
        return reader.failed.exit_code
    return ended.exit_code if ended is not None else 0


def load(source: Source) -> Source:
    """(where it comes from, text) of one `-c` or `-x`.

    Raises:
        SourceError: the file cannot be read.
    """
    kind, text = source
    if kind == "line":
        return "-c", text
    if text == "-":
        return "stdin", sys.stdin.read()
    try:
        with open(text, encoding="utf-8") as file:
            return text, file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SourceError(f"cannot read the lines of '{text}': {reason}") from None


def _line_number(lines: Sequence[str], piece: str) -> int:
    """The number of the line with which a statement begins."""
    first = piece.split("\n", 1)[0]
    return next((number for number, line in enumerate(lines, 1) if line.rstrip() == first), 1)
