"""Thread-local switches: is the graph recorded, where are we in the model, is somebody looking."""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

watched: list[None] = []
"""One entry for every thread in which operations have more to do than be recorded, or less. While it is empty nobody has
to look into the thread's own state, which costs a scalar operation a tenth of its time."""


class State(threading.local):
    """What an operation asks before it records itself. One per thread; change it through the functions below."""

    recording = True
    """Operations become nodes (`no_grad` turns this off)."""
    inspecting = False
    """Somebody looks: record source lines, keep graphs and interior gradients after backward."""
    scope = ""
    """Path of the module that is running, "" outside modules."""
    module_paths: dict[int, str] | None = None
    """id of a module -> its path below the outermost module that is running; None while none is (see nn.Module)."""
    anomaly = False
    """Every result is searched for nan, and the operation that made the first one raises."""
    plain = True
    """recording, not inspecting, no anomaly search, outside modules: all that Value's inlined arithmetic has to ask."""
    on_backward: Callable[..., bool] | None = None
    """The debugger's hook, called as `on_backward(root, gradient, retain_graph, create_graph)`; True when it ran the pass."""

    def __init__(self) -> None:
        # IEEE results (inf, nan) are results, not warnings, as in PyTorch. Entering np.errstate around every
        # operation costs more than a small operation does; running it in a context where it is set costs 50 ns.
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.quiet = context.run

    def update(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        self.refresh()

    def refresh(self) -> None:
        """Work `plain` out again, after a switch was set."""
        plain = self.recording and not (self.inspecting or self.scope or self.anomaly)
        if plain is not self.plain:
            self.plain = plain
            if plain:
                watched.pop()
            else:
                watched.append(None)


state = State()


class _Setting:
    """Set one switch for the length of a `with` block, or of every call of a decorated function."""

    changes: dict[str, Any] = {}

    def __enter__(self) -> None:
        self._enter({name: getattr(state, name) for name in self.changes})

    def _enter(self, before: dict[str, Any]) -> None:
        self.__dict__.setdefault("_before", []).append(before)  # one setting may be entered within itself
        state.update(**self.changes)

    def __exit__(self, *exception: object) -> None:
        state.update(**self.__dict__["_before"].pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with type(self)(*self._arguments()):
                return function(*args, **kwargs)

        return inside

    def _arguments(self) -> tuple[Any, ...]:
        return ()


class _Bare(_Setting):
    """A setting that also decorates without parentheses: `@no_grad`."""

    def __new__(cls, *arguments: Any) -> Any:
        return cls()(arguments[0]) if arguments and callable(arguments[0]) else super().__new__(cls)


class no_grad(_Bare):
    """Operations inside are not recorded: `with no_grad():`, `@no_grad()` or `@no_grad`."""

    changes = {"recording": False}


class enable_grad(_Bare):
    """Operations inside are recorded, also within `no_grad`."""

    changes = {"recording": True}


class set_grad_enabled(_Setting):
    """Turn recording on or off at once; as a context manager, until the end of the block."""

    def __init__(self, mode: bool) -> None:
        self.changes = {"recording": bool(mode)}
        self._at_call = state.recording
        state.update(recording=bool(mode))

    def __enter__(self) -> None:
        self._enter({"recording": self._at_call})

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        state.update(recording=self._at_call)  # decorating is not yet calling
        return super().__call__(function)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.changes["recording"],)


def is_grad_enabled() -> bool:
    """True where operations are recorded."""
    return state.recording


class inspect(_Setting):
    """Somebody looks (the REPL, `draw`, the debugger): operations remember their source line, and backward keeps
    the graph and the gradients of interior nodes, so that there is something to see afterwards."""

    changes = {"inspecting": True}


class inference_mode(no_grad):
    """As `no_grad`; the results are ordinary tensors here."""

    def __init__(self, mode: bool = True) -> None:
        self.changes = {"recording": not mode}

    def _arguments(self) -> tuple[Any, ...]:
        return (not self.changes["recording"],)


class set_detect_anomaly(_Setting):
    """Turn the search for nan on or off at once; as a context manager, until the end of the block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.changes = {"anomaly": bool(mode and check_nan)}
        self._at_call = state.anomaly
        state.update(**self.changes)

    def __enter__(self) -> None:
        self._enter({"anomaly": self._at_call})

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        state.update(anomaly=self._at_call)
        return super().__call__(function)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.changes["anomaly"],)


class detect_anomaly(_Setting):
    """Inside, the first operation whose result (forward) or gradient (backward) is nan, while what it was given is not,
    raises RuntimeError with its name and the line of the program that called it. Slow: for finding a fault."""

    changes = {"anomaly": True}

    def __init__(self, check_nan: bool = True) -> None:
        self.changes = {"anomaly": check_nan}

    def _arguments(self) -> tuple[Any, ...]:
        return (self.changes["anomaly"],)


@contextmanager
def scope(path: str) -> Iterator[None]:
    """Nodes made inside belong to the module at `path`."""
    before = state.scope
    state.update(scope=path)
    try:
        yield
    finally:
        state.update(scope=before)


def quietly() -> AbstractContextManager[Any]:
    """NumPy's floating-point warnings off, for a whole pass (an operation alone uses `state.quiet`)."""
    return np.errstate(all="ignore")
