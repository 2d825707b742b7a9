"""Pictures of a graph and of a backward pass.

`draw(root)` or `draw(stepper)` gives a `Picture` with `.svg()`, `.png()`, `.dot()` and `.save(path)`; `view` gives the
plain data behind it, a `GraphView`. `lesson` writes a page to step through, `animate` a GIF, `worksheet` gives a view with
blanks and its answer key. What cannot be drawn raises `DrawError`, one sentence with the way out.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viz.animation import animate
    from viz.build import view
    from viz.drawing import draw
    from viz.errors import DrawError
    from viz.graphview import GraphView
    from viz.lessons import lesson
    from viz.picture import Picture
    from viz.tables import module_table
    from viz.worksheets import worksheet

__all__ = ["DrawError", "GraphView", "Picture", "animate", "draw", "lesson", "module_table", "view", "worksheet"]

_HOMES = {
    "DrawError": "viz.errors",
    "GraphView": "viz.graphview",
    "Picture": "viz.picture",
    "animate": "viz.animation",
    "draw": "viz.drawing",
    "lesson": "viz.lessons",
    "module_table": "viz.tables",
    "view": "viz.build",
    "worksheet": "viz.worksheets",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, when it is asked for: `minitorch --help` must not wait for the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'viz' has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
