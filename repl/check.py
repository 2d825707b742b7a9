"""`minitorch check`: is an exercise solved? Its own `expect(...)` calls say so, and what kind of mistake there is if not."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from repl.main import complain
from repl.phrases import count
from repl.screen import Screen, never_fail

if TYPE_CHECKING:
    from minitorch.testing import Expectation
    from repl.views import Failure

RIGHT, WRONG, USAGE, RAISED = 0, 1, 2, 3


def check(files: list[str]) -> int:
    """Check each file and say what came of it; returns the highest of their exit codes."""
    never_fail(sys.stdout)
    return max(_one(file, alone=len(files) == 1) for file in files)


def _one(file: str, alone: bool) -> int:
    try:
        source = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        return complain(f"cannot read the exercise '{file}': {reason}")
    told, raised = carry_out(file)
    if not told and raised is None:
        return complain(f"'{file}' expects nothing: an exercise asks with expect(...) of minitorch.testing")
    screen = Screen.of(sys.stdout, color=False)
    title = _title(source)
    if title or not alone:
        print(screen.text(f"{title or Path(file).name}" if alone else f"{Path(file).name}: {title}".rstrip(": ")))
    _tell(told, raised, screen)
    if raised is not None:
        return RAISED
    return RIGHT if all(one.right for one in told) else WRONG


def carry_out(file: str) -> tuple[list[Expectation], Failure | None]:
    """(what the exercise expects and whether it is so, what stopped it before its end)."""
    from minitorch.testing import OPEN, Expectation, asked, is_open
    from repl.python import failure
    from repl.script import run_file

    raised: Failure | None = None
    with asked() as told:
        try:
            run_file(os.path.abspath(file), [])
        except SystemExit:
            pass
        except BaseException as error:  # the learner's own, Ctrl-C in an endless loop included
            if is_open(error):
                told.append(Expectation("the file", False, OPEN))
            else:
                raised = failure(error)
    return told, raised


def _tell(told: list[Expectation], raised: Failure | None, screen: Screen) -> None:
    from repl.python import failure
    from repl.render import plain_text

    for one in told:
        print(screen.text(f"{'✓' if one.right else '✗'} {one.what}" + (f": {one.why}" if one.why else "")))
        if one.error is not None:
            frames = failure(one.error).frames[-1:]
            for where, line in frames:
                print(screen.text(f"    {where}: {line}"))
    if raised is not None:
        print(screen.text("✗ the file stopped before its end"))
        sys.stdout.flush()
        sys.stdout.write(plain_text([raised], screen))
    right = sum(one.right for one in told)
    print(f"{right} of {count(len(told), 'answer')} right")


def _title(source: str) -> str:
    """The first line of the exercise's docstring."""
    try:
        text = ast.get_docstring(ast.parse(source)) or ""
    except SyntaxError:
        return ""
    return text.partition("\n")[0]
