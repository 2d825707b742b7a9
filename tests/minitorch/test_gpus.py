"""Two GPUs, on a double of CuPy that reads the memory of the current one only: everything is computed where its tensors are."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import minitorch
from minitorch import Stepper, cuda, nn, no_grad, tensor
from minitorch.core.device import host
from minitorch.core.zoom import zoom
from minitorch.data import DataLoader, PrefetchToDevice, TensorDataset
from minitorch.nn import functional as F
from tests.device import queues
from tests.minitorch.checks import active, outputs
from tests.minitorch.optable import TABLE
from viz.statistics import statistics


@pytest.fixture(autouse=True)
def two(monkeypatch):
    with queues.gpu(monkeypatch, count=2) as cupy:
        yield cupy
        assert cuda.current_device() == 0  # as it was


def test_the_double_refuses_memory_of_another_gpu(two):
    with two.cuda.Device(1):
        x = two.ones(3)
    for use in (lambda: x + 1, lambda: x.sum(), lambda: two.exp(x), lambda: x[two.zeros(1, int)], lambda: x.__setitem__(0, 1.0)):
        with pytest.raises(AssertionError, match="an array of GPU 1 is used on GPU 0"):
            use()
    assert x[1:].device == x.reshape(3, 1).device == two.cuda.Device(1) and x.copy().device == two.cuda.Device(0)


def test_tensors_of_two_gpus_are_refused():
    x, y = minitorch.ones(3, device="cuda:0"), minitorch.ones(3, device="cuda:1")
    with pytest.raises(RuntimeError, match=r"^mul mixes devices: 'x' on cuda:0 and 'y' on cuda:1; bring them together: x\.to\('cuda:1'\)$"):
        x * y
    with pytest.raises(RuntimeError, match=r"cat mixes devices: .*cuda:1 and .*cuda:0; bring them together"):
        minitorch.cat([y, x])
    with pytest.raises(RuntimeError, match=r"add mixes devices: .*cuda:1 and .*cuda:0"):
        y.add_(x)
    with pytest.raises(RuntimeError, match=r"^less mixes devices: 'x' on cuda:0 and 'y' on cuda:1"):
        x < y  # noqa: B015
    with cuda.device(1), pytest.raises(RuntimeError, match="add mixes devices"):
        x.sum() + y  # one number of a GPU does not follow, as in PyTorch
    assert (y + tensor(1.0)).device == (x.to("cuda:1") * y).device == "cuda:1"


def net():
    minitorch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 8), nn.LayerNorm(8),
        nn.GELU(), nn.Dropout(0.0), nn.Linear(8, 3),
    )  # fmt: skip


OPTIMIZERS = {
    "sgd": lambda ps: minitorch.optim.SGD(ps, 0.1, momentum=0.9), "adam": lambda ps: minitorch.optim.Adam(ps),
    "rmsprop": lambda ps: minitorch.optim.RMSprop(ps),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("norm", [2.0, 1.0, float("inf")])
def test_a_model_learns_on_the_gpu_that_is_not_the_current_one(name, norm):
    seen = []
    for place in ("cpu", "cuda:1"):
        model = net().to(place)
        optimizer = OPTIMIZERS[name](model.parameters())
        x = tensor(np.random.default_rng(0).normal(size=(5, 1, 4, 4)).astype("f"), device=place)
        losses = []
        for _ in range(2):
            loss = F.cross_entropy(model(x), minitorch.arange(5, device=place) % 3)
            optimizer.zero_grad(set_to_none=False)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5, norm)
            nn.utils.clip_grad_value_(model.parameters(), 0.4)
            optimizer.step()
            losses.append(loss.item())
        held = [*model.parameters(), *model.buffers(), *(p.grad for p in model.parameters())]
        held += [x for state in optimizer.state.values() for x in state.values() if hasattr(x, "device")]
        assert {x.device for x in (loss, *held)} == {place}
        seen.append((losses, [host(p.raw) for p in model.parameters()]))
    np.testing.assert_allclose(seen[1][0], seen[0][0], rtol=1e-4)
    for here, there in zip(*(numbers for _, numbers in seen), strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-3, atol=1e-5)


def test_a_model_on_both_learns():
    """One half on each: the gradients come back over the border, are clipped as one vector, and one optimizer moves all."""
    seen = []
    for places in (("cpu", "cpu"), ("cuda:1", "cuda:0"), ("cuda:0", "cuda:1")):
        minitorch.manual_seed(0)
        first, second = nn.Linear(4, 5).to(places[0]), nn.Linear(5, 2).to(places[1])
        optimizer = minitorch.optim.AdamW([*first.parameters(), *second.parameters()])
        x = minitorch.linspace(-1, 1, 12).reshape(3, 4).to(places[0])
        for _ in range(2):
            optimizer.zero_grad()
            middle = first(x).tanh()
            out = second(middle.to(places[1])).square().sum() + middle.sum().to(places[1])
            out.backward()
            total = nn.utils.clip_grad_norm_([*first.parameters(), *second.parameters()], 0.5)
            optimizer.step()
        assert first.weight.grad.device == places[0] and second.weight.grad.device == places[1] == out.device
        seen.append([out.item(), total.item(), *(host(p.raw) for p in (first.weight, second.weight))])
    for other in seen[1:]:
        for here, there in zip(seen[0], other):
            np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)


def test_a_second_derivative():
    x = tensor([2.0, 3.0], device="cuda:1", requires_grad=True)
    (slope,) = minitorch.grad((x**3).sum(), x, create_graph=True)
    (bend,) = minitorch.grad(slope.sum(), x)
    assert bend.tolist() == [12.0, 18.0] and bend.device == "cuda:1"


def test_the_debugger_looks_at_it():
    w = tensor([[1.0, 2.0], [3.0, 4.0]], device="cuda:1", requires_grad=True)
    x = tensor([1.0, 2.0], device="cuda:0", requires_grad=True)
    y = (w @ x.to("cuda:1")).sigmoid()
    out = (y * y).sum()
    stepper = Stepper(out)
    forward = []
    while (made := stepper.step()) is not None:
        forward.append((made.local, made.product, made.contribution, made.after))
    assert (w.grad.device, x.grad.device) == ("cuda:1", "cuda:0")
    stepper.goto(0)
    stepper.run()
    assert len(forward) == len(stepper) and zoom(y)[y] is not None
    large = minitorch.arange(5000, device="cuda:1").float()
    assert statistics(large.raw).high == 4999 and repr(large).count("4.999e+03") == 1 and statistics(w.raw).low == 1


def test_tensors_are_made_edited_and_picked_there():
    made = [
        minitorch.zeros(2, device="cuda:1"), minitorch.full((2,), 3.0, device="cuda:1"), minitorch.randn(2, device="cuda:1"),
        tensor([1, 2], device="cuda:1"), minitorch.arange(3, device="cuda:1"), minitorch.rand(2, 2).cuda(1),
    ]
    made += [copy.deepcopy(made[1]), made[1].clone(), tensor(made[1]), minitorch.ones_like(made[1]), minitorch.randn_like(made[1])]
    assert {x.device for x in made} == {"cuda:1"}
    x = minitorch.zeros(3, device="cuda:1")
    x += 1
    x[1] = 5
    x[tensor([2], device="cuda:1")] = 7
    x[0] = tensor(9.0, device="cuda:0")
    x.mul_(2)
    assert x.tolist() == [18, 10, 14] and x.device == "cuda:1"
    assert minitorch.equal(x, x.clone()) and minitorch.allclose(x, x + 1e-7)
    x.copy_(minitorch.ones(3, device="cuda:0"))
    assert x.tolist() == [1, 1, 1] and x[tensor([0, 2], device="cuda:0")].device == x[tensor([0, 2])].device == "cuda:1"
    with no_grad():
        linear = nn.Linear(3, 2).to("cuda:1")
        nn.init.ones_(linear.weight)
        assert linear(x).device == linear.weight.device == "cuda:1"
    assert F.dropout(x, 0.5).device == F.embedding(tensor([0, 1], device="cuda:1"), linear.weight).device == "cuda:1"


def test_one_seed_one_stream_of_numbers():
    drawn = []
    for place in ("cpu", "cuda:0", "cuda:1"):
        minitorch.manual_seed(3)
        drawn.append(minitorch.randn(4, device=place).tolist())
    assert drawn[0] == drawn[1] == drawn[2]


def test_saved_from_one_and_loaded_to_the_other(tmp_path):
    model = net().to("cuda:0")
    minitorch.save(model.state_dict(), tmp_path / "model.safetensors")
    loaded = minitorch.load(tmp_path / "model.safetensors", map_location="cuda:1")
    assert {x.device for x in loaded.values()} == {"cuda:1"}
    other = net().to("cuda:1")
    other.load_state_dict(model.state_dict())
    assert {x.device for x in other.state_dict().values()} == {"cuda:1"} and other[0].weight.tolist() == model[0].weight.tolist()


def test_batches_go_there():
    data = TensorDataset(minitorch.arange(12).reshape(6, 2).float())
    batches = [x for (x,) in PrefetchToDevice(DataLoader(data, 2), "cuda:1")]
    assert {x.device for x in batches} == {"cuda:1"} and batches[2].tolist() == [[8, 9], [10, 11]]
    there = TensorDataset(data.tensors[0].to("cuda:1"))
    assert [x.device for (x,) in DataLoader(there, 3)] == ["cuda:1"] * 2


@pytest.mark.parametrize("entry", [entry for entry in TABLE if entry.strict], ids=repr)
def test_every_operation_stays_there(entry):
    """And its gradient, and what the debugger shows of it."""
    sample = entry.samples[0]
    inputs = [
        minitorch.Tensor(array).to("cuda:1").detach().requires_grad_(spec.differentiable)
        for spec, array in zip(sample.tensors(), sample.arrays(entry.name))
    ]
    results = outputs(entry, sample, inputs)
    recorded = [x * 1.0 if x.op is None else x for x in results if x.requires_grad]
    if inputs:
        assert {x.device for x in results} <= {"cuda:1"}
    if entry.differentiable and recorded and active(inputs):
        starts = [minitorch.ones_like(x) for x in recorded]
        found = minitorch.grad(recorded, active(inputs), starts, allow_unused=True, retain_graph=True)
        assert {x.device for x in found if x is not None} <= {"cuda:1"}
        stepper = Stepper(recorded[0].sum())
        while (made := stepper.step()) is not None:
            assert made.local is not made
