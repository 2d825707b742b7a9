"""The notes a teacher writes beside a lesson, a piece for each step.

Markdown: the text before the first heading introduces the lesson; a heading that begins with `start`, `end`, a number or
`step` and a number starts the note of that step, and what follows the number is its title.

    # Why the gradients add up
    The value `a` is used twice.
    ## Step 1: the first use
    Remember **this number**.

TOML: `title`, `intro`, and a table `[steps]` from `start`, `end` or a number to text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viz.errors import DrawError
from viz.xml import html

SUFFIXES = (".md", ".toml")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_STEP = re.compile(r"(?:step\s+)?(start|end|\d+)\b\s*[:.—–-]?\s*(.*)$", re.IGNORECASE)


@dataclass
class Notes:
    """Title and introduction of a lesson, and a note in HTML for each step that has one."""

    title: str = ""
    intro: str = ""
    steps: dict[int, str] = field(default_factory=dict)


def beside(script: Path) -> Path | None:
    """The notes that belong to a script: `lesson.notes.md` or `lesson.notes.toml` for `lesson.py`."""
    places = (script.with_suffix(f".notes{suffix}") for suffix in SUFFIXES)
    return next((place for place in places if place.is_file()), None)


def read(path: Path, last: int) -> Notes:
    """The notes in a markdown or TOML file, for a pass of `last` steps. Raises DrawError for a file that cannot be read, or a
    step that is not there."""
    if path.suffix.lower() not in SUFFIXES:
        raise DrawError(f"notes are a .md or .toml file, not {path.name!r}")
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DrawError(f"cannot read the notes {str(path)!r}: {getattr(error, 'strerror', None) or error}") from None
    return _toml(text, path.name, last) if path.suffix.lower() == ".toml" else _markdown(text, path.name, last)


def _markdown(text: str, name: str, last: int) -> Notes:
    notes, step, lines, fenced = Notes(), -1, [], False  # type: ignore[var-annotated]

    def close() -> None:
        made = blocks(lines)
        if step < 0:
            notes.intro += made
        elif made:
            notes.steps[step] = notes.steps.get(step, "") + made
        lines.clear()

    for line in text.splitlines():
        heading = None if fenced else _HEADING.match(line)
        fenced ^= line.lstrip().startswith("```")
        found = _STEP.match(heading[1]) if heading else None
        if found:
            close()
            step = _position(found[1], name, last)
            if found[2]:
                lines += [f"### {found[2]}", ""]
        elif heading and step < 0 and not notes.title and line.startswith("# "):
            notes.title = heading[1]
        else:
            lines.append(line)
    close()
    return notes


def _toml(text: str, name: str, last: int) -> Notes:
    try:
        import tomllib  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError:
        raise DrawError(f"reading {name} needs Python 3.11 or newer; a .md file works everywhere") from None
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DrawError(f"{name} is not TOML: {error}") from None
    steps = found.get("steps", {})
    texts = [found.get("title", ""), found.get("intro", ""), *(steps.values() if isinstance(steps, dict) else [None])]
    if not all(isinstance(text, str) for text in texts):
        raise DrawError(f"{name}: title and intro are texts, [steps] a table from a step number to a text")
    notes = {_position(key, name, last): blocks(value.splitlines()) for key, value in steps.items()}
    return Notes(texts[0], blocks(texts[1].splitlines()), notes)


def _position(text: str, name: str, last: int) -> int:
    word = text.lower()
    position = 0 if word == "start" else last if word == "end" else int(word) if word.isdecimal() else -1
    if not 0 <= position <= last:
        raise DrawError(f"{name} has a note for step {text}, but the steps of this pass are 1 to {last} (or start, end)")
    return position


def blocks(lines: list[str]) -> str:
    """A small part of markdown as HTML: paragraphs, headings, lists, fenced code, `code`, **bold**, *emphasis*. Everything
    else is text; no HTML passes."""
    made: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []
    code: list[str] | None = None

    def close() -> None:
        if paragraph:
            made.append(f"<p>{inline(' '.join(paragraph))}</p>")
        if items:
            made.append("<ul>" + "".join(f"<li>{inline(item)}</li>" for item in items) + "</ul>")
        paragraph.clear()
        items.clear()

    for line in [*lines, ""]:
        text = line.strip()
        if text.startswith("```"):
            close()
            if code is not None:
                made.append(_code(code))
            code = [] if code is None else None
        elif code is not None:
            code.append(line)
        elif heading := _HEADING.match(text):
            close()
            made.append(f"<h3>{inline(heading[1])}</h3>")
        elif text[:2] in ("- ", "* "):
            if paragraph:
                close()
            items.append(text[2:])
        elif not text:
            close()
        elif items:
            items[-1] += f" {text}"
        else:
            paragraph.append(text)
    if code is not None:  # never closed
        made.append(_code(code))
    return "".join(made)


def _code(lines: list[str]) -> str:
    body = "\n".join(html(line) for line in lines).strip("\n")
    return f"<pre><code>{body}</code></pre>"


def inline(text: str) -> str:
    """One line of text as HTML."""
    made = ""
    for i, part in enumerate(text.split("`")):
        if i % 2:
            made += f"<code>{html(part)}</code>"
        else:
            bold = re.sub(r"\*\*(\S(?:.*?\S)?)\*\*", r"<strong>\1</strong>", html(part))
            made += re.sub(r"(?<!\*)\*(\S(?:[^*]*?\S)?)\*(?!\*)", r"<em>\1</em>", bold)
    return made
