"""The benchmark of a card, where there is none: its rows, its clock, its table and its file."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from types import SimpleNamespace

import pytest

from benchmarks import gpu, gpu_models, report
from benchmarks.measure import OURS, complaint
from minitorch.backend.gpu_flags import flags
from tests.device import queues


def test_without_a_card_it_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert gpu.main([]) == 2
    assert capsys.readouterr().out.startswith("benchmarks.gpu needs a card: ")


def test_every_row_is_a_model_of_both_libraries(monkeypatch):
    for kind, sizes in ((gpu_models.ResNet18, {"batch": 4, "side": 64, "channels": (4, 4, 6, 8, 8)}), (gpu_models.Gemm, {"width": 32}), (
        gpu_models.Gpt768, {"depth": 1, "width": 24, "heads": 2, "kinds": 30, "texts": 2, "length": 8}
    )):  # fmt: skip
        for name, size in sizes.items():
            monkeypatch.setattr(kind, name, size)
    assert {row.settings["model"] for row in gpu.rows()} == set(gpu_models.CARD_MODELS) and len(gpu.rows()) == len(gpu_models.CARD_MODELS)
    pytest.importorskip("torch")
    for name in ("resnet18 b256", "gemm 4096", "gpt 12x768x512"):
        losses = [gpu_models.CARD_MODELS[name](library).step().detach().item() for library in (OURS, "torch")]
        assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_step_is_timed_in_blocks_and_waited_for_and_its_memory_counted_last(monkeypatch):
    told = []
    cuda = SimpleNamespace(
        synchronize=lambda: told.append("wait"), reset_peak_memory_stats=lambda: told.append("count"), max_memory_allocated=lambda: 7
    )

    monkeypatch.setattr(gpu, "BLOCK", 0.0)

    def one_step():
        told.append("step")
        return SimpleNamespace(item=lambda: 0.5)

    found = gpu.measured(one_step, cuda, 0.0)
    assert found["losses"] == [0.5] * gpu.LOSSES and found["peak"] == 7 and 0 < found["best"] <= found["seconds"]
    assert told[: gpu.LOSSES + 3] == ["step"] * gpu.LOSSES + ["wait", "step", "wait"] and told[-4:] == ["count", "step", "step", "wait"]
    assert told.index("count") == len(told) - 4  # counting has a price: the clock has stopped before


def test_a_step_on_main_memory_runs_whole(monkeypatch):
    monkeypatch.setattr(gpu, "BLOCK", 0.0)
    for flag in ("matmul_tf32", "cudnn_tf32"):  # the step sets them for good
        monkeypatch.setattr(flags, flag, False)
    monkeypatch.setenv("CUPY_TF32", "0")
    found = gpu.step(OURS, "mlp", "cpu", 0.0)
    assert found["seconds"] > 0 and len(found["losses"]) == gpu.LOSSES and "peak" not in found


def test_a_row_gets_what_time_is_left_and_the_rest_is_named(monkeypatch):
    given = []

    def process(row, contestant, limit):
        given.append(limit)
        if contestant == "torch":
            raise RuntimeError("no result within 3 seconds")
        return {"seconds": 0.25, "losses": [1.0]}

    monkeypatch.setattr(gpu, "in_fresh_process", process)
    clock = iter([100.0, 20.0, 4.0, 4.0])
    row, after = (gpu.measure(r, (OURS, "torch"), lambda: next(clock)) for r in gpu.rows()[:2])
    assert given == [gpu.ROW, 20.0] and row["measured"] == {OURS: [{"seconds": 0.25, "losses": [1.0]}]}
    assert row["failed"] == {"torch": "no result within 3 seconds"}
    assert after["measured"] == {} and after["failed"] == dict.fromkeys((OURS, "torch"), "not reached: the time is up")


def found(ours, theirs, name="resnet", **more):
    runs = {OURS: ours, "torch": theirs}
    return {"row": name, "settings": {}, "target": 1.3, "failed": {}, "measured": {c: [r] for c, r in runs.items() if r}, **more}


def test_the_table_says_times_ratio_and_memory():
    run = {"seconds": 0.012, "peak": 2**30, "losses": [1.0, 0.5]}
    rows = [found(run, {**run, "seconds": 0.01, "losses": [1.0, 0.51]}), found(run, None, "yolo", failed={"torch": "out of memory"})]
    lines = gpu.table(rows)
    assert [line.split() for line in lines[:2]] == [
        ["step", "minitorch", "torch", "ratio", "target", "memory", "why", "not"],
        ["resnet", "12", "ms", "10", "ms", "1.20", "1.3", "1", "GB", ":", "1", "GB"],
    ]
    assert "failed" in lines[2] and lines[2].endswith("torch: out of memory") and gpu.remarks(rows) == []
    long = found(run, None, "yolo", failed={"torch": "x" * 500})
    assert len(gpu.table([long])[1]) < 200
    assert gpu.table([long, rows[0]])[0].split() == lines[0].split()  # whichever row comes first
    odd = found(run, {**run, "losses": [1.0, 0.7]})
    assert gpu.remarks([odd]) == ["resnet: the losses differ: [1.0, 0.5], [1.0, 0.7]"]


def test_what_the_tests_said_is_kept(monkeypatch):
    out = "..F\nFAILED tests/gpu/test_card.py::test_a[x] - assert 1 == 2\n1 failed, 2 passed in 3.21s\n"
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: SimpleNamespace(stdout=out, stderr=""))
    assert gpu.tests(10) == {"summary": "1 failed, 2 passed in 3.21s", "failed": ["tests/gpu/test_card.py::test_a[x] - assert 1 == 2"]}

    def late(*a, **k):
        raise subprocess.TimeoutExpired("pytest", 10, output=out.encode())

    monkeypatch.setattr(subprocess, "run", late)
    assert gpu.tests(10) == {"summary": "no end within 10 seconds", "failed": ["tests/gpu/test_card.py::test_a[x] - assert 1 == 2"]}


def test_one_call_writes_a_file_named_after_the_card_and_prints_the_table_last(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(gpu, "tests", lambda limit: {"summary": "300 passed in 99s", "failed": []})
    monkeypatch.setattr(gpu, "contestants", lambda: (OURS, "torch"))
    monkeypatch.setattr(gpu, "in_fresh_process", lambda row, who, limit: {"seconds": 0.01, "best": 0.01, "peak": 2**20, "losses": [1.0]})
    with queues.gpu(monkeypatch):
        assert gpu.main([]) == 0
        assert gpu.main(["--only", "mlp,gpt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NVIDIA Double, cuDNN not found" and lines[1] == "tests: 300 passed in 99s"
    assert [line.split("  ")[0] for line in lines[-3:]] == ["gpt 12x768x512", "mlp", "gpt"]
    written = sorted(tmp_path.glob("gpu-Double-*.json"))
    content = json.loads(written[0].read_text())
    assert content["machine"]["card"] == "NVIDIA Double" and not list(tmp_path.glob("*.part"))
    assert content["rows"][0]["measured"]["torch"] == [{"seconds": 0.01, "best": 0.01, "peak": 2**20, "losses": [1.0]}]
    assert report.pooled() == ([], [])  # the tables of docs/performance.md are of processors


def test_the_file_is_named_after_card_and_date(monkeypatch, tmp_path):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    target = gpu.write({"card": "NVIDIA H200"}, {}, [], datetime(2026, 11, 22, 9, 5))
    assert target.name == "gpu-H200-2026-11-22T0905.json"


def test_of_many_failures_the_first_are_printed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    failed = [f"tests/gpu/test_card.py::test_{n} - no" for n in range(700)]
    monkeypatch.setattr(gpu, "tests", lambda limit: {"summary": "700 failed", "failed": failed})
    monkeypatch.setattr(gpu, "contestants", lambda: (OURS,))
    monkeypatch.setattr(gpu, "in_fresh_process", lambda row, who, limit: {"seconds": 0.01, "losses": [1.0]})
    with queues.gpu(monkeypatch):
        assert gpu.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[2 + gpu.SHOWN] == f"  and {700 - gpu.SHOWN} more (all are in the file)" and len(lines) < 60
    (written,) = tmp_path.glob("gpu-*.json")
    assert json.loads(written.read_text())["tests"]["failed"] == failed


def test_what_was_measured_is_there_whatever_comes_after(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(gpu, "contestants", lambda: (OURS,))
    ran = []

    def process(row, who, limit):
        ran.append(row.name)
        if len(ran) == 2:
            raise RuntimeError("CUDARuntimeError: cudaErrorIllegalAddress")
        if len(ran) == 4:
            raise KeyboardInterrupt
        return {"seconds": 0.01, "losses": [1.0]}

    monkeypatch.setattr(gpu, "in_fresh_process", process)
    with queues.gpu(monkeypatch), pytest.raises(KeyboardInterrupt):
        gpu.main(["--only", "resnet,gemm,mlp,lstm,gpt"])
    (written,) = tmp_path.glob("gpu-*.json")
    rows = json.loads(written.read_text())["rows"]
    assert [bool(row["measured"]) for row in rows] == [True, False, True]
    assert rows[1]["failed"] == {OURS: "CUDARuntimeError: cudaErrorIllegalAddress"}


@pytest.mark.parametrize(("stderr", "last"), [
    ("", "no message"), ("Traceback:\n  x\nValueError: no\n", "ValueError: no"), ("killed", "killed"),
    ("Traceback:\ncupy.cuda.memory.OutOfMemoryError: Out of memory\n  [1, 2,\n   3]\n", "cupy.cuda.memory.OutOfMemoryError: Out of memory"),
])  # fmt: skip
def test_a_complaint_is_the_line_of_the_exception(stderr, last):
    assert complaint(stderr) == last
