"""Devices by PyTorch's names, moving between them, and what is said where there is no GPU."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, cuda, device, nn, tensor

from .strict import StrictArray, strict

without_gpu = pytest.mark.skipif(cuda.is_available(), reason="there is a GPU")


def test_a_device_is_a_string_with_parts():
    assert device("cuda:1") == "cuda:1" == device("cuda", 1) == device(1)
    assert (device("cuda:1").type, device("cuda:1").index, device("cpu").index) == ("cuda", 1, None)
    assert repr(device("cuda:1")) == "device(type='cuda', index=1)"
    with pytest.raises(RuntimeError, match="there is no device 'tpu'"):
        device("tpu")


def test_the_usual_line_of_every_script_works():
    place = minitorch.device("cuda" if minitorch.cuda.is_available() else "cpu")
    x = tensor([1.0]).to(place)
    assert x.device.type == place.type
    assert tensor([1]).to(x).dtype == minitorch.float32 and tensor([1.0]).to(place, minitorch.float64).dtype == "float64"
    assert x.to("cpu", non_blocking=True) is x.to("cpu", True) is x.cpu()
    assert x.to("cpu", copy=True) is not x.cpu() and x.to(minitorch.float32, False, True) is not x


# Moving


def test_a_move_is_part_of_the_graph():
    x = tensor([1.0, 2.0], requires_grad=True)
    there = (x * 3).to("strict")
    assert type(there.raw) is StrictArray and not there.is_leaf and there.device == "strict"
    (there * there).sum().backward()
    assert type(x.grad.raw) is np.ndarray and x.grad.tolist() == [18.0, 36.0]
    (first,) = minitorch.grad((x.to("strict") ** 3).sum(), x, create_graph=True)
    (second,) = minitorch.grad(first.sum(), x)
    assert second.tolist() == [6.0, 12.0] and second.device == "cpu"


def test_a_leaf_that_moves_keeps_its_device_and_the_stepper_walks_the_way_back():
    w = Tensor(strict(np.array([2.0, 3.0], "f")), requires_grad=True)
    stepper = minitorch.Stepper((w.cpu() * 2.0).sum())
    stepper.run()
    assert type(w.grad.raw) is StrictArray and w.grad.tolist() == [2.0, 2.0]
    stepper.goto(0)
    assert w.grad is None


def test_a_zoom_goes_through_a_move():
    from minitorch.core.zoom import zoom

    x = tensor([1.0, 2.0], requires_grad=True)
    y = (x * 3.0).to("strict") * 2.0
    unfolded = zoom(y)
    assert [value.raw for value in unfolded.values[y]] == [6.0, 12.0]


CREATED = {
    "tensor": lambda at: tensor([[1.0, 2.0]], device=at), "tensor of one there": lambda at: tensor(tensor([1.0], device=at)),
    "as_tensor": lambda at: minitorch.as_tensor([1, 2], device=at), "as_tensor of one": lambda at: minitorch.as_tensor(tensor([1.0]), device=at),
    "zeros": lambda at: minitorch.zeros(2, 3, device=at), "ones": lambda at: minitorch.ones((2,), dtype=minitorch.int64, device=at),
    "full": lambda at: minitorch.full((2, 2), 3.0, device=at), "eye": lambda at: minitorch.eye(2, device=at),
    "arange": lambda at: minitorch.arange(4, device=at), "linspace": lambda at: minitorch.linspace(0, 1, 3, device=at),
    "logspace": lambda at: minitorch.logspace(0, 1, 3, device=at), "tril_indices": lambda at: minitorch.tril_indices(3, 3, device=at),
    "ones_like": lambda at: minitorch.ones_like(tensor([1.0, 2.0]), device=at), "zeros_like": lambda at: minitorch.zeros_like(minitorch.ones(2, device=at)),
    "full_like": lambda at: minitorch.full_like(minitorch.ones(2, device=at), 7),
    "rand": lambda at: minitorch.rand(3, device=at), "randn": lambda at: minitorch.randn(3, device=at), "randperm": lambda at: minitorch.randperm(5, device=at),
    "randint": lambda at: minitorch.randint(9, (4,), device=at), "randn_like": lambda at: minitorch.randn_like(minitorch.ones(2, device=at)),
    "new_zeros": lambda at: minitorch.ones(2, device=at).new_zeros(3), "new_full": lambda at: tensor([1.0]).new_full((2,), 5, device=at),
    "new_tensor": lambda at: minitorch.ones(2, device=at).new_tensor([1, 2]),
}  # fmt: skip


@pytest.mark.parametrize("make", CREATED.values(), ids=CREATED)
def test_everything_can_be_made_on_a_device(make):
    minitorch.manual_seed(0)
    here = make("cpu")
    minitorch.manual_seed(0)
    there = make("strict")
    assert type(here.raw) is np.ndarray and type(there.raw) is StrictArray
    assert there.tolist() == here.tolist() and there.dtype == here.dtype and there.shape == here.shape


def test_what_is_made_of_a_tensor_has_memory_of_its_own():
    x = minitorch.ones(2, device="strict")
    for y in (tensor(x), x.new_tensor(x), x.to("strict", copy=True)):
        y += 1
    assert x.tolist() == [1.0, 1.0] and x.new_tensor([0.1], dtype=minitorch.float64).item() == 0.1


def test_files_load_where_their_reader_wants_them(tmp_path):
    file = tmp_path / "x.npz"
    minitorch.save({"w": minitorch.ones(2, device="strict")}, file)
    for location in (None, "cpu", device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage):
        assert type(minitorch.load(file, location)["w"].raw) is np.ndarray
    for location in ("strict", {"cpu": "strict"}, lambda storage, location: "strict"):
        assert type(minitorch.load(file, map_location=location)["w"].raw) is StrictArray


# Devices do not mix


def test_both_tensors_and_the_way_out_are_named():
    weight, x = minitorch.ones(3, 2), minitorch.ones(1, 2, device="strict")
    with pytest.raises(RuntimeError, match=r"^mul mixes devices: 'weight' on cpu and 'x' on strict; bring them together: weight\.to\('strict'\)$"):
        weight * x
    with pytest.raises(RuntimeError, match=r"'x' on strict and input weight of shape \(3, 2\) on cpu.*: model\.to\('strict'\)$"):
        nn.Linear(2, 3, bias=False)(x)
    with pytest.raises(RuntimeError, match=r"'weight' on cpu and 'x' on strict"):
        minitorch.cat([weight, x])


@pytest.mark.parametrize("call", [
    lambda x: minitorch.gather(x, 1, tensor([[0], [1]])), lambda x: nn.functional.cross_entropy(x, tensor([0, 1])), lambda x: x + minitorch.ones(3),
])  # fmt: skip
def test_what_computes_with_two_devices_is_refused(call):
    with pytest.raises(RuntimeError, match="mixes devices"):
        call(minitorch.ones(2, 3, device="strict"))


def test_a_single_number_follows_to_any_device():
    x, factor = minitorch.ones(2, device="strict", requires_grad=True), tensor(3.0, requires_grad=True)
    ((x * factor) + np.array(1.0, "f")).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0] and factor.grad.tolist() == 2.0 and factor.grad.device == "cpu"
    with pytest.raises(RuntimeError, match="mixes devices"):
        tensor([3.0]) * x


def test_positions_and_new_numbers_may_come_from_elsewhere():
    x = minitorch.arange(6).float().reshape(2, 3).to("strict")
    for index in (tensor([1, 0]), np.array([1, 0]), [1, 0], (tensor([1, 0]), slice(None)), tensor([1, 0]).to("strict")):
        assert x[index].tolist() == [[3.0, 4.0, 5.0], [0.0, 1.0, 2.0]]
    assert x[tensor([True, False])].tolist() == [[0.0, 1.0, 2.0]] and minitorch.index_select(x, 0, tensor([1])).tolist() == [[3.0, 4.0, 5.0]]
    assert tensor([5.0, 6.0])[tensor([1]).to("strict")].tolist() == [6.0]
    y = x.clone()
    y[0] = minitorch.ones(3)
    y[1, :2] = np.zeros(2, "f")
    y[tensor([True, False]), 2] = tensor(9.0)
    assert y.tolist() == [[1.0, 1.0, 9.0], [0.0, 0.0, 5.0]] and type(y.raw) is StrictArray
    assert minitorch.zeros(2, 3).copy_(x).tolist() == x.tolist() == y.copy_(x.cpu()).tolist()
    w = minitorch.ones(3, requires_grad=True)
    z = x * 1.0
    z[0] = w * 2  # recorded: the gradient comes back across
    z.sum().backward()
    assert w.grad.tolist() == [2.0] * 3 and w.grad.device == "cpu"
    y.data = np.ones((2, 3), "f")
    assert type(y.raw) is StrictArray


DRAWN = {
    "normal": lambda x: minitorch.normal(x, 1.0), "bernoulli": lambda x: minitorch.bernoulli(x / 10), "poisson": minitorch.poisson,
    "multinomial": lambda x: minitorch.multinomial(x, 2), "uniform_": lambda x: x.clone().uniform_(), "normal_": lambda x: x.clone().normal_(),
    "batch": lambda x: minitorch.data.default_collate([x[0], x[1]]),
}  # fmt: skip


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_random_numbers_and_batches_are_made_where_their_like_is(draw):
    here = tensor([[1.0, 2.0], [3.0, 4.0]])
    seen = []
    for x in (here, here.to("strict")):
        minitorch.manual_seed(1)
        seen.append(draw(x))
        assert seen[-1].device == x.device
    assert seen[0].tolist() == seen[1].tolist()


def test_gradients_are_checked_there():
    x = minitorch.ones(2, dtype=minitorch.float64, device="strict", requires_grad=True)
    assert minitorch.autograd.gradcheck(lambda x: (x * x * x).sum(), (x,)) and minitorch.autograd.gradgradcheck(lambda x: x**3, (x,))
    assert x.tolist() == [1.0, 1.0]


def test_an_optimizer_goes_on_from_a_file_on_either_device(tmp_path):
    model = nn.Linear(2, 1).to("strict")
    optimizer = minitorch.optim.Adam(model.parameters())

    def step(by):
        by.zero_grad()
        model(minitorch.ones(3, 2, device="strict")).sum().backward()
        by.step()

    step(optimizer)
    minitorch.save(optimizer.state_dict(), tmp_path / "state.npz")
    for location in ("cpu", "strict"):
        again = minitorch.optim.Adam(model.parameters())
        again.load_state_dict(minitorch.load(tmp_path / "state.npz", map_location=location))
        assert all(type(x.raw) is StrictArray for held in again.state.values() for x in held.values() if isinstance(x, Tensor))
        step(again)


# No GPU, no CuPy


@without_gpu
@pytest.mark.parametrize(
    "move", [lambda: tensor([1.0]).to("cuda"), lambda: minitorch.zeros(2, device="cuda:0"), lambda: nn.Linear(2, 2).cuda(),
             lambda: tensor([1.0], device="cuda"), lambda: tensor([1.0]).cuda(0), lambda: minitorch.randn(2, device="cuda")]
)  # fmt: skip
def test_without_cupy_the_extra_is_named(move, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(RuntimeError, match=r"^there is no device 'cuda.*' here: it needs an NVIDIA GPU and CuPy \(pip install 'minitorch-stepper\[cuda12\]' or '\[cuda13\]', by the .*; the same program runs with 'cpu'$"):
        move()
    assert not cuda.is_available() and cuda.device_count() == 0


def fake_cupy(count):
    """A CuPy that finds `count` GPUs, or fails as CuPy does."""

    class CUDARuntimeError(RuntimeError):
        pass

    def getDeviceCount():
        if isinstance(count, str):
            raise CUDARuntimeError(count)
        return count

    made = ModuleType("cupy")
    made.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=getDeviceCount, CUDARuntimeError=CUDARuntimeError))
    return made


@pytest.mark.parametrize(("count", "wanted", "sentence"), [
    ("cudaErrorInsufficientDriver: too old", "cuda", r"'cuda' here: CuPy finds no NVIDIA GPU with a driver \(cudaErrorInsufficientDriver: too old\); the"),
    (0, "cuda", "CuPy finds no NVIDIA GPU; the same program"), (1, "cuda:1", "'cuda:1' here: CuPy finds one GPU, 'cuda:0'; the"),
    (2, "cuda:7", "CuPy finds 2 GPUs, 'cuda:0' to 'cuda:1'; the"),
])  # fmt: skip
def test_without_such_a_gpu_it_says_what_cupy_finds(count, wanted, sentence, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(count))
    with pytest.raises(RuntimeError, match=sentence):
        tensor([1.0]).to(wanted)
    assert cuda.device_count() == (0 if isinstance(count, str) else count)


def test_a_cupy_that_cannot_be_loaded_is_told_from_none(monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('libcuda.so.1: cannot open shared object file.\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(RuntimeError, match=r"CuPy is installed and cannot be loaded \(libcuda.so.1: cannot open shared object file\); reinstall"):
        tensor([1.0]).cuda()
    assert not cuda.is_available() and cuda.device_count() == 0


@without_gpu
def test_memory_is_pinned_only_for_a_gpu(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(RuntimeError, match="memory can be pinned only for a GPU: it needs an NVIDIA GPU and CuPy"):
        tensor([1.0]).pin_memory()
    with pytest.raises(RuntimeError, match="pin_memory is about main memory, and this tensor is on strict"):
        minitorch.ones(1, device="strict").pin_memory()
    assert not tensor([1.0]).is_pinned()
