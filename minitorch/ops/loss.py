"""Losses: how far a result is from what it should be, as one number to go down on."""

from __future__ import annotations

import math
from typing import Any

from ..backend.gpus import at_home
from ..core.apply import apply
from ..core.op import Elementwise
from .activation import softplus
from .choose import clamp_min
from .create import full_like
from .elementwise import abs, exp, log, where
from .exponential import xlogy
from .reduce import mean, sum
from .shape import unsqueeze


def reduced(loss: Any, reduction: str) -> Any:
    """The losses as one number: averaged ("mean"), added up ("sum"), or as they are ("none")."""
    if reduction == "mean":
        return mean(loss)
    if reduction == "sum":
        return sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")


# Distances between numbers


class SmoothL1(Elementwise):
    """(input - target)² / (2 beta) where they differ by less than beta, else |input - target| - beta/2."""

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, xp, input, target):
        far = xp.abs(input - target)
        return xp.where(far < self.beta, far * far / (2 * self.beta), far - 0.5 * self.beta)

    def d_input(self, xp, out, input, target):
        return xp.minimum(xp.maximum((input - target) / self.beta, -1), 1)

    def d_target(self, xp, out, input, target):
        return xp.minimum(xp.maximum((target - input) / self.beta, -1), 1)


def mse_loss(input: Any, target: Any, reduction: str = "mean", *, weight: Any = None) -> Any:
    """(input - target)², times `weight` if given; "mean" then divides by the sum of the weights."""
    return _weighted((input - target) ** 2, weight, reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean", *, weight: Any = None) -> Any:
    """|input - target|, times `weight` if given; "mean" then divides by the sum of the weights."""
    return _weighted(abs(input - target), weight, reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", *, beta: float = 1.0) -> Any:
    """A parabola where |input - target| < beta, the distance itself (less beta/2) beyond."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss needs a beta of 0 or more, not {beta}")
    return reduced(apply(SmoothL1(beta), input, target), reduction) if beta else l1_loss(input, target, reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", *, delta: float = 1.0, weight: Any = None) -> Any:
    """delta times smooth_l1_loss: half the square within delta, a line of slope delta beyond."""
    if delta <= 0:
        raise ValueError(f"huber_loss needs a delta above 0, not {delta}")
    return _weighted(apply(SmoothL1(delta), input, target) * delta, weight, reduction)


def _weighted(loss: Any, weight: Any, reduction: str) -> Any:
    if weight is None:
        return reduced(loss, reduction)
    return sum(loss * weight) / sum(weight) if reduction == "mean" else reduced(loss * weight, reduction)


# Distributions


class BinaryCrossEntropy(Elementwise):
    """-(target log(input) + (1 - target) log(1 - input)), the logarithms not below -100 so that 0 and 1 cost a finite price."""

    def forward(self, xp, input, target):
        return -target * xp.maximum(xp.log(input), -100) - (1 - target) * xp.maximum(xp.log1p(-input), -100)

    def d_input(self, xp, out, input, target):
        return xp.divide(input - target, xp.maximum(input * (1 - input), 1e-12))

    def d_target(self, xp, out, input, target):
        return xp.maximum(xp.log(1 - input), -100) - xp.maximum(xp.log(input), -100)


class BinaryCrossEntropyWithLogits(Elementwise):
    """binary_cross_entropy(sigmoid(input), target), without ever taking the logarithm of a rounded 0."""

    def forward(self, xp, input, target):
        return xp.softplus(input) - input * target

    def d_input(self, xp, out, input, target):
        return xp.sigmoid(input) - target

    def d_target(self, xp, out, input, target):
        return -input


@at_home
def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """The cost of giving chances `input` to events that happened with chances `target`; each times `weight`, if given."""
    _same_shape("binary_cross_entropy", input, target)
    if input.numel() and not ((input.raw >= 0) & (input.raw <= 1)).all().item():
        raise ValueError("binary_cross_entropy needs chances between 0 and 1; for scores use binary_cross_entropy_with_logits")
    loss = apply(BinaryCrossEntropy.shared, input, target)
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """binary_cross_entropy of sigmoid(input), from the scores themselves. `pos_weight` multiplies the cost of events that
    happened; each loss counts `weight` times, if given."""
    _same_shape("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        loss = apply(BinaryCrossEntropyWithLogits.shared, input, target)
    else:
        loss = (1 - target) * input + (1 + (pos_weight - 1) * target) * softplus(-input)
    return reduced(loss if weight is None else loss * weight, reduction)


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """target (log target - input): how far the distribution with log-chances `input` is from the one with chances `target`
    (log-chances with `log_target`). "batchmean" divides the sum by the batch size, as the definition has it."""
    loss = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    if reduction == "batchmean":
        return sum(loss) / input.shape[0] if input.ndim else sum(loss)
    return reduced(loss, reduction)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """-log of the chance of count `target` under a Poisson distribution of rate e**input (or `input`, without `log_input`),
    less the part that does not depend on input; `full` adds Stirling's approximation of it."""
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = target * log(target) - target + 0.5 * log(2 * math.pi * target)
        loss = loss + where(target <= 1, 0.0, stirling)
    return reduced(loss, reduction)


@at_home
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """-log of the density at `target` of normal distributions with mean `input` and variance `var` (not below eps), less a
    constant that `full` adds. `var` is a number, of input's shape, or with a last axis of 1 or none."""
    if isinstance(var, (int, float)):
        var = full_like(input, var)
    if (var.raw < 0).any().item():
        raise ValueError("gaussian_nll_loss needs variances of 0 or more")
    if var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = unsqueeze(var, -1)
        elif var.ndim != input.ndim or [m for n, m in zip(input.shape, var.shape) if n != m] != [1]:
            raise ValueError(f"gaussian_nll_loss: var of shape {tuple(var.shape)} does not fit input of {tuple(input.shape)}")
    var = apply(Floor(eps), var)
    loss = 0.5 * (log(var) + (input - target) ** 2 / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


class Floor(Elementwise):
    """x, but not below `least`, with the gradient of x itself: a limit against division by zero, not a part of the model."""

    name = "floor_at"

    def __init__(self, least: float) -> None:
        self.least = least

    def forward(self, xp, x):
        return xp.maximum(x, self.least)

    def d_x(self, xp, out, x):
        return 1


# Right and wrong by a margin


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """log(1 + e**(-target input)) with targets of 1 and -1."""
    return reduced(softplus(-target * input, 1.0, math.inf), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """Distances `input` of pairs: themselves where the target is 1, max(0, margin - input) where it is -1."""
    near, far = where(target != -1, input, 0.0), where(target != 1, clamp_min(margin - input, 0), 0.0)
    return reduced(near + far, reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """max(0, margin - target (input1 - input2)): input1 should be larger where the target is 1, smaller where -1."""
    return reduced(clamp_min(-target * (input1 - input2) + margin, 0), reduction)


def _same_shape(name: str, input: Any, target: Any) -> None:
    if input.shape != target.shape:
        raise ValueError(f"{name} needs input and target of one shape, not {tuple(input.shape)} and {tuple(target.shape)}")
