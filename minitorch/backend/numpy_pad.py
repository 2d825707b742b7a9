"""Padding on NumPy arrays, one axis after the other."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

Pads = tuple[tuple[int, int], ...]


def pad(x: ndarray, pads: Pads, mode: str, value: float) -> ndarray:
    """x with a border of `pads` (before, after) along each axis; negative cuts off."""
    if mode != "constant":
        for axis, (before, after) in enumerate(pads):
            if before or after:
                x = np.take(x, _sources(x.shape[axis], before, after, mode), axis)
        return x
    size = tuple(n + before + after for n, (before, after) in zip(x.shape, pads))
    out = np.full(size, value, x.dtype)
    out[_inside(pads, size)] = x[_used(pads, x.shape)]
    return out


def unpad(grad: ndarray, pads: Pads, mode: str, shape: tuple[int, ...]) -> ndarray:
    """The gradient of `pad` for an x of `shape`: each element of the border added where it was copied from."""
    if mode == "constant":
        if min(map(min, pads), default=0) >= 0:
            return grad[_inside(pads, grad.shape)]
        out = np.zeros(shape, grad.dtype)
        out[_used(pads, shape)] = grad[_inside(pads, grad.shape)]
        return out
    for axis, ((before, after), n) in enumerate(zip(pads, shape)):
        if not before and not after:
            continue
        ahead = (slice(None),) * axis
        out = np.zeros((*grad.shape[:axis], n, *grad.shape[axis + 1 :]), grad.dtype)
        inside, used = slice(max(0, before), grad.shape[axis] - max(0, after)), slice(max(0, -before), n - max(0, -after))
        out[(*ahead, used)] = grad[(*ahead, inside)]
        sources = _sources(n, before, after, mode)
        for j in (*range(max(0, before)), *range(grad.shape[axis] - max(0, after), grad.shape[axis])):
            out[(*ahead, sources[j])] += grad[(*ahead, j)]
        grad = out
    return grad


def _inside(pads: Pads, size: tuple[int, ...]) -> tuple[slice, ...]:
    """Where in the padded array x lies."""
    return tuple(slice(max(0, before), n - max(0, after)) for n, (before, after) in zip(size, pads))


def _used(pads: Pads, size: tuple[int, ...]) -> tuple[slice, ...]:
    """What of x is left after negative padding."""
    return tuple(slice(max(0, -before), n - max(0, -after)) for n, (before, after) in zip(size, pads))


def _sources(n: int, before: int, after: int, mode: str) -> ndarray:
    """Which place along an axis of length `n` each place of the padded axis shows."""
    if mode == "circular":  # what is cut off is gone before the rest goes round
        first, left = max(0, -before), n + min(0, before) + min(0, after)
        return np.arange(-max(0, before), left + max(0, after)) % left + first
    place = np.arange(-before, n + after)
    if mode == "replicate":
        return np.clip(place, 0, n - 1)
    place = np.abs(place)  # reflect
    return np.where(place > n - 1, 2 * (n - 1) - place, place)
