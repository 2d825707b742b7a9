"""Draw the graph, or the paused pass."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minitorch import Stepper
from minitorch.core.node import Node
from repl.registry import CommandError, command
from repl.views import Drawing, View

if TYPE_CHECKING:
    from repl.engine import Session

@command(
    "draw",
    "dr",
    group="draw",
    usage="draw [EXPR] [FILE]",
    example=("draw", "draw L loss.svg"),
    argument="expression",
    plays=False,
)
def draw(session: Session, argument: str) -> View:
    """Write a picture of the paused pass, or of EXPR.

    FILE ends in .svg, .png, .pdf, .dot, .json or .txt; .html makes a lesson to step through in a browser, .gif an
    animation of the whole pass. Without one it is NAME.svg.
    The picture of a pass shows the current node, what has arrived, and what comes next. Drawing again writes the same
    file, so that a viewer left open follows the steps.
    """
    import viz
    from viz.picture import SUFFIXES

    words = argument.split()
    whole: dict[str, Callable[..., Any]] = {".html": viz.lesson, ".gif": viz.animate}
    path = words.pop() if words and words[-1].lower().endswith((*SUFFIXES, *whole)) else ""
    expression = " ".join(words)
    subject, name = _subject(session, expression)
    path = path or re.sub(r"[^\w.-]+", "_", name) + ".svg"
    try:
        picture = viz.draw(subject, variables=session.variables)
        make = whole.get(os.path.splitext(path)[1].lower())
        if make is None:
            picture.save(path)
        else:
            make(subject, path, variables=session.variables)
    except viz.DrawError as error:
        raise CommandError(str(error)) from None
    note = ""
    if make is not None:
        note = ", all the steps of the pass"
    elif subject is session.stepper and session.stepper:
        note = f", at step {session.stepper.position}/{len(session.stepper)}"
    return Drawing(os.path.relpath(path) if os.path.isabs(path) else path, len(picture.view.nodes), note)


def _subject(session: Session, expression: str) -> tuple[Node | Stepper, str]:
    """What to draw, and what to call it."""
    stepper = session.stepper
    if expression:
        node, graph = session.node(expression)
        return (stepper, graph.name(node)) if stepper is not None and node is stepper.root else (node, graph.name(node))
    if stepper is not None:
        return stepper, session.graph.name(stepper.root)
    roots = [(x, name) for name, x in session.variables.items() if isinstance(x, Node)]
    if not roots:
        raise CommandError("nothing to draw yet; compute something with Value or tensor first")
    return roots[-1]
