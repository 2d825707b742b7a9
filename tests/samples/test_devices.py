"""Samples that can compute on a GPU, on the strict device: nothing of theirs leaves the device unsaid, or mixes with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch import Tensor
from minitorch.utils.data import DataLoader, Subset, TensorDataset
from samples.kit import settings
from samples.kit.run import Run
from samples.registry import SAMPLES
from tests.minitorch.strict import StrictArray, strict

pytest.importorskip("matplotlib")
TINY = {  # large batches: a kernel of the double takes its time to start
    "disc": {"points": 60}, "mlp-batches": {"points": 60}, "nn-regression": {"points": 60},
    "mnist-mlp": {"data": "synthetic", "batches": 4},
    "cifar-resnet": {"data": "synthetic", "images": 40, "width": 4},
    "yolov1-cifar": {"data": "synthetic", "images": 50, "width": 2},
    "landmarks": {"data": "synthetic", "size": 32, "width": 2, "batch_size": 80},
    "unet-cars": {"data": "synthetic", "size": 16, "width": 2, "levels": 2, "batch_size": 60},
    "yolo-face": {"data": "synthetic", "size": 32, "batch_size": 80},
    "gan-anime": {"data": "synthetic", "images": 48, "size": 16, "width": 2},
}  # fmt: skip


@pytest.mark.parametrize(("name", "given"), [
    *TINY.items(), *(("pairs", {"data": "synthetic", "pairs": 40, "model": k}) for k in "35"),
])
def test_a_sample_stays_on_its_device(name, given, tmp_path):
    assert SAMPLES[name].cuda
    module = SAMPLES[name].load()
    config = module.Config(**settings.with_quick(module.Config, {"quick": True, "epochs": 1, "device": "strict",
                                                                 "runs": str(tmp_path), **given}))
    with Run(name, config, quiet=True) as run:
        module.main(config, run)
    assert all(np.isfinite(value) for value in run.lines[0].values() if isinstance(value, float)), run.lines[0]
    assert run.saved


def test_a_loader_cuts_batches_on_the_device():
    data = TensorDataset(Tensor(strict(np.arange(6.0).reshape(3, 2))), Tensor(np.arange(3)))
    for part, expected in ((data, [[0, 1], [2]]), (Subset(data, [2, 0]), [[2, 0]])):
        for (x, y), rows in zip(DataLoader(part, 2), expected):
            assert y.tolist() == rows and x.raw.get().tolist() == [[2.0 * k, 2.0 * k + 1] for k in rows]
            assert type(x.raw) is type(data.tensors[0].raw) is StrictArray
