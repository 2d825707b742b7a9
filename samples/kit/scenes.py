"""Scenes drawn by a program: rooms of plain shapes with round faces among them, for detection without a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FACE, LIMIT = (0.1, 0.3), 4  # smallest and largest face as a share of the image, most faces in one


class FaceScenes:
    """Images with faces and the boxes around them; the same arguments give the same ones. Used as `VOCDetection` is.

    A face is an oval with eyes, a mouth and hair. Other ovals and rectangles, of the same colours, have none of these.

    Args:
        count: images.
        size: pixels of a side.
        seed: of the random numbers.
        transform: called with every image and target that an index returns.
    """

    classes = ("face",)

    def __init__(self, count: int, size: int, seed: int = 0, transform: Callable[..., Any] | None = None) -> None:
        rng = np.random.default_rng(seed)
        pairs = [scene(size, rng) for _ in range(count)]
        self.names = [f"scene {k + 1}" for k in range(count)]
        self.images = [image for image, _ in pairs]
        self.targets = [{"boxes": boxes, "labels": np.zeros(len(boxes), np.int64), "difficult": np.zeros(len(boxes), bool)}
                        for _, boxes in pairs]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.images[index], self.targets[index]
        return (image, target) if self.transform is None else self.transform(image, target)


def scene(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One image, uint8 (size, size, 3), and the boxes of its faces, (n, 4)."""
    from PIL import Image, ImageDraw

    above, below = rng.uniform(40, 200, (2, 3))
    shade = np.linspace(above, below, size)[:, None]
    image = Image.fromarray(np.broadcast_to(shade, (size, size, 3)).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(3, 8)):
        left, top = rng.uniform(-0.1, 0.9, 2) * size
        wide, high = rng.uniform(0.08, 0.4, 2) * size
        shape = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        shape((left, top, left + wide, top + high), fill=skin(rng) if rng.random() < 0.4 else colour(rng))
    boxes: list[tuple[float, float, float, float]] = []
    for _ in range(rng.integers(1, LIMIT + 1)):
        high = rng.uniform(*FACE) * size
        wide = high * rng.uniform(0.7, 0.9)
        left, top = rng.uniform(0, size - wide), rng.uniform(0, size - high)
        box = (left, top, left + wide, top + high)
        if all(right < left or left + wide < x or bottom < top or top + high < y for x, y, right, bottom in boxes):
            boxes.append(box)
            draw_face(pen, box, rng)
    noisy = np.asarray(image) + rng.normal(0, 6, (size, size, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8), np.array(boxes, np.float32)


def draw_face(pen: Any, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    left, top, right, bottom = box
    wide, high = right - left, bottom - top

    def part(x: float, y: float, w: float, h: float) -> tuple[float, float, float, float]:
        return (left + (x - w / 2) * wide, top + (y - h / 2) * high, left + (x + w / 2) * wide, top + (y + h / 2) * high)

    dark = tuple(int(x) for x in rng.uniform(10, 60, 3))
    pen.ellipse(box, fill=skin(rng), outline=dark)
    pen.chord(box, 200, 340, fill=dark)
    turned = rng.uniform(-0.1, 0.1)  # looking to a side
    for x in (0.3, 0.7):
        pen.ellipse(part(x + turned, 0.47, 0.16, 0.12), fill="white")
        pen.ellipse(part(x + turned, 0.47, 0.1, 0.1), fill="black")
    pen.ellipse(part(0.5 + turned, 0.78, 0.4, 0.1), fill=(170, 40, 50))


def skin(rng: np.random.Generator) -> tuple[int, ...]:
    light = rng.uniform(0.45, 1.0)
    return tuple(int(x * light) for x in (240, 200, 170))


def colour(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(x) for x in rng.uniform(20, 235, 3))
