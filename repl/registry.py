"""The commands by name: one table, filled by the decorator `command`, read by dispatch, help and completion."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from repl.engine import Session
    from repl.views import View

    Handler = Callable[["Session", str], "View | Sequence[View]"]

H = TypeVar("H", bound="Handler")

Argument = Literal["", "node", "expression", "command", "file", "topic", "choice", "module"]

GROUPS = ("begin", "move", "back", "stop", "watch", "look", "teach", "what-if", "draw", "session")


class CommandError(Exception):
    """A command cannot do what was asked: one sentence with the way out. No traceback is ever shown for it."""

    exit_code = 2


class CheckFailed(CommandError):
    """What a script of commands expected is not so."""

    exit_code = 1


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name, abbreviations: what the user types.
        group: the heading under which `help` lists it.
        usage: how it is called, as `step [N]`.
        summary, details: the first line of the handler's docstring, and the rest.
        example: lines that show it at work; `help NAME` runs them in a session of their own.
        argument: what completion offers after the name.
        repeats: a blank line runs it again (movements do, edits never).
        edits: it changes breakpoints, branches or how pictures look, which `undo` puts back.
        in_script: it is for debugged scripts, and so is its example.
        handler: called with the session and the text after the name.
    """

    name: str
    abbreviations: tuple[str, ...]
    group: str
    usage: str
    summary: str
    details: str
    example: tuple[str, ...]
    argument: Argument
    repeats: bool
    edits: bool
    in_script: bool
    handler: Handler

    @property
    def names(self) -> tuple[str, ...]:
        """The name and every abbreviation."""
        return (self.name, *self.abbreviations)


class Registry:
    """Commands, found by name or abbreviation."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._names: dict[str, Command] = {}

    def add(self, command: Command) -> None:
        """Enter a command.

        Raises:
            ValueError: one of its names is taken, or its group is none of `GROUPS`.
        """
        if command.group not in GROUPS:
            raise ValueError(f"command '{command.name}' is in the unknown group '{command.group}'")
        for name in command.names:
            if name in self._names:
                raise ValueError(f"'{name}' is already a name of the command '{self._names[name].name}'")
        self._commands[command.name] = command
        self._names.update(dict.fromkeys(command.names, command))

    def find(self, word: str) -> Command | None:
        """The command with this name or abbreviation."""
        return self._names.get(word)

    def near(self, word: str) -> list[str]:
        """Names of commands that look like `word`, or do what it says."""
        if word.replace("-", "") == "whatif":  # the branch that it makes is called so
            return ["set"]
        return difflib.get_close_matches(word, self._commands, n=2, cutoff=0.6)

    def group(self, group: str) -> list[Command]:
        """The commands of one group, in the order in which they were entered."""
        return [command for command in self if command.group == group]

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())


REGISTRY = Registry()


def command(
    name: str,
    *abbreviations: str,
    group: str,
    usage: str,
    example: tuple[str, ...],
    argument: Argument = "",
    repeats: bool = False,
    edits: bool = False,
    in_script: bool = False,
) -> Callable[[H], H]:
    """Enter the decorated function as a command; its docstring is the help."""

    def enter(handler: H) -> H:
        summary, _, details = inspect.cleandoc(handler.__doc__ or "").partition("\n")
        REGISTRY.add(
            Command(
                name,
                abbreviations,
                group,
                usage,
                summary.strip(),
                details.strip(),
                example,
                argument,
                repeats,
                edits,
                in_script,
                handler,
            )  # fmt: skip
        )
        return handler

    return enter


def did_you_mean(near: Sequence[str]) -> str:
    """`; did you mean 'a' or 'b'?`, or nothing."""
    return f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
