"""The samples of the course and the published experiments, each run as a user runs it, small: it learns, it writes what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from minitorch.serialize import load
from samples.main import main

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


def test_execution_graph(run):
    folder, lines, out = run("execution-graph", plots=True)
    assert len(lines) == 9 and "backward() gives the same numbers, bit for bit" in out
    s = 1 / (1 + np.exp(-(0.5 * 2 - 0.3)))
    assert load(folder / "gradients.npz") == pytest.approx(
        {"w": 1 + 2 * s * s * (1 - s) * 2, "x": 2 * s * s * (1 - s) * 0.5, "b": 2 * s * s * (1 - s)})
    page = (folder / "lesson.html").read_text()
    assert "<svg" in page and "the sum is 1.593" in page
    assert (folder / "graph.svg").read_text().lstrip().startswith("<")


def test_logistic(run):
    folder, lines, _ = run("logistic", plots=True)
    assert lines[-1]["test_accuracy"] > 0.8 > lines[0]["test_accuracy"]
    with Image.open(folder / "boundary.gif") as film:
        assert film.n_frames > 5
    saved = load(folder / "model.npz")["w"].tolist()
    assert saved[0] / saved[1] == pytest.approx(0.8 / 0.6, abs=0.6)  # across the line between the clouds


@pytest.mark.parametrize("seed", range(5))
def test_xor(run, seed):
    _, lines, out = run("xor", "--seed", str(seed), plots=not seed)
    assert lines[-1]["train_accuracy"] == 1 and lines[-1]["train_loss"] < 0.1
    assert lines[-1]["line_accuracy"] <= 0.75 and lines[-1]["line_loss"] > 0.69


@pytest.mark.parametrize("label", ["disc", "square"])
def test_disc(run, capsys, label):
    folder, lines, _ = run("disc", "--label", label, "--points", "600", plots=label == "disc")
    assert lines[-1]["train_accuracy"] > 0.95 and lines[-1]["test_accuracy"] > 0.93
    _, tested, out = run("disc", "--evaluate", str(folder))
    assert tested[0]["test_accuracy"] > 0.93 and f"class 1 is the {label}" in out


def test_accumulated_gradients_are_those_of_the_larger_batch(run):
    def losses(*options):
        return [line["test_loss"] for line in run("disc", "--epochs", "3", "--points", "200", *options)[1]]

    assert losses("--batch-size", "10", "--accumulate", "2") == pytest.approx(
        losses("--batch-size", "20", "--accumulate", "1"), rel=1e-3)


def test_disc_without_a_saved_model(tmp_path, capsys):
    assert main(["run", "disc", "--runs", str(tmp_path), "--evaluate", str(tmp_path)]) == 1
    assert "there is no model of disc in" in capsys.readouterr().err


def test_nn_regression(run):
    folder, lines, _ = run("nn-regression", plots=True)
    assert lines[-1]["test_r2"] > 0.95 and lines[-1]["test_loss"] < lines[0]["test_loss"] / 10
    with Image.open(folder / "surface.gif") as film:
        assert film.n_frames > 20


def test_mlp_batches(run):
    _, lines, _ = run("mlp-batches", plots=True)
    assert lines[-1]["val_accuracy"] > 0.7 and {"val_precision", "val_recall", "val_f1"} <= set(lines[-1])


def test_a_sweep_over_batch_sizes_in_two_processes(tmp_path, capsys):
    pytest.importorskip("joblib")
    assert main(["sweep", "mlp-batches", "--quick", "--set", "batch_size=4,64", "--rounds", "2", "--jobs", "2", "--epochs", "2",
                 "--points", "300", "--runs", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "mlp-batches-sweep").iterdir()
    records = json.loads((folder / "sweep.json").read_text())
    assert [record["batch_size"] for record in records] == [4, 64]
    assert records[0]["val_accuracy"]["mean"] > records[1]["val_accuracy"]["mean"]  # two epochs: 100 steps against 8


def test_custom_op(run):
    folder, lines, _ = run("custom-op", plots=True)
    result = load(folder / "result.npz")
    assert result["gradcheck"] is True and result["same"] is True
    assert np.abs(result["found"] - result["true"]).max() < 0.1 and (result["found"] == 0).sum() >= 12
    assert "Shrink" in (folder / "graph.svg").read_text()


def test_vanishing(run):
    folder, lines, _ = run("vanishing", plots=True)
    sizes = load(folder / "gradients.npz")
    assert sizes["sigmoid"][0] < 1e-5 * sizes["sigmoid"][-1]
    assert sizes["relu"][0] > 1e-2 * sizes["relu"][-1]
    assert lines[-1]["sigmoid_accuracy"] < 0.7 < 0.8 < lines[-1]["sigmoid_batch_norm_accuracy"]


@pytest.mark.parametrize("landscape", ["beale", "rosenbrock", "saddle"])
def test_optimizers(run, landscape):
    folder, lines, _ = run("optimizers", "--landscape", landscape, plots=landscape == "beale")
    names = [key.removesuffix("_loss") for key in lines[0] if key.endswith("_loss")]
    assert names == ["SGD", "momentum", "Nesterov", "Adagrad", "RMSprop", "Adam", "AdamW"]
    for name in names:
        assert lines[-1][f"{name}_loss"] < 0.5 * lines[0][f"{name}_loss"], name
    paths = load(folder / "paths.npz")
    assert all(paths[name].shape == (81, 2) for name in names)


def test_fashion_mnist(run):
    folder, lines, out = run("fashion-mnist", "--data", "synthetic", plots=True)
    assert lines[-1]["test_accuracy"] > 0.95
    assert lines[-1]["bare_accuracy"] == pytest.approx(lines[-1]["test_accuracy"], abs=0.002)
    assert (folder / "confusion.png").exists()


@pytest.mark.parametrize("model", ["1", "2", "3", "4", "5"])
def test_pairs(run, model):
    # 300 pairs of generated digits, a few epochs: far better than guessing, which gives 0.5.
    _, lines, out = run("pairs", "--data", "synthetic", "--model", model)
    assert lines[-1]["train_loss"] < lines[0]["train_loss"] and lines[-1]["test_accuracy"] > 0.65


def test_the_table_of_pairs(run):
    folder, lines, out = run("pairs", "--data", "synthetic", "--pairs", "60", "--epochs", "1", "--rounds", "2", plots=True)
    assert len(lines) == 14
    rows = json.loads((folder / "table.json").read_text())
    assert [row["model"] for row in rows] == ["1", "2", "3", "4", "4", "5", "5"]
    assert all(0.3 < row["mean"] / 100 < 0.8 for row in rows) and rows[0]["study"] == "85.00 ± 1.54"
    assert "5, auxiliary losses" in out and "86.56 ± 1.32" in out
