"""Normalization: numbers brought to mean 0 and variance 1 over a batch, a layer, a group or an image, then scaled anew."""

from __future__ import annotations

from typing import Any

from ..backend.gpus import beside
from ..core.tensor import Tensor
from ..ops import create
from . import functional as F
from . import init
from .configured import Configured
from .module import Module
from .parameter import Parameter


def restore(module: Module) -> None:
    """Weights 1, biases 0, as far as there are any."""
    if module.weight is not None:
        init.ones_(module.weight)
    if module._parameters.get("bias") is not None:
        init.zeros_(module.bias)


class Normalization(Module):
    """What batch and instance normalization share: weight and bias (num_features,) if `affine`; running_mean, running_var and
    num_batches_tracked as buffers if `track_running_stats`."""

    axes: tuple[int, ...] = ()
    """The numbers of axes an input may have."""
    layout = ""

    def __init__(
        self, num_features: int, eps: float, momentum: float | None, affine: bool, track_running_stats: bool, device: Any,
        dtype: Any, bias: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        kind = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(create.ones(num_features, **kind)) if affine else None)
        self.register_parameter("bias", Parameter(create.zeros(num_features, **kind)) if affine and bias else None)
        for name, fill in (("running_mean", create.zeros), ("running_var", create.ones)):
            self.register_buffer(name, fill(num_features, **kind) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", create.full((), 0) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Begin the running statistics anew: mean 0, variance 1."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Begin everything anew."""
        self.reset_running_stats()
        restore(self)

    def check(self, input: Tensor) -> None:
        """ValueError for an input of another shape than this layer is for."""
        if self.axes and input.ndim not in self.axes:
            raise ValueError(f"{type(self).__name__} takes {self.layout}, not shape {input.shape}")

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")  # fmt: skip


class BatchNorm1d(Normalization):
    """Each channel normalized over the batch in training, by running statistics in evaluation (Ioffe and Szegedy, 2015).

    A running statistic moves by `momentum` towards each batch's (None: it is the mean of all batches).
    """

    axes: tuple[int, ...] = (2, 3)
    layout = "(n, channels) or (n, channels, length)"

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        self.check(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats:
            with beside(input.raw):
                self.num_batches_tracked.raw += 1
            self.num_batches_tracked.touch()
            if self.momentum is None:
                momentum = 1 / int(self.num_batches_tracked)
        by_batch = self.training or self.running_mean is None
        tracked = not self.training or self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if tracked else (None, None)
        return F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)


class BatchNorm2d(BatchNorm1d):
    """Batch normalization of images."""

    axes = (4,)
    layout = "(n, channels, height, width)"


class BatchNorm3d(BatchNorm1d):
    """Batch normalization of volumes."""

    axes = (5,)
    layout = "(n, channels, depth, height, width)"


class InstanceNorm1d(Normalization):
    """Each channel of each item normalized over its own elements (Ulyanov et al., 2016)."""

    axes: tuple[int, ...] = (2, 3)
    layout = "(n, channels, length), or one item of it"

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        self.check(input)
        single = input.ndim == self.axes[0]
        batch = input.unsqueeze(0) if single else input
        out = F.instance_norm(batch, self.running_mean, self.running_var, self.weight, self.bias,
                              self.training or not self.track_running_stats, self.momentum or 0.0, self.eps)  # fmt: skip
        return out.squeeze(0) if single else out


class InstanceNorm2d(InstanceNorm1d):
    """Instance normalization of images."""

    axes = (3, 4)
    layout = "(n, channels, height, width), or one item of it"


class InstanceNorm3d(InstanceNorm1d):
    """Instance normalization of volumes."""

    axes = (4, 5)
    layout = "(n, channels, depth, height, width), or one item of it"


class LayerNorm(Module):
    """Normalized over the last axes, of lengths `normalized_shape` (Ba et al., 2016); weight and bias have that shape."""

    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        kind = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(create.ones(self.normalized_shape, **kind)) if elementwise_affine else None)
        has_bias = elementwise_affine and bias
        self.register_parameter("bias", Parameter(create.zeros(self.normalized_shape, **kind)) if has_bias else None)

    def reset_parameters(self) -> None:
        """Weights 1, biases 0."""
        restore(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")  # fmt: skip


class RMSNorm(Module):
    """Divided by the root of the mean of squares over the last axes, of lengths `normalized_shape` (Zhang, Sennrich, 2019)."""

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = Parameter(create.ones(self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        """Weights 1."""
        restore(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Channels in `num_groups` groups, each normalized over its own elements (Wu and He, 2018)."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels do not divide into {num_groups} groups")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        kind = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(create.ones(num_channels, **kind)) if affine else None)
        self.register_parameter("bias", Parameter(create.zeros(num_channels, **kind)) if affine and bias else None)

    def reset_parameters(self) -> None:
        """Weights 1, biases 0."""
        restore(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LocalResponseNorm(Configured):
    """Each channel divided by what its neighbours, `size` of them, say (Krizhevsky et al., 2012)."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__(size=size, alpha=alpha, beta=beta, k=k)

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
