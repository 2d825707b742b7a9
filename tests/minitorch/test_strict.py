"""The strict device itself, and what tensors on it can do; test_ops.py runs the whole table on it."""

from __future__ import annotations

import copy
import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import minitorch
from minitorch import Tensor, Value, nn, no_grad, tensor
from minitorch.backend import BACKENDS
from minitorch.backend import numpy as host_names
from tests.device.library import module
from tests.device.listing import PATH, listing

from .programs import Program, build_tensors, programs
from .strict import StrictArray, strict
from .strict import namespace as xp


def on(*numbers: float, requires_grad: bool = False) -> Tensor:
    return Tensor(strict(np.array(numbers, "float32")), requires_grad=requires_grad)


# The manners


def test_nothing_becomes_a_numpy_array_by_itself() -> None:
    a = strict([1.0, 2.0])
    for convert in (np.asarray, np.array, np.float64):
        with pytest.raises(TypeError, match=r"Implicit conversion to a NumPy array is not allowed.*get\(\)|argument must be"):
            convert(a)
    for same in (np.exp(a), np.zeros_like(a), np.concatenate([a, a]), np.add(a, a), np.linalg.inv(strict(np.eye(2)))):
        assert type(same) is StrictArray  # NumPy's functions are answered on the device, as by CuPy
    for missing in (np.vecdot, np.add.reduce, np.insert):
        with pytest.raises(TypeError):
            missing(a, a)
    assert a.get().tolist() == a.tolist() == [1.0, 2.0] and np.shape(a) == (2,)


def test_it_does_not_mix_with_numpy() -> None:
    a, b = strict([1.0, 2.0]), np.array([1.0, 2.0])
    for sign in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul):
        for left, right in ((a, b), (b, a)):
            with pytest.raises(TypeError, match="Unsupported type"):
                sign(left, right)
    with pytest.raises(TypeError):
        operator.iadd(a, b)
    with pytest.raises(TypeError):
        operator.iadd(b, a)
    for call in (
        lambda: xp.maximum(a, b), lambda: xp.where(b > 0, a, a), lambda: xp.concatenate([a, b]), lambda: a[np.array([0])],
        lambda: xp.stack([a, 1.0]), lambda: operator.setitem(a, slice(None), b), lambda: np.add(a, a, out=b),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    for number in (1, True, 1.0, np.float64(1), np.float32(1)):
        assert (a + number).tolist() == (number + a).tolist() == [2.0, 3.0]


def test_only_what_cupy_has_is_there() -> None:
    a = strict([1.0, 2.0])
    for call in (
        lambda: a.max(initial=0.0), lambda: a.sum(where=a > 0), lambda: module.sum(a, where=a > 0), lambda: module.vecdot(a, a),
        lambda: module.argsort(a, kind="quicksort"), lambda: module.repeat(a, strict([1, 2])), lambda: module.max(a, initial=0),
        lambda: module.maximum.accumulate(a), lambda: module.maximum.reduce(a), lambda: module.add.at(strict([1]), 0, 1),
        lambda: module.errstate(all="ignore"), lambda: module.count_nonzero(a, keepdims=True), lambda: module.insert(a, 0, 1.0),
        lambda: module.exp(a, where=a > 0), lambda: module.bitwise_and(a, a), lambda: module.asarray(["text"]),
        lambda: module.asarray([object()]), lambda: module.where(True, a, a),
    ):  # fmt: skip
        with pytest.raises((TypeError, AttributeError, NotImplementedError, ValueError)):
            call()
    out = module.empty(2)
    assert module.add(a, 1, out=out) is out and out.tolist() == [2.0, 3.0]
    assert module.floor_divide(strict([3]), 2.0).dtype == module.sqrt(strict([3])).dtype == np.float64
    assert (strict(np.float32([1])) * 2.0).dtype == np.float32 and (strict([True]) + 1).dtype == np.int64


def test_the_list_is_that_of_cupy() -> None:
    cupy = pytest.importorskip("cupy")
    if cupy is module or not cupy.__version__.startswith("14.2"):
        pytest.skip("the list is CuPy 14.2's")
    assert listing() == PATH.read_text()


def test_no_number_leaves_unasked() -> None:
    one = strict([1.0]).sum()
    assert type(one) is StrictArray and one.shape == () and one.item() == 1.0
    for convert in (float, int, bool, complex, operator.index, round):
        with pytest.raises(TypeError):
            convert(one)
    for reduction in ("sum", "mean", "max", "min", "any", "all", "argmax", "var", "prod", "std"):
        assert type(getattr(strict([[1.0, 2.0]]), reduction)()) is StrictArray
    assert type(strict([1.0, 2.0])[0]) is StrictArray
    with pytest.raises(ValueError, match="object"):
        strict(np.array([object()]))


def test_views_share_memory_and_know_their_base() -> None:
    a = strict(np.arange(6.0))
    b = a.reshape(2, 3)
    c = b[0]
    c[...] = 9.0
    c[1] += 1.0
    assert a.tolist() == [9.0, 10.0, 9.0, 3.0, 4.0, 5.0]
    assert b.base is a and c.base is a and a.base is None and a.copy().base is None and (a + 1).base is None
    assert xp.transpose(b, (1, 0)).base is a


def test_it_has_every_name_of_the_numpy_backend() -> None:
    names = {name for name in vars(host_names) if not name.startswith("_")}
    modules = {name for name in names if type(getattr(host_names, name)).__name__ == "module"}
    # How the processor's threads and caches are used.
    its_own = {"SLOPES", "lstm_gates", "by_elements", "fast_sum", "worth_it"}
    assert names - modules - its_own <= set(vars(xp)) and BACKENDS[StrictArray] is xp


# Tensors on it


def test_devices_do_not_mix() -> None:
    here, there = tensor([1.0, 2.0]), on(1.0, 2.0)
    assert (here.device, there.device) == ("cpu", "strict")
    for call in (lambda: here + there, lambda: there * np.array([1.0, 2.0]), lambda: minitorch.where(there > 0, here, there)):
        with pytest.raises(RuntimeError, match=r"mixes devices.*cpu.*strict|mixes devices.*strict.*cpu"):
            call()
    with pytest.raises(RuntimeError, match="'here' on cpu"):
        here + there


def test_leaving_is_asked_for() -> None:
    x = on(1.0)
    assert x.item() == 1.0 and float(x) == 1.0 and bool(x) and x.tolist() == [1.0] and int(x) == 1
    for call in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises((TypeError, RuntimeError)):
            call()


def test_everyday_things() -> None:
    x = on(3.0, -1.0, 2.0, requires_grad=True)
    assert "3" in repr(x) and "requires_grad" in repr(x)
    assert x.argmax().item() == 0 and (x > 0).any().item() and not (x > 0).all().item()
    assert x[x > 0].tolist() == [3.0, 2.0] and x[Tensor(strict([0, 2]))].tolist() == [3.0, 2.0]
    assert [e.item() for e in x] == [3.0, -1.0, 2.0]
    assert type(copy.deepcopy(x).raw) is StrictArray
    for out in (x.argmax(), x.max(0).values, x.max(0).indices, x.sum(), x[0], x.mean(), x.double(), x.clone(), x.detach(), -x):
        assert type(out.raw) is StrictArray, out


def test_backward_accumulates_there() -> None:
    w = on(1.0, 2.0, requires_grad=True)
    for _ in range(2):
        (w * w).sum().backward()
    assert type(w.grad.raw) is StrictArray and w.grad.tolist() == [4.0, 8.0]
    with no_grad():
        w -= 0.1 * w.grad
    w.grad = None
    np.testing.assert_allclose(w.tolist(), [0.6, 1.2], rtol=1e-6)
    (w * 2).backward(on(1.0, 10.0))
    assert w.grad.tolist() == [2.0, 20.0]


def test_slices_and_writes() -> None:
    x = on(1.0, 2.0, 3.0, requires_grad=True)
    (x[0:2].sum() + x[[1, 1]].sum() + x[2]).backward()
    assert x.grad.tolist() == [1.0, 3.0, 1.0]
    y = x * 1.0
    y[0] = 5.0
    y[1:2] = x[0:1] * 10.0
    x.grad = None
    y.sum().backward()
    assert y.tolist() == [5.0, 10.0, 3.0] and x.grad.tolist() == [10.0, 0.0, 1.0]


def test_values_join_in() -> None:
    v, x = Value(2.0), on(1.0, 2.0, requires_grad=True)
    (x * v).sum().backward()
    assert v.grad == 3.0 and x.grad.tolist() == [2.0, 2.0]
    (first,) = minitorch.grad((x * v**3).sum(), v, create_graph=True)
    (second,) = minitorch.grad(first, v)
    assert (first.item(), second.item()) == (36.0, 36.0)


def test_views_and_versions() -> None:
    w, x = on(1.0, 1.0, requires_grad=True), on(2.0, 3.0)
    part = x[0:2]
    out = (w * part).sum()
    with no_grad():
        x += 1.0
    with pytest.raises(RuntimeError, match="'part', read by mul"):
        out.backward()


def test_the_stepper_walks_there() -> None:
    x = on(1.0, 2.0, requires_grad=True)
    stepper = minitorch.Stepper((x * x + x[0] * x).sum())
    stepper.run()
    end = x.grad.tolist()
    stepper.goto(0)
    assert x.grad is None and stepper.flow(x) is None
    stepper.run()
    assert x.grad.tolist() == end == [2 + 2 + 2.0, 4 + 1.0]
    assert all(type(done.contribution) is StrictArray for done in stepper.ledger(x))


def everything(x: Any) -> list[Any]:
    """The tensors of a result."""
    return [part for y in x for part in everything(y)] if isinstance(x, (tuple, list)) else [x]


MODULES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "Linear": (lambda: nn.Linear(4, 3), ((2, 4),)),
    "Bilinear": (lambda: nn.Bilinear(3, 4, 2), ((2, 3), (2, 4))),
    "Conv1d": (lambda: nn.Conv1d(2, 4, 3, padding=1, groups=2), ((2, 2, 6),)),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1), ((2, 2, 5, 5),)),
    "Conv2d same": (lambda: nn.Conv2d(2, 3, 2, padding="same", dilation=2), ((2, 2, 5, 5),)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2), ((1, 2, 3, 3),)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), ((4, 3),)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(3), ((2, 3, 4, 4),)),
    "BatchNorm2d eval": (lambda: nn.BatchNorm2d(3).eval(), ((2, 3, 4, 4),)),
    "LayerNorm": (lambda: nn.LayerNorm(4), ((2, 3, 4),)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), ((2, 4, 3),)),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(3, affine=True), ((2, 3, 4),)),
    "RMSNorm": (lambda: nn.RMSNorm(4), ((2, 4),)),
    "Embedding": (lambda: nn.Embedding(5, 3, padding_idx=0), ("ids",)),
    "PReLU": (lambda: nn.PReLU(3), ((2, 3, 4),)),
    "Softmax": (lambda: nn.Softmax(-1), ((2, 3),)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2, ceil_mode=True), ((1, 2, 5, 5),)),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1), ((1, 2, 5, 5),)),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 3)), ((1, 2, 5, 5),)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), ((1, 1, 3, 3),)),
    "ReflectionPad2d": (lambda: nn.ReflectionPad2d(1), ((1, 1, 3, 3),)),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), ((1, 4, 2, 2),)),
    "Dropout off": (lambda: nn.Dropout(0.5).eval(), ((2, 3),)),
    "RNN": (lambda: nn.RNN(3, 4), ((5, 2, 3),)),
    "LSTM": (lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True), ((2, 5, 3),)),
    "GRU": (lambda: nn.GRU(3, 4), ((5, 2, 3),)),
    "LSTMCell": (lambda: nn.LSTMCell(3, 4), ((2, 3),)),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), ((2, 3, 4),) * 3),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), ((2, 3, 4),)),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_compute_there_what_they_compute_here(name: str) -> None:
    make, shapes = MODULES[name]
    seen = []
    for wrap in (np.array, strict):
        minitorch.manual_seed(0)
        model, draw = make(), np.random.default_rng(0)
        for tensor_of_model in (*model.parameters(), *model.buffers()):
            tensor_of_model.raw = wrap(tensor_of_model.raw)
        given = [
            Tensor(wrap(draw.integers(0, 5, (2, 3)))) if shape == "ids"
            else Tensor(wrap(draw.normal(size=shape).astype("float32")), requires_grad=True)
            for shape in shapes
        ]  # fmt: skip
        results = [x for x in everything(model(*given)) if x is not None]
        loss = sum((x * x).sum() for x in results if x.requires_grad)
        loss.backward()
        grads = [x.grad for x in (*model.parameters(), *given) if x.requires_grad]
        found = [*results, *grads, *model.buffers()]
        for x in found:
            assert type(x.raw) is (StrictArray if wrap is strict else np.ndarray)
        seen.append([x.raw.get() if wrap is strict else x.raw for x in found])
    for here, there in zip(*seen, strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-5)  # CuPy may add up in another order


def test_dropout_draws_there() -> None:
    x = Tensor(strict(np.ones((20, 30), "float32")), requires_grad=True)
    out = nn.Dropout(0.5)(x)
    out.sum().backward()
    assert type(out.raw) is StrictArray and set(np.unique(out.raw.get())) == {0.0, 2.0}
    np.testing.assert_array_equal(out.raw.get(), x.grad.raw.get())


def test_clipping_and_the_search_for_nan() -> None:
    w = on(3.0, 4.0, requires_grad=True)
    (w * w).sum().backward()
    norm = nn.utils.clip_grad_norm_([w], 1.0)
    np.testing.assert_allclose(norm.item(), 10.0)
    np.testing.assert_allclose(w.grad.tolist(), [0.6, 0.8], rtol=1e-5)
    nn.utils.clip_grad_value_([w], 0.5)
    assert w.grad.tolist() == [0.5, 0.5]
    with minitorch.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="log"):
        (w * -1.0).log()


OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "Rprop"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_step_there(name: str) -> None:
    seen = []
    for wrap in (np.array, strict):
        w = Tensor(wrap(np.linspace(-1, 1, 6, dtype="float32").reshape(2, 3)), requires_grad=True)
        optimizer = getattr(minitorch.optim, name)([w], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            ((w - 0.3) ** 2).sum().backward()
            optimizer.step()
        seen.append(w.tolist())
    np.testing.assert_allclose(seen[1], seen[0], rtol=1e-5)
    assert seen[0][0][0] != -1.0


def test_a_model_trains_there() -> None:
    def train(wrap: Any) -> list[float]:
        minitorch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))
        draw = np.random.default_rng(0)
        for p in model.parameters():
            p.data = Tensor(wrap(draw.normal(size=p.shape).astype("float32")))
        inputs, targets = Tensor(wrap(draw.normal(size=(6, 3)).astype("float32"))), Tensor(wrap(draw.integers(0, 4, 6)))
        optimizer = minitorch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for _ in range(4):
            loss = nn.functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    np.testing.assert_allclose(train(strict), train(np.array), rtol=1e-5)


class There:
    """minitorch, with its tensors on the strict device."""

    def __getattr__(self, name: str) -> Any:
        return getattr(minitorch, name)

    def tensor(self, data: Any, dtype: Any, requires_grad: bool) -> Tensor:
        return Tensor(strict(np.array(data, dtype)), requires_grad=requires_grad)


@given(programs)
def test_random_programs_compute_there_what_they_compute_here(program: Program) -> None:
    seen = []
    for lib in (minitorch, There()):
        root, leaves = build_tensors(program, "float64", lib)
        first = minitorch.grad(root, leaves, create_graph=True, allow_unused=True)
        again = sum((g * g).sum() for g in first if isinstance(g, Tensor) and g.requires_grad)
        second = minitorch.grad(again, leaves, allow_unused=True) if isinstance(again, Tensor) else ()
        assert type(root.raw) is (np.ndarray if lib is minitorch else StrictArray)
        seen.append([None if g is None else g.tolist() if isinstance(g, Tensor) else g.item() for g in (root, *first, *second)])
    for here, there in zip(*seen, strict=True):
        assert (here is None) == (there is None)
        if here is not None:  # CuPy may add up in another order
            size = max(1.0, float(np.max(np.abs(np.nan_to_num(here, posinf=0, neginf=0)), initial=0)))
            np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9 * size)
