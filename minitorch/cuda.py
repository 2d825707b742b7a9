"""Whether there is a GPU to use. PyTorch's names."""

from __future__ import annotations

import sys

from .core.device import gpu_missing


def device_count() -> int:
    """How many GPUs CuPy can use; 0 without CuPy or without a driver."""
    return 0 if gpu_missing(-1) else int(sys.modules["cupy"].cuda.runtime.getDeviceCount())


def is_available() -> bool:
    """True where tensors can be moved to "cuda"."""
    return not gpu_missing()
