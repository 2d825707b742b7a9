"""Where grid_sample reads, on NumPy arrays: places that a grid names, among the pixels of an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray


def grid_lines(along: ndarray, length: int, mode: str, padding: str, align_corners: bool) -> tuple[ndarray, ndarray]:
    """The straight lines on which the grid's numbers (-1 to 1) become places along an axis: slope and start of each.

    Beyond the border the place stays there (slope 0); in a mirror it comes back (slope turned around)."""
    slope = (length - 1) / 2 if align_corners else length / 2
    slopes = np.full_like(along, slope)
    starts = np.full_like(along, (length - 1) / 2)
    if padding == "zeros" or mode == "bicubic":
        return slopes, starts
    place = along * slopes + starts
    if padding == "reflection":
        place, sign = _reflected(place, length, align_corners)
        slopes, starts = slopes * sign, place - along * slopes * sign
    out = (place <= 0) | (place >= length - 1)
    starts = np.where(out, np.clip(place, 0, length - 1), starts)
    return np.where(out, 0, slopes).astype(along.dtype), starts.astype(along.dtype)


def _reflected(place: ndarray, length: int, align_corners: bool) -> tuple[ndarray, ndarray]:
    """Places thrown back by the ends of the axis, and the direction (1 or -1) in which they then move."""
    low, span = (0.0, length - 1.0) if align_corners else (-0.5, float(length))
    if span == 0:
        return np.zeros_like(place), np.zeros_like(place)
    away = np.abs(place - low)
    turns, rest = np.floor(away / span), np.fmod(away, span)
    back = turns % 2 == 1
    found = np.where(back, span - rest, rest) + low
    return found.astype(place.dtype), (np.where(place < low, -1, 1) * np.where(back, -1, 1)).astype(place.dtype)


def grid_cell(place: ndarray, mode: str) -> ndarray:
    """The pixel from which the neighbours of each place are counted: the nearest, or the one below."""
    return np.rint(place) if mode == "nearest" else np.floor(place)


def grid_pixel(number: ndarray, length: int, mode: str, padding: str, align_corners: bool) -> tuple[ndarray, ndarray]:
    """The pixel numbers as an index, and where they lie on the axis (1) or beyond (0)."""
    if mode == "bicubic" and padding != "zeros":  # its neighbours reach beyond the border by themselves
        if padding == "reflection":
            number, _ = _reflected(number, length, align_corners)
        number = np.clip(number, 0, length - 1)
    inside = (number >= 0) & (number <= length - 1)
    return np.where(inside, number, 0).astype(np.int64), inside.astype(number.dtype)


def image_numbers(grid: ndarray) -> ndarray:
    """0 to n - 1, one for each image's part of the grid."""
    return np.arange(len(grid)).reshape((-1,) + (1,) * (grid.ndim - 2))


def into_all(parts: Any, shape: tuple[int, ...]) -> ndarray:
    """Zeros of `shape` with each part added at its index: `parts` lists (part, index)."""
    out = np.zeros(shape, parts[0][0].dtype)
    for part, index in parts:
        np.add.at(out, index, part)
    return out


def unit_grid(size: tuple[int, ...], align_corners: bool) -> ndarray:
    """For each pixel of `size`, row by row: its place from -1 to 1 along each axis, last axis first, and 1."""
    lines = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in size]
    if not align_corners:
        lines = [line * (n - 1) / n for line, n in zip(lines, size)]
    places = np.meshgrid(*lines, indexing="ij")
    return np.stack([*(p.reshape(-1) for p in places[::-1]), np.ones(places[0].size)], -1)
