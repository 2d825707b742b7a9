"""Gradients kept from getting too large, in place, between backward() and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ...backend import BACKENDS
from ...backend.gpus import SEVERAL, at_home, beside
from ...core.apply import has_nan
from ...core.modes import no_grad
from ...core.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """Scale all gradients by one factor so that their norm, taken as one vector, is at most `max_norm`.

    Returns the norm before (0-d). `norm_type` may be inf: the largest element. RuntimeError for an infinite or nan norm
    with `error_if_nonfinite`.
    """
    parameters = _listed(parameters)
    norm = get_total_norm([p.grad for p in parameters if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, norm)
    return norm


def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all elements of the tensors as one vector: (Σ |x|ᵖ)^(1/p), 0-d; 0 for no tensors."""
    arrays = [t.raw for t in _listed(tensors)]
    if not arrays:
        return Tensor(0.0)
    p, backend = float(norm_type), BACKENDS[type(arrays[0])]
    if p == 2 and hasattr(backend, "squares_together") and not error_if_nonfinite:  # stays on the device
        with beside(arrays[0]):
            return Tensor(backend.squares_together(arrays) ** 0.5).to(arrays[0].dtype)
    # Summed in float64, so that many small elements count.
    if p == math.inf:
        total = max(map(_largest, arrays))
        total = math.nan if any(map(has_nan, arrays)) else total
    elif p == 2:
        squares = at_home(_squares) if SEVERAL else _squares
        total = math.sqrt(math.fsum(map(squares, arrays)))
    else:
        total = math.fsum(_powers(a, p) for a in arrays) ** (1 / p)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(f"the norm of the gradients is {total}; it cannot be clipped (error_if_nonfinite=True)")
    with beside(arrays[0]):
        return Tensor(backend.asarray(total, dtype=arrays[0].dtype))


@at_home
def _largest(array: Any) -> float:
    return abs(array).max().item() if array.size else 0.0


@at_home
def _powers(array: Any, p: float) -> float:
    return (abs(array.astype("d")) ** p).sum().item()


def _squares(array: Any) -> float:
    flat = array.reshape(-1).astype("d", copy=False)
    return (flat @ flat).item()


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients by max_norm / (total_norm + 1e-6), where that is below 1."""
    grads = [p.grad for p in _listed(parameters) if p.grad is not None]
    backend = BACKENDS[type(total_norm.raw)]
    if hasattr(backend, "scale_together"):  # without waiting for the device to know the norm
        unique = list({id(g): g for g in grads}.values())
        with beside(total_norm.raw):
            factor = backend.minimum(max_norm / (total_norm.raw + 1e-6), 1)
            backend.scale_together([g.raw for g in unique], factor)
        for grad in unique:
            grad.touch()
        return
    factor = max_norm / (float(total_norm) + 1e-6)
    if not factor >= 1:  # also nan, which then shows in every gradient, as in PyTorch
        _scale(grads, factor)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Bring every element of the gradients into [-clip_value, clip_value]."""
    for p in _listed(parameters):
        if p.grad is not None:
            with beside(p.grad.raw):
                p.grad.raw.clip(-clip_value, clip_value, out=p.grad.raw)
            p.grad.touch()


def _scale(grads: list[Tensor], factor: float) -> None:
    with no_grad():
        for grad in {id(g): g for g in grads}.values():  # a gradient that two parameters share, once
            grad *= factor


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)
