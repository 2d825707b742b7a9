"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ...backend.gpus import beside
from ...core.tensor import Tensor
from ...ops import cat


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other, as one vector; part of the graph."""
    flat = [p.reshape(-1) for p in parameters]
    if not flat:
        raise ValueError("parameters_to_vector got no parameters")
    return cat(flat)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the numbers in `vec`, which has as many elements as they have together."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters takes a tensor, not {type(vec).__name__}")
    parameters = list(parameters)
    total = sum(p.numel() for p in parameters)
    if vec.numel() != total:
        raise ValueError(f"the parameters have {total} elements, the vector {vec.numel()}")
    start = 0
    for p in parameters:
        with beside(p.raw):
            p.raw[...] = vec.raw[start : start + p.numel()].reshape(p.shape)
        p.touch()
        start += p.numel()
