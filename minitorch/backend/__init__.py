"""What an operation may call, by kind of number.

Every operation is written once, against a namespace `xp` of NumPy's names. Four namespaces answer to it:
`scalar` (Python floats), `numpy`, `cupy`, and `graph` (Tensors and Values themselves, for the gradient of a gradient).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from . import numpy, scalar
from .memory import keep_freed_memory

keep_freed_memory()

BACKENDS: dict[type, ModuleType] = {numpy.ndarray: numpy}
"""Array type -> the namespace that works on it. The CuPy backend enters itself when it is first used."""


def backend_of(array: Any) -> ModuleType:
    """The namespace for a raw value: `scalar` for numbers, else the one of the array's type."""
    return BACKENDS.get(type(array), scalar)


__all__ = ["BACKENDS", "backend_of", "numpy", "scalar"]
