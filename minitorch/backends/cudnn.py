"""cuDNN on the GPU, by PyTorch's names: `minitorch.backends.cudnn.enabled`, `.allow_tf32`, `.version()`, `.is_available()`.

It computes convolutions, and attention of float16. Without it CuPy computes them, with the same results up to rounding, and
slower. It comes with `pip install 'minitorch-stepper[cudnn12]'` or `[cudnn13]`, by the CUDA version.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from ..backend.gpu_flags import flags as settings
from ..core.device import gpu_missing

benchmark = deterministic = False
"""Accepted for PyTorch's sake: plans are chosen by cuDNN's heuristics, and never by trying."""


def is_available() -> bool:
    """Whether there are a GPU, nvidia-cudnn-frontend and cuDNN itself."""
    return version() is not None


def version() -> int | None:
    """cuDNN's version as it counts them (92800 is 9.28.0); None without it."""
    if gpu_missing():
        return None
    found: int | None = importlib.import_module("minitorch.backend.cupy_cudnn").version()
    return found


@contextmanager
def flags(
    enabled: bool = True, benchmark: bool = False, deterministic: bool = False, allow_tf32: bool = True
) -> Iterator[None]:
    """`with flags(enabled=False):` these settings inside, and those of before afterwards."""
    before = settings.cudnn, settings.cudnn_tf32
    settings.cudnn, settings.cudnn_tf32 = enabled, allow_tf32
    try:
        yield
    finally:
        settings.cudnn, settings.cudnn_tf32 = before


class _Cudnn(ModuleType):
    """The two settings as attributes of this module, as in PyTorch."""

    @property
    def enabled(self) -> bool:
        """Whether cuDNN is used where it is available."""
        return settings.cudnn

    @enabled.setter
    def enabled(self, yes: Any) -> None:
        settings.cudnn = bool(yes)

    @property
    def allow_tf32(self) -> bool:
        """Whether convolutions of float32 may be computed in TF32 (10 digits of the significand instead of 23)."""
        return settings.cudnn_tf32

    @allow_tf32.setter
    def allow_tf32(self, yes: Any) -> None:
        settings.cudnn_tf32 = bool(yes)


sys.modules[__name__].__class__ = _Cudnn
