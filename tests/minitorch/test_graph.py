"""The graph: edges, order, depth, memory; what backward leaves behind and what it refuses."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import Tensor, Value, no_grad, tensor
from minitorch.core.apply import apply
from minitorch.core.node import ancestors
from minitorch.core.op import Op
from minitorch.ops.index import results

from .programs import CHOICE, VALUE_STEPS, Program, build_tensors, build_values, numbers, programs


def leaf(*numbers: Any, dtype: str = "float64") -> Tensor:
    return tensor(numbers[0] if len(numbers) == 1 else list(numbers), dtype=dtype, requires_grad=True)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """The garbage collector off: what is freed is freed by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# Edges and order


def test_a_repeated_input_is_two_edges() -> None:
    for a in (Value(1.0), leaf(1.0)):
        b = a + a
        c = b + b
        assert [x.op.name for x in ancestors(c) if x.op] == ["add", "add"]
        assert b.inputs == (a, a) and c.inputs[0] is c.inputs[1] is b
        c.backward(retain_graph=True)
        assert float(a.grad) == 4.0
        c.backward()
        assert float(a.grad) == 8.0


def test_ancestors_are_oldest_first_and_without_constants() -> None:
    a, b = Value(1), Value(2)
    c = (a * b + 3.0) * a
    found = ancestors(c)
    assert found[0] is a and found[1] is b and found[-1] is c and len(found) == 5
    stamps = [node.stamp for node in found]
    assert stamps == sorted(stamps) and len(set(stamps)) == 5
    for node in found:
        assert all(x.stamp < node.stamp for x in node.inputs if isinstance(x, Value))


def test_constants_are_kept_as_they_are() -> None:
    array = np.ones(3, "float32")
    out = leaf([1, 2, 3], dtype="float32") * array + 2
    assert out.inputs[1] == 2 and out.inputs[0].inputs[1] is array


# Depth


def test_a_chain_of_a_million_values(no_collector: None) -> None:
    x = first = Value(1.0)
    for _ in range(1_000_000):
        x = x + 1.0
    ref = weakref.ref(x)
    assert x.item() == 1_000_001.0
    x.backward()
    assert first.grad == 1.0
    del x
    assert ref() is None and gc.collect() < 100


def test_a_hundred_thousand_values_with_sharing(no_collector: None) -> None:
    a = Value(1.0)
    x = y = a
    refs = []
    for k in range(50_000):
        x, y = x * 0.5 + y * 0.5, x
        if k % 1000 == 0:
            refs.append(weakref.ref(x))
    y = x * 1.0
    y.backward()
    assert abs(a.grad - 1.0) < 1e-9
    del x, y
    assert all(ref() is None for ref in refs) and gc.collect() < 100


def test_ten_thousand_tensors(no_collector: None) -> None:
    limit = sys.getrecursionlimit()
    a = leaf([1.0, 2.0])
    x = y = a
    for _ in range(5_000):
        x, y = x * 0.5 + y * 0.5, x
    ref = weakref.ref(x)
    x.sum().backward(retain_graph=True)
    np.testing.assert_allclose(a.grad.numpy(), [1.0, 1.0])
    assert len(ancestors(x)) > limit
    del x, y
    assert ref() is None and gc.collect() < 100


def test_a_deep_gradient_of_a_gradient() -> None:
    a = leaf(1.0)
    x = a
    for _ in range(2_000):
        x = x * 1.0001
    (first,) = minitorch.grad(x * x, a, create_graph=True)
    (second,) = minitorch.grad(first, a)
    np.testing.assert_allclose(second.item(), 2 * 1.0001**4000)


# Memory


@pytest.mark.parametrize("kind", ["values", "tensors", "mixed"])
def test_nodes_make_no_cycles(kind: str, no_collector: None) -> None:
    def graph() -> list[Any]:
        a = leaf([1.0, 2.0, 3.0]) if kind != "values" else Value(2.0)
        v = Value(0.5) if kind != "tensors" else a
        b = (a * v).exp() + a / 2
        out = b if kind == "values" else (b[0:2] @ b[1:]).sum() + minitorch.cat([b, b]).max()
        if kind == "mixed":
            out = out * minitorch.stack([v, v * 2]).sum()
        out.backward()
        stepper = minitorch.Stepper((a * a).sum() if kind != "values" else a * a)
        stepper.run()
        stepper.goto(0)
        return [weakref.ref(x) for x in (a, v, b, out, stepper)] if False else [weakref.ref(x) for x in (a, v, b, out)]

    refs = graph()
    assert [ref() for ref in refs] == [None] * 4
    assert gc.collect() == 0


def test_backward_frees_a_graph_of_tensors(no_collector: None) -> None:
    a = leaf([1.0, 2.0])
    middle = a * 2
    ref = weakref.ref(middle)
    out = (middle * middle).sum()
    del middle
    assert ref() is not None
    out.backward()
    assert ref() is None, "the graph is still held by its result"


def test_thirty_two_slices_cost_one_array() -> None:
    x = minitorch.tensor(np.zeros((32, 50_000), "float32"), requires_grad=True)
    size = x.raw.nbytes
    loss = sum(x[i].sum() * i for i in range(32))
    tracemalloc.start()
    loss.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.4 * size, f"{peak / size:.1f} arrays"
    np.testing.assert_array_equal(x.grad.numpy()[:, 0], np.arange(32))


def test_slices_arriving_beside_whole_gradients() -> None:
    x = leaf(np.arange(6.0))
    ((x * x).sum() + x[1:3].sum() * 10 + x[[1, 1, 5]].sum() + x[2] * 100).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 14, 114, 6, 8, 11])


def test_gradients_share_no_memory() -> None:
    for build in (
        lambda x, y: x + y, lambda x, y: x - y, lambda x, y: (x + y).reshape(3, 1), lambda x, y: x + y + x,
        lambda x, y: minitorch.stack([x, y]), lambda x, y: minitorch.cat([x, y]),
    ):  # fmt: skip
        for create_graph in (False, True):
            x, y = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0, 6.0])
            out = build(x, y)
            given = tensor(np.ones(out.shape), dtype="float64")
            out.backward(given, create_graph=create_graph)
            arrays = [x.grad.raw, y.grad.raw, given.raw]
            for i, a in enumerate(arrays):
                assert not any(np.shares_memory(a, b) for b in arrays[i + 1 :]), (create_graph, i)
            with no_grad():
                x.grad *= 0
            assert y.grad.numpy().any() and given.numpy().all()


# What backward leaves


def test_interior_tensors_keep_no_gradient_unless_asked() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y * y
    z.retain_grad()
    z.sum().backward()
    assert y.grad is None and z.grad.tolist() == [1.0, 1.0] and x.grad.tolist() == [8.0, 16.0]
    with minitorch.inspect():
        y = x * 2
        y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0]


def test_backward_adds_to_grad_in_place() -> None:
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    held = x.grad
    (x * 3).sum().backward()
    assert x.grad is held and held.tolist() == [5.0, 7.0]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad is not held and held.tolist() == [5.0, 7.0]


def test_gradients_have_the_dtype_and_type_of_their_input() -> None:
    for dtype in ("float32", "float64", "float16"):
        x = leaf([1.0, 2.0], dtype=dtype)
        wide = leaf([1.0, 2.0])
        ((x * wide) ** 2).sum().backward()
        assert x.grad.dtype == dtype and wide.grad.dtype == "float64"
        out = (2.5 * x + 1) / 3 - x**2 + x.exp().maximum(x) + x.mean() + x.var() + x.sigmoid().log_softmax(0)
        assert out.dtype == dtype
        for g in minitorch.grad(out.sum(), x, create_graph=True):
            assert g.dtype == dtype


def test_integers_carry_no_gradient() -> None:
    for dtype in ("int64", "bool"):
        with pytest.raises(RuntimeError, match=dtype):
            tensor([1, 0], dtype=dtype, requires_grad=True)
    x = leaf([1.5, 2.5])
    for whole in (x.long(), x > 2, x.argmax(), x.max(0).indices):
        assert not whole.requires_grad and whole.is_leaf
    index = tensor([0, 1, 1])
    x[index].sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


def test_gradient_through_a_dtype() -> None:
    x = leaf([1.5, 2.5], dtype="float32")
    (x.double() * tensor([2.0, 3.0], dtype="float64")).sum().backward()
    assert x.grad.dtype == "float32" and x.grad.tolist() == [2.0, 3.0]


def test_values_in_tensor_graphs() -> None:
    v, x = Value(3.0), leaf([[1.0, 2.0], [3.0, 4.0]])
    out = (x * v + v * v).sum() / 2
    assert type(out) is Tensor and v in ancestors(out)
    out.backward()
    assert type(v.grad) is float
    assert v.grad == (10 + 8 * 3) / 2
    assert x.grad.tolist() == [[1.5, 1.5], [1.5, 1.5]]


def test_values_behind_tensors_get_their_gradients_too() -> None:
    a, b = Value(2.0), Value(3.0)
    product = a * b
    rows = minitorch.stack([product, a.exp(), product])
    weights = leaf([1.0, 10.0, 100.0], dtype="float32")
    (rows * weights).sum().backward()
    assert product.grad == 101.0
    np.testing.assert_allclose((a.grad, b.grad), (303 + 10 * np.exp(2), 202), rtol=1e-6)
    np.testing.assert_allclose(weights.grad.numpy(), [6, np.exp(2), 6], rtol=1e-6)


def test_second_derivative_of_a_value_through_a_tensor() -> None:
    v, x = Value(2.0), leaf([1.0, 2.0])
    (first,) = minitorch.grad((x * v**3).sum(), v, create_graph=True)
    assert type(first) is Value and abs(first.item() - 36.0) < 1e-9
    second, mixed = minitorch.grad(first, [v, x])
    assert type(second) is Value and abs(second.item() - 36.0) < 1e-9
    np.testing.assert_allclose(mixed.numpy(), [12.0, 12.0])


# What it refuses


def test_backward_needs_one_number() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    with pytest.raises(RuntimeError, match=r"shape \(2,\).*sum\(\)"):
        y.backward()
    with pytest.raises(RuntimeError, match=r"shape \(3,\).*\(2,\)"):
        y.backward(np.ones(3))
    y.backward(np.array([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 20.0]
    (x * 2)[0:1].backward()
    assert x.grad.tolist() == [4.0, 20.0]


def test_a_leaf_is_its_own_gradients_leaf() -> None:
    for w in (leaf([2.0]), Value(2.0)):
        w.backward()
        w.backward()
        assert float(w.grad) == 2.0 and float(minitorch.grad(w, w)[0]) == 1.0
        y = w * 3
        assert [float(g) for g in minitorch.grad([y, w], [w, y], allow_unused=True)] == [4.0, 1.0]
        assert float(minitorch.grad(w, w, create_graph=True)[0]) == 1.0
        with pytest.raises(RuntimeError, match="'w' is a leaf: nothing was computed from it"):
            minitorch.Stepper(w)
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"shape \(2,\).*sum\(\)"):
        x.backward()
    x.register_hook(lambda g: g * 10)
    x.backward(tensor([3.0, 4.0]))
    assert x.grad.tolist() == [30.0, 40.0]


def test_backward_needs_a_result() -> None:
    plain = tensor([1.0]) * 2
    with pytest.raises(RuntimeError, match="'plain' does not depend on any tensor with requires_grad"):
        plain.backward()
    w = leaf([1.0])
    with no_grad():
        loss = (w * 2).sum()
    assert loss.is_leaf and not loss.requires_grad
    with pytest.raises(RuntimeError, match="'loss' does not depend"):
        loss.backward()


def test_a_freed_graph_says_so() -> None:
    x = leaf([1.0, 2.0])
    trunk = x * x
    one, two = trunk.sum(), (trunk * 2).sum()
    one.backward()
    for again in (one, two):
        with pytest.raises(RuntimeError, match=r"freed.*retain_graph=True"):
            again.backward()
    with pytest.raises(RuntimeError, match="freed"):
        ancestors(two)
    with pytest.raises(RuntimeError, match="freed"):
        minitorch.Stepper(two)
    one = (x * x).sum()
    one.backward(retain_graph=True)
    one.backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_shape_mismatch_names_both_sides() -> None:
    x, other = leaf(np.ones((3, 4))), leaf(np.ones((2, 4)))
    for call in (lambda: x + other, lambda: x @ other, lambda: minitorch.cat([x.T, other]), lambda: minitorch.stack([x, other])):
        with pytest.raises(ValueError) as error:
            call()
        text = str(error.value)
        assert "(3, 4)" in text or "(4, 3)" in text
        assert "(2, 4)" in text and "other" in text and "\n" not in text
    with pytest.raises(ValueError, match=r"x.*\(3, 4\)"):
        x.reshape(5, 5)
    with pytest.raises(ValueError, match=r"\(3, 4\).*\(1, 3\)"):
        x * np.ones((1, 3))
    with pytest.raises(IndexError, match="axis 2"):
        x.sum(2)


def test_what_is_no_number_is_refused() -> None:
    x = leaf([1.0])
    for thing in ("a", None, [1.0], {"a": 1}, 1j):
        with pytest.raises(TypeError):
            x * thing
        with pytest.raises(TypeError):
            thing * x


# Operations with several results, and inside one another


class Halves(Op):
    """x in two halves: an operation with a tuple of results."""

    bundle = True

    def forward(self, xp: Any, x: Any) -> Any:
        return x[: len(x) // 2], x[len(x) // 2 :]

    def vjp_x(self, xp: Any, grad: Any, out: Any, x: Any) -> Any:
        whole = xp.zeros_like(x) if not isinstance(x, Tensor) else x * 0.0
        for part, index in zip(grad, (slice(0, len(x) // 2), slice(len(x) // 2, None))):
            if part is not None:
                moved = xp.into(part, index, xp.shape(x))
                whole = whole + (moved.dense() if hasattr(moved, "dense") else moved)
        return whole


@pytest.mark.parametrize("looking", [False, True])
@pytest.mark.parametrize("used", ["both", "first", "second", "first twice"])
def test_operations_with_several_results(looking: bool, used: str) -> None:
    x = leaf([1.0, 2.0, 3.0, 4.0])

    def loss() -> Any:
        a, b = results(apply(Halves.shared, x))
        return {"both": (a * b), "first": a * a, "second": b * 3, "first twice": a * 2 + a}[used].sum()

    expected = {"both": [3, 4, 1, 2], "first": [2, 4, 0, 0], "second": [0, 0, 3, 3], "first twice": [3, 3, 0, 0]}[used]
    with minitorch.inspect() if looking else minitorch.enable_grad():
        loss().backward()
        assert x.grad.tolist() == expected
        x.grad = None
        stepper = minitorch.Stepper(loss())
        stepper.run()
        assert x.grad.tolist() == expected
        stepper.goto(0)
        assert x.grad is None
    (first,) = minitorch.grad(loss(), x, create_graph=True)
    assert first.tolist() == expected


class Doubled(Op):
    """An operation whose forward uses another."""

    def forward(self, xp: Any, x: Any) -> Any:
        return (Tensor(x) + Tensor(x)).raw

    def vjp_x(self, xp: Any, grad: Any, out: Any, x: Any) -> Any:
        return grad * 2.0


def test_an_operation_may_use_others() -> None:
    x = leaf([1.0, 2.0])
    apply(Doubled.shared, x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


# Threads


def test_modes_belong_to_their_thread() -> None:
    seen: dict[str, bool] = {}
    inside, leave = threading.Event(), threading.Event()

    def worker() -> None:
        seen["before"] = minitorch.is_grad_enabled()
        with no_grad():
            inside.set()
            leave.wait(10)
            seen["within"] = minitorch.is_grad_enabled()

    thread = threading.Thread(target=worker)
    with no_grad():
        thread.start()
        inside.wait(10)
        assert not minitorch.is_grad_enabled()
    assert minitorch.is_grad_enabled() and (leaf([1.0]) * 2).requires_grad
    leave.set()
    thread.join()
    assert seen == {"before": True, "within": False}


def test_threads_build_and_differentiate_at_once() -> None:
    errors: list[BaseException] = []

    def worker(seed: int) -> None:
        try:
            for k in range(30):
                v = Value(float(seed))
                (v * v * k).backward()
                assert v.grad == 2.0 * seed * k
                x = leaf([float(seed)] * 4)
                (x * x * k).sum().backward()
                assert x.grad.tolist() == [2.0 * seed * k] * 4
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=worker, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


# Any program, in both engines


@given(programs, st.sampled_from(["float64", "float32"]))
def test_random_programs_agree_with_pytorch(program: Program, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    root, leaves = build_tensors(program, dtype, value=False)
    theirs, peers = build_tensors(program, dtype, torch, value=False)
    tolerance = 1e-9 if dtype == "float64" else 1e-3
    assert root.dtype == dtype and root.shape == tuple(theirs.shape)
    np.testing.assert_allclose(root.item(), theirs.item(), tolerance, tolerance)
    found = minitorch.grad(root, leaves, create_graph=True, allow_unused=True)
    expected = torch.autograd.grad(theirs, peers, create_graph=True, allow_unused=True)
    for a, b in zip(found, expected):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.shape == tuple(b.shape) and a.dtype == dtype
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), tolerance * 10, tolerance * 10)
    again = sum(((a * a).sum() for a in found if a is not None and a.requires_grad), start=leaves[0].sum() * 0.0)
    theirs_again = sum(((b * b).sum() for b in expected if b is not None and b.requires_grad), start=peers[0].sum() * 0.0)
    if dtype == "float64":
        second = minitorch.grad(again, leaves, allow_unused=True)
        for a, b in zip(second, torch.autograd.grad(theirs_again, peers, allow_unused=True)):
            left, right = (0.0 if g is None else g.detach().numpy() for g in (a, b))
            np.testing.assert_allclose(left + np.zeros(np.shape(right)), right, 1e-6, 1e-6)


@given(programs, st.lists(numbers, min_size=1, max_size=3))
def test_random_programs_of_values_agree_with_pytorch(program: Program, start: list[float]) -> None:
    torch = pytest.importorskip("torch")
    root, leaves = build_values(program, start)
    peers = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    pool = list(peers)
    for which, i, j in program:
        a, b = pool[i % len(pool)], pool[j % len(pool)]
        made = VALUE_STEPS[which % len(VALUE_STEPS)](a, b) if which % len(VALUE_STEPS) != CHOICE else torch.where(a > b, a, b * 0.5)
        pool.append(made)
    theirs = pool[-1] + 0.0
    if any(node.raw != node.raw for node in ancestors(root)):
        return  # the sign of nan is nan here (as in NumPy), 0 in PyTorch
    np.testing.assert_allclose(root.item(), theirs.item(), 1e-9, 1e-9)
    root.backward()
    theirs.backward()
    if all(np.isfinite(node.raw) and np.isfinite(node.grad or 0.0) for node in ancestors(root)):
        # Elsewhere the two differ: a local derivative of 0 times inf is nan here, and 0 in PyTorch, whose relu selects.
        # Large contributions of either sign leave a sum of few digits: x / x at 1e-24 is 1e24 - 1e24.
        stepper = minitorch.Stepper(root)
        stepper.run()
        rounding = 1e-12 * max(abs(done.contribution) for done in stepper.applied)
        stepper.goto(0)
        for leaf, peer in zip(leaves, peers):
            expected = peer.grad.item() if peer.grad is not None else 0.0
            np.testing.assert_allclose(leaf.grad or 0.0, expected, 1e-7, 1e-7 + rounding)
