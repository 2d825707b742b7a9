"""The table's entries for reductions, running sums and sorting, beyond the first ones in `optable.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .opentry import call, given, kink, op, t


def axes(*shapes: tuple[int, ...], several: bool = True, single: bool = True) -> list[Any]:
    """Samples of a reduction over all, one, several and negative axes, with and without `keepdim`; and of one number."""
    dims = (0, -1, (0, 2), [1]) if several else (0, -1, 1)
    samples = [call(t(*shape)) for shape in shapes]
    samples += [call(t(2, 3, 4), dim=dim, keepdim=keep) for dim in dims for keep in (False, True)]
    return [*samples, call(t(), dim=0), call(t(), dim=-1, keepdim=True)] if single else samples


_ZEROS = given([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [4.0, 5.0, 0.5]])

op(
    "prod",
    *axes((3, 4), (), (1,), several=False), call(_ZEROS), call(_ZEROS, 0), call(_ZEROS, 1), call(given([0.0, 2.0, 3.0])),
    numpy=None, ints=True,
)  # fmt: skip
op("sum", call(t(3, 4), 0, dtype=np.float64), numpy=None, torch=None, double=True)
op("sum", call(t(3, 4, of="int"), 1), call(t(2, 3), dim=()), numpy=None, torch=None)
op("mean", call(t(3, 4), dim=[]), call(t(3, 4, grad=False), 0), numpy=None)
op("std", *axes((3, 4), (2,), single=False), call(t(3, 4), dim=0, correction=0), call(t(3, 4), 1, False), call(t(3, 4), False), numpy=None)
op("std", kink(given([2.0, 2.0, 2.0])), kink(given([[1.0, 1.0], [1.0, 2.0]]), 1), numpy=None, twice=False)
op("var", call(t(3, 4), True), call(t(3, 4), 1, False, True), call(t(3, 4), axis=1, keepdims=True), numpy=None, torch=None)
op("var_mean", *axes((3, 4), (2,), single=False), call(t(3, 4), dim=0, correction=0), numpy=None)
op("std_mean", *axes((3, 4), (2,), single=False), call(t(3, 4), dim=0, correction=0), numpy=None)
op("nansum", *axes((3, 4), (), (0,)), kink(given([1.0, np.nan, 2.0])), numpy=None, ints=True)
op("nanmean", *axes((3, 4), (1,)), kink(given([[1.0, np.nan, 2.0], [3.0, 4.0, np.nan]]), 1), numpy=None)
op("aminmax", call(t(3, 4)), call(t(2, 3, 4), dim=1), call(t(2, 3), dim=-1, keepdim=True), numpy=None)
op(
    "logsumexp",
    call(t(3, 4), 0), call(t(3, 4), (0, 1)), call(t(2, 3, 4), -1, True), call(t(), 0), call(given([1000.0, 1000.0]), 0),
    kink(t(2, 0), 1), numpy=None,
)  # fmt: skip
op("median", call(t(3, 4)), call(t(5)), call(t(2, 3, 4), 1), call(t(2, 5), dim=-1, keepdim=True), call(t(), 0), numpy=None)
op("median", kink(given([1.0, np.nan, 0.0, 2.0])), kink(given([[1.0, np.nan, 0.0], [3.0, 1.0, 2.0]]), 1), numpy=None, twice=False)
op(
    "nanmedian",
    call(t(3, 4)), call(t(2, 3, 4), 1), kink(given([1.0, np.nan, 0.0, 2.0])),
    kink(given([[1.0, np.nan, 0.0], [3.0, 1.0, 2.0]]), 1), numpy=None,
)  # fmt: skip
op("kthvalue", call(t(5), 2), call(t(2, 3, 4), 1, 0), call(t(2, 5), 3, -1, True), call(t(), 1), numpy=None)
for name in ("argmax", "argmin"):
    op(
        name,
        call(t(3, 4)), call(t(3, 4), 0), call(t(2, 3, 4), dim=-2, keepdim=True), call(t()), call(t(), 0), call(t(3, 4), axis=1),
        call(t(3, 4, of="int")), numpy=None, torch=lambda torch, name=name: lambda x, dim=None, keepdim=False, axis=None: (
            getattr(torch, name)(x, dim=axis if dim is None else dim, keepdim=keepdim)
        ),
        differentiable=False,
    )  # fmt: skip
for name in ("any", "all"):
    op(
        name,
        call(t(3, 4, of="bool")), call(t(3, 4, of="bool"), 0), call(t(2, 3, 4, of="bool"), dim=-1, keepdim=True), call(t()),
        call(t(0)), call(t(3, 4, of="int", high=2), 1), call(t(2, 3, 4, of="bool"), dim=(0, 2)),
        numpy=None, differentiable=False, ints=True,
    )  # fmt: skip
op(
    "count_nonzero", call(t(3, 4, of="int", high=2)), call(t(3, 4, of="bool"), 0), call(t(3, 4), dim=(0, 1)), call(t()),
    numpy=None, differentiable=False,
)  # fmt: skip

# Running sums

op("cumsum", call(t(3, 4), 0), call(t(3, 4), -1), call(t(5), dim=0), call(t(), 0), call(t(2, 0), 1), numpy=None, ints=True)
op(
    "cumprod",
    call(t(3, 4), 0), call(t(3, 4), -1), call(t(5), dim=0), call(_ZEROS, 0), call(_ZEROS, 1), call(t(2, 0), 1),
    numpy=None, ints=True,
)  # fmt: skip
op(
    "diff",
    call(t(5)), call(t(3, 4)), call(t(3, 4), dim=0), call(t(3, 4), 2, 1), call(t(3, 4), prepend=t(3, 2), append=t(3, 1)),
    call(t(3), n=5), call(t(3), n=0), call(t(4, of="bool")), call(t(4, of="int")), numpy=None,
)  # fmt: skip

# Sorting

op("sort", call(t(5)), call(t(3, 4), 0), call(t(3, 4), -1, True), call(t()), call(t(2, 0)), numpy=None)
op("sort", kink(given([2.0, 1.0, 2.0, 1.0]), stable=True), kink(given([1.0, np.nan, 0.0])), numpy=None, torch=None)
op("argsort", call(t(5)), call(t(3, 4), 0), call(t(3, 4), -1, True), call(t(6, of="int", high=50)), numpy=None, differentiable=False)
op("msort", call(t(5)), call(t(4, 3)), numpy=None)
op(
    "topk",
    call(t(5), 2), call(t(3, 4), 2, 0), call(t(3, 4), 1, dim=-1, largest=False), call(t(), 1), call(t(3), 0), numpy=None,
)  # fmt: skip
