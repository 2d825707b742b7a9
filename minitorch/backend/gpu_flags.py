"""What a GPU may use to be faster. Users set it through `minitorch.backends.cudnn` and `.cuda`, under PyTorch's names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Flags:
    """The defaults are PyTorch's."""

    cudnn: bool = True
    """cuDNN where it is installed; else CuPy alone."""
    cudnn_tf32: bool = True
    """Convolutions of float32 in TF32: 10 digits of the significand instead of 23, on tensor cores."""


flags = Flags()
