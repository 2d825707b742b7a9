"""Faces with 68 points (Sagonas et al. 2013's order), in the format of PyTorch's data loading tutorial.

    NAME.jpg in a folder; a CSV file beside it: image_name,part_0_x,part_0_y,...,part_67_x,part_67_y
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samples.kit.errors import SampleError
from samples.kit.images import Broken, BrokenFile, read_all, read_image

POINTS = 68
EYES = (36, 45)  # the outer corners of the eyes, whose distance is the unit in which errors are measured
_SWAPS = ([(k, 16 - k) for k in range(17)] + [(17 + k, 26 - k) for k in range(10)] + [(27 + k, 27 + k) for k in range(4)]
          + [(31 + k, 35 - k) for k in range(5)] + [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
          + [(48 + k, 54 - k) for k in range(7)] + [(55 + k, 59 - k) for k in range(5)]
          + [(60 + k, 64 - k) for k in range(5)] + [(65 + k, 67 - k) for k in range(3)])  # fmt: skip
MIRRORED = np.arange(POINTS)
"""Which point each one is in a mirrored image: the left corner of an eye is then the right corner of the other."""
for _a, _b in _SWAPS:
    MIRRORED[_a], MIRRORED[_b] = _b, _a


class FaceLandmarks:
    """Images with 68 points each, all in memory: `image, {"keypoints": points} = data[k]`.

    Args:
        folder: with the images.
        table: the CSV file.
        transform: called with every image and target that an index returns.
        broken: skip or refuse an image or a row that cannot be read.
        limit: only the first so many rows.

    Attributes:
        names: of the images.
        images: uint8, shape (height, width, 3) each.
        points: float32, shape (n, 68, 2), x and y in pixels. Some may lie a little outside the image.

    Raises:
        SampleError: the table is not there, or a row or image is broken that may not be skipped.
    """

    def __init__(
        self, folder: Path, table: Path, transform: Callable[..., Any] | None = None, *, broken: Broken = "refuse",
        limit: int | None = None, say: Callable[[str], Any] = print,
    ) -> None:  # fmt: skip
        rows = read_rows(table)[:limit]
        self.transform = transform

        def read(place: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
            row = rows[int(place)]
            points = read_points(row, f"{table}, row {int(place) + 2}")
            return read_image(folder / row[0]), points

        good, pairs = read_all([str(k) for k in range(len(rows))], read, broken, say)
        self.names = [rows[int(k)][0] for k in good]
        self.images = [image for image, _ in pairs]
        self.points = np.stack([points for _, points in pairs])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.images[index], {"keypoints": self.points[index]}
        return (image, target) if self.transform is None else self.transform(image, target)


def read_rows(path: Path) -> list[list[str]]:
    """The rows of the table without its headings. SampleError where there is no such table."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            heading, *rows = csv.reader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SampleError(f"cannot read {path} ({getattr(error, 'strerror', None) or error})") from None
    except ValueError:
        raise SampleError(f"{path} is empty") from None
    if len(heading) != 1 + 2 * POINTS:
        raise SampleError(f"{path} has {len(heading)} columns; {1 + 2 * POINTS} are needed: a name, then x and y of each point")
    return [row for row in rows if row]


def read_points(row: list[str], where: str) -> NDArray[np.float32]:
    """The points of a row, shape (68, 2). BrokenFile if it does not have them all."""
    try:
        numbers = np.array([float(cell) for cell in row[1:]], np.float32)
    except ValueError as error:
        raise BrokenFile(f"{where} ({row[0]}) has something else than numbers: {error}") from None
    if len(numbers) != 2 * POINTS or not np.isfinite(numbers).all():
        raise BrokenFile(f"{where} ({row[0]}) has {np.isfinite(numbers).sum()} numbers, not {2 * POINTS}")
    return numbers.reshape(POINTS, 2)


class DrawnFaces:
    """Faces drawn by a program around their 68 points, turned and shifted; used as `FaceLandmarks` is."""

    def __init__(self, count: int, size: int, seed: int = 0, transform: Callable[..., Any] | None = None) -> None:
        rng = np.random.default_rng(seed)
        self.transform = transform
        self.names = [f"face {k + 1}" for k in range(count)]
        self.points = np.stack([drawn_points(size, rng) for _ in range(count)]).astype(np.float32)
        self.images = [draw(points, size, rng) for points in self.points]

    __len__ = FaceLandmarks.__len__
    __getitem__ = FaceLandmarks.__getitem__


def arc(middle: tuple[float, float], radii: tuple[float, float], start: float, stop: float, count: int) -> NDArray[np.float64]:
    """Points on an ellipse; angles in degrees, 0 to the right, 90 down."""
    angles = np.radians(np.linspace(start, stop, count))
    return np.stack([middle[0] + radii[0] * np.cos(angles), middle[1] + radii[1] * np.sin(angles)], 1)


def drawn_points(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The points of one face somewhere in an image of `size` pixels, shape (68, 2)."""
    gap, high, wide = rng.uniform(0.38, 0.48), rng.uniform(0.06, 0.13), rng.uniform(0.25, 0.4)
    opened, brow = rng.uniform(0.05, 0.2), rng.uniform(0.38, 0.5)
    parts = [arc((0, 0), (1, rng.uniform(1.0, 1.25)), 180, 0, 17)]
    parts += [arc((x, -brow + 0.12), (0.3, 0.12), 200, 340, 5) for x in (-gap, gap)]
    parts += [np.stack([np.zeros(4), np.linspace(-0.15, 0.25, 4)], 1), arc((0, 0.3), (0.18, 0.08), 180, 0, 5)]
    parts += [arc((x, -0.12), (0.18, high), 180, 480, 6) for x in (-gap, gap)]
    parts += [arc((0, 0.65), (wide, opened + 0.06), 180, 510, 12), arc((0, 0.65), (0.75 * wide, opened / 2), 180, 495, 8)]
    face = np.concatenate(parts)
    turn, scale = np.radians(rng.uniform(-20, 20)), size * rng.uniform(0.22, 0.34)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return face @ rotation.T * scale + size * rng.uniform(0.42, 0.58, 2)


def draw(points: NDArray[Any], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """An image, uint8 (size, size, 3), of the face with these points."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (size, size), tuple(int(x) for x in rng.uniform(20, 235, 3)))
    pen = ImageDraw.Draw(image)
    skin = tuple(int(x * rng.uniform(0.95, 1.05)) for x in np.array([225, 180, 150]) * rng.uniform(0.5, 1))
    dark = tuple(int(x) for x in rng.uniform(10, 60, 3))

    def part(first: int, last: int) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in points[first : last + 1]]

    middle = points[[0, 16]].mean(0)
    skull = middle * 2 - points[:17]  # the jaw, turned upside down
    pen.polygon([*part(0, 16), *map(tuple, skull.tolist())], fill=skin)
    for first, last in ((17, 21), (22, 26), (27, 30), (31, 35)):
        pen.line(part(first, last), fill=dark, width=max(1, size // 48))
    for first, last in ((36, 41), (42, 47)):
        pen.polygon(part(first, last), fill="white", outline=dark)
    pen.polygon(part(48, 59), fill=(170, 50, 60))
    pen.polygon(part(60, 67), fill=dark)
    return np.clip(np.asarray(image) + rng.normal(0, 6, (size, size, 3)), 0, 255).astype(np.uint8)
