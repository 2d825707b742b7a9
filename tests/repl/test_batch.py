"""Lines from pipes, -c and -x: the same results, no escape byte, exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minitorch
from repl.main import main

GOLDEN = Path(__file__).parent / "golden"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("options", [[], ["--width", "60"]], ids=["80 columns", "60 columns, ASCII"])
@pytest.mark.parametrize("walk", ["walk", "tensors"])
def test_a_piped_session_is_stable_and_plain(walk: str, options: list[str]) -> None:
    """`minitorch < walk.bwd`, byte for byte. To accept a changed display: copy the new output over the golden file."""
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"} if options else {"PYTHONUTF8": "1"}
    with open(GOLDEN / f"{walk}.bwd", "rb") as lines:
        done = subprocess.run(
            [sys.executable, "-m", "repl", *options], stdin=lines, capture_output=True, timeout=60, check=False,
            env={**os.environ, **ascii_only},
        )  # fmt: skip
    assert done.stderr == b"" and done.returncode == 0
    assert b"\x1b" not in done.stdout
    held_to(f"{walk}{'-60' if options else ''}.txt", done.stdout.decode("ascii" if options else "utf-8"))


def held_to(golden: str, shown: str) -> None:
    """The output is that of the golden file, where a rule may have moved in its file."""
    shown = re.sub(r"(\w+\.py):\d+, class", r"\1, class", shown)
    assert shown.splitlines() == (GOLDEN / golden).read_text(encoding="utf-8").splitlines()
    assert not golden.endswith("-60.txt") or max(map(len, shown.splitlines())) <= 60


def test_a_debugged_script_in_a_pipe_blames_the_nan_in_one_command() -> None:
    lines = [part for line in ("print batch", "source log_2", "path model.blocks.0.weight", "quit") for part in ("-c", line)]
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "repl", "debug", "--batch", "--when", "nan", str(GOLDEN / "nan_deep.py"), *lines],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == b"" and done.returncode == 0 and b"\x1b" not in done.stdout
    held_to("nan_deep.txt", done.stdout.decode())


def test_help_and_batch_import_nothing_they_do_not_need() -> None:
    probe = (
        "import sys; from repl.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'numpy', 'rich', 'prompt_toolkit'} & set(sys.modules), 'help'\n"
        "main(['--batch', '-c', '1'])\n"
        "assert 'prompt_toolkit' not in sys.modules, 'batch'\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_lines_and_files_in_the_order_given(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("def f(x):\n    return x + 1\n\ny = f(y)\n")
    assert run(capsys, "--batch", "-c", "y = 1", "-x", str(file), "-c", "y") == (0, "2\n", "")


def test_json_is_one_object_for_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["a = Value(2.0)", "print('out'); a * Value(float('inf'))", "backward a * a", "step", "nope"]
    code, out, _ = run(capsys, "--json", *(part for line in lines for part in ("-c", line)))
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["line"] for one in told] == lines and code == 2
    assert [one["ok"] for one in told] == [True] * 4 + [False]
    assert told[1]["output"] == "out\n" and told[1]["views"][0]["branches"][0]["value"] == "inf"
    stop = told[3]["views"][0]
    assert stop["kind"] == "stop" and stop["position"] == 1 and stop["length"] == 2
    assert stop["edges"][0]["local"] == 2.0 and stop["ledgers"][0]["arrived"] == 1


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("step", 2, "-c: no backward pass is paused"),
        ("stpe", 2, "did you mean 'step'"),
        ("1 / 0", 3, "ZeroDivisionError"),
        ("raise SystemExit(7)", 7, ""),
        ("x = 1", 0, ""),
        ("expect 1 + 1 == 2", 0, ""),
        ("expect Value(2.0) == 2.1 ~ 0.2", 0, ""),
        ("expect [1, 2] == [1, 2]", 0, ""),
        (
            "expect tensor([1.0, 2.0]) == [1, 3] ~ 0.1",
            1,
            "to be [1, 3] within 0.1; it is [1.0, 2.0]",
        ),
        ("expect 3 < 2", 1, "expected 3 < 2: it is not so"),
        ("expect", 2, "expect what?"),
    ],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], line: str, code: int, sentence: str) -> None:
    assert run(capsys, "--batch", "-c", line)[0] == code
    left, out, errors = run(capsys, "--batch", "-c", line, "-c", "print('went on')")
    assert left == code and sentence in errors
    assert ("went on" in out) == (code == 0)


def test_a_failure_in_a_file_names_the_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("x = 1\n\nstep\n")
    assert f"{file}:3: no backward pass" in run(capsys, "--batch", "-x", str(file))[2]


def test_without_a_terminal_lines_are_read_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a = 4\na * 2\n"))
    assert run(capsys) == (0, "8\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["frobnicate"], "there is no command 'frobnicate'"),
        (["debgu", "x.py"], "did you mean 'debug'"),
        (["train.py"], "minitorch debug train.py"),
        (["-x", "/nonexistent", "--batch"], "cannot read the lines of '/nonexistent'"),
        (["debug", "/nonexistent.py", "-c", "step"], "there is no file"),
        (["debug", "moon", "-c", "step"], "did you mean moons"),
        (["debug"], "SCRIPT.py|SAMPLE"),
        (["--json", "samples"], "does not go with samples"),
        (["run", "nope"], "there is no sample 'nope'"),
    ],
)
def test_mistakes_in_the_command_line(capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
    code, _, errors = run(capsys, *arguments)
    assert code == 2 and sentence in errors and "Traceback" not in errors


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0 and "debug" in out and "exit codes" in out
    assert run(capsys, "debug", "--help")[0] == 0
    assert run(capsys, "draw", "--help")[0] == 0
    assert run(capsys, "--version")[1] == f"minitorch {minitorch.__version__}\n"


def test_samples_are_forwarded(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "samples")
    assert code == 0 and "mnist-mlp" in out


def test_draw_is_forwarded(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "out.dot"
    assert run(capsys, "draw", "-e", "a = Value(2.0); a + a", "-o", str(target))[0] == 0
    assert target.read_text().startswith("digraph")


def test_the_demo_plays_as_a_script(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, out, errors = run(capsys, "demo")
    assert code == 0 and errors == ""
    assert ">>> explain h" in out and "2/2 in" in out and "\x1b" not in out
    assert "minitorch-demo.svg" in out
    assert list(tmp_path.iterdir())  # the picture, or its DOT where no Graphviz works
