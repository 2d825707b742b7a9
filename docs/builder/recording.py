"""The recording of the terminal in the README: `python -m docs record` types these lines at the real prompt.

What is seen is the program's own; only the pace is set here. The file is an SVG whose frames a style sheet shows in turn, so
that it plays wherever a picture is shown, without a script.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docs.builder.page import DOCS, ROOT
from minitorch.core.files import write_whole

FILE = DOCS / "terminal.svg"
LINES = (
    "a = Value(1.0)",
    "b = a + a",
    "c = b * b",
    "backward c",
    "next",
    "rstep",
    "end",
    "why a",
    "rule noorder",
    "end",
    "diff",
)
COLUMNS, ROWS = 84, 26
KEY, PAUSE = 0.07, 1.05  # seconds: for a key, and to read what a line did
LAST = 3.0  # seconds that the end stays
CHAR, LINE, MARGIN = 8.43, 18, 14  # pixels at 14 px of a monospace font
COLOURS = {
    "default": "#d8dee9", "black": "#4c566a", "red": "#ff8f8f", "green": "#a3d977", "brown": "#ebcb8b", "blue": "#8ab4f8",
    "magenta": "#d7a6ff", "cyan": "#7fdbe6", "white": "#eceff4", "brightblack": "#8b95a7", "brightcyan": "#7fdbe6",
}  # fmt: skip
GROUND = "#1f2430"

Run = tuple[str, str, bool]
"""Text, colour, bold: what stands together in a row."""


@dataclass(frozen=True)
class Frame:
    """What the screen shows, for how many seconds, and where the cursor is (column, row)."""

    rows: tuple[tuple[Run, ...], ...]
    seconds: float
    cursor: tuple[int, int]


def record(path: Path = FILE) -> Path:
    """Type the lines, and write the recording; returns its path."""
    write_whole(path, drawn(frames()).encode())
    return path


def frames() -> list[Frame]:
    """What the screen shows while the lines are typed."""
    import pexpect
    import pyte

    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    environment = {
        **os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "NO_COLOR": "",
        "PYTHONIOENCODING": "utf-8",
    }  # fmt: skip
    child = pexpect.spawn(
        sys.executable, ["-m", "repl", "--no-history"],
        dimensions=(ROWS, COLUMNS), env=environment, encoding="utf-8", timeout=20,
    )  # fmt: skip

    def settle(quiet: float) -> None:
        """Read until nothing has come for a while."""
        last = time.monotonic()
        while time.monotonic() - last < quiet:
            try:
                heard = child.read_nonblocking(65536, timeout=quiet)
                stream.feed(heard)
                if "\x1b[6n" in heard:  # where is the cursor?
                    child.send(f"\x1b[{screen.cursor.y + 1};{screen.cursor.x + 1}R")
                last = time.monotonic()
            except pexpect.TIMEOUT:
                return

    settle(3.0)
    found = [_frame(screen, 1.0)]
    for line in LINES:
        for at, key in enumerate(line):
            child.send(key)
            if at % 2 or at == len(line) - 1:
                settle(0.25)
                found.append(_frame(screen, KEY * 2))
        child.send("\r")
        settle(0.6)
        found.append(_frame(screen, PAUSE if len(line) < 12 else PAUSE * 1.3))
    child.close(force=True)
    found[-1] = Frame(found[-1].rows, LAST, found[-1].cursor)
    return found


def _frame(screen: Any, seconds: float) -> Frame:
    return Frame(tuple(_row(screen, number) for number in range(ROWS)), seconds, (screen.cursor.x, screen.cursor.y))


def _row(screen: Any, number: int) -> tuple[Run, ...]:
    """A row as runs of equal looks, without the spaces at its end."""
    runs: list[Run] = []
    cells = screen.buffer[number]
    for column in range(COLUMNS):
        cell = cells[column]
        colour = "ground" if cell.reverse else cell.fg
        if runs and runs[-1][1:] == (colour, cell.bold):
            runs[-1] = (runs[-1][0] + cell.data, colour, cell.bold)
        else:
            runs.append((cell.data, colour, cell.bold))
    while runs and not runs[-1][0].strip():
        runs.pop()
    return tuple(runs)


def drawn(shown: list[Frame]) -> str:
    """The recording as an SVG: each row that occurs is there once, each frame says which rows it has."""
    whole = sum(frame.seconds for frame in shown)
    width, height = COLUMNS * CHAR + 2 * MARGIN, ROWS * LINE + 2 * MARGIN
    rows: dict[tuple[Run, ...], str] = {}
    for frame in shown:
        for row in frame.rows:
            if row and row not in rows:
                rows[row] = f"r{len(rows)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        'role="img" aria-label="A session: the backward pass of c = b * b, step by step, forward and back">',
        f"<!-- python -m docs record -->\n<style>text{{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
        f"white-space:pre}}.f{{visibility:hidden;animation:f {whole:g}s step-end infinite}}{_timing(shown, whole)}</style>",
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/><defs>',
    ]  # fmt: skip
    parts += [f'<text id="{name}">{_spans(row)}</text>' for row, name in rows.items()]
    parts.append("</defs>")
    for number, frame in enumerate(shown):
        used = "".join(
            f'<use href="#{rows[row]}" x="{MARGIN}" y="{MARGIN + LINE * (at + 0.8):g}"/>'
            for at, row in enumerate(frame.rows) if row
        )  # fmt: skip
        x, y = MARGIN + CHAR * frame.cursor[0], MARGIN + LINE * frame.cursor[1]
        cursor = f'<rect x="{x:g}" y="{y + 2:g}" width="{CHAR:g}" height="{LINE - 3}" fill="#d8dee9" opacity=".6"/>'
        parts.append(f'<g class="f" id="f{number}">{used}{cursor}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _timing(shown: list[Frame], whole: float) -> str:
    """For each frame, when it is seen."""
    rules, begun = [], 0.0
    for number, frame in enumerate(shown):
        start, end = 100 * begun / whole, 100 * (begun + frame.seconds) / whole
        before = "" if not number else "0%{visibility:hidden}"
        after = "" if number == len(shown) - 1 else f"{end:.3f}%,100%{{visibility:hidden}}"
        rules.append(f"@keyframes f{number}{{{before}{start:.3f}%{{visibility:visible}}{after}}}")
        rules.append(f"#f{number}{{animation-name:f{number}}}")
        begun += frame.seconds
    return "".join(rules)


def _spans(row: tuple[Run, ...]) -> str:
    """The runs of a row, each where its column is, whatever the font's width."""
    spans, column = [], 0
    for text, colour, bold in row:
        if text.strip():
            lead = len(text) - len(text.lstrip())
            fill = GROUND if colour == "ground" else COLOURS.get(colour, COLOURS["default"])
            look = f'fill="{fill}"' + ' font-weight="700"' * bold
            body = text.strip()
            spans.append(
                f'<tspan x="{CHAR * (column + lead):g}" textLength="{CHAR * len(body):g}" {look}>{escape(body)}</tspan>'
            )
        column += len(text)
    return "".join(spans)
