"""The entry: a graph or a paused backward pass to a Picture."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from minitorch.core import location
from minitorch.core.node import Node
from minitorch.core.stepper import Stepper
from viz.build import LIMIT, view
from viz.circuit import circuit
from viz.errors import DrawError
from viz.extent import Extent
from viz.format import DIGITS
from viz.graphview import GraphView
from viz.picture import Picture
from viz.ranked import DIRECTIONS
from viz.theme import THEMES, Theme

STYLES = ("boxes", "circuit")
location.not_the_users(__file__)


def draw(
    of: Node | Stepper,
    *,
    variables: Mapping[str, object] | None = None,
    digits: int = DIGITS,
    limit: int = LIMIT,
    direction: str = "auto",
    theme: str = "light",
    style: str = "boxes",
    depth: int | None = None,
    expand: Sequence[str] = (),
    collapse: Sequence[str] = (),
    repeats: bool = True,
    around: Node | str | None = None,
    hops: int = 2,
    path: tuple[Node | str, Node | str] | None = None,
    ancestors: Node | str | None = None,
) -> Picture:
    """Draw the graph behind a Value or Tensor, or a paused backward pass.

    `variables` name the nodes they hold (default: the variables of the caller); `digits` is the number of significant
    digits; a graph of more than `limit` nodes is cut down to those nearest its root; `direction` is "LR" (left to
    right), "TB" (top to bottom) or "auto", whichever is larger on a screen; `theme` is "light", "dark" or "print"; `style`
    is "boxes", or "circuit" with operations as nodes of their own. Nothing is laid out until the picture is asked for.

    `depth` levels of modules stand open, the deeper ones are one box each, and equal ones in a row are drawn once (unless
    `repeats` is False); `expand` and `collapse` open and close modules by patterns of their paths. Without a depth, a
    large graph has as many levels open as stay readable. `around` a node (itself, or its name) with `hops`, a `path`
    between two, or the `ancestors` of one: only that part is drawn.

    Raises DrawError when backward() has freed the graph, TypeError for something that has no graph.
    """
    if direction not in DIRECTIONS:
        raise DrawError(f"direction is 'LR' (left to right), 'TB' (top to bottom) or 'auto', not {direction!r}")
    if variables is None:
        variables = callers_variables()
    extent = Extent(depth, tuple(expand), tuple(collapse), repeats, around, hops, path, ancestors)
    made = view(of, variables=variables, digits=digits, limit=limit, extent=extent)
    return Picture(styled(made, style), direction=direction, theme=theme_named(theme))


def stepper_of(of: Node | Stepper) -> Stepper:
    """The backward pass of a result, or the one given. Raises DrawError where there is none to step through."""
    try:
        return of if isinstance(of, Stepper) else Stepper(of)
    except RuntimeError as error:
        raise DrawError(str(error)) from None


def styled(view: GraphView, style: str) -> GraphView:
    """The view in a style. Raises DrawError when there is no such style."""
    if style not in STYLES:
        raise DrawError(f"there is no style {style!r}: use one of {', '.join(STYLES)}")
    return circuit(view) if style == "circuit" else view


def theme_named(name: str) -> Theme:
    """A theme by its name. Raises DrawError when there is none."""
    if name not in THEMES:
        raise DrawError(f"there is no theme {name!r}: use one of {', '.join(THEMES)}")
    return THEMES[name]


def callers_variables() -> dict[str, object]:
    """The variables where `draw` was called; those of the session when the engine calls, to show a result in a
    notebook."""
    frame = sys._getframe(2)
    if str(frame.f_globals.get("__name__", "")).startswith("minitorch."):
        return dict(vars(sys.modules["__main__"]))
    return {**frame.f_globals, **frame.f_locals}
