"""Sessions at the terminal's prompt, as they stand in pages: lines typed after the real prompt, and what answers them."""

from __future__ import annotations

import argparse
import codeop
import io
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, redirect_stdout
from typing import TYPE_CHECKING, Any

from docs.builder.page import Block

if TYPE_CHECKING:
    from repl.engine import Session
    from repl.views import Result, View

PROMPTS = "`>>> `, or `(3/7 mul_1) ` in a paused pass"
# `>>> `, `(3/7 mul_1) ` in a paused pass, `(what-if: 3/7 mul_1) ` on a branch, `(train.py) ` in a script between passes.
PROMPT = re.compile(r"^(>>> ?|\((?:[^():]+: )?\d+/\d+ (?:in )?\S+\) |\([\w-]+(?:\.py)?\) )(.*)$")
_LIKE_ONE = re.compile(r"^(\([^)]*\)|\w*>+) ?(\w+)\b")
_MORE = re.compile(r"^ *\.\.\.(?: (.*))?$")


class CannotRun(Exception):
    """A session is not written as it has to be."""


class Sessions:
    """The sessions of one page.

    A session begins with a line `$ minitorch` or `$ minitorch debug SCRIPT`, without one it is `minitorch` alone, and goes
    on in the blocks that follow. It is carried out as a whole where it begins.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._sessions: list[list[Block]] = []
        for block in blocks:
            if not self._sessions or block.text.startswith("$ "):
                self._sessions.append([])
            self._sessions[-1].append(block)
        self._told: dict[int, str] = {}

    def transcript(self, block: Block) -> str:
        """What the terminal shows while the lines of this block are typed, prompts and lines included.

        Raises:
            CannotRun: the block does not begin with a prompt, or the command cannot be carried out here.
        """
        if block.line not in self._told:
            session = next(session for session in self._sessions if any(part is block for part in session))
            reader = Typed([typed(part) for part in session])
            first = session[0].text.split("\n")[0]
            arguments = shlex.split(first.removeprefix("$ ")) if first.startswith("$ ") else ["minitorch"]
            converse(arguments, reader)
            for number, part in enumerate(session):
                lead = first + "\n" if not number and first.startswith("$ ") else ""
                self._told[part.line] = lead + "".join(reader.told[number])
        return self._told[block.line]


class Typed:
    """A reader whose user types what stands in a page; `told` holds for each block what there is to see."""

    def __init__(self, lines: Sequence[Sequence[str]]) -> None:
        from repl.screen import Screen

        self._waiting = [(number, line) for number, block in enumerate(lines) for line in block]
        self.told: list[list[str]] = [[] for _ in lines]
        self._now = 0
        self._screen = Screen()
        self._out = io.StringIO()

    def read(self, session: Session) -> str:
        """The next line, behind the prompt."""
        from repl.plain import prompt

        self._put()
        if not self._waiting:
            raise EOFError
        self._now, text = self._waiting.pop(0)
        before = prompt(session)
        more = "... ".rjust(len(before))
        self.told[self._now].append(before + text.replace("\n", "\n" + more) + "\n")
        return text

    def show(self, views: Sequence[View]) -> None:
        """What the terminal writes."""
        from repl.render import plain_text

        self._out.write(plain_text(views, self._screen))

    def tell(self, result: Result) -> None:
        """What a line did."""
        self.show(result.views)

    def printing(self) -> AbstractContextManager[Any]:
        """What the user's Python prints goes between."""
        return redirect_stdout(self._out)

    def width(self) -> int:
        """Columns there are to write in."""
        return self._screen.width

    def rest(self, printed: str) -> None:
        """The end: what the program still printed after the last line."""
        self._out.write(printed)
        self._put()

    def _put(self) -> None:
        self.told[self._now].append(self._out.getvalue())
        self._out.seek(0)
        self._out.truncate()


def typed(block: Block) -> list[str]:
    """What the user types in a block: a statement or a command each, with as many lines as it has.

    Raises:
        CannotRun: nothing is typed, or something behind what is no prompt.
    """
    from repl.engine import REGISTRY  # with the commands in it

    lines: list[str] = []
    for line in block.text.split("\n"):
        found, more = PROMPT.match(line), _MORE.match(line)
        if more is not None and lines and _is_open(lines[-1]):
            lines[-1] += "\n" + (more[1] or "")
        elif found is not None:
            lines.append(found[2])
        elif (like := _LIKE_ONE.match(line)) is not None and REGISTRY.find(like[2]) is not None:
            raise CannotRun(f"`{line}` looks typed, but {like[1]} is no prompt of the terminal; prompts are {PROMPTS}")
    if not lines:
        raise CannotRun(f"a session has lines behind a prompt: {PROMPTS}")
    return lines


def _is_open(text: str) -> bool:
    """Whether Python waits for more lines."""
    try:
        return codeop.compile_command(text) is None
    except (SyntaxError, ValueError, OverflowError):
        return False


def converse(arguments: Sequence[str], reader: Typed) -> None:
    """Carry out `minitorch` or `minitorch debug [--when EXPR] [--as-torch] SCRIPT [-- ARGS]` with this reader.

    Raises:
        CannotRun: it is another command, or there is no such script.
    """
    from repl import script
    from repl.engine import Session
    from repl.reader import converse
    from repl.stops import Condition

    if list(arguments) == ["minitorch"]:
        converse(Session(), reader)
        reader.rest("")
        return
    if arguments[:2] != ["minitorch", "debug"]:
        shown = " ".join(arguments)
        raise CannotRun(f"a session is `minitorch` or `minitorch debug SCRIPT`, not `{shown}`; use a console block")
    cut = list(arguments).index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="minitorch debug", exit_on_error=False)
    parser.add_argument("target")
    parser.add_argument("--when")
    parser.add_argument("--as-torch", action="store_true")
    options = parser.parse_args(list(arguments[2:cut]))
    printed = io.StringIO()
    try:
        target = script.find(options.target)
        when = Condition.parse(options.when) if options.when else None
        with redirect_stdout(printed):
            script.run(target, list(arguments[cut + 1 :]), reader, None, when, options.as_torch)
    except script.NotFound as error:
        raise CannotRun(str(error)) from None
    finally:
        sys.stdout.flush()
    reader.rest("")
