"""Matrices, as NumPy arrays."""

# ruff: noqa: F401  (NumPy's own names among them)
from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from numpy.linalg import cholesky, det, inv, solve


def mT(x: ndarray) -> ndarray:
    """Every matrix transposed."""
    return np.swapaxes(x, -2, -1)


def eye_like(x: ndarray) -> ndarray:
    """The identity for every matrix in `x`."""
    return np.broadcast_to(np.eye(x.shape[-2], x.shape[-1], dtype=x.dtype), x.shape)


def slogdet(x: ndarray) -> tuple[Any, Any]:
    """The sign of each determinant and the logarithm of its size."""
    return tuple(np.linalg.slogdet(x))


def svd(x: ndarray) -> tuple[ndarray, ...]:
    """U, S, Vh, without the columns and rows that meet no singular value."""
    return tuple(np.linalg.svd(x, full_matrices=False))


def cofactors(x: ndarray) -> ndarray:
    """The derivative of each determinant, right also where it is 0: the products of all singular values but one."""
    u, s, vh = np.linalg.svd(x)
    others = np.stack([np.prod(np.delete(s, k, -1), -1) for k in range(s.shape[-1])], -1) if s.size else s
    return (np.linalg.det(u) * np.linalg.det(vh))[..., None, None] * np.matmul(u * others[..., None, :], vh)


def cross(a: ndarray, b: ndarray, axis: int) -> ndarray:
    """a₂b₃ - a₃b₂ and so on round the axis, of length 3."""
    def turned(x: ndarray, by: int) -> ndarray:
        return np.roll(x, -by, axis)

    return turned(a, 1) * turned(b, 2) - turned(a, 2) * turned(b, 1)
