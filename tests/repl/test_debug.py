"""The debugger inside a program: `minitorch debug`, `with minitorch.debug()`, `set_trace`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

import minitorch
from minitorch import Value
from minitorch.core import modes
from repl import attach, launch
from repl.attach import Debugger
from repl.batch import BatchReader
from repl.main import main
from repl.screen import Screen

SCRIPT = """\
import sys
import minitorch
from minitorch import Value

print("arguments", sys.argv[1:])


def train(w):
    for t in (2.0, 3.0, 4.0):
        error = w - t
        loss = error * error
        loss.backward()
        print("trained", w.grad)


if __name__ == "__main__":
    train(Value(1.0))
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return str(path)


def commands(*lines: str) -> list[str]:
    return [part for line in lines for part in ("-c", line)]


def test_a_script_pauses_at_its_first_backward_and_goes_on(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug", "--batch", script, *commands("step", "print w", "quit"), "--", "--lr", "3"]) == 0
    out = capsys.readouterr().out
    assert "arguments ['--lr', '3']" in out
    assert "backward loss" in out and "train.py:12" not in out and "train.py:11" in out
    assert "step  loss = error × error  →  error" in out
    assert "w   1.0" in out
    assert "train.py goes on without the debugger\ntrained -2.0\ntrained -6.0\ntrained -12.0\n" in out


def test_a_pass_that_is_recorded_itself_is_stepped_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "twice.py"
    path.write_text(
        "from minitorch import Value\nw = Value(3.0)\nloss = w * w * w\nloss.backward(create_graph=True)\n"
        "first = w.grad\nw.grad = None\nfirst.backward()\nprint(first.data, w.grad)\n"
    )
    assert main(["debug", "--batch", str(path), *commands("step", "rstep", "next 2", "continue")]) == 0
    out = capsys.readouterr().out
    assert "+= 1.0 × 3.0 = 3.0" in out and out.endswith("27.0 18.0\n")


def test_next_at_the_end_pauses_at_the_next_pass(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["debug", "--batch", script, *commands("end", "next", "where", "print t")])
    out = capsys.readouterr().out
    assert "next pauses at its next backward()" in out
    assert "train.py goes on to its next backward()\ntrained -2.0\nbackward loss" in out
    assert "\n3.0\ntrain.py goes on without the debugger\ntrained -6.0" in out


def test_breakpoints_pause_later_passes(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = commands("break error if abs(grad) > 5", "continue", "continue", "print t", "quit")
    main(["debug", "--batch", script, *lines])
    out = capsys.readouterr().out
    assert "trained -6.0\nat  error = w - 4.0" in out
    assert "breakpoint 1: error if abs(grad) > 5" in out and "\n4.0\n" in out


def test_running_through_gives_the_same_gradients(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["debug", "--batch", script, *commands("step", "rstep", "next", "rnext", "step")])
    assert "trained -2.0\ntrained -6.0\ntrained -12.0\n" in capsys.readouterr().out


def test_a_mistake_in_the_commands_stops_the_script(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug", "--batch", script, *commands("frobnicate")]) == 2
    captured = capsys.readouterr()
    assert "trained" not in captured.out and "train.py was stopped here" in captured.err


def test_json_keeps_standard_output_to_itself(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug", "--json", script, *commands("step", "print(t)", "quit")]) == 0
    captured = capsys.readouterr()
    told = [json.loads(line) for line in captured.out.splitlines()]
    assert [one["line"] for one in told] == ["step", "print(t)", "quit"]
    assert told[1]["output"] == "2.0\n" and "trained -12.0" in captured.err


def test_a_script_that_raises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.py"
    path.write_text("def f():\n    raise ValueError('deep')\nf()\n")
    assert main(["debug", "--batch", str(path), *commands("step")]) == 3
    errors = " ".join(capsys.readouterr().err.split())  # lines are broken where the terminal ends
    assert "bad.py:2 in f" in errors and "ValueError: deep" in errors and "runpy" not in errors and "repl" not in errors


def test_a_script_without_backward_and_one_that_exits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "quiet.py"
    path.write_text("x = 1\n")
    assert main(["debug", "--batch", str(path), *commands("step")]) == 0
    assert "without calling backward()" in capsys.readouterr().err
    path.write_text("import sys\nsys.exit(5)\n")
    assert main(["debug", "--batch", str(path), *commands("step")]) == 5


def test_without_terminal_and_commands_nothing_is_run(
    script: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "any_reader", no_terminal)
    assert main(["debug", script]) == 2
    captured = capsys.readouterr()
    assert "no terminal to debug from" in captured.err and captured.out == ""


def no_terminal(*_: object) -> None:
    raise launch.NoTerminal


def reader(*lines: str) -> BatchReader:
    return BatchReader([("line", line) for line in lines], Screen())


def test_the_hook_is_removed_and_nothing_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with Debugger("here", reader("step", "quit"), None) as debugger:
        assert modes.state.on_backward is not None and modes.state.inspecting
        a = Value(3.0)
        (a * a).backward()
        assert not debugger.attached and modes.state.on_backward is None and not modes.state.inspecting
        (a * a).backward()
    assert a.grad == 12.0
    assert debugger.session.stepper is None and "a" not in debugger.session.namespace
    assert modes.state.on_backward is None


def test_edits_of_a_pass_that_has_ended_keep_nothing_of_it() -> None:
    w = Value(1.0)
    lines = ("break b", "set w = 5", "w.data = 2.0", "undo", "display b", "end", "next", "undo", "undo", "break", "quit")

    def one_pass() -> weakref.ref[Value]:
        b = w * 3.0
        (b * 2.0).backward()
        return weakref.ref(b)

    with Debugger("here", reader(*lines), None) as debugger:
        assert one_pass()() is None
        assert one_pass()() is None
    edits = debugger.session.edits
    assert not edits.done and not debugger.session.stops.points and w.data == 1.0


def test_the_hook_is_removed_after_an_exception() -> None:
    with pytest.raises(KeyError), Debugger("here", reader("step"), None):
        raise KeyError
    assert modes.state.on_backward is None and not modes.state.inspecting


def test_debug_and_set_trace_reach_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(launch, "any_reader", lambda: reader("print mine", "next", "next", "quit"))
    mine = Value(5.0)
    with minitorch.debug():
        (mine * 2.0).backward()
    assert mine.grad == 2.0
    monkeypatch.setattr(launch, "any_reader", lambda: reader("print mine", "continue", "step", "quit"))
    minitorch.set_trace()
    (mine * 3.0).backward()
    assert mine.grad == 5.0 and modes.state.on_backward is None
    out = capsys.readouterr().out
    assert "paused at test_debug.py:" in out and out.count("mine   5.0") == 2


def test_without_a_terminal_debug_runs_through(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(launch, "any_reader", no_terminal)
    a = Value(2.0)
    with minitorch.debug():
        (a * a).backward()
    minitorch.set_trace()
    assert a.grad == 4.0 and "no terminal to debug from" in capsys.readouterr().err
    assert attach.program_name()


TORCH = """\
import torch
import torch.nn as nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

w = torch.tensor([1.0, 2.0], requires_grad=True)
for i in range(5):
    x = w * (1.0 if i != 3 else -1.0)
    h = torch.log(F.relu(x) if i != 3 else x)
    loss = h.sum()
    loss.backward()
    print("pass", i)
"""


@pytest.fixture
def torch_script(tmp_path: Path) -> str:
    path = tmp_path / "torches.py"
    path.write_text(TORCH)
    return str(path)


def test_nan_is_blamed_at_its_line_in_one_command(torch_script: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.modules.get("torch")
    assert main(["debug", "--as-torch", "--batch", "--when", "nan", torch_script, *commands("print i", "abort")]) == 130
    out = " ".join(capsys.readouterr().out.split())
    assert "pass 2 backward loss" in out and "pass 3" not in out.replace("when nan: pass 4", "")
    assert "h = log(x) made the first one, made at torches.py:9" in out and "h = torch.log(F.relu(x)" in out
    assert "3 torches.py is stopped here" in out
    assert sys.modules.get("torch") is before and not any(type(f).__name__ == "_Finder" for f in sys.meta_path)


def test_the_nth_backward(torch_script: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = commands("print i", "when step == 5 or nonsense", "end", "continue", "quit")
    assert main(["debug", "--as-torch", "--batch", "--when", "step == 2", torch_script, *lines]) == 0
    out = capsys.readouterr().out
    assert "pass 0\nbackward loss" in out and "\n1\n" in out
    assert "goes on to a backward() when step == 5 or nonsense" in out and "could not be asked: NameError" in " ".join(
        out.split()
    )
    assert "pass 4" in out


def test_a_condition_that_never_holds_says_so(torch_script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug", "--as-torch", "--batch", "--when", "step == 50", torch_script]) == 0
    assert "in none of 5 passes was step == 50 true" in capsys.readouterr().err
    assert main(["debug", "--as-torch", "--when", "step ==", torch_script]) == 2


def test_catch_nan_stops_at_the_pass_that_has_one(torch_script: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["debug", "--as-torch", "--batch", torch_script, *commands("catch nan", "end", "continue", "print i", "quit")])
    out = capsys.readouterr().out
    assert "nan in the forward pass" in out and "\n3\n" in out


def test_what_torch_has_and_we_have_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "quantum.py"
    path.write_text("import torch.quantization\n")
    assert main(["debug", "--as-torch", "--batch", str(path), *commands("x")]) == 3
    assert "minitorch has no quantization, which the script imports as torch.quantization" in " ".join(
        capsys.readouterr().err.split()
    )


def test_post_mortem_has_the_graph_so_far(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "boom.py"
    path.write_text("import minitorch\ndef f(x):\n    h = x * 2.0\n    return h @ minitorch.ones(7)\nf(minitorch.ones(2, 3))\n")
    assert main(["debug", "--batch", str(path), *commands("print h", "list")]) == 3
    captured = capsys.readouterr()
    assert "h   (2, 3)" in captured.out and "matmul cannot take 'h'" in captured.err
    assert main(["debug", "--batch", str(path), *commands("quit")]) == 3
    assert "goes on" not in capsys.readouterr().out  # there is nothing that could


def test_debug_takes_a_condition_and_an_exception_opens_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch, "any_reader", lambda: reader("print i", "quit"))
    a = Value(2.0)
    with minitorch.debug(when="step == 3 and i > 1"):
        for i in range(4):
            (a * float(i)).backward()
    assert "\n2\n" in capsys.readouterr().out and a.grad == 6.0
    monkeypatch.setattr(launch, "any_reader", lambda: reader("print inner"))
    with pytest.raises(ZeroDivisionError), minitorch.debug():
        inner = a * 7.0
        assert 1 / 0
    assert "14.0" in capsys.readouterr().out and inner.data == 14.0
    with pytest.raises(ValueError, match="no Python expression"):
        minitorch.debug(when="step ==")


def test_what_if_in_a_script_leaves_it_alone(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["debug", "--batch", script, *commands("set w = 50", "end", "diff", "quit")])
    out = capsys.readouterr().out
    assert "what-if 1: w = 50.0" in out
    assert "trained -2.0\ntrained -6.0\ntrained -12.0\n" in out


def test_the_environment_attaches(tmp_path: Path) -> None:
    code = "import minitorch; a = minitorch.Value(1.0); (a * a).backward(); print(a.grad)"
    environment = {**os.environ, "MINITORCH_DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        start_new_session=True, check=False,
    )  # fmt: skip
    assert done.stdout == "2.0\n" and "there is no terminal to debug from" in done.stderr


def test_a_training_that_was_looked_at_ends_as_one_that_was_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The walk through mnist-mlp: from the loss to the first layer, the largest paths, another weight, and on."""
    train = ["--quick", "--data", "synthetic", "--epochs", "1", "--runs"]
    looks = [
        "until model.0.weight", "path model.0.weight", "why model.0.weight[0,300]", "set model.4.weight[3,0] = 1.5",
        "diff", "end", "info grads", "undo", "model[0].weight.data[0, 0] = 9.0", "undo", "goto 3", "rule assign", "quit",
    ]  # fmt: skip
    assert main(["run", "mnist-mlp", *train, str(tmp_path / "alone")]) == 0
    alone = capsys.readouterr().out
    debug = ["debug", "--batch", "--when", "step == 20", "mnist-mlp", *commands(*looks)]
    assert main([*debug, "--", *train, str(tmp_path / "looked")]) == 0
    out = capsys.readouterr().out
    assert "when step == 20: pass 20" in out and "largest that a search found" in " ".join(out.split())
    assert "what-if 1: model.4.weight[3,0] = 1.5" in out and "gradients differ" in out
    assert "mnist-mlp goes on without the debugger" in out

    def metrics(folder: str) -> list[dict[str, float]]:
        (found,) = (tmp_path / folder).rglob("metrics.jsonl")
        rows = [json.loads(line) for line in found.read_text(encoding="utf-8").splitlines()]
        return [{key: value for key, value in row.items() if "acc" in key or "loss" in key} for row in rows]

    assert metrics("looked") == metrics("alone") and metrics("alone")[-1], alone
