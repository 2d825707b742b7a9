"""What a run shows in the terminal: a bar with loss, accuracy and batches/s while an epoch runs, one line when it ends.

On a terminal Rich draws the bar. In a pipe, and while the debugger holds the terminal, only the lines are printed, and
no escape byte is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samples.kit.run import Epoch

REFRESH = 0.1  # seconds between two drawings of the bar: more would cost batches per second


class Progress:
    """The terminal of one run, or nothing at all when `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live = not quiet and on_terminal() and not debugging()
        self.bar: Any = None
        self.task: Any = None
        self.drawn = 0.0
        self.headings: list[str] = []

    def show(self, epoch: Epoch) -> None:
        """Draw the bar of a running epoch, ten times a second at most."""
        now = time.perf_counter()
        if not self.live or now - self.drawn < REFRESH:
            return
        self.drawn = now
        if self.bar is None:
            self.start()
        self.bar.update(self.task, completed=epoch.done, total=epoch.batches, refresh=True, **fields(epoch))

    def start(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.fields[epoch]}"), BarColumn(bar_width=24), MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"), TimeRemainingColumn(compact=True),
            auto_refresh=False, transient=True,
        )
        self.bar.start()
        self.task = self.bar.add_task("", epoch="", numbers="")

    def finish_epoch(self, number: int, of: int, metrics: Mapping[str, float], rate: float) -> None:
        """Print the line of a finished epoch, under headings when they are new."""
        cells = {"epoch": f"{number}/{of}"}
        cells |= {key: written(value) for key, value in metrics.items() if shown(key)}
        cells |= {"s": f"{metrics['seconds']:.1f}", "batch/s": f"{rate:.0f}"}
        names = headings(list(cells))
        widths = [max(len(name), 6) for name in names]
        widths[0] = max(widths[0], 2 * len(str(of)) + 1)
        if names != self.headings:
            self.headings = names
            self.print("  ".join(f"{name:>{width}}" for name, width in zip(names, widths)))
        self.print("  ".join(f"{cell:>{width}}" for cell, width in zip(cells.values(), widths)))

    def print(self, text: str) -> None:
        if self.bar is not None:
            self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        elif not self.quiet:
            print(text, flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        if not self.quiet:
            print_table(columns, rows, title)

    def stop(self) -> None:
        """Take the bar away and give the cursor back."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def written(value: float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def shown(key: str) -> bool:
    """Whether a metric gets a column: all but those for which a line of the terminal has no room."""
    return key not in ("epoch", "seconds") and not key.endswith(("_precision", "_recall", "_f1", "_confusion"))


def headings(keys: Sequence[str]) -> list[str]:
    """["test_loss", "test_accuracy"] -> ["test loss", "acc"]: short enough for a line of 80 characters."""
    before = ["", *keys]
    return [
        (key.split("_", 1)[1] if "_" in key and key.split("_")[0] == last.split("_")[0] else key)
        .replace("_", " ").replace("accuracy", "acc")
        for key, last in zip(keys, before)
    ]  # fmt: skip


def fields(epoch: Epoch) -> dict[str, str]:
    """The texts beside the bar."""
    numbers = [f"loss {epoch.loss:.4f}"]
    if epoch.accuracy is not None:
        numbers.append(f"accuracy {epoch.accuracy:.4f}")
    numbers.append(f"{epoch.batches_per_second:.0f} batches/s")
    return {"epoch": f"epoch {epoch.number}/{epoch.of}", "numbers": "  ".join(numbers)}


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print rows under headings: a Rich table on a terminal, aligned columns elsewhere. Numbers go to the right."""
    numeric = [all(is_number(row[k]) or not row[k] for row in rows) for k in range(len(columns))]
    if on_terminal():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left")
        for heading, right in zip(columns, numeric):
            table.add_column(Text(heading), justify="right" if right else "left")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)
        return
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows)]
    if title:
        print(title)
    for row in [columns, *rows]:
        cells = [f"{cell:>{w}}" if right else f"{cell:<{w}}" for cell, w, right in zip(row, widths, numeric)]
        print("  ".join(cells).rstrip())


def is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True


def on_terminal() -> bool:
    """Whether standard output is a terminal that understands cursor movements."""
    import os

    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def debugging() -> bool:
    """Whether a debugger waits for a backward pass: it then owns the cursor, and no bar may be drawn."""
    from minitorch.core.modes import state

    return state.on_backward is not None
