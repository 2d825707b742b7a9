"""Which dtype comes of two: every pair of dtypes, of tensors with axes, 0-d tensors and Python numbers, as in PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import tensor

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]
OPERANDS: list[Any] = [*itertools.product(DTYPES, [(), (2,)]), True, 2, 2.5]

FUNCTIONS: dict[str, Any] = {
    "add": lambda lib, a, b: a + b,
    "sub": lambda lib, a, b: a - b,
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / b,
    "pow": lambda lib, a, b: a**b,
    "floor_divide": lambda lib, a, b: a // b,
    "remainder": lambda lib, a, b: a % b,
    "eq": lambda lib, a, b: a == b,
    "lt": lambda lib, a, b: a < b,
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "atan2": lambda lib, a, b: lib.atan2(a, b),
    "where": lambda lib, a, b: lib.where(lib.tensor([True, False]), a, b),
    "cat": lambda lib, a, b: lib.cat([a, b]),
    "stack": lambda lib, a, b: lib.stack([a, b]),
    "and": lambda lib, a, b: a & b,
    "matmul": lambda lib, a, b: a @ b,
    "clamp": lambda lib, a, b: lib.clamp(a, min=b),
    "lerp": lambda lib, a, b: lib.lerp(a, b, 0.5),
}  # fmt: skip


def make(lib: Any, operand: Any, dtype_of: Any) -> Any:
    if not isinstance(operand, tuple):
        return operand
    dtype, shape = operand
    return lib.tensor(np.full(shape, 3 if dtype != "bool" else 1).tolist(), dtype=dtype_of(dtype))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_have_pytorchs_dtype(name: str) -> None:
    torch = pytest.importorskip("torch")
    differ, compared = [], 0
    for left, right in itertools.product(OPERANDS, OPERANDS):
        if not isinstance(left, tuple) and not isinstance(right, tuple):
            continue
        if name == "pow" and right is True and left[0] == "bool":
            continue  # bools to a power are small integers here
        try:
            expected = FUNCTIONS[name](torch, *(make(torch, x, lambda d: getattr(torch, d)) for x in (left, right)))
        except (RuntimeError, TypeError, IndexError):
            continue
        compared += 1
        wanted = str(expected.dtype).split(".")[1]
        try:
            found: Any = FUNCTIONS[name](minitorch, *(make(minitorch, x, str) for x in (left, right)))
            told = found.dtype.name
        except Exception as error:
            differ.append(f"{left}, {right}: {type(error).__name__} {error}")
            continue
        if told != wanted or not np.allclose(np.asarray(found.raw), expected.numpy(), rtol=1e-3):
            differ.append(f"{left}, {right}: {told} {found.tolist()}, not {wanted} {expected.tolist()}")
    assert compared and not differ, f"{len(differ)} of {compared}:\n" + "\n".join(differ[:8])


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "cumsum", "cumprod", "exp", "sqrt", "abs", "neg", "sign", "amax", "floor", "round"])
def test_functions_of_one_have_pytorchs_dtype(name: str) -> None:
    torch = pytest.importorskip("torch")
    for dtype, shape in itertools.product(DTYPES, [(), (2,)]):
        if name == "sign" and dtype == "bool":
            continue  # NumPy knows no sign of bools
        arguments = (0,) if name in ("cumsum", "cumprod") else ()
        try:
            expected = getattr(torch, name)(make(torch, (dtype, shape), lambda d: getattr(torch, d)), *arguments)
        except (RuntimeError, TypeError):
            continue
        found = getattr(minitorch, name)(make(minitorch, (dtype, shape), str), *arguments)
        assert found.dtype.name == str(expected.dtype).split(".")[1], f"{name} of {dtype} {shape}"
        np.testing.assert_allclose(np.asarray(found.raw), expected.numpy(), rtol=2e-3)


def test_promote_types_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for a, b in itertools.product(DTYPES, DTYPES):
        expected = str(torch.promote_types(getattr(torch, a), getattr(torch, b))).split(".")[1]
        assert minitorch.promote_types(np.dtype(a), np.dtype(b)).name == expected, (a, b)


def test_gradients_come_back_in_each_inputs_dtype() -> None:
    for a, b in itertools.product(["float16", "float32", "float64"], repeat=2):
        x, y = (tensor([1.0, 2.0], dtype=d, requires_grad=True) for d in (a, b))
        for out in (x * y, x / y, x**y, minitorch.maximum(x, y), minitorch.cat([x, y]), minitorch.stack([x, y]), x - y):
            for create_graph in (False, True):
                found = minitorch.grad(out.sum(), [x, y], retain_graph=True, create_graph=create_graph)
                assert [g.dtype.name for g in found] == [a, b]
