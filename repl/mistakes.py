"""A line that failed, in the words of somebody who is learning: one sentence, and the nearest names."""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from repl.registry import REGISTRY, CommandError, did_you_mean
from repl.views import Failure, Message, Result, View

if TYPE_CHECKING:
    from repl.engine import Session


def refused(text: str, error: CommandError) -> Result:
    """The result of a command that could not be carried out."""
    return Result(text, False, "command", [Message(str(error), "error")], exit_code=error.exit_code)


def failed(session: Session, text: str, failure: Failure) -> Result:
    """The result of Python that raised; where a command was meant, how to type it."""
    shown: list[View] = [failure]
    code = 3
    word = re.split(r"\W", text.strip(), maxsplit=1)[0]
    if failure.error in ("NameError", "SyntaxError") and word.isidentifier() and "\n" not in text:
        command = REGISTRY.find(word)
        near = REGISTRY.near(text.split(maxsplit=1)[0]) or REGISTRY.near(word)
        if command is not None:
            rest = text.strip()[len(word) :].strip().strip("()")
            typed = f"{command.name} {rest}".strip()
            shown = [failure, Message(f"for the command type `{typed}`", "hint")]
        elif failure.error == "NameError" and f"'{word}'" in failure.message:
            near = (near + closest(word, _known(session)))[:2]
            sentence = f"there is no variable or command '{word}'{did_you_mean(near) or ' (help lists the commands)'}"
            shown, code = [Message(sentence, "error")], 2
        elif failure.error == "SyntaxError" and word not in session.namespace and _like_a_command(text, near):
            code = 2
            shown = [Message(f"this is neither Python nor a command{did_you_mean(near) or ' (help lists them)'}", "error")]
    return Result(text, False, "python", shown, exit_code=code)


def unknown_name(session: Session, error: NameError) -> str:
    """The sentence for a name that an expression uses and nothing has."""
    name = getattr(error, "name", None)
    return f"there is no variable or node '{name}'{did_you_mean(closest(name, _known(session)))}" if name else str(error)


def _known(session: Session) -> list[str]:
    return [name for name in (*session.namespace, *session.graph.notable) if not name.startswith("_")]


def _like_a_command(text: str, near: Sequence[str]) -> bool:
    """Whether a line looks like a command with an argument: `stpe 3`, or two words and no operator between them."""
    words = text.split()
    if len(words) < 2 or not words[0].replace("-", "_").isidentifier() or keyword.iskeyword(words[0]):
        return False
    return words[1].isidentifier() or bool(near)


def closest(word: str, names: Sequence[str]) -> list[str]:
    """The names that look most like a word."""
    return difflib.get_close_matches(word, names, n=2, cutoff=0.6)
