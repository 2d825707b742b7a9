"""Value: one float in a graph. Its inlined arithmetic against the table, IEEE results, the neighbours of a float."""

from __future__ import annotations

import itertools
import math
import operator
import random
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, Value, tensor
from minitorch.core.apply import apply
from minitorch.ops import elementwise

from .opentry import SPECIAL

ARITHMETIC = {
    operator.add: elementwise.Add,
    operator.sub: elementwise.Sub,
    operator.mul: elementwise.Mul,
    operator.truediv: elementwise.Div,
    operator.pow: elementwise.Pow,
}
NUMBERS = (2.5, -3, True, np.float64(0.5), np.float32(1.5), np.int64(2), np.array(2.0), 0)


def same_number(a: float, b: float) -> bool:
    """Equal bits: nan equals nan, and -0.0 differs from 0.0."""
    return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))


@pytest.mark.parametrize("sign", ARITHMETIC, ids=lambda f: f.__name__)
def test_arithmetic_is_the_operations(sign: Any) -> None:
    op = ARITHMETIC[sign].shared
    for x, y in itertools.product(SPECIAL, SPECIAL):
        a, b = Value(x), Value(y)
        inlined, general = sign(a, b), apply(op, a, b)
        for left, right, inputs in (
            (inlined, general, (a, b)), (sign(a, y), apply(op, a, y), (a, y)), (sign(x, b), apply(op, x, b), (x, b))
        ):  # fmt: skip
            assert type(left) is Value and type(left.raw) is float
            assert left.op is op and left.inputs == right.inputs == inputs
            assert all(p is q for p, q in zip(left.inputs, inputs))
            assert same_number(left.raw, right.raw), (x, y, left.raw, right.raw)


@pytest.mark.parametrize("inlined", ["__neg__", "relu", "tanh"])
def test_inlined_functions_are_the_operations(inlined: str) -> None:
    name = {"__neg__": "neg"}.get(inlined, inlined)
    for x in (*SPECIAL, 20.0, -20.0, 1e-300):
        a = Value(x)
        fast, general = getattr(a, inlined)(), apply(getattr(elementwise, name.capitalize()).shared, a)
        with minitorch.inspect():
            looked_at = getattr(a, inlined)()
        for out in (fast, general, looked_at):
            assert type(out.raw) is float and out.op is general.op and out.inputs[0] is a
            assert same_number(out.raw + 0.0, general.raw + 0.0)


@pytest.mark.parametrize("sign", ARITHMETIC, ids=lambda f: f.__name__)
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_any_number_may_stand_on_either_side(sign: Any, number: Any) -> None:
    for result in (sign(Value(2.0), number), sign(number, Value(2.0))):
        if isinstance(number, np.ndarray):
            assert type(result) is Tensor and result.shape == ()
        else:
            assert type(result) is Value and type(result.raw) is float
    number = number.item() if isinstance(number, (np.generic, np.ndarray)) else number
    with np.errstate(all="ignore"):
        assert sign(Value(2.0), number).item() == sign(np.float64(2.0), number)
        assert sign(number, Value(2.0)).item() == sign(np.float64(number), np.float64(2.0))


def test_gradients_of_inlined_arithmetic_are_the_rules() -> None:
    for sign in ARITHMETIC:
        for x, y in [(0.7, 1.3), (2.0, 3.0), (1.5, 0.5)]:
            a, b = Value(x), Value(y)
            found = minitorch.grad(sign(a, b), [a, b])
            expected = minitorch.grad(apply(ARITHMETIC[sign].shared, a, b), [a, b], create_graph=True)
            assert [g.raw for g in found] == [g.raw for g in expected]


def test_ieee_results_are_never_exceptions() -> None:
    assert Value(1000).exp().item() == math.inf
    assert math.isnan(Value(-1).log().item())
    assert Value(0).log().item() == -math.inf
    assert (1 / Value(0)).item() == math.inf and (Value(-1) / 0).item() == -math.inf
    assert math.isnan((Value(0) / 0).item())
    assert math.isnan((Value(-8) ** (1 / 3)).item())
    assert (Value(0) ** -1).item() == math.inf and (0 ** Value(-1)).item() == math.inf
    assert (Value(10.0) ** 400).item() == math.inf
    assert math.isnan(Value(-1).sqrt().item())
    assert math.isnan(Value(math.inf).sin().item())
    assert Value(-1000).sigmoid().item() == 0.0 and Value(1000).sigmoid().item() == 1.0
    assert Value(1000).tanh().item() == 1.0


def test_gradients_where_results_are_not_finite() -> None:
    for make in (lambda v: v.exp(), lambda v: v.log(), lambda v: 1 / v, lambda v: v**-1, lambda v: v.sqrt()):
        for x in SPECIAL:
            v, point = Value(x), tensor(x, dtype="float64", requires_grad=True)
            make(v).backward()
            make(point).backward()
            np.testing.assert_allclose(v.grad, point.grad.item(), rtol=1e-14)


def test_two_edges_of_one_input() -> None:
    a = Value(1)
    b = a + a
    c = b + b
    assert b.inputs == (a, a) and b.inputs[0] is b.inputs[1] is a
    c.backward()
    assert (a.grad, b.grad, c.grad) == (4.0, 2.0, 1.0)
    c.backward()
    assert (a.grad, b.grad, c.grad) == (8.0, 4.0, 2.0)


def test_karpathys_examples() -> None:
    """The expressions of micrograd's test file, with the gradients PyTorch gives them."""
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.item(), x.grad) == (-20.0, 46.0)

    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + (b + a).relu())
    d = d + (3 * d + (b - a).relu())
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    assert abs(g.item() - 24.70408163265306) < 1e-12
    assert abs(a.grad - 138.83381924198252) < 1e-10 and abs(b.grad - 645.5772594752186) < 1e-10


def test_micrograds_network_trains_to_the_same_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = pytest.importorskip("micrograd.engine")
    nn = pytest.importorskip("micrograd.nn")
    theirs, ours = (moons_losses(nn, cls, monkeypatch) for cls in (engine.Value, Value))
    assert len(theirs) == 6 and theirs[-1] < theirs[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def moons_losses(nn: Any, cls: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Six steps of micrograd's demo: an MLP of scalars, the max-margin loss with L2, plain gradient descent."""
    monkeypatch.setattr(nn, "Value", cls)
    random.seed(1337)
    draw = np.random.default_rng(0)
    angles = draw.uniform(0, math.pi, 16)
    points = [(math.cos(t), math.sin(t)) if i % 2 else (1 - math.cos(t), 0.5 - math.sin(t)) for i, t in enumerate(angles)]
    signs = [1 if i % 2 else -1 for i in range(16)]
    model = nn.MLP(2, [6, 6, 1])
    losses = []
    for step in range(6):
        scores = [model([cls(x), cls(y)]) for x, y in points]
        margins = [(1 + -sign * score).relu() for sign, score in zip(signs, scores)]
        data_loss = sum(margins) * (1.0 / len(margins))
        penalty = 1e-4 * sum(p * p for p in model.parameters())
        loss = data_loss + penalty
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * step / 100) * p.grad
        losses.append(loss.data)
    return losses


def test_it_behaves_like_its_number() -> None:
    a = Value(2.5)
    assert float(a) == 2.5 and int(a) == 2 and bool(a) and not Value(0)
    assert f"{a:.2f}" == "2.50" and f"{a}" == "Value(2.5)"
    assert a == 2.5 and a != 2 and a > 2 and a >= 2.5 and a < 3 and a <= Value(3) and 2 < a < 3
    assert not a == None and a != "2.5"  # noqa: E711
    assert sorted([Value(3), Value(1)])[0] == 1 and max(Value(3), Value(1)) == 3
    assert math.floor(float(a)) == 2 and math.exp(a) == math.exp(2.5)
    assert sum([Value(1), Value(2)]).item() == 3.0
    assert len({a, Value(2.5)}) == 2  # equal numbers, two nodes
    assert +a is a and abs(Value(-2)).item() == 2.0
    assert repr(Value(1e10)) == "Value(1e+10)" and repr(Value(math.nan)) == "Value(nan)"
    assert repr(Value(2, name="w")) == "Value(2.0, name='w')"


@pytest.mark.parametrize("thing", ["2", b"2", None, 1j, [1.0], object], ids=repr)
def test_what_is_no_number_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="number"):
        Value(thing)


def test_a_node_is_not_wrapped_again() -> None:
    with pytest.raises(TypeError, match="use it as it is"):
        Value(Value(1))
    with pytest.raises(TypeError, match="use it as it is"):
        Value(tensor(1.0))


@pytest.mark.parametrize("thing", ["2", None, 1j, [1.0], object], ids=repr)
def test_arithmetic_with_what_is_no_number_is_a_type_error(thing: Any) -> None:
    for sign in ARITHMETIC:
        with pytest.raises(TypeError):
            sign(Value(1), thing)
        with pytest.raises(TypeError):
            sign(thing, Value(1))


def test_an_operand_that_knows_values_is_asked() -> None:
    class Money:
        def __radd__(self, other: Any) -> str:
            return "asked"

    assert Value(1) + Money() == "asked"


def test_numpy_arrays_and_values() -> None:
    a = Value(2.0)
    for out in (np.array([1.0, 2.0]) * a, a * np.array([1.0, 2.0])):
        assert type(out) is Tensor and out.tolist() == [2.0, 4.0]
        a.grad = None
        out.sum().backward()
        assert a.grad == 3.0 and type(a.grad) is float
    with pytest.raises(TypeError, match="stack"):
        tensor([Value(1), Value(2)])


def test_tensor_functions_say_how_values_enter() -> None:
    for call in (
        lambda v: minitorch.sum(v), lambda v: minitorch.reshape(v, (1,)), lambda v: minitorch.softmax(v, 0),
        lambda v: minitorch.cat([v, v]), lambda v: minitorch.clone(v), lambda v: minitorch.matmul(v, v),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)) as error:
            call(Value(1.0))
        assert "\n" not in str(error.value) and "backend" not in str(error.value)


def test_data_belongs_to_leaves() -> None:
    a = Value(1.0)
    b = a * 3
    a.data = 5
    assert a.data == 5.0 and type(a.data) is float and b.data == 3.0
    with pytest.raises(ValueError, match="'b' was computed by mul"):
        b.data = 1.0
    with pytest.raises(TypeError):
        a.data = "x"  # type: ignore[assignment]


def test_a_leaf_changed_after_it_was_read_is_named() -> None:
    weight = Value(2.0)
    out = weight * weight
    weight.data = 3.0
    with pytest.raises(RuntimeError, match="'weight', read by mul, was edited"):
        out.backward()
    assert weight.grad is None
    fine = weight + 1.0  # adding needs no numbers
    weight.data = 4.0
    fine.backward()
    assert weight.grad == 1.0


def test_detach_cuts() -> None:
    a = Value(2.0)
    b = (a * a).detach()
    (a * b).backward()
    assert a.grad == 4.0 and b.grad == 2.0 and b.is_leaf


def test_a_value_edited_before_backward_is_called_a_value() -> None:
    values = [Value(2.0)]
    squared = values[0] * values[0]
    values[0].data = 3.0
    with pytest.raises(RuntimeError, match=r"^a Value, read by mul, was edited in place .* edit a copy \(x = Value\(x\.data\)\)$"):
        squared.backward()
