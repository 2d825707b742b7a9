"""Stochastic gradient descent, and Rprop, which looks at signs only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..backend.blend import blend
from .optimizer import Array, Optimizer, regularized
from .together import moved_together


class SGD(Optimizer):
    """p -= lr · g. With momentum μ, g is first averaged: buffer = μ · buffer + (1 - dampening) · g (Nesterov looks ahead:
    g + μ · buffer). The formulas are PyTorch's; the buffer starts as the first gradient."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, *, maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and no dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults, hints)

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        return {"momentum_buffer": zeros()} if group["momentum"] else {}

    def _step(self, number: int, group: dict[str, Any], params: list[Any]) -> None:
        def move(kernel: Callable[..., None], step: int, *lists: list[Array]) -> None:
            sign, momentum = -1 if group["maximize"] else 1, group["momentum"]
            numbers = sign, group["weight_decay"], group["lr"], momentum, 1 - group["dampening"]
            kernel(numbers, step == 1, group["nesterov"], *lists)

        names = ("momentum_buffer",) if group["momentum"] else ()
        params = moved_together("sgd_together", params, lambda p: self._begin(group, p), names, move)
        super()._step(number, group, params)

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, momentum_buffer: Array = None
    ) -> None:
        w, v = work
        g = regularized(group, w, p, g)
        momentum = group["momentum"]
        if momentum:
            if step == 1:
                momentum_buffer[...] = g
            else:
                blend(1 - group["dampening"], g, momentum, momentum_buffer, v)
            g = np.add(g, np.multiply(momentum_buffer, momentum, out=v), out=v) if group["nesterov"] else momentum_buffer
        blend(-group["lr"], g, 1, p, w)


class Rprop(Optimizer):
    """Each element has a step of its own: longer where the gradient kept its sign, shorter where it turned (Riedmiller
    and Braun, 1993). Made for full batches."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, maximize: bool = False, **hints: Any,
    ) -> None:  # fmt: skip
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Rprop: etas are a factor below 1 and one above, not {etas}")
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "weight_decay": 0, "maximize": maximize,
        }, hints)  # fmt: skip

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        return {"prev": zeros(), "step_size": zeros() + group["lr"]}

    def update(
        self, group: dict[str, Any], step: int, work: list[Array], p: Array, g: Array, prev: Array, step_size: Array
    ) -> None:
        w, v = work
        g = regularized(group, w, p, g)
        shorter, longer = group["etas"]
        np.multiply(g, prev, out=prev)
        turned = prev < 0
        step_size *= np.where(turned, shorter, np.where(prev > 0, longer, 1)).astype(p.dtype)
        np.clip(step_size, *group["step_sizes"], out=step_size)
        prev[...] = g
        prev[turned] = 0  # having turned, an element waits for one step
        p -= np.multiply(np.sign(prev, out=v), step_size, out=v)
