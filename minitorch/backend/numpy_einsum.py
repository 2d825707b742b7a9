"""einsum as matrix products: NumPy's own loops over every index, or gives BLAS only part of the cases."""

from __future__ import annotations

import numpy as np
from numpy import ndarray


def einsum(equation: str, *operands: ndarray) -> ndarray:
    """The sum of products that `equation` says, each letter once per operand; two operands at a time, from the left."""
    inputs, result = equation.split("->")
    terms = inputs.split(",")
    x, term = operands[0], terms[0]
    for k in range(1, len(operands)):
        later = result + "".join(terms[k + 1 :])
        x, term = _pair(x, term, operands[k], terms[k], later)
    x, term = _summed(x, term, result)
    return x.transpose([term.index(c) for c in result])


def _pair(a: ndarray, of_a: str, b: ndarray, of_b: str, later: str) -> tuple[ndarray, str]:
    """Two operands as one: a batched matrix product, summed over the letters nobody needs later."""
    a, of_a = _summed(a, of_a, of_b + later)
    b, of_b = _summed(b, of_b, of_a + later)
    batch = [c for c in of_a if c in of_b and c in later]
    inside = [c for c in of_a if c in of_b and c not in later]
    rows = [c for c in of_a if c not in of_b]
    columns = [c for c in of_b if c not in of_a]
    size = dict(zip(of_a + of_b, a.shape + b.shape))

    def shape(*groups: list[str]) -> list[int]:
        return [size[c] for c in batch] + [int(np.prod([size[c] for c in group], dtype=int)) for group in groups]

    left = a.transpose([of_a.index(c) for c in batch + rows + inside]).reshape(shape(rows, inside))
    right = b.transpose([of_b.index(c) for c in batch + inside + columns]).reshape(shape(inside, columns))
    product = np.matmul(left, right)
    kept = batch + rows + columns
    return product.reshape([size[c] for c in kept]), "".join(kept)


def _summed(x: ndarray, term: str, needed: str) -> tuple[ndarray, str]:
    """`x` summed over the letters that are not needed."""
    drop = tuple(k for k, c in enumerate(term) if c not in needed)
    if drop:
        kept = [n for k, n in enumerate(x.shape) if k not in drop]
        x = x.sum(axis=drop, keepdims=True).reshape(kept)
    return x, "".join(c for c in term if c in needed)
