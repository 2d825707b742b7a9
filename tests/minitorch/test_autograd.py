"""Gradients as values: grad, derivatives of derivatives, a user's Function, modes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, Value, no_grad, tensor
from minitorch.autograd import Function, gradcheck, gradgradcheck


def leaf(*numbers: float) -> Tensor:
    return tensor(list(numbers), dtype="float64", requires_grad=True)


# grad


def test_grad_touches_no_grad() -> None:
    x, v = leaf(1.0, 2.0), Value(3.0)
    for y in ((x * x).sum() * v, v * v):
        found = minitorch.grad(y, [v])
        assert type(found) is tuple and type(found[0]) is Value
        assert x.grad is None and v.grad is None and y.grad is None
    (g,) = minitorch.grad((x * x).sum(), x)
    assert type(g) is Tensor and g.tolist() == [2.0, 4.0] and not g.requires_grad


def test_third_derivatives() -> None:
    for x in (Value(1.5), tensor(1.5, dtype="float64", requires_grad=True)):
        y = x**4 + x.sin() * 2
        (first,) = minitorch.grad(y, x, create_graph=True)
        (second,) = minitorch.grad(first, x, create_graph=True)
        (third,) = minitorch.grad(second, x)
        np.testing.assert_allclose(
            [first.item(), second.item(), third.item()],
            [4 * 1.5**3 + 2 * np.cos(1.5), 12 * 1.5**2 - 2 * np.sin(1.5), 24 * 1.5 - 2 * np.cos(1.5)],
        )


def test_derivatives_through_backward() -> None:
    x = leaf(2.0, 3.0)
    (x**3).sum().backward(create_graph=True)
    first, x.grad = x.grad, None
    assert first.requires_grad and first.tolist() == [12.0, 27.0]
    (first * tensor([1.0, 10.0], dtype="float64")).sum().backward()
    assert x.grad.tolist() == [12.0, 180.0]
    v = Value(2.0)
    (v**3).backward(create_graph=True)
    slope, v.grad = v.grad, None
    slope.backward()
    assert (slope.item(), v.grad) == (12.0, 12.0)


def test_a_gradient_penalty() -> None:
    """The pattern of WGAN-GP: the gradient's norm as a loss."""
    w, x = leaf(1.0, 2.0), leaf(0.5, -1.0)
    score = ((w * x).tanh() * w).sum()
    (slope,) = minitorch.grad(score, x, create_graph=True)
    penalty = ((slope * slope).sum().sqrt() - 1) ** 2
    penalty.backward()

    def value(numbers: np.ndarray) -> float:
        t = np.tanh(numbers * x.numpy_())
        return (np.sqrt(np.sum(((1 - t * t) * numbers**2) ** 2)) - 1) ** 2

    x.__dict__["numpy_"] = lambda: x.detach().numpy()
    for i in range(2):
        step = np.zeros(2)
        step[i] = 1e-6
        numeric = (value(w.detach().numpy() + step) - value(w.detach().numpy() - step)) / 2e-6
        np.testing.assert_allclose(w.grad.numpy()[i], numeric, rtol=1e-6)


def test_several_outputs_add_up() -> None:
    x = leaf(1.0, 2.0)
    y, z = (x * x).sum(), x * 3
    (g,) = minitorch.grad([y, z], x, [tensor(2.0, dtype="float64"), tensor([1.0, 10.0], dtype="float64")], retain_graph=True)
    assert g.tolist() == [2 * 2 + 3, 2 * 4 + 30]
    (g,) = minitorch.grad([y, y], x)
    assert g.tolist() == [4.0, 8.0]


def test_grad_outputs_must_fit() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"shape \(2,\)"):
        minitorch.grad(x * 2, x)
    with pytest.raises(RuntimeError, match=r"\(3,\).*\(2,\)"):
        minitorch.grad(x * 2, x, tensor([1.0, 1.0, 1.0]))
    with pytest.raises(ValueError):
        minitorch.grad([x * 2, x * 3], x, [tensor([1.0, 1.0])])


def test_unused_inputs() -> None:
    x, unused, plain = leaf(1.0), leaf(2.0), tensor([1.0])
    y = (x * plain).sum()
    with pytest.raises(RuntimeError, match=r"'unused'.*allow_unused=True"):
        minitorch.grad(y, [x, unused], retain_graph=True)
    with pytest.raises(RuntimeError, match=r"'plain' \(it does not require a gradient\)"):
        minitorch.grad(y, [plain], retain_graph=True)
    found = minitorch.grad(y, [x, unused], allow_unused=True)
    assert found[0].tolist() == [1.0] and found[1] is None


def test_interior_nodes_and_the_output_itself() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    z = (y * y).sum()
    dy, dz = minitorch.grad(z, [y, z], retain_graph=True)
    assert dy.tolist() == [4.0, 8.0] and dz.item() == 1.0
    dx, dy = minitorch.grad(z, [x, y])
    assert dx.tolist() == [8.0, 16.0] and dy.tolist() == [4.0, 8.0]


def test_grad_frees_like_backward() -> None:
    x = leaf(1.0)
    y = (x * x).sum()
    minitorch.grad(y, x)
    with pytest.raises(RuntimeError, match="freed"):
        minitorch.grad(y, x)
    y = (x * x).sum()
    minitorch.grad(y, x, create_graph=True)
    minitorch.grad(y, x, retain_graph=True)
    y.backward()


def test_second_derivatives_of_what_is_linear_are_zero_or_absent() -> None:
    x = leaf(1.0, 2.0)
    (g,) = minitorch.grad((x * 3).sum(), x, create_graph=True)
    assert not g.requires_grad
    y = leaf(1.0, 2.0)
    (g,) = minitorch.grad((x * y).sum(), x, create_graph=True)
    assert minitorch.grad(g.sum(), x, allow_unused=True) == (None,)


# Modes


def test_nothing_is_recorded_under_no_grad() -> None:
    x, v = leaf(1.0), Value(1.0)
    with no_grad():
        assert not minitorch.is_grad_enabled()
        for y in (x * 2, v * 2, v + v, -v, v.tanh(), x.sum(), x[0], minitorch.stack([v, v])):
            assert y.is_leaf and y.inputs == ()
        with minitorch.enable_grad():
            assert (x * 2).requires_grad and (v * 2).op is not None
        assert (x * 2).is_leaf
    assert minitorch.is_grad_enabled() and not (x * 2).is_leaf


def test_modes_end_with_the_block_also_by_an_exception() -> None:
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert minitorch.is_grad_enabled()


def test_one_setting_within_itself() -> None:
    off = no_grad()
    with off:
        with off:
            pass
        assert not minitorch.is_grad_enabled()
    assert minitorch.is_grad_enabled()


def test_modes_as_decorators() -> None:
    @no_grad()
    def off(x: Any) -> Any:
        return x * 2

    @minitorch.enable_grad()
    def on(x: Any) -> Any:
        """Documented."""
        return x * 2

    @minitorch.set_grad_enabled(False)
    def set_off(x: Any) -> Any:
        return x * 2

    @no_grad
    def bare(x: Any) -> Any:
        return x * 2

    @minitorch.inference_mode
    def inferred(x: Any) -> Any:
        return x * 2

    assert minitorch.is_grad_enabled(), "decorating is not calling"
    x = leaf(1.0)
    assert bare(x).is_leaf and inferred(x).is_leaf and off(x).is_leaf and set_off(x).is_leaf and on.__doc__ == "Documented."
    with no_grad():
        assert on(x).requires_grad
    assert minitorch.is_grad_enabled()


def test_set_grad_enabled() -> None:
    with minitorch.set_grad_enabled(False):
        assert not minitorch.is_grad_enabled()
    assert minitorch.is_grad_enabled()
    minitorch.set_grad_enabled(False)
    assert not minitorch.is_grad_enabled()
    minitorch.set_grad_enabled(True)
    assert minitorch.is_grad_enabled()
    with minitorch.inference_mode():
        assert (leaf(1.0) * 2).is_leaf


def test_backward_itself_records_nothing() -> None:
    seen = []

    class Spy(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            seen.append((minitorch.is_grad_enabled(), grad.requires_grad))
            return grad * 2

    Spy.apply(leaf(1.0)).sum().backward()
    assert seen == [(False, False)]


# A user's Function


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (y,) = ctx.saved_tensors
        return grad * y


class Product(Function):
    """Its gradients at [1, 1] are the very inputs."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return (a * b).sum()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return b, a


class Twice(Function):
    """One gradient, returned for two inputs."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        return 2 * (a + b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        both = grad * 2
        return both, both


def test_a_function_of_ones_own() -> None:
    x = leaf(1.0, 2.0)
    y = Cube.apply(x)
    assert y.op.name == "Cube" and "3 * x ** 2" in y.op.formula(0)
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0]
    stepper = minitorch.Stepper(Cube.apply(x).sum())
    stepper.run()
    assert stepper.last.label == "x"
    with no_grad():
        assert Cube.apply(x).is_leaf
    v = Value(2.0)
    out = Cube.apply(v)
    assert type(out) is Value and out.item() == 8.0
    out.backward()
    assert v.grad == 12.0


@pytest.mark.parametrize("function", [Cube, Exp], ids=["saved input", "saved result"])
def test_a_functions_second_derivative_reaches_what_it_saved(function: Any) -> None:
    x = leaf(1.0, 2.0)
    (first,) = minitorch.grad(function.apply(x).sum(), x, create_graph=True)
    (second,) = minitorch.grad(first.sum(), x)
    expected = 6 * x.detach().numpy() if function is Cube else np.exp(x.detach().numpy())
    np.testing.assert_allclose(second.numpy(), expected)
    assert gradcheck(function.apply, leaf(0.5, -1.0)) and gradgradcheck(function.apply, leaf(0.5, -1.0))


@pytest.mark.parametrize("function", [Product, Twice])
def test_gradients_of_a_function_are_nobody_elses(function: Any) -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    function.apply(a, b).sum().backward()
    with no_grad():
        a.grad += 100.0
    assert a.tolist() == [1.0, 2.0] and b.tolist() == [3.0, 4.0]
    assert b.grad.tolist() == ([1.0, 2.0] if function is Product else [2.0, 2.0])


def test_a_value_made_of_tensors() -> None:
    class Total(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.shape = x.shape
            return Value(x.sum().item())

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return tensor(np.full(ctx.shape, float(grad)))

    x = leaf(1.0, 2.0)
    total = Total.apply(x)
    (total * total).backward()
    assert x.grad.tolist() == [6.0, 6.0] and total.grad == 6.0


def test_a_pass_inside_a_pass() -> None:
    """Checkpointing: backward computes the forward again and goes back through it."""

    class Checkpoint(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (x,) = ctx.saved_tensors
            x = x.detach() if isinstance(x, Value) else x.detach().requires_grad_()
            with minitorch.enable_grad():
                y = x * x
            y.backward(grad)
            return Value(x.grad) if isinstance(x, Value) else x.grad

    v = Value(3.0)
    (Checkpoint.apply(v) * 2).backward()
    assert v.grad == 12.0
    x = leaf(1.0, 2.0)
    Checkpoint.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_hooks_see_and_replace_complete_gradients() -> None:
    x = leaf(1.0, 2.0)
    seen: list[Any] = []
    y = x * 2
    y.register_hook(seen.append)
    handle = y.register_hook(lambda grad: grad * 10)
    kept: list[Any] = []
    x.register_hook(kept.append)
    (y + y * 3).sum().backward()
    assert [g.tolist() for g in seen] == [[4.0, 4.0]] and x.grad.tolist() == [80.0, 80.0]
    handle.remove()
    (x * 1.0).sum().backward()
    assert x.grad.tolist() == [81.0, 81.0] and [g.tolist() for g in kept] == [[80.0, 80.0], [1.0, 1.0]]


# Copies


def test_a_deep_copy_is_a_node_of_its_own() -> None:
    w = tensor([1.0, 2.0], requires_grad=True, name="w")
    w.grad = tensor([5.0, 5.0])
    for twin in (copy.deepcopy(w), copy.deepcopy([w])[0]):
        assert twin is not w and twin.requires_grad and twin.tolist() == w.tolist() and twin.stamp != w.stamp
        assert not np.shares_memory(twin.raw, w.raw) and twin.grad.tolist() == [5.0, 5.0]
        out = (w * twin).sum()
        assert len([x for x in minitorch.core.node.ancestors(out) if x.is_leaf]) == 2
    shared = copy.deepcopy([w, w])
    assert shared[0] is shared[1]
    v = Value(2.0)
    other = copy.deepcopy(v)
    assert other is not v and other.item() == 2.0 and len(minitorch.core.node.ancestors(v * other)) == 3
    with pytest.raises(RuntimeError, match="detach"):
        copy.deepcopy(w * 2)


# The checks themselves


def test_gradcheck_finds_a_wrong_rule() -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * x

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * 2.0

    def check(function: Callable[..., Any]) -> bool:
        return gradcheck(function, leaf(0.3, 2.0), raise_exception=False)

    assert check(lambda x: x * x) and not check(Wrong.apply)
    with pytest.raises(RuntimeError, match=r"gradient of input 0\[0\].*2.*finite differences give 0\.6"):
        gradcheck(Wrong.apply, leaf(0.3, 2.0))
    with pytest.raises(ValueError, match="float64"):
        gradcheck(lambda x: x * 2, tensor([1.0], requires_grad=True))


def test_the_first_nan_is_named() -> None:
    x = leaf(-1.0, 0.0)
    with minitorch.autograd.detect_anomaly():
        with pytest.raises(RuntimeError, match=r"log at .*test_autograd\.py:\d+ made the first nan"):
            (x * 2).log().sum()
        y = (x * x).sqrt().sum()
        with pytest.raises(RuntimeError, match=r"sqrt|pow|mul"):
            (y * 0.0).backward()
        with pytest.raises(RuntimeError, match="log"):
            Value(-1.0).log()
    assert np.isnan((x * 2).log().sum().item())


MASKS = {
    "relu": lambda x: x.relu(),
    "clamp": lambda x: x.clamp(min=-0.5),
    "where": lambda x: minitorch.where(x > -0.5, x, x.detach() * 0),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("x", [Value(-1.0), leaf(-1.0)], ids=["value", "tensor"])
def test_what_a_mask_stops_is_stopped_also_where_it_is_infinite(mask: Any, x: Any) -> None:
    x.grad = None
    masked = mask(x)
    ((masked - masked.detach()) ** 0.5).backward(x.detach())  # the slope of a root at 0 is inf, and inf × 0 is nan
    assert float(x.grad) == 0.0  # as PyTorch
    (gradient,) = minitorch.autograd.grad(mask(x) ** 2, x, x.detach(), create_graph=True)
    assert float(gradient) == 0.0


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 4, 2), (4, 4)])
def test_the_whole_singular_value_decomposition_is_square_and_completed_by_constants(shape: tuple[int, ...]) -> None:
    x = tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    U, S, Vh = minitorch.linalg.svd(x)
    (rows, columns), k = shape[-2:], S.shape[-1]
    np.testing.assert_allclose((U.mT @ U).tolist(), np.broadcast_to(np.eye(rows), U.shape), atol=1e-12)
    np.testing.assert_allclose((Vh @ Vh.mT).tolist(), np.broadcast_to(np.eye(columns), Vh.shape), atol=1e-12)
    np.testing.assert_allclose((U[..., :k] * S[..., None, :] @ Vh[..., :k, :]).tolist(), x.tolist(), atol=1e-12)
    ((U[..., :k] ** 2) @ S[..., None] + Vh[..., :1, :1]).sum().backward()
    whole, x.grad = x.grad, None
    U, S, Vh = minitorch.linalg.svd(x, full_matrices=False)
    ((U**2) @ S[..., None] + Vh[..., :1, :1]).sum().backward()
    np.testing.assert_allclose(whole.tolist(), x.grad.tolist(), atol=1e-12)
