"""`minitorch demo`: a session paused inside the backward pass of a small network, its picture beside it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from repl.batch import BatchReader
from repl.engine import Session
from repl.launch import standard_reader
from repl.reader import Reader, converse
from repl.screen import Screen, never_fail, standard_terminals
from repl.views import Message, Result

PICTURE = "minitorch-demo.svg"
# Three irises of Anderson and Fisher (1936), one of each species: length and width of a petal in cm.
PROGRAM = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.mix = nn.Linear(2, 2)
        self.head = nn.Linear(2, 3)

    def forward(self, x):
        h = self.first(x).tanh().named("h")
        return self.head(h + self.mix(h).tanh())    # h is used twice

generator = minitorch.manual_seed(3)
petals = tensor([[1.4, 0.2], [4.7, 1.4], [6.0, 2.5]])
species = tensor([0, 1, 2])    # setosa, versicolor, virginica
net = Net()
loss = nn.CrossEntropyLoss()(net(petals), species)
"""
INTO = ("backward loss", "next 3")
TOUR = (
    "step",
    "explain",
    "rstep",
    "until h",
    "explain h",
    "list",
    "break op:linear",
    "continue",
    "end",
    "ledger net.first.bias",
)
INVITATION = (
    "Your turn: step and next go on, rstep and rnext go back, explain says why, list shows the plan, help the rest. "
    "Enter repeats a movement, Ctrl-D leaves."
)


def main(args: argparse.Namespace) -> int:
    """Open the session; with no terminal on standard input, play the same tour as a script. Returns the exit code."""
    never_fail(sys.stdout)
    alone = args.batch or args.json or not standard_terminals()
    session = Session()
    reader: Reader
    if alone:
        reader = BatchReader(args.sources or [], Screen.of(sys.stdout, False, args.width), args.json)
    else:
        reader = standard_reader(args.no_color, args.width, not args.no_history)
    failed = play(
        session,
        reader,
        [PROGRAM, *INTO, f"draw {PICTURE}", *(TOUR if alone and not args.sources else ())],
        show_lines=not args.json,
    )
    if failed is not None and alone:
        return failed.exit_code
    if not alone:
        reader.show([Message(INVITATION, "quiet")])
    ended = converse(session, reader)
    if isinstance(reader, BatchReader) and reader.failed is not None:
        return reader.failed.exit_code
    return ended.exit_code if ended is not None else 0


def play(session: Session, reader: Reader, pieces: Sequence[str], show_lines: bool) -> Result | None:
    """Carry out lines as if they had been typed. Returns the first failure other than a picture that cannot be written."""
    session.width = reader.width()
    for piece in pieces:
        if show_lines:
            shown = piece.rstrip().replace("\n", "\n... ")
            reader.show([Message(f">>> {line}" if not number else line) for number, line in enumerate(shown.split("\n"))])
        with reader.printing():
            results = list(session.execute_all(piece))
        for result in results:
            if result.ok or piece.startswith("draw"):
                reader.show(result.views) if show_lines else reader.tell(result)
            else:
                reader.tell(result)
                return result
    return None
