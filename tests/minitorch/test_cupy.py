"""The CuPy backend's own kernels: each computes what the plain composition does, and each is one that CUDA takes."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, nn
from minitorch.backend import numpy as host
from tests.device import cublas, kernels
from tests.device.kernels import LAUNCHED

from .strict import StrictArray, strict
from .strict import namespace as xp

F = nn.functional
draw = np.random.default_rng(0)


def numbers(*shape: int, dtype: str = "float64") -> np.ndarray:
    return np.asarray(draw.normal(size=shape)).astype(dtype)


def started(expected: Any) -> bool:
    """Whether just these kernels were started since LAUNCHED was cleared, in this order; of a set, these among others; of a
    text, at least one, and all with names that begin so."""
    if isinstance(expected, str):
        return bool(LAUNCHED) and all(name.startswith(expected) for name in LAUNCHED)
    return expected <= {*LAUNCHED} if isinstance(expected, set) else expected == LAUNCHED


def asked(expected: Any) -> bool:
    """Whether cuBLAS was asked for just these products of batches since CALLS was cleared (None: for any)."""
    return expected is None or expected == cublas.CALLS


def strided(x: np.ndarray) -> Any:
    """x on the device, lying there as it does here."""
    base = x
    while base.base is not None:
        base = base.base
    start = x.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    whole = strict(base)
    return type(whole)(x.shape, x.dtype, whole.data + start, x.strides)


def same(there: Any, here: Any, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(there.get(), here, rtol=tolerance, atol=tolerance)


# Elementwise formulas, written out as kernels

FORMULAS = {
    "gelu": F.gelu, "gelu tanh": lambda x: F.gelu(x, "tanh"), "silu": F.silu, "mish": F.mish, "softplus": F.softplus,
    "logsigmoid": F.logsigmoid, "elu": F.elu, "selu": F.selu, "hardswish": F.hardswish, "leaky": F.leaky_relu, "relu": F.relu,
    "relu6": F.relu6, "hardtanh": F.hardtanh, "softsign": F.softsign, "tanhshrink": F.tanhshrink, "sigmoid": F.sigmoid,
    "tanh": F.tanh, "abs": minitorch.abs, "power": lambda x: (x.abs() + 1) ** 2.5, "product": lambda x: x * (x + 1),
    "division": lambda x: x / (x * x + 1), "maximum": lambda x: minitorch.maximum(x, 0.5 - x), "rsqrt": lambda x: (x * x + 1) ** -0.5,
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_one_kernel_forward_and_one_back(name: str) -> None:
    points = np.concatenate([numbers(20) * 3, [0.0, -0.0, 1.0, -3.0, 20.5]])
    seen = []
    for wrap in (np.array, strict):
        x = Tensor(wrap(points), requires_grad=True)
        y = FORMULAS[name](x)
        LAUNCHED.clear()
        y.backward(Tensor(wrap(np.linspace(0.5, 1.5, points.size))))
        seen += [y.raw, x.grad.raw]
    assert started("minitorch_")
    same(seen[2], seen[0])
    same(seen[3], seen[1])


def test_what_is_no_formula_of_floats_is_left_to_cupy() -> None:
    flags, whole = strict(np.array([True, False])), strict(np.array([1, 2]))
    for call in (lambda: Tensor(whole) * 2, lambda: F.relu(Tensor(whole)), lambda: Tensor(flags) * Tensor(whole)):
        LAUNCHED.clear()
        call()
        assert started([])
    x = Tensor(strict(np.array([1.0, np.inf, np.nan])), requires_grad=True)
    F.relu(x).backward(Tensor(strict(np.array([np.inf, 1.0, 1.0]))))
    assert x.grad.tolist()[:2] == [np.inf, 1.0] and x.grad.tolist()[2] == 0.0


def test_numbers_that_change_all_the_time_compile_nothing() -> None:
    x = Tensor(strict(np.array([0.5, -1.0])), requires_grad=True)
    before = len(kernels.RAN)
    for turn in range(200):
        y = F.leaky_relu(x, turn / 1000)
        y.sum().backward()
    assert len(kernels.RAN) - before <= 32 and x.grad.tolist() == pytest.approx([200.0, sum(range(200)) / 1000])


def test_the_debugger_sees_local_derivatives_all_the_same() -> None:
    x = Tensor(strict(np.array([0.5, -1.0])), requires_grad=True)
    stepper = minitorch.Stepper(F.silu(x).sum())
    stepper.run()
    (arrived,) = stepper.ledger(x)
    here = Tensor(np.array([0.5, -1.0]), requires_grad=True)
    other = minitorch.Stepper(F.silu(here).sum())
    other.run()
    same(arrived.local, other.ledger(here)[0].local)
    assert x.grad.tolist() == pytest.approx(here.grad.tolist())


# Products

SIDES = {
    "as it lies": lambda n, h, r, c: numbers(n, h, r, c), "transposed": lambda n, h, r, c: numbers(n, h, c, r).swapaxes(2, 3),
    "of every second": lambda n, h, r, c: numbers(2 * n, h, r, c)[::2], "columns apart": lambda n, h, r, c: numbers(n, h, r, 2 * c)[..., ::2],
    "rows apart": lambda n, h, r, c: numbers(n, h, r, c + 3)[..., :c], "heads apart": lambda n, h, r, c: numbers(n, r, h, c).swapaxes(1, 2),
    "one for all": lambda n, h, r, c: np.broadcast_to(numbers(1, 1, r, c), (n, h, r, c)), "turned round": lambda n, h, r, c: numbers(n, h, r, c)[:, ::-1],
}  # fmt: skip


@pytest.mark.parametrize("size", [(2, 3, 4, 5, 6), (1, 1, 3, 1, 2), (2, 1, 1, 4, 1), (1, 3, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("right", SIDES)
@pytest.mark.parametrize("left", SIDES)
def test_products_of_many_matrices(left: str, right: str, size: tuple[int, ...]) -> None:
    n, h, r, k, c = size
    a, b = SIDES[left](n, h, r, k), SIDES[right](n, h, k, c)
    cublas.CALLS.clear()
    same(xp.matmul(strided(a), strided(b)), a @ b, 1e-12)
    assert asked([("float64", int(left == "transposed"), int(right == "transposed"), n * h, cublas.CUBLAS_COMPUTE_64F)] if min(size) > 1 else None)


def test_products_in_the_arrays_dtype_and_as_exact_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = numbers(3, 40, 50, dtype="float16"), numbers(3, 50, 4, dtype="float16")
    cublas.CALLS.clear()
    found = xp.matmul(strict(a), strict(b))
    assert found.dtype == np.float16 and asked([("float16", 0, 0, 3, cublas.CUBLAS_COMPUTE_32F)])
    np.testing.assert_allclose(found.get().astype("f"), a.astype("f") @ b.astype("f"), rtol=1e-3, atol=1e-2)
    one = strict(np.ones((2, 2, 2), "f"))
    flags = xp.matmul.__globals__["flags"]
    for allowed in (True, False):
        monkeypatch.setattr(flags, "matmul_tf32", allowed)
        cublas.CALLS.clear()
        same(xp.matmul(one, one), np.full((2, 2, 2), 2.0))
        assert asked([("float32", 0, 0, 2, cublas.CUBLAS_COMPUTE_32F_FAST_TF32 if allowed else cublas.CUBLAS_COMPUTE_32F)])


def test_other_products_are_cupys() -> None:
    wide, square, whole = numbers(2, 3, 4), numbers(4, 4), draw.integers(-3, 4, (2, 4, 4))
    cublas.CALLS.clear()
    for a, b in ((wide, square), (wide, square.T), (wide.swapaxes(1, 2), numbers(3, 2)), (square, wide.swapaxes(1, 2)), (wide[:, None], numbers(5, 4, 2)),
                 (whole, whole), (wide[:0], square), (numbers(2, 0, 4), numbers(2, 4, 3)), (numbers(2, 3, 0), numbers(2, 0, 3))):  # fmt: skip
        same(xp.matmul(strided(a), strided(b)), a @ b, 1e-12)
    with pytest.raises(ValueError):
        xp.matmul(strict(wide), strict(wide))
    assert asked([])


# Rows


@pytest.mark.parametrize("width", [1, 5, 33, 300])
def test_softmax_in_rows(width: int) -> None:
    x = numbers(3, 4, width) * 4
    x[0, 0, 0], x[0, 1, :], x[1, 0, 0] = -np.inf, -np.inf, np.nan
    for name in ("softmax", "log_softmax"):
        LAUNCHED.clear()
        found = getattr(xp, name)(strict(x), 2)
        assert started(["softmax"])
        with np.errstate(all="ignore"):
            same(found, getattr(host, name)(x, 2))
    with np.errstate(all="ignore"):
        same(xp.softmax(strict(x), 0), host.softmax(x, 0))
    scores, hidden = numbers(2, 6, 6), draw.random((6, 6)) > 0.5
    hidden[2] = False
    for mask in (None, hidden, numbers(6, 6)):
        for causal in (False, True):
            LAUNCHED.clear()
            found = xp.masked_softmax(strict(scores), None if mask is None else strict(mask), causal)
            assert started(["softmax"])
            with np.errstate(all="ignore"):
                same(found, host.masked_softmax(scores.copy(), mask, causal))


def test_cross_entropy_is_a_kernel_forward_and_few_back() -> None:
    x, target = numbers(7, 40), draw.integers(0, 40, 7)
    seen = []
    for wrap in (np.array, strict):
        scores = Tensor(wrap(x), requires_grad=True)
        LAUNCHED.clear()
        F.cross_entropy(scores, Tensor(wrap(target))).backward()
        seen.append(scores.grad.raw)
    assert started({"minitorch_outside", "softmax_at", "minitorch_minus_at"})
    same(seen[1], seen[0])


@pytest.mark.parametrize("dropout", [0.0, 1e-12])  # of so little nothing drops
@pytest.mark.parametrize("causal", [False, True])
def test_the_gradient_of_attention_is_products_and_a_kernel(causal: bool, dropout: float) -> None:
    arrays, above, seen = [numbers(2, 3, places, 4) for places in (5, 7, 7)], numbers(2, 3, 5, 4), []
    mask = numbers(3, 5, 7)
    for wrap in (np.array, strict):
        q, k, v, m = (Tensor(wrap(x), requires_grad=True) for x in (*arrays, mask))
        out = F.scaled_dot_product_attention(q, k, v, None if causal else m, dropout, causal)
        LAUNCHED.clear()
        out.backward(Tensor(wrap(above)))
        seen.append([x.raw for x in (out, q.grad, k.grad, v.grad, *(() if causal else (m.grad,)))])
    assert started({"softmax_back"})
    for here, there in zip(*seen, strict=True):
        same(there, here)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_the_gradient_of_a_bias(dtype: str) -> None:
    for shape in ((2, 300, 5), (700, 40), (40, 3), (300, 1), (300, 0), (0, 3)):
        x = numbers(*shape, dtype=dtype)
        bias = strict(np.zeros(shape[-1], dtype))
        for given in (strict(x), strided(np.asfortranarray(x))):
            same(xp.reduce_to(given, bias), x.sum(tuple(range(x.ndim - 1))), {"float16": 0.2, "float32": 1e-4, "float64": 1e-10}[dtype])
    LAUNCHED.clear()
    xp.reduce_to(strict(numbers(512, 3)), strict(np.zeros(3)))
    assert started(["column_sums"])


@pytest.mark.parametrize("ignored", [-100, 3, 500])
def test_targets_to_be_ignored_cost_no_look(ignored: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, target, seen = numbers(7, 40), draw.integers(4, 40, 7), []
    target[[1, 4]] = ignored
    for wrap in (np.array, strict):
        scores, wanted = Tensor(wrap(x), requires_grad=True), Tensor(wrap(target))
        with monkeypatch.context() as patched:
            if isinstance(scores.raw, StrictArray):
                patched.setattr(StrictArray, "item", None)
            loss = F.cross_entropy(scores, wanted, ignore_index=ignored)
            loss.backward()
        seen.append([loss.raw, scores.grad.raw])
        (twice,) = minitorch.grad(F.cross_entropy(scores, wanted, ignore_index=ignored) ** 2, scores, create_graph=True)
        seen[-1].append(minitorch.grad(twice.sum(), scores)[0].raw)
    for here, there in zip(*seen, strict=True):
        same(there, here)
    none = F.cross_entropy(scores, Tensor(strict(np.full(7, ignored))), ignore_index=ignored)
    same(none.raw, np.nan)


def test_numbers_that_name_nothing_are_refused_when_somebody_looks() -> None:
    table, scores = (Tensor(strict(numbers(5, 3)), requires_grad=True) for _ in range(2))
    wrong, right = Tensor(strict(np.array([0, 1, 5, 2, 1]))), Tensor(strict(np.array([0, 1, 2, 2, 1])))
    calls = {
        "embedding: .* names a row outside the table's 0 to 4": lambda x: F.embedding(x, table).sum(),
        "cross_entropy: a target is no class of 3": lambda x: F.cross_entropy(scores, x), "nll_loss: a target is no class": lambda x: F.nll_loss(scores, x),
    }  # fmt: skip
    for said, call in calls.items():
        for look in (Tensor.item, Tensor.tolist, lambda out: out.numpy(force=True), lambda out, call=call: call(right)):
            loss = call(wrong)
            loss.backward()
            with pytest.raises(IndexError, match=said):
                look(loss)
            assert math.isfinite(call(right).item())
    whole = Tensor(strict(np.array([-1, 4], np.int32)))
    F.embedding(whole, table)
    with pytest.raises(IndexError):
        table.tolist()


# Normalization

NORMS = {
    "batch": (
        lambda: nn.BatchNorm2d(3), (4, 3, 5, 6),
        {"moments", "minitorch_standardize", "minitorch_follow_moments", "flows", "minitorch_batch_norm_rule"},
    ),
    "batch of planes": (lambda: nn.BatchNorm2d(3), (4, 3, 7, 6), {"moments", "planes", "flows", "planes_back"}),
    "batch of planes, plain": (lambda: nn.BatchNorm1d(3, affine=False), (4, 3, 70), {"planes", "planes_back"}),
    "rows as many as places": (lambda: nn.LayerNorm(40), (1, 40, 40), {"minitorch_standardize"}),
    "batch in parts": (lambda: nn.BatchNorm2d(2), (3, 2, 60, 70), {"minitorch_join_moments"}),
    "batch of rows": (lambda: nn.BatchNorm1d(5), (9, 5), {"moments", "flows"}),
    "batch, plain": (lambda: nn.BatchNorm2d(3, affine=False), (4, 3, 5, 6), {"moments", "flows"}),
    "layer": (lambda: nn.LayerNorm(37), (5, 3, 37), {"moments", "minitorch_layer_norm_rule", "columns"}),
    "layer of planes": (lambda: nn.LayerNorm((6, 7)), (70, 6, 7), {"columns"}),
    "layer, plain": (lambda: nn.LayerNorm(8, elementwise_affine=False), (5, 8), {"moments"}),
    "group": (lambda: nn.GroupNorm(2, 4), (3, 4, 5), {"moments", "flows", "minitorch_layer_norm_rule"}),
    "group of planes": (lambda: nn.GroupNorm(3, 6), (2, 6, 3, 5), {"flows"}),
    "group, plain": (lambda: nn.GroupNorm(1, 4, affine=False), (3, 4, 5), {"flows"}),
    "group of rows": (lambda: nn.GroupNorm(4, 4), (3, 4), {"flows"}), "instance": (lambda: nn.InstanceNorm2d(3), (2, 3, 4, 5), {"moments"}),
}


@pytest.mark.parametrize("name", NORMS)
def test_normalization(name: str) -> None:
    make, shape, expected = NORMS[name]
    points, above = numbers(*shape) + 3, numbers(*shape)
    seen = []
    for wrap in (np.array, strict):
        layer = make()
        for p in (*layer.parameters(), *layer.buffers()):
            p.raw = wrap(np.linspace(0.5, 1.5, p.numel()).reshape(p.shape))
        x = Tensor(wrap(points), requires_grad=True)
        LAUNCHED.clear()
        y = layer(x)
        y.backward(Tensor(wrap(above)))
        seen.append([t.raw for t in (y, x.grad, *layer.buffers(), *(p.grad for p in layer.parameters()))])
    assert started(expected)
    for here, there in zip(*seen, strict=True):
        same(there, here, 1e-9)


# Sequences


@pytest.mark.parametrize("settings", [{}, {"bias": False, "bidirectional": True}, {"num_layers": 2, "batch_first": True}], ids=str)
def test_a_step_of_an_lstm_is_one_kernel_and_a_product(settings: dict[str, Any]) -> None:
    points, seen = numbers(5, 3, 4), []
    for wrap in (np.array, strict):
        minitorch.manual_seed(3)
        net = nn.LSTM(4, 6, **settings).double()
        for p in net.parameters():
            p.raw = wrap(p.raw)
        x = Tensor(wrap(points), requires_grad=True)
        LAUNCHED.clear()
        out, (h, c) = net(x)
        ((out * out).sum() + (c * h).sum() + h.sum()).backward()
        seen.append([t.raw for t in (out, h, c, x.grad, *(p.grad for p in net.parameters()))])
    assert started({"minitorch_lstm_step", "minitorch_lstm_step_back"})
    for here, there in zip(*seen, strict=True):
        same(there, here)


@pytest.mark.parametrize("settings", [{}, {"bias": False, "bidirectional": True}, {"num_layers": 2, "batch_first": True}], ids=str)
def test_a_step_of_a_gru_is_one_kernel_and_a_product(settings: dict[str, Any]) -> None:
    points, start, seen = numbers(5, 3, 4), numbers(settings.get("num_layers", 1) + settings.get("bidirectional", False), 5 if settings.get("batch_first") else 3, 6), []
    for wrap in (np.array, strict):
        minitorch.manual_seed(3)
        net = nn.GRU(4, 6, **settings).double()
        for p in net.parameters():
            p.raw = wrap(p.raw)
        x, h = (Tensor(wrap(a), requires_grad=True) for a in (points, start))
        LAUNCHED.clear()
        out, last = net(x, h)
        ((out * out).sum() + last.sum()).backward()
        seen.append([t.raw for t in (out, last, x.grad, h.grad, *(p.grad for p in net.parameters()))])
    assert started({"minitorch_gru_step", "minitorch_gru_step_back"})
    for here, there in zip(*seen, strict=True):
        same(there, here)


# Random masks


def philox(counter: int, key: int) -> list[int]:
    """Philox4x32-10, as its authors write it."""
    c, k = [counter >> 32 * n & 0xFFFFFFFF for n in range(4)], [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [second >> 32 ^ c[1] ^ k[0], second & 0xFFFFFFFF, first >> 32 ^ c[3] ^ k[1], first & 0xFFFFFFFF]
        k = [k[0] + 0x9E3779B9 & 0xFFFFFFFF, k[1] + 0xBB67AE85 & 0xFFFFFFFF]
    return c


def test_masks_are_philoxs() -> None:
    # The known answers of Random123, by which an implementation is checked.
    assert philox(0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox(2**128 - 1, 2**64 - 1) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    key = 0x123456789ABCDEF0
    words = np.array([philox(n, key) for n in range(6)]).reshape(-1)
    for p in (0.1, 0.5, 0.9):
        found = xp.random_mask((3, 7), np.float32, p, 2.0, key)
        assert found.tolist() == np.where(words[:21] >= round(p * 2**32), 2.0, 0.0).reshape(3, 7).tolist()


def test_dropout_draws_from_the_one_stream() -> None:
    x = Tensor(strict(np.ones((40, 50), "float32")), requires_grad=True)
    drawn = []
    for seed in (1, 1, 2):
        minitorch.manual_seed(seed)
        drawn.append((F.dropout(x, 0.3).raw.get(), F.dropout(x, 0.3).raw.get(), minitorch.rand(1).item()))
    (a, b, c), (d, e, f), (g, *_) = drawn
    assert (a == d).all() and (b == e).all() and c == f and (a != b).any() and (a != g).any()
    assert {*np.unique(a)} == {0.0, np.float32(1 / 0.7)} and abs(a.mean() - 1) < 0.05
    assert not F.dropout(x, 1.0).raw.get().any()


# All parameters at once

OPTIMIZERS = [
    ("Adam", {"lr": 0.1}), ("Adam", {"lr": 0.1, "weight_decay": 0.2, "maximize": True}), ("AdamW", {"lr": 0.1, "betas": (0.5, 0.6)}),
    ("Adam", {"amsgrad": True}), ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), OPTIMIZERS, ids=str)
def test_a_step_is_one_kernel_for_all_parameters(name: str, settings: dict[str, Any]) -> None:
    shapes = [(3,), (100, 90), (), (2, 5, 7), (4, 6)]
    starts, grads = [numbers(*s) for s in shapes], [[numbers(*s) for s in shapes] for _ in range(4)]
    seen = []
    for wrap in (np.array, strict):
        params = [Tensor(wrap(x), requires_grad=True) for x in starts]
        optimizer = getattr(minitorch.optim, name)(params, **settings)
        LAUNCHED.clear()
        for turn, given in enumerate(grads):
            for number, (p, g) in enumerate(zip(params, given)):
                # One has no gradient at first, the gradient of another lies across memory.
                p.grad = None if number == 2 and turn == 0 else Tensor(wrap(g.T).T if number == 4 else wrap(g))
            optimizer.step()
        seen.append([p.raw for p in params] + [x.raw for s in optimizer.state_dict()["state"].values() for x in s.values() if isinstance(x, Tensor)])
    count = 0 if "amsgrad" in settings else 4 + 3  # one that began later has taken fewer steps
    assert started([name.lower().rstrip("w")] * count)
    for here, there in zip(*seen, strict=True):
        same(there, here, 1e-9)


def test_gradients_are_measured_and_clipped_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes, dtypes = [(3,), (90, 100), (2, 5), (4, 4)], ["float64", "float32", "float64", "float16"]
    grads = [numbers(*s, dtype=d) for s, d in zip(shapes, dtypes)]
    for longest in (0.5, 1e6):
        seen = []
        for wrap in (np.array, strict):
            params = [Tensor(wrap(g * 0), requires_grad=True) for g in grads]
            for number, (p, g) in enumerate(zip(params, grads)):
                p.grad = Tensor(wrap(g.T).T if number == 2 else wrap(g))
            with monkeypatch.context() as patched:
                if wrap is strict:
                    patched.setattr(type(params[0].raw), "item", None)
                    LAUNCHED.clear()
                norm = nn.utils.clip_grad_norm_(params, longest)
            seen.append([norm.raw, *(p.grad.raw for p in params)])
        assert started(["squares"] * 2 + ["scale"] * 2)  # of float64 and of float32
        for here, there in zip(*seen, strict=True):
            assert here.dtype == there.dtype
            same(there, here, 2e-3 if here.dtype == np.float16 else 1e-6)
    params[0].grad = Tensor(strict(np.full(3, np.nan)))
    assert math.isnan(nn.utils.clip_grad_norm_(params, 1.0).item()) and math.isnan(params[1].grad.sum().item())


@pytest.mark.parametrize("optimizer", [minitorch.optim.Adam, minitorch.optim.SGD], ids=["Adam", "SGD"])
def test_a_step_of_training_waits_for_nothing(optimizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.conv, self.norm = nn.Embedding(11, 8), nn.Conv1d(8, 8, 3, padding=1), nn.BatchNorm1d(8)
            self.block, self.gru = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, activation="gelu", batch_first=True), nn.GRU(8, 8, batch_first=True)
            self.last = nn.Linear(8, 11)

        def forward(self, words: Any) -> Any:
            x = self.norm(F.max_pool1d(self.conv(self.table(words).transpose(1, 2)), 3, 1, 1)).transpose(1, 2)
            return self.last(self.gru(self.block(x))[0]).reshape(-1, 11)

    net = Net()
    for p in (*net.parameters(), *net.buffers()):
        p.raw = strict(p.raw)
    words, stepper = Tensor(strict(draw.integers(0, 11, (2, 5)))), optimizer(net.parameters(), lr=0.1)

    def step() -> Any:
        stepper.zero_grad()
        loss = F.cross_entropy(net(words), words.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        stepper.step()
        return loss

    fetch = StrictArray.get

    def without_waiting(self: Any, blocking: bool = True, **rest: Any) -> Any:
        assert not blocking, "this waits for the GPU"
        return fetch(self, **rest)

    first = step()
    with monkeypatch.context() as patched:
        patched.setattr(StrictArray, "get", without_waiting)
        for name in ("item", "tolist"):
            patched.setattr(StrictArray, name, None)
        for _ in range(3):
            last = step()
    assert last.item() < first.item()


# What CUDA says to the sources


def test_numpys_windows_stand_for_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    x, way = strict(numbers(2, 3, 7, 8)), ((2, 3), (2, 1), ((1, 0), (2, -1)), (1, 2))
    plain = xp.im2col(x, *way).get()
    monkeypatch.setattr(kernels, "LARGE", 0)
    np.testing.assert_array_equal(xp.im2col(x, *way).get(), plain)
    np.testing.assert_array_equal(plain, host.im2col(x.get(), *way))


def run_them_all(dtype: str) -> None:
    """A round through the layers, for the kernels that no other test of this file starts in this dtype."""
    for axes in (1, 2, 3):
        make = {name: getattr(nn, f"{name}{axes}d") for name in ("Conv", "ConvTranspose", "MaxPool", "AvgPool")}
        net = [make["Conv"](2, 2, 2), make["ConvTranspose"](2, 2, 2), make["MaxPool"](2), make["AvgPool"](2)]
        x = Tensor(strict(numbers(1, 2, *(6,) * axes, dtype=dtype)), requires_grad=True)
        for layer in net:
            for p in layer.parameters():
                p.raw = strict(p.raw.astype(dtype))
            x = layer(x)
        x.sum().backward(create_graph=True)
    sequence = Tensor(strict(numbers(2, 2, 3, dtype=dtype)), requires_grad=True)
    cell = nn.LSTM(3, 2)
    for p in cell.parameters():
        p.raw = strict(p.raw.astype(dtype))
    start = Tensor(strict(np.zeros((1, 2, 2), dtype)))
    cell(sequence, (start, start))[0].sum().backward()
    x = strict(numbers(4, 8, dtype=dtype))
    gru = nn.GRU(3, 2)
    for p in gru.parameters():
        p.raw = strict(p.raw.astype(dtype))
    gru(sequence, start)[0].sum().backward()
    for call in (xp.erf, xp.erfc, lambda x: xp.erfinv(x * 0), lambda x: xp.argrunning(x, 1, True), lambda x: xp.softmax(x, 1),
                 lambda x: xp.random_mask((3,), x.dtype, 0.5, 2.0, 7),
                 lambda x: xp.standardize(x, x, x, x.shape, None, None)):  # fmt: skip
        call(x)
    if dtype != "float16":
        for optimizer in (minitorch.optim.Adam, minitorch.optim.SGD):
            p = Tensor(x, requires_grad=True)
            p.grad = Tensor(x)
            nn.utils.clip_grad_norm_([p], 1.0)
            optimizer([p]).step()
    for activation in FORMULAS.values():
        y = Tensor(x, requires_grad=True)
        activation(y).sum().backward()
    assert math.prod(x.shape) == 32


def test_cupy_itself_takes_the_backend_without_a_gpu() -> None:
    """Every name that it imports is there, and every kernel's arguments are what CuPy can read."""
    pytest.importorskip("cupy")
    code = "import minitorch.backend.cupy as b; from minitorch.backend import cupy_pool; cupy_pool._max(2, 'int'); print(b.device)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "cuda", done.stderr
