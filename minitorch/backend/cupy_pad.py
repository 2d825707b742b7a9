"""Padding on CuPy arrays, one axis after the other."""

from __future__ import annotations

from typing import Any

import cupy

from .numpy_pad import Pads, _inside, _sources, _used


def pad(x: Any, pads: Pads, mode: str, value: float) -> Any:
    """x with a border of `pads` (before, after) along each axis; negative cuts off."""
    if mode != "constant":
        for axis, (before, after) in enumerate(pads):
            if before or after:
                x = cupy.take(x, cupy.asarray(_sources(x.shape[axis], before, after, mode)), axis)
        return x
    size = tuple(n + before + after for n, (before, after) in zip(x.shape, pads))
    out = cupy.full(size, value, x.dtype)
    out[_inside(pads, size)] = x[_used(pads, x.shape)]
    return out


def unpad(grad: Any, pads: Pads, mode: str, shape: tuple[int, ...]) -> Any:
    """The gradient of `pad` for an x of `shape`: each element of the border added where it was copied from."""
    if mode == "constant":
        if min(map(min, pads), default=0) >= 0:
            return grad[_inside(pads, grad.shape)]
        out = cupy.zeros(shape, grad.dtype)
        out[_used(pads, shape)] = grad[_inside(pads, grad.shape)]
        return out
    for axis, ((before, after), n) in enumerate(zip(pads, shape)):
        if before or after:
            out = cupy.zeros((*grad.shape[:axis], n, *grad.shape[axis + 1 :]), grad.dtype)
            cupy.add.at(out, (slice(None),) * axis + (cupy.asarray(_sources(n, before, after, mode)),), grad)
            grad = out
    return grad
