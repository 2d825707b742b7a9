"""Samples that can compute on a GPU, on the strict device: nothing of theirs leaves the device unsaid, or mixes with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch import Tensor, optim
from minitorch.utils.data import DataLoader, Subset, TensorDataset
from samples.kit import settings
from samples.kit.run import Run
from samples.registry import SAMPLES
from tests.minitorch.strict import strict

pytest.importorskip("matplotlib")
OPTIONS = {"disc": {"points": 60}, "mlp-batches": {"points": 60}, "nn-regression": {"points": 60},
           "mnist-mlp": {"data": "synthetic", "batches": 4}}


@pytest.mark.parametrize(("name", "given"), [
    *OPTIONS.items(), *(("pairs", {"data": "synthetic", "pairs": 40, "model": k}) for k in "35"),
])
def test_a_sample_stays_on_its_device(name, given, tmp_path, monkeypatch):
    # Optimizers call NumPy's functions on the arrays, which CuPy answers and the strict device refuses: they rest here.
    monkeypatch.setattr(optim.Optimizer, "_step", lambda self, number, group, params: None)
    assert SAMPLES[name].cuda
    module = SAMPLES[name].load()
    config = module.Config(**settings.with_quick(module.Config, {"quick": True, "epochs": 1, "device": "strict",
                                                                 "runs": str(tmp_path), **given}))
    with Run(name, config, quiet=True) as run:
        module.main(config, run)
    assert run.lines[0]["train_loss"] > 0 and "model.npz" in run.saved and "curves.png" in run.saved


def test_a_loader_cuts_batches_on_the_device():
    data = TensorDataset(Tensor(strict(np.arange(6.0).reshape(3, 2))), Tensor(np.arange(3)))
    for part, expected in ((data, [[0, 1], [2]]), (Subset(data, [2, 0]), [[2, 0]])):
        for (x, y), rows in zip(DataLoader(part, 2), expected):
            assert y.tolist() == rows and x.raw.get().tolist() == [[2.0 * k, 2.0 * k + 1] for k in rows]
            assert type(x.raw) is type(data.tensors[0].raw)
