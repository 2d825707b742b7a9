"""Draw the graph, or the paused pass: once into a file, or in a browser as the pass moves."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from typing import TYPE_CHECKING

from repl import pictures
from repl.commands.move import EXAMPLE
from repl.mistakes import closest
from repl.phrases import count
from repl.pictures import Live
from repl.registry import CommandError, command, did_you_mean
from repl.views import Facts, Message, View

if TYPE_CHECKING:
    from repl.engine import Session

UNSUPPORTED = (".jpg", ".jpeg", ".webp", ".bmp", ".eps", ".ps", ".tif", ".tiff", ".htm", ".ppt", ".pptx")
"""Ends of names that are meant as files, too; that they cannot be written is said with those that can."""

BLOCKS = (
    "net = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.Tanh()), nn.Linear(3, 1))",
    "L = net(tensor([[1.0, 2.0]])).sum()",
    "backward L",
)


@command(
    "draw",
    "dr",
    group="draw",
    usage="draw [EXPR] [FILE]",
    example=(*EXAMPLE, "next", "draw", "draw mul_1 product.txt"),
    argument="expression",
)
def draw(session: Session, argument: str) -> View:
    """Write a picture of the paused pass, or of EXPR.

    FILE ends in .svg, .png, .pdf, .dot, .json or .txt; .html makes a lesson to step through in a browser, .gif an
    animation of the whole pass. Without one it is NAME.svg. The picture of a pass shows the current node, what has arrived,
    and what comes next. `depth`, `expand`, `collapse` and `theme` say how it looks; `view` shows it and follows the steps.
    """
    from viz.picture import SUFFIXES

    words = argument.split()
    path = words.pop() if words and words[-1].lower().endswith((*SUFFIXES, ".html", ".gif", *UNSUPPORTED)) else ""
    subject, name = pictures.subject_of(session, " ".join(words))
    return pictures.write(session, subject, path or pictures.file_for(name))


@command("view", "vi", group="draw", usage="view [off]", example=(*EXAMPLE, "view", "next"), argument="choice")
def view(session: Session, argument: str) -> View:
    """Show the picture in a browser, step by step.

    Every movement draws it again. `view off` ends that. Where no browser can be opened, open the page that is named.
    """
    if argument == "off":
        if session.live is None:
            raise CommandError("nothing is viewed; `view` begins")
        session.live = None
        return Message("the picture follows no longer")
    if argument:
        raise CommandError("view takes nothing, or off; `draw EXPR FILE` makes a picture of something else")
    _, name = pictures.subject_of(session, "")
    session.live, opened = Live.open(session, name)
    where = "in the browser" if opened else f"in {session.live.page} (open it in a browser)"
    return Message(f"{name} is shown {where}, and follows the steps; `view off` ends that")


@command("depth", group="draw", usage="depth [N|auto]", example=(*BLOCKS, "depth 0", "draw net.txt"), argument="choice",
         edits=True)  # fmt: skip
def depth(session: Session, argument: str) -> View:
    """Levels of modules that are open in pictures.

    The modules below are one box each. `auto` opens as many as stay readable. Alone: how pictures look.
    """
    if not argument:
        return Facts("Pictures", tuple(session.look.told()))
    if argument != "auto" and not argument.isdigit():
        raise CommandError(f"depth takes a number of levels, or auto; not '{argument}'")
    session.look = replace(session.look, depth=None if argument == "auto" else int(argument))
    if argument == "auto":
        return Message("pictures open as many levels of modules as stay readable")
    return Message(f"pictures open {count(int(argument), 'level')} of modules" if int(argument) else "modules are one box each")


@command("expand", group="draw", usage="expand [MODULE]", example=(*BLOCKS, "depth 0", "expand net.0", "draw net.txt"),
         argument="module", edits=True)  # fmt: skip
def expand(session: Session, argument: str) -> View:
    """Open a module in pictures, whatever the depth.

    MODULE is its path, or a pattern: `expand blocks.0*`. Alone: open what `collapse` closed.
    """
    look = session.look
    if not argument:
        session.look = replace(look, collapse=())
        return Message("no module is closed in particular")
    module = _module(session, argument)
    closed = tuple(pattern for pattern in look.collapse if pattern != module)
    session.look = replace(look, expand=(*(p for p in look.expand if p != module), module), collapse=closed)
    return Message(f"{argument} stands open in pictures")


@command("collapse", group="draw", usage="collapse [MODULE]", example=(*BLOCKS, "collapse net.0", "draw net.txt"),
         argument="module", edits=True)  # fmt: skip
def collapse(session: Session, argument: str) -> View:
    """Draw a module as one box, whatever the depth.

    MODULE is its path, or a pattern: `collapse blocks.*`. Alone: close what `expand` opened.
    """
    look = session.look
    if not argument:
        session.look = replace(look, expand=())
        return Message("no module is opened in particular")
    module = _module(session, argument)
    opened = tuple(pattern for pattern in look.expand if pattern != module)
    session.look = replace(look, collapse=(*(p for p in look.collapse if p != module), module), expand=opened)
    return Message(f"{argument} is one box in pictures")


def _module(session: Session, pattern: str) -> str:
    """The pattern as `viz` knows modules, without the variable that holds the model. CommandError where it fits none."""
    graph = session.graph
    known = graph.modules
    for text in (pattern, pattern.removeprefix(graph.model + ".")):
        if any(fnmatch.fnmatchcase(path, text) for path in known):
            return text
    hint = did_you_mean(closest(pattern, known)) or (f"; there are {', '.join(known[:6])}" if known else ": it has none")
    raise CommandError(f"there is no module '{pattern}' in this graph{hint}")


@command("theme", group="draw", usage="theme [NAME]", example=("theme dark", "depth"), argument="choice", edits=True)
def theme(session: Session, argument: str) -> View:
    """The colours of pictures: light, dark, or print."""
    from viz.theme import THEMES

    if argument and argument not in THEMES:
        raise CommandError(f"there is no theme '{argument}'; there are {', '.join(THEMES)}")
    session.look = replace(session.look, theme=argument or session.look.theme)
    return Message(f"pictures are {session.look.theme}")
