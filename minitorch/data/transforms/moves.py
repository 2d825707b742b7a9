"""Where the pixels of an image go: flips, parts, other sizes, any straight map; and boxes, masks and keypoints with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.tensor import Tensor
from .base import pillow

Size = tuple[int, int]
"""(height, width)"""


class Move(NamedTuple):
    """Where the pixels of an image go. `matrix` (2, 3) takes a point (x, y, 1) of the old image to the new one, whose height
    and width are `size`; `pixels(array, exact)` does it to an array, taking the nearest pixel and not a mixture if `exact`."""

    matrix: np.ndarray
    size: Size
    pixels: Callable[[np.ndarray, bool], np.ndarray]


def moved_boxes(boxes: np.ndarray, move: Move) -> np.ndarray:
    """Boxes (n, 4) after a move: the smallest upright boxes around their moved corners, cut off at the image's edges."""
    left, top, right, bottom = boxes.reshape(-1, 4).T
    x, y = np.stack([left, right, left, right]), np.stack([top, top, bottom, bottom])
    (a, b, c), (d, e, f) = move.matrix
    height, width = move.size
    x, y = np.clip(a * x + b * y + c, 0, width), np.clip(d * x + e * y + f, 0, height)
    return np.stack([x.min(0), y.min(0), x.max(0), y.max(0)], 1).reshape(boxes.shape)


def moved_keypoints(points: np.ndarray, move: Move) -> np.ndarray:
    """Keypoints (..., 2 or more) after a move; they may lie outside the image then."""
    out = points.copy()
    x, y = points[..., 0] + 0.5, points[..., 1] + 0.5  # (0, 0) is the middle of a pixel, half a pixel from the corner
    for axis, (a, b, c) in enumerate(move.matrix):
        out[..., axis] = a * x + b * y + c - 0.5
    return out


def moved_masks(masks: np.ndarray, move: Move, size: Size) -> np.ndarray:
    """Masks (..., height, width) after a move; new pixels are 0. ValueError where they are not of the image's size."""
    if masks.shape[-2:] != size:
        raise ValueError(f"masks of {masks.shape[-2:]} do not belong to an image of {size}")
    out = np.zeros((*masks.shape[:-2], *move.size), masks.dtype)
    for index in np.ndindex(masks.shape[:-2]):
        out[index] = move.pixels(masks[index], True)
    return out


def like(x: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """`change` on the array of a tensor, array or list; whole numbers come out as float32 where they no longer are whole."""
    array = x.detach().numpy() if isinstance(x, Tensor) else np.asarray(x)
    made = change(array)
    made = made.astype(array.dtype) if array.dtype.kind == "f" else made.astype("f4") if made.dtype.kind == "f" else made
    return Tensor(made) if isinstance(x, Tensor) else made


def flipped(size: Size, horizontally: bool) -> Move:
    """Left and right exchanged, or top and bottom."""
    height, width = size
    if horizontally:
        return Move(np.array([[-1.0, 0, width], [0, 1, 0]]), size, lambda array, exact: array[:, ::-1])
    return Move(np.array([[1.0, 0, 0], [0, -1, height]]), size, lambda array, exact: array[::-1])


def cut(top: int, left: int, size: Size, fill: Any = 0, mode: str = "constant") -> Move:
    """The part of `size` that begins at (top, left); what lies outside the image is filled, by a number for each channel
    ("constant"), the nearest pixel ("edge"), or the image mirrored without ("reflect") or with ("symmetric") its edge."""

    def pixels(array: np.ndarray, exact: bool) -> np.ndarray:
        height, width = array.shape[:2]
        before = max(-top, 0), max(-left, 0)
        after = max(top + size[0] - height, 0), max(left + size[1] - width, 0)
        if any(before + after):
            array = padded(array, before, after, 0 if exact else fill, "constant" if exact and mode == "constant" else mode)
        y, x = top + before[0], left + before[1]
        return array[y : y + size[0], x : x + size[1]]

    return Move(np.array([[1.0, 0, -left], [0, 1, -top]]), size, pixels)


def padded(array: np.ndarray, before: Size, after: Size, fill: Any, mode: str) -> np.ndarray:
    """The array with rows and columns added before and after."""
    widths = [(before[0], after[0]), (before[1], after[1])] + [(0, 0)] * (array.ndim - 2)
    if mode != "constant":
        return np.pad(array, widths, mode)  # type: ignore[call-overload]
    out = np.empty([n + a + b for n, (a, b) in zip(array.shape, widths)], array.dtype)
    out[...] = fill
    out[before[0] : before[0] + array.shape[0], before[1] : before[1] + array.shape[1]] = array
    return out


def scaled(size: Size, to: Size, how: str = "bilinear") -> Move:
    """The whole image in another size, without aliasing where it gets smaller."""

    def pixels(array: np.ndarray, exact: bool) -> np.ndarray:
        kind = _filter("nearest" if exact else how)
        return by_pillow(array, lambda part, fill: part.resize((to[1], to[0]), kind), 0)

    return Move(np.array([[to[1] / size[1], 0, 0], [0, to[0] / size[0], 0]]), to, pixels)


def warped(matrix: np.ndarray, size: Size, how: str = "nearest", fill: Any = 0) -> Move:
    """Any straight map: `matrix` (2, 3) takes points of the old image to the new one."""
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]

    def pixels(array: np.ndarray, exact: bool) -> np.ndarray:
        image = pillow()
        kind = _filter("nearest" if exact else how)
        return by_pillow(
            array,
            lambda part, fill: part.transform(
                (size[1], size[0]), image.Transform.AFFINE, tuple(inverse.ravel()), kind, fillcolor=fill
            ),
            0 if exact else fill,
        )

    return Move(matrix, size, pixels)


def by_pillow(array: np.ndarray, change: Callable[[Any, Any], Any], fill: Any) -> np.ndarray:
    """An array through Pillow, as one image where Pillow knows its kind, else channel by channel."""
    image = pillow()
    fills = tuple(fill) if isinstance(fill, Sequence) else (fill,) * (array.shape[2] if array.ndim == 3 else 1)
    if array.dtype == np.uint8 and (array.ndim == 2 or array.shape[2] in (3, 4)):
        made = change(image.fromarray(np.ascontiguousarray(array)), fills if array.ndim == 3 else fills[0])
        return np.asarray(made)
    if array.ndim == 3:
        parts = [by_pillow(array[..., i], change, fills[i]) for i in range(array.shape[2])]
        return np.stack(parts, 2)
    kept = np.float32 if array.dtype.kind == "f" else np.uint8 if array.dtype.kind == "b" else np.int32
    return np.asarray(change(image.fromarray(np.ascontiguousarray(array, kept)), fills[0])).astype(array.dtype)


def _filter(how: str) -> Any:
    names = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "lanczos": "LANCZOS", "box": "BOX"}
    if how not in names:
        raise ValueError(f"interpolation is one of {', '.join(names)}, not {how!r}")
    return getattr(pillow().Resampling, names[how])


def linear(angle: float, scale: float = 1.0, shear: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """The matrix (2, 2) that shears by angles along x and y, then turns and scales. Degrees; y points downwards, so
    counter-clockwise, as one sees it, is minus the mathematical angle."""
    a, x, y = (math.radians(d) for d in (-angle, *shear))
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    return scale * turn @ np.array([[1.0, 0], [math.tan(y), 1]]) @ np.array([[1.0, math.tan(x)], [0, 1]])


def about(center: Sequence[float], matrix: np.ndarray, shift: Sequence[float] = (0.0, 0.0)) -> np.ndarray:
    """The map (2, 3) that applies `matrix` about `center`, then moves by `shift`."""
    middle = np.asarray(center, float)
    return np.column_stack([matrix, middle + np.asarray(shift) - matrix @ middle])
