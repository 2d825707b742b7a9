"""Draw the graph, or the paused pass."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from minitorch import Stepper
from minitorch.core.node import Node
from repl.registry import CommandError, command
from repl.views import Drawing, View

if TYPE_CHECKING:
    from repl.engine import Session

SUFFIXES = (".svg", ".png", ".dot")


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

    FILE ends in .svg, .png or .dot; without one it is NAME.svg.
    The picture of a pass shows the current node, what has arrived, and what comes next. Drawing again writes the same
    file, so that a viewer left open follows the steps.
    """
    import viz

    words = argument.split()
    path = words.pop() if words and words[-1].lower().endswith(SUFFIXES) else ""
    expression = " ".join(words)
    subject, name = _subject(session, expression)
    path = path or re.sub(r"[^\w.-]+", "_", name) + ".svg"
    try:
        picture = viz.draw(subject, variables=session.variables)
        picture.save(path)
    except viz.DrawError as error:
        raise CommandError(str(error)) from None
    note = (
        f", at step {session.stepper.position}/{len(session.stepper)}" if subject is session.stepper and session.stepper else ""
    )
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
