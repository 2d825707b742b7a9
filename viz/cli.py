"""`minitorch draw`: a picture of the graph that a script or an expression builds.

    minitorch draw SCRIPT.py[:name] -o out.svg
    minitorch draw -e "a = Value(2.0); b = a + a; b" -o out.svg

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


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> argparse.ArgumentParser:
    """Add `draw` to the subcommands of a parser. `args.run(args)` then gives the exit status."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "draw",
        help="draw the graph of a script or an expression",
        description="Run a script, or evaluate an expression, and draw the graph behind its result.",
        epilog="Without :name, the last result that the script keeps in a global variable is drawn.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("script", nargs="?", metavar="SCRIPT.py[:name]", help="run a script and draw its variable `name`")
    what.add_argument(
        "-e", "--expression", metavar="EXPR", help="evaluate EXPR (statements separated by ; before it name the nodes)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="svg, png or dot, by its suffix (default: graph.svg)")
    parser.add_argument("--direction", choices=["LR", "TB"], default="LR", help="left to right, or top to bottom")
    parser.add_argument("--digits", type=int, default=4, metavar="N", help="significant digits of numbers (default: 4)")
    parser.add_argument("--limit", type=int, default=500, metavar="N", help="draw larger graphs in part (default: 500)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Carry out `minitorch draw`; returns the exit status."""
    from viz.errors import DrawError
    from viz.picture import SUFFIXES

    output = Path(args.output or "graph.svg")
    if output.suffix.lower() not in SUFFIXES:  # before a script has run for an hour
        return _complain(f"-o {output}: the suffix must be one of {', '.join(SUFFIXES)}", USAGE)
    if not output.parent.is_dir():
        return _complain(f"-o {output}: there is no folder '{output.parent}'", USAGE)
    if args.digits < 1 or args.limit < 1:
        return _complain("--digits and --limit must be at least 1", USAGE)

    from viz.user_code import Raised, UsageError, evaluate, run_script

    try:
        found = evaluate(args.expression) if args.expression is not None else run_script(args.script)
    except UsageError as error:
        return _complain(str(error), USAGE)
    except Raised as error:
        sys.stderr.write(str(error))
        return RAISED
    try:
        return _draw(found, output, args)
    except DrawError as error:
        return _complain(str(error), NOT_DRAWN)


def _draw(found: Found, output: Path, args: argparse.Namespace) -> int:
    from viz.drawing import draw

    picture = draw(found.root, variables=found.variables, digits=args.digits, limit=args.limit, direction=args.direction)
    picture.save(output)
    count = len(picture.view.nodes)
    print(f"drew {found.what}: {count} box{'es' * (count != 1)} in {output}")
    for note in picture.view.notes:
        print(note)
    return OK


def _complain(sentence: str, status: int) -> int:
    print(f"minitorch draw: {sentence}", file=sys.stderr)
    return status
