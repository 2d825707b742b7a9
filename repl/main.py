"""The `minitorch` command. Nothing heavy is imported until it is clear what is wanted: `--help` takes a tenth of a second."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence

COMMANDS = {
    "debug": "run a script or a sample, and pause at its first backward()",
    "draw": "draw the graph of a script or of an expression",
    "check": "tell whether an exercise is solved, and what kind of mistake there is",
    "run": "run a sample program",
    "samples": "list the sample programs",
    "runs": "list what was run, or compare runs in a table and a plot",
    "sweep": "run a sample for several values of a setting, with several seeds",
    "demo": "the terminal, paused inside the backward pass of a small network",
}
TAKE_A_VALUE = ("-c", "--command", "-x", "--execute", "--width", "--when")
EXIT_CODES = "exit codes: 0 done, 1 a check failed, 2 a mistake in the command, 3 the script or a line of Python raised"


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out `minitorch ARGUMENTS`; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    before, command, after = split(arguments)
    if command not in ("run", "sweep"):
        os.environ.pop("MINITORCH_DEBUG", None)  # whoever asks for the debugger, or for a picture, has it already
    try:
        if command in ("run", "samples", "runs", "sweep"):
            return forward_to_samples(before, [command, *after])
        if command == "draw":
            return draw(before, after)
        if command == "debug":
            return debug(before, after)
        if command == "check":
            return check([*before, *after])
        if command == "demo":
            return demo(options("minitorch demo", COMMANDS["demo"]).parse_args([*before, *after]))
        if command:
            return unknown(command)
        return terminal(parser().parse_args(before))
    except SystemExit as left:  # argparse, after --help or a mistake
        return left.code if isinstance(left.code, int) else 0 if left.code is None else 2
    except BrokenPipeError:  # the reader of our output has gone; what it wanted, it has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def split(arguments: list[str]) -> tuple[list[str], str, list[str]]:
    """(options before it, the command, what follows it)."""
    skip = False
    for number, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument in TAKE_A_VALUE:
            skip = True
        elif not argument.startswith("-"):
            return arguments[:number], argument, arguments[number + 1 :]
    return arguments, "", []


def options(prog: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    """A parser with the options of everything that opens a session."""
    made = argparse.ArgumentParser(prog=prog, description=description, epilog=epilog)
    made.add_argument(
        "-c",
        "--command",
        dest="sources",
        metavar="LINE",
        action="append",
        type=_line,
        help="carry out LINE first (again for more)",
    )
    made.add_argument(
        "-x", "--execute", dest="sources", metavar="FILE", action="append", type=_file, help="carry out the lines of FILE first"
    )
    made.add_argument(
        "--batch", action="store_true", help="leave after these lines; without any, read them from standard input"
    )
    made.add_argument("--json", action="store_true", help="one JSON object for each line carried out (as --batch)")
    made.add_argument("--no-color", action="store_true", help="no colours (so does a NO_COLOR in the environment)")
    made.add_argument("--no-history", action="store_true", help="neither read nor write the history file")
    made.add_argument("--width", type=int, metavar="N", help="columns to write in (default: the terminal's, 80 in a pipe)")
    return made


def _line(text: str) -> tuple[str, str]:
    return "line", text


def _file(path: str) -> tuple[str, str]:
    return "file", path


def parser() -> argparse.ArgumentParser:
    """The parser of `minitorch` alone."""
    width = max(map(len, COMMANDS)) + 2
    commands = "\n".join(f"  {name:<{width}}{summary}" for name, summary in COMMANDS.items())
    made = options(
        "minitorch",
        "See a gradient happen: Python, and a debugger for the backward pass, at one prompt.",
        f"commands (minitorch COMMAND --help says more):\n{commands}\n\n{EXIT_CODES}",
    )
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.usage = "minitorch [options] [COMMAND ...]"
    made.add_argument("--version", action="store_true", help="print the version")
    return made


def terminal(args: argparse.Namespace) -> int:
    """`minitorch`: a session of its own."""
    if args.version:
        return version()
    from repl import launch

    return launch.own_session(args)


def debug(before: list[str], after: list[str]) -> int:
    """`minitorch debug SCRIPT.py|SAMPLE [-- ARGS]`."""
    cut = after.index("--") if "--" in after else len(after)
    made = options("minitorch debug", "Run a script that knows nothing of us, and pause at its first backward().", EXIT_CODES)
    made.usage = "minitorch debug [options] SCRIPT.py|SAMPLE [-- ARGS]"
    made.add_argument("target", metavar="SCRIPT.py|SAMPLE", help="a file, or a sample that `minitorch samples` lists")
    made.add_argument(
        "--when", metavar="EXPR", help="pause at the passes for which EXPR is true ('nan or step == 100'), not at the first"
    )
    made.add_argument("--as-torch", action="store_true", help="answer the script's `import torch` with minitorch")
    args = made.parse_args([*before, *after[:cut]])
    from repl import launch

    return launch.debug(args, after[cut + 1 :])


def check(arguments: list[str]) -> int:
    """`minitorch check EXERCISE.py ...`."""
    made = argparse.ArgumentParser(prog="minitorch check", description=f"Run exercises and {COMMANDS['check']}.")
    made.epilog = EXIT_CODES
    made.add_argument("files", nargs="+", metavar="EXERCISE.py", help="a file that asks with expect(...)")
    args = made.parse_args(arguments)
    from repl import check

    return check.check(args.files)


def demo(args: argparse.Namespace) -> int:
    """`minitorch demo`."""
    from repl import demo

    return demo.main(args)


def draw(before: list[str], after: list[str]) -> int:
    """`minitorch draw ...`: the pictures' own command line."""
    import importlib

    cli = importlib.import_module("viz.cli")
    made = argparse.ArgumentParser(prog="minitorch")
    cli.add_parser(made.add_subparsers())
    args = made.parse_args([*before, "draw", *after])
    status: int = args.run(args)
    return status


def forward_to_samples(before: list[str], arguments: list[str]) -> int:
    """`minitorch samples`, `run NAME ...`, `runs` and `sweep`: the samples' own command line."""
    import importlib

    if before:
        return complain(f"'{before[0]}' does not go with {arguments[0]}; its own options stand after it")
    status: int = importlib.import_module("samples.main").main(arguments)
    return status


def version() -> int:
    """`minitorch --version`."""
    import minitorch

    print(f"minitorch {minitorch.__version__}")
    return 0


def unknown(word: str) -> int:
    """A first word that is no command."""
    if word.endswith(".py"):
        return complain(
            f"what about '{word}'? `minitorch debug {word}` runs and pauses it, `minitorch draw {word}` draws its graph"
        )
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    return complain(
        f"there is no command '{word}'" + (f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(COMMANDS)}")
    )


def complain(sentence: str) -> int:
    """A mistake in the command, in one sentence."""
    print(f"minitorch: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
