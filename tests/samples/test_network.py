"""A network as pictures, drawn without a trace in what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
import viz
from minitorch import nn
from minitorch.nn import functional as F
from samples.kit import Run, Settings
from samples.kit.network import show


@pytest.fixture
def model():
    minitorch.manual_seed(0)
    return nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()), nn.Flatten(), nn.Dropout(), nn.Linear(8, 3))


def loss(net):
    return F.cross_entropy(net(minitorch.rand(2, 1, 4, 4)), minitorch.tensor([0, 2]))


def test_by_module_and_as_a_lesson(tmp_path, model):
    with Run("toy", Settings(runs=str(tmp_path))) as run:
        before, state = minitorch.get_rng_state(), {name: value.numpy().copy() for name, value in model.state_dict().items()}
        show(run, model, loss)
        assert run.saved[-2:] == ["network.svg", "network.html"]
        drawn, page = ((run.folder / name).read_text() for name in run.saved[-2:])
        assert "4 parameters: 24 numbers" in drawn  # convolution and normalisation, closed
        assert "0.0.weight" in page and "3.bias" in page
        # The running means of the normalisation are as they were, and so is what is drawn at random next.
        assert all((state[name] == value.numpy()).all() for name, value in model.state_dict().items())
        after = minitorch.get_rng_state()
        assert np.array_equal(after, before) if not isinstance(before, dict) else str(after) == str(before)
        assert all(p.grad is None for p in model.parameters())


def test_what_cannot_be_drawn_is_said(tmp_path, model, monkeypatch, capsys):
    def refuse(*args, **kwargs):
        raise viz.DrawError("no ink")

    monkeypatch.setattr(viz, "draw", refuse)
    with Run("toy", Settings(runs=str(tmp_path))) as run:
        show(run, model, loss)
        assert "network.svg is not drawn: no ink" in capsys.readouterr().out
        assert run.saved[-1] == "network.html" and "network.svg" not in run.saved
