"""The debugger inside a running program: it waits for backward passes and pauses them.

`minitorch.debug` and `minitorch.set_trace` lead here by name; `minitorch debug SCRIPT` uses the same `Debugger`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from minitorch import Contribution, Stepper
from minitorch.core import modes
from minitorch.core.node import Node
from repl import stopview
from repl.batch import BatchReader
from repl.engine import Session
from repl.movement import move
from repl.python import is_users
from repl.reader import Reader, converse
from repl.views import Message

HIDDEN = ("__name__", "__builtins__", "__doc__", "__file__", "__loader__", "__package__", "__spec__", "__cached__")


class Debugger:
    """Pauses backward passes of this thread, from `with` until the user detaches.

    The first pass pauses at its start; later ones where a breakpoint is hit, or when the user asked to go on to them.

    Args:
        script: what to call the program.
        reader: prepared lines, used up first.
        follow: opens the terminal, for when they are used up; None lets the program go on alone then.
    """

    def __init__(self, script: str, reader: Reader | None, follow: Callable[[], Reader] | None) -> None:
        self.session = Session(script=script)
        self.reader = reader
        self.follow = follow
        self.attached = False
        self.paused = False
        self.pause_next = True
        self._seen: dict[str, Any] = {}
        self._inspect = modes.inspect()
        self._hook_before: Callable[..., bool] | None = None

    def __enter__(self) -> Debugger:
        self.attach()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.detach()

    def attach(self) -> None:
        """Wait for backward passes; meanwhile every result remembers the line that made it."""
        if not self.attached:
            self.attached = True
            self._hook_before, modes.state.on_backward = modes.state.on_backward, self.on_backward
            self._inspect.__enter__()

    def detach(self) -> None:
        """Let the program run by itself again, at full speed."""
        if self.attached:
            self.attached = False
            self._inspect.__exit__(None, None, None)
            modes.state.on_backward = self._hook_before

    def on_backward(self, root: Node, gradient: Any, retain_graph: bool | None, create_graph: bool) -> bool:
        """The engine's hook: run a backward pass here, step by step where somebody wants to see it."""
        if not (self.pause_next or self.session.stops.active):
            return False
        if create_graph:
            reader = self._reader()
            if reader is not None and self.pause_next:
                reader.show([Message("backward(create_graph=True) is recorded itself and runs through; the next pass pauses")])
            return False
        stepper = Stepper(root, gradient)
        self._enter(users_frame())
        self.session.begin(stepper, "")
        session = self.session
        if self.pause_next:
            self.pause_next = False
            self._talk([stopview.stop(session.graph, "start")])
        else:
            breaks = session.stops.watch(session.graph, session.variables)
            reasons = breaks()
            contributions: list[Contribution] = []
            moved = 0
            if not reasons:
                contributions, moved, reasons = move(session, stepper, breaks)
            if reasons:
                self._talk([stopview.stop(session.graph, "at", contributions, reasons, moved)])
        stepper.run()  # whatever was looked at, the program gets its gradients
        self._forget()
        return True

    def trace(self) -> None:
        """Pause where the program is now, outside any pass."""
        frame = users_frame()
        self._enter(frame)
        self.session.end_pass()
        where = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}" if frame is not None else "here"
        self._talk([Message(f"paused at {where}; `continue` goes on to the next backward(), `quit` lets the program run")])

    def _talk(self, shown: list[Any]) -> None:
        """Show where the program stands, and converse until it may go on."""
        self.paused = True
        session = self.session
        before, modes.state.on_backward = modes.state.on_backward, None
        result = None
        try:
            while result is None:
                reader = self._reader()
                if reader is None:
                    break
                session.width = reader.width()
                reader.show(shown)
                result = converse(session, reader)
                if result is None:
                    self._used_up(reader)
        finally:
            modes.state.on_backward = before
            self._forget()
        if result is not None and result.leave == "resume":
            self.pause_next = session.pause_next
        else:
            self.detach()

    def _used_up(self, reader: Reader) -> None:
        """There are no more lines: after prepared ones the terminal takes over; after a mistake in them, nothing does."""
        self.reader = None
        if isinstance(reader, BatchReader) and reader.failed is not None:
            print(f"{self.session.script} was stopped here", file=sys.stderr)
            raise SystemExit(reader.failed.exit_code)
        if self.follow is None:
            reader.show([Message(f"{self.session.script} goes on without the debugger")])

    def _reader(self) -> Reader | None:
        if self.reader is None and self.follow is not None:
            self.reader, self.follow = self.follow(), None
        return self.reader

    def _enter(self, frame: FrameType | None) -> None:
        """Make the variables of the paused frame the session's."""
        variables = {**frame.f_globals, **frame.f_locals} if frame is not None else {}
        self._seen = {name: value for name, value in variables.items() if name not in HIDDEN}
        self.session.namespace.update(self._seen)

    def _forget(self) -> None:
        """Let go of the program's variables, so that its graphs are freed when it drops them."""
        session = self.session
        for name in self._seen:
            session.namespace.pop(name, None)
        session.namespace.update(session.brought)
        session.end_pass()
        self._seen = {}
        session.forget_graph()


def users_frame() -> FrameType | None:
    """The innermost frame in a file of the user's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def program_name() -> str:
    """What to call the running program."""
    return os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c") else "the program"


def debug() -> Debugger:
    """`with minitorch.debug(): loss.backward()` pauses at the start of the first backward pass inside.

    Where there is no terminal to talk to, one sentence says so on standard error and the passes run through.
    """
    return _at_terminal() or Debugger(program_name(), None, None)


def set_trace() -> None:
    """Pause here, in the terminal, with the caller's variables; and again at the next backward pass."""
    debugger = _at_terminal()
    if debugger is not None:
        debugger.attach()
        debugger.trace()


def _at_terminal() -> Debugger | None:
    from repl.launch import NoTerminal, any_reader

    try:
        reader = any_reader()
    except NoTerminal:
        print("minitorch: there is no terminal to debug from; running on without", file=sys.stderr)
        return None
    return Debugger(program_name(), None, lambda: reader)
