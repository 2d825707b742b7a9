"""What a GPU may use to be faster. Users set it through `minitorch.backends.cudnn` and `.cuda`, under PyTorch's names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

CUPY_TF32 = "CUPY_TF32"
"""The variable that CuPy reads when it is loaded."""


@dataclass
class Flags:
    """The defaults are PyTorch's."""

    cudnn: bool = True
    """cuDNN where it is installed; else CuPy alone."""
    cudnn_tf32: bool = True
    """Convolutions of float32 in TF32: 10 digits of the significand instead of 23, on tensor cores."""
    matmul_tf32: bool = field(default_factory=lambda: os.environ.get(CUPY_TF32, "0") not in ("", "0"))
    """So matrix products of float32. CuPy keeps a setting of its own for those that it hands to cuBLAS."""


flags = Flags()
