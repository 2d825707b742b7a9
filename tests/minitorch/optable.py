"""The operation table: every function of minitorch, with samples of its arguments. How to write an entry: `opentry.py`."""

from __future__ import annotations

import numpy as np

from . import table_elementwise, table_layers, table_linalg, table_reduce, table_shape, table_statistics  # noqa: F401  (each enters its part)
from .opentry import TABLE, binary, call, given, kink, nans, op, t, unary

__all__ = ["TABLE"]

# Elementwise

binary("add", ints=True)
binary("sub")
binary("mul", ints=True)
binary("div", low=0.3, high=2.0, numpy=np.divide, ints=True)
binary(
    "pow", low=0.3, high=2.0, numpy=np.power,
    omit=lambda a, b: a == -np.inf and b == 0.5,  # NumPy takes a square root there: nan, not inf
    omit_gradient=lambda a, b: a == 0 and b < 0,  # with respect to the exponent: nan here, ±inf in PyTorch
)  # fmt: skip
binary("maximum", ints=True, omit_gradient=nans)
binary("minimum", ints=True, omit_gradient=nans)
unary("neg", numpy=np.negative)
unary("exp", ints=True)
unary("log", low=0.1, high=3.0, ints=True)
unary("sqrt", low=0.1, high=3.0, ints=True)
unary("sin", ints=True)
unary("cos", ints=True)
unary("tanh", ints=True)
unary("sigmoid", numpy=lambda x: 1 / (1 + np.exp(-x)), ints=True)
unary("relu", numpy=lambda x: np.maximum(x, 0), omit_gradient=nans)
unary("abs", ints=True, omit_gradient=nans)
unary("sign", omit=nans)  # nan as NumPy has it; PyTorch says 0
op(
    "where",
    call(t(3, 4, of="bool"), t(3, 4), t(3, 4)), call(t(3, 1, of="bool"), t(4), t(3, 4)), call(t(of="bool"), t(), t()),
    call(t(3, of="bool"), t(3), 0.0), call(t(3, of="bool"), 1.0, t(3)), call(t(0, of="bool"), t(0), t(0)),
    call(t(2, 3, of="bool"), t(), t()),
    scalar=True, method=False,  # x.where(condition, other) has another order
)  # fmt: skip

# Products

op(
    "matmul",
    call(t(3, 4), t(4, 2)), call(t(4), t(4)), call(t(3, 4), t(4)), call(t(4), t(4, 3)), call(t(2, 3, 4), t(2, 4, 2)),
    call(t(2, 3, 4), t(4, 2)), call(t(3, 4), t(2, 4, 2)), call(t(2, 1, 3, 4), t(5, 4, 2)), call(t(2, 3, 4), t(4)),
    call(t(4), t(2, 4, 3)), call(t(0, 4), t(4, 2)), call(t(3, 0), t(0, 2)),
)  # fmt: skip

# Reductions


def _axes(*shapes: tuple[int, ...]) -> list:
    """Samples of a reduction over all, one, several and negative axes, with and without `keepdim`."""
    samples = [call(t(*shape)) for shape in shapes]
    samples += [call(t(2, 3, 4), dim=dim, keepdim=keep) for dim in (0, -1, (0, 2), [1]) for keep in (False, True)]
    return [*samples, call(t(), dim=0), call(t(), dim=-1, keepdim=True)]


def _numpy(function):
    def reference(x: np.ndarray, dim: object = None, keepdim: bool = False) -> np.ndarray:
        axis = None if x.ndim == 0 else tuple(dim) if isinstance(dim, list) else dim
        return function(x, axis=axis, keepdims=keepdim)

    return reference


op("sum", *_axes((3, 4), (), (1,), (0,)), call(t(2, 0), dim=1), call(t(2, 0), dim=0), numpy=_numpy(np.sum), ints=True)
op("mean", *_axes((3, 4), (), (1,)), numpy=_numpy(np.mean))
op("amax", *_axes((3, 4), (), (1,)), call(t(2, 0), dim=0), numpy=_numpy(np.amax), ints=True)
op("amin", *_axes((3, 4), (), (1,)), call(t(2, 0), dim=0), numpy=_numpy(np.amin), ints=True)
op(
    "var",
    *_axes((3, 4), (2,)), call(t(3, 4), dim=0, correction=0), call(t(3, 4), correction=2), call(t(3, 4), 1, unbiased=False),
    numpy=None,
)  # fmt: skip
for name in ("max", "min"):
    op(
        name,
        call(t(3, 4)), call(t()), call(t(3, 4), 1), call(t(2, 3, 4), dim=-2, keepdim=True), call(t(2, 0), 0),
        call(t(), 0), call(t(), -1, True), kink(given([[1.0, 2.0, 2.0], [3.0, 3.0, 1.0]]), 1),
        numpy=None, ints=True,
    )  # fmt: skip

# Shapes

op("reshape", call(t(3, 4), (2, 6)), call(t(3, 4), (-1,)), call(t(2, 3), [3, -1]), call(t(), (1, 1)), call(t(0, 3), (3, 0)))
op(
    "flatten",
    call(t(2, 3, 4)), call(t(2, 3, 4), 1), call(t(2, 3, 4), 0, 1), call(t(2, 3, 4), start_dim=-2), call(t()), call(t(2, 0)),
    numpy=None,
)  # fmt: skip
op("squeeze", call(t(1, 3, 1)), call(t(1, 3, 1), 0), call(t(1, 3, 1), -1), call(t(3), 0), call(t()), call(t(), 0), numpy=None)
op("unsqueeze", call(t(3, 4), 0), call(t(3, 4), 1), call(t(3, 4), -1), call(t(), 0), call(t(0), 1))
op("transpose", call(t(3, 4), 0, 1), call(t(2, 3, 4), -1, 0), call(t(2, 3, 4), 1, 1), call(t(), 0, -1), numpy=None)
op("permute", call(t(2, 3, 4), (2, 0, 1)), call(t(2, 3), (-1, 0)), call(t(2, 3, 4), [1, 2, 0]), call(t(), ()), numpy=None)
op("broadcast_to", call(t(3, 1), (3, 4)), call(t(4), (2, 3, 4)), call(t(), (2, 2)), call(t(1, 3), (0, 3)), call(t(3), (3,)))
op("clone", call(t(3, 4)), call(t()), call(t(0)), ints=True)
op(
    "to", call(t(3, 4), np.dtype("float32")), call(t(3, 4), np.dtype("int64")), numpy=None,
    torch=lambda torch: lambda x, dtype: x.to(getattr(torch, dtype.name)),
    differentiable=False,  # finite differences are lost in float32; test_tensor.py has its gradient
)  # fmt: skip
op(
    "cat",
    call([t(2, 3), t(4, 3)]), call([t(2, 3), t(2, 1), t(2, 2)], dim=1), call([t(2, 3), t(2, 3)], -1), call([t(3)]),
    call([t(0, 3), t(2, 3)], dim=0),
    numpy=lambda arrays, dim=0: np.concatenate(arrays, dim), method=False,
)  # fmt: skip
op(
    "stack",
    call([t(2, 3), t(2, 3)]), call([t(2, 3), t(2, 3), t(2, 3)], dim=1), call([t(3), t(3)], -1), call([t(), t()]), call([t(0)]),
    numpy=lambda arrays, dim=0: np.stack(arrays, dim), method=False,
)  # fmt: skip

# Parts

op(
    "getitem",
    *(call(t(3, 4), index) for index in (
        0, -1, (1, 2), slice(1, None), (slice(None), slice(0, 4, 2)), (..., 1), None, (slice(None), None, 1), [0, 2, 0],
        ([0, 1, 0], [1, 1, 1]), (slice(None), [1, 1]), ..., (), slice(3, 3), ([0, 2], slice(1, 3)),
    )),
    call(t(), ()), call(t(), ...), call(t(), None), call(t(2, 3, 4), (0, slice(None), [1, 2])),
    call(t(2, 3, 4), (..., [1, 0], slice(0, 2), 1)), call(t(2, 3, 4), ([1, 0], None, ..., 1)),
    call(t(2, 3, 4), (given([True, False]), slice(None), -1)), call(t(2, 3, 4), (0, [1, 2], slice(1, 2))),
    call(t(4), given(2)), call(t(4), t(2, of="int", high=4)), call(t(3, 4), (t(2, of="int", high=3), slice(1, 2))), call(t(3, 4), given([True, False, True])),
    call(t(2, 2), given([[True, False], [True, True]])),
    torch=lambda torch: lambda x, index: x[index], method=False,
)  # fmt: skip

# Softmax and losses

for name in ("softmax", "log_softmax"):
    op(name, *(call(t(2, 3, 4), dim=dim) for dim in (0, 1, -1)), call(t(5), 0), call(t(), 0), call(t(2, 1), 1), numpy=None)
op(
    "cross_entropy",
    call(t(4, 3), t(4, of="int", high=3)), call(t(1, 5), given([4])), call(t(2, 1), given([0, 0])),
    numpy=None, torch="nn.functional.cross_entropy", method=False,
)  # fmt: skip
op(
    "mse_loss",
    call(t(3, 4), t(3, 4)), call(t(3), t(3), reduction="sum"), call(t(2, 2), t(2, 2), reduction="none"), call(t(), t()),
    torch="nn.functional.mse_loss", method=False,
)  # fmt: skip
