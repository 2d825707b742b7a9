"""`minitorch runs`: what was run, and several runs beside each other, as a table and one plot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samples.kit.errors import SampleError, UsageError
from samples.kit.progress import print_table
from samples.kit.run import read_lines

UNINTERESTING = {"runs", "resume", "plots", "data"}  # settings that do not change what is learnt


@dataclass
class Past:
    """A run that has been."""

    folder: Path
    settings: dict[str, Any]
    lines: list[dict[str, Any]]
    result: dict[str, Any]

    @property
    def sample(self) -> str:
        return self.folder.parent.name

    @property
    def label(self) -> str:
        return f"{self.sample}/{self.folder.name}"

    @property
    def last(self) -> dict[str, Any]:
        """The metrics of its last epoch."""
        return self.lines[-1] if self.lines else {}


def compare(argv: Sequence[str], prog: str) -> int:
    """Carry out `minitorch runs [RUN ...]`; returns the exit code."""
    from samples.kit.settings import Parser

    parser = Parser(prog=f"{prog} runs", description="List the runs, or compare some of them in a table and a plot.")
    parser.add_argument("run", nargs="*", help="a run: its folder, NAME/FOLDER, or NAME/last; NAME alone means all of NAME's")
    parser.add_argument("--metric", help="what the plot shows (default: the accuracy on the most distant data there is)")
    parser.add_argument("--plot", default="compare.png", help="where the plot goes (default: compare.png in --runs)")
    parser.add_argument("--markdown", metavar="FILE", help="write what each sample's newest finished run reached, as a table")
    parser.add_argument("--runs", default="runs", help="the folder of the runs (default: runs)")
    given = parser.parse_args(argv)
    root = Path(given.runs)
    if given.markdown:
        from samples.kit.report import write

        write(find_all(root), root, Path(given.markdown))
        print(f"{given.markdown} says what the newest runs in {root} reached")
        return 0
    if not given.run:
        return list_runs(find_all(root), root, prog)
    chosen = [past for word in given.run for past in named(word, root)]
    print_table(*table(chosen))
    metric = given.metric or best_metric(chosen)
    if metric is None:
        print("these runs have no metric in common, so there is nothing to plot")
        return 0
    target = root / given.plot if given.plot == "compare.png" else Path(given.plot)
    plot(chosen, metric, target)
    print(f"{target} shows {metric}")
    return 0


def find_all(root: Path) -> list[Past]:
    """All runs below a folder, oldest first within each sample."""
    return [read(path.parent) for path in sorted(root.glob("*/*/settings.json"))]


def read(folder: Path) -> Past:
    """One run.

    Raises:
        SampleError: its files are damaged.
    """
    try:
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        path = folder / "result.json"
        result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise SampleError(f"{folder} does not hold a run: {error}") from None
    return Past(folder, settings, read_lines(folder), result)


def locate(word: str, runs: str, sample: str) -> Past:
    """The run of a sample that the user means: its folder, its name, or "last".

    Raises:
        SampleError: there is none; or it is another sample's.
    """
    parent = Path(runs) / sample
    if word == "last":
        found = newest_first(parent)
        if not found:
            raise SampleError(f"{parent} holds no run to go on with")
        return found[0]
    for folder in (Path(word), parent / word, Path(runs) / word):
        if (folder / "settings.json").exists():
            past = read(folder.resolve() if folder.name in ("", "..") else folder)
            if past.sample != sample:
                raise SampleError(f"{folder} is a run of {past.sample}, not of {sample}")
            return past
    also = "" if parent / word == Path(word) else f", nor {parent / word}"
    raise SampleError(f"there is no run {word}{also}")


def newest_first(parent: Path) -> list[Past]:
    """The runs of a sample."""
    folders = sorted(parent.glob("*/settings.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [read(path.parent) for path in folders]


def named(word: str, root: Path) -> list[Past]:
    """The runs that one word of the command line means."""
    if (Path(word) / "settings.json").exists():
        return [read(Path(word))]
    sample, _, folder = word.partition("/")
    if not folder:
        found = [read(path.parent) for path in sorted((root / sample).glob("*/settings.json"))]
        if found:
            return found
    else:
        return [locate(folder, str(root), sample)]
    raise UsageError(f"there is no run {word} in {root}")


def list_runs(runs: list[Past], root: Path, prog: str) -> int:
    """Print a line for each run."""
    if not runs:
        print(f"{root} holds no runs; {prog} run NAME makes one")
        return 0
    rows = []
    for past in runs:
        last = past.last
        state = "finished" if past.result.get("finished") else "stopped" if past.result else "running or killed"
        rows.append((past.label, state, str(last.get("epoch", "-")),
                     *(number(last.get(key)) for key in ("train_loss", "train_accuracy", "val_accuracy", "test_accuracy")),
                     number(past.result.get("seconds"), 1), number(past.result.get("peak_memory_mb"), 0)))
    print_table(("run", "state", "epoch", "loss", "train acc", "val acc", "test acc", "s", "MB"), rows)
    return 0


def differing(runs: list[Past]) -> list[str]:
    """The settings that tell the runs apart."""
    names = [name for name in dict.fromkeys(key for past in runs for key in past.settings) if name not in UNINTERESTING]
    return [name for name in names if len({json.dumps(past.settings.get(name)) for past in runs}) > 1]


def table(runs: list[Past]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Headings and rows: the settings that differ, then the metrics of the last epoch, seconds and memory."""
    apart = differing(runs)
    keys = [key for key in dict.fromkeys(key for past in runs for key in past.last)
            if key != "seconds" and not key.endswith(("_precision", "_recall", "_confusion"))]
    rows = []
    for past in runs:
        cells = [written(past.settings.get(name)) for name in apart]
        cells += [str(past.last.get(key, "-")) if key == "epoch" else number(past.last.get(key)) for key in keys]
        rows.append((past.label, *cells, number(past.result.get("seconds"), 1), number(past.result.get("peak_memory_mb"), 0)))
    headings = ["run", *(name.replace("_", " ") for name in apart),
                *(key.replace("_", " ").replace("accuracy", "acc") for key in keys), "s", "MB"]
    return headings, rows


def best_metric(runs: list[Past]) -> str | None:
    """The metric to compare by: what all runs have of test, validation and training accuracy, else loss."""
    for kind in ("accuracy", "loss"):
        for part in ("test", "val", "train"):
            if all(f"{part}_{kind}" in past.last for past in runs):
                return f"{part}_{kind}"
    return None


def plot(runs: list[Past], metric: str, target: Path) -> None:
    """The metric over the epochs, a line for each run."""
    from samples.kit import plots
    from samples.kit.run import said_if_it_fails

    figure, axes = plots.figure(7.2, 4.2)
    for past in runs:
        points = [(line["epoch"], line[metric]) for line in past.lines
                  if "epoch" in line and isinstance(line.get(metric), (int, float))]
        if not points:
            raise UsageError(f"{past.label} has no {metric}; it has {', '.join(past.last) or 'no metrics'}")
        told = ", ".join(f"{name.replace('_', ' ')} {written(past.settings.get(name))}" for name in differing(runs)[:3])
        axes.plot(*zip(*points), marker="o" if len(points) < 30 else "", markersize=3,
                  label=f"{past.label}: {told}" if told else past.label)
    axes.set_title(metric.replace("_", " "))
    axes.set_xlabel("epoch")
    axes.legend(fontsize=8)
    with said_if_it_fails(target) as path:
        path.write_bytes(plots.png(figure))


def number(value: Any, digits: int = 4) -> str:
    return f"{value:.{digits}f}" if isinstance(value, (int, float)) else "-" if value is None else str(value)


def written(value: Any) -> str:
    """A setting as one would give it on the command line."""
    return ",".join(map(str, value)) if isinstance(value, list) else "-" if value is None else str(value)
