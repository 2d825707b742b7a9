"""A GPU's turn: python -m benchmarks.gpu

Within eight minutes, on the card that is there: the tests marked `gpu` (the operation table, models, convolution by cuDNN and
without, streams), then training steps beside PyTorch's on the same card, TF32 on in both, each in a process of its own. Prints
a short table last and writes benchmarks/results/gpu-CARD-DATE.json. Without a card it says what is missing, and stops.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from minitorch.core.files import write_whole

from . import report
from .measure import OURS, Row, in_fresh_process, timed

LIMIT, TESTS, ROW = 470, 170, 45
"""Seconds for all of it, for the tests, and for one contestant of one row, loading the library and compiling included."""

BLOCK = 0.2
"""Seconds of steps between two looks at the clock: the card is given them without waiting for each."""

LOSSES = 3
"""Steps whose losses are compared before the clock starts."""

PACKAGES = ("numpy", "torch", "cupy-cuda12x", "cupy-cuda13x", "nvidia-cudnn-frontend")

SHOWN = 20
"""Failed tests that are printed."""

WHY = 90
"""Letters of an error that the table has room for; the file has all of it."""

TARGETS = {"mlp": 1.5, "lstm": 1.5, "gpt": 1.5, "gemm 4096": 1.1, "gpt 12x768x512": 1.3}
"""Ratios to PyTorch's times that are aimed at; 1.3 for the networks of convolutions."""

ORDER = ("resnet18 b256", "gpt 12x768x512", "gemm 4096", "mlp", "lstm", "resnet", "unet", "gpt", "lenet", "gan", "yolo")
"""The rows, those first that one wants to know first: time may run out."""


def rows() -> list[Row]:
    return [
        Row(model, "benchmarks.gpu:step", (OURS, "torch"), {"model": model}, TARGETS.get(model, 1.3)) for model in ORDER
    ]


def step(contestant: str, model: str, device: str = "cuda", seconds: float = 2.0) -> dict[str, Any]:
    """One training step on the card, in a process of its own: seconds, the peak of memory, and the first losses."""
    from .gpu_models import CARD_MODELS

    library = importlib.import_module(contestant)
    for part in (library.backends.cudnn, library.backends.cuda.matmul):
        part.allow_tf32 = True
    made = CARD_MODELS[model](contestant, device)
    return measured(made.step, library.cuda if device == "cuda" else None, seconds)


def measured(one_step: Callable[[], Any], cuda: Any, seconds: float) -> dict[str, Any]:
    """A step's first losses, then its time over blocks of steps, then the memory of two more (counting costs time)."""
    wait = cuda.synchronize if cuda is not None else lambda: None
    losses = [one_step().item() for _ in range(LOSSES)]
    wait()
    start = time.perf_counter()
    one_step()
    wait()
    number = max(1, int(BLOCK / max(time.perf_counter() - start, 1e-6)))

    def block() -> None:
        for _ in range(number):
            one_step()
        wait()

    found = {key: value / number for key, value in timed(block, seconds=seconds).items()}
    if cuda is not None:
        cuda.reset_peak_memory_stats()
        one_step(), one_step()
        wait()
        found["peak"] = cuda.max_memory_allocated()
    return {**found, "losses": losses}


def tests(limit: float) -> dict[str, Any]:
    """How the tests marked `gpu` ended: their last line, and which failed. In several processes, for on a card that has not
    seen them before most of the time goes into compiling kernels."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "--no-header", "-p", "no:cacheprovider", "tests/gpu"]
    if importlib.util.find_spec("xdist") is not None:
        command += ["-n", str(min(8, os.cpu_count() or 1))]
    home = report.RESULTS.parents[1]
    try:
        wide = {**os.environ, "COLUMNS": "300"}  # pytest cuts what a failure said to the width of a line
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit, cwd=home, env=wide)
    except subprocess.TimeoutExpired as error:
        seen = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout or ""
        return {"summary": f"no end within {limit:.0f} seconds", "failed": failures(seen)}
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["no word from pytest"]
    return {"summary": lines[-1].strip("= "), "failed": failures(done.stdout)}


def failures(output: str) -> list[str]:
    """The tests that pytest's output calls failed, each with what it said."""
    return [line.removeprefix("FAILED ")[:300] for line in output.splitlines() if line.startswith("FAILED ")]


def measure(row: Row, contestants: tuple[str, ...], left: Callable[[], float]) -> dict[str, Any]:
    """A row: what each contestant measured, or why it did not; nobody gets more than his share of the time that is left."""
    found: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, str] = {}
    for contestant in contestants:
        limit = min(ROW, left())
        if limit < 5:
            failed[contestant] = "not reached: the time is up"
            continue
        try:
            found[contestant] = [in_fresh_process(row, contestant, limit)]
        except RuntimeError as error:
            failed[contestant] = str(error)
    return {"row": row.name, "settings": dict(row.settings), "target": row.target, "measured": found, "failed": failed}


def line(row: dict[str, Any], peer: str = "torch") -> dict[str, str]:
    """A row of the table: times of both, their ratio and what is aimed at, memory of both and its ratio."""
    made = {"step": row["row"]}
    runs = {contestant: found[0] for contestant, found in row["measured"].items()}
    for contestant in (OURS, peer):
        if contestant in runs:
            made[contestant] = report.seconds(runs[contestant]["seconds"])
        elif contestant in row["failed"]:
            made[contestant] = "failed"
    if OURS in runs and peer in runs:
        made["ratio"] = f"{runs[OURS]['seconds'] / runs[peer]['seconds']:.2f}"
    made["target"] = f"{row['target']:g}" if row["target"] else ""
    why = [f"{contestant}: {said}" for contestant, said in row["failed"].items()]
    peaks = [report.size(runs[c]["peak"]) if c in runs and "peak" in runs[c] else "" for c in (OURS, peer)]
    made["memory"] = " : ".join(peaks) if any(peaks) else ""
    if why:
        made["why not"] = "; ".join(said if len(said) <= WHY else f"{said[:WHY]}..." for said in why)
    return made


def table(found: list[dict[str, Any]]) -> list[str]:
    """The rows as lines, in columns of even width."""
    lines = [line(row) for row in found]
    order = "step", OURS, "torch", "ratio", "target", "memory", "why not"
    columns = [column for column in order if any(column in made for made in lines)]
    grid = [columns, *([made.get(column, "") for column in columns] for made in lines)]
    widths = [max(len(cells[i]) for cells in grid) for i in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in grid]


def remarks(found: list[dict[str, Any]]) -> list[str]:
    """Whose losses differ (in TF32 the fourth digit may)."""
    told = []
    for row in found:
        losses = [runs[0]["losses"] for runs in row["measured"].values()]
        if len(losses) == 2 and any(abs(a - b) > 0.02 * max(abs(a), abs(b), 1e-3) for a, b in zip(*losses)):
            told.append(f"{row['row']}: the losses differ: {losses[0]}, {losses[1]}")
    return told


def card() -> dict[str, Any]:
    """What the figures are measured on."""
    import minitorch

    cuda, cudnn = minitorch.cuda, minitorch.backends.cudnn
    about = {"card": cuda.get_device_name(), "memory": cuda.mem_get_info()[1], "capability": cuda.get_device_capability()}
    return {**report.machine(PACKAGES), **about, "cudnn": cudnn.version()}


def write(where: dict[str, Any], done: dict[str, Any], found: list[dict[str, Any]], now: datetime) -> Path:
    """Put the measurements beside the others; returns the file."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", where["card"].removeprefix("NVIDIA ")).strip("-")
    target = report.RESULTS / f"gpu-{name}-{now:%Y-%m-%dT%H%M}.json"
    content = {"date": f"{now:%Y-%m-%d %H:%M}", "machine": where, "tests": done, "rows": found}
    write_whole(target, (json.dumps(content, indent=1) + "\n").encode())
    return target


def contestants() -> tuple[str, ...]:
    """Ours, and PyTorch where there is one that sees the card."""
    if importlib.util.find_spec("torch") is None:
        return (OURS,)
    asked = [sys.executable, "-c", "import torch; print(torch.cuda.is_available())"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return (OURS, "torch") if done.stdout.strip() == "True" else (OURS,)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="Tests and training steps on the card.")
    parser.add_argument("--only", metavar="ROWS", help="only rows whose names begin so (mlp,resnet18); no tests")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"seconds for all of it (default {LIMIT})")
    asked = parser.parse_args(arguments)
    from minitorch.core.device import gpu_missing

    missing = gpu_missing()
    if missing:
        print(f"benchmarks.gpu needs a card: {missing}")
        return 2
    end = time.monotonic() + asked.limit

    def left() -> float:
        return end - time.monotonic()

    where, who = card(), contestants()
    alone = "" if len(who) > 1 else "; no PyTorch that sees the card"
    print(f"{where['card']}, cuDNN {where['cudnn'] or 'not found'}{alone}", flush=True)
    done = {"summary": "not asked for", "failed": []} if asked.only else tests(min(TESTS, left()))
    more = [f"and {len(done['failed']) - SHOWN} more (all are in the file)"] if len(done["failed"]) > SHOWN else []
    print(f"tests: {done['summary']}", *done["failed"][:SHOWN], *more, sep="\n  ", flush=True)
    found: list[dict[str, Any]] = []
    now = datetime.now()
    written = write(where, done, found, now)  # and again after each row: whatever ends this, what was measured is there
    for row in rows():
        if row.name.startswith(tuple(asked.only.split(","))) if asked.only else True:
            found.append(measure(row, who, left))
            written = write(where, done, found, now)
            print(".", end="", flush=True)
    print(f"\nwritten: {written}\n")
    print(*remarks(found), *table(found), sep="\n")
    return 1 if done["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
