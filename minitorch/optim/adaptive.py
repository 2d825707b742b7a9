"""Optimizers that scale each element by the size of its own past gradients: RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .optimizer import Array, Optimizer, regularized


class RMSprop(Optimizer):
    """p -= lr · g / (√(mean of g²) + eps); `centered` subtracts the square of the mean of g (Hinton's lecture, 2012)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, *, maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum,
            "centered": centered, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults, hints)

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        state = {"square_avg": zeros()}
        if group["momentum"]:
            state["momentum_buffer"] = zeros()
        if group["centered"]:
            state["grad_avg"] = zeros()
        return state

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, square_avg: Array,
        momentum_buffer: Array = None, grad_avg: Array = None,
    ) -> None:  # fmt: skip
        w, v = work
        alpha, lr = group["alpha"], group["lr"]
        g = regularized(group, w, p, g)
        square_avg *= alpha
        np.multiply(g, g, out=v)
        v *= 1 - alpha
        square_avg += v
        if grad_avg is not None:
            grad_avg *= alpha
            grad_avg += np.multiply(g, 1 - alpha, out=v)
            np.multiply(grad_avg, grad_avg, out=v)
            np.sqrt(np.subtract(square_avg, v, out=v), out=v)
        else:
            np.sqrt(square_avg, out=v)
        v += group["eps"]
        np.divide(g, v, out=v)
        if momentum_buffer is not None:
            momentum_buffer *= group["momentum"]
            momentum_buffer += v
            p -= np.multiply(momentum_buffer, lr, out=v)
        else:
            v *= lr
            p -= v


class Adagrad(Optimizer):
    """p -= lr · g / (√(sum of g²) + eps): ever smaller steps (Duchi et al., 2011)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "eps": eps, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults, hints)

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        return {"sum": zeros() + group["initial_accumulator_value"]}

    def update(self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, sum: Array) -> None:
        w, v = work
        g = regularized(group, w, p, g)
        sum += np.multiply(g, g, out=v)
        np.sqrt(sum, out=v)
        v += group["eps"]
        np.divide(g, v, out=v)
        v *= group["lr"] / (1 + (step - 1) * group["lr_decay"])
        p -= v


class Adadelta(Optimizer):
    """Steps in the proportion of recent steps to recent gradients: no learning rate to choose (Zeiler, 2012)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0, *,
        maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
        }, hints)  # fmt: skip

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        return {"square_avg": zeros(), "acc_delta": zeros()}

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, square_avg: Array, acc_delta: Array
    ) -> None:
        w, v = work
        rho, eps = group["rho"], group["eps"]
        g = regularized(group, w, p, g)
        square_avg *= rho
        np.multiply(g, g, out=v)
        v *= 1 - rho
        square_avg += v
        np.divide(np.add(acc_delta, eps, out=v), square_avg + eps, out=v)
        np.sqrt(v, out=v)
        v *= g
        p -= np.multiply(v, group["lr"], out=w)
        v *= v
        v *= 1 - rho
        acc_delta *= rho
        acc_delta += v
