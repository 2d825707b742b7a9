"""How the benchmarks measure: fresh processes, contestants in turn, medians with their spread, peak memory, first losses."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OURS, FAST = "minitorch", "minitorch[fast]"

MODULES = {FAST: "numba"}
"""The module that a contestant needs, where it is not the one of its own name."""

CLANG = "CC" in os.environ or shutil.which("clang") is not None
"""Whether there is the compiler that tinygrad's CPU device would rather have; without it, it has an assembler for x86-64."""

ENVIRONMENT = {
    OURS: {"MINITORCH_BACKEND": "numpy"}, FAST: {"MINITORCH_BACKEND": "fast"}, "tinygrad": {} if CLANG else {"DEV": "CPU:X86"},
}  # fmt: skip
"""Variables that a contestant's process is started with."""

AT_LEAST, SECONDS = 5, 0.5
"""A process times this many runs of its step, and goes on for so long."""


@dataclass(frozen=True)
class Row:
    """One line of a table. `function` ("module:name") is called as function(contestant, **settings) in a process of its own
    and returns what it measured: `seconds`, and perhaps `peak` (bytes) and `losses`."""

    name: str
    function: str
    contestants: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    target: float | None = None
    """The ratio ours to the peer's that is aimed at."""


@dataclass(frozen=True)
class Group:
    """Rows of one table; ratios are to `peer`. `rounds` limits the rounds of rows whose figures vary little."""

    title: str
    rows: list[Row]
    peer: str
    rounds: int | None = None


def installed(contestant: str) -> bool:
    """Whether the contestant can run here."""
    if contestant == "tinygrad" and not CLANG and platform.machine() not in ("x86_64", "AMD64"):
        return False
    return importlib.util.find_spec(MODULES.get(contestant, contestant)) is not None


def measure(row: Row, rounds: int, peer: str, only: list[str] | None = None) -> dict[str, Any]:
    """Every contestant of a row that is installed (and among `only`), in turn, `rounds` times, those that are neither ours
    nor the peer once; what each measured."""
    found: dict[str, list[dict[str, Any]]] = {}
    contestants = [c for c in row.contestants if installed(c) and (only is None or c in only)]
    failed: dict[str, str] = {}
    for number in range(rounds):
        for contestant in contestants:
            if contestant not in failed and (number == 0 or contestant in (OURS, FAST, peer)):
                try:
                    found.setdefault(contestant, []).append(in_fresh_process(row, contestant))
                except RuntimeError as error:
                    failed[contestant] = str(error)
    return {
        "row": row.name, "settings": dict(row.settings), "target": row.target, "measured": found, "failed": failed,
    }  # fmt: skip


def in_fresh_process(row: Row, contestant: str, limit: float = 300) -> dict[str, Any]:
    """What `row` measures for one contestant, within `limit` seconds. RuntimeError with the end of its complaint when the
    process fails."""
    call = json.dumps([row.function, contestant, dict(row.settings)])
    environment = {**os.environ, **ENVIRONMENT.get(contestant, {})}
    command = [sys.executable, "-m", "benchmarks.measure", call]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=limit)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no result within {limit:.0f} seconds") from None
    if done.returncode:
        raise RuntimeError(complaint(done.stderr))
    return dict(json.loads(done.stdout.splitlines()[-1]))


def complaint(stderr: str) -> str:
    """What a process said last: the line of its exception, which may go on over several."""
    lines = stderr.strip().splitlines() or ["no message"]
    return next((line for line in reversed(lines) if re.match(r"[\w.]+(Error|Exception|Interrupt|Exit)\b", line)), lines[-1])


def timed(step: Callable[[], object], number: int = 1, seconds: float = SECONDS) -> dict[str, Any]:
    """Seconds per call: the median, and the best, of runs of `number` calls each, after some that warm up."""
    clock = time.perf_counter
    times: list[float] = []
    warm = clock() + seconds / 4
    while clock() < warm:
        step()
    end = clock() + seconds
    while len(times) < AT_LEAST or clock() < end:
        start = clock()
        for _ in range(number):
            step()
        times.append((clock() - start) / number)
    return {"seconds": statistics.median(times), "best": min(times)}


class Memory:
    """The most memory this process took since it was made, above what it had then (Linux; elsewhere above its own peak)."""

    def __init__(self) -> None:
        self.exact = _reset_peak()
        self.start = _status("VmRSS") if self.exact else _highest()

    def peak(self) -> int:
        """Bytes."""
        return max(0, (_status("VmHWM") if self.exact else _highest()) - self.start)


def _reset_peak() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def _highest() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def summary(runs: list[dict[str, Any]], what: str = "seconds") -> tuple[float, float]:
    """(median, spread) over rounds; the spread is half the range, as a fraction of the median."""
    numbers = [run[what] for run in runs]
    middle = statistics.median(numbers)
    return middle, (max(numbers) - min(numbers)) / 2 / middle if middle else 0.0


def _call() -> None:
    where, contestant, settings = json.loads(sys.argv[1])
    module, name = where.split(":")
    print(json.dumps(getattr(importlib.import_module(module), name)(contestant, **settings)))


if __name__ == "__main__":
    _call()
