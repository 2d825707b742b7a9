"""A resumed run goes on as if it had never stopped; runs are listed and compared; sweeps; dead layers; metrics."""

from __future__ import annotations

import json
import shutil
import sys
import types
from dataclasses import dataclass

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.serialize import load
from minitorch.utils.data import DataLoader, TensorDataset
from samples.kit import Run, Settings, option
from samples.kit.metrics import Grades, evaluate
from samples.main import main
from samples.registry import SAMPLES, Sample

pytest.importorskip("matplotlib")


@dataclass
class Config(Settings):
    epochs: int = option(4, "passes", minimum=1)
    rate: float = option(0.01, "step size", minimum=0)
    sizes: tuple[int, ...] = option((6,), "hidden neurons", minimum=1)
    stop: int = option(0, "press Ctrl-C in this epoch")


def learn(config: Config, run: Run) -> None:
    """All that a run may change: shuffling, dropout-like noise, momentum, a schedule."""
    minitorch.manual_seed(config.seed)
    x = minitorch.randn(40, 3)
    y = (x.sum(1) > 0).long()
    model = nn.Sequential(nn.Linear(3, config.sizes[0]), nn.ReLU(), nn.Linear(config.sizes[0], 2))
    optimizer = optim.Adam(model.parameters(), lr=config.rate)
    scheduler = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    run.keep(model=model, optimizer=optimizer, scheduler=scheduler)
    for epoch in run.epochs(config.epochs, 5):
        for k, (a, b) in enumerate(DataLoader(TensorDataset(x, y), 8, shuffle=True)):
            if epoch.number == config.stop and k == 3:
                raise KeyboardInterrupt
            scores = model(a + 0.1 * minitorch.randn(*a.shape))
            loss = nn.CrossEntropyLoss()(scores, b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch.batch(loss.item(), scores=scores, labels=b)
        scheduler.step()
        epoch.add(**evaluate(model, TensorDataset(x, y), 2).metrics("test"))


@pytest.fixture
def toy(monkeypatch, tmp_path):
    module = types.ModuleType("toy_sample")
    module.Config, module.main = Config, learn
    monkeypatch.setitem(sys.modules, "toy_sample", module)
    monkeypatch.setitem(SAMPLES, "toy", Sample("toy", "a toy", "toy_sample", "-", "1 s", ()))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs" / "toy"


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def flat(state, path=""):
    """Every number of a checkpoint but the times."""
    if isinstance(state, dict):
        return {k: v for name, part in state.items() if not str(name).endswith("seconds") for k, v in flat(part, f"{path}/{name}").items()}
    return {path: state.tolist() if hasattr(state, "tolist") else state}


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_a_resumed_run_is_bit_equal_to_one_that_never_stopped(toy, stop, capsys):
    assert main(["run", "toy", "--sizes", "5"]) == 0
    (whole,) = toy.iterdir()
    whole = whole.rename(toy.parent / "whole")
    assert main(["run", "toy", "--sizes", "5", "--stop", str(stop)]) == 130
    (folder,) = toy.iterdir()
    assert len(metrics(folder)) == stop - 1
    assert main(["run", "toy", "--resume", str(folder), "--stop", "0"]) == 0
    assert list(toy.iterdir()) == [folder]
    assert metrics(folder) == metrics(whole)
    assert flat(load(folder / "checkpoint.npz")) == flat(load(whole / "checkpoint.npz"))
    result = json.loads((folder / "result.json").read_text())
    assert result["finished"] and result["epochs"] == 4 and 0 < result["cpu_seconds"]


def test_more_epochs_and_a_line_without_its_checkpoint(toy, capsys):
    assert main(["run", "toy", "--epochs", "2"]) == 0
    (folder,) = toy.iterdir()
    kept = metrics(folder)
    with open(folder / "metrics.jsonl", "a") as file:  # killed after the line, before the checkpoint
        file.write('{"epoch": 3, "train_loss": 9}\n')
    capsys.readouterr()
    assert main(["run", "toy", "--resume", "last"]) == 0
    assert "its 2 epochs are done; go on with a larger --epochs" in capsys.readouterr().out
    assert main(["run", "toy", "--resume", folder.name, "--epochs", "3"]) == 0
    assert [line["epoch"] for line in metrics(folder)] == [1, 2, 3] and metrics(folder)[:2] == kept
    assert metrics(folder)[2]["train_loss"] != 9


def test_a_run_stopped_before_its_first_epoch_ended_begins_again(toy, capsys):
    assert main(["run", "toy"]) == 0
    (whole,) = toy.iterdir()
    whole = whole.rename(toy.parent / "whole")
    assert main(["run", "toy", "--stop", "1"]) == 130
    (folder,) = toy.iterdir()
    assert capsys.readouterr().out.endswith(f"minitorch run toy --resume runs/toy/{folder.name} begins it again\n")
    (folder / "metrics.jsonl").write_text('{"epoch": 1, "train_l')  # killed while it wrote the line
    assert main(["run", "toy", "--resume", "last", "--stop", "0"]) == 0
    assert "no epoch was finished, so it begins again" in capsys.readouterr().out
    assert metrics(folder) == metrics(whole)


def test_what_cannot_be_resumed_is_said_in_one_sentence(toy, capsys):
    def says(*argv):
        assert main(["run", "toy", *argv]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    assert "holds no run to go on with" in says("--resume", "last")
    assert "there is no run nothing" in says("--resume", "nothing")
    assert says("--resume", "/no/run").endswith("there is no run /no/run\n")
    assert main(["run", "toy", "--stop", "1"]) == 130
    (folder,) = toy.iterdir()
    assert main(["run", "toy", "--epochs", "1"]) == 0
    assert "does not fit these settings" in says("--resume", "last", "--sizes", "9")
    (newest,) = set(toy.iterdir()) - {folder}
    (newest / "checkpoint.npz").write_bytes(b"PK\x03\x04rubbish")
    assert "damaged" in says("--resume", newest.name)
    assert (newest / "settings.json").exists()
    shutil.move(str(folder), toy.parent / "other")
    (toy.parent / "other").rename(toy.parent.parent / "alone")
    assert "is a run of" in says("--resume", str(toy.parent.parent / "alone"))


def test_the_gpu_is_refused_where_there_is_none(toy, capsys, monkeypatch):
    assert main(["run", "toy", "--device", "cuda"]) == 1
    assert capsys.readouterr().err == "toy computes on the CPU only; leave out --device cuda\n"
    monkeypatch.setitem(SAMPLES, "toy", Sample("toy", "a toy", "toy_sample", "-", "1 s", (), cuda=True))

    monkeypatch.setattr("minitorch.core.device.gpu_missing", lambda index=0: "it needs CuPy (pip install it)")
    assert main(["run", "toy", "--device", "cuda"]) == 1
    error = capsys.readouterr().err
    assert error == "--device cuda cannot be used here: it needs CuPy (pip install it); use --device cpu\n"


def test_runs_are_listed_and_compared(toy, capsys):
    assert main(["runs"]) == 0
    assert "runs holds no runs" in capsys.readouterr().out
    for rate in ("0.01", "0.1"):
        assert main(["run", "toy", "--epochs", "2", "--rate", rate]) == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["run", "state", "epoch"] and len(rows) == 2 and all("finished" in row for row in rows)
    assert main(["runs", "toy"]) == 0
    heading, *rows, last = capsys.readouterr().out.splitlines()
    assert "rate" in heading.split() and "sizes" not in heading and rows[0].split()[1] == "0.01" and rows[1].split()[1] == "0.1"
    assert last.endswith("compare.png shows test_accuracy") and (toy.parent / "compare.png").stat().st_size > 1000
    assert main(["runs", "toy/last", "--metric", "speed"]) == 2
    assert "has no speed; it has epoch, " in capsys.readouterr().err
    assert main(["runs", "nothing"]) == 2
    capsys.readouterr()
    assert main(["runs", "--markdown", "table.md"]) == 0
    *_, row = (toy.parent.parent / "table.md").read_text().strip().splitlines()
    assert row.startswith("| `toy` | test accuracy | - | 0.")


def test_a_sweep_gives_mean_and_deviation_over_seeds(toy, capsys):
    assert main(["sweep", "toy", "--set", "rate=0.001,0.1", "--set", "sizes=2/8", "--rounds", "3", "--jobs", "1",
                 "--epochs", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("12 runs of toy: 4 settings, 3 rounds each\n 1/12  rate=0.001 sizes=2 seed=0  test accuracy 0.")
    (folder,) = (toy.parent / "toy-sweep").iterdir()
    records = json.loads((folder / "sweep.json").read_text())
    assert [(record["rate"], record["sizes"]) for record in records] == [(0.001, [2]), (0.001, [8]), (0.1, [2]), (0.1, [8])]
    last = [metrics(path)[-1] for path in sorted((folder / "toy").iterdir())]
    runs = [json.loads((path / "settings.json").read_text()) for path in sorted((folder / "toy").iterdir())]
    losses = [line["train_loss"] for line, run in zip(last, runs) if run["rate"] == 0.1 and run["sizes"] == [8]]
    assert sorted({run["seed"] for run in runs}) == [0, 1, 2] and len(losses) == 3
    assert records[3]["train_loss"] == pytest.approx({"mean": np.mean(losses), "sd": np.std(losses, ddof=1)})
    assert (folder / "sweep.png").stat().st_size > 1000
    assert main(["runs"]) == 0 and "runs holds no runs" in capsys.readouterr().out  # its runs are its own affair


def test_ctrl_c_in_a_sweep_says_where_the_runs_are(toy, capsys):
    assert main(["sweep", "toy", "--set", "stop=0,2", "--rounds", "1", "--jobs", "1"]) == 130
    (folder,) = (toy.parent / "toy-sweep").iterdir()
    assert capsys.readouterr().out.endswith(f"\nstopped by Ctrl-C; runs/toy-sweep/{folder.name}/ holds the runs so far\n")
    assert len(list((folder / "toy").iterdir())) == 2


@pytest.mark.parametrize(("option", "says"), [
    ("rate=inf", "--set rate takes a number of at least 0, not 'inf'"),
    ("speed=1", "there is no setting 'speed' to vary; there are device, epochs, rate, sizes, stop"),
    ("rate=fast", "--set rate takes a number of at least 0, not 'fast'"),
    ("rate=", "say which values: --set rate=A,B,..."),
])
def test_a_mistake_in_a_sweep(toy, capsys, option, says):
    assert main(["sweep", "toy", "--set", option]) == 2
    assert says in capsys.readouterr().err
    assert not toy.parent.exists()


def test_a_dead_layer_is_reported(tmp_path, capsys):
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    run = Run("toy", Settings(runs=str(tmp_path)))
    run.keep(model=model)
    for epoch in run.epochs(3, 2):
        if epoch.number == 2:
            with minitorch.no_grad():
                model[0].bias -= 100.0
        if epoch.number == 3:
            with minitorch.no_grad():
                model[0].bias += 100.0
        for _ in range(2):
            epoch.batch(model(minitorch.ones(4, 2)).mean().item())
        model.eval()
        model(minitorch.zeros(1, 2) - 1e9)  # what evaluation sees does not count
        model.train()
    assert [line.get("dead_layers") for line in run.lines] == [None, "1 (ReLU)", None]
    assert "dead: every output of 1 (ReLU) was 0 in this epoch" in capsys.readouterr().out
    assert not model[1]._hooks


def test_metrics_of_classification():
    grades = Grades(3)
    truth, answers = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 1])
    for part in (slice(0, 4), slice(4, 6)):
        scores = Tensor(np.eye(3, dtype=np.float32)[answers[part]])
        grades.add(scores, Tensor(truth[part]), loss=float(len(truth[part])))
    assert grades.confusion.tolist() == [[2, 1, 0], [0, 1, 1], [0, 1, 0]]
    found = grades.metrics("val")
    assert found["val_loss"] == pytest.approx((4 * 4 + 2 * 2) / 6) and found["val_accuracy"] == pytest.approx(3 / 6)
    assert found["val_precision"] == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert found["val_recall"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert found["val_confusion"] == [[2, 1, 0], [0, 1, 1], [0, 1, 0]]
    assert found["val_f1"] == pytest.approx((0.8 + 0.4 + 0) / 3)
    two = Grades(2)
    two.add(Tensor(np.array([[-1.0], [2.0], [3.0]], np.float32)), Tensor(np.array([0, 1, 0])), 1.0)
    assert two.confusion.tolist() == [[1, 1], [0, 1]]
