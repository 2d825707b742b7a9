"""How the benchmarks measure: fresh processes, contestants in turn, medians with their spread, ratios to the peer."""

from __future__ import annotations

import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One line of a table: `function` ("module:name") is called as function(contestant, **settings) and returns seconds."""

    name: str
    function: str
    settings: dict[str, Any] = field(default_factory=dict)


def compare(title: str, rows: list[Row], contestants: list[str], rounds: int) -> None:
    """Measure every row for every contestant (the first is ours, the second the peer); print and save the table."""
    table = []
    print(f"{'':40s} {' '.join(f'{c:>16s}' for c in contestants)} {'ratio':>8s}")
    for row in rows:
        seconds: dict[str, list[float]] = {c: [] for c in contestants}
        for _ in range(rounds):
            for contestant in contestants:
                seconds[contestant].append(_in_fresh_process(row, contestant))
        medians = {c: statistics.median(s) for c, s in seconds.items()}
        ratio = medians[contestants[0]] / medians[contestants[1]]
        cells = [f"{medians[c] * 1e3:9.3f} ms ±{_spread(seconds[c]):2.0f}%" for c in contestants]
        print(f"{row.name:40s} {' '.join(cells)} {ratio:8.3f}", flush=True)
        table.append({"row": row.name, "settings": row.settings, "ratio": ratio, "seconds": seconds})
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{title}.json"
    aside = target.with_suffix(".part")
    report = {"date": date.today().isoformat(), "machine": machine(), "contestants": contestants, "rows": table}
    aside.write_text(json.dumps(report, indent=1) + "\n")
    os.replace(aside, target)
    print(f"written: {target}")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    processor = platform.processor() or platform.machine()
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version()}


def _spread(seconds: list[float]) -> float:
    """Half the range, in per cent of the median."""
    return 50 * (max(seconds) - min(seconds)) / statistics.median(seconds)


def _in_fresh_process(row: Row, contestant: str) -> float:
    call = json.dumps([row.function, contestant, row.settings])
    done = subprocess.run([sys.executable, "-m", "benchmarks.measure", call], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{row.name} failed for {contestant}:\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def _call() -> None:
    where, contestant, settings = json.loads(sys.argv[1])
    module, name = where.split(":")
    print(getattr(importlib.import_module(module), name)(contestant, **settings))


if __name__ == "__main__":
    _call()
