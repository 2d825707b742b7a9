"""The compiled backend gives what NumPy gives: on the whole operation table, on arrays of every kind, and on its own edges."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor
from minitorch.backend import BACKENDS
from minitorch.backends import fast
from minitorch.nn import functional as F

from .checks import about, active, gradients, host, outputs, rng, same, strided, tensors, weights
from .opentry import Entry
from .optable import TABLE

pytest.importorskip("numba")
from minitorch.backend import threads  # noqa: E402
from minitorch.backend.fast import compiler, convolution, dnnl, normalize, recurrent  # noqa: E402

needs_dnnl = pytest.mark.skipif(dnnl.library() is None, reason="oneDNN is not installed")


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The kernels take arrays of any size, and threads share them, so that small samples reach both."""
    monkeypatch.setattr(compiler, "LEAST", 1)
    monkeypatch.setattr(convolution, "LEAST", 1)
    monkeypatch.setattr(normalize, "SHORTEST", 1)
    monkeypatch.setattr(threads, "WORTH_IT", 2)
    monkeypatch.setattr(threads, "_count", 2)
    with fast.flags(True):
        yield


@pytest.mark.parametrize("entry", TABLE, ids=repr)
def test_operation_table(entry: Entry) -> None:
    for sample in entry.samples:
        for dtype, layout in (("float32", np.array), ("float32", strided), ("float64", np.array)):
            tolerance = entry.tolerance if dtype == "float64" else 1e-4
            with about(f"{dtype} {sample}"), warnings.catch_warnings():
                warnings.simplefilter("error")
                seen = []
                for enabled in (False, True):
                    with fast.flags(enabled):
                        inputs = tensors(sample, sample.arrays(entry.name), dtype, layout)
                        results = outputs(entry, sample, inputs)
                        if not entry.differentiable:
                            seen.append(results)
                            continue
                        starts = weights(rng(entry, sample), results)
                        grads = gradients(results, starts, active(inputs))
                        if entry.twice:
                            recorded = gradients(outputs(entry, sample, inputs), starts, active(inputs), create_graph=True)
                            twice = [(g * g).sum() for g in recorded if g is not None]
                            grads += gradients(twice, [np.ones((), dtype) for _ in twice], active(inputs))
                        seen.append([*results, *grads])
                for plain, compiled in zip(*seen, strict=True):
                    same(plain, compiled, tolerance, tolerance)


def both(compute: Any) -> tuple[Any, Any]:
    """What `compute()` returns on NumPy's kernels and on the compiled ones."""
    with fast.flags(False):
        plain = compute()
    return plain, compute()


AWKWARD = np.array([[np.nan, 1, -1, 0, -0.0, np.inf, -np.inf, np.nan] * 4] * 8, "float32").reshape(1, 2, 8, 16)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "function",
    [
        F.relu,
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.max_pool2d(x, 3, stride=1, padding=1),
        lambda x: F.avg_pool2d(x, 3, stride=2, padding=1),
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: F.layer_norm(x, (16,)),
        lambda x: F.leaky_relu(x, 0.1),
        F.gelu,
        lambda x: F.gelu(x, "tanh"),
        F.silu,
        lambda x: x.sum((0, 2, 3)),
    ],
    ids=[
        "relu", "max_pool", "max_pool overlapping", "avg_pool", "batch_norm", "layer_norm", "leaky_relu", "gelu", "gelu tanh",
        "silu", "sum",
    ],
)  # fmt: skip
def test_nan_and_inf_as_numpy(function: Any, dtype: str) -> None:
    def compute() -> list[np.ndarray]:
        x = minitorch.tensor(AWKWARD.astype(dtype), requires_grad=True)
        out = function(x)
        out.backward(minitorch.ones_like(out))
        return [host(out), host(x.grad)]

    for plain, compiled in zip(*both(compute)):
        np.testing.assert_allclose(compiled, plain, rtol=1e-5)


@pytest.mark.parametrize("function", [F.gelu, lambda x: F.gelu(x, "tanh"), F.silu], ids=["gelu", "gelu tanh", "silu"])
def test_bent_functions_are_right_far_out_and_near_zero(function: Any) -> None:
    numbers = np.concatenate([np.linspace(-120, 120, 40001), np.linspace(-6, 6, 40001), [1e-30, -1e-30, 1e-45, 1e12]])
    values = []
    for dtype in ("float32", "float64"):
        x = minitorch.tensor(numbers.astype("float32").astype(dtype), requires_grad=True)
        out = function(x)
        out.sum().backward()
        values.append([host(out), host(x.grad)])
    for single, double in zip(*values):
        np.testing.assert_allclose(single, double, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3, 6, 6), (2, 3, 6, 6)])
def test_empty_batch_and_views(shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(0)
    images, filters = draw.normal(size=(shape[2], *shape[:2], shape[3])).astype("float32"), draw.normal(size=(4, 3, 3, 3))

    def compute() -> list[np.ndarray]:
        x = Tensor(images.transpose(1, 2, 0, 3))
        weight = minitorch.tensor(filters.astype("float32"), requires_grad=True)
        out = F.max_pool2d(F.relu(F.conv2d(x, weight, padding=1)), 2)
        (out * out).sum().backward()
        return [host(out), host(weight.grad)]

    for plain, compiled in zip(*both(compute)):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-4)


@needs_dnnl
def test_convolutions_reach_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, int, bool]] = []
    run = dnnl.run

    def spy(kind: str, x: np.ndarray, *rest: Any) -> bool:
        ran.append((kind, len(x), run(kind, x, *rest)))
        return ran[-1][2]

    monkeypatch.setattr(dnnl, "run", spy)
    monkeypatch.setattr(threads, "HEAD_START", 0)
    threads._bounds.cache_clear()
    x, weight = minitorch.randn(5, 4, 9, 8, requires_grad=True), minitorch.randn(6, 2, 3, 3, requires_grad=True)
    F.conv2d(x, weight, minitorch.randn(6), stride=2, padding=(1, 0), groups=2).sum().backward()
    F.conv_transpose2d(x, minitorch.randn(4, 3, 2, 2), stride=2).sum()
    parts = (5,) if threads._blas() is None else (2, 3)  # of 5 images
    shares = [(kind, n, True) for kind in ("forward", "input", "weight", "input") for n in parts]
    assert sorted(ran) == sorted(shares)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(
    "way",
    [{}, {"stride": 2}, {"dilation": 2}, {"padding": 1}, {"padding": "same"}, {"groups": 2}, {"stride": 2, "padding": 2, "groups": 4}],
    ids=repr,
)
def test_convolution(axes: int, way: dict[str, Any]) -> None:
    draw, size = np.random.default_rng(0), (9, 7, 8)[:axes]
    arrays = [draw.normal(size=s) for s in ((3, 4, *size), (8, 4 // way.get("groups", 1), *(3,) * axes), (8,))]

    def compute() -> list[np.ndarray]:
        inputs = [minitorch.tensor(a.astype("float32"), requires_grad=True) for a in arrays]
        out = getattr(F, f"conv{axes}d")(*inputs, **way)
        (out * out).sum().backward()
        return [host(out), *(host(x.grad) for x in inputs)]

    for plain, compiled in zip(*both(compute)):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-4 * np.abs(plain).max())


def test_without_onednn_numpy_convolves(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = minitorch.randn(2, 3, 8, 8), minitorch.randn(4, 3, 3, 3)
    expected = F.conv2d(x, weight)
    monkeypatch.setattr(dnnl, "library", lambda: None)
    np.testing.assert_allclose(F.conv2d(x, weight).numpy(), expected.numpy(), rtol=1e-4, atol=1e-4)
    assert fast.versions()["convolution"].startswith("NumPy ")


def training() -> tuple[Any, Any]:
    """A network with each layer that has kernels, and a step of its training that returns the loss."""
    nn = minitorch.nn
    minitorch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.ConvTranspose2d(8, 4, 2, 2), nn.LeakyReLU(0.1), nn.Flatten(), nn.LayerNorm(256), nn.GELU(), nn.Linear(256, 5),
    )  # fmt: skip
    draw = np.random.default_rng(0)
    images, labels = minitorch.tensor(draw.normal(size=(6, 3, 8, 8)).astype("float32")), minitorch.tensor(draw.integers(0, 5, 6))
    optimizer = minitorch.optim.Adam(model.parameters(), lr=1e-2)

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return model, step


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "maximize": True}, {"amsgrad": True}], ids=repr)
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_adam(name: str, settings: dict[str, Any], dtype: str) -> None:
    draw = np.random.default_rng(0)
    start, grads = draw.normal(size=(7, 5)).astype(dtype), draw.normal(size=(4, 7, 5)).astype(dtype)

    def compute() -> list[np.ndarray]:
        p = minitorch.tensor(start, requires_grad=True)
        optimizer = getattr(minitorch.optim, name)([p], lr=0.1, **settings)
        for grad in grads:
            p.grad = minitorch.tensor(grad)
            optimizer.step()
        return [host(p), *(host(x) for key, x in optimizer.state[p].items() if key != "step")]

    for plain, compiled in zip(*both(compute)):
        np.testing.assert_allclose(compiled, plain, rtol=1e-5, atol=1e-6)


def test_adam_leaves_arrays_that_do_not_fit_to_numpy() -> None:
    p = minitorch.ones(9, requires_grad=True)
    optimizer = minitorch.optim.Adam([p])
    for length in (9, 12):
        p.data = minitorch.ones(length)
        p.grad = minitorch.ones(length)
        if length == 9:
            optimizer.step()
    with pytest.raises(ValueError, match="broadcast"):
        optimizer.step()
    fixed = minitorch.from_numpy(np.frombuffer(np.ones(9, "float32").tobytes(), "float32")).requires_grad_(True)
    fixed.grad = minitorch.ones(9)
    with pytest.raises(ValueError, match="read-only"):
        minitorch.optim.Adam([fixed]).step()


@pytest.mark.parametrize("shape", [(16, 2), (16, 8), (8, 4), (32, 4)])
def test_an_lstm_whose_weights_do_not_fit_is_an_error(shape: tuple[int, int]) -> None:
    layer = minitorch.nn.LSTM(3, 4)
    layer.weight_hh_l0 = minitorch.nn.Parameter(minitorch.ones(*shape))
    with pytest.raises(ValueError, match="lstm cannot take"):
        layer(minitorch.ones(5, 2, 3))


def test_tanh_of_nan_is_nan_and_all_others_are_close() -> None:
    x = np.concatenate([[np.nan, -np.nan, np.inf, -np.inf, 0], np.linspace(-12, 12, 10001)]).astype("float32")
    out, tanh = np.empty_like(x), recurrent.tanh

    @compiler.kernel
    def each(x: Any, out: Any) -> None:
        for i in range(len(x)):
            out[i] = tanh(x[i])

    each(x, out)
    np.testing.assert_allclose(out, np.tanh(x), rtol=4e-7, atol=0)


def test_a_cache_that_cannot_be_written_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    def njit(cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    assert compiler.kernel(abs) is abs


@pytest.mark.parametrize("size", [(4, 4), (5, 7), (2, 9), (1, 6)])
@pytest.mark.parametrize("ties", [False, True])
def test_pooling_two_by_two(size: tuple[int, int], ties: bool) -> None:
    x = np.random.default_rng(0).normal(size=(3, 2, *size)).astype("float32")
    x = np.round(x) if ties else x

    def compute() -> list[np.ndarray]:
        images = minitorch.tensor(x, requires_grad=True)
        out = F.max_pool2d(images, 2, ceil_mode=size[0] == 1)
        (out * out).sum().backward()
        return [host(out), host(images.grad)]

    for plain, compiled in zip(*both(compute)):
        np.testing.assert_array_equal(compiled, plain)


def test_same_bits_every_run() -> None:
    def train() -> list[bytes]:
        model, step = training()
        losses = [step() for _ in range(3)]
        return [np.float64(losses).tobytes(), *(host(p).tobytes() for p in model.parameters())]

    assert train() == train()


def test_training_as_on_numpy() -> None:
    def train() -> list[float]:
        _, step = training()
        return [step() for _ in range(5)]

    np.testing.assert_allclose(*both(train), rtol=1e-3)


def test_threads_of_the_user() -> None:
    from concurrent.futures import ThreadPoolExecutor

    x, weight = minitorch.randn(4, 3, 8, 8), minitorch.randn(4, 3, 3, 3)

    def compute(_: int) -> bytes:
        return host(F.max_pool2d(F.relu(F.conv2d(x, weight)), 2)).tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(compute, range(24)))) == 1


def test_switching_inside_a_graph() -> None:
    x = minitorch.randn(2, 3, 8, 8, requires_grad=True)
    loss = F.max_pool2d(F.batch_norm(x, None, None, training=True), 2).sum()
    with fast.flags(False):
        loss.backward()
    assert x.grad is not None and np.isfinite(host(x.grad)).all()


def test_every_name_of_numpys_is_there() -> None:
    import minitorch.backend.numpy as plain

    missing = [name for name in vars(plain) if not name.startswith("_") and not hasattr(BACKENDS[np.ndarray], name)]
    assert not missing
    assert host(minitorch.ones(2)).tolist() == [1, 1]
