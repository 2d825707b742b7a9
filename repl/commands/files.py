"""Keep a session: as a file of lines, or recorded with its results; short names; settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from repl import record as records
from repl.commands.move import EXAMPLE
from repl.phrases import file_shown
from repl.registry import REGISTRY, CommandError, command
from repl.views import Message, Table, View

if TYPE_CHECKING:
    from repl.engine import Session

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
OPTIONS = {"memory": "bytes that the way back through a pass may take; beyond it the pass is walked again from its start"}


@command("save", group="session", usage="save FILE", example=(*EXAMPLE, "step", "save lesson.bwd"), argument="file")
def save(session: Session, argument: str) -> View:
    """Write what you typed to a file of lines.

    `load FILE` and `minitorch -x FILE` carry it out again. Values are not saved: the lines compute them.
    """
    if not argument:
        raise CommandError("save to which file? as `save lesson.bwd`")
    lines = list(records.pieces(session.lines[:-1]))
    records.write(session.path(argument), lines)
    return Message(f"wrote {len(lines)} lines to {argument}")


@command("load", group="session", usage="load FILE", example=(*EXAMPLE, "step", "save lesson.bwd", "load lesson.bwd"),
         argument="file")  # fmt: skip
def load(session: Session, argument: str) -> Sequence[View]:
    """Carry out the lines of a file.

    It ends at the first that fails.
    """
    if not argument:
        raise CommandError("load which file? as `load lesson.bwd`")
    try:
        with open(session.path(argument), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise CommandError(f"cannot read '{argument}': {reason}") from None
    if session.loading >= 8:
        raise CommandError(f"'{argument}' is loaded within itself")
    shown: list[View] = []
    session.loading += 1
    try:
        for result in session.execute_all(text):
            shown += result.views
            if not result.ok:
                shown.append(Message(f"{argument} stopped at `{result.line.splitlines()[0]}`", "warning"))
    finally:
        session.loading -= 1
    return shown


@command("record", group="session", usage="record FILE|stop", example=("record walk.jsonl", *EXAMPLE, "record stop"),
         argument="file")  # fmt: skip
def record(session: Session, argument: str) -> View:
    """Record lines and their results from here on.

    JSON lines: one object per line you type, with everything it showed as data. `replay FILE` shows it again, also where the
    script or its data are missing; `replay --verify FILE` runs it again and compares. `record stop` ends it.
    """
    if argument in ("stop", "off"):
        if session.recorder is None:
            raise CommandError("nothing is recorded; `record FILE` begins")
        ended, session.recorder = session.recorder, None
        ended.close()
        return Message(f"recorded in {file_shown(ended.path, session.folder)}")
    if not argument:
        raise CommandError("record into which file? as `record walk.jsonl`")
    if session.recorder is not None:
        raise CommandError(f"already recording into {session.recorder.path}; `record stop` ends it")
    run_as = session.run_as or ({"name": session.script} if session.script else {})
    session.recorder = records.Recorder(session.path(argument), list(records.pieces(session.lines[:-1])), run_as)
    return Message(f"recording into {argument}; `record stop` ends it")


@command(
    "replay",
    group="session",
    usage="replay [--verify] FILE",
    argument="file",
    example=("record walk.jsonl", *EXAMPLE, "step", "record stop", "replay --verify walk.jsonl"),
)
def replay(session: Session, argument: str) -> Sequence[View]:
    """Show a recorded session, or run it again.

    As it was shown, without computing anything. With --verify, the lines (and those typed before the recording began) are
    carried out again, and every result is compared: in a session of their own, or, where they were recorded under
    `minitorch debug`, in the script, which is run once more with the same arguments. Numbers may differ by 1e-6 of their
    size, those in a text by what its digits show.
    """
    words = argument.split()
    names = [word for word in words if word != "--verify"]
    if len(names) != 1:
        raise CommandError("replay which file? as `replay walk.jsonl`, or `replay --verify walk.jsonl`")
    recording = records.read(session.path(names[0]))
    if "--verify" in words:
        from repl.verify import verify

        return [Message(verify(names[0], recording))]
    shown: list[View] = []
    for event in recording.events:
        shown.append(Message(f"> {event.line}", "quiet"))
        shown += [Message(line) for line in event.shown.rstrip("\n").split("\n") if event.shown.strip()]
    return shown


@command("alias", group="session", usage="alias [NAME [LINE]]", example=(*EXAMPLE, "alias sn step 2", "sn"))
def alias(session: Session, argument: str) -> View:
    """Give a command line a short name.

    What follows the name is added to the line. Alone: list them. `alias NAME` removes it. A variable of
    that name wins, as over any command.
    """
    if not argument:
        rows = tuple(session.aliases.items())
        return Table(("alias", "line"), rows) if rows else Message("no aliases; `alias sn step 2` makes one")
    name, _, line = argument.partition(" ")
    if not name.isidentifier():
        raise CommandError(f"'{name}' is no name for an alias; letters and digits are")
    if REGISTRY.find(name) is not None:
        raise CommandError(f"'{name}' is a command already")
    if not line.strip():
        if session.aliases.pop(name, None) is None:
            raise CommandError(f"there is no alias '{name}'")
        return Message(f"removed {name}")
    word = line.split()[0].lstrip(":")
    if REGISTRY.find(word) is None:
        raise CommandError(f"an alias stands for a command, and '{word}' is none")
    session.aliases[name] = line.strip()
    return Message(f"{name} is `{line.strip()}`")


@command("option", group="session", usage="option [NAME [VALUE]]", example=("option memory 500 MB", "option"))
def option(session: Session, argument: str) -> View:
    """Show or change a setting.

    memory: how much the way back through a pass may take (`500 MB`, `none`); it holds from the next pass on.
    """
    if not argument:
        value = "none" if session.memory is None else f"{session.memory:,} bytes"
        return Table(("option", "is", "what"), (("memory", value, OPTIONS["memory"]),), yields=2)
    name, _, value = argument.partition(" ")
    if name not in OPTIONS:
        raise CommandError(f"there is no option '{name}'; there are {', '.join(OPTIONS)}")
    if value:
        session.memory = None if value.strip() == "none" else _bytes(value)
    return Message(f"memory is {'none' if session.memory is None else f'{session.memory:,} bytes'}")


def _bytes(text: str) -> int:
    number = text.strip().rstrip("BbKkMmGg ")
    unit = text.strip()[len(number) :].strip().upper()
    try:
        return int(float(number) * UNITS[unit if unit.endswith("B") or not unit else unit + "B"])
    except (ValueError, KeyError):
        raise CommandError(f"memory is a size such as 500 MB, or none; not '{text}'") from None
