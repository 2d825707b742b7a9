"""Transforms that move pixels, and with them boxes, masks and keypoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...ops import random
from .base import Transform, opened
from .moves import (
    Move,
    Size,
    about,
    cut,
    flipped,
    like,
    linear,
    moved_boxes,
    moved_keypoints,
    moved_masks,
    scaled,
    warped,
)


class Geometric(Transform):
    """A subclass defines `move(size)`: what it does, this time, to an image of that size (None: nothing)."""

    def move(self, size: Size) -> Move | None:
        """The move for an image of height and width `size`; random ones are drawn here."""
        raise NotImplementedError(f"{type(self).__name__} needs a method move(self, size)")

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        array, back = opened(image)
        move = self.move(array.shape[:2])
        if move is None:
            return image, target
        if "boxes" in target:
            target["boxes"] = like(target["boxes"], lambda x: moved_boxes(x, move))
        if "keypoints" in target:
            target["keypoints"] = like(target["keypoints"], lambda x: moved_keypoints(x, move))
        for name in ("masks", "mask"):
            if name in target:
                target[name] = like(target[name], lambda x: moved_masks(x, move, array.shape[:2]))
        return back(move.pixels(array, False)), target


class RandomHorizontalFlip(Geometric):
    """Left and right exchanged, with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def move(self, size: Size) -> Move | None:
        return flipped(size, True) if random.rng().random() < self.p else None


class RandomVerticalFlip(Geometric):
    """Top and bottom exchanged, with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def move(self, size: Size) -> Move | None:
        return flipped(size, False) if random.rng().random() < self.p else None


class Resize(Geometric):
    """The image in `size`, (height, width); a single number is the length of the shorter side, the other following (up to
    `max_size`). interpolation: "nearest", "bilinear", "bicubic", "lanczos" or "box"."""

    def __init__(self, size: int | Sequence[int], interpolation: str = "bilinear", max_size: int | None = None) -> None:
        self.size, self.interpolation, self.max_size = size, interpolation, max_size

    def move(self, size: Size) -> Move | None:
        to = tuple(self.size) if isinstance(self.size, Sequence) else ()
        if len(to) != 2:
            wanted: Any = to[0] if to else self.size
            short, long = min(size), max(size)
            new_short, new_long = int(wanted), int(wanted * long / short)
            if self.max_size is not None and new_long > self.max_size:
                new_short, new_long = int(self.max_size * new_short / new_long), self.max_size
            to = (new_short, new_long) if size[0] <= size[1] else (new_long, new_short)
        return None if to == tuple(size) else scaled(size, to, self.interpolation)


class CenterCrop(Geometric):
    """The middle of the image, (height, width) or a square; zeros where the image is smaller."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pair(size)

    def move(self, size: Size) -> Move | None:
        height, width = self.size
        return cut(round((size[0] - height) / 2), round((size[1] - width) / 2), self.size)


class Pad(Geometric):
    """Rows and columns added: `padding` on all sides, (left and right, top and bottom), or (left, top, right, bottom).

    padding_mode: "constant" (`fill`, a number or one for each channel), "edge", "reflect" or "symmetric".
    """

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        self.padding, self.fill, self.padding_mode = sides(padding), fill, _mode(padding_mode)

    def move(self, size: Size) -> Move | None:
        left, top, right, bottom = self.padding
        return cut(-top, -left, (size[0] + top + bottom, size[1] + left + right), self.fill, self.padding_mode)


class RandomCrop(Geometric):
    """A part of `size` from anywhere in the image, after `padding` (see Pad) if given; with `pad_if_needed` a smaller image is
    padded to the size, without it is a ValueError."""

    def __init__(
        self, size: int | Sequence[int], padding: int | Sequence[int] | None = None, pad_if_needed: bool = False, fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:  # fmt: skip
        self.size, self.padding, self.pad_if_needed = pair(size), sides(padding or 0), pad_if_needed
        self.fill, self.padding_mode = fill, _mode(padding_mode)

    def move(self, size: Size) -> Move | None:
        left, top, right, bottom = self.padding
        start, have = [-top, -left], [size[0] + top + bottom, size[1] + left + right]
        for axis in (0, 1):
            missing = self.size[axis] - have[axis]
            if missing > 0:
                if not self.pad_if_needed:
                    raise ValueError(f"RandomCrop of {self.size} does not fit into an image of {tuple(have)}; "
                                     "pass pad_if_needed=True, or resize first")  # fmt: skip
                start[axis], have[axis] = start[axis] - missing, have[axis] + 2 * missing
            start[axis] += int(random.rng().integers(0, have[axis] - self.size[axis] + 1))
        return cut(start[0], start[1], self.size, self.fill, self.padding_mode)


class RandomResizedCrop(Geometric):
    """A part that covers between `scale` of the area, of a shape between `ratio` (width / height), resized to `size`."""

    def __init__(
        self, size: int | Sequence[int], scale: tuple[float, float] = (0.08, 1.0), ratio: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = "bilinear",
    ) -> None:  # fmt: skip
        self.size, self.scale, self.ratio, self.interpolation = pair(size), scale, ratio, interpolation

    def move(self, size: Size) -> Move | None:
        top, left, part = self._part(size)
        first, then = cut(top, left, part), scaled(part, self.size, self.interpolation)
        matrix = then.matrix @ np.vstack([first.matrix, [0, 0, 1]])
        return Move(matrix, self.size, lambda array, exact: then.pixels(first.pixels(array, exact), exact))

    def _part(self, size: Size) -> tuple[int, int, Size]:
        rng = random.rng()
        for _ in range(10):
            area = size[0] * size[1] * rng.uniform(*self.scale)
            shape = math.exp(rng.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            height, width = round(math.sqrt(area / shape)), round(math.sqrt(area * shape))
            if 0 < height <= size[0] and 0 < width <= size[1]:
                top, left = rng.integers(0, size[0] - height + 1), rng.integers(0, size[1] - width + 1)
                return int(top), int(left), (height, width)
        # The image is too long or too high for the ratios: its middle, in the nearest ratio.
        ratio = min(max(size[1] / size[0], self.ratio[0]), self.ratio[1])
        height, width = min(size[0], round(size[1] / ratio)), min(size[1], round(size[0] * ratio))
        return (size[0] - height) // 2, (size[1] - width) // 2, (height, width)


class RandomAffine(Geometric):
    """Turned by an angle within `degrees` (counter-clockwise positive), moved by up to the fractions `translate` of width and
    height, scaled by a factor within `scale`, and sheared by angles within `shear`, about the middle (or `center`, x and y).

    `degrees` is a pair or x for ±x; `shear` is x or a pair along x, or four numbers, two along x and two along y.
    """

    def __init__(
        self, degrees: float | Sequence[float], translate: Sequence[float] | None = None, scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None, interpolation: str = "nearest", fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:  # fmt: skip
        self.degrees, self.translate, self.scale = around(degrees), translate, scale
        limits = (0.0, 0.0) if shear is None else around(shear) if not isinstance(shear, Sequence) else tuple(shear)
        self.shear = (*limits, 0.0, 0.0) if len(limits) == 2 else limits
        self.interpolation, self.fill, self.center = interpolation, fill, center

    def move(self, size: Size) -> Move | None:
        rng = random.rng()
        angle = rng.uniform(*self.degrees)
        shift = [rng.uniform(-part, part) * n for part, n in zip(self.translate or (0, 0), (size[1], size[0]))]
        factor = rng.uniform(self.scale[0], self.scale[1]) if self.scale else 1.0
        shear = rng.uniform(self.shear[0], self.shear[1]), rng.uniform(self.shear[2], self.shear[3])
        center = self.center or (size[1] / 2, size[0] / 2)
        return warped(about(center, linear(angle, factor, shear), shift), size, self.interpolation, self.fill)


class RandomRotation(Geometric):
    """Turned by an angle within `degrees`, a pair or x for ±x, counter-clockwise positive; `expand` makes room for corners."""

    def __init__(
        self, degrees: float | Sequence[float], interpolation: str = "nearest", expand: bool = False,
        center: Sequence[float] | None = None, fill: Any = 0,
    ) -> None:  # fmt: skip
        self.degrees, self.interpolation, self.expand = around(degrees), interpolation, expand
        self.center, self.fill = center, fill

    def move(self, size: Size) -> Move | None:
        height, width = size
        turn = linear(random.rng().uniform(*self.degrees))
        if not self.expand:
            return warped(about(self.center or (width / 2, height / 2), turn), size, self.interpolation, self.fill)
        corners = turn @ np.array([[0, width, 0, width], [0, 0, height, height]])
        low, high = corners.min(1), corners.max(1)
        columns, rows = (math.ceil(round(x, 6)) for x in high - low)
        slack = (np.array([columns, rows]) - (high - low)) / 2
        return warped(np.column_stack([turn, slack - low]), (rows, columns), self.interpolation, self.fill)


class SanitizeBoxes(Transform):
    """Without the boxes narrower or lower than `min_size` pixels (what a crop has left of them), and without what belongs to
    them: the entries of the target named in `also` that are as many as the boxes."""

    def __init__(self, min_size: float = 1.0, also: Sequence[str] = ("labels", "masks", "keypoints")) -> None:
        self.min_size, self.also = min_size, tuple(also)

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if "boxes" in target:
            boxes = target["boxes"].raw if isinstance(target["boxes"], Tensor) else np.asarray(target["boxes"])
            boxes = boxes.reshape(-1, 4)
            keep = ((boxes[:, 2:] - boxes[:, :2]) >= self.min_size).all(1)
            for name in ("boxes", *self.also):
                if name in target and len(target[name]) == len(keep):
                    target[name] = like(target[name], lambda x: x[keep])
        return image, target


def around(limits: float | Sequence[float]) -> tuple[float, float]:
    """A pair of limits; x means ±x."""
    if isinstance(limits, Sequence):
        return float(limits[0]), float(limits[1])
    if limits < 0:
        raise ValueError(f"an angle that stands for a range on both sides is 0 or more, not {limits}")
    return -float(limits), float(limits)


def pair(size: int | Sequence[int]) -> Size:
    """(height, width); a single number means a square."""
    parts = tuple(size) if isinstance(size, Sequence) else (size,)
    return (int(parts[0]), int(parts[-1]))


def sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) from one number, two or four."""
    parts = tuple(padding) if isinstance(padding, Sequence) else (padding,)
    if len(parts) not in (1, 2, 4):
        raise ValueError(f"padding is one number, two or four, not {len(parts)}")
    parts = parts * (4 // len(parts))
    return parts  # type: ignore[return-value]


def _mode(mode: str) -> str:
    if mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError(f"padding_mode is 'constant', 'edge', 'reflect' or 'symmetric', not {mode!r}")
    return mode
