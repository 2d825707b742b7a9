"""Initial weights. Each function fills a tensor in place, outside the graph, and returns it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import BACKENDS
from ..backend.gpus import at_home
from ..core.tensor import Tensor
from ..ops.random import Generator, standard_normal, uniform

_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights must be larger to keep the variance through `nonlinearity` (`param`: leaky ReLU's slope)."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity.startswith("conv"):
        return 1.0
    if nonlinearity not in _GAINS:
        raise ValueError(f"no gain is known for '{nonlinearity}'; known: leaky_relu, {', '.join(_GAINS)}")
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform numbers between a and b."""
    return _fill(tensor, uniform(tensor.shape, tensor.dtype, generator) * (b - a) + a)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers."""
    return _fill(tensor, standard_normal(tensor.shape, tensor.dtype, generator) * std + mean)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> Tensor:
    """Normal numbers, those outside [a, b] drawn again."""
    if not a < b:
        raise ValueError(f"trunc_normal_ needs a < b, not {a} and {b}")
    if std <= 0 or not a - 2 * std < mean < b + 2 * std:
        raise ValueError(f"trunc_normal_: hardly any number of mean {mean} and deviation {std} lies between {a} and {b}")
    numbers = standard_normal(tensor.shape, np.float64, generator) * std + mean
    outside = (numbers < a) | (numbers > b)
    while outside.any():
        numbers[outside] = standard_normal((int(outside.sum()),), np.float64, generator) * std + mean
        outside = (numbers < a) | (numbers > b)
    return _fill(tensor, numbers)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The same number everywhere."""
    return _fill(tensor, np.full(tensor.shape, val))


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix (ones on the diagonal of a matrix of any shape)."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_ needs a matrix, not a tensor of shape {tensor.shape}")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Convolution weights (3 to 5 axes) that pass each channel on unchanged, as far as there are channels."""
    if not 3 <= tensor.ndim <= 5:
        raise ValueError(f"dirac_ needs the weights of a convolution, of 3 to 5 axes, not shape {tensor.shape}")
    if tensor.shape[0] % groups:
        raise ValueError(f"dirac_: {tensor.shape[0]} output channels do not divide into {groups} groups")
    weights = np.zeros(tensor.shape)
    per_group = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            weights[(group * per_group + channel, channel, *middle)] = 1
    return _fill(tensor, weights)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform, of variance gain² · 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    fan_in, fan_out = fans(tensor)
    bound = gain * math.sqrt(6 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal, of variance gain² · 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    fan_in, fan_out = fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2 / (fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Tensor:
    """Uniform, of variance gain² / fan, where fan is fan_in or fan_out by `mode` (He et al., 2015)."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Tensor:
    """Normal, of variance gain² / fan, where fan is fan_in or fan_out by `mode` (He et al., 2015)."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, the fewer of them) at right angles and of length `gain`; axes after the first count as one."""
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_ needs a matrix at least, not a tensor of shape {tensor.shape}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    matrix = standard_normal((rows, tensor.numel() // rows), np.float64, generator)
    q, r = np.linalg.qr(matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T)
    q *= np.sign(np.diag(r))  # makes the result uniform over all such matrices
    return _fill(tensor, gain * (q if matrix.shape[0] >= matrix.shape[1] else q.T).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal numbers of deviation `std`, with a fraction `sparsity` of each column set to 0."""
    if tensor.ndim != 2:
        raise ValueError(f"sparse_ needs a matrix, not a tensor of shape {tensor.shape}")
    numbers = standard_normal(tensor.shape, np.float64, generator) * std
    zeros = math.ceil(sparsity * tensor.shape[0])
    order = uniform(tensor.shape, np.float64, generator).argsort(0)
    numbers[order < zeros] = 0
    return _fill(tensor, numbers)


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs a neuron of this weight adds up, and how many neurons an input goes to."""
    if tensor.ndim < 2:
        raise ValueError(f"fan in and fan out need a weight of two axes at least, not shape {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


@at_home
def _fill(tensor: Tensor, numbers: Any) -> Tensor:
    backend = BACKENDS[type(tensor.raw)]
    tensor.raw[...] = backend.asarray(numbers, dtype=tensor.dtype)
    tensor.touch()
    return tensor
