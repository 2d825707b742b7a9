"""Where a statement ends: for Enter at the prompt, for pasted text, and for files of lines."""

from __future__ import annotations

import ast
import codeop
import re
import warnings
from collections.abc import Callable, Iterator, Sequence

_CONTINUES = re.compile(r"(else|elif|except|finally)\b|[)\]}]")


def _compiles(source: str) -> bool | None:
    """True for complete source, False where more has to follow, None for a mistake."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return codeop.compile_command(source, "<input>", "exec") is not None
        except (SyntaxError, ValueError, OverflowError):
            return None


def _open_block(source: str) -> bool:
    """Whether `source` ends in a compound statement over several lines, which a blank line closes."""
    last = source.rsplit("\n", 1)[-1]
    if not last.strip():
        return False
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(body) and hasattr(body[-1], "body") and body[-1].lineno != body[-1].end_lineno


def needs_more(text: str, is_command: Callable[[str], bool]) -> bool:
    """Whether Enter after `text` should open another line, as IPython decides it."""
    chunks = list(blocks(text.split("\n"), is_command))
    if not chunks:
        return False
    tail = chunks[-1]
    if is_command(tail):
        return False
    source = tail.removeprefix("!").lstrip() if tail.startswith("!") else tail
    if _compiles(source) is False:
        return True
    trailing = text[len(text.rstrip("\n")) :]
    return _open_block(source) and not trailing and bool(text.rsplit("\n", 1)[-1].strip())


def blocks(lines: Sequence[str], is_command: Callable[[str], bool]) -> Iterator[str]:
    """Cut lines into what is executed at once: a command, or a whole Python statement.

    Lazy, because what a line is depends on the variables that the lines before it have bound.
    """
    start = 0
    while start < len(lines):
        first = lines[start]
        if not first.strip():
            start += 1
            continue
        end = start + 1
        if not is_command(first):
            while end < len(lines) and not _ends(lines, start, end):
                end += 1
        yield "\n".join(lines[start:end]).rstrip()
        start = end


def _ends(lines: Sequence[str], start: int, end: int) -> bool:
    """Whether the statement that began at `start` is complete before line `end`."""
    following = next((line for line in lines[end:] if line.strip() and not line.lstrip().startswith("#")), "")
    if following[:1].isspace() or _CONTINUES.match(following):
        return False
    return _compiles("\n".join(lines[start:end])) is not False
