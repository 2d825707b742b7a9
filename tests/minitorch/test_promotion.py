"""Dtypes of results when the inputs' differ: PyTorch's rules."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, tensor

DTYPES = ("bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64")
NUMBERS = (True, 2, 2.5)
KINDS = [*NUMBERS, *itertools.product((0, 1), DTYPES)]
"""A Python number, or (number of axes, dtype) of a tensor."""

FUNCTIONS = {
    "a + b": lambda lib, a, b: a + b,
    "a - b": lambda lib, a, b: a - b,
    "a * b": lambda lib, a, b: a * b,
    "a / b": lambda lib, a, b: a / b,
    "a // b": lambda lib, a, b: a // b,
    "a % b": lambda lib, a, b: a % b,
    "a & b": lambda lib, a, b: a & b,
    "a ^ b": lambda lib, a, b: a ^ b,
    "a == b": lambda lib, a, b: a == b,
    "a < b": lambda lib, a, b: a < b,
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "atan2": lambda lib, a, b: lib.atan2(a, b),
    "clamp": lambda lib, a, b: lib.clamp(a, min=b),
    "where": lambda lib, a, b: lib.where(lib.tensor([True, False, True]), a, b),
    "cat": lambda lib, a, b: lib.cat([a, b]),
    "stack": lambda lib, a, b: lib.stack([a, b]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_operands(name: str) -> None:
    torch = pytest.importorskip("torch")
    wrong, compared = [], 0
    for first, second in itertools.product(KINDS, KINDS):
        if not (isinstance(first, tuple) or isinstance(second, tuple)):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = FUNCTIONS[name](torch, operand(first, torch.tensor), operand(second, torch.tensor))
        except (RuntimeError, TypeError, IndexError):  # PyTorch has no such function of these
            continue
        found = FUNCTIONS[name](minitorch, operand(first, Tensor), operand(second, Tensor))
        compared += 1
        if str(expected.dtype) != f"torch.{found.dtype}":
            wrong.append(f"{first} and {second}: {found.dtype}, PyTorch {expected.dtype}")
    assert compared > 60 and not wrong


def operand(kind, wrap):
    if not isinstance(kind, tuple):
        return kind
    ndim, dtype = kind
    return wrap(np.ones((3,) * ndim, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_operand(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    x = np.array([1, 0, 1], dtype)
    for name in (
        "exp sin sqrt sigmoid floor round abs neg sum prod cumsum amax argmax std logsumexp any all count_nonzero reciprocal "
        "rsqrt trunc erf isnan logical_not sort"
    ).split():
        more = (0,) if name in ("cumsum", "logsumexp") else ()
        try:
            expected = getattr(torch, name)(torch.tensor(x), *more)
        except (RuntimeError, NotImplementedError):
            continue
        found = getattr(minitorch, name)(Tensor(x), *more)
        pairs = zip(found, expected) if isinstance(found, tuple) else [(found, expected)]
        for ours, theirs in pairs:
            assert f"torch.{ours.dtype}" == str(theirs.dtype), name


def test_a_value_widens_nothing() -> None:
    x = tensor([1.0, 2.0])
    out = x * minitorch.Value(2.0)
    assert out.dtype == np.float32


def test_gradients_come_in_the_dtype_of_their_tensor() -> None:
    narrow = tensor([1.0, 2.0], requires_grad=True)
    wide = tensor([3.0, 4.0], dtype="float64", requires_grad=True)
    out = narrow * wide
    assert out.dtype == np.float64
    out.sum().backward()
    assert narrow.grad.dtype == np.float32 and wide.grad.dtype == np.float64
    assert narrow.grad.tolist() == [3.0, 4.0] and wide.grad.tolist() == [1.0, 2.0]


def test_integers_beside_floats_carry_no_gradient() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    (x * tensor([2, 3])).sum().backward()
    assert x.grad.tolist() == [2.0, 3.0] and x.grad.dtype == np.float32
