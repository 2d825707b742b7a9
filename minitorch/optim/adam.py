"""Adam and its family: a mean of the gradients, divided by the root of a mean of their squares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..backend import BACKENDS
from ..backend.blend import blend
from .optimizer import Array, Optimizer, regularized
from .together import moved_together


def moments(
    group: dict[str, Any], work: list[Array], p: Array, g: Array, exp_avg: Array, exp_avg_sq: Array
) -> Array:
    """Weight decay, and the two running means that the whole family keeps. Returns the gradient that was followed."""
    w, v = work
    beta1, beta2 = group["betas"]
    g = regularized(group, w, p, g)
    if group.get("decoupled_weight_decay") and group["weight_decay"]:
        p *= 1 - group["lr"] * group["weight_decay"]
    blend(1 - beta1, g, beta1, exp_avg, v)
    np.multiply(g, g, out=v)
    blend(1 - beta2, v, beta2, exp_avg_sq, v)
    return g


class Adam(Optimizer):
    """p -= lr · m / (√v + eps), with m and v the running means of g and g² (Kingma and Ba, 2015), each divided by
    1 - βᵗ for its start at 0. `weight_decay` adds to the gradient (L2); AdamW's does not."""

    decoupled = False

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, maximize: bool = False, decoupled_weight_decay: bool | None = None,
        **hints: Any,
    ) -> None:  # fmt: skip
        decoupled = self.decoupled if decoupled_weight_decay is None else decoupled_weight_decay
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "decoupled_weight_decay": decoupled,
        }  # fmt: skip
        super().__init__(params, defaults, hints)

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        state = {"exp_avg": zeros(), "exp_avg_sq": zeros()}
        return {**state, "max_exp_avg_sq": zeros()} if group["amsgrad"] else state

    def _step(self, number: int, group: dict[str, Any], params: list[Any]) -> None:
        def move(kernel: Callable[..., None], step: int, *lists: list[Array]) -> None:
            (beta1, beta2), decay, apart = group["betas"], group["weight_decay"], group["decoupled_weight_decay"]
            correction = math.sqrt(1 - beta2**step)
            kernel((
                -1 if group["maximize"] else 1, 0 if apart else decay, 1 - group["lr"] * decay if apart else 1,
                beta1, 1 - beta1, beta2, 1 - beta2, group["lr"] * correction / (1 - beta1**step), group["eps"] * correction,
            ), *lists)  # fmt: skip

        if not group["amsgrad"]:
            names = ("exp_avg", "exp_avg_sq")
            params = moved_together("adam_together", params, lambda p: self._begin(group, p), names, move)
        super()._step(number, group, params)

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, exp_avg: Array, exp_avg_sq: Array,
        max_exp_avg_sq: Array = None,
    ) -> None:  # fmt: skip
        compiled = getattr(BACKENDS[type(p)], "adam", None)
        if max_exp_avg_sq is None and compiled is not None and compiled(group, step, p, g, exp_avg, exp_avg_sq):
            return
        moments(group, work, p, g, exp_avg, exp_avg_sq)
        beta1, beta2 = group["betas"]
        size = exp_avg_sq if max_exp_avg_sq is None else np.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
        # The root of v's correction is taken to the other factors: one pass over the array less.
        correction = math.sqrt(1 - beta2**step)
        move = np.sqrt(size, out=work[1])
        move += group["eps"] * correction
        np.divide(exp_avg, move, out=move)
        blend(-group["lr"] * correction / (1 - beta1**step), move, 1, p, move)


class AdamW(Adam):
    """Adam whose `weight_decay` shrinks the parameters directly, past the moments (Loshchilov and Hutter, 2019)."""

    decoupled = True

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, **hints)


class NAdam(Optimizer):
    """Adam with Nesterov's look ahead, its momentum warming up by `momentum_decay` (Dozat, 2016)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *, maximize: bool = False,
        **hints: Any,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults, hints)

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        return {"mu_product": 1.0, "exp_avg": zeros(), "exp_avg_sq": zeros()}

    def advance(self, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["mu_product"] *= self.mu(group, state["step"])

    @staticmethod
    def mu(group: dict[str, Any], step: int) -> float:
        """The momentum of a step."""
        return float(group["betas"][0] * (1 - 0.5 * 0.96 ** (step * group["momentum_decay"])))

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, exp_avg: Array, exp_avg_sq: Array,
        mu_product: float,
    ) -> None:  # fmt: skip
        g = moments(group, work, p, g, exp_avg, exp_avg_sq)
        w, v = work
        mu, mu_next = self.mu(group, step), self.mu(group, step + 1)
        correction = math.sqrt(1 - group["betas"][1] ** step)
        np.sqrt(exp_avg_sq, out=v)
        v += group["eps"] * correction
        np.divide(g, v, out=w)
        w *= group["lr"] * correction * (1 - mu) / (1 - mu_product)
        p -= w
        np.divide(exp_avg, v, out=w)
        w *= group["lr"] * correction * mu_next / (1 - mu_product * mu_next)
        p -= w


class RAdam(Optimizer):
    """Adam that waits with dividing until its mean of squares can be trusted (Liu et al., 2020)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults, hints)

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        return {"exp_avg": zeros(), "exp_avg_sq": zeros()}

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, exp_avg: Array, exp_avg_sq: Array
    ) -> None:
        moments(group, work, p, g, exp_avg, exp_avg_sq)
        move = work[1]
        beta1, beta2 = group["betas"]
        rate = group["lr"] / (1 - beta1**step)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / (1 - beta2**step)  # of the simple average with as little noise
        if length > 5:
            rectify = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            np.sqrt(exp_avg_sq, out=move)
            move += group["eps"]
            np.divide(exp_avg, move, out=move)
            move *= rate * math.sqrt(rectify * (1 - beta2**step))
        else:
            np.multiply(exp_avg, rate, out=move)
        p -= move


class Adamax(Optimizer):
    """Adam with the largest recent |g| in the place of the root of the mean of squares (Kingma and Ba, 2015)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, *, maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
        }, hints)  # fmt: skip

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        return {"exp_avg": zeros(), "exp_inf": zeros()}

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, exp_avg: Array, exp_inf: Array
    ) -> None:
        w, v = work
        g = regularized(group, w, p, g)
        beta1, beta2 = group["betas"]
        exp_avg *= beta1
        exp_avg += np.multiply(g, 1 - beta1, out=v)
        np.abs(g, out=v)
        v += group["eps"]
        exp_inf *= beta2
        np.maximum(exp_inf, v, out=exp_inf)
        np.divide(exp_avg, exp_inf, out=v)
        v *= group["lr"] / (1 - beta1**step)
        p -= v
