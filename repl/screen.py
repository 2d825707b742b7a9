"""What the place we write to can show: width, colours, and which characters. Decided once, for Rich and prompt_toolkit."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

GLYPHS = "∂×→—…─│├└✓►●○·"
ASCII = str.maketrans(
    {
        "∂": "d", "×": "*", "→": "->", "—": "-", "…": "...", "─": "-", "│": "|", "├": "|", "└": "`", "✓": "ok", "✗": "wrong:",
        "►": ">", "░": ":", "▓": "+", "█": "#", "≡": "%", "Δ": "d", "⏎": ";",
        "●": "o", "○": ".", "·": ".", "∅": "0", "µ": "u", "⇧": "Shift-",
    }
)  # fmt: skip
PIPE_WIDTH = 80
NARROWEST = 24


@dataclass(frozen=True)
class Screen:
    """Width in columns, whether to colour, and whether only ASCII arrives intact."""

    width: int = PIPE_WIDTH
    color: bool = False
    ascii: bool = False

    @classmethod
    def of(cls, stream: TextIO, color: bool = True, width: int | None = None, env: Mapping[str, str] = os.environ) -> Screen:
        """What `stream` can show.

        Args:
            stream: where the text goes.
            color: False after `--no-color`.
            width: as asked for with `--width`; else the terminal's, or 80 for a pipe.
        """
        terminal = is_terminal(stream)
        if width is None:
            columns = env.get("COLUMNS", "")
            width = int(columns) if columns.isdigit() and int(columns) else _columns(stream) if terminal else PIPE_WIDTH
        colored = color and terminal and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
        return cls(max(width, NARROWEST), colored, not encodes(stream))

    def text(self, string: str) -> str:
        """`string` as this screen can show it."""
        return string.translate(ASCII) if self.ascii else string


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at the other end."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def encodes(stream: TextIO) -> bool:
    """Whether the stream takes the characters we like to use."""
    try:
        GLYPHS.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def never_fail(stream: TextIO) -> None:
    """A user's name that the terminal cannot show is written as an escape, not as an exception."""
    if isinstance(stream, io.TextIOWrapper):
        with contextlib.suppress(OSError, ValueError):
            stream.reconfigure(errors="backslashreplace")


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or PIPE_WIDTH
    except (OSError, ValueError, AttributeError):
        return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns


def standard_terminals() -> bool:
    """Whether both standard input and output are a terminal."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)
