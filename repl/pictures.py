"""Pictures of the graph or of the paused pass: how they look, the file they are written to, and the page that follows."""

from __future__ import annotations

import atexit
import html
import os
import re
import shutil
import sys
import tempfile
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitorch import Stepper
from minitorch.core.node import Node
from repl.registry import CommandError
from repl.views import Drawing

if TYPE_CHECKING:
    from repl.engine import Session

# The picture is fetched again and again, and put in place once it is there: no flicker, and the page keeps its scroll.
PAGE = """<!doctype html>
<meta charset="utf-8"><title>{name}</title>
<style>body {{ margin: 1em; background: {paper}; }} img {{ max-width: none; }}</style>
<img id="now" alt="the graph of {name}">
<script>
const shown = document.getElementById("now");
function look() {{
  const next = new Image();
  next.onload = () => {{ shown.src = next.src; setTimeout(look, 700); }};
  next.onerror = () => setTimeout(look, 700);
  next.src = {file!r} + "?" + Date.now();
}}
look();
</script>
"""


@dataclass(frozen=True)
class Look:
    """How pictures look: see `viz.draw`. `depth` None leaves it to the size of the graph."""

    depth: int | None = None
    expand: tuple[str, ...] = ()
    collapse: tuple[str, ...] = ()
    theme: str = "light"

    def told(self) -> list[tuple[str, str]]:
        """The settings as labelled lines."""
        return [
            ("depth", "auto: as many levels of modules as stay readable" if self.depth is None else str(self.depth)),
            ("open", ", ".join(self.expand) or "no module in particular"),
            ("closed", ", ".join(self.collapse) or "no module in particular"),
            ("theme", self.theme),
        ]


@dataclass
class Live:
    """A page in the browser that shows the picture as the pass moves."""

    page: Path
    picture: Path
    _drawn: Any = field(default=None, repr=False)

    @classmethod
    def open(cls, session: Session, name: str) -> tuple[Live, bool]:
        """Write the page and show it; and whether a browser took it."""
        from viz.theme import THEMES

        folder = Path(session.folder or tempfile.mkdtemp(prefix="minitorch-view-"))
        if not session.folder:
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        made = cls(folder / "view.html", folder / "picture.svg")
        paper = THEMES[session.look.theme].page
        made.page.write_text(PAGE.format(name=html.escape(name), file=made.picture.name, paper=paper), encoding="utf-8")
        made.follow(session)
        return made, bool(session.folder) or _has_screen() and webbrowser.open(made.page.as_uri())

    def follow(self, session: Session) -> None:
        """Draw the picture again where it would be another. CommandError where it cannot be drawn."""
        stepper = session.stepper
        now = (stepper, stepper.position if stepper is not None else None, session.look)
        if now == self._drawn:
            return
        self._drawn = now
        subject, _ = subject_of(session, "")
        write(session, subject, str(self.picture))


def subject_of(session: Session, expression: str) -> tuple[Node | Stepper, str]:
    """What to draw, and what to call it.

    Raises:
        CommandError: there is nothing, or the expression is no node.
    """
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


def write(session: Session, subject: Node | Stepper, path: str) -> Drawing:
    """Write a picture, a lesson or an animation, as the suffix of `path` says.

    Raises:
        CommandError: it cannot be drawn or written.
    """
    import viz
    from viz.extent import Extent
    from viz.theme import THEMES

    look, variables, shown = session.look, session.variables, path
    path = session.path(path)
    note = f", at step {subject.position}/{len(subject)}" if isinstance(subject, Stepper) else ""
    extent = Extent(look.depth, look.expand, look.collapse)
    whole: dict[str, Callable[[], Any]] = {
        ".html": lambda: viz.lesson(subject, path, variables=variables, extent=extent),
        ".gif": lambda: viz.animate(subject, path, variables=variables, extent=extent, theme=THEMES[look.theme]),
    }
    try:
        picture = viz.draw(
            subject, variables=variables, theme=look.theme, depth=look.depth, expand=look.expand, collapse=look.collapse
        )
        make = whole.get(os.path.splitext(path)[1].lower())
        if make is not None:
            make()
            note = ", all the steps of the pass"
        else:
            picture.save(path)
    except viz.DrawError as error:
        raise CommandError(str(error)) from None
    return Drawing(shown, len(picture.view.nodes), note)


def file_for(name: str) -> str:
    """The file a picture is written to when none was asked for."""
    return re.sub(r"[^\w.-]+", "_", name) + ".svg"


def _has_screen() -> bool:
    """Whether a browser could open a window; a browser in the terminal would take the session's place."""
    if sys.platform in ("win32", "darwin") or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
