"""The terminal: prompt_toolkit reads, Rich writes, one after the other, so that the cursor has one owner at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, has_completions, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer, PygmentsLexer
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.output.base import Output
from prompt_toolkit.styles import Style

from repl.completion import offers
from repl.insight import told, way_back
from repl.plain import prompt
from repl.reader import printing_to
from repl.registry import CommandError
from repl.screen import Screen
from repl.views import Result, View

if TYPE_CHECKING:
    from prompt_toolkit.input.base import Input

    from repl.engine import Session

KEYS = (
    ("continue", ("f5",), ("escape", "c")),
    ("next", ("f10",), ("escape", "n")),
    ("step", ("f11",), ("escape", "s")),
    ("rnext", ("s-f10", "f22"), ("escape", "N")),
    ("rstep", ("s-f11", "f23"), ("escape", "S")),
    ("help", ("f1",), ("escape", "h")),
)  # fmt: skip
STYLE = Style.from_dict(
    {
        "prompt": "ansicyan bold",
        "more": "ansibrightblack",
        "command": "ansicyan bold",
        "bottom-toolbar": "noreverse bg:ansibrightblack ansiwhite",
        "bottom-toolbar.strong": "bold",
        "auto-suggestion": "ansibrightblack",
        "completion-menu.completion": "bg:ansibrightblack ansiwhite",
        "completion-menu.completion.current": "bg:ansicyan ansiblack noreverse",
        "completion-menu.meta.completion": "bg:ansibrightblack ansiwhite italic",
        "completion-menu.meta.completion.current": "bg:ansicyan ansiblack italic noreverse",
        "pygments.keyword": "ansimagenta",
        "pygments.literal.number": "ansiblue",
        "pygments.literal.string": "ansigreen",
        "pygments.comment": "ansibrightblack italic",
    }
)
READY_LOOKED_AT = 500  # nodes after the current one that the toolbar asks whether they are ready


class Terminal:
    """A conversation at a terminal, with editing, history, completion, a toolbar and keys.

    Args:
        screen: what the terminal can show (its width is asked again for every result).
        source, out: the terminal's two ends; None is standard input.
        fixed_width: the width asked for on the command line.
        keep_history: read and write the history file.
    """

    def __init__(
        self, screen: Screen, source: TextIO | None, out: TextIO, fixed_width: int | None = None, keep_history: bool = True
    ) -> None:
        self.screen = screen
        self.out = out
        self.fixed_width = fixed_width
        self._session: Session | None = None
        self._kept = ""  # what stood in the line when a key ran a command
        terminal_in: Input = create_input(source or sys.stdin)
        self._output: Output = create_output(stdout=out)
        self._prompt: PromptSession[str] = PromptSession(
            message=self._message,
            multiline=True,
            prompt_continuation=self._continuation,
            key_bindings=self._bindings(),
            history=history() if keep_history else InMemoryHistory(),
            auto_suggest=AutoSuggestFromHistory(),
            completer=_Completer(lambda: self._session),
            complete_while_typing=True,
            lexer=_Lexer(lambda: self._session),
            bottom_toolbar=self._toolbar,
            style=STYLE,
            color_depth=None if screen.color else ColorDepth.DEPTH_1_BIT,
            input=terminal_in,
            output=self._output,
            reserve_space_for_menu=6,
        )

    def read(self, session: Session) -> str:
        """What the user enters: one statement or command, or what they pasted."""
        self._session = session
        kept, self._kept = self._kept, ""
        return self._prompt.prompt(default=kept)

    def show(self, views: Sequence[View]) -> None:
        """Write views with colours."""
        from rich.console import Console

        from repl.render import render

        screen = Screen(self.width(), self.screen.color, self.screen.ascii)
        lines = [line for view in views for line in render(view, screen)]
        if not self.screen.color:
            self.out.write("".join(line.plain.rstrip() + "\n" for line in lines))
        else:
            console = Console(file=self.out, force_terminal=True, no_color=False, highlight=False, markup=False, emoji=False)
            for line in lines:
                console.print(line, soft_wrap=True)
        self.out.flush()

    def tell(self, result: Result) -> None:
        """Write what a line did."""
        if self._session is not None and self._session.interrupted:
            self.out.write("\n")  # the terminal has echoed ^C
        self.show(result.views)

    def printing(self) -> AbstractContextManager[Any]:
        """What the user prints goes to this terminal."""
        return printing_to(self.out)

    def width(self) -> int:
        """The terminal's columns, as they are now."""
        return self.fixed_width or Screen.of(self.out).width

    # What prompt_toolkit asks for

    def _message(self) -> StyleAndTextTuples:
        assert self._session is not None
        return [("class:prompt", self.screen.text(prompt(self._session)))]

    def _continuation(self, width: int, number: int, wrapped: int) -> StyleAndTextTuples:
        return [("class:more", "... ".rjust(width))]

    def _toolbar(self) -> StyleAndTextTuples:
        assert self._session is not None
        return [("", self.screen.text(toolbar(self._session, self._output.get_size().columns)))]

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()
        typing = has_focus("DEFAULT_BUFFER")
        chosen = Condition(lambda: _selected(self._prompt))

        @keys.add("enter", filter=typing & ~(has_completions & chosen))
        def enter(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            document = buffer.document
            assert self._session is not None
            inside = document.line_count > 1 and not document.is_cursor_at_the_end
            if inside or self._session.needs_more(document.text):
                buffer.insert_text("\n" + indentation(document.current_line_before_cursor))
            else:
                buffer.validate_and_handle()

        @keys.add("enter", filter=typing & has_completions & chosen)
        def take(event: KeyPressEvent) -> None:
            event.current_buffer.complete_state = None

        @keys.add("escape", "enter", filter=typing)
        def new_line(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add("tab", filter=typing & ~has_completions)
        def tab(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if "\n" in buffer.text and not buffer.document.current_line_before_cursor.strip():
                buffer.insert_text("    ")
            else:
                buffer.start_completion(insert_common_part=True)

        for name, *sequences in KEYS:
            for sequence in sequences:
                for combination in (
                    [sequence] if sequence[0] == "escape" else [(key,) for key in sequence if not key.startswith("s-")]
                ):
                    keys.add(*combination, filter=typing)(self._runs(name))
        return keys

    def _runs(self, command: str) -> Callable[[KeyPressEvent], None]:
        def press(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            self._kept = buffer.text
            buffer.text = command
            event.app.exit(result=f":{command}")

        return press


class _Completer(Completer):
    def __init__(self, session: Callable[[], Session | None]) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        session = self._session()
        if session is None:
            return
        for offer in offers(session, document.text_before_cursor, asked=complete_event.completion_requested):
            yield Completion(offer.text, start_position=-offer.replaces, display_meta=offer.remark)


class _Lexer(Lexer):
    """Colours a command's name, and Python as Python."""

    def __init__(self, session: Callable[[], Session | None]) -> None:
        self._session = session
        self._python = PygmentsLexer.from_filename("input.py")

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        session = self._session()
        if session is not None and document.line_count == 1 and document.text.strip():
            try:
                command = session.dispatch(document.text).kind == "command"
            except CommandError:
                command = False
            if command:
                text = document.text
                end = len(text) - len(text.lstrip()) + len(text.split()[0])
                return lambda line: [("class:command", text[:end]), ("", text[end:])]
        return self._python.lex_document(document)


def _selected(prompt_session: PromptSession[str]) -> bool:
    state = prompt_session.default_buffer.complete_state
    return state is not None and state.current_completion is not None


def indentation(line: str) -> str:
    """The spaces with which the line after this one begins."""
    spaces = line[: len(line) - len(line.lstrip())]
    stripped = line.split("#")[0].rstrip()
    if stripped.endswith(":"):
        return spaces + "    "
    return spaces[:-4] if stripped.lstrip().startswith(("return", "pass", "raise", "break", "continue")) else spaces


def toolbar(session: Session, columns: int) -> str:
    """One line on where the pass stands, and the keys; what does not fit is left out from the right."""
    stepper = session.stepper
    if stepper is None:
        parts = ["no pass paused: backward EXPR", "help", "Tab completes", "Ctrl-D leaves"]
    else:
        parts = [f"step {stepper.position}/{len(stepper)}", f"ready {ready(session)}"]
        amount = len(session.stops.active)
        parts += [f"breaks {amount}"] if amount else []
        parts.append(f"memory {told(way_back(stepper))}")
        parts += ["F11/Alt-s step", "F10/Alt-n next", "Shift: back", "F5/Alt-c continue", "F1 help"]
    text = " " + parts[0]
    for part in parts[1:]:
        if len(text) + len(part) + 4 > columns:
            break
        text += f" │ {part}"
    return text


def ready(session: Session) -> str:
    """How many nodes could pass their gradient on now."""
    stepper, graph = session.stepper, session.graph
    assert stepper is not None
    node = stepper.node
    number = graph.number(node) if node is not None else None
    if number is None:
        return "0"
    coming = stepper.order[number : number + READY_LOOKED_AT]
    found = sum(stepper.state(x) in ("ready", "current") for x in coming)
    return f"{found}+" if len(stepper.order) > number + READY_LOOKED_AT else str(found)


def history_file() -> str:
    """Where the history is kept: under the XDG state directory, on Windows under the local application data."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~")
    else:
        base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "minitorch", "history")


def history() -> History:
    """The history file, readable by its owner only; a history in memory where it cannot be written."""
    path = history_file()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        os.chmod(path, 0o600)
    except OSError:
        return InMemoryHistory()
    return _FileHistory(path)


class _FileHistory(FileHistory):
    """A history file that may vanish or fill up without ending the session."""

    def load_history_strings(self) -> Iterator[str]:
        try:
            yield from super().load_history_strings()
        except (OSError, UnicodeDecodeError):
            return

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError:
            return
