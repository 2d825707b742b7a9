"""A page for the docs, written from the run folders: what each sample reached, beside what it should reach."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from samples.kit.compare import Past, best_metric, number, read
from samples.registry import SAMPLES

BATCHES = {  # a sample whose batch size was swept -> what the study that it repeats found, and the sizes it speaks of
    "mlp-batches": ("The study found learning erratic with a batch of 1 and best with 2.", (1, 2)),
    "yolov1-cifar": ("The study, with batches of 8 to 128, saw the best validation between 32 and 80.", (32, 80)),
}
EXPERIMENTS = {"disc": ("label", "disc"), "optimizers": ("landscape", "beale"), "pairs": ("model", "all")}  # setting, default


def markdown(runs: Sequence[Past], root: Path) -> str:
    """The newest finished run of each sample, without those that were run with --quick or that only evaluated.

    Args:
        runs: all of them.
        root: the folder they are in, where sweeps are too.
    """
    newest: dict[str, Past] = {}
    for past in runs:
        if past.result.get("finished") and not past.settings.get("quick") and not past.settings.get("evaluate"):
            newest[case(past)] = past
    headings = ("sample", "metric of the last epoch", "target", "reached", "seconds", "CPU seconds", "seconds per epoch",
                "peak memory (MB)", "kernels")
    return "\n".join([
        "# What the samples reach", "",
        "Written by `minitorch runs --markdown docs/samples.md` from the newest finished run of each, not by hand. Seconds are",
        f"the whole run's, plots included, as the clock has them, on {os.cpu_count()} cores ({platform.machine()}, "
        f"{platform.system()}) that may have had other work;",
        "CPU seconds are the processor's, of all cores together; an epoch's are those of training, without the evaluation.",
        "Kernels are NumPy's, or those of `minitorch.backends.fast`.", "",
        *lines(headings, [row(name, newest[name]) for name in sorted(newest, key=order)]),
        *disc(newest), *(line for name in BATCHES for line in batches(name, sweeps(name, root))),
        *pairs(newest.get("pairs"), sweeps("pairs", root)),
    ])


def lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table."""
    return [*("| " + " | ".join(cells) + " |" for cells in (headings, ["---"] * len(headings), *rows)), ""]


def case(past: Past) -> str:
    """The sample, and the setting that makes several experiments of it."""
    setting, usual = EXPERIMENTS.get(past.sample, ("", None))
    chosen = past.settings.get(setting, usual)
    return past.sample if chosen == usual else f"{past.sample} --{setting} {chosen}"


def order(name: str) -> tuple[int, str]:
    names = list(SAMPLES)
    sample = name.split()[0]
    return (names.index(sample) if sample in names else len(names), name)


def row(name: str, past: Past) -> list[str]:
    """One line of the table."""
    sample = SAMPLES.get(past.sample)
    goals = {metric: f"≥ {goal:g}" for metric, goal in sample.goals.items()} if sample else {}
    goals |= {metric: f"≤ {limit:g}" for metric, limit in sample.limits.items()} if sample else {}
    table = (past.folder / "table.json").exists()  # its last line is that of one training of many
    shown = [*goals, *(sample.shows if sample else ())]
    metrics = [] if table else shown or [m for m in [best_metric([past])] if m]
    values = [next((line[m] for line in reversed(past.lines) if m in line), None) for m in metrics]
    epochs = [line["seconds"] for line in past.lines if "epoch" in line and "seconds" in line]
    return [
        f"`{name}`", ", ".join(m.replace("_", " ") for m in metrics) or "-",
        ", ".join(goals[m] for m in metrics if m in goals) or "-", ", ".join(measured(value) for value in values) or "-",
        number(past.result["seconds"], 1), number(past.result.get("cpu_seconds"), 1),
        number(statistics.fmean(epochs), 2) if epochs and not table else "-", number(past.result["peak_memory_mb"], 0),
        past.result.get("kernels", "NumPy"),
    ]


def measured(value: Any) -> str:
    if not isinstance(value, float):
        return number(value, 0)
    return f"{value:.1e}" if abs(value) < 1e-3 else number(value)


def spread(pair: dict[str, float], digits: int = 3) -> str:
    return f"{pair['mean']:.{digits}f} ± {pair['sd']:.{digits}f}"


def percent(pair: dict[str, float]) -> str:
    return spread({name: 100 * value for name, value in pair.items()}, 2)


Sweep = tuple[Path, list[dict[str, Any]]]  # its folder, and its records


def sweeps(sample: str, root: Path) -> list[Sweep]:
    """The full sweeps of a sample, the newest first."""
    found = []
    for path in sorted(root.glob(f"{sample}-sweep/*/sweep.json"), reverse=True):
        runs = list(path.parent.glob("*/*/settings.json"))
        if runs and not read(runs[0].parent).settings.get("quick"):
            found.append((path.parent, json.loads(path.read_text(encoding="utf-8"))))
    return found


def disc(newest: dict[str, Past]) -> list[str]:
    """Both labelings beside the original's."""
    ours = [newest[name] for name in ("disc --label square", "disc") if name in newest]
    if not ours:
        return []
    from samples.disc import ORIGINAL

    rows = [["the original's code", "square", "50,000", f"{ORIGINAL['train']:.3f}", f"{ORIGINAL['test']:.3f}"]]
    rows += [["here", past.settings["label"], f"{past.settings['epochs']:,}", number(past.last["train_accuracy"], 3),
              number(past.last["test_accuracy"], 3)] for past in ours]
    return ["## disc: like with like", "",
            "The original describes a disc and labels the square around it, so it compares with `--label square`.", "",
            *lines(("", "class 1", "epochs", "train accuracy", "test accuracy"), rows)]


def batches(sample: str, found: Sequence[Sweep]) -> list[str]:
    """The sweep over batch sizes, and what it says of the study's finding."""
    if not found or "batch_size" not in found[0][1][0]:
        return []
    folder, records = found[0]
    study, sizes = BATCHES[sample]
    by_size = {record["batch_size"]: record for record in records}
    best = max(records, key=lambda record: float(record["val_accuracy"]["mean"]))
    erratic = max(records, key=lambda record: float(record["val_loss"]["sd"]))
    said = [f"A batch of {size} gives a validation accuracy of {spread(by_size[size]['val_accuracy'])} and a loss of "
            f"{spread(by_size[size]['val_loss'])}." for size in sizes if size in by_size]
    metrics = [f"{part}_{kind}" for kind in ("loss", "accuracy", "precision", "recall", "f1") for part in ("train", "val")]
    return [f"## {sample}: what the batch size does", "",
            f"Mean and standard deviation over {best['rounds']} rounds{extent(folder)}. {study} Here:", "",
            *(f"- {line}" for line in said),
            f"- The loss varies most from seed to seed with a batch of {erratic['batch_size']}.",
            f"- The highest validation accuracy, {spread(best['val_accuracy'])}, comes of {best['batch_size']}.", "",
            f"![loss, accuracy, precision, recall and F1 over the batch size]({picture_name(folder)})", "",
            *lines(("batch size", *(metric.replace("_", " ") for metric in metrics)),
                   [[str(record["batch_size"]), *(spread(record[metric]) for metric in metrics)] for record in records])]


def extent(sweep: Path) -> str:
    """How long each run of a sweep was, where its settings say so."""
    settings = next((read(path.parent).settings for path in sorted(sweep.glob("*/*/settings.json"))), {})
    parts = [f"{settings[name]:,} {name}" for name in ("epochs", "images") if settings.get(name)]
    return f", each of {' and '.join(parts)}" * bool(parts)


def picture_name(sweep: Path) -> str:
    return f"{sweep.parent.name.removesuffix('-sweep')}.png"


def pairs(past: Past | None, weights: Sequence[Sweep]) -> list[str]:
    """The table of the five networks, where they were compared; and what the weight of the auxiliary losses does."""
    if past is None or not (past.folder / "table.json").exists():
        return []
    found: list[dict[str, Any]] = json.loads((past.folder / "table.json").read_text(encoding="utf-8"))
    rows = [[r["model"], f"{r['auxiliary']:g}", spread(r, 2), r["study"], number(r["seconds"], 1), number(r["cpu_seconds"], 1),
             f"{r['parameters']:,}"] for r in found]
    said = ["## pairs: do auxiliary losses help?", "",
            f"Test accuracy in %, mean and standard deviation over {past.settings['rounds']} rounds; what follows from it "
            "stands at the top of samples/pairs.py.", "",
            *lines(("model", "weight of the auxiliary losses", "here", "the study, 30 rounds", "seconds per round",
                    "CPU seconds per round", "parameters"), rows)]
    from samples.pairs import gains

    said += ["Round by round, with the same pairs and seeds:", "", *(f"- {line}" for line in gains(found)), ""]
    records = [record for _, records in weights for record in records if {"model", "auxiliary"} <= set(record)]
    if records:
        said += ["Other weights of the auxiliary losses (the main loss has weight 1):", "", *lines(
            ("model", "weight", "rounds", "test accuracy"),
            [[record["model"], f"{record['auxiliary']:g}", str(record["rounds"]), percent(record["test_accuracy"])]
             for record in sorted(records, key=lambda record: (record["model"], record["auxiliary"]))])]
    return said


def write(runs: Sequence[Past], root: Path, target: Path) -> None:
    """Write the page and the pictures it shows, each whole or not at all."""
    from minitorch.core.files import write_whole
    from samples.kit.run import said_if_it_fails

    files = {target: markdown(runs, root).encode()}
    for folder in (folder for name in BATCHES for folder, _ in sweeps(name, root)[:1]):
        files[target.with_name(picture_name(folder))] = (folder / "sweep.png").read_bytes()
    for file, content in files.items():
        with said_if_it_fails(file) as path:
            write_whole(path, content)
