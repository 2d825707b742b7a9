"""Dropout: numbers set to 0 at random in training, so that no neuron can rely on another."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from . import functional as F
from .module import Module


class Dropout(Module):
    """Each element is 0 with probability p in training, and the others are divided by 1 - p; nothing in evaluation
    (Srivastava et al., 2014)."""

    function = "dropout"

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p is a probability, between 0 and 1, not {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        drop: Any = getattr(F, self.function)
        return drop(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Whole channels of signals (n, channels, length) dropped."""

    function = "dropout1d"


class Dropout2d(Dropout):
    """Whole channels of images (n, channels, height, width) dropped."""

    function = "dropout2d"


class Dropout3d(Dropout):
    """Whole channels of volumes (n, channels, depth, height, width) dropped."""

    function = "dropout3d"


class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance, for networks of SELU."""

    function = "alpha_dropout"


class FeatureAlphaDropout(Dropout):
    """Alpha dropout of whole channels."""

    function = "feature_alpha_dropout"
