"""Convolution on CuPy arrays: a ladder of ways, the fastest that is there first. CuPy itself has none.

Every rung is a module with `conv`, `conv_input` and `conv_weight`, with the arguments and results of the NumPy backend's
functions of these names. One that does not take a case (a dtype, uneven padding) answers None, and the next is asked; the
last takes everything.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any

from . import cupy_gemm

Sizes = tuple[int, ...]


@functools.cache
def convolution_ladder() -> tuple[ModuleType, ...]:
    """The rungs, from the top: cuDNN where `cupy_cudnn.is_available()`, and im2col with matrix products."""
    try:
        cudnn = importlib.import_module(".cupy_cudnn", __package__)
    except ImportError:
        return (cupy_gemm,)
    return (cudnn, cupy_gemm) if cudnn.is_available() else (cupy_gemm,)


def conv(x: Any, weight: Any, bias: Any, *way: Any) -> Any:
    """At each position, the products of each filter with the window of x there, added up; plus the filter's bias."""
    return _first("conv", x, weight, bias, *way)


def conv_input(grad: Any, weight: Any, size: Sizes, *way: Any) -> Any:
    """The gradient of `conv` with respect to its x of spatial `size`."""
    return _first("conv_input", grad, weight, size, *way)


def conv_weight(x: Any, grad: Any, kernel: Sizes, *way: Any) -> Any:
    """The gradient of `conv` with respect to its weight of size `kernel`."""
    return _first("conv_weight", x, grad, kernel, *way)


def _first(name: str, *arguments: Any) -> Any:
    for rung in convolution_ladder():
        out = getattr(rung, name)(*arguments)
        if out is not None:
            return out
    raise AssertionError(f"the last rung takes every {name}")
