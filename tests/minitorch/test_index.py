"""x[index] and x[index] = v for any index, against PyTorch: values, gradients, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import minitorch
from minitorch import Tensor, no_grad, tensor


@st.composite
def shapes_and_indices(draw: Any) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape, and an index with at most one entry per axis; all arrays in it broadcast together."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    common = draw(st.sampled_from([(2,), (1,), (3,), (2, 1), ()]))
    index: list[Any] = []
    axis, skipped = 0, False
    while axis < len(shape):
        kind = draw(st.sampled_from(["int", "slice", "slice", "array", "array", "list", "mask", "none", "rest", "stop"]))
        size = shape[axis]
        if kind == "stop":
            break
        if kind == "none":
            if sum(i is None for i in index) == 2:
                break
            index.append(None)
            continue
        if kind == "rest":
            if not skipped:
                skipped = True
                index.append(...)
                axis += draw(st.integers(0, len(shape) - axis))
            continue
        if kind == "int":
            index.append(draw(st.integers(-size, size - 1)))
        elif kind == "slice":
            bound = st.none() | st.integers(-size - 1, size + 1)
            index.append(slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3))))
        elif kind == "mask":
            index.append(np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size))))
        elif kind == "list":
            index.append(draw(st.lists(st.integers(-size, size - 1), min_size=2, max_size=2)))
        else:
            count = int(np.prod(common))
            places = draw(st.lists(st.integers(-size, size - 1), min_size=count, max_size=count))
            index.append(np.array(places).reshape(common))
        axis += 1
    return shape, tuple(index)


def for_torch(torch: Any, index: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)


def for_us(index: tuple[Any, ...], as_tensors: bool) -> tuple[Any, ...]:
    return tuple(tensor(i) if as_tensors and isinstance(i, np.ndarray) else i for i in index)


def attempt(call: Any) -> Any:
    try:
        return call(), None
    except (IndexError, ValueError, RuntimeError, TypeError) as error:
        return None, error


def same(a: Tensor, b: Any, what: str) -> None:
    assert a.shape == tuple(b.shape), f"{what} has shape {a.shape}, not {tuple(b.shape)}"
    np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy(), what)


@given(shapes_and_indices(), st.booleans())
def test_reading_is_pytorchs(case: Any, as_tensors: bool) -> None:
    torch = pytest.importorskip("torch")
    shape, index = case
    numbers = np.arange(float(np.prod(shape))).reshape(shape)
    x, peer = tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)
    expected, refused = attempt(lambda: peer[for_torch(torch, index)])
    found, error = attempt(lambda: x[for_us(index, as_tensors)])
    if refused is not None:
        assert error is not None, f"{index} of {shape} is refused by PyTorch: {refused}"
        return
    assert error is None, f"{index} of {shape}: {error}"
    same(found, expected, f"x[{index}]")
    weights = np.arange(1.0, expected.numel() + 1).reshape(tuple(expected.shape))
    (grad,) = minitorch.grad(found, x, tensor(weights), create_graph=True)
    (theirs,) = torch.autograd.grad(expected, peer, torch.tensor(weights))
    same(grad, theirs, f"the gradient of x[{index}]")


@given(shapes_and_indices(), st.booleans(), st.sampled_from(["number", "whole", "row"]), st.booleans())
def test_writing_is_pytorchs(case: Any, as_tensors: bool, value: str, recorded: bool) -> None:
    torch = pytest.importorskip("torch")
    shape, index = case
    numbers = np.arange(float(np.prod(shape))).reshape(shape)
    target, refused = attempt(lambda: torch.tensor(numbers)[for_torch(torch, index)])
    assume(refused is None)
    part = tuple(target.shape)
    places = torch.arange(numbers.size).reshape(shape)[for_torch(torch, index)].reshape(-1).tolist()
    assume(value == "number" or len(set(places)) == len(places))  # of two values for one place, either may win
    assume(value != "row" or part)
    choices = {
        "number": 7.5,
        "whole": 100 + np.arange(float(np.prod(part))).reshape(part),
        "row": np.arange(float(part[-1] if part else 1)),
    }
    written = choices[value]
    x, peer = tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)
    v = tensor(written, dtype="float64", requires_grad=True)
    w = torch.tensor(written, dtype=torch.float64, requires_grad=True)
    y, z = x * 2.0, peer * 2.0
    if recorded:
        z[for_torch(torch, index)] = w
        y[for_us(index, as_tensors)] = v
    else:
        with no_grad(), torch.no_grad():
            z[for_torch(torch, index)] = w
            y[for_us(index, as_tensors)] = v
    same(y, z, f"x after x[{index}] = {value}")
    if recorded:
        weights = np.arange(1.0, numbers.size + 1).reshape(shape)
        found = minitorch.grad(y, [x, v], tensor(weights), allow_unused=True)
        expected = torch.autograd.grad(z, [peer, w], torch.tensor(weights), allow_unused=True)
        for a, b in zip(found, expected):
            left, right = (np.zeros(()) if g is None else g.numpy() for g in (a, b))
            np.testing.assert_array_equal(left + 0 * right, right + 0 * left, f"gradient after x[{index}] = {value}")


@given(shapes_and_indices())
def test_a_view_edits_its_base_where_pytorchs_does(case: Any) -> None:
    torch = pytest.importorskip("torch")
    shape, index = case
    numbers = np.arange(float(np.prod(shape))).reshape(shape)
    x, peer = tensor(numbers), torch.tensor(numbers)
    expected, refused = attempt(lambda: peer[for_torch(torch, index)])
    assume(refused is None)
    part = x[index]
    part += 1000.0
    expected += 1000.0
    same(x, peer, f"the base after an edit of x[{index}]")
    same(part, expected, f"x[{index}] after its edit")
