"""Losses: how far a result is from what it should be, as one number to go down on."""

from __future__ import annotations

from typing import Any

from ..core.node import Elementwise, apply
from .elementwise import abs
from .reduce import mean, sum


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
