"""A table for the docs, written from the run folders: what each sample reached, beside what it should reach."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from samples.kit.compare import Past, best_metric
from samples.registry import SAMPLES


def markdown(runs: Sequence[Past]) -> str:
    """The newest finished run of each sample, without those that were run with --quick or that only evaluated."""
    newest: dict[str, Past] = {}
    for past in runs:
        if past.result.get("finished") and not past.settings.get("quick") and not past.settings.get("evaluate"):
            newest[case(past)] = past
    rows = [row(name, newest[name]) for name in sorted(newest, key=order)]
    heading = ("sample", "metric of the last epoch", "target", "reached", "seconds", "peak memory (MB)")
    lines = ["| " + " | ".join(cells) + " |" for cells in (heading, ["---"] * len(heading), *rows)]
    return "\n".join([
        "# What the samples reach", "",
        "Written by `minitorch runs --markdown docs/samples.md` from the newest finished run of each, not by hand. Seconds are",
        f"the whole run's, plots included, on {os.cpu_count()} cores ({platform.machine()}, {platform.system()}).", "",
        *lines, "", *pairs(newest.get("pairs")),
    ])


def case(past: Past) -> str:
    """The sample, and the setting that makes two experiments of it."""
    if past.sample == "disc" and past.settings.get("label") != "disc":
        return f"disc --label {past.settings['label']}"
    return past.sample


def order(name: str) -> tuple[int, str]:
    names = list(SAMPLES)
    sample = name.split()[0]
    return (names.index(sample) if sample in names else len(names), name)


def row(name: str, past: Past) -> list[str]:
    """One line of the table."""
    sample = SAMPLES.get(past.sample)
    goals = sample.goals if sample else {}
    table = (past.folder / "table.json").exists()  # its last line is that of one training of many
    metrics = [] if table else list(goals) or [m for m in [best_metric([past])] if m]
    values = [past.last.get(metric) for metric in metrics]
    return [
        f"`{name}`", ", ".join(m.replace("_", " ") for m in metrics) or "-",
        ", ".join(f"≥ {goals[m]:g}" for m in metrics if m in goals) or "-",
        ", ".join(f"{value:.4f}" if isinstance(value, float) else "-" for value in values) or "-",
        f"{past.result['seconds']:.1f}", f"{past.result['peak_memory_mb']:.0f}",
    ]


def pairs(past: Past | None) -> list[str]:
    """The table of the five networks, where they were compared."""
    if past is None or not (past.folder / "table.json").exists():
        return []
    found: list[dict[str, Any]] = json.loads((past.folder / "table.json").read_text(encoding="utf-8"))
    lines = [f"| {r['model']} | {r['auxiliary']:g} | {r['mean']:.2f} ± {r['sd']:.2f} | {r['study']} |" for r in found]
    return ["## pairs", "", f"Test accuracy in %, mean and standard deviation over {past.settings['rounds']} rounds.", "",
            "| model | weight of the auxiliary losses | here | the study, 30 rounds |", "| --- | --- | --- | --- |", *lines, ""]


def write(runs: Sequence[Past], target: Path) -> None:
    """Write the table, whole or not at all."""
    from samples.kit.run import said_if_it_fails

    with said_if_it_fails(target) as path:
        aside = path.with_name(path.name + ".new")
        aside.write_text(markdown(runs), encoding="utf-8")
        os.replace(aside, path)
