"""Losses as modules."""

from __future__ import annotations

from ..core.tensor import Tensor
from . import functional as F
from .module import Module


class CrossEntropyLoss(Module):
    """The mean of -log softmax(scores)[target]. Shapes: scores (n, classes), target (n,) of class numbers."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(input, target)


class MSELoss(Module):
    """(input - target)², averaged ("mean"), added up ("sum") or as it is ("none")."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, self.reduction)
