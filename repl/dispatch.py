"""Command or Python? One prompt takes both; this is the rule that tells them apart.

`:cmd` is always a command and `!stmt` always Python. Otherwise a line is a command when its first word names one, no
variable has that name, and what follows does not make it an assignment, a call, an attribute or an index. A variable
wins, because learners call things a, b, c, n and w; a hint says how to reach the command. What cannot be Python is the
command all the same: `step 3` where a loop has counted in `step`.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

from repl.registry import Command, CommandError, Registry, did_you_mean

_WORD = re.compile(r"(\?|[A-Za-z_]\w*)(.*)", re.DOTALL)
# `s += 1`, `s == 1`, `s, t = 1, 2`, `s: int = 1`: operators that only a statement has directly after a name.
_ASSIGNS = re.compile(r"=|,|:|(\+|-|\*\*?|//?|%|@|&|\||\^|<<|>>)=")


@dataclass(frozen=True)
class Line:
    """What a line turned out to be.

    `text` is the source of Python, or what follows the name of the command. `hint` is shown after the result.
    """

    kind: Literal["blank", "command", "python"]
    text: str = ""
    command: Command | None = None
    hint: str = ""


def dispatch(line: str, registry: Registry, variables: Container[str], nodes: Container[str] = ()) -> Line:
    """Tell what `line` is.

    Args:
        registry: the commands there are.
        variables: names the user has bound (not the ones the session brought along).
        nodes: names of nodes in the graph; a one-letter abbreviation yields to a node of its name, too.

    Raises:
        CommandError: after `:`, there is no such command.
    """
    text = line.strip()
    if not text:
        return Line("blank")
    if text.startswith(":"):
        return _forced(text[1:].strip(), registry)
    if text.startswith("!"):
        return Line("python", text[1:].strip())
    found = _WORD.match(text)
    command = registry.find(found[1]) if found else None
    if found is None or command is None or "\n" in text:
        return Line("python", line.rstrip())
    word, rest = found[1], found[2]
    if _continues_python(word, rest):
        return Line("python", text)
    if word in variables and (word != command.name or _may_be_python(text, rest.strip())):
        return Line("python", text, hint=_variable_wins(word, rest.strip(), command))
    if word != command.name and not rest and word in nodes:
        hint = f"{word} is a node here; the command is `{command.name}` or `:{word}`"
        return Line("command", word, registry.find("print"), hint)
    return Line("command", rest.strip(), command)


def _forced(text: str, registry: Registry) -> Line:
    word, _, rest = text.partition(" ")
    command = registry.find(word)
    if command is None:
        raise CommandError(f"there is no command '{word}'{did_you_mean(registry.near(word))} (help lists them)")
    return Line("command", rest.strip(), command)


def _continues_python(word: str, rest: str) -> bool:
    """Whether what follows a command's name makes the line Python."""
    follows = rest.lstrip()
    if word == "?" or not follows:
        return False
    if not rest[0].isspace():  # step(…), step.x, step[0], step=1, step,
        return True
    if _ASSIGNS.match(follows):
        return True
    # `print (x)` is Python's print; `backward (a - b) ** 2` can only be the command.
    return follows[0] in "([" and (hasattr(builtins, word) or keyword.iskeyword(word))


def _may_be_python(text: str, rest: str) -> bool:
    """Whether a line that begins with a variable is Python, or the beginning of it: `step`, `step + (`, but not `step 3`."""
    argument = re.match(r"[\w@#]+", rest)
    return argument is None or keyword.iskeyword(argument[0]) or is_python(text)


def _variable_wins(word: str, rest: str, command: Command) -> str:
    """The hint for a line that would have been a command; none where the line is plainly Python (`c + 1`)."""
    if rest and is_python(f"{word} {rest}"):
        return ""
    typed = f"{command.name} {rest}".strip()
    other = f"`:{word} {rest}".strip() + "`"
    return f"{word} is your variable; the command is {other}" + (f" or `{typed}`" if word != command.name else "")


def is_python(text: str) -> bool:
    """Whether `text` parses."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
