"""Matrix products."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply, misfit
from ..core.op import Op
from .shape import squeeze, unsqueeze


class MatMul(Op):
    """a @ b, batched as NumPy does: shapes (..., n, k) and (..., k, m) give (..., n, m)."""

    name = "matmul"
    symbol = "@"
    requires = "the last size of a must equal the last but one of b, and the sizes before them must broadcast"

    def forward(self, xp, a, b):
        return xp.matmul(a, b)

    def vjp_a(self, xp, grad, out, a, b):
        return xp.matmul(grad, xp.swapaxes(b, -1, -2))

    def vjp_b(self, xp, grad, out, a, b):
        return xp.matmul(xp.swapaxes(a, -1, -2), grad)


def matmul(a: Any, b: Any) -> Any:
    """a @ b; a vector counts as a row on the left and as a column on the right, and its axis is dropped again."""
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError("matmul needs vectors or matrices; for a single number use *")
    if a.ndim > 1 and b.ndim > 1:
        return apply(MatMul.shared, a, b)
    if a.shape[-1] != b.shape[-2:][0]:  # said of the shapes that were given, not of the row or column made of a vector
        met = f"in each sum {a.shape[-1]} numbers of the first would meet {b.shape[-2:][0]} of the second"
        raise misfit(MatMul.shared, (a, b), [a.raw, b.raw], met)
    out = apply(MatMul.shared, unsqueeze(a, 0) if a.ndim == 1 else a, unsqueeze(b, 1) if b.ndim == 1 else b)
    if b.ndim == 1:
        out = squeeze(out, -1)
    return squeeze(out, -1 if b.ndim == 1 else -2) if a.ndim == 1 else out
