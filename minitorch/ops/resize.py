"""Images in another size: interpolation, and pixels from channels.

Whatever the mode, a new pixel is a fixed mixture of old ones, and the mixture is the same along each row and each column:
one small matrix per axis says it all, and the transposed matrices carry the gradient back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.apply import apply
from ..core.op import Op
from .conv import Sizes
from .pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .shape import permute, reshape

Taps = tuple[tuple[tuple[int, float], ...], ...]
"""For each place along a new axis, which old places it mixes, and how much of each."""


class AlongAxes(Op):
    """Every spatial axis of x (n, channels, *size) multiplied by a matrix (new length, old length) of its own."""

    def __init__(self, matrices: Sequence[Any]) -> None:
        self._matrices = matrices

    def forward(self, xp, x):
        return xp.along_axes(x, self._matrices)

    def vjp_x(self, xp, grad, out, x):
        return xp.along_axes(grad, [matrix.T for matrix in self._matrices])


class Interpolate(Op):
    """x (n, channels, *size) resized: along each axis, every new place is a mixture of old ones, as a matrix says."""

    def __init__(self, mode: str, size: Sizes, taps: tuple[Taps, ...]) -> None:
        self.mode, self.size, self._taps = mode, size, taps

    def forward(self, xp, x):
        return xp.along_axes(x, self.matrices(xp, x))

    def vjp_x(self, xp, grad, out, x):
        return xp.along_axes(grad, [matrix.T for matrix in self.matrices(xp, x)])

    def matrices(self, xp: Any, x: Any) -> list[Any]:
        return [xp.mixing(taps, n, x) for taps, n in zip(self._taps, xp.shape(x)[2:])]


class Nearest(Op):
    """x (n, channels, *size) resized: along each axis, the old places that a rising list names."""

    def __init__(self, indices: tuple[tuple[int, ...], ...]) -> None:
        self._indices = indices
        self.size = tuple(map(len, indices))

    def forward(self, xp, x):
        return xp.nearest(x, self._indices)

    def vjp_x(self, xp, grad, out, x):
        return xp.nearest_back(grad, self._indices, xp.shape(x)[2:])


class NearestBack(Op):
    """Every element added where Nearest read it: its gradient, as an operation of its own."""

    def __init__(self, indices: tuple[tuple[int, ...], ...], size: Sizes) -> None:
        self._indices, self.size = indices, size

    def forward(self, xp, x):
        return xp.nearest_back(x, self._indices, self.size)

    def vjp_x(self, xp, grad, out, x):
        return xp.nearest(grad, self._indices)


# Where a new place lies among the old ones, in their units, as PyTorch has it


def _edges(new: int, old: int, scale: float, align_corners: bool) -> Callable[[int], float]:
    """Position of place i: corners on corners, or pixels as little squares that cover the whole."""
    if align_corners:
        step = (old - 1) / (new - 1) if new > 1 else 0.0
        return lambda i: i * step
    return lambda i: (i + 0.5) * scale - 0.5


def _linear(new: int, old: int, scale: float, align_corners: bool) -> Taps:
    at, taps = _edges(new, old, scale, align_corners), []
    for i in range(new):
        x = max(0.0, at(i))
        low = min(int(x), old - 1)
        share = min(max(x - low, 0.0), 1.0)
        taps.append(((low, 1 - share), (min(low + 1, old - 1), share)))
    return tuple(taps)


def _cubic(new: int, old: int, scale: float, align_corners: bool) -> Taps:
    at, taps = _edges(new, old, scale, align_corners), []
    for i in range(new):
        low = math.floor(at(i))
        taps.append(tuple((min(max(low + k, 0), old - 1), _bump(at(i) - low - k)) for k in range(-1, 3)))
    return tuple(taps)


def _bump(x: float, a: float = -0.75) -> float:
    """The cubic convolution kernel (Keys, 1981), 1 at 0 and 0 at the other whole numbers and beyond 2."""
    x = abs(x)
    if x <= 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a if x < 2 else 0.0


def _nearest(new: int, old: int, scale: float, offset: float) -> tuple[int, ...]:
    single = np.float32(scale)  # PyTorch works this out in float32, and rounding decides which neighbour is meant
    return tuple(min(int(np.floor(np.float32(i + offset) * single)), old - 1) for i in range(new))


LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """Images (n, channels, *size) in another size, given itself or as a factor (a number, or one per axis).

    Modes: nearest, nearest-exact, area (means of parts), linear (1 spatial axis), bilinear and bicubic (2), trilinear (3).
    `align_corners` puts the centres of the corner pixels on each other, instead of the images' edges.
    """
    axes = input.ndim - 2
    if not 1 <= axes <= 3:
        raise ValueError(f"interpolate needs an input of shape (n, channels, *size), not {tuple(input.shape)}")
    if antialias:
        raise NotImplementedError("interpolate: antialias=True is not supported; pool the image down first (avg_pool2d)")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: align_corners has no meaning for mode='{mode}'")
    old = input.shape[2:]
    new, scales = _target(axes, old, size, scale_factor, bool(recompute_scale_factor))
    if min(new) < 1 or min(old) < 1:
        raise ValueError(f"interpolate cannot resize an input of {tuple(old)} to {new}")
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[axes - 1](input, new)
    if mode in ("nearest", "nearest-exact"):
        offset = 0.5 if mode == "nearest-exact" else 0.0
        return apply(Nearest(tuple(_nearest(*axis, offset) for axis in zip(new, old, scales))), input)
    if LINEAR.get(mode) != axes and not (mode == "bicubic" and axes == 2):
        raise ValueError(f"interpolate: mode {mode!r} does not go with an input of {axes} spatial axes")
    corners = bool(align_corners)
    make = _cubic if mode == "bicubic" else _linear
    return apply(Interpolate(mode, new, tuple(make(*axis, corners) for axis in zip(new, old, scales))), input)


def _target(axes: int, old: Sizes, size: Any, factor: Any, recompute: bool) -> tuple[Sizes, tuple[float, ...]]:
    """The new size, and how many old places one new place spans along each axis."""
    if (size is None) == (factor is None):
        raise ValueError("interpolate needs either size or scale_factor")
    given = size if factor is None else factor
    each = tuple(given) if isinstance(given, Sequence) else (given,) * axes
    if len(each) != axes:
        raise ValueError(f"interpolate: the input has {axes} spatial axes, and {given!r} is for {len(each)}")
    if factor is None:
        new = tuple(int(n) for n in each)
        return new, tuple(n / m for n, m in zip(old, new) if m)
    new = tuple(math.floor(n * f) for n, f in zip(old, each))
    return new, tuple(n / m if recompute else 1 / f for n, m, f in zip(old, new, each) if m)


def upsample(input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None) -> Any:
    """An old name of `interpolate`."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` with mode="nearest"."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` with mode="bilinear" and align_corners=True."""
    return interpolate(input, size, scale_factor, "bilinear", True)


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Groups of r² channels as squares of r × r pixels: (..., channels · r², height, width) to (..., channels, height · r,
    width · r), with r the `upscale_factor`."""
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle by {r} needs channels in groups of {r * r}; the input has shape {tuple(input.shape)}")
    *batch, channels, height, width = input.shape
    k = len(batch)
    split = reshape(input, (*batch, channels // (r * r), r, r, height, width))
    moved = permute(split, (*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return reshape(moved, (*batch, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Squares of r × r pixels as r² channels: the inverse of `pixel_shuffle`."""
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-1] % r or input.shape[-2] % r:
        raise ValueError(f"pixel_unshuffle by {r} needs sizes in multiples of {r}; the input has shape {tuple(input.shape)}")
    *batch, channels, height, width = input.shape
    k = len(batch)
    split = reshape(input, (*batch, channels, height // r, r, width // r, r))
    moved = permute(split, (*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return reshape(moved, (*batch, channels * r * r, height // r, width // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels dealt anew: one of each of `groups` groups in turn. Shape (n, channels, *size) kept."""
    n, channels, *size = input.shape
    if groups < 1 or channels % groups:
        raise ValueError(f"channel_shuffle: {channels} channels do not divide into {groups} groups")
    split = reshape(input, (n, groups, channels // groups, *size))
    return reshape(permute(split, (0, 2, 1, *range(3, split.ndim))), input.shape)
