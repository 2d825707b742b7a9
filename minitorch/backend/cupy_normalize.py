"""Normalization on CuPy arrays."""

from __future__ import annotations

from typing import Any


def mean_product(x: Any, y: Any, axis: tuple[int, ...]) -> Any:
    """The mean of x · y over `axis`, the axes kept with length 1."""
    return (x * y).mean(axis, None, None, True)


def mean_square_from(centre: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """The mean of (x - centre)² over `axis`, the axes kept with length 1: the variance, where centre is the mean."""
    away = x - centre
    return mean_product(away, away, axis)


def standardize(x: Any, mean: Any, scale: Any, shape: Any, weight: Any, bias: Any) -> Any:
    """(x - mean) · scale, in `shape`, times weight, plus bias (each may be None)."""
    out = x - mean
    out *= scale
    out = out.reshape(shape)
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out
