"""`minitorch debug`: run a script or a sample as it is, under the debugger."""

from __future__ import annotations

import difflib
import importlib
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import Any

from repl.as_torch import answering_torch
from repl.attach import Debugger
from repl.batch import BatchReader
from repl.phrases import count
from repl.python import failure
from repl.reader import Reader
from repl.screen import Screen
from repl.stops import Condition
from repl.views import Message, View

RAISED, STOPPED = 3, 130


class NotFound(Exception):
    """There is no such script or sample."""


@dataclass(frozen=True)
class Target:
    """What to run: a file, or a sample by name."""

    name: str
    path: str = ""


def find(word: str) -> Target:
    """The script or sample that a word names.

    Raises:
        NotFound: neither exists; names the nearest.
    """
    if os.path.isfile(word):
        return Target(os.path.basename(word), word)
    names = list(importlib.import_module("samples.registry").SAMPLES)
    if word in names:
        return Target(word)
    if word.endswith(".py") or os.sep in word:
        raise NotFound(f"there is no file '{word}'" + ("" if os.path.isabs(word) else f" here ({_here()})"))
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the samples are {', '.join(names)}"
    raise NotFound(f"there is no script or sample '{word}'; {hint}")


def run(
    target: Target,
    arguments: Sequence[str],
    reader: Reader | None,
    follow: Callable[[], Reader] | None,
    when: Condition | None = None,
    as_torch: bool = False,
) -> int:
    """Run the target to its end; returns the exit code.

    Args:
        arguments: what the script finds in sys.argv after its name.
        reader: prepared lines, used up first.
        follow: opens the terminal, for when they are used up; None lets the script go on alone then.
        when: pause at the passes for which this is true, instead of at the first.
        as_torch: the script's `import torch` gets minitorch.
    """
    debugger = Debugger(target.name, reader, follow, when)
    debugger.session.run_as = {
        "name": target.name,
        "target": os.path.abspath(target.path) if target.path else target.name,
        "arguments": list(arguments),
        "when": when.text if when is not None else "",
        "as_torch": as_torch,
    }
    prepared = reader if isinstance(reader, BatchReader) else None
    in_json = prepared is not None and prepared.as_json
    # With --json, standard output is ours alone: what the script prints goes to standard error.
    with (
        redirect_stdout(sys.stderr) if in_json else nullcontext(),
        debugger,
        pausing_on_ctrl_c(debugger),
        answering_torch(as_torch),
    ):
        code = _run(target, list(arguments), debugger)
    if prepared is not None and prepared.failed is not None and not code:
        return prepared.failed.exit_code
    return code


def _run(target: Target, arguments: list[str], debugger: Debugger) -> int:
    try:
        if target.path:
            run_file(target.path, arguments)
            code = 0
        else:
            code = importlib.import_module("samples.main").main(["run", target.name, *arguments])
    except SystemExit as left:
        if isinstance(left.code, str):
            print(left.code, file=sys.stderr)
        return left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    except KeyboardInterrupt:
        _report(Message(f"{target.name} was stopped by Ctrl-C", "warning"))
        return STOPPED
    except Exception as error:  # the script's own, shown as its author knows it
        if not debugger.post_mortem(error, error.__traceback__):
            _report(failure(error))
        return RAISED
    if not debugger.paused and not code:
        _report(Message(f"{target.name} ended without {_wanted(debugger)}"))
    return code


def _wanted(debugger: Debugger) -> str:
    if not debugger.passes or debugger.session.when is None:
        return "calling backward(): there was nothing to pause at"
    return (
        f"pausing: in none of {count(debugger.passes, 'pass').replace('passs', 'passes')} was {debugger.session.when.text} true"
    )


def run_file(path: str, arguments: list[str]) -> None:
    """Run a file as Python would run it: as `__main__`, with its folder first on the path."""
    before_argv, before_path = sys.argv, sys.path[0]
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        sys.argv, sys.path[0] = before_argv, before_path


def _report(view: View) -> None:
    from repl.render import plain_text

    sys.stdout.flush()
    sys.stderr.write(plain_text([view], Screen.of(sys.stderr, color=False)))


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "a directory that was deleted"


@contextmanager
def pausing_on_ctrl_c(debugger: Debugger) -> Iterator[None]:
    """The first Ctrl-C in a running script pauses at its next backward(), a second one stops it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pause(*_: Any) -> None:
        if debugger.pause_next or not debugger.attached:
            raise KeyboardInterrupt
        debugger.pause_next = True
        sys.stderr.write("pausing at the next backward(); Ctrl-C again stops the script\n")

    before = signal.signal(signal.SIGINT, pause)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
