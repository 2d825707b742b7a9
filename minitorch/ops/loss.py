"""Softmax and the losses that end a training step."""

from __future__ import annotations

from typing import Any

from ..core.node import Op, apply
from .axes import one_axis
from .reduce import mean, sum


class Softmax(Op):
    """exp(x) / sum(exp(x)) along `axis`."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, xp, x):
        return xp.softmax(x, self.axis)

    def vjp_x(self, xp, grad, out, x):
        return out * (grad - xp.sum(grad * out, axis=self.axis, keepdims=True))


class LogSoftmax(Op):
    """log(softmax(x)) along `axis`."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, xp, x):
        return xp.log_softmax(x, self.axis)

    def vjp_x(self, xp, grad, out, x):
        return grad - xp.exp(out) * xp.sum(grad, axis=self.axis, keepdims=True)


class CrossEntropy(Op):
    """The mean of -log softmax(x)[target] over the rows of x, shape (n, classes), target (n,) of class numbers."""

    def forward(self, xp, x, target):
        return -xp.mean(xp.pick(xp.log_softmax(x, -1), target))

    def vjp_x(self, xp, grad, out, x, target):
        n, classes = xp.shape(x)
        return (xp.softmax(x, -1) - xp.one_hot(target, classes, x)) * (grad / n)


def softmax(x: Any, dim: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along `dim`, shifted so that nothing overflows. Shape as x."""
    return apply(Softmax(one_axis(dim, x.ndim)), x)


def log_softmax(x: Any, dim: int = -1) -> Any:
    """log(softmax(x)) along `dim`, exact also where softmax rounds to 0. Shape as x."""
    return apply(LogSoftmax(one_axis(dim, x.ndim)), x)


def cross_entropy(input: Any, target: Any) -> Any:
    """The mean of -log softmax(input)[target]. Shapes (n, classes) of scores, (n,) of class numbers; a 0-d result."""
    if input.ndim != 2 or target.shape != input.shape[:1]:
        raise ValueError(
            f"cross_entropy needs scores of shape (n, classes) and n class numbers, not {input.shape} and {target.shape}"
        )
    return apply(CrossEntropy.shared, input, target)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)**2, averaged ("mean"), added up ("sum") or as it is ("none")."""
    squared = (input - target) ** 2
    if reduction == "none":
        return squared
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
    return mean(squared) if reduction == "mean" else sum(squared)
