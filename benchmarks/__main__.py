"""Our speed beside the peers': python -m benchmarks [--rounds 5] [--only lenet,mlp] [--markdown docs/performance.md]"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import debugger, drawing, growth, ops, profile, report, scalar, startup, training
from .measure import OURS, measure

GROUPS = [scalar.GROUP, ops.GROUP, training.GROUP, growth.GROUP, startup.GROUP, drawing.GROUP, debugger.GROUP]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Our speed beside the peers'.")
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes per contestant and row (default 3)")
    parser.add_argument("--only", metavar="ROWS", help="only rows whose names begin so (lenet,mlp,moons); nothing is written")
    parser.add_argument("--contestants", metavar="NAMES", help="only these (minitorch,torch); nothing is written")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="measure nothing: write the tables of results/ into FILE")
    asked = parser.parse_args()
    if asked.markdown:
        report.markdown(asked.markdown)
        return
    names = tuple(asked.only.split(",")) if asked.only else ("",)
    contestants = asked.contestants.split(",") if asked.contestants else None
    where, groups = report.machine(), {}
    for group in GROUPS:
        rounds = min(asked.rounds, group.rounds or asked.rounds)
        rows: list[dict[str, Any]] = []
        for row in group.rows:
            if row.name.startswith(names):
                rows.append(measure(row, rounds, group.peer, contestants))
                print(".", end="", flush=True)
        if rows:
            report.show(group, rows)
            groups[group.title] = {"peer": group.peer, "rows": rows}
    if not asked.only and not contestants:
        worst = report.worst(groups[training.GROUP.title]["rows"])
        profiles = {model: profile.lines(model, OURS) for model in worst}
        print(f"\nwritten: {report.write(groups, where, profiles)}")


if __name__ == "__main__":
    main()
