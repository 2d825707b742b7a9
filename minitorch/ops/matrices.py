"""Inverses, determinants, equations and decompositions of (batches of) matrices."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..backend.gpus import at_home
from ..core import node
from ..core.apply import apply, backend_among
from ..core.op import Op
from .compare import answer
from .elementwise import mul, where
from .index import results
from .join import cat
from .linalg import matmul
from .reduce import sum
from .shape import mT, squeeze, unsqueeze

__all__ = ["cholesky", "det", "inverse", "logdet", "matrix_power", "slogdet"]


class Inv(Op):
    """The inverse of each matrix."""

    requires = "an inverse needs a square matrix that is not singular"
    promotes = "float"

    def forward(self, xp, x):
        return xp.inv(x)

    def vjp_x(self, xp, grad, out, x):
        return -xp.matmul(xp.matmul(xp.mT(out), grad), xp.mT(out))


class Det(Op):
    """The determinant of each matrix; its gradient is the matrix of cofactors."""

    requires = "a determinant needs a square matrix"
    promotes = "float"

    def forward(self, xp, x):
        return xp.det(x)

    def vjp_x(self, xp, grad, out, x):
        return xp.expand_dims(grad, (-2, -1)) * xp.cofactors(x)


class LogAbsDet(Op):
    """log |det x| of each matrix, without overflow; saved is the sign of the determinant."""

    requires = "a determinant needs a square matrix"
    promotes = "float"
    saves = True

    def forward(self, xp, x):
        sign, size = xp.slogdet(x)
        return size, sign

    def vjp_x(self, xp, grad, out, saved, x):
        return xp.expand_dims(grad, (-2, -1)) * xp.mT(xp.inv(x))


class Solve(Op):
    """The X for which A @ X = B."""

    requires = "solving needs square matrices A that are not singular, and as many rows in B"
    promotes = "float"

    def forward(self, xp, A, B):
        return xp.solve(A, B)

    def vjp_A(self, xp, grad, out, A, B):
        return -xp.matmul(xp.solve(xp.mT(A), grad), xp.mT(out))

    def vjp_B(self, xp, grad, out, A, B):
        return xp.solve(xp.mT(A), grad)


class Cholesky(Op):
    """The lower triangle L with L @ L.T = x, for a symmetric, positive definite x."""

    requires = "a Cholesky factor needs a symmetric, positive definite matrix"
    promotes = "float"

    def forward(self, xp, x):
        return xp.cholesky(x)

    def vjp_x(self, xp, grad, out, x):
        product = xp.matmul(xp.mT(out), grad)
        lower = (xp.tril(product, 0) + xp.tril(product, -1)) / 2
        inner = xp.solve(xp.mT(out), xp.mT(xp.solve(xp.mT(out), xp.mT(lower))))
        return (inner + xp.mT(inner)) / 2


class Svd(Op):
    """U, S, Vh with U @ diag(S) @ Vh = x: orthonormal columns, sizes in descending order, orthonormal rows.

    The gradients of U and Vh are those for singular values that differ from each other and from 0.
    """

    promotes = "float"
    bundle = True

    def forward(self, xp, x):
        return xp.svd(x)

    def vjp(self, xp, grad, out, needed, x):
        U, S, Vh = xp.parts(out)
        of_U, of_S, of_Vh = grad
        V, rows, columns = xp.mT(Vh), xp.expand_dims(S, -1), xp.expand_dims(S, -2)
        inner = None if of_S is None else xp.undiagonal(of_S, 0, (-2, -1), (*xp.shape(S), xp.shape(S)[-1]))
        if of_U is None and of_Vh is None:
            return [xp.matmul(xp.matmul(U, inner), Vh)]
        square = xp.eye_like(rows * columns)
        gaps = columns * columns - rows * rows + square
        terms = [] if inner is None else [inner]
        if of_U is not None:
            turn = xp.matmul(xp.mT(U), of_U)
            terms.append((turn - xp.mT(turn)) / gaps * columns)
        if of_Vh is not None:
            turn = xp.matmul(Vh, xp.mT(of_Vh))
            terms.append(rows * ((turn - xp.mT(turn)) / gaps))
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        result = xp.matmul(xp.matmul(U, total), Vh)
        if of_U is not None and xp.shape(U)[-2] > xp.shape(U)[-1]:
            rest = of_U - xp.matmul(U, xp.matmul(xp.mT(U), of_U))
            result = result + xp.matmul(rest / columns, Vh)
        if of_Vh is not None and xp.shape(V)[-2] > xp.shape(V)[-1]:
            rest = of_Vh - xp.matmul(xp.matmul(of_Vh, V), Vh)
            result = result + xp.matmul(U, rest / rows)
        return [result]


class SVD(NamedTuple):
    """A singular value decomposition: U @ diag(S) @ Vh."""

    U: Any
    S: Any
    Vh: Any


class SignLog(NamedTuple):
    """A determinant as sign × e**logabsdet."""

    sign: Any
    logabsdet: Any


def svd(A: Any, full_matrices: bool = True) -> SVD:
    """The singular value decomposition of each matrix: A = U @ diag(S) @ Vh, with `full_matrices=False`.

    Shapes (..., m, n) give (..., m, k), (..., k), (..., k, n), where k is the smaller of m and n. With `full_matrices` U and Vh
    are square: what completes them are any orthonormal vectors, and no gradient flows through these.
    """
    U, S, Vh = results(apply(Svd.shared, A))
    return SVD(_completed(U), S, mT(_completed(mT(Vh)))) if full_matrices and A.shape[-1] != A.shape[-2] else SVD(U, S, Vh)


@at_home
def _completed(columns: Any) -> Any:
    """Orthonormal columns, (..., m, k), and the m - k that are missing to a square."""
    missing = columns.shape[-2] - columns.shape[-1]
    if not missing:
        return columns
    raw = columns.raw
    xp = backend_among([raw])
    reached = xp.matmul(raw, xp.mT(raw))  # projects on what the columns span; the rest is what the remainder spans
    return cat([columns, node.TENSOR(xp.svd(xp.eye_like(reached) - reached)[0][..., :missing])], -1)  # type: ignore[call-arg]


def svdvals(A: Any) -> Any:
    """The singular values of each matrix, in descending order: shape (..., m, n) gives (..., min(m, n))."""
    return results(apply(Svd.shared, A))[1]


def inv(A: Any) -> Any:
    """The inverse of each matrix: shape (..., n, n). ValueError where a matrix is singular."""
    return apply(Inv.shared, A)


inverse = inv


def det(A: Any) -> Any:
    """The determinant of each matrix: shape (..., n, n) gives (...)."""
    return apply(Det.shared, A)


def slogdet(A: Any) -> SignLog:
    """The determinant of each matrix as its sign and the logarithm of its size: det = sign × e**logabsdet."""
    size = apply(LogAbsDet.shared, A)
    return SignLog(node.TENSOR(size._saved), size)  # type: ignore[call-arg]


def logdet(A: Any) -> Any:
    """log(det(A)) of each matrix, without overflow; nan where the determinant is negative."""
    sign, size = slogdet(A)
    return where(answer("less", sign, 0), float("nan"), size)


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The X for which A @ X = B (with left=False, X @ A = B), without inverting A.

    Shapes (..., n, n) and (..., n, k), or (..., n) for vectors; as B. ValueError where a matrix is singular.
    """
    vectors = B.ndim == 1 or B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1])
    if vectors:
        return squeeze(apply(Solve.shared, A, unsqueeze(B, -1)), -1)
    return apply(Solve.shared, A, B) if left else mT(apply(Solve.shared, mT(A), mT(B)))


def cholesky(A: Any, upper: bool = False) -> Any:
    """The lower triangle L with L @ L.T = A (upper: L.T), for symmetric, positive definite A: shape (..., n, n)."""
    lower = apply(Cholesky.shared, A)
    return mT(lower) if upper else lower


@at_home
def matrix_power(A: Any, n: int) -> Any:
    """Each matrix multiplied by itself n times; its inverse, for a negative n."""
    if n < 0:
        return matrix_power(inv(A), -n)
    if n == 0:
        return mul(A.detach(), 0) + node.TENSOR(backend_among([A.raw]).eye_like(A.raw))  # type: ignore[call-arg]
    out, square = None, A
    while n:  # by squaring
        if n & 1:
            out = square if out is None else matmul(out, square)
        n >>= 1
        square = matmul(square, square) if n else square
    return out


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The sums of products along `dim`."""
    return sum(mul(x, y), dim)


def multi_dot(tensors: Any) -> Any:
    """The product of several matrices, from left to right; the first and the last may be vectors."""
    out = tensors[0]
    for x in tensors[1:]:
        out = matmul(out, x)
    return out
