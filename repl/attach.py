"""The debugger inside a running program: it waits for backward passes and pauses them.

`minitorch.debug` and `minitorch.set_trace` lead here by name; `minitorch debug SCRIPT` uses the same `Debugger`.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any

from minitorch import Contribution, Stepper
from minitorch.core import departures, modes
from minitorch.core.node import Node
from repl import catches, stopview
from repl.batch import BatchReader
from repl.engine import Session
from repl.movement import move
from repl.python import failure, is_users
from repl.reader import Reader, converse
from repl.registry import CommandError
from repl.stops import Catch, Condition
from repl.views import Message
from repl.whether import Whether

ABORTED = 130

HIDDEN = ("__name__", "__builtins__", "__doc__", "__file__", "__loader__", "__package__", "__spec__", "__cached__")


class Debugger:
    """Pauses backward passes of this thread, from `with` until the user detaches.

    The first pass pauses at its start; later ones where a breakpoint is hit, or when the user asked to go on to them.

    Args:
        script: what to call the program.
        reader: prepared lines, used up first.
        follow: opens the terminal, for when they are used up; None lets the program go on alone then.
        when: pause at the passes for which this expression is true, instead of at the first (see `whether.Whether`).
        post_mortem: an exception that leaves the `with` block opens the terminal, too.
    """

    def __init__(
        self,
        script: str,
        reader: Reader | None,
        follow: Callable[[], Reader] | None,
        when: Condition | None = None,
        post_mortem: bool = False,
    ) -> None:
        self.session = Session(script=script)
        self.session.when = when
        self.reader = reader
        self.follow = follow
        self.attached = False
        self.paused = False
        self.pause_next = when is None
        self.passes = 0
        self._post_mortem = post_mortem
        self._seen: dict[str, Any] = {}
        self._inspect = modes.inspect()
        self._hook_before: Callable[..., bool] | None = None

    def __enter__(self) -> Debugger:
        self.attach()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self._post_mortem and isinstance(error, Exception):
                self.post_mortem(error, trace)
        finally:
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
        session = self.session
        self.passes += 1
        if root.op is None or not (self.pause_next or session.stops.active or session.when is not None):
            return False
        stepper = Stepper(root, gradient, session.memory, create_graph)
        self._enter(users_frame())
        session.begin(stepper, "")
        reasons = self._reasons_to_pause(stepper)
        if self.pause_next or reasons:
            self.pause_next = False
            self._talk(session.at_stop(stopview.stop(session.graph, "start", reasons=reasons)))
        elif session.stops.active:
            breaks = session.stops.watch(session.graph, session.variables)
            reasons = breaks.reasons()
            contributions: list[Contribution] = []
            moved = 0
            if not reasons:
                contributions, moved, reasons = move(session, stepper, breaks)
            if reasons:
                self._talk(session.at_stop(stopview.stop(session.graph, "at", contributions, reasons, moved)))
            else:
                session.stops.take_traced()
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

    def _reasons_to_pause(self, stepper: Stepper) -> list[str]:
        """Why to pause at the start of this pass: the condition of `when` holds, or the forward pass has what is caught."""
        session = self.session
        reasons = []
        if session.when is not None:
            reasons += Whether(session, stepper, self.passes).reasons(session.when)
        for point in session.stops.active:
            if isinstance(point, Catch) and point.what in ("nan", "inf"):
                found = catches.made_first(session.graph, point.what)
                reasons += [found] if found and found not in reasons else []
        return reasons

    def post_mortem(self, error: Exception, trace: TracebackType | None) -> bool:
        """Converse where an exception left the program: the variables of its frames are there, and with them the graph.

        Returns whether the exception was shown (prepared lines are carried out without).
        """
        frames = [frame for frame, _ in traceback.walk_tb(trace) if is_users(frame.f_code.co_filename)]
        prepared = isinstance(self.reader, BatchReader)
        if not frames or not self.attached or isinstance(self.reader, BatchReader) and self.reader.failed is not None:
            return False
        self._enter(*frames)
        frame = frames[-1]
        place = f"{frame.f_code.co_name} ({os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno})"
        self.session.ended = True
        hint = f"post-mortem: you are in {place}, with the graph so far: list, print, info; quit leaves"
        self._talk([] if prepared else [failure(error), Message(hint, "hint")], after=True)
        return not prepared

    def _talk(self, shown: Sequence[Any], after: bool = False) -> None:
        """Show where the program stands, and converse until it may go on (there is no on `after` its end)."""
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
                    if after and self.follow is None:
                        break
                    self._used_up(reader)
        finally:
            modes.state.on_backward = before
            self._forget()
        if result is not None and result.leave == "abort":
            self.detach()
            raise SystemExit(ABORTED)
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

    def _enter(self, *frames: FrameType | None) -> None:
        """Make the variables of the paused frame (of several, the last one's first) the session's."""
        variables: dict[str, Any] = {}
        for frame in frames:
            if frame is not None:
                variables.update({**frame.f_globals, **frame.f_locals})
        self._seen = {name: value for name, value in variables.items() if name not in HIDDEN}
        self.session.namespace.update(self._seen)

    def _forget(self) -> None:
        """Let go of the program's variables, so that its graphs are freed when it drops them."""
        session = self.session
        for name in self._seen:
            session.namespace.pop(name, None)
        session.namespace.update(session.brought)
        session.end_pass()
        departures.passed()
        session.edits.forget(session)
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


def debug(when: str | None = None) -> Debugger:
    """`with minitorch.debug(): loss.backward()` pauses at the start of the first backward pass inside.

    With `when`, at those for which the expression is true: `minitorch.debug(when="nan or step == 100")`. It may use `step`
    (the number of the pass, from 1), `loss` (the number it starts from), `nan` and `inf` (there is one in the forward pass
    or in a gradient), and the variables of the program. An exception inside the block opens the terminal as well.
    Where there is no terminal to talk to, one sentence says so on standard error and the passes run through.
    ValueError where `when` is no expression.
    """
    try:
        condition = Condition.parse(when) if when is not None else None
    except CommandError as error:
        raise ValueError(str(error)) from None
    return _at_terminal(condition) or Debugger(program_name(), None, None)


def from_environment(value: str) -> None:
    """`MINITORCH_DEBUG=1 python train.py` attaches at the import of minitorch; another value than 1 is a `when`."""
    if value not in ("", "0"):
        debug(None if value == "1" else value).attach()


def set_trace() -> None:
    """Pause here, in the terminal, with the caller's variables; and again at the next backward pass."""
    debugger = _at_terminal()
    if debugger is not None:
        debugger.attach()
        debugger.trace()


def _at_terminal(when: Condition | None = None) -> Debugger | None:
    from repl.launch import NoTerminal, any_reader

    try:
        reader = any_reader()
    except NoTerminal:
        print("minitorch: there is no terminal to debug from; running on without", file=sys.stderr)
        return None
    return Debugger(program_name(), None, lambda: reader, when, post_mortem=True)
