"""What neurons do with their sum: activation functions, each with the slope it has at every point."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..backend import backend_of
from ..backend.gpus import beside
from ..core.apply import apply, function
from ..core.op import Elementwise, Op
from .axes import one_axis
from .random import uniform
from .shape import reshape, to

SQRT_HALF = math.sqrt(0.5)
BELL = 1 / math.sqrt(2 * math.pi)
"""The height of the normal distribution's density at 0."""


class LeakyRelu(Elementwise):
    """x where positive, else x times a small slope."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, xp, x):
        # The larger of the two, for a slope below 1: a quarter of the time of a choice (1.6 million of float32, 2.8 ms).
        return xp.maximum(x, x * self.slope) if 0 <= self.slope <= 1 else xp.where(x > 0, x, x * self.slope)

    def d_x(self, xp, out, x):
        return xp.either(x > 0, 1, self.slope, x)


class Prelu(Elementwise):
    """x where positive, else x times a slope that is learned; the slope broadcasts against x."""

    def forward(self, xp, x, weight):
        return xp.where(x > 0, x, x * weight)

    def d_x(self, xp, out, x, weight):
        return xp.where(x > 0, 1, weight)

    def d_weight(self, xp, out, x, weight):
        return xp.where(x > 0, 0, x)


class Elu(Elementwise):
    """`scale` times: x where positive, else alpha (e**(x/rate) - 1), which bends smoothly towards -alpha."""

    def __init__(self, alpha: float = 1.0, scale: float = 1.0, rate: float = 1.0) -> None:
        self.alpha, self.scale, self.rate = alpha, scale, rate

    def forward(self, xp, x):
        return self.scale * xp.where(x > 0, x, self.alpha * xp.expm1(xp.minimum(x, 0) / self.rate))

    def d_x(self, xp, out, x):
        return xp.where(x > 0, self.scale, (out + self.scale * self.alpha) / self.rate)


class Gelu(Elementwise):
    """x times the chance that a normal number is below x."""

    costly = True

    def forward(self, xp, x):
        return x * (0.5 + 0.5 * xp.erf(x * SQRT_HALF))

    def d_x(self, xp, out, x):
        return 0.5 + 0.5 * xp.erf(x * SQRT_HALF) + x * xp.exp(x * x * -0.5) * BELL


class GeluTanh(Elementwise):
    """Gelu with its bell curve's sum approximated by a tanh."""

    costly = True

    rate = math.sqrt(2 / math.pi)
    cubic = 0.044715

    def forward(self, xp, x):
        return 0.5 * x * (1 + xp.tanh(self.rate * (x + self.cubic * x * x * x)))

    def d_x(self, xp, out, x):
        t = xp.tanh(self.rate * (x + self.cubic * x * x * x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * self.rate * (1 + 3 * self.cubic * x * x)


class Silu(Elementwise):
    """x · sigmoid(x), also called swish."""

    costly = True

    def forward(self, xp, x):
        return x * xp.sigmoid(x)

    def d_x(self, xp, out, x):
        s = xp.sigmoid(x)
        return s + out * (1 - s)


class Softplus(Elementwise):
    """log(1 + e**(beta x)) / beta, a rounded relu; the line x itself where beta x is above the threshold."""

    costly = True

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, xp, x):
        z = x * self.beta
        return xp.where(z > self.threshold, x, (xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))) / self.beta)

    def d_x(self, xp, out, x):
        return xp.where(x * self.beta > self.threshold, 1, xp.sigmoid(x * self.beta))


class LogSigmoid(Elementwise):
    """log(sigmoid(x)), exact also where sigmoid rounds to 0 or 1."""

    costly = True

    def forward(self, xp, x):
        return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))

    def d_x(self, xp, out, x):
        return xp.sigmoid(-x)


class Mish(Elementwise):
    """x · tanh(softplus(x))."""

    costly = True

    def forward(self, xp, x):
        return x * xp.tanh(xp.softplus(x))

    def d_x(self, xp, out, x):
        t = xp.tanh(xp.softplus(x))
        return t + x * (1 - t * t) * xp.sigmoid(x)


class Softsign(Elementwise):
    """x / (1 + |x|)."""

    def forward(self, xp, x):
        return xp.divide(x, 1 + xp.abs(x))

    def d_x(self, xp, out, x):
        return xp.divide(1, (1 + xp.abs(x)) ** 2)


class Softshrink(Elementwise):
    """x moved towards 0 by `threshold`, and 0 where it would pass it."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def forward(self, xp, x):
        return x - xp.minimum(xp.maximum(x, -self.threshold), self.threshold)

    def d_x(self, xp, out, x):
        return xp.abs(x) > self.threshold


class Hardshrink(Elementwise):
    """x, and 0 where it is no further than `threshold` from 0."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def forward(self, xp, x):
        return xp.where(xp.abs(x) <= self.threshold, 0, x)

    def d_x(self, xp, out, x):
        return xp.abs(x) > self.threshold


class Tanhshrink(Elementwise):
    """x - tanh(x)"""

    def forward(self, xp, x):
        return x - xp.tanh(x)

    def d_x(self, xp, out, x):
        return xp.tanh(x) ** 2


class Hardtanh(Elementwise):
    """x cut off at `low` and `high`; flat outside and at the corners."""

    def __init__(self, low: float = -1.0, high: float = 1.0) -> None:
        self.low, self.high = low, high

    def forward(self, xp, x):
        return xp.minimum(xp.maximum(x, self.low), self.high)

    def d_x(self, xp, out, x):
        return (x > self.low) & (x < self.high)


class Hardsigmoid(Elementwise):
    """A straight line from 0 at -3 to 1 at 3, flat outside."""

    def forward(self, xp, x):
        return xp.minimum(xp.maximum(x + 3, 0), 6) / 6

    def d_x(self, xp, out, x):
        return xp.either((x > -3) & (x < 3), 1 / 6, 0, x)


class Hardswish(Elementwise):
    """x · hardsigmoid(x)."""

    def forward(self, xp, x):
        return x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6

    def d_x(self, xp, out, x):
        return xp.where(x <= -3, 0, xp.where(x < 3, x / 3 + 0.5, 1))


class Threshold(Elementwise):
    """x where it is above `threshold`, else `value`."""

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold, self.value = threshold, value

    def forward(self, xp, x):
        return xp.where(x <= self.threshold, self.value, x)

    def d_x(self, xp, out, x):
        return x > self.threshold


class Softmax(Op):
    """exp(x) / sum(exp(x)) along `axis`."""

    promotes = "float"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, xp, x):
        return xp.softmax(x, self.axis)

    def vjp_x(self, xp, grad, out, x):
        return out * (grad - xp.sum(grad * out, axis=self.axis, keepdims=True))


class LogSoftmax(Op):
    """log(softmax(x)) along `axis`."""

    promotes = "float"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, xp, x):
        return xp.log_softmax(x, self.axis)

    def vjp_x(self, xp, grad, out, x):
        return grad - xp.exp(out) * xp.sum(grad, axis=self.axis, keepdims=True)


class Glu(Op):
    """The first half along `axis`, each element let through by the sigmoid of its partner in the second half."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, xp, x):
        a, b = self.halves(x)
        return a * xp.sigmoid(b)

    def vjp_x(self, xp, grad, out, x):
        a, b = self.halves(x)
        s = xp.sigmoid(b)
        return xp.concatenate([grad * s, grad * a * s * (1 - s)], axis=self.axis)

    def halves(self, x: Any) -> tuple[Any, Any]:
        before, half = (slice(None),) * self.axis, x.shape[self.axis] // 2
        return x[(*before, slice(0, half))], x[(*before, slice(half, None))]


mish = function(Mish)
softsign = function(Softsign)
tanhshrink = function(Tanhshrink)
logsigmoid = function(LogSigmoid)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where positive, else negative_slope · x. (`inplace` has no effect here and below: nodes keep their numbers.)"""
    return apply(LeakyRelu(negative_slope), input)


def rrelu(
    input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False, *,
    generator: Any = None,
) -> Any:  # fmt: skip
    """leaky_relu with a slope drawn anew for each element from [lower, upper) in training, their middle otherwise."""
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    slopes = uniform(input.shape, input.dtype, generator) * (upper - lower) + lower
    with beside(input.raw):
        return apply(Prelu.shared, input, backend_of(input.raw).asarray(slopes))


def prelu(input: Any, weight: Any) -> Any:
    """x where positive, else weight · x; `weight` holds one slope, or one per channel (axis 1 of the input)."""
    if weight.ndim > 1:
        raise ValueError(f"prelu needs one slope or one per channel, not a weight of shape {tuple(weight.shape)}")
    if weight.ndim == 0 or weight.shape[0] == 1:
        return apply(Prelu.shared, input, reshape(weight, (1,) * input.ndim))
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.shape[0] != channels:
        raise ValueError(f"prelu has {weight.shape[0]} slopes for {channels} channels (input of shape {tuple(input.shape)})")
    return apply(Prelu.shared, input, reshape(weight, (1, -1) + (1,) * (input.ndim - 2)))


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where positive, else alpha (e**x - 1)."""
    return apply(Elu(alpha), input)


def selu(input: Any, inplace: bool = False) -> Any:
    """elu with the constants that keep mean 0 and variance 1 through many layers (Klambauer et al., 2017)."""
    return apply(Elu(1.6732632423543772848170429916717, 1.0507009873554804934193349852946), input)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where positive, else alpha (e**(x/alpha) - 1)."""
    return apply(Elu(alpha, 1.0, alpha), input)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x times the chance that a normal number is below x; `approximate="tanh"` is the form GPT-2 used."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu's approximate is 'none' or 'tanh', not {approximate!r}")
    return apply(Gelu.shared if approximate == "none" else GeluTanh.shared, input)


def silu(input: Any, inplace: bool = False) -> Any:
    """x · sigmoid(x), also called swish."""
    return apply(Silu.shared, input)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e**(beta x)) / beta; x itself where beta x is above `threshold`."""
    return apply(Softplus(beta, threshold), input)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by `lambd`, and 0 where it would pass it."""
    if lambd < 0:
        raise ValueError(f"softshrink moves by 0 or more, not {lambd}")
    return apply(Softshrink(lambd), input)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x, and 0 where |x| is at most `lambd`."""
    return apply(Hardshrink(lambd), input)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x cut off at `min_val` and `max_val`."""
    if min_val > max_val:
        raise ValueError(f"hardtanh needs min_val <= max_val, not {min_val} and {max_val}")
    return apply(Hardtanh(min_val, max_val), input)


def relu6(input: Any, inplace: bool = False) -> Any:
    """x cut off at 0 and 6."""
    return apply(Hardtanh(0.0, 6.0), input)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """A straight line from 0 at -3 to 1 at 3, flat outside."""
    return apply(Hardsigmoid.shared, input)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x · hardsigmoid(x)."""
    return apply(Hardswish.shared, input)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where it is above `threshold`, else `value`."""
    return apply(Threshold(threshold, value), input)


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along `dim`, shifted so that nothing overflows. Shape as the input, or in `dtype`."""
    input = input if dtype is None else to(input, dtype)
    return apply(Softmax(_axis("softmax", dim, input.ndim)), input)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """softmax(-x) along `dim`: the smallest element gets the largest share."""
    return softmax(-input, _axis("softmin", dim, input.ndim), dtype=dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """log(softmax(x)) along `dim`, exact also where softmax rounds to 0. Shape as the input, or in `dtype`."""
    input = input if dtype is None else to(input, dtype)
    return apply(LogSoftmax(_axis("log_softmax", dim, input.ndim)), input)


def _axis(name: str, dim: int | None, ndim: int) -> int:
    """`dim` counted from the front; without one, what PyTorch takes (the classes of a batch), with a warning."""
    if dim is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        warnings.warn(f"{name} without dim takes dim={dim} here; say so: {name}(x, dim={dim})", stacklevel=4)
    return one_axis(dim, ndim)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half along `dim` times the sigmoid of the second. Shape as the input, half as long along `dim`."""
    axis = one_axis(dim, input.ndim)
    if input.ndim == 0 or input.shape[axis] % 2:
        raise ValueError(f"glu needs an even length along dim {dim}; the input has shape {tuple(input.shape)}")
    return apply(Glu(axis), input)
