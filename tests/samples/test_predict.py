"""What a network is made of, and what a trained one says to files."""

from __future__ import annotations

import contextlib
import io
import json
import shutil

import numpy as np
import pytest

import minitorch
from minitorch import nn
from samples.kit import Run, Settings
from samples.kit.mnist import MNIST
from samples.kit.summary import summary, table
from samples.main import main

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


class Twins(nn.Module):
    """A branch used twice, a part that never runs, a matrix of its own, and a layer whose work nobody knows."""

    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(2, 6, 3, groups=2), nn.BatchNorm2d(6), nn.ReLU())
        self.grow = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 12 * 12, 5, bias=False), nn.Dropout(0.5))
        self.unused = nn.Linear(3, 3)
        self.scale = nn.Parameter(minitorch.ones(5))

    def forward(self, a, b):
        return self.head(self.grow(self.branch(a) + self.branch(b))) * self.scale, a


def by_path(layers):
    return {layer.path: layer for layer in layers}


def test_summary_counts_shapes_parameters_and_multiply_adds():
    model = Twins()
    layers = summary(model, minitorch.zeros(3, 2, 8, 8), minitorch.zeros(3, 2, 8, 8))
    assert [layer.path for layer in layers] == ["branch.0", "branch.1", "branch.2", "grow", "head.0", "head.1", "head.2", "model"]
    found = by_path(layers)
    conv = found["branch.0"]
    assert (conv.kind, conv.shape, conv.calls) == ("Conv2d", "(3, 6, 6, 6)", 2)
    assert conv.parameters == 6 * 9 + 6
    assert conv.multiply_adds == 2 * (6 * 6 * 6) * 9  # twice, each output sees 3x3 pixels of one channel
    assert found["grow"].multiply_adds == 6 * 6 * 6 * (4 * 2 * 2) and found["grow"].shape == "(3, 4, 12, 12)"
    assert found["head.1"].multiply_adds == found["head.1"].parameters == 4 * 12 * 12 * 5
    assert found["branch.1"].parameters == 12 and found["branch.1"].multiply_adds == 0
    assert found["model"].parameters == 5 and found["model"].shape == "(3, 5) (3, 2, 8, 8)"
    _, rows = table(model, layers)
    assert rows[0][0] == "branch.0 ×2" and rows[-1][0] == "in all"
    assert rows[-1][3] == f"{sum(p.numel() for p in model.parameters()):,}"


def test_summary_of_whole_parts():
    layers = summary(Twins(), *[minitorch.zeros(1, 2, 8, 8)] * 2, depth=1)
    every = summary(Twins(), *[minitorch.zeros(1, 2, 8, 8)] * 2)
    assert [(layer.path, layer.kind) for layer in layers] == [
        ("branch", "Sequential"), ("grow", "ConvTranspose2d"), ("head", "Sequential"), ("model", "Twins")]
    assert sum(layer.multiply_adds for layer in layers) == sum(layer.multiply_adds for layer in every)
    assert by_path(layers)["branch"].parameters == 6 * 9 + 6 + 12


def test_summary_leaves_the_model_and_the_random_numbers_alone():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5), nn.Linear(2, 2))
    model[3].eval()
    minitorch.manual_seed(1)
    before, state = model.state_dict(), minitorch.get_rng_state()
    summary(model, minitorch.ones(1, 2))
    assert [layer.training for layer in model] == [True, True, True, False] and model.training
    assert all((before[name] == value).all() for name, value in model.state_dict().items())
    assert str(minitorch.get_rng_state()) == str(state)
    assert not any(module._hooks for module in model.modules())


def test_a_recurrent_layer_multiplies_at_every_step():
    (layer,) = summary(nn.LSTM(2, 3, batch_first=True), minitorch.zeros(4, 5, 2))
    assert layer.multiply_adds == 5 * (4 * 3) * (2 + 3) and layer.parameters == 12 * 5 + 24


def test_work_that_is_not_known_is_not_invented():
    model = nn.Sequential(nn.RNNCell(2, 3))
    layers = summary(model, minitorch.zeros(4, 2))
    assert layers[0].multiply_adds is None
    assert table(model, layers)[1][0][4] == "?" and table(model, layers)[1][1][4] == "0 + ?"


def test_a_quiet_run_prints_no_summary(tmp_path, capsys):
    Run("toy", Settings(runs=str(tmp_path)), quiet=True).describe(nn.Linear(2, 1), minitorch.zeros(1, 2))
    assert capsys.readouterr().out == ""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of mnist-mlp that has learnt a little."""
    folder = tmp_path_factory.mktemp("runs")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["run", "mnist-mlp", "--quick", "--data", "synthetic", "--no-plots", "--epochs", "1", "--runs",
                     str(folder)]) == 0
    assert [line.split() for line in out.getvalue().splitlines()[:2]] == [
        ["layer", "kind", "output", "parameters", "multiply-adds"], ["0", "Linear", "(1,", "64)", "50,240", "50,176"]]
    return folder


@pytest.fixture
def trained(runs, tmp_path, monkeypatch):
    """The same, in the present folder's runs/."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(runs, tmp_path / "runs")
    (folder,) = (tmp_path / "runs" / "mnist-mlp").iterdir()
    return folder


def test_a_trained_network_reads_pictures(trained, capsys):
    digits = MNIST("synthetic", False, limit=12)
    files = []
    for k, (image, digit) in enumerate(zip(digits.data, digits.targets)):
        picture = Image.fromarray(image)
        if k % 2:  # as on paper: dark on light, larger, not in the middle
            paper = Image.new("RGB", (200, 260), "white")
            paper.paste(Image.fromarray(255 - image).resize((140, 140)), (10, 90))
            picture = paper
        files.append(f"{k}-{digit}.png")
        picture.save(files[-1])
    before = {path: path.read_bytes() for path in trained.iterdir()}
    assert main(["run", "mnist-mlp", "--predict", *files]) == 0
    first, heading, *rows = capsys.readouterr().out.splitlines()
    assert str(trained.name) in first and heading.split() == ["file", "digit", "sure", "or"]
    right = [row.split()[0].split("-")[1][0] == row.split()[1] for row in rows]
    assert len(right) == 12 and sum(right) >= 10
    assert {path: path.read_bytes() for path in trained.iterdir()} == before  # asking changes nothing


def test_which_network_is_asked(trained, capsys, tmp_path):
    Image.fromarray(MNIST("synthetic", False, limit=1).data[0]).save("a.png")
    other = trained.with_name("2099-01-01-00-00-00")
    trained.rename(other)
    assert main(["run", "mnist-mlp", "--predict", "a.png", "--from", other.name]) == 0
    assert str(other) in str(tmp_path / capsys.readouterr().out.split(",")[0].removeprefix("trained in "))
    (other / "result.json").write_text(json.dumps({"finished": False}))
    assert main(["run", "mnist-mlp", "--predict", "a.png"]) == 1
    assert "holds no finished run; train one first, or name one with --from" in capsys.readouterr().err
    assert main(["run", "mnist-mlp", "--predict", "a.png", "--from", str(other)]) == 0


@pytest.mark.parametrize(("argv", "code", "says"), [
    (["mnist-mlp", "--predict", "nothing.png"], 2, "there is no file nothing.png to predict from\n"),
    (["mnist-mlp", "--predict", "text.png"], 1, "text.png cannot be read as a picture (cannot identify image file 'text.png')\n"),
    (["mnist-mlp", "--predict", "white.png"], 1, "white.png shows no digit: it is of one colour\n"),
    (["mnist-mlp", "--from", "last"], 2, "--from last says whom to ask; say what: --predict FILE\n"),
    (["xor", "--predict", "text.png"], 2, "xor has nothing to --predict; leave it out\n"),
])
def test_a_mistake_in_asking(trained, capsys, argv, code, says):
    (trained.parents[2] / "text.png").write_text("no picture")
    Image.fromarray(np.full((9, 9), 255, np.uint8)).save("white.png")
    assert main(["run", *argv]) == code
    assert capsys.readouterr().err == says
    assert not (trained / "predictions").exists()
