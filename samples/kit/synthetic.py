"""Digits drawn by a program, for learning without a network connection or a data set.

Each digit is a few strokes. An image is made by looking at the strokes through a random affine map (turned, sheared,
scaled and shifted a little) with a pen of random width, then adding noise: easy to tell apart, but not by one pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Strokes as corner points (x to the right, y down) in a box from 0 to 1.
_OVAL = [(0.5 + 0.26 * np.cos(t), 0.5 + 0.4 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 17)]
STROKES: list[list[list[tuple[float, float]]]] = [
    [_OVAL],
    [[(0.36, 0.24), (0.54, 0.1), (0.54, 0.9)]],
    [[(0.25, 0.28), (0.33, 0.13), (0.55, 0.1), (0.72, 0.22), (0.7, 0.4), (0.27, 0.88), (0.76, 0.88)]],
    [[(0.27, 0.15), (0.55, 0.1), (0.7, 0.25), (0.62, 0.43), (0.45, 0.47), (0.66, 0.53), (0.74, 0.7), (0.58, 0.88),
      (0.26, 0.84)]],
    [[(0.62, 0.9), (0.62, 0.1), (0.22, 0.64), (0.8, 0.64)]],
    [[(0.72, 0.11), (0.33, 0.11), (0.29, 0.46), (0.55, 0.42), (0.73, 0.58), (0.68, 0.8), (0.48, 0.9), (0.25, 0.83)]],
    [[(0.66, 0.11), (0.4, 0.28), (0.28, 0.6), (0.36, 0.86), (0.6, 0.9), (0.73, 0.72), (0.6, 0.53), (0.32, 0.6)]],
    [[(0.24, 0.12), (0.76, 0.12), (0.45, 0.9)]],
    [[(0.5, 0.48), (0.29, 0.3), (0.38, 0.11), (0.62, 0.11), (0.71, 0.3), (0.5, 0.48), (0.25, 0.7), (0.36, 0.9),
      (0.64, 0.9), (0.75, 0.7), (0.5, 0.48)]],
    [[(0.7, 0.36), (0.5, 0.48), (0.3, 0.36), (0.33, 0.15), (0.55, 0.09), (0.7, 0.2), (0.7, 0.4), (0.58, 0.9)]],
]
FINE = 112  # distances to the strokes are tabulated on a grid of this many points a side
CHUNK = 4096  # images made at a time


def digits(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw digits; the same count and seed give the same ones.

    Returns:
        Images, uint8, shape (count, 28, 28), bright on dark as in MNIST, and their classes, shape (count,).
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    distance = np.stack([distance_table(strokes) for strokes in STROKES])
    images = np.empty((count, 28, 28), np.uint8)
    for start in range(0, count, CHUNK):
        images[start : start + CHUNK] = draw(labels[start : start + CHUNK], distance, rng)
    return images, labels


def draw(labels: NDArray[np.int64], distance: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One image per label, shape (n, 28, 28)."""
    n = len(labels)
    angle, shear = rng.uniform(-0.25, 0.25, n), rng.uniform(-0.25, 0.25, n)
    wide, high = rng.uniform(1.2, 1.7, n), rng.uniform(1.2, 1.6, n)  # above 1: the digit is smaller than the image
    inward = np.empty((n, 2, 2))  # pixel -> stroke coordinates, both measured from the centre
    inward[:, 0, 0], inward[:, 0, 1] = wide * np.cos(angle), wide * (shear - np.sin(angle))
    inward[:, 1, 0], inward[:, 1, 1] = high * np.sin(angle), high * np.cos(angle)
    shift = rng.uniform(-0.09, 0.09, (n, 2, 1))

    grid = (np.indices((28, 28))[::-1].reshape(2, -1) + 0.5) / 28 - 0.5
    places = (inward.astype(np.float32) @ grid.astype(np.float32) + (0.5 + shift).astype(np.float32)) * FINE
    np.clip(places, 0, FINE - 1, out=places)
    x, y = places.astype(np.int32).transpose(1, 0, 2)
    away = distance[labels[:, None], y, x]

    pen = rng.uniform(0.035, 0.075, (n, 1)).astype(np.float32)
    ink = np.clip((pen - away) / 0.03 + 0.5, 0, 1)
    noise = rng.standard_normal(ink.shape, dtype=np.float32) * 12
    return np.clip(ink * 235 + noise, 0, 255).astype(np.uint8).reshape(n, 28, 28)


def distance_table(strokes: list[list[tuple[float, float]]]) -> NDArray[np.float32]:
    """How far each point of a FINE x FINE grid is from the nearest stroke."""
    points = (np.indices((FINE, FINE))[::-1].reshape(2, -1).T + 0.5) / FINE
    nearest = np.full(len(points), np.inf)
    for stroke in strokes:
        corners = np.asarray(stroke)
        for a, b in zip(corners[:-1], corners[1:]):
            along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
            nearest = np.minimum(nearest, np.hypot(*(points - a - along[:, None] * (b - a)).T))
    return nearest.reshape(FINE, FINE).astype(np.float32)
