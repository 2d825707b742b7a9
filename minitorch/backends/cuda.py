"""Matrix products on the GPU, by PyTorch's names: `minitorch.backends.cuda.matmul.allow_tf32 = True`."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from ..backend.gpu_flags import CUPY_TF32, flags


class _MatMul:
    """The setting of cuBLAS."""

    @property
    def allow_tf32(self) -> bool:
        """Whether products of float32 may be computed in TF32: 10 digits of the significand instead of 23, on tensor cores,
        several times as fast. Off unless set, as in PyTorch."""
        return flags.matmul_tf32

    @allow_tf32.setter
    def allow_tf32(self, yes: Any) -> None:
        linalg = _linalg()
        if linalg is not None:
            linalg.set_compute_type("float32", linalg.COMPUTE_TYPE_TF32 if yes else linalg.COMPUTE_TYPE_DEFAULT)
        elif "cupy" in sys.modules:
            raise RuntimeError(f"this CuPy is told of TF32 only when it starts: set the variable {CUPY_TF32}=1")
        os.environ[CUPY_TF32] = str(int(bool(yes)))
        flags.matmul_tf32 = bool(yes)


def _linalg() -> Any:
    """Where a loaded CuPy 14 keeps the setting (it has no public place for it but the variable); None elsewhere."""
    if "cupy" not in sys.modules:
        return None
    try:
        found = importlib.import_module("cupy._core._routines_linalg")
    except ImportError:
        return None
    return found if hasattr(found, "set_compute_type") else None


matmul = _MatMul()
