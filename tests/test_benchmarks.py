"""The benchmarks: contestants compute the same thing, and the tables say what was measured. Nothing here looks at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measure, report
from benchmarks.models import MODELS


@pytest.mark.parametrize("model", ["mlp", "lstm", "gan"])
def test_models_have_the_losses_of_pytorch(model: str) -> None:
    pytest.importorskip("torch")
    ours, theirs = MODELS[model]("minitorch"), MODELS[model]("torch")
    for _ in range(2):
        assert ours.step().item() == pytest.approx(theirs.step().item(), rel=1e-4)


def test_a_process_of_its_own_reports_time_memory_and_losses() -> None:
    row = measure.Row("mlp", "benchmarks.training:step", ("minitorch",), {"model": "mlp"})
    found = measure.in_fresh_process(row, "minitorch")
    assert {"seconds", "best", "peak", "losses"} <= set(found)
    assert len(found["losses"]) == 4


def test_a_contestant_that_fails_is_named_with_its_reason() -> None:
    row = measure.Row("none", "benchmarks.training:step", ("minitorch",), {"model": "none"})
    found = measure.measure(row, 1, "torch")
    assert found["failed"] == {"minitorch": "KeyError: 'none'"}


def runs(*seconds: float, losses: tuple[float, ...] = (1.0, 0.5)) -> list[dict[str, Any]]:
    return [{"seconds": s, "best": s, "peak": 3 * 2**20, "losses": list(losses)} for s in seconds]


def row(**measured: list[dict[str, Any]]) -> dict[str, Any]:
    return {"row": "mlp", "settings": {}, "target": 1.0, "measured": measured, "failed": {}}


def test_table_has_medians_spread_ratio_and_memory() -> None:
    head, _, line = report.table([row(minitorch=runs(0.002, 0.004, 0.003), torch=runs(0.006))], "torch")
    cells = dict(zip(map(str.strip, head.split("|")), map(str.strip, line.split("|"))))
    assert cells["minitorch"] == "3 ms ±33%"
    assert cells["minitorch / torch"] == "0.50"
    assert cells["peak"] == "3 MB : 3 MB"


def test_a_ratio_compares_what_ran_in_the_same_round():
    # A machine that was three times as slow in the first round was so for both.
    measured = {"minitorch": runs(0.006, 0.002, 0.0024), "torch": runs(0.0055, 0.002, 0.002), "dezero": runs(0.004)}
    assert report.ratio(measured, "minitorch", "torch") == pytest.approx(0.006 / 0.0055)
    assert report.ratio(measured, "minitorch", "dezero") == pytest.approx(0.6)  # median to the one there is


def test_losses_that_differ_are_reported() -> None:
    assert report.disagreement(row(minitorch=runs(1.0), torch=runs(1.0))) is None
    sentence = report.disagreement(row(minitorch=runs(1.0), torch=runs(1.0, losses=(1.0, 0.6))))
    assert sentence is not None and "minitorch and torch differ" in sentence


def test_markdown_pools_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    for number, seconds in enumerate((0.001, 0.003)):
        groups = {"training step": {"peer": "torch", "rows": [row(minitorch=runs(seconds), torch=runs(0.004))]}}
        written = report.write(groups, report.machine(), {"mlp": [["whole step", 1.0, 0.01], ["linear, forward", 4.0, 0.005]]})
        written.rename(tmp_path / f"{number}.json")
    document = tmp_path / "page.md"
    document.write_text("# Before\n<!-- tables -->\nold\n<!-- end of tables -->\nafter\n")
    report.markdown(document)
    text = document.read_text()
    assert text.startswith("# Before\n") and text.endswith("after\n") and "old" not in text
    assert "2 ms ±50%" in text and "| linear, forward | 4 | 5.00 | 50% |" in text
    assert json.loads((tmp_path / "1.json").read_text())["groups"]["training step"]["rows"][0]["row"] == "mlp"


def test_what_is_missed_is_said_with_its_reason() -> None:
    def row(name: str, target: float, **seconds: float) -> dict[str, Any]:
        measured = {who.replace("fast", "minitorch[fast]"): [{"seconds": time}] for who, time in seconds.items()}
        return {"row": name, "target": target, "measured": measured}

    rows = [
        row("mlp", 1.0, minitorch=0.9, torch=1.0),
        row("lenet", 1.5, minitorch=2.2, fast=1.2, torch=1.0),
        row("gpt", 1.2, minitorch=1.1, fast=1.3, torch=1.0),
        row("unknown", 1.0, minitorch=2.0, torch=1.0),
    ]
    text = "\n".join(report.missed([{"rows": rows, "peer": "torch"}]))
    assert "mlp" not in text
    assert "lenet: minitorch 2.20, minitorch[fast] 1.20 (met); 1.5 of torch's time" in text
    assert "oneDNN works on blocked layouts" in text
    assert "gpt: minitorch 1.10 (met), minitorch[fast] 1.30;" in text
    assert "unknown: minitorch 2.00;" in text
    assert report.missed([{"rows": rows[:1], "peer": "torch"}]) == ["No row is beyond its target."]
