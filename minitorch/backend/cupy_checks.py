"""Checks of numbers that lie on a GPU. The program goes on meanwhile: an error is raised at a later check, or when something
is fetched. What reads such numbers must stay inside its arrays on its own: CuPy's indexing wraps round, kernels look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy
import cupyx
import numpy as np

from .unseen import UNSEEN, look

_outside = cupy.ReductionKernel(
    "T x, int64 top, int64 besides", "bool wrong", "(x < 0 || (long long)x >= top) && (long long)x != besides", "a || b",
    "wrong = a", "false", "minitorch_outside",
)  # fmt: skip


def refuse_outside(numbers: Any, top: int, error: Callable[[], Exception], besides: int = 0) -> None:
    """Let error() be raised, later, if one of the whole `numbers` is neither `besides` nor one of 0 to top - 1."""
    look()
    if numbers.size:
        wrong = cupyx.empty_pinned((), np.bool_)
        _outside(numbers, top, besides).get(out=wrong, blocking=False)
        arrived = cupy.cuda.Event(disable_timing=True)
        arrived.record()
        UNSEEN.append((arrived, wrong, error))
