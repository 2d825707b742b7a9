"""`minitorch draw`: a picture of the graph that a script or an expression builds.

    minitorch draw SCRIPT.py[:name] -o out.svg
    minitorch draw -e "a = Value(2.0); b = a + a; b" -o out.svg
    minitorch draw SCRIPT.py --lesson lesson.html
    minitorch draw week1/*.py -o pictures/ --format png

Exit status: 0 drawn, 1 could not be drawn, 2 wrong usage, 3 the script raised (its traceback is shown).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viz.user_code import Found

OK, NOT_DRAWN, USAGE, RAISED = 0, 1, 2, 3
FORMATS = ("svg", "png", "pdf", "dot", "json", "txt", "gif", "html")


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> argparse.ArgumentParser:
    """Add `draw` to the subcommands of a parser. `args.run(args)` then gives the exit status."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "draw",
        help="draw the graph of a script or an expression",
        description="Run scripts, or evaluate an expression, and draw the graph behind the result.",
        epilog="Without :name, the last result that the script keeps in a global variable is drawn.",
    )
    what = parser.add_argument_group("what to draw")
    what.add_argument("scripts", nargs="*", metavar="SCRIPT.py[:name]", help="run a script and draw its variable `name`")
    what.add_argument(
        "-e", "--expression", metavar="EXPR", help="evaluate EXPR (statements separated by ; before it name the nodes)"
    )
    where = parser.add_argument_group("where to")
    where.add_argument("-o", "--output", metavar="FILE", help="the file, or a folder for many scripts (default: graph.svg)")
    where.add_argument("--format", choices=FORMATS, help="what to write, where no suffix says it (html: a lesson)")
    where.add_argument("--watch", action="store_true", help="draw again whenever a script is saved, until Ctrl-C")
    backward = parser.add_argument_group("the backward pass")
    backward.add_argument("--at", type=int, metavar="K", help="the pass after K steps (from the end: negative)")
    backward.add_argument("--steps", action="store_true", help="one picture for every step: FILE-000, FILE-001, ...")
    backward.add_argument("--lesson", metavar="FILE.html", help="one page to step through in a browser, without network")
    backward.add_argument("--notes", metavar="FILE", help="your words for the steps, .md or .toml (default: SCRIPT.notes.md)")
    backward.add_argument(
        "--worksheet", nargs="?", const="gradients", metavar="WHAT",
        help="leave gradients (or: values, locals; several with commas) blank, and write the answer key beside it",
    )  # fmt: skip
    part = parser.add_argument_group("how much of it")
    part.add_argument("--depth", type=int, metavar="N", help="levels of modules that stand open")
    part.add_argument("--expand", action="append", default=[], metavar="PATTERN", help="open these modules whatever the depth")
    part.add_argument("--collapse", action="append", default=[], metavar="PATTERN", help="close these modules")
    part.add_argument("--around", metavar="NODE", help="only what is near a node: at most --hops edges away")
    part.add_argument("--hops", type=int, default=2, metavar="N", help="see --around (default: 2)")
    part.add_argument("--path", nargs=2, metavar=("FROM", "TO"), help="only the ways from one node to another")
    part.add_argument("--ancestors", metavar="NODE", help="only what a node is computed from")
    part.add_argument("--limit", type=int, default=500, metavar="N", help="draw larger graphs in part (default: 500)")
    look = parser.add_argument_group("looks")
    look.add_argument("--theme", choices=["light", "dark", "print"], default="light", help="colours (default: light)")
    look.add_argument("--style", choices=["boxes", "circuit"], default="boxes", help="circuit: operations as their own boxes")
    look.add_argument(
        "--direction", choices=["auto", "LR", "TB"], default="auto",
        help="left to right, top to bottom, or (default) whichever is larger on a screen",
    )  # fmt: skip
    look.add_argument("--digits", type=int, default=4, metavar="N", help="significant digits of numbers (default: 4)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Carry out `minitorch draw`; returns the exit status."""
    problem = _problem(args)  # before a script has run for an hour
    if problem:
        return _complain(problem, USAGE)
    sources = args.scripts if args.expression is None else [None]
    status = OK
    for source in sources:
        status = max(status, _one(source, args))
    if args.watch:
        from viz.watch import watch

        notes = [Path(args.notes)] if args.notes else []
        watch([Path(_file(script)) for script in args.scripts] + notes, lambda path: _again(path, args))
    return status


def _problem(args: argparse.Namespace) -> str:
    """What is wrong with the arguments, in one sentence."""
    if (args.expression is None) == (not args.scripts):
        return "give scripts to draw, or an expression with -e" if not args.scripts else "draw scripts or -e, not both"
    if args.watch and args.expression is not None:
        return "--watch looks at a script; an expression does not change"
    if args.digits < 1 or args.limit < 1:
        return "--digits and --limit must be at least 1"
    if args.hops < 0 or args.depth is not None and args.depth < 0:
        return "--hops and --depth must be at least 0"
    asked = [
        name for name in ("at", "steps", "lesson", "worksheet") if getattr(args, name) not in (None, False)
    ] + ["format"] * (args.format in ("gif", "html"))  # fmt: skip
    if len(asked) > 1:
        return f"--{asked[0]} and --{asked[1]} exclude each other"
    if args.lesson and args.output:
        return "--lesson names the file; leave -o out"
    for script in args.scripts or [None]:
        target = _target(script, args)
        if target.suffix.lower().removeprefix(".") not in FORMATS:
            flag = "--lesson" if args.lesson else "-o"
            return f"{flag} {target}: the suffix must be one of {', '.join('.' + one for one in FORMATS)}"
        if args.lesson and target.suffix.lower() != ".html":
            return f"--lesson {target}: a lesson is an .html file"
        if not target.parent.is_dir():
            return f"{'--lesson' if args.lesson else '-o'} {target}: there is no folder '{target.parent}'"
        if target.suffix.lower() in (".html", ".gif"):
            other = next((one for one in ("at", "steps", "worksheet") if getattr(args, one) not in (None, False)), "")
            if other or args.style != "boxes":
                return f"{target} shows every step, in boxes; leave --{other or 'style'} out"
    return ""


def _file(script: str) -> str:
    head, colon, _ = script.rpartition(".py:")
    return head + ".py" if colon else script


def _target(script: str | None, args: argparse.Namespace) -> Path:
    """The file to write for a script, or for the expression."""
    suffix = args.format or ("html" if args.lesson is not None else "svg")
    given = args.lesson or args.output
    folder = Path(given) if given and (Path(given).is_dir() or given.endswith(("/", "\\"))) else None
    if folder is None and given:
        path = Path(given)
        return path if path.suffix or not args.format else path.with_suffix(f".{suffix}")
    if folder is None and len(args.scripts) < 2:
        return Path(f"graph.{suffix}")
    return (folder or Path()) / f"{Path(_file(script)).stem if script else 'graph'}.{suffix}"


def _one(script: str | None, args: argparse.Namespace) -> int:
    """Run one script, or the expression, and draw it."""
    from viz.errors import DrawError
    from viz.user_code import Raised, UsageError, evaluate, run_script

    try:
        found = evaluate(args.expression) if script is None else run_script(script)
    except UsageError as error:
        return _complain(str(error), USAGE)
    except Raised as error:
        sys.stderr.write(str(error))
        return RAISED
    try:
        _draw(found, script, _target(script, args), args)
    except DrawError as error:
        return _complain(str(error), NOT_DRAWN)
    return OK


def _again(path: Path, args: argparse.Namespace) -> None:
    for script in args.scripts:
        if path in (Path(_file(script)), Path(args.notes or "")):
            _one(script, args)


def _draw(found: Found, script: str | None, output: Path, args: argparse.Namespace) -> None:
    from viz import output as writers

    notes = args.notes
    if notes is None and script is not None:
        from viz.notes import beside

        notes = beside(Path(_file(script)))
    for line in writers.write(found, output, args, notes):
        print(line)


def _complain(sentence: str, status: int) -> int:
    print(f"minitorch draw: {sentence}", file=sys.stderr)
    return status
