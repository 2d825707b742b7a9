"""A page as the blocks it consists of: text, and what is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^(?P<ticks>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
RUN = ("python", "console", "minitorch")


@dataclass
class Block:
    """A fenced block, or the text between two of them.

    Attributes:
        kind: the language of the fence; "" for text.
        text: what stands between the fences, or the text.
        line: the number of its first line in the file: for a fenced block, of the line after the fence.
        answer: the `text` block directly after a cell, which says what the cell prints.
    """

    kind: str
    text: str
    line: int
    answer: Block | None = None

    @property
    def is_run(self) -> bool:
        """Whether there is something to carry out."""
        return self.kind in RUN


@dataclass
class Page:
    """A markdown file of the documentation."""

    path: Path
    blocks: list[Block]

    @property
    def name(self) -> str:
        """Where it lies, from the root of the project: `docs/course/1-graph.md`."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def title(self) -> str:
        """Its first heading."""
        for block in self.blocks:
            found = re.search(r"^# (.+)$", block.text, re.MULTILINE) if not block.kind else None
            if found:
                return found[1].strip()
        return self.path.stem

    @property
    def runs(self) -> list[Block]:
        """The blocks to carry out, in order."""
        return [block for block in self.blocks if block.is_run]


def read(path: Path) -> Page:
    """The page in a file."""
    page = Page(path.resolve(), list(_blocks(path.read_text(encoding="utf-8").split("\n"))))
    before: Block | None = None  # the cell that a text block may answer: nothing but blank lines lies between
    for block in page.blocks:
        if block.kind == "text" and before is not None:
            before.answer = block
        if block.kind or block.text.strip():
            before = block if block.kind == "python" else None
    return page


def pages() -> list[Path]:
    """Every page that is part of the site, and the README."""
    return [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if is_for_readers(path))]


def is_for_readers(path: Path) -> bool:
    """Whether a file of docs/ goes into the site: a page, and no teacher's note or text for those who write pages."""
    return path.suffix == ".md" and path.parent.name != "notes" and not path.stem.isupper()


def _blocks(lines: list[str]) -> Iterator[Block]:
    text: list[str] = []
    begun, number = 1, 0
    while number < len(lines):
        found = _FENCE.match(lines[number])
        if found is None:
            text.append(lines[number])
            number += 1
            continue
        if text:
            yield Block("", "\n".join(text), begun)
        close = next((at for at in range(number + 1, len(lines)) if lines[at].strip() == found["ticks"]), len(lines))
        info = found["info"].split()
        yield Block(info[0] if info else "plain", "\n".join(lines[number + 1 : close]), number + 2)
        number = close + 1
        text, begun = [], number + 1
    if text:
        yield Block("", "\n".join(text), begun)
