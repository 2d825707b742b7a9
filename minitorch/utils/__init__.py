"""The place where PyTorch code looks for `torch.utils.data`."""

from __future__ import annotations

from . import data

__all__ = ["data"]
