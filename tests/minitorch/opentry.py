"""How an entry of the operation table is written; `optable.py` holds the list, `test_ops.py` holds each entry to all checks.

An entry is one function of minitorch and samples of its arguments:

    op("matmul", call(t(3, 4), t(4, 2)), call(t(2, 3, 4), t(4,)))
    op("cat", call([t(2, 3), t(4, 3)], dim=0))
    op("norm", call(t(3, 4), p=2), call(t(3, 4), dim=1), numpy=None, torch="linalg.vector_norm")
    unary("log", low=0.1, high=3)            # elementwise: shapes, 0-d, empty, floats, IEEE specials come by themselves
    binary("mul")                            # the same with broadcasting and Python numbers on either side

`t(*shape)` stands for a tensor that needs a gradient, filled reproducibly; `low`/`high` bound it, `of="int"` or `of="bool"`
makes one without gradient, `grad=False` a float one without; `given(values)` spells its elements out. Anything else
is passed as it is. `kink(...)` is a call at a point where finite differences mean nothing (a tie). Dotted names reach
into the package ("nn.functional.pad").

What is checked for every entry (the flags turn a check off, with the reason beside it):
    forward     against `numpy` (default: NumPy's function of the same name, if any), inputs left as they were
    dtypes      float32 in, float32 out (`double=True`: float64), and close to float64; no result wider than its inputs;
                non-contiguous inputs
    gradient    against finite differences, first and second order (`differentiable=False`, `twice=False`)
    scalar      `scalar=True`: on Values too, equal to 0-d tensors, and on IEEE specials: all tuples of `special`, except
                where `omit(*point)` holds; gradients there against PyTorch except where `omit_gradient(*point)` does
    strict      the whole on the strict device, forward, gradient, second order (`strict=False`)
    torch       values, shapes, dtypes, gradients against `torch` (default: the function of the same name in torch or
                torch.nn.functional; another dotted name; `lambda torch: function`; or None: PyTorch has no such one)
    method      `tensor.name(...)` exists where PyTorch has it, and is the same (`method=False`)
    ints        `ints=True`: values and dtypes for int64, int32, uint8 and bool inputs against torch
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SPECIAL = (-np.inf, -1000.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 1000.0, np.inf, np.nan)
SAME = "the same name"

TABLE: list[Entry] = []


@dataclass(frozen=True)
class T:
    """A tensor argument of a sample."""

    shape: tuple[int, ...]
    low: float | None = None
    high: float | None = None
    of: str = "float"
    grad: bool = True
    values: Any = None

    def fill(self, seed: int, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """The elements (in float64, int64 or bool)."""
        if self.values is not None:
            return np.array(self.values)
        shape = self.shape if shape is None else shape
        draw = np.random.default_rng(seed)
        if self.of == "bool":
            return np.asarray(draw.random(shape) < 0.5)
        if self.of == "int":
            return np.asarray(draw.integers(0 if self.low is None else int(self.low), int(self.high or 5), shape))
        if self.low is None and self.high is None:
            return np.asarray(draw.normal(size=shape))
        low = -2.0 if self.low is None else self.low
        return np.asarray(draw.uniform(low, 2.0 if self.high is None else self.high, shape))

    @property
    def differentiable(self) -> bool:
        return self.grad and self.of == "float" and (self.values is None or np.asarray(self.values).dtype.kind == "f")

    def __repr__(self) -> str:
        extra = "" if self.of == "float" else f", of={self.of!r}"
        return f"t({', '.join(map(str, self.shape))}{extra})" if self.values is None else f"given({self.values})"


def t(*shape: int, low: float | None = None, high: float | None = None, of: str = "float", grad: bool = True) -> T:
    """A tensor argument of `shape`."""
    return T(shape, low, high, of, grad)


def given(values: Any, grad: bool = True) -> T:
    """A tensor argument with these elements."""
    return T(np.shape(values), values=values, grad=grad)


@dataclass(frozen=True)
class Sample:
    """The arguments of one call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    smooth: bool = True

    def tensors(self) -> list[T]:
        return [x for x in _leaves((self.args, self.kwargs)) if isinstance(x, T)]

    def arrays(self, name: str) -> list[np.ndarray]:
        """Elements for every tensor argument, the same on every run."""
        return [x.fill(zlib.crc32(f"{name} {i} {x!r}".encode())) for i, x in enumerate(self.tensors())]

    def call(self, function: Callable[..., Any], values: list[Any]) -> Any:
        """`function` on these arguments, with `values` in the places of the tensors."""
        queue = iter(values)
        args, kwargs = _replace((self.args, self.kwargs), lambda _: next(queue))
        return function(*args, **kwargs)

    def __repr__(self) -> str:
        return ", ".join([*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())])


def call(*args: Any, **kwargs: Any) -> Sample:
    """A sample: the arguments of one call."""
    return Sample(args, kwargs)


def kink(*args: Any, **kwargs: Any) -> Sample:
    """A sample at a point without a derivative (a tie, a corner): compared with PyTorch, not with finite differences."""
    return Sample(args, kwargs, smooth=False)


@dataclass(frozen=True)
class Entry:
    """One function and what is to be checked of it; see the top of this file."""

    name: str
    samples: tuple[Sample, ...]
    numpy: Any = SAME
    torch: Any = SAME
    scalar: bool = False
    special: tuple[float, ...] = SPECIAL
    omit: Callable[..., bool] | None = None
    omit_gradient: Callable[..., bool] | None = None
    differentiable: bool = True
    twice: bool = True
    strict: bool = True
    ints: bool = False
    method: bool = True
    double: bool = False
    tolerance: float = 1e-9

    def __repr__(self) -> str:
        return self.name


def op(name: str, *samples: Sample, **flags: Any) -> None:
    """Enter a function into the table."""
    if not samples:
        raise ValueError(f"{name} has no sample")
    TABLE.append(Entry(name, samples, **flags))


def unary(name: str, low: float | None = None, high: float | None = None, **flags: Any) -> None:
    """Enter an elementwise function of one argument."""
    shapes = [(3, 4), (), (1,), (0,), (2, 0, 3), (2, 3, 2)]
    flags.setdefault("scalar", True)
    op(name, *(call(T(shape, low, high)) for shape in shapes), **flags)


def binary(name: str, low: float | None = None, high: float | None = None, **flags: Any) -> None:
    """Enter an elementwise function of two arguments that broadcasts and takes Python numbers."""
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4)), ((3, 1), (1, 4)), ((), (2, 3)), ((2, 3), ()), ((), ()),
        ((0,), (1,)), ((2, 0), (1, 0)), ((2, 1, 3), (4, 1)),
    ]  # fmt: skip
    flags.setdefault("scalar", True)
    pairs = [call(T(a, low, high), T(b, low, high)) for a, b in shapes]
    number = 2.0 if low is None else (low + (high or 2.0)) / 2
    numbers = [call(T((2, 3), low, high), number), call(number, T((2, 3), low, high)), call(T((2, 3), low, high), 2)]
    op(name, *pairs, *numbers, **flags)


def nans(*point: float) -> bool:
    """Points with a nan. The gradient there is nan or 0 in one engine and 1 in the other, by how the rule is written."""
    return any(x != x for x in point)


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for x in tree for leaf in _leaves(x)] if isinstance(tree, (list, tuple)) else [tree]


def _replace(tree: Any, new: Callable[[T], Any]) -> Any:
    if isinstance(tree, T):
        return new(tree)
    if isinstance(tree, dict):
        return {key: _replace(x, new) for key, x in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)([_replace(x, new) for x in tree])
    return tree
