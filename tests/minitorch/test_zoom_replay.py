"""Zoom: tensors as the scalars they stand for. Replay: the same operations on other numbers."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import minitorch
import minitorch.nn.functional as F
from minitorch import Stepper, Value, nn, tensor
from minitorch.core.departures import departures
from minitorch.core.node import Node, ancestors
from minitorch.core.replay import replay
from minitorch.core.zoom import unfold, zoom
from minitorch.ops.index import Pick

from .checks import active, outputs, tensors
from .opentry import Entry
from .optable import TABLE
from .programs import CHOICE, OWN_STEPS, VALUE_STEPS, build_tensors, build_values, programs
from .programs import numbers as numbers_drawn
from .test_stepper import bits


def numbers(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.frompyfunc(float, 1, 1)(values), dtype=float)


def leaf(*shape: int, dtype: str = "float64") -> minitorch.Tensor:
    return tensor(np.random.default_rng(sum(shape)).normal(size=shape), dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "function",
    [
        lambda: leaf(2, 3) @ leaf(3, 2),
        lambda: F.softmax(leaf(2, 3), dim=1),
        lambda: F.cross_entropy(leaf(2, 3), tensor([0, 2])),
        lambda: F.conv2d(leaf(1, 2, 5, 5), leaf(3, 2, 3, 3), stride=2, padding=1),
        lambda: F.conv2d(leaf(1, 2, 5, 5), leaf(2, 1, 3, 3), groups=2, dilation=2),
        lambda: F.linear(leaf(2, 3), leaf(4, 3), leaf(4)),
        lambda: leaf(2, 3).var(1),
        lambda: leaf(2, 3).mean(),
        lambda: leaf(2, 3).max(1).values,
        lambda: leaf(2, 3).amax((0, 1)),
        lambda: leaf(3) + leaf(2, 3),
        lambda: leaf(2, 3)[:, [0, 0, 2]],
        lambda: leaf(2, 3).reshape(3, 2).T,
        lambda: leaf(2, 3).sigmoid(),
        lambda: minitorch.stack([Value(1.0), Value(2.0)]),
    ],
)  # fmt: skip
def test_one_operation_is_the_same_numbers_as_its_scalars(function, dtype):
    minitorch.set_default_dtype(dtype)
    try:
        out = function()
    finally:
        minitorch.set_default_dtype("float32")
    np.testing.assert_allclose(numbers(zoom(out)[out]), out.raw, rtol=1e-12 if out.dtype == "float64" else 1e-5, atol=1e-12)


LIBRARY = {"cholesky", "det", "inv", "log_abs_det", "solve", "svd"}
"""Operations that a library computes as a whole."""


def recorded_by(entry: Entry) -> list[Node]:
    """The nodes that a function of the table leaves behind, and those of its gradient."""
    nodes = []
    for sample in entry.samples[:6]:
        try:
            inputs = tensors(sample, sample.arrays(entry.name))
            results = [y for y in outputs(entry, sample, inputs) if isinstance(y, Node) and y.requires_grad]
        except (TypeError, ValueError, RuntimeError):  # a sample of another kind: an error, a Value
            continue
        if entry.twice and results and sample is entry.samples[0]:
            total = sum((y * y).sum() for y in results)
            found = minitorch.grad(total, active(inputs), create_graph=True, allow_unused=True)
            results += [x for x in found if x is not None]
        nodes += [node for y in results for node in ancestors(y) if node.op is not None]
    return nodes


def elements(node: Node) -> int:
    return sum(np.size(raw) for raw in (node.raw if isinstance(node.raw, tuple) else (node.raw,)))


def test_every_operation_of_the_table_is_its_scalars_or_refused_by_name():
    minitorch.set_default_dtype("float64")
    count: dict[str, int] = {}
    refused, zoomed = set(), set()
    try:
        for node in (node for entry in TABLE for node in recorded_by(entry)):
            size = elements(node) + sum(elements(x) for x in node.inputs if isinstance(x, Node))
            if size > 300 or count.get(repr(node.op), 0) >= 2:
                continue
            count[repr(node.op)] = count.get(repr(node.op), 0) + 1
            behind = node.inputs[0].op if isinstance(node.op, Pick) else node.op
            if behind.name in LIBRARY:
                with pytest.raises(ValueError, match=f"cannot be zoomed into, {behind.name} has no form in single numbers"):
                    zoom(node)
                refused.add(behind.name)
                continue
            zoomed.add(node.op.name)
            values = zoom(node)[node]
            for made, raw in zip(values, node.raw) if isinstance(values, tuple) else [(values, node.raw)]:
                np.testing.assert_allclose(numbers(made), raw, rtol=1e-12, atol=1e-12, err_msg=repr(node.op))
                assert raw.__class__ is float or raw.dtype.kind != "f" or all(isinstance(v, Value) for v in made.reshape(-1))
    finally:
        minitorch.set_default_dtype("float32")
    assert refused == LIBRARY and {"lstm", "grid_sample", "avg_pool", "conv_transpose", "layer_norm", "dropout"} <= zoomed


def test_one_of_several_results_is_zoomed_through_its_operation():
    lstm = nn.LSTMCell(2, 3)
    h, c = lstm(leaf(1, 2, dtype="float32"))
    for out in (h, c):
        np.testing.assert_allclose(numbers(zoom(out)[out]), out.raw, rtol=1e-5)


def test_the_same_draws_and_a_constant_border():
    x = leaf(4, 4)
    dropped, padded = F.dropout(x, 0.5), F.pad(x, (1, 1))
    assert (numbers(zoom(dropped)[dropped]) == dropped.raw).all()
    assert [v.data for v in zoom(padded)[padded][:, 0]] == [0.0] * 4


class Half(minitorch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 0.5

    @staticmethod
    def backward(ctx, grad):
        return grad * 0.5


def test_a_function_of_ones_own_and_a_freed_graph_are_refused_by_name():
    y = Half.apply(leaf(2)).named("y")
    with pytest.raises(ValueError, match="'y' cannot be zoomed into, Half has no form in single numbers"):
        zoom(y)
    z = (leaf(2) * 2).named("z")
    z.sum().backward()
    with pytest.raises(RuntimeError, match="the graph behind 'z' was freed"):
        zoom(z)


def test_a_whole_graph_unfolds_with_the_same_gradients_and_readable_names():
    x, w = leaf(2, 3).named("x"), leaf(3, 2).named("w")
    loss = F.cross_entropy((x @ w).tanh(), tensor([0, 1]))
    values = unfold(loss)
    values[loss][()].backward()
    loss.backward()
    np.testing.assert_allclose([[v.grad for v in row] for row in values[w]], w.grad.numpy(), rtol=1e-12)
    assert values[w][1, 0].name == "w[1,0]"


def test_a_leaf_and_a_large_operation_are_refused_by_name():
    x = leaf(2, 3).named("x")
    with pytest.raises(ValueError, match="'x' is a leaf"):
        zoom(x)
    big = (leaf(100, 100) * 2.0).named("big")
    with pytest.raises(ValueError, match=r"'big' is too large to zoom into: mul has 20,000 elements in and out"):
        zoom(big)


def test_replay_equals_building_the_graph_afresh_and_leaves_the_old_one_alone():
    w, x = Value(2.0, name="w"), Value(3.0)

    def build(w: Value) -> Value:
        return (w * x).tanh() + w

    y = build(w)
    before = y.data
    again = replay(y, {w: 0.25})
    fresh = Value(0.25)
    expected = build(fresh)
    again[y].backward()
    expected.backward()
    assert again[y].data == expected.data and again[w].grad == fresh.grad
    assert (y.data, w.data, w.grad, again[w].name) == (before, 2.0, None, "w")
    assert x not in again  # what does not depend on the change is shared


def test_replay_of_tensors_reuses_what_was_drawn_and_checks_shapes():
    x = leaf(4, 4)
    dropped = F.dropout(x, 0.5, training=True)
    loss = (dropped * 3).sum()
    again = replay(loss, {x: x.raw * 2})
    np.testing.assert_allclose(again[dropped].raw, dropped.raw * 2)  # the same mask
    np.testing.assert_allclose(again[loss].raw, loss.raw * 2)
    with pytest.raises(ValueError, match=r"has shape \(4, 4\), its new value \(2,\)"):
        replay(loss, {x: [1.0, 2.0]})


def test_a_changed_result_becomes_a_leaf():
    a = Value(1.0)
    b = a * 2
    c = b * b
    again = replay(c, {b: 5.0})
    again[c].backward()
    assert again[c].data == 25.0 and again[b].grad == 10.0 and a.grad is None


def close(leaves, others):
    """The same gradients; sums may be added up in another order, for what was computed again is newer than what was shared."""
    for x, y in zip(leaves, others):
        assert (x.grad is None) == (y.grad is None)
        if x.grad is not None:
            one, other = (np.asarray(getattr(g, "raw", g)) for g in (x.grad, y.grad))
            size = np.abs(other[np.isfinite(other)]).max(initial=1.0)
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * size)


@given(programs, st.lists(numbers_drawn, min_size=1, max_size=3), st.integers(0, 2), numbers_drawn)
def test_setting_a_value_equals_building_the_graph_afresh(program, leaves, which, number):
    program = [(operation, i, j) for operation, i, j in program if operation % len(VALUE_STEPS) != CHOICE]
    which %= len(leaves)
    root, start = build_values(program, leaves)
    fresh, others = build_values(program, [number if i == which else x for i, x in enumerate(leaves)])
    again = replay(root, {start[which]: number})
    now = [again.get(x, x) for x in start]
    assert bits(again.get(root, root).raw) == bits(fresh.raw)
    if root.op is not None and root in again:
        order, slots = Stepper(root).plan_again(again)
        anew = Stepper(again[root])
        assert list(map(id, order)) == list(map(id, anew.order)) and slots == anew._slots
    again.get(root, root).backward()
    fresh.backward()
    close(now, others)
    assert bits(root.raw) == bits(build_values(program, leaves)[0].raw) and start[which].raw == leaves[which]


@given(programs, st.floats(0.25, 2.0))
def test_setting_a_tensor_equals_building_the_graph_afresh(program, number):
    def build(first=None):
        minitorch.manual_seed(0)
        return build_tensors(program, steps=OWN_STEPS, first=first)

    (root, start), (fresh, others) = build(), build(number)
    again = replay(root, {start[0]: others[0].raw})
    now = [again.get(x, x) for x in start]
    assert bits(again[root].raw if root in again else root.raw) == bits(fresh.raw)
    again.get(root, root).backward()
    fresh.backward()
    close(now, others)
    assert all(x.grad is None for x in start if x in again)


def test_a_read_of_a_side_node_is_noted_at_what_it_came_from():
    a = Value(2.0)
    with minitorch.inspect():
        b = a * 3
        side = (b - 1) * 2
        answers = [side > 0 for _ in range(3)]
        c = b * b if all(answers) else b
        float(c - 1)
    (found,) = departures(replay(c, {a: 5.0}), c)
    assert (found.node, found.how, found.through) == (b, "greater", "mul")
    assert not departures(replay(c, {a: 5.0}, [a, b, c]).values())
    with minitorch.inspect():
        x = a
        for _ in range(2000):
            x = x + 1
        float(x)
    assert not [d for d in departures([a]) if d.how == "item" and d.through == "add"]  # further than the noting goes


def test_where_a_computed_node_was_changed_the_pass_is_planned_anew():
    a = Value(2.0)
    b = a * 3
    c = b + 1
    assert Stepper(c).plan_again(replay(c, {b: 5.0})) is None


def test_a_leaf_that_was_edited_is_computed_from():
    a = Value(2.0)
    b = a * a
    a.data = 5.0
    assert replay(b, {a: 7.0})[b].raw == 49.0


def test_buffers_stay_and_a_function_of_ones_own_is_refused():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    x = leaf(5, 3, dtype="float32")
    loss = (net(x) ** 2).mean()
    before = net[1].running_mean.numpy().copy()
    replay(loss, {x: x.raw * 3})
    assert (net[1].running_mean.numpy() == before).all()
    with pytest.raises(ValueError, match="'Half' was made by Half, a Function of its own"):
        replay(Half.apply(x).sum(), {x: x.raw})


def test_what_left_the_graph_is_named_with_its_line():
    def program(a, x):
        b = a * 2
        c = b * 3 if b > 1 else b  # 2
        scale = c.item()  # 3
        best = x.argmax()  # 4
        return c * scale + x.detach().sum() * x[best]  # 5

    first = program.__code__.co_firstlineno
    a, x = Value(1.0), leaf(3)
    with minitorch.inspect():
        root = program(a, x)
    again = replay(root, {a: 5.0, x: x.raw * 2})
    found = {(d.how, d.where[1] - first) for d in departures(again)}
    assert found == {("greater", 2), ("item", 3), ("argmax", 4), ("detach", 5)}
    assert all(d.where[0] == __file__ and d.node in again for d in departures(again))
    unseen = Value(1.0)
    assert not departures(again.values()) and not departures(replay(program(unseen, leaf(3)), {unseen: 1.0}))
