"""Ctrl-C in the middle of every sample, then `--resume`: the same numbers, bit for bit, as if it had never been pressed."""

from __future__ import annotations

import json
import os
import signal

import pytest

from samples.kit import Epoch, Run
from samples.main import main

pytest.importorskip("matplotlib")

SYNTHETIC = ["--data", "synthetic"]
LEARN = {  # samples that learn, made small: three epochs each
    "custom-op": [], "disc": ["--points", "100"], "fashion-mnist": [*SYNTHETIC, "--images", "500"], "logistic": [],
    "mlp-batches": ["--points", "200"], "mnist-mlp": [*SYNTHETIC, "--batches", "5"], "moons": ["--points", "10"],
    "nn-regression": ["--points", "100"], "pairs": [*SYNTHETIC, "--pairs", "60", "--model", "4"], "vanishing": ["--depth", "3"],
    "xor": [], "cifar-resnet": ["--images", "60", "--width", "4"], "yolov1-cifar": ["--images", "100", "--width", "2"],
    "landmarks": ["--size", "32", "--width", "2"], "unet-cars": ["--size", "16", "--width", "2"],
    "gan-anime": ["--images", "48", "--size", "16", "--width", "2"],
}
SHOW = {  # those that show something: what was begun begins again
    "derivative": [], "execution-graph": [], "minimize": [], "ndarray": [], "optimizers": [],
    "pairs": [*SYNTHETIC, "--pairs", "60", "--epochs", "1"],  # the table: each training of one network counts as an epoch
}


def left_by(folder):
    """What a run measured and saved, but for the time it took."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    saved = {path.name: path.read_bytes() for path in folder.glob("*.npz") if path.name != "checkpoint.npz"}
    return [{key: value for key, value in line.items() if not key.endswith("seconds")} for line in lines], saved


@pytest.fixture
def ctrl_c(monkeypatch):
    """Count the calls of a method, and press Ctrl-C in one of them."""

    def press(owner, method, at=None):
        calls, original = [0], getattr(owner, method)

        def counted(self, *args, **kwargs):
            calls[0] += 1
            if calls[0] == at:
                os.kill(os.getpid(), signal.SIGINT)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(owner, method, counted)
        return calls

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # heeded, also where a shell has told us not to
    yield press
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="sends itself a signal")
@pytest.mark.parametrize(("name", "options", "owner", "method"), [
    *((name, [*options, "--epochs", "3"], Epoch, "batch") for name, options in LEARN.items()),
    *((name, options, Run, "log") for name, options in SHOW.items()),
])
def test_ctrl_c_and_resume(name, options, owner, method, ctrl_c, tmp_path, capsys):
    argv = ["run", name, "--quick", "--no-plots", "--runs", str(tmp_path), *options]
    calls = ctrl_c(owner, method)
    assert main(argv) == 0
    (whole,) = (tmp_path / name).iterdir()
    total = calls[0]
    ctrl_c(owner, method, at=total - total // 6)  # in the third epoch of three
    assert main(argv) == 130
    (folder,) = set((tmp_path / name).iterdir()) - {whole}
    done = left_by(folder)[0]
    assert len(done) < len(left_by(whole)[0])
    if owner is Epoch:
        assert [line["epoch"] for line in done] == [1, 2]
    capsys.readouterr()
    assert main(["run", name, "--resume", str(folder), "--runs", str(tmp_path)]) == 0
    assert left_by(folder) == left_by(whole)
    assert json.loads((folder / "result.json").read_text())["finished"]
