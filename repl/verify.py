"""A recorded session once more, line by line, compared with what it gave: in a session of its own, or in its script."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any

import minitorch
from repl.engine import Session
from repl.record import Event, Recording, difference
from repl.registry import CheckFailed, CommandError
from repl.views import Result, View, jsonable


def verify(name: str, recording: Recording) -> str:
    """Run a recording again; returns the sentence that all is as it was.

    Raises:
        CheckFailed: a line gives something else, naming the line and both.
        CommandError: the script it was recorded in is not there.
    """
    checker = Checker(recording)
    with _own_draws():
        if recording.script:
            _in_script(recording.script, checker)
        else:
            again = Session()
            while not checker.over:
                checker.tell(again.execute(checker.read(again)))
    if checker.told:
        raise CheckFailed(f"{name}, {checker.told}")
    where = f" in {recording.script['name']}" if recording.script else ""
    return f"{name}: all {len(recording.events)} lines give what they gave{where}"


class Checker:
    """A reader (see `reader.Reader`) that types a recording's lines and compares what comes of them."""

    def __init__(self, recording: Recording) -> None:
        self.lines: list[tuple[str, Event | None]] = [(line, None) for line in recording.before]
        self.lines += [(event.line, event) for event in recording.events]
        self.in_script = bool(recording.script)
        self.told = ""
        self._at = 0
        self._before = len(recording.before)

    @property
    def over(self) -> bool:
        """Whether nothing is left to compare."""
        return bool(self.told) or self._at == len(self.lines)

    def read(self, session: Session) -> str:
        """The next line."""
        if self.over:
            raise EOFError
        return self.lines[self._at][0]

    def tell(self, result: Result) -> None:
        """Compare what the line did; after the last one, the script has done its duty."""
        line, event = self.lines[self._at]
        self._at += 1
        if event is not None:
            told = difference(event.views, [{"kind": view.kind, **jsonable(view)} for view in result.views])
            if result.ok != event.ok:
                told = "it was carried out, and now fails" if event.ok else "it failed, and is now carried out"
            self.told = f"line {self._at - self._before}, `{line}`: {told}" if told else ""
        if self.over and self.in_script:
            raise SystemExit

    def show(self, views: Sequence[View]) -> None:
        """Nobody is looking."""

    def printing(self) -> AbstractContextManager[Any]:
        """What is printed is not compared."""
        return redirect_stdout(io.StringIO())

    def width(self) -> int:
        """As wide as a pipe, as recordings are."""
        return 80


def _in_script(script: dict[str, Any], checker: Checker) -> None:
    """Run the script under a debugger that types the lines."""
    from repl import script as scripts
    from repl.stops import Condition

    if "target" not in script:
        raise CommandError(
            f"{script['name']} opened the debugger itself; only a recording under `minitorch debug` can be run again"
        )
    try:
        target = scripts.find(script["target"])
    except scripts.NotFound as error:
        raise CommandError(f"it was recorded in {script['name']}: {error}") from None
    when = Condition.parse(script["when"]) if script["when"] else None
    quiet = io.StringIO()
    with redirect_stdout(quiet), redirect_stderr(quiet), suppress(SystemExit):
        scripts.run(target, script["arguments"], checker, None, when, script["as_torch"])
    if not checker.over:
        line = checker.read(Session())
        last = quiet.getvalue().strip().rsplit("\n", 1)[-1]
        checker.told = f"`{line}`: the script ended before it{f' ({last})' if last else ''}"


@contextmanager
def _own_draws() -> Iterator[None]:
    """What is drawn at random inside leaves the draws outside as they would have been."""
    state = minitorch.get_rng_state()
    try:
        yield
    finally:
        minitorch.set_rng_state(state)
