"""Dropout: some of the numbers, chosen anew each time, set to 0 while a network trains."""

from __future__ import annotations

import math
from typing import Any

from ..backend import backend_of
from ..backend.gpus import beside
from ..core.apply import apply
from ..core.dtypes import get_default_dtype
from ..core.op import Elementwise
from .random import rng, uniform
from .shape import squeeze, unsqueeze

SELU_FLOOR = -1.7580993408473766
"""What selu goes to on the far left: the value that alpha dropout sets to."""


class Dropout(Elementwise):
    """x times a mask of zeros, and of 1 / (1 - p) where x stays: the mean is kept. The mask is drawn before, so that running
    the operation again gives the same."""

    def __init__(self, p: float) -> None:
        self.p = p

    def forward(self, xp, x, mask):
        return x * mask

    def d_x(self, xp, out, x, mask):
        return mask


class AlphaDropout(Elementwise):
    """x where it stays, selu's lowest value elsewhere; then scaled and shifted so that mean and variance are kept."""

    def __init__(self, p: float) -> None:
        self.p = p

    def forward(self, xp, x, mask, shift):
        return x * mask + shift

    def d_x(self, xp, out, x, mask, shift):
        return mask


def kept(shape: tuple[int, ...], like: Any, p: float, share: float = 1.0) -> Any:
    """An array of 1 / share with chance 1 - p, else 0, on the device and in the dtype of `like` (of integers, the default)."""
    dtype = like.dtype if like.dtype.kind == "f" else get_default_dtype()
    draw = getattr(backend_of(like.raw), "random_mask", None)  # a GPU draws for itself, from a key of the one stream
    if draw is not None:
        with beside(like.raw):
            return draw(shape, dtype, p, 1 / share, int(rng().integers(2**64, dtype="uint64")))
    chosen = (uniform(shape, "float32", None) >= p).astype(dtype)
    return chosen if share == 1 else chosen / share


def _drop(name: str, x: Any, p: float, training: bool, shape: tuple[int, ...]) -> Any:
    if not 0 <= p <= 1:
        raise ValueError(f"{name} needs a chance between 0 and 1, not {p}")
    if not training or p == 0:
        return x
    return apply(Dropout(p), x, kept(shape, x, p, 1 - p if p < 1 else math.inf))


def _drop_alpha(name: str, x: Any, p: float, training: bool, shape: tuple[int, ...]) -> Any:
    if not 0 <= p <= 1:
        raise ValueError(f"{name} needs a chance between 0 and 1, not {p}")
    if not training or p == 0:
        return x
    if p == 1:
        return _drop(name, x, p, training, shape)
    mask = kept(shape, x, p)
    scale = ((1 - p) * (1 + p * SELU_FLOOR**2)) ** -0.5
    return apply(AlphaDropout(p), x, mask * scale, ((1 - mask) - p) * (SELU_FLOOR * scale))


def _channels(x: Any) -> tuple[int, ...]:
    """One number for each channel of each image."""
    return (*x.shape[:2], *(1,) * (x.ndim - 2))


def _drop_channels(axes: int, input: Any, p: float, training: bool, alone: int) -> Any:
    name = f"dropout{axes}d"
    if input.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{name} needs an input of {axes + 2} axes, or {axes + 1} without a batch, not {tuple(input.shape)}")
    if input.ndim == alone:
        return squeeze(_drop_channels(axes, unsqueeze(input, 0), p, training, alone), 0)
    return _drop(name, input, p, training, _channels(input))


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each element 0 with chance p, else times 1 / (1 - p); outside training, the input as it is."""
    return _drop("dropout", input, p, training, input.shape)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels: input (n, channels, length), or without n."""
    return _drop_channels(1, input, p, training, 2)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels: input (n, channels, height, width). (Three axes: (n, channels, length), as in PyTorch.)"""
    return _drop_channels(2, input, p, training, 0)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels: input (n, channels, depth, height, width), or without n."""
    return _drop_channels(3, input, p, training, 4)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for networks of selu: drops to selu's lowest value and keeps mean and variance."""
    return _drop_alpha("alpha_dropout", input, p, training, input.shape)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """`alpha_dropout` of whole channels: input (n, channels, ...)."""
    if training and input.ndim < 2:
        raise ValueError(f"feature_alpha_dropout needs an input of shape (n, channels, ...), not {tuple(input.shape)}")
    return _drop_alpha("feature_alpha_dropout", input, p, training, _channels(input))
