"""What computes, where there is a choice: `fast`, compiled kernels for NumPy's arrays; on a GPU `cudnn` and `cuda.matmul`."""

from __future__ import annotations

from . import cuda, cudnn, fast

__all__ = ["cuda", "cudnn", "fast"]
