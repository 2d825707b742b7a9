"""Every operation, by family. The user's function stands beside its operation, in the same file."""

from .elementwise import (
    abs, add, cos, div, exp, log, maximum, minimum, mul, neg, pow, relu, sigmoid, sign, sin, sqrt, sub, tanh, where,
)  # fmt: skip
from .index import getitem
from .linalg import matmul
from .activation import log_softmax, softmax
from .classes import cross_entropy
from .loss import mse_loss
from .reduce import amax, amin, max, mean, min, sum, var
from .shape import broadcast_to, cat, clone, flatten, permute, reshape, squeeze, stack, to, transpose, unsqueeze

__all__ = [
    "abs", "add", "amax", "amin", "broadcast_to", "cat", "clone", "cos", "cross_entropy", "div", "exp", "flatten", "getitem",
    "log", "log_softmax", "matmul", "max", "maximum", "mean", "min", "minimum", "mse_loss", "mul", "neg", "permute", "pow", "relu",
    "reshape", "sigmoid", "sign", "sin", "softmax", "sqrt", "squeeze", "stack", "sub", "sum", "tanh", "to", "transpose",
    "unsqueeze", "var", "where",
]  # fmt: skip
