"""What computes, where there is a choice: `minitorch.backends.fast`, compiled kernels for NumPy's arrays."""

from __future__ import annotations

from . import fast

__all__ = ["fast"]
