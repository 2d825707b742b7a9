"""Every sample, run as a user runs it, on generated data: it learns, and writes what it says."""

from __future__ import annotations

import functools
import math

import pytest

import minitorch
from minitorch.serialize import load
from samples.main import main
from tests.samples.test_mnist import write_set

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def run(run):
    """With plots."""
    return functools.partial(run, plots=True)


@pytest.mark.parametrize("function", ["polynomial", "wave", "logistic"])
def test_derivative(run, function):
    folder, lines, out = run("derivative", "--function", function, "--x", "-0.7")
    saved = load(folder / "slopes.npz")
    assert saved["automatic"] == pytest.approx(saved["symbolic"], rel=1e-14)
    assert lines[3]["forward_error"] < lines[1]["forward_error"] / 50  # first order in h
    assert lines[2]["central_error"] < lines[1]["central_error"] / 50  # second order in h
    costs = [line for line in lines if "inputs" in line]
    assert [line["inputs"] for line in costs] == [10, 40] and all(line["difference"] < 1e-8 for line in costs)
    assert costs[1]["limit_seconds"] > 2 * costs[0]["limit_seconds"]
    assert "2. symbolic" in out and "3. automatic" in out
    assert Image.open(folder / "derivative.png").size[0] > 600
    assert (folder / "graph.svg").exists()


def test_minimize(run):
    folder, lines, out = run("minimize")
    for name in ("parabola", "wells", "bowl", "rosenbrock", "himmelblau"):
        for method in ("plain", "momentum", "adam"):
            path = [line for line in lines if (line["function"], line["method"]) == (name, method)]
            assert [line["epoch"] for line in path] == list(range(21))
            assert path[-1]["f"] < path[0]["f"]
        with Image.open(folder / f"{name}.gif") as film, Image.open(folder / f"{name}.png") as plot:
            assert film.n_frames == 6 and film.size == plot.size
    plain, momentum = ([line["x"] for line in lines if (line["function"], line["method"]) == ("parabola", method)]
                       for method in ("plain", "momentum"))
    assert plain[-1] == pytest.approx(2 - 5 * 0.8**20)  # each step leaves 0.8 of the distance
    assert momentum[2] - momentum[1] == pytest.approx(0.5 * (momentum[1] - momentum[0]) - 0.2 * (momentum[1] - 2))
    (valley,) = [line for line in lines if (line["function"], line["method"], line["epoch"]) == ("rosenbrock", "adam", 1)]
    assert math.dist((valley["x"], valley["y"]), (-1.5, 2)) == pytest.approx(0.05 * 2**0.5)  # as long in both, however steep


def test_adam_of_the_lesson_is_the_librarys(run):
    _, lines, _ = run("minimize", "--function", "himmelblau", "--method", "adam", "--no-plots")
    at = minitorch.tensor([0.0, -0.5], dtype=minitorch.float64, requires_grad=True)
    optimizer = minitorch.optim.Adam([at], lr=0.3)
    for line in lines:
        assert (line["x"], line["y"]) == pytest.approx(at.tolist(), rel=1e-9)
        optimizer.zero_grad()
        ((at[0] ** 2 + at[1] - 11) ** 2 + (at[0] + at[1] ** 2 - 7) ** 2).backward()
        optimizer.step()


def test_minimize_says_when_it_ran_away(run):
    _, lines, out = run("minimize", "--function", "parabola", "--learning-rate", "3", "--method", "plain")
    assert "it ran away: try a smaller --learning-rate" in out and len(lines) < 21


def test_minimize_wants_as_many_numbers_as_the_function_takes(tmp_path, capsys):
    assert main(["run", "minimize", "--runs", str(tmp_path), "--start", "-1,2"]) == 1
    says = "parabola starts at 1 number, --start gives 2; name one function with --function\n"
    assert capsys.readouterr().err == says


def test_moons(run):
    folder, lines, _ = run("moons")
    assert len(lines) == 25
    assert lines[-1]["train_accuracy"] >= 0.85 and lines[-1]["test_accuracy"] >= 0.8
    assert lines[-1]["train_loss"] < 0.5 * lines[0]["train_loss"]
    assert {path.name for path in folder.glob("*.png")} == {"curves.png", "boundary.png"}


def test_moons_repeats_itself(run, tmp_path):
    _, first, _ = run("moons", "--epochs", "2")
    (tmp_path / "moons").rename(tmp_path / "before")
    _, second, _ = run("moons", "--epochs", "2")
    assert [line["train_loss"] for line in first] == [line["train_loss"] for line in second]


def test_mnist_mlp(run):
    folder, lines, _ = run("mnist-mlp", "--data", "synthetic")
    kinds = ("loss", "accuracy", "precision", "recall", "f1", "confusion")
    assert set(lines[0]) == {"epoch", "seconds", *(f"{part}_{kind}" for part in ("train", "val", "test") for kind in kinds)}
    assert lines[-1]["train_accuracy"] > lines[0]["train_accuracy"]
    assert lines[-1]["test_accuracy"] > 0.9
    assert {path.name for path in folder.glob("*.png")} == {"curves.png", "mistakes.png", "confusion.png"}
    assert load(folder / "model.npz")["0.weight"].shape == (64, 784)


def test_mnist_mlp_without_data_says_what_to_do(tmp_path, capsys):
    assert main(["run", "mnist-mlp", "--runs", str(tmp_path / "runs"), "--data", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "--data synthetic" in error and error.count("\n") == 1


def test_mnist_mlp_wants_no_more_images_than_there_are(tmp_path, capsys):
    write_set(tmp_path / "mnist")
    assert main(["run", "mnist-mlp", "--runs", str(tmp_path / "runs"), "--data", str(tmp_path), "--batches", "10"]) == 1
    assert "10 batches of 64 need 640 of 3 images" in capsys.readouterr().err
