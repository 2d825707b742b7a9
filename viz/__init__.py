"""Pictures of a graph and of a backward pass.

`draw(root)` or `draw(stepper)` gives a `Picture` with `.svg()`, `.png()`, `.dot()` and `.save(path)`; `view` gives the
plain data behind it, a `GraphView`. What cannot be drawn raises `DrawError`, one sentence with the way out.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viz.build import view
    from viz.drawing import draw
    from viz.errors import DrawError
    from viz.graphview import GraphView
    from viz.lesson import lesson
    from viz.picture import Picture

__all__ = ["DrawError", "GraphView", "Picture", "draw", "lesson", "view"]

_HOMES = {
    "DrawError": "viz.errors",
    "GraphView": "viz.graphview",
    "Picture": "viz.picture",
    "draw": "viz.drawing",
    "lesson": "viz.lesson",
    "view": "viz.build",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, when it is asked for: `minitorch --help` must not wait for the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'viz' has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
