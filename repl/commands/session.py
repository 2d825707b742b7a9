"""Help, history, and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from repl.graph import SELECTORS
from repl.registry import GROUPS, REGISTRY, Command, CommandError, command, did_you_mean
from repl.views import Facts, Help, Message, Overview, Result, Table, View

if TYPE_CHECKING:
    from repl.engine import Session

KEYS = (
    ("F5", "Alt-c", "continue"),
    ("F10", "Alt-n", "next: one node"),
    ("F11", "Alt-s", "step: one edge"),
    ("Shift-F10", "Alt-N", "rnext: one node back"),
    ("Shift-F11", "Alt-S", "rstep: one edge back"),
    ("F1", "Alt-h", "help"),
    ("Tab", "", "complete commands, nodes, attributes"),
    ("Right", "Ctrl-E", "take the grey suggestion from the history"),
    ("Alt-Enter", "", "a new line without running"),
    ("Ctrl-R", "", "search the history"),
    ("Ctrl-C", "", "clear the line; stop a running movement"),
    ("Ctrl-D", "", "leave, on an empty line"),
    ("Enter", "", "on an empty line: repeat the last movement"),
)
TOPICS = ("keys", "selectors", "python")
PYTHON = (
    ("command", "a line whose first word is a command: `step`, `print a + b`"),
    ("Python", "everything else; `x = ...`, `f(x)`, `x.y` and `x[0]` are always Python"),
    ("variables", "a variable of yours wins over a command of its name: after `c = a * b`, `c` shows c. `step 3`, which "
     "cannot be Python, is the command all the same"),
    (":c", "always the command"),
    ("!list", "always Python"),
    ("_", "the last result"),
)


@command(
    "help",
    "h",
    "?",
    group="session",
    usage="help [COMMAND|TOPIC]",
    example=("help selectors",),
    argument="topic",
)
def help_(session: Session, argument: str) -> View:
    """List the commands, or explain one at work.

    Topics: keys, selectors, python."""
    word = argument.strip().lstrip(":")
    if not word:
        groups = tuple((group, tuple((c.usage, _short(c), c.summary) for c in REGISTRY.group(group))) for group in GROUPS)
        footer = (
            "help COMMAND shows one at work. Topics: help keys, help selectors, help python. Anything else you type is Python."
        )
        return Overview(tuple(entry for entry in groups if entry[1]), footer)
    if word == "keys":
        return Table(("key", "or", "does"), KEYS)
    if word == "selectors":
        return Facts(
            "SEL picks nodes",
            SELECTORS,
            "wherever a command takes a node: break, until, list, goto, info, print, hist, draw, ...; Tab completes them",
        )
    if word == "python":
        return Facts("Commands and Python at one prompt", PYTHON)
    found = REGISTRY.find(word)
    if found is None:
        near = [*REGISTRY.near(word), *(topic for topic in TOPICS if topic.startswith(word[:3]))]
        python = f" (Python's own help: help({word}))" if word.split(".")[0] in session.namespace else ""
        raise CommandError(f"there is no command '{word}'{python or did_you_mean(near) or '; help lists them'}")
    played = tuple((line, tuple(result.views) if own else ()) for line, result, own in play(found))
    return Help(found.usage, found.names, found.summary, found.details, played)


def _short(found: Command) -> str:
    return next((name for name in found.abbreviations if name.isalpha()), "")


def play(found: Command) -> Iterator[tuple[str, Result, bool]]:
    """Run the example of a command in a session of its own, whose files vanish with it: each line, what it did, and whether
    that is worth showing (the command's own lines, and the last)."""
    from repl.engine import Session

    with TemporaryDirectory(prefix="minitorch-help-") as folder:
        scratch = Session(script="train.py" if found.in_script else "", folder=folder)
        for line in found.example:
            own = scratch.dispatch(line).command is found or line is found.example[-1]
            yield line, scratch.execute(line), own


@command("history", "hi", group="session", usage="history [N]", example=("a = Value(2.0)", "a * a", "history 5"))
def history(session: Session, argument: str) -> View:
    """Show the last N lines you typed (20)."""
    if argument and not argument.isdigit():
        raise CommandError(f"history takes a count, like `history 20`, not '{argument}'")
    amount = int(argument or 20)
    lines = session.lines[:-1]
    first = max(len(lines) - amount, 0)
    if not lines:
        return Message("nothing typed yet")
    rows = tuple((str(first + number + 1), line.replace("\n", " ⏎ ")) for number, line in enumerate(lines[first:]))
    return Table(("", ""), rows, right=(0,))


@command("abort", group="session", usage="abort", example=("abort",), in_script=True)
def abort(session: Session, argument: str) -> Message:
    """Stop the script that is being debugged.

    `quit` lets it go on; this ends it where it stands, with exit code 130.
    """
    if not session.script:
        raise CommandError("there is no script to stop; `quit` leaves")
    session.leaving = "abort"
    return Message(f"{session.script} is stopped here")


@command("quit", "q", "exit", group="session", usage="quit", example=("quit",), in_script=True)
def quit_(session: Session, argument: str) -> Message | list[View]:
    """Leave; a debugged script goes on by itself.

    A pass that is paused inside a script is finished first, so that the script gets its gradients.
    """
    if argument:
        raise CommandError("quit takes no argument")
    session.leaving = "detach" if session.script else "quit"
    return Message(f"{session.script} goes on without the debugger") if session.script and not session.ended else []
