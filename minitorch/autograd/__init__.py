"""Derivatives on request: `grad`, functions' derivatives, a user's own operations, and checks. PyTorch's names."""

from ..core.modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    inspect,
    is_grad_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)  # fmt: skip
from . import functional
from .check import gradcheck, gradgradcheck
from .function import Function
from .gradient import backward, grad

__all__ = [
    "Function", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "gradcheck", "gradgradcheck",
    "inference_mode", "inspect", "is_grad_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip
