"""Drive a session without a terminal, and read what it shows as text."""

from __future__ import annotations

from collections.abc import Sequence

from repl.engine import Session
from repl.render import plain_text
from repl.screen import Screen
from repl.views import Result

REUSE = ("a = Value(2.0)", "b = Value(-3.0)", "e = a * b", "L = e + a", "backward L")  # a is used twice


def session(*lines: str) -> Session:
    """A session that has carried out these lines, all of them with success."""
    made = Session()
    for line in lines:
        result = made.execute(line)
        assert result.ok, (line, text(result))
    return made


def text(result: Result, width: int = 80, ascii: bool = False) -> str:
    """What a result shows."""
    return plain_text(result.views, Screen(width, ascii=ascii))


def say(session: Session, line: str, width: int = 80) -> str:
    """Carry out a line that must succeed; returns what it shows."""
    result = session.execute(line)
    assert result.ok, text(result)
    return text(result, width)


def refuse(session: Session, line: str) -> str:
    """Carry out a line that must be refused; returns the sentence, on one line."""
    result = session.execute(line)
    assert not result.ok and result.exit_code
    return " ".join(text(result).split())


def positions(session: Session, lines: Sequence[str]) -> list[int]:
    """Where the pass stands after each of these lines."""
    found = []
    for line in lines:
        session.execute(line)
        assert session.stepper is not None
        found.append(session.stepper.position)
    return found
