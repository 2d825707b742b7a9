"""Normalization: numbers moved to mean 0 and scaled to variance 1 over some of their axes, then scaled and moved by what is
learned. They differ in the axes alone: over the batch, over the channels, over groups of channels, over one plane."""

from __future__ import annotations

import math
from typing import Any

from ..backend import backend_of
from ..backend.gpus import beside
from ..core.apply import apply
from ..core.op import Op
from .conv import Sizes
from .create import ones_like
from .pool import AvgPool
from .shape import clone, reshape


class Normalization(Op):
    """(x - mean) / √(variance + eps) over `axes` of the folded x, times weight, plus bias."""

    saves = True  # mean and scale; a rule that is itself differentiated computes them again

    def __init__(self, axes: Sizes, eps: float) -> None:
        self.axes, self.eps = axes, eps

    def forward(self, xp, x, weight=None, bias=None):
        folded = self.fold(xp, x)
        mean, scale = self.moments(xp, folded)
        out = xp.standardize(folded, mean, scale, xp.shape(x), self.wide(xp, weight, x), self.wide(xp, bias, x))
        return out, (mean, scale)

    def vjp(self, xp, grad, out, saved, needed, x, weight=None, bias=None):
        folded = self.fold(xp, x)
        mean, scale = xp.kept(saved, self.moments, folded)
        normal = (folded - mean) * scale
        flow = self.fold(xp, grad if weight is None else grad * self.wide(xp, weight, x))
        grads = [None, None, None]
        if 0 in needed:
            # x moves its own result, and everybody's through the mean and through the variance.
            average, lean = xp.mean(flow, self.axes, keepdims=True), xp.mean_product(flow, normal, self.axes)
            grads[0] = xp.reshape(scale * (flow - average - normal * lean), xp.shape(x))
        if 1 in needed:
            grads[1] = self.narrow(xp, grad * xp.reshape(normal, xp.shape(x)), weight)
        if 2 in needed:
            grads[2] = self.narrow(xp, grad, bias)
        return grads

    def moments(self, xp: Any, folded: Any) -> tuple[Any, Any]:
        """Mean and 1 / standard deviation, ready to broadcast against the folded x."""
        if (kernel := getattr(xp, "moments", None)) is not None:  # a backend may find both at once
            return kernel(folded, self.axes, self.eps)
        mean = xp.mean(folded, self.axes, keepdims=True)
        variance = xp.mean_square_from(mean, folded, self.axes)
        return mean, (variance + self.eps) ** -0.5

    def fold(self, xp: Any, x: Any) -> Any:
        """x in the shape whose `axes` are averaged over."""
        return x

    def wide(self, xp: Any, parameter: Any, x: Any) -> Any:
        """A weight or bias, one number per channel (axis 1), ready to broadcast against x."""
        return None if parameter is None else xp.reshape(parameter, (-1,) + (1,) * (len(xp.shape(x)) - 2))

    def narrow(self, xp: Any, grad: Any, parameter: Any) -> Any:
        """A gradient per element, summed to one per channel."""
        return xp.sum(grad, axis=(0, *range(2, len(xp.shape(grad)))))


class BatchNorm(Normalization):
    """Each channel standardized over the batch and its positions: x (n, channels, *size), weight and bias (channels,)."""

    name = "batch_norm"


class GroupNorm(Normalization):
    """Each of `groups` groups of channels standardized over its channels and positions, for each image by itself."""

    name = "group_norm"

    def __init__(self, groups: int, eps: float) -> None:
        self.groups = groups
        super().__init__((2,), eps)

    def fold(self, xp: Any, x: Any) -> Any:
        n, *rest = xp.shape(x)
        return xp.reshape(x, (n, self.groups, math.prod(rest) // self.groups))


class LayerNorm(Normalization):
    """Each row standardized over its last axes, those of weight and bias."""

    name = "layer_norm"

    def wide(self, xp: Any, parameter: Any, x: Any) -> Any:
        return parameter

    def narrow(self, xp: Any, grad: Any, parameter: Any) -> Any:
        return grad  # the engine sums over the axes along which the parameter was broadcast


class RmsNorm(Op):
    """x / √(mean of x² + eps) over the last axes, times weight: a LayerNorm that leaves the mean where it is."""

    saves = True

    def __init__(self, axes: Sizes, eps: float) -> None:
        self.axes, self.eps = axes, eps

    def forward(self, xp, x, weight=None):
        scale = self.scale(xp, x)
        return x * scale if weight is None else x * scale * weight, scale

    def vjp(self, xp, grad, out, saved, needed, x, weight=None):
        scale = xp.kept(saved, self.scale, x)
        normal, flow = x * scale, grad if weight is None else grad * weight
        lean = xp.mean_product(flow, normal, self.axes)
        return [scale * (flow - normal * lean), grad * normal]

    def scale(self, xp: Any, x: Any) -> Any:
        return (xp.mean_product(x, x, self.axes) + self.eps) ** -0.5


class Standardize(Op):
    """(x - mean) / √(variance + eps), times weight, plus bias, with a given mean and variance per channel: what batch_norm does
    once it is trained. Mean and variance receive no gradient."""

    name = "batch_norm_eval"

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def forward(self, xp, x, mean, variance, weight=None, bias=None):
        factor = self.factor(xp, variance, weight)
        shift = -mean * factor if bias is None else bias - mean * factor
        return x * wide(xp, factor, x) + wide(xp, shift, x)

    def vjp_x(self, xp, grad, out, x, mean, variance, weight=None, bias=None):
        return grad * wide(xp, self.factor(xp, variance, weight), x)

    def vjp_weight(self, xp, grad, out, x, mean, variance, weight=None, bias=None):
        normal = (x - wide(xp, mean, x)) * wide(xp, self.factor(xp, variance, None), x)
        return xp.sum(grad * normal, axis=(0, *range(2, len(xp.shape(x)))))

    def vjp_bias(self, xp, grad, out, x, mean, variance, weight=None, bias=None):
        return xp.sum(grad, axis=(0, *range(2, len(xp.shape(x)))))

    def factor(self, xp: Any, variance: Any, weight: Any) -> Any:
        scale = (variance + self.eps) ** -0.5
        return scale if weight is None else scale * weight


def wide(xp: Any, parameter: Any, x: Any) -> Any:
    """One number per channel (axis 1), ready to broadcast against x."""
    return xp.reshape(parameter, (-1,) + (1,) * (len(xp.shape(x)) - 2))


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of input (n, channels, *size) standardized over batch and positions, times weight, plus bias (channels,).

    In training by the batch's own mean and variance, and the running ones are moved towards them by `momentum`, in place;
    otherwise by the running ones.
    """
    if not math.prod(input.shape):
        return clone(input)  # nothing to standardize, and nothing to learn from
    _check_channels("batch_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm outside training needs running_mean and running_var")
        return apply(Standardize(eps), input, running_mean, running_var, *_given(weight, bias))
    count = math.prod(input.shape) // max(1, input.shape[1])
    if count == 1:
        raise ValueError(f"batch_norm cannot learn from one value per channel (input of shape {tuple(input.shape)})")
    out = apply(BatchNorm((0, *range(2, input.ndim)), eps), input, *_given(weight, bias))
    if running_mean is not None and running_var is not None:
        mean, scale = (moment.reshape(-1) for moment in out._saved)
        kernel = getattr(backend_of(mean), "follow_moments", None)  # a backend may do both at once
        if kernel is not None:
            with beside(mean):
                kernel(running_mean.raw, running_var.raw, mean, scale, momentum, eps, count / (count - 1))
            running_mean.touch()
            running_var.touch()
            return out
        _follow(running_mean, mean, momentum)
        _follow(running_var, (scale**-2 - eps) * (count / (count - 1)), momentum)
    return out


def _follow(running: Any, value: Any, momentum: float) -> None:
    """Move a running statistic towards `value`, in place and outside the graph."""
    with beside(running.raw):
        running.raw *= 1 - momentum
        running.raw += momentum * value
    running.touch()


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of each image, input (n, channels, *size), standardized over its positions, times weight, plus bias.

    The running statistics, if given, follow the averages over the batch; without `use_input_stats` they are used instead.
    """
    _check_channels("instance_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    count = math.prod(input.shape[2:])
    if count == 1:
        raise ValueError(f"instance_norm needs more than one position per channel (input of shape {tuple(input.shape)})")
    out = apply(GroupNorm(input.shape[1], eps), input, *_given(weight, bias))
    if running_mean is not None and running_var is not None:
        mean, scale = (moment.reshape(input.shape[:2]) for moment in out._saved)
        _follow(running_mean, mean.mean(0), momentum)
        _follow(running_var, (scale**-2 - eps).mean(0) * (count / (count - 1)), momentum)
    return out


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each of `num_groups` groups of channels of each image, input (n, channels, *size), standardized over its channels and
    positions; then times weight, plus bias, each (channels,)."""
    _check_channels("group_norm", input, weight=weight, bias=bias)
    if num_groups < 1 or input.shape[1] % num_groups:
        raise ValueError(f"group_norm: {input.shape[1]} channels do not divide into {num_groups} groups")
    return apply(GroupNorm(num_groups, eps), input, *_given(weight, bias))


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each row of the input standardized over its last axes, whose shape is `normalized_shape`, as are weight and bias."""
    axes = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    return apply(LayerNorm(axes, eps), input, *_given(weight, bias))


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Each row of the input divided by the root of the mean of its squares over the last axes, whose shape is
    `normalized_shape`, as is the weight's. `eps` is the dtype's smallest step at 1 unless given."""
    axes = _last_axes("rms_norm", input, normalized_shape, weight)
    op = RmsNorm(axes, {"e": 2.0**-10, "f": 2.0**-23, "d": 2.0**-52}.get(input.dtype.char, 2.0**-23) if eps is None else eps)
    return apply(op, input) if weight is None else apply(op, input, weight)


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Each element over (k + alpha · the mean square of `size` neighbouring channels)**beta; input (n, channels, *size)."""
    if input.ndim < 3:
        raise ValueError(f"local_response_norm needs an input of shape (n, channels, *size), not {tuple(input.shape)}")
    n, channels, *rest = input.shape
    columns = reshape(input * input, (n, 1, channels, math.prod(rest)))
    pool = AvgPool((size, 1), (1, 1), ((size // 2, (size - 1) // 2), (0, 0)), size)
    return input / (reshape(apply(pool, columns), input.shape) * alpha + k) ** beta


def _given(weight: Any, bias: Any) -> tuple[Any, ...]:
    """Weight and bias, or neither."""
    if weight is None and bias is not None:
        return ones_like(bias), bias
    return () if weight is None else (weight,) if bias is None else (weight, bias)


def _check_channels(name: str, input: Any, **parameters: Any) -> None:
    if input.ndim < 2:
        raise ValueError(f"{name} needs an input of shape (n, channels, *size), not {tuple(input.shape)}")
    for what, parameter in parameters.items():
        if parameter is not None and parameter.shape != (input.shape[1],):
            raise ValueError(f"{name}: {what} has shape {tuple(parameter.shape)}, the input {input.shape[1]} channels")


def _last_axes(name: str, input: Any, normalized_shape: Any, *parameters: Any) -> Sizes:
    wanted = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not wanted or tuple(input.shape[-len(wanted) :]) != wanted:
        raise ValueError(f"{name} over {wanted} needs an input that ends in these sizes, not {tuple(input.shape)}")
    for parameter in parameters:
        if parameter is not None and parameter.shape != wanted:
            raise ValueError(f"{name} over {wanted} needs weight and bias of that shape, not {tuple(parameter.shape)}")
    return tuple(range(input.ndim - len(wanted), input.ndim))
