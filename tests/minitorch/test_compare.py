"""Comparisons that answer with one bool, comparisons with things that are no numbers, and errors."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import Value, tensor


def test_allclose_and_equal_answer_with_a_bool() -> None:
    a = tensor([1.0, float("inf"), float("nan")])
    b = tensor([1.0 + 1e-6, float("inf"), float("nan")])
    assert minitorch.allclose(a, b) is False and minitorch.allclose(a, b, equal_nan=True) is True
    assert minitorch.allclose(tensor([1.0]), tensor([1.1]), rtol=0.0, atol=0.2) is True
    assert minitorch.equal(tensor([1, 2]), tensor([1, 2])) is True
    assert minitorch.equal(tensor([1, 2]), tensor([1, 3])) is False
    assert minitorch.equal(tensor([1, 2]), tensor([[1, 2]])) is False
    assert minitorch.allclose(Value(1.0), Value(1.0)) is True


def test_a_tensor_equals_nothing_that_is_no_number() -> None:
    x = tensor([1.0, 2.0])
    assert (x == None) is False and (x != None) is True  # noqa: E711
    assert (x == "a tensor") is False
    assert x in {x} and {x: 1}[x] == 1  # found by identity


def test_operators_are_the_functions() -> None:
    x, y = tensor([1, 2, 3]), tensor([3, 2, 1])
    for found, expected in (
        (x < y, [True, False, False]), (x <= y, [True, True, False]), (x > y, [False, False, True]), (x >= 2, [False, True, True]),
        (2 > x, [True, False, False]), (x == y, [False, True, False]), (x != 2, [True, False, True]),
        ((x > 1) & (y > 1), [False, True, False]), ((x > 2) | (y > 2), [True, False, True]), (~(x > 1), [True, False, False]),
        ((x > 1) ^ (y > 1), [True, False, True]),
    ):  # fmt: skip
        assert found.tolist() == expected and found.dtype == np.bool_ and not found.requires_grad
    assert (x & 1).tolist() == [1, 0, 1] and (x << 1).tolist() == [2, 4, 6] and (x >> 1).tolist() == [0, 1, 1]


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        _ = tensor([1.0, 2.0]) < tensor([1.0, 2.0, 3.0])


def test_a_comparison_of_numbers_is_a_bool() -> None:
    assert minitorch.lt(Value(1.0), 2) is True and minitorch.isnan(Value(float("nan"))) is True
    assert minitorch.logical_and(Value(1.0), 0) is False


def test_broadcast_shapes() -> None:
    assert minitorch.broadcast_shapes((2, 1), (3,), 1) == (2, 3)
    with pytest.raises(ValueError, match=r"\(2,\), \(3,\) do not broadcast"):
        minitorch.broadcast_shapes((2,), (3,))
