"""A training step leaves nothing for the garbage collector: graphs, layers, hooks and functions of one's own make no cycles."""

from __future__ import annotations

import gc
import tracemalloc
import types
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, Value, nn, no_grad, tensor
from minitorch.autograd import Function
from minitorch.core import naming

from .checks import active, gradients, outputs, tensors, weights
from .opentry import Entry
from .optable import TABLE
from .test_strict import MODULES, everything


class Square(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x * x
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return 2 * grad * ctx.saved_tensors[0]


def x() -> Tensor:
    return tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)


def twice() -> None:
    w = x()
    (first,) = minitorch.grad((w**3).sum(), w, create_graph=True)
    minitorch.grad(first.sum(), w)


def stepped() -> None:
    stepper = minitorch.Stepper((x() @ x()).sum())
    stepper.run()
    stepper.goto(1)
    stepper.rnext()


def hooked() -> None:
    w = x()
    seen = []
    w.register_hook(lambda g: seen.append(g.shape))
    (w * w).sum().backward()


def written() -> None:
    w, buffer = x(), tensor(np.zeros((2, 2)))
    buffer[0] = w[1]
    buffer[1] = w[0] * 2
    buffer.sum().backward()


def refused() -> None:
    for call in (lambda: x() + tensor([1.0, 2.0, 3.0]), lambda: x().backward(), lambda: tensor("a")):
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            call()


def edited() -> None:
    w = x()
    out = (w * w).sum()
    with no_grad():
        w += 1.0
    with pytest.raises(RuntimeError):
        out.backward()


def named() -> None:
    with minitorch.inspect():
        out = (x() * Value(2.0)).sum()
        repr(naming.names(out, {"out": out}))
        out.backward()


STEPS = {
    "tensors": lambda: ((x() @ x()).relu().softmax(1)[0] * 2).sum().backward(),
    "values": lambda: (Value(2.0) * Value(3.0) + Value(1.0)).tanh().backward(),
    "second order": twice,
    "function": lambda: Square.apply(x()).sum().backward(),
    "no_grad": lambda: no_grad()(lambda: x() * 2)(),
    "anomaly": lambda: minitorch.autograd.detect_anomaly()(lambda: (x() * 2).sum().backward())(),
    "jacobian": lambda: minitorch.autograd.functional.jacobian(lambda w: w * w, x()),
    "stepper": stepped, "hooks": hooked, "writes": written, "errors": refused, "edits": edited, "inspect": named,
}  # fmt: skip


def garbage_of(call: Any) -> list[str]:
    """What of ours a second call leaves that only the collector can free. Others leave things too: a thread of an earlier
    test that ends meanwhile."""
    call()  # what is made once and for all is made now
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        call()
        gc.collect()
        return [type(x).__name__ for x in gc.garbage if ours(x)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def ours(x: Any) -> bool:
    """Whether `x` comes from this project: an object, an array, a function, a frame of one."""
    if isinstance(x, types.FrameType):
        return str(x.f_globals.get("__name__")).startswith(("minitorch", "tests"))
    homes = getattr(x, "__module__", None), type(x).__module__
    return isinstance(x, np.ndarray) or any(str(home).startswith(("minitorch", "tests")) for home in homes)


def test_a_cycle_is_found() -> None:
    def cycle() -> None:
        a = x()
        a.itself = a  # type: ignore[attr-defined]

    assert "Tensor" in garbage_of(cycle)


@pytest.mark.parametrize("name", STEPS)
def test_no_garbage(name: str) -> None:
    assert garbage_of(STEPS[name]) == []


@pytest.mark.parametrize("name", MODULES)
def test_no_garbage_of_modules(name: str) -> None:
    make, shapes = MODULES[name]
    model = make()
    optimizer = minitorch.optim.Adam(model.parameters()) if list(model.parameters()) else None

    def step() -> None:
        given = [
            tensor(np.ones((2, 3), "int64")) if shape == "ids" else tensor(np.ones(shape, "float32"), requires_grad=True)
            for shape in shapes
        ]
        results = [y for y in everything(model(*given)) if y is not None and y.requires_grad]
        sum((y * y).sum() for y in results).backward()
        if optimizer is not None:
            optimizer.step()
            optimizer.zero_grad()

    assert garbage_of(step) == []


def test_no_garbage_of_any_function() -> None:
    def call(entry: Entry) -> None:
        sample = next((s for s in entry.samples if s.smooth), entry.samples[0])
        inputs = tensors(sample, sample.arrays(entry.name))
        results = outputs(entry, sample, inputs)
        draw = np.random.default_rng(0)
        gradients(results, weights(draw, results), active(inputs), create_graph=entry.twice)

    if garbage_of(lambda: [call(entry) for entry in TABLE]):
        guilty = [entry.name for entry in TABLE if garbage_of(lambda: call(entry))]  # noqa: B023
        raise AssertionError(f"cycles are left by {', '.join(guilty)}")


def test_a_training_loop_does_not_grow() -> None:
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 4))
    optimizer = minitorch.optim.Adam(model.parameters())
    inputs, targets = minitorch.randn(16, 8), minitorch.randint(0, 4, (16,))

    def train(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    train(3)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        train(3)
        before = tracemalloc.get_traced_memory()[0]
        train(20)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < 20_000, f"{grown} bytes in 20 steps"
