"""The tables: on the terminal while rows come in, and in Markdown from what was written to results/."""

from __future__ import annotations

import json
import os
import platform
import statistics
from datetime import datetime
from pathlib import Path
from typing import Any

from minitorch.core.files import write_whole

from . import profile
from .measure import CLANG, FAST, OURS, Group, installed, summary

RESULTS = Path(__file__).parent / "results"


def machine(packages: tuple[str, ...] = ("numpy", "torch", "numba")) -> dict[str, Any]:
    """What the figures are measured on."""
    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(), "load": load, "system": platform.system(), "python": platform.python_version(),
        "versions": {name: version for name in packages if (version := _version(name))},
        "tinygrad": ("compiles with clang" if CLANG else "uses its own assembler: there is no clang") * installed("tinygrad"),
    }  # fmt: skip


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def worst(rows: list[dict[str, Any]]) -> list[str]:
    """The two rows furthest behind PyTorch."""
    ratios = {r["row"]: ratio(r["measured"], OURS, "torch") for r in rows if {OURS, "torch"} <= set(r["measured"])}
    return sorted(ratios, key=lambda name: -ratios[name])[:2]


def write(groups: dict[str, Any], where: dict[str, Any], profiles: dict[str, Any]) -> Path:
    """Put a run's measurements beside those of earlier runs; returns the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now()
    target = RESULTS / f"{now:%Y-%m-%dT%H%M}.json"
    report = {"date": f"{now:%Y-%m-%d %H:%M}", "machine": where, "groups": groups, "profiles": profiles}
    write_whole(target, (json.dumps(report, indent=1) + "\n").encode())
    return target


def seconds(value: float) -> str:
    """A time in the unit that suits it."""
    unit, size = next((u for u in (("s", 1.0), ("ms", 1e-3)) if value >= u[1]), ("µs", 1e-6))
    return f"{value / size:.3g} {unit}"


def cells(row: dict[str, Any], peer: str) -> dict[str, str]:
    """A row of the table: who -> median ± spread, then the ratios of times and of peak memory to the peer's."""
    measured = row["measured"]
    line = {"": row["row"]}
    for contestant, runs in measured.items():
        middle, spread = summary(runs)
        line[contestant] = f"{seconds(middle)} ±{100 * spread:.0f}%"
    for contestant in row["failed"]:
        line[contestant] = "failed"
    if peer in measured:
        for contestant in (OURS, FAST):
            if contestant in measured:
                line[f"{contestant} / {peer}"] = f"{ratio(measured, contestant, peer):.2f}"
    if row["target"] is not None:
        line["target"] = f"{row['target']:g}"
    peaks = [size(summary(measured[c], "peak")[0]) for c in (OURS, FAST, peer) if c in measured and "peak" in measured[c][0]]
    if peaks:
        line["peak"] = " : ".join(peaks)
    return line


def size(value: float) -> str:
    """A number of bytes in the unit that suits it."""
    unit, whole = next((u for u in (("GB", 2**30), ("MB", 2**20), ("kB", 2**10)) if value >= u[1]), ("B", 1))
    return f"{value / whole:.3g} {unit}"


def ratio(measured: dict[str, Any], contestant: str, peer: str) -> float:
    """The median of the rounds' ratios: a round's processes follow each other, and what slows the machine slows them all.
    Median to median where one of the two ran fewer rounds."""
    ours, theirs = ([run["seconds"] for run in measured[who]] for who in (contestant, peer))
    if len(ours) == len(theirs):
        return statistics.median(a / b for a, b in zip(ours, theirs))
    return statistics.median(ours) / statistics.median(theirs)


def disagreement(row: dict[str, Any]) -> str | None:
    """A sentence when contestants did not compute the same losses, so that their times would not compare."""
    losses = {c: runs[0]["losses"] for c, runs in row["measured"].items() if "losses" in runs[0]}
    if not losses:
        return None
    first, *others = losses.items()
    for contestant, found in others:
        if any(abs(a - b) > 1e-3 * max(abs(a), abs(b), 1e-3) for a, b in zip(first[1], found)):
            return f"{row['row']}: the losses of {first[0]} and {contestant} differ: {first[1]}, {found}"
    return None


def table(rows: list[dict[str, Any]], peer: str) -> list[str]:
    """Rows as lines of Markdown, in columns of even width."""
    lines = [cells(row, peer) for row in rows]
    last = [*(f"{c} / {peer}" for c in (OURS, FAST)), "target", "peak"]
    columns = [c for c in dict.fromkeys(c for line in lines for c in line) if c not in last]
    columns += [c for c in last if any(c in line for line in lines)]
    grid = [columns, *([line.get(c, "") for c in columns] for line in lines)]
    widths = [max(len(row[i]) for row in grid) for i in range(len(columns))]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in grid]
    return [shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]]


def pooled() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All runs in results/, oldest first, and their groups with the rounds of all of them together."""
    reports = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("[0-9]*.json"))]  # those of GPUs aside
    groups: dict[str, dict[str, Any]] = {}
    for report in reports:
        for title, group in report["groups"].items():
            known = groups.setdefault(title, {"title": title, "peer": group["peer"], "rows": {}})["rows"]
            for row in group["rows"]:
                mine = known.setdefault(row["row"], {**row, "measured": {}})
                for contestant, runs in row["measured"].items():
                    mine["measured"].setdefault(contestant, []).extend(runs)
    return reports, [{**group, "rows": list(group["rows"].values())} for group in groups.values()]


def markdown(path: Path) -> None:
    """Write the tables of all runs in results/ into a document, between `<!-- tables -->` and `<!-- end of tables -->`."""
    before, rest = path.read_text().split("<!-- tables -->")
    after = rest.split("<!-- end of tables -->")[1]
    reports, groups = pooled()
    if not reports:
        raise SystemExit(f"no measurements in {RESULTS}: make bench first")
    where = reports[-1]["machine"]
    loads = ", ".join(f"{report['machine']['load']:.2f}" for report in reports)
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    lines = [
        f"{len(reports)} run{'s' * (len(reports) != 1)}, {reports[0]['date']} to {reports[-1]['date']}: {where['processor']}, "
        f"{where['cores']} cores, {where['system']}, Python {where['python']}, {versions}. Load before each run: "
        f"{loads}.",
    ]
    if where.get("tinygrad"):
        lines[0] += f" tinygrad {where['tinygrad']}."
    for group in groups:
        lines += ["", f"### {group['title'].capitalize()}", "", *table(group["rows"], group["peer"])]
    lines += ["", "### What is missed", "", *missed(groups)]
    lines += ["", "### Where the time goes", "", "One step of the two rows furthest behind, with NumPy alone."]
    for model, found in reports[-1]["profiles"].items():
        lines += ["", f"**{model}**", "", *profile.table(found)]
    text = f"{before}<!-- tables -->\n" + "\n".join(lines) + f"\n<!-- end of tables -->{after}"
    write_whole(path, text.encode())


REASONS = {
    ("lenet", "resnet", "unet", "gan", "yolo", "conv "): "With NumPy alone a convolution is a product of matrices over copied "
    "windows, and what is left over (pooling, normalization) a dozen passes; oneDNN works on blocked layouts without the copy.",
    ("gpt",): "Beside its products, NumPy goes over memory once for every step of a gelu (twenty), a softmax (six) and a "
    "layer_norm (seven), PyTorch once for each of the three, and so does [fast].",
    ("lstm",): "With NumPy alone one thread takes the steps, a dozen calls each, while another makes the products with the "
    "inputs and for the weights; PyTorch shares each step's work among all. [fast] gives each thread its rows of the batch.",
    ("mlp",): "A fifth of it is calls in Python, half of PyTorch's. The rest goes over a megabyte of weights, their gradient "
    "and Adam's moments, with products too small for threads that sleep in between; PyTorch's wait in loops.",
    ("chain", "mul", "tanh", "moons"): "The time is Python's own: calls, and objects made.",
}
"""Why rows of these names miss a target, where they do."""


def missed(groups: list[dict[str, Any]]) -> list[str]:
    """The rows beyond their target as a list in Markdown, those with one reason together: by how much with NumPy alone, and
    with [fast] where it was measured."""
    together: dict[str, list[str]] = {}
    for group in groups:
        for row in group["rows"]:
            measured, peer, target = row["measured"], group["peer"], row["target"]
            if target is None or not {OURS, peer} <= set(measured):
                continue
            found = {c: round(ratio(measured, c, peer), 2) for c in (OURS, FAST) if c in measured}
            if max(found.values()) > target:
                ratios = ", ".join(f"{c} {value:.2f}{' (met)' * (value <= target)}" for c, value in found.items())
                why = next((why for names, why in REASONS.items() if row["row"].startswith(names)), "")
                together.setdefault(why, []).append(f"- {row['row']}: {ratios}; {target:g} of {peer}'s time was aimed at.")
    if not together:
        return ["No row is beyond its target."]
    return [line for why, rows in together.items() for line in (*rows, "", why, "")][:-1]


def show(group: Group, rows: list[dict[str, Any]]) -> None:
    """A finished table, and what went wrong in it."""
    print(f"\n{group.title}\n" + "\n".join(table(rows, group.peer)), flush=True)
    for row in rows:
        for contestant, why in row["failed"].items():
            print(f"  {row['row']}: {contestant} failed: {why}")
        if (sentence := disagreement(row)) is not None:
            print(f"  {sentence}")
