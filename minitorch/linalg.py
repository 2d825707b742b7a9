"""Linear algebra under PyTorch's names."""

from .core.arguments import explain as _explain
from .ops.diagonals import diagonal as _diagonal
from .ops.linalg import matmul
from .ops.matrices import cholesky, det, inv, matrix_power, multi_dot, slogdet, solve, svd, svdvals, vecdot
from .ops.norms import linalg_norm as norm
from .ops.norms import matrix_norm, vector_norm
from .ops.products import cross as _cross

__all__ = [
    "cholesky", "cross", "det", "diagonal", "inv", "matmul", "matrix_norm", "matrix_power", "multi_dot", "norm", "slogdet",
    "solve", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip


def cross(input: object, other: object, *, dim: int = -1) -> object:
    """The vector product along `dim`, whose length is 3."""
    return _cross(input, other, dim)


def diagonal(A: object, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> object:
    """The diagonal of each matrix, `offset` places above the main one, as a new last axis."""
    return _diagonal(A, offset, dim1, dim2)


_explain(globals())
