"""Where the time of a training step goes, operation by operation: python -m benchmarks.profile lenet [fast]"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from .measure import FAST, OURS, Row, in_fresh_process

STEPS, SHOWN = 12, 12


def profile(contestant: str, model: str) -> dict[str, Any]:
    """Milliseconds and calls per step for each operation and direction, longest first, and of the whole step."""
    from minitorch.core.op import Op

    from .models import MODELS

    made = MODELS[model]("minitorch")
    for _ in range(3):
        made.step()
    calls: dict[str, int] = defaultdict(int)
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def inside(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                calls[name] += 1
                spent[name] += time.perf_counter() - start

        return inside

    for kind in list(Op.registry.values()):
        kind.forward = timed(f"{kind.name}, forward", kind.forward)
        if hasattr(kind, "vjp"):
            kind.vjp = timed(f"{kind.name}, backward", kind.vjp)
        kind.rules = tuple(rule and timed(f"{kind.name}, to {slot}", rule) for rule, slot in zip(kind.rules, kind.slots))
    made.optimizer.step = timed("optimizer", made.optimizer.step)
    step = timed("whole step", made.step)
    for _ in range(STEPS):
        step()
    order = sorted(spent, key=lambda name: -spent[name])
    return {"lines": [(name, calls[name] / STEPS, spent[name] / STEPS) for name in order[: SHOWN + 1]]}


def lines(model: str, contestant: str) -> list[tuple[str, float, float]]:
    """(what, calls, seconds) per step, measured in a fresh process."""
    row = Row(model, "benchmarks.profile:profile", (contestant,), {"model": model})
    return list(in_fresh_process(row, contestant)["lines"])


def table(found: list[tuple[str, float, float]]) -> list[str]:
    """As lines of Markdown."""
    whole = next(spent for name, _, spent in found if name == "whole step")
    rows = [f"| {name} | {count:g} | {1e3 * spent:.2f} | {spent / whole:.0%} |" for name, count, spent in found]
    return ["| what | calls | ms | share |", "|---|---|---|---|", *rows]


if __name__ == "__main__":
    who = FAST if sys.argv[2:] == ["fast"] else OURS
    print("\n".join(table(lines(sys.argv[1], who))))
