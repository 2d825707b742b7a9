"""The functions behind the layers, as `torch.nn.functional`: what a layer computes, with its weights as arguments."""

from __future__ import annotations

from ..ops.activation import (
    celu, elu, gelu, glu, hardshrink, hardsigmoid, hardswish, hardtanh, leaky_relu, log_softmax, logsigmoid, mish, prelu, relu6,
    rrelu, selu, silu, softmax, softmin, softplus, softshrink, softsign, tanhshrink, threshold,
)  # fmt: skip
from ..ops.classes import cross_entropy, nll_loss
from ..ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d, fold, unfold
from ..ops.elementwise import relu, sigmoid, tanh
from ..ops.linear import linear
from ..ops.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "celu", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold", "unfold", "cross_entropy", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "huber_loss", "l1_loss",
    "leaky_relu", "linear", "log_softmax", "logsigmoid", "mish", "mse_loss", "nll_loss", "prelu", "relu", "relu6", "rrelu", "selu",
    "sigmoid", "silu", "smooth_l1_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
    "threshold",
]  # fmt: skip
