"""Where in the user's program are we: the line that made a node, and the variable that holds it."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

_ours: tuple[str, ...] = (os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,)


def not_the_users(file: str) -> None:
    """The folder of `file` holds no program of the user's: pictures look at a graph, and their variables are not its names."""
    global _ours
    _ours = (*_ours, os.path.dirname(os.path.abspath(file)) + os.sep)


def user_frame() -> FrameType | None:
    """The innermost frame outside this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_ours):
        frame = frame.f_back
    return frame


def caller() -> tuple[str, int] | None:
    """(file, line) of the innermost frame outside this package."""
    frame = user_frame()
    return (frame.f_code.co_filename, frame.f_lineno) if frame else None


def variable_name(thing: Any) -> str | None:
    """The explicit name of a node, else a variable that holds it in the frames outside this package."""
    if getattr(thing, "name", None):
        return str(thing.name)
    frame = user_frame()
    while frame is not None:
        for name, value in () if frame.f_code.co_filename.startswith(_ours) else frame.f_locals.items():
            if value is thing and not name.startswith("_") and name.isidentifier():
                return name
        frame = frame.f_back
    return None


def frame_variables(depth: int = 1) -> dict[str, Any]:
    """The variables of the calling frame, `depth` levels up: its globals, with its locals over them."""
    frame = sys._getframe(depth + 1)
    return {**frame.f_globals, **frame.f_locals}
