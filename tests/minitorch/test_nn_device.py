"""Modules on a device: moved as a whole, with what they hold; started, loaded and saved there."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import nn, serialize

from .strict import StrictArray, strict


def model():
    minitorch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))


def everything(module):
    return [*module.parameters(), *module.buffers()]


def test_a_module_moves_with_all_it_holds_and_computes_there():
    here, there = model(), model().to("strict")
    assert all(type(t.raw) is StrictArray for t in everything(there))
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("f")
    for m, wrap in ((here, np.array), (there, strict)):
        m[3].eval()
        m(minitorch.Tensor(wrap(x))).sum().backward()
    for a, b in zip(here.parameters(), there.parameters()):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.raw.get(), rtol=1e-5, atol=1e-6)
    for a, b in zip(here.buffers(), there.buffers()):
        np.testing.assert_allclose(a.numpy(), b.raw.get(), rtol=1e-6)
    there.cpu()
    assert all(type(t.raw) is np.ndarray for t in [*everything(there), *(p.grad for p in there.parameters())])


def test_weights_start_on_a_device_as_they_would_elsewhere():
    minitorch.manual_seed(0)
    there = nn.Linear(3, 4, device="strict")
    minitorch.manual_seed(0)
    np.testing.assert_array_equal(there.weight.raw.get(), nn.Linear(3, 4).weight.detach().numpy())
    for fill in (nn.init.zeros_, nn.init.orthogonal_, nn.init.xavier_normal_, lambda w: nn.init.trunc_normal_(w, std=0.02)):
        assert type(fill(there.weight).raw) is StrictArray


def test_state_dicts_cross_between_devices(tmp_path):
    here, there = model(), model().to("strict")
    with minitorch.no_grad():
        for p in here.parameters():
            p += 1
    there.load_state_dict(here.state_dict())
    assert type(there[0].weight.raw) is StrictArray
    np.testing.assert_array_equal(there[0].weight.raw.get(), here[0].weight.detach().numpy())
    serialize.save(there.state_dict(), tmp_path / "model.npz")
    assert serialize.load(tmp_path / "model.npz")["0.weight"].tolist() == here[0].weight.tolist()
    back = serialize.load(tmp_path / "model.npz", map_location="strict")
    assert all(type(t.raw) is StrictArray for t in back.values())
    fresh = model()
    fresh.load_state_dict(there.state_dict())
    np.testing.assert_array_equal(fresh[0].weight.detach().numpy(), here[0].weight.detach().numpy())


def test_gradients_are_clipped_there():
    there = nn.Linear(3, 4, device="strict")
    there(minitorch.Tensor(strict(np.ones((2, 3), "f")))).sum().backward()
    before = nn.utils.clip_grad_norm_(there.parameters(), 1.0)
    assert float(before.item()) > 1
    assert nn.utils.get_total_norm([p.grad for p in there.parameters()]).item() == pytest.approx(1, rel=1e-4)
    nn.utils.clip_grad_value_(there.parameters(), 0.1)
    assert there.weight.grad.raw.get().max() == pytest.approx(0.1)
    vector = nn.utils.parameters_to_vector(there.parameters())
    nn.utils.vector_to_parameters(vector * 2, there.parameters())
    assert type(there.weight.raw) is StrictArray
