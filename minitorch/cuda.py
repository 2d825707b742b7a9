"""Whether there is a GPU to use. PyTorch's names."""

from __future__ import annotations

import importlib.util


def device_count() -> int:
    """How many GPUs CuPy can use; 0 without CuPy or without a driver."""
    if importlib.util.find_spec("cupy") is None:
        return 0
    import cupy

    try:
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


def is_available() -> bool:
    """True where tensors can be moved to "cuda"."""
    from .backend import BACKENDS

    return any(backend.device == "cuda" for backend in BACKENDS.values()) and device_count() > 0
