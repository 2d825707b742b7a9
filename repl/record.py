"""A session as JSON lines: what was typed and what came of it, to be looked at again, or run again and compared."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

from repl.registry import CommandError
from repl.views import Result

FORMAT, VERSION = "minitorch-session", 1
TOLERANCE = 1e-6
LEFT_OUT = ("record", "replay", "save", "history")  # commands that are about the session, not part of it


class Recorder:
    """Writes each line that is carried out, with its results as data, to a file.

    Raises:
        CommandError: the file cannot be written.
    """

    def __init__(self, path: str, before: Sequence[str]) -> None:
        self.path = path
        try:
            self._file: TextIO = open(path, "w", encoding="utf-8")  # noqa: SIM115  open until the recording ends
        except OSError as error:
            raise CommandError(f"cannot write '{path}': {error.strerror}") from None
        self._write({"format": FORMAT, "version": VERSION, "before": list(before)})

    def note(self, result: Result, shown: str) -> None:
        """Write one line and what it did; `shown` is its text on a screen 80 columns wide."""
        self._write({**result.data(), "shown": shown})

    def close(self) -> None:
        """End the recording."""
        self._file.close()

    def _write(self, item: dict[str, Any]) -> None:
        with suppress(ValueError, OSError):  # the disk is full: the session goes on
            self._file.write(json.dumps(item, ensure_ascii=False) + "\n")
            self._file.flush()


@dataclass(frozen=True)
class Event:
    """One recorded line: the line, its views as data, and the text they made."""

    line: str
    ok: bool
    views: list[Any]
    shown: str


@dataclass(frozen=True)
class Recording:
    """`before` are the lines that had been carried out when the recording began."""

    before: list[str]
    events: list[Event]


def read(path: str) -> Recording:
    """A recording from its file.

    Raises:
        CommandError: it cannot be read, or is none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            items = [json.loads(line) for line in file if line.strip()]
        head = items[0]
        if head["format"] != FORMAT or head["version"] > VERSION:
            raise CommandError(f"'{path}' was recorded by a newer version ({head['version']}); this one reads {VERSION}")
        events = [Event(str(i["line"]), bool(i["ok"]), list(i["views"]), str(i["shown"])) for i in items[1:]]
        return Recording([str(line) for line in head["before"]], events)
    except OSError as error:
        raise CommandError(f"cannot read '{path}': {error.strerror}") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise CommandError(f"'{path}' is no recording of a session (`record FILE` makes one)") from None


def difference(recorded: Any, now: Any, where: str = "") -> str:
    """Where two results differ, in words; numbers may do so by 1e-6 of their size. Nothing where they agree."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        keys = [key for key in recorded if key not in ("place", "text", "played")]
        return next((told for key in keys if (told := difference(recorded[key], now.get(key), f"{where}.{key}"))), "")
    if isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        pairs = enumerate(zip(recorded, now))
        return next((told for i, (a, b) in pairs if (told := difference(a, b, f"{where}[{i}]"))), "")
    numbers = isinstance(recorded, (int, float)) and isinstance(now, (int, float))
    if numbers and abs(recorded - now) <= TOLERANCE * max(1.0, abs(recorded)):
        return ""
    return "" if recorded == now else f"{where.strip('.')} was {_short(recorded)}, is {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def write(path: str, lines: Sequence[str]) -> None:
    """Write a file of lines: aside, then in its place.

    Raises:
        CommandError: it cannot be written.
    """
    try:
        handle, aside = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".minitorch-")
        with open(handle, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        os.replace(aside, path)
    except OSError as error:
        raise CommandError(f"cannot write '{path}': {error.strerror}") from None


def pieces(lines: Sequence[str]) -> Iterator[str]:
    """What was typed, without the commands that are about the session itself."""
    for line in lines:
        word = line.strip().lstrip(":").split(" ", 1)[0]
        if word not in LEFT_OUT:
            yield line
