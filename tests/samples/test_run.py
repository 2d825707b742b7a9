"""The run folder, the progress shown meanwhile, and the command line around them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import samples.registry
from minitorch import Tensor, Value
from minitorch.serialize import load
from samples.kit import Run, SampleError, Settings, option
from samples.main import main
from samples.registry import SAMPLES, Sample

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Config(Settings):
    epochs: int = option(3, "passes", minimum=1)


@pytest.fixture
def config(tmp_path):
    return Config(runs=str(tmp_path / "runs"))


def metrics(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_writes_settings_and_a_line_per_epoch(config, capsys):
    with Run("toy", config) as run:
        for epoch in run.epochs(3, batches=2):
            epoch.batch(2.0, correct=1, of=4)
            epoch.batch(1.0, correct=2, of=2)
            epoch.add(test_accuracy=0.5)
    assert json.loads((run.folder / "settings.json").read_text())["epochs"] == 3
    lines = metrics(run.folder)
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    for line in lines:
        assert line["train_loss"] == pytest.approx((2.0 * 4 + 1.0 * 2) / 6)  # weighted by the size of the batch
        assert line["train_accuracy"] == pytest.approx(3 / 6)
        assert line["test_accuracy"] == 0.5 and line["seconds"] >= 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown[0] == ["epoch", "train", "loss", "acc", "test", "acc", "s", "batch/s"]
    assert [line[:4] for line in shown[1:]] == [[f"{k}/3", "1.6667", "0.5000", "0.5000"] for k in (1, 2, 3)]
    assert run.summary() == f"{run.folder}{os.sep} holds settings.json, metrics.jsonl"


def test_without_classes_there_is_no_accuracy(config):
    with Run("toy", config) as run:
        for epoch in run.epochs(1, batches=1):
            epoch.batch(0.5)
    assert set(metrics(run.folder)[0]) == {"epoch", "seconds", "train_loss"}


def test_numbers_json_cannot_hold_become_null(config):
    with Run("toy", config) as run:
        run.log(epoch=1, train_loss=float("nan"), name="x", test_loss=np.float64("inf"))
    assert metrics(run.folder) == [{"epoch": 1, "train_loss": None, "name": "x", "test_loss": None}]


def test_two_runs_of_the_same_second_get_two_folders(config):
    assert len({Run("toy", config).folder for _ in range(3)}) == 3


def test_what_is_saved_comes_back(config):
    run = Run("toy", config)
    run.save({"old": 1}, "model.npz")
    run.save({"weight": Tensor(np.ones((2, 3), np.float32)), "n": [1.0, 2.0]}, "model.npz")
    saved = load(run.folder / "model.npz")
    assert saved["weight"].shape == (2, 3) and saved["n"] == [1.0, 2.0] and "old" not in saved
    assert sorted(path.name for path in run.folder.iterdir()) == ["model.npz", "settings.json"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SampleError, match="cannot make the folder .*file.*--runs"):
        Run("toy", Config(runs=str(tmp_path / "file")))


@pytest.fixture
def toy(monkeypatch):
    """A sample made of one function, which the test provides."""

    def register(function, needs=()):
        module = types.ModuleType("toy_sample")
        module.Config, module.main = Config, function
        monkeypatch.setitem(sys.modules, "toy_sample", module)
        monkeypatch.setitem(SAMPLES, "toy", Sample("toy", "a toy", "toy_sample", "-", "1 s", needs))

    return register


def test_run_names_the_folder_at_the_end(toy, tmp_path, capsys):
    toy(lambda config, run: run.log(epoch=config.epochs))
    assert main(["run", "toy", "--epochs", "7", "--runs", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "toy").iterdir()
    assert capsys.readouterr().out == f"{folder}{os.sep} holds settings.json, metrics.jsonl, result.json\n"
    result = json.loads((folder / "result.json").read_text())
    assert result["finished"] and result["seconds"] >= 0 and 10 < result["peak_memory_mb"] < 100_000
    assert metrics(folder) == [{"epoch": 7}]


def test_a_folder_taken_away_meanwhile_is_named(toy, tmp_path, capsys):
    def main_without_folder(config, run):
        run.folder.rename(tmp_path / "elsewhere")
        run.log(epoch=1)

    toy(main_without_folder)
    assert main(["run", "toy", "--runs", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("cannot write ") and "metrics.jsonl (No such file or directory)" in error


def test_ctrl_c_says_what_was_saved(toy, tmp_path, capsys):
    def interrupted(config, run):
        run.keep(numbers=[Value(1.0)])
        for epoch in run.epochs(3, batches=1):
            if epoch.number == 3:
                raise KeyboardInterrupt
            epoch.batch(1.0)

    toy(interrupted)
    assert main(["run", "toy", "--runs", str(tmp_path)]) == 130
    (folder,) = (tmp_path / "toy").iterdir()
    *_, last, hint = capsys.readouterr().out.splitlines()
    assert last == f"stopped by Ctrl-C; {folder}{os.sep} holds settings.json, metrics.jsonl, checkpoint.npz, result.json"
    assert hint == f"minitorch run toy --resume {folder} goes on from here"
    assert json.loads((folder / "result.json").read_text())["finished"] is False
    assert len(metrics(folder)) == 2


def test_a_sample_that_cannot_run_says_so_and_leaves_no_folder(toy, tmp_path, capsys):
    def fails(config, run):
        raise SampleError("there is no data")

    toy(fails)
    assert main(["run", "toy", "--runs", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "there is no data\n"
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_named_before_anything_runs(toy, tmp_path, capsys, monkeypatch):
    toy(lambda config, run: pytest.fail("it ran"), needs=("matplotlib", "PIL"))
    monkeypatch.setattr(samples.registry.importlib.util, "find_spec", lambda name: None)
    assert main(["run", "toy", "--runs", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "toy needs matplotlib and pillow; install with: pip install 'minitorch-stepper[samples]'\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["run", "mnist"], "there is no sample 'mnist'; did you mean mnist-mlp"),
        (["run", "Derivatives"], "did you mean derivative?"),
        (["run", "qqq"], "there is no sample 'qqq'; there are derivative, execution-graph, "),
        (["run"], "name a sample: minitorch run NAME; there are derivative"),
        (["run", "moons", "--epochs", "0"], "--epochs takes a whole number of at least 1, not '0'"),
        (["fly"], "usage: minitorch samples | minitorch run NAME [options] | minitorch runs"),
    ],
)
def test_a_mistake_in_the_command(argv, says, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def test_every_sample_loads_and_shows_its_settings(capsys):
    for sample in SAMPLES.values():
        if sample.missing():
            pytest.skip("needs the samples extra")
        module = sample.load()
        assert issubclass(module.Config, Settings) and module.__doc__
        assert main(["run", sample.name, "--help"]) == 0
        assert f"usage: minitorch run {sample.name}" in capsys.readouterr().out


def python(*argv: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *argv]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, timeout=60)


def test_the_list_names_every_sample_and_imports_none():
    code = "import sys; from samples.main import main; main(['samples']); print(sorted(sys.modules))"
    done = python("-c", code, FORCE_COLOR="1", PYTHONIOENCODING="ascii")
    text, modules = done.stdout.decode().rsplit("\n[", 1)
    assert all(f"\n{name} " in text for name in SAMPLES) and "\x1b" not in text
    costly = {"'numpy'", "'rich'", "'matplotlib'", "'minitorch'", "'samples.moons'"}
    assert not costly & set(modules.strip("]\n").split(", "))


def test_python_dash_m_samples():
    done = python("-m", "samples", "run", "nothing")
    assert done.returncode == 2 and done.stderr.startswith(b"there is no sample 'nothing'") and not done.stdout
    assert b"mnist-mlp" in python("-m", "samples").stdout


@pytest.mark.parametrize("program", [["-m", "samples"], ["-m", "repl"]])
def test_a_reader_who_has_seen_enough(program, tmp_path):
    pytest.importorskip("matplotlib")
    for command in (["samples"], ["run", "xor", "--epochs", "3000", "--no-plots", "--runs", str(tmp_path)]):
        child = subprocess.Popen([sys.executable, *program, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert child.stdout.readline()
        child.stdout.close()  # as `| head -1` does
        assert child.wait(60) == 0 and child.stderr.read() == b""
    (folder,) = (tmp_path / "xor").iterdir()
    assert json.loads((folder / "result.json").read_text())["finished"] is False


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_a_bar_is_drawn_and_ctrl_c_puts_the_cursor_back(tmp_path):
    pexpect = pytest.importorskip("pexpect")
    pytest.importorskip("matplotlib")
    argv = ["-m", "samples", "run", "moons", "--epochs", "20000", "--points", "10", "--hidden", "2"]
    child = pexpect.spawn(sys.executable, [*argv, "--runs", str(tmp_path)], cwd=str(ROOT), encoding="utf-8", timeout=30,
                          env=os.environ | {"TERM": "xterm"}, dimensions=(24, 120),
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    child.expect(r"\x1b\[\?25l")  # the bar hides the cursor
    child.expect(r"epoch \d+/20000")
    child.expect(r"\d batches/s")
    child.expect(r" 500/20000 +\d")
    child.sendintr()
    child.expect(r"\x1b\[\?25h")
    child.expect("stopped by Ctrl-C; .*holds settings.json, metrics.jsonl, checkpoint.npz, result.json")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
