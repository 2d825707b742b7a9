"""The functions behind the layers, as `torch.nn.functional`: what a layer computes, with its weights as arguments."""

from __future__ import annotations

from ..ops import cross_entropy, log_softmax, mse_loss, relu, sigmoid, softmax, tanh
from ..ops.linear import linear

__all__ = ["cross_entropy", "linear", "log_softmax", "mse_loss", "relu", "sigmoid", "softmax", "tanh"]
