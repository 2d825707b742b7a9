"""Questions with yes or no as the answer: comparisons, logic, bits. Tensors of bool (or integers), outside the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backend.gpus import SEVERAL, at_home, beside
from ..core import node
from ..core.apply import backend_among, constant, gpu_of
from ..core.departures import note
from ..core.dtypes import promoted
from ..core.modes import watched
from ..core.node import Node

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "eq",
    "equal", "ge", "greater", "greater_equal", "gt", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf",
    "isreal", "le", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne", "not_equal",
    "signbit",
]  # fmt: skip


def answer(kernel: str, *inputs: Any, **options: Any) -> Any:
    """The backend's function `kernel` of nodes, arrays and numbers: a Tensor outside the graph, or a bool for numbers.

    TypeError for an input that is no number; ValueError when shapes do not fit.
    """
    raws = [x.raw if isinstance(x, Node) else constant(x) for x in inputs]
    if watched:
        for x in inputs:
            if isinstance(x, Node):
                note(x, kernel)
    if SEVERAL and (gpu := gpu_of(inputs, kernel)) is not None:
        with gpu:
            return answer(kernel, *inputs, **options)
    xp = backend_among(raws)
    if not hasattr(xp, "ndarray"):
        return getattr(xp, kernel)(*raws, **options)
    try:
        found = getattr(xp, kernel)(*promoted(raws), **options)
    except ValueError as error:
        shapes = " and ".join(str(tuple(getattr(raw, "shape", ()))) for raw in raws)
        raise ValueError(f"{kernel} cannot take shapes {shapes}: {error}") from None
    return node.TENSOR(xp.asarray(found))  # type: ignore[call-arg]


def _binary(kernel: str, meaning: str) -> Callable[..., Any]:
    def function(input: Any, other: Any) -> Any:
        return answer(kernel, input, other)

    function.__doc__ = meaning
    return function


def _unary(kernel: str, meaning: str) -> Callable[..., Any]:
    def function(input: Any) -> Any:
        return answer(kernel, input)

    function.__doc__ = meaning
    return function


eq = _binary("equal", "Where `input` equals `other`.")
ne = not_equal = _binary("not_equal", "Where `input` differs from `other`.")
lt = less = _binary("less", "Where `input` is below `other`.")
le = less_equal = _binary("less_equal", "Where `input` is below `other` or equal.")
gt = greater = _binary("greater", "Where `input` is above `other`.")
ge = greater_equal = _binary("greater_equal", "Where `input` is above `other` or equal.")
logical_and = _binary("logical_and", "Where both are true (not 0).")
logical_or = _binary("logical_or", "Where at least one is true (not 0).")
logical_xor = _binary("logical_xor", "Where exactly one is true (not 0).")
logical_not = _unary("logical_not", "Where `input` is false (0).")
bitwise_and = _binary("bitwise_and", "The bits that are set in both; for bool, where both are true.")
bitwise_or = _binary("bitwise_or", "The bits that are set in one or both; for bool, where at least one is true.")
bitwise_xor = _binary("bitwise_xor", "The bits that differ; for bool, where exactly one is true.")
bitwise_not = _unary("invert", "Every bit turned over; for bool, where `input` is false.")
bitwise_left_shift = _binary("left_shift", "The bits moved up by `other` places: input × 2**other.")
bitwise_right_shift = _binary("right_shift", "The bits moved down by `other` places: input / 2**other, rounded down.")
isnan = _unary("isnan", "Where `input` is not a number.")
isinf = _unary("isinf", "Where `input` is infinite, of either sign.")
isfinite = _unary("isfinite", "Where `input` is neither infinite nor nan.")
isposinf = _unary("isposinf", "Where `input` is +infinite.")
isneginf = _unary("isneginf", "Where `input` is -infinite.")
isreal = _unary("isreal", "Where `input` is a real number: everywhere.")
signbit = _unary("signbit", "Where the sign of `input` is minus, that of -0.0 included.")


def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Where |input - other| <= atol + rtol × |other|; equal infinities are close, nan only to nan and with `equal_nan`."""
    return answer("isclose", input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """True if |input - other| <= atol + rtol × |other| everywhere."""
    close = isclose(input, other, rtol, atol, equal_nan)
    if not isinstance(close, Node):
        return bool(close)
    with beside(close.raw):
        return bool(close.raw.all().item())


def equal(input: Any, other: Any) -> bool:
    """True if the shapes and all elements are equal."""
    if tuple(input.shape) != tuple(other.shape):
        return False
    with beside(input.raw):
        return bool(eq(input, other).raw.all().item())


@at_home
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Where an element of `elements` is one of `test_elements` (with `invert`, is none of them)."""
    raws = [x.raw if isinstance(x, Node) else constant(x) for x in (elements, test_elements)]
    xp = backend_among(raws)
    found = xp.isin(*promoted(raws), invert=invert)
    return node.TENSOR(xp.asarray(found))  # type: ignore[call-arg]
