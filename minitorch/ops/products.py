"""Products of vectors, matrices and batches of them."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .axes import one_axis, pick_axis
from .contract import einsum
from .elementwise import add, mul
from .linalg import matmul
from .reduce import sum
from .shape import reshape, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cross", "dot", "ger", "inner", "kron", "mm", "mv",
    "outer", "tensordot", "vdot",
]  # fmt: skip


class Cross(Op):
    """The vector product along `axis`, of length 3: perpendicular to both, as long as their parallelogram is large."""

    symbol = "×"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, xp, a, b):
        return xp.cross(a, b, self.axis)

    def vjp_a(self, xp, grad, out, a, b):
        return xp.cross(b, grad, self.axis)

    def vjp_b(self, xp, grad, out, a, b):
        return xp.cross(grad, a, self.axis)


def dot(input: Any, other: Any) -> Any:
    """The sum of the products of two vectors' elements: shapes (n,), (n,) give a 0-d result."""
    need("dot", input, 1)
    need("dot", other, 1)
    return matmul(input, other)


vdot = dot


def mv(input: Any, vec: Any) -> Any:
    """A matrix times a vector: shapes (n, m), (m,) give (n,)."""
    need("mv", input, 2)
    need("mv", vec, 1)
    return matmul(input, vec)


def mm(input: Any, mat2: Any) -> Any:
    """A matrix times a matrix: shapes (n, k), (k, m) give (n, m)."""
    need("mm", input, 2)
    need("mm", mat2, 2)
    return matmul(input, mat2)


def bmm(input: Any, mat2: Any) -> Any:
    """A batch of matrices times a batch of matrices: shapes (b, n, k), (b, k, m) give (b, n, m)."""
    need("bmm", input, 3)
    need("bmm", mat2, 3)
    if input.shape[0] != mat2.shape[0]:
        raise ValueError(f"bmm needs batches of equal length, not {input.shape[0]} and {mat2.shape[0]}; matmul broadcasts")
    return matmul(input, mat2)


def need(name: str, x: Any, ndim: int) -> None:
    """ValueError unless `x` has `ndim` axes."""
    if x.ndim != ndim:
        kind = {1: "a vector", 2: "a matrix", 3: "a batch of matrices (3 axes)"}[ndim]
        raise ValueError(f"{name} needs {kind}, not a tensor of shape {tuple(x.shape)}; matmul takes any")


def outer(input: Any, vec2: Any) -> Any:
    """Every element of one vector times every one of another: shapes (n,), (m,) give (n, m)."""
    need("outer", input, 1)
    need("outer", vec2, 1)
    return mul(unsqueeze(input, 1), vec2)


ger = outer


def inner(input: Any, other: Any) -> Any:
    """The sum of products over the last axis of both: shapes (..., k), (..., k) give all axes but those."""
    if input.ndim == 0 or other.ndim == 0:
        return mul(input, other)
    return tensordot(input, other, ([-1], [-1]))


def _weighted(input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta × input + alpha × product; with beta 0 input has no part in it, even where it is nan."""
    scaled = product if alpha == 1 else mul(product, alpha)
    return scaled if beta == 0 else add(input if beta == 1 else mul(input, beta), scaled)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta × input + alpha × mat1 @ mat2; input is broadcast to (n, m)."""
    return _weighted(input, mm(mat1, mat2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta × input + alpha × mat @ vec; input is broadcast to (n,)."""
    return _weighted(input, mv(mat, vec), beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta × input + alpha × outer(vec1, vec2); input is broadcast to (n, m)."""
    return _weighted(input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta × input + alpha × batch1 @ batch2, for batches of matrices; input is broadcast to (b, n, m)."""
    return _weighted(input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta × input + alpha × the sum over the batch of batch1 @ batch2; input is broadcast to (n, m)."""
    return _weighted(input, sum(bmm(batch1, batch2), 0), beta, alpha)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The sum of products over some axes of both: the last `dims` of a and the first of b, or those in two lists.

    The result has the other axes of a, then the other axes of b.
    """
    dims = dims.tolist() if hasattr(dims, "tolist") else dims
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ValueError(f"tensordot cannot sum over {dims} axes of tensors with {a.ndim} and {b.ndim}")
        dims = range(a.ndim - dims, a.ndim), range(dims)
    over_a, over_b = ([one_axis(d, x.ndim) for d in axes] for axes, x in zip(dims, (a, b)))
    if len(over_a) != len(over_b):
        raise ValueError(f"tensordot needs as many axes of a as of b, not {len(over_a)} and {len(over_b)}")
    of_a = list(range(a.ndim))
    of_b = [a.ndim + k for k in range(b.ndim)]
    for i, k in zip(over_a, over_b):
        of_b[k] = i
    kept = [i for k, i in enumerate(of_a) if k not in over_a] + [i for k, i in enumerate(of_b) if k not in over_b]
    return einsum(a, of_a, b, of_b, kept)


def kron(input: Any, other: Any) -> Any:
    """Every element of `input` times the whole of `other`, laid out as blocks."""
    ndim = max(input.ndim, other.ndim)
    a, b = ((1,) * (ndim - x.ndim) + tuple(x.shape) for x in (input, other))
    coarse = reshape(input, tuple(n for size in a for n in (size, 1)))
    fine = reshape(other, tuple(n for size in b for n in (1, size)))
    return reshape(mul(coarse, fine), tuple(n * m for n, m in zip(a, b)))


def cross(input: Any, other: Any, dim: int | None = None, *, axis: int | None = None) -> Any:
    """The vector product along `dim`, whose length is 3 (None: the first axis of that length)."""
    dim = pick_axis(dim, axis)
    if dim is None:
        dim = next((k for k, n in enumerate(input.shape) if n == 3), None)
    if dim is None or input.shape[one_axis(dim, input.ndim)] != 3 or other.shape[one_axis(dim, other.ndim)] != 3:
        raise ValueError(f"cross needs an axis of length 3: shapes {tuple(input.shape)} and {tuple(other.shape)}, axis {dim}")
    return apply(Cross(one_axis(dim, input.ndim) - input.ndim), input, other)


def chain_matmul(*matrices: Any) -> Any:
    """The product of all the matrices, from left to right."""
    out = matrices[0]
    for matrix in matrices[1:]:
        out = matmul(out, matrix)
    return out
