"""Transforms of what the pixels say, not of where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...ops import random
from .base import Transform, opened

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""How much red, green and blue add to how bright a pixel looks (ITU-R BT.601, as Pillow and torchvision)."""


class ToTensor(Transform):
    """A tensor (channels, height, width) of an image; bytes 0 to 255 become float32 from 0 to 1, other numbers stay."""

    def image(self, image: Any) -> Any:
        array, _ = opened(image)
        array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
        if array.dtype == np.uint8:
            return Tensor(np.ascontiguousarray(array).astype(np.float32) / np.float32(255))
        return Tensor(array.copy())


class Normalize(Transform):
    """(x - mean) / std, with a mean and a deviation for each channel (or one for all). For images of floats."""

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        if np.any(np.asarray(std) == 0):
            raise ValueError("Normalize divides by std, which cannot be 0")
        self.mean, self.std = mean, std

    def image(self, image: Any) -> Any:
        array, back = opened(image)
        if array.dtype.kind != "f":
            raise TypeError(f"Normalize needs an image of floats, not {array.dtype}: put ToTensor() before it")
        mean, std = (np.asarray(x, array.dtype) for x in (self.mean, self.std))
        return back((array - mean) / std)


class Grayscale(Transform):
    """How bright each pixel looks, in one channel or the same in three."""

    def __init__(self, num_output_channels: int = 1) -> None:
        if num_output_channels not in (1, 3):
            raise ValueError(f"Grayscale gives 1 or 3 channels, not {num_output_channels}")
        self.num_output_channels = num_output_channels

    def image(self, image: Any) -> Any:
        array, back = opened(image)
        gray = brightness(array)
        if self.num_output_channels == 1 and hasattr(image, "getbands"):
            return back(gray[..., 0])
        return back(np.repeat(gray, self.num_output_channels, axis=2))


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in random order.

    The first three are a pair (low, high) of factors, or x for (1 - x, 1 + x); hue is a pair of turns of the colour circle
    within ±0.5, or x for ±x. Bytes stay bytes; floats are taken to lie between 0 and 1.
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        self.brightness, self.contrast, self.saturation = (
            _between(name, x, 1.0, 0.0, np.inf)
            for name, x in (("brightness", brightness), ("contrast", contrast), ("saturation", saturation))
        )
        self.hue = _between("hue", hue, 0.0, -0.5, 0.5)

    def image(self, image: Any) -> Any:
        array, back = opened(image)
        scale = 255.0 if array.dtype == np.uint8 else 1.0
        x = array.astype(np.float32) / np.float32(scale)
        rng = random.rng()
        changes = [(self.brightness, _brighter), (self.contrast, _contrasted), (self.saturation, _saturated), (self.hue, _hued)]
        for number in rng.permutation(len(changes)):
            limits, change = changes[number]
            if limits is not None:
                x = np.clip(change(x, rng.uniform(*limits)), 0, 1)
        x = x * np.float32(scale)
        return back((x.round() if scale == 255 else x).astype(array.dtype))


def brightness(x: np.ndarray) -> np.ndarray:
    """How bright each pixel looks, (height, width, 1), in the dtype of `x`."""
    if x.ndim == 2:
        return x[..., None]
    if x.shape[2] < 3:
        return x[..., :1]
    gray = x[..., :3].astype(np.float32) @ LUMA
    return (gray.round() if x.dtype.kind in "iu" else gray).astype(x.dtype)[..., None]


def _brighter(x: np.ndarray, factor: float) -> np.ndarray:
    return x * np.float32(factor)


def _contrasted(x: np.ndarray, factor: float) -> np.ndarray:
    middle = brightness(x).mean()
    return (x - middle) * np.float32(factor) + middle


def _saturated(x: np.ndarray, factor: float) -> np.ndarray:
    gray = brightness(x) if x.ndim == 3 else x
    return (x - gray) * np.float32(factor) + gray


def _hued(x: np.ndarray, turn: float) -> np.ndarray:
    """Every colour moved along the circle of colours (HSV) by `turn` of the whole circle."""
    if x.ndim == 2 or x.shape[2] < 3:
        return x
    r, g, b = (x[..., i] for i in range(3))
    high, low = x[..., :3].max(2), x[..., :3].min(2)
    spread = np.where(high == low, 1, high - low)
    hue = np.where(high == r, (g - b) / spread, np.where(high == g, 2 + (b - r) / spread, 4 + (r - g) / spread))
    hue = np.where(high == low, 0, hue / 6) + turn
    # From hue, saturation and value back: each channel is a trapezoid over the circle, the three a third of it apart.
    out = x.copy()
    for channel, start in enumerate((5, 3, 1)):
        k = (start + hue * 6) % 6
        out[..., channel] = high - (high - low) * np.clip(np.minimum(k, 4 - k), 0, 1)
    return out


def _between(name: str, x: Any, middle: float, lowest: float, highest: float) -> tuple[float, float] | None:
    """The limits that a setting of ColorJitter means; None when nothing is to change."""
    low, high = (max(middle - x, lowest), middle + x) if isinstance(x, (int, float)) else x
    if not lowest <= low <= high <= highest or isinstance(x, (int, float)) and x < 0:
        raise ValueError(f"ColorJitter: {name} cannot be {x!r}; it is a number of 0 or more, or a pair (low, high)"
                         + (" within ±0.5" if name == "hue" else ""))  # fmt: skip
    return None if low == high == middle else (float(low), float(high))
