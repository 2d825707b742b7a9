"""The entry: a graph or a paused backward pass to a Picture."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from minitorch.core.node import Node
from minitorch.core.stepper import Stepper
from viz.build import LIMIT, view
from viz.errors import DrawError
from viz.format import DIGITS
from viz.picture import Picture


def draw(
    of: Node | Stepper,
    *,
    variables: Mapping[str, object] | None = None,
    digits: int = DIGITS,
    limit: int = LIMIT,
    direction: str = "LR",
) -> Picture:
    """Draw the graph behind a Value or Tensor, or a paused backward pass.

    `variables` name the nodes they hold (default: the variables of the caller); `digits` is the number of significant
    digits; a graph of more than `limit` nodes is cut down to those nearest its root; `direction` is "LR" (left to
    right) or "TB" (top to bottom). Nothing is laid out until the picture is asked for.

    Raises DrawError when backward() has freed the graph, TypeError for something that has no graph.
    """
    if direction not in ("LR", "TB"):
        raise DrawError(f"direction is 'LR' (left to right) or 'TB' (top to bottom), not {direction!r}")
    if variables is None:
        variables = callers_variables()
    return Picture(view(of, variables=variables, digits=digits, limit=limit), direction=direction)


def callers_variables() -> dict[str, object]:
    """The variables where `draw` was called; those of the session when the engine calls, to show a result in a
    notebook."""
    frame = sys._getframe(2)
    if str(frame.f_globals.get("__name__", "")).startswith("minitorch."):
        return dict(vars(sys.modules["__main__"]))
    return {**frame.f_globals, **frame.f_locals}
