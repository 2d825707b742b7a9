"""Carry out a page: its cells in one namespace, its commands in a shell, its sessions at the terminal's prompt."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from docs.builder import sessions
from docs.builder.page import DOCS, ROOT, Block, Page
from minitorch.core.files import write_whole

PAGES = ROOT / "build" / "pages"
SECONDS = 300  # that one command may take, on a machine with much to do
_MARK = re.compile(r"\s+# (not run|exit (\d+))$")


@dataclass(frozen=True)
class Finding:
    """A block that did not do what the page says."""

    page: Page
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}: {self.what}"


@dataclass
class Done:
    """What carrying out a block gave: the text as it should stand in the page, or None where the page keeps silent."""

    block: Block
    got: str | None


class Run:
    """One page, carried out in its folder below build/pages. `done` and `findings` fill as it goes."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.folder = folder_of(page)
        self.done: list[Done] = []
        self.findings: list[Finding] = []

    def run(self) -> list[Finding]:
        """Carry out every block; returns what went wrong. A cell that raises ends the page."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent))  # another may run the page, too
        try:
            (aside / "docs").symlink_to(DOCS, target_is_directory=True)  # commands read as from the root of the clone
            self._carry_out(aside)
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # the other one was faster
                os.replace(aside, self.folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return self.findings

    def _carry_out(self, folder: Path) -> None:
        blocks = self.page.runs
        with _inside(folder):
            terminal = sessions.Sessions([block for block in blocks if block.kind == "minitorch"])
            cells = Cells()
            for block in blocks:
                if block.kind == "python":
                    if not self._cell(cells, block):
                        break
                elif block.kind == "console":
                    self._commands(block)
                else:
                    self._session(terminal, block)

    def _cell(self, cells: Cells, block: Block) -> bool:
        got, failed = cells.run(block.text)
        if failed:
            self._note(block.line, f"the cell raised\n{failed}")
            return False
        if block.answer is not None:
            self._compare(block.answer, block.answer.text, got)
        return True

    def _commands(self, block: Block) -> None:
        shown: list[str] = []
        for command in commands(block):
            shown.append(command.shown)
            if not command.is_run:
                shown += command.expected
                continue
            code, got = shell(command.line)
            if code != command.code:
                self._note(block.line + command.at, f"`{command.line}` exits {code}, not {command.code}\n{got}")
            if command.expected and not matches("\n".join(command.expected), got):
                self._differs(block.line + command.at, "\n".join(command.expected), got)
                shown += got.rstrip("\n").split("\n")
            else:
                shown += command.expected
        self.done.append(Done(block, "\n".join(shown)))

    def _session(self, terminal: sessions.Sessions, block: Block) -> None:
        try:
            got = terminal.transcript(block)
        except sessions.CannotRun as error:
            self._note(block.line, str(error))
            return
        self._compare(block, block.text, got)

    def _compare(self, block: Block, expected: str, got: str) -> None:
        if matches(expected, got):
            got = expected
        else:
            self._differs(block.line, expected, got)
        self.done.append(Done(block, got.rstrip("\n")))

    def _differs(self, line: int, expected: str, got: str) -> None:
        self._note(line, f"expected\n{_indented(expected)}\ngot\n{_indented(got)}")

    def _note(self, line: int, what: str) -> None:
        self.findings.append(Finding(self.page, line, what))


class Cells:
    """Python cells that share one namespace, as those of a notebook do."""

    def __init__(self) -> None:
        from repl.python import Interpreter

        self.module = types.ModuleType("__main__")
        self.module.__dict__.update(__builtins__=__builtins__)
        sys.modules["__main__"] = self.module
        self._interpreter = Interpreter(self.module.__dict__)

    def run(self, source: str) -> tuple[str, str]:
        """(what it prints and the repr of a last expression, what it raised or "")."""
        from repl.render import plain_text
        from repl.screen import Screen

        printed = io.StringIO()
        with redirect_stdout(printed):
            outcome = self._interpreter.run(source)
        if outcome.left is not None:
            return printed.getvalue(), "SystemExit"
        if outcome.failure is not None:
            return printed.getvalue(), plain_text([outcome.failure], Screen())
        return printed.getvalue() + (f"{outcome.value!r}\n" if outcome.value is not None else ""), ""


@dataclass
class Command:
    """A line of a console block and what it should do. `at` counts lines from the start of the block."""

    shown: str
    at: int
    expected: list[str]

    @property
    def line(self) -> str:
        """What the shell gets."""
        return _MARK.sub("", self.shown.removeprefix("$ "))

    @property
    def is_run(self) -> bool:
        """Whether it is carried out here: `# not run` says that it takes too long, or a person."""
        return not self.shown.endswith("# not run")

    @property
    def code(self) -> int:
        """The exit code it should have: 0, or that of `# exit N`."""
        found = _MARK.search(self.shown)
        return int(found[2]) if found and found[2] else 0


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block; a line that ends in a backslash goes on in the next one."""
    command: Command | None = None
    for at, line in enumerate(block.text.split("\n")):
        if command is not None and command.shown.endswith("\\") and not command.expected:
            command.shown += "\n" + line
        elif line.startswith("$ "):
            if command is not None:
                yield command
            command = Command(line, at, [])
        elif command is not None:
            command.expected.append(line)
    if command is not None:
        yield command


def shell(line: str) -> tuple[int, str]:
    """(exit code, standard output and error) of a command line. 124: it took too long."""
    try:
        done = subprocess.run(
            line, shell=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        printed = late.stdout or b""
        return 124, printed.decode() if isinstance(printed, bytes) else printed
    return done.returncode, done.stdout


def matches(expected: str, got: str) -> bool:
    """Whether an output is the expected one: `...` stands for anything, spaces at the ends of lines do not count."""
    want, have = (re.sub(r"[ \t]+$", "", text.rstrip("\n"), flags=re.MULTILINE) + "\n" for text in (expected, got))
    return doctest.OutputChecker().check_output(want, have, doctest.ELLIPSIS)


def folder_of(page: Page) -> Path:
    """Where a page is carried out, and its pictures lie."""
    return PAGES / page.path.relative_to(ROOT).with_suffix("").relative_to("docs" if DOCS in page.path.parents else ".")


def accept(page: Page, done: list[Done]) -> None:
    """Write what the blocks gave into the page, in place of what it says. Read the difference before you commit it."""
    lines = page.path.read_text(encoding="utf-8").split("\n")
    for one in sorted(done, key=lambda one: one.block.line, reverse=True):
        if one.got is not None and one.got != one.block.text:
            first = one.block.line - 1
            # An empty block is one fence directly after the other.
            count = next(at for at in range(len(lines)) if lines[first + at].startswith(("```", "~~~")))
            lines[first : first + count] = one.got.split("\n")
    write_whole(page.path, "\n".join(lines).encode())


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """In a folder, with an environment that is the same everywhere; `minitorch` is the one beside the pages."""
    tools = PAGES.parent / "bin"
    tools.mkdir(exist_ok=True)
    script = tools / f"minitorch-{os.getpid()}"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m repl "$@"\n')
    script.chmod(0o755)
    os.replace(script, tools / "minitorch")
    settings = {
        "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "NO_COLOR": "1", "COLUMNS": "80", "TERM": "dumb", "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8", "BROWSER": "true",
        "XDG_STATE_HOME": str(folder / ".state"), "XDG_CONFIG_HOME": str(folder / ".config"),
    }  # fmt: skip
    before, here, main = dict(os.environ), os.getcwd(), sys.modules["__main__"]
    os.environ.update(settings)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
        sys.modules["__main__"] = main


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.rstrip("\n").split("\n"))
