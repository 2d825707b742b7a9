"""Open a session where it belongs: at the terminal, in a pipe, or inside a script."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from repl import batch
from repl.batch import BatchReader, SourceError
from repl.main import complain
from repl.plain import PlainReader
from repl.reader import Reader, converse
from repl.screen import Screen, is_terminal, never_fail, standard_terminals

if TYPE_CHECKING:
    from repl.engine import Session
    from repl.views import Message

WELCOME = "minitorch: Python with Value, tensor, nn, optim and np ready; `backward EXPR` steps its gradient, `help` shows how."


class NoTerminal(Exception):
    """There is no terminal to talk to."""


def own_session(args: argparse.Namespace) -> int:
    """`minitorch`: returns the exit code."""
    _never_fail()
    in_batch = args.batch or args.json or not standard_terminals()
    try:
        reader = prepared(args, [("file", "-")] if in_batch else [])
    except SourceError as error:
        return complain(str(error))
    from repl.engine import Session

    opened = Session()
    if reader is not None:
        code = batch.run(opened, reader)
        if in_batch or code:
            return code
    return talk(opened, args)


def talk(session: Session, args: argparse.Namespace) -> int:
    """Converse at the standard terminal until the user leaves."""
    reader = standard_reader(args.no_color, args.width, not args.no_history)
    reader.show([welcome()])
    ended = converse(session, reader)
    return ended.exit_code if ended is not None else 0


def welcome() -> Message:
    """The first line of a session."""
    from repl.views import Message

    return Message(WELCOME, "quiet")


def debug(args: argparse.Namespace, arguments: Sequence[str]) -> int:
    """`minitorch debug`: returns the exit code."""
    _never_fail()
    from repl import script
    from repl.registry import CommandError
    from repl.stops import Condition

    try:
        target = script.find(args.target)
        reader = prepared(args, [])
        follow = None if args.batch or args.json else _follower(args, needed=reader is None)
        when = Condition.parse(args.when) if args.when else None
    except (SourceError, script.NotFound, CommandError) as error:
        return complain(str(error))
    except NoTerminal:
        return complain("there is no terminal to debug from; give the commands with -c LINE or -x FILE")
    if reader is None and follow is None:
        reader = BatchReader([], Screen.of(sys.stdout, width=args.width), args.json)
    return script.run(target, list(arguments), reader, follow, when, args.as_torch)


def prepared(args: argparse.Namespace, default: list[batch.Source]) -> BatchReader | None:
    """The reader of the lines given with -c and -x, or of `default`; None without either.

    Raises:
        SourceError: a file of lines cannot be read.
    """
    sources = args.sources or default
    return BatchReader(sources, Screen.of(sys.stdout, False, args.width), args.json) if sources else None


def _follower(args: argparse.Namespace, needed: bool) -> Callable[[], Reader] | None:
    """Opens the terminal once it is wanted; None where there is none and prepared lines will do.

    Raises:
        NoTerminal: there is none, and it is needed.
    """
    try:
        opened = any_reader(args.no_color, args.width, not args.no_history)
    except NoTerminal:
        if needed:
            raise
        return None
    return lambda: opened


def any_reader(no_color: bool = False, width: int | None = None, keep_history: bool = True) -> Reader:
    """A reader at the terminal, whatever standard input and output are: a script under the debugger may use both.

    Raises:
        NoTerminal: there is none.
    """
    if standard_terminals():
        return standard_reader(no_color, width, keep_history)
    if "ipykernel" in sys.modules:
        return PlainReader(Screen.of(sys.stdout, False, width))
    source, out = controlling_terminal()
    return reader_on(source, out, no_color, width, keep_history)


def controlling_terminal() -> tuple[TextIO, TextIO]:
    """The terminal this process was started from, for reading and for writing.

    Raises:
        NoTerminal: there is none.
    """
    names = ("CONIN$", "CONOUT$") if sys.platform == "win32" else ("/dev/tty", "/dev/tty")
    try:
        source = open(names[0], encoding=sys.stdin.encoding if sys.stdin else None)  # noqa: SIM115  kept open for the session
        out = open(names[1], "w", encoding=sys.stdout.encoding if sys.stdout else None)  # noqa: SIM115
    except OSError:
        raise NoTerminal from None
    return source, out


def standard_reader(no_color: bool, width: int | None, keep_history: bool) -> Reader:
    """A reader at standard input and output."""
    return reader_on(None, sys.stdout, no_color, width, keep_history)


def reader_on(source: TextIO | None, out: TextIO, no_color: bool, width: int | None, keep_history: bool) -> Reader:
    """prompt_toolkit where it can work, else the plain reader."""
    screen = Screen.of(out, not no_color, width)
    if os.environ.get("TERM") != "dumb" and is_terminal(out) and not _inside_event_loop():
        from repl.terminal import Terminal

        try:
            return Terminal(screen, source, out, fixed_width=width, keep_history=keep_history)
        except Exception as error:  # NoConsoleScreenBufferError on Windows (its class exists nowhere else)
            if type(error).__name__ != "NoConsoleScreenBufferError":
                raise
    return PlainReader(screen, source, out)


def _inside_event_loop() -> bool:
    """Whether an asyncio loop runs here (a notebook, an async program): prompt_toolkit could not start its own."""
    if "asyncio" not in sys.modules:
        return False
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _never_fail() -> None:
    for stream in (sys.stdout, sys.stderr):
        never_fail(stream)
