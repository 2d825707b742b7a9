"""A session as JSON lines: what was typed and what came of it, to be looked at again, or run again and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

from minitorch.core.files import write_whole
from repl.registry import CommandError
from repl.views import Result

FORMAT, VERSION = "minitorch-session", 1
TOLERANCE = 1e-6
PRINTED = 2e-3  # a number in a text has three digits or more: rounding may turn the last one
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")
_ADDRESS = re.compile(r"0x[0-9a-f]+")
LEFT_OUT = ("record", "replay", "save", "history")  # commands that are about the session, not part of it


class Recorder:
    """Writes each line that is carried out, with its results as data, to a file.

    Args:
        path: the file.
        before: the lines that have been carried out already.
        script: how the script was run in which this is recorded, empty outside one.

    Raises:
        CommandError: the file cannot be written.
    """

    def __init__(self, path: str, before: Sequence[str], script: Mapping[str, Any]) -> None:
        self.path = path
        try:
            self._file: TextIO = open(path, "w", encoding="utf-8")  # noqa: SIM115  open until the recording ends
        except OSError as error:
            raise CommandError(f"cannot write '{path}': {error.strerror}") from None
        head = {"format": FORMAT, "version": VERSION, "before": list(before)}
        self._write({**head, "script": dict(script)} if script else head)

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
    """`before` are the lines that had been carried out when the recording began; `script` is how the script was run (see
    `script.run`), empty for a session of its own."""

    before: list[str]
    events: list[Event]
    script: dict[str, Any]


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
        return Recording([str(line) for line in head["before"]], events, dict(head.get("script", {})))
    except OSError as error:
        raise CommandError(f"cannot read '{path}': {error.strerror}") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise CommandError(f"'{path}' is no recording of a session (`record FILE` makes one)") from None


def difference(recorded: Any, now: Any, where: str = "") -> str:
    """Where two results differ, in words; numbers may do so by 1e-6 of their size. Nothing where they agree."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        keys = [key for key in recorded if key not in ("place", "played")]
        return next((told for key in keys if (told := difference(recorded[key], now.get(key), f"{where}.{key}"))), "")
    if isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        pairs = enumerate(zip(recorded, now))
        return next((told for i, (a, b) in pairs if (told := difference(a, b, f"{where}[{i}]"))), "")
    numbers = isinstance(recorded, (int, float)) and isinstance(now, (int, float))
    if numbers and abs(recorded - now) <= TOLERANCE * max(1.0, abs(recorded)):
        return ""
    same = recorded == now or isinstance(recorded, str) and isinstance(now, str) and _reads_the_same(recorded, now)
    return "" if same else f"{where.strip('.')} was {_short(recorded)}, is {_short(now)}"


def _reads_the_same(a: str, b: str) -> bool:
    """Whether two texts differ in nothing but addresses, and the last digits of numbers."""
    a, b = (_ADDRESS.sub("0x", text) for text in (a, b))
    if _NUMBER.split(a) != _NUMBER.split(b):
        return False
    pairs = [(float(x), float(y)) for x, y in zip(_NUMBER.findall(a), _NUMBER.findall(b))]
    return all(x == y or abs(x - y) <= PRINTED * max(abs(x), abs(y)) for x, y in pairs)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def write(path: str, lines: Sequence[str]) -> None:
    """Write a file of lines: aside, then in its place.

    Raises:
        CommandError: it cannot be written.
    """
    try:
        write_whole(path, "".join(line + "\n" for line in lines).encode())
    except OSError as error:
        raise CommandError(f"cannot write '{path}': {error.strerror}") from None


def pieces(lines: Sequence[str]) -> Iterator[str]:
    """What was typed, without the commands that are about the session itself."""
    for line in lines:
        word = line.strip().lstrip(":").split(" ", 1)[0]
        if word not in LEFT_OUT:
            yield line
