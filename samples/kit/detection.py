"""Boxes: how well two agree, which of many to keep, which shapes are common, and how good a detector's are.

A box is left, top, right, bottom in pixels. Functions of arrays take and give (n, 4); those of tensors can be learned from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import minitorch
from minitorch import Tensor
from minitorch.data.transforms import Pad, RandomCrop, Resize, Transform

Boxes = NDArray[np.floating[Any]]


class Detections(NamedTuple):
    """What was found on one image: boxes (n, 4), scores (n,) from 0 to 1, labels (n,)."""

    boxes: Boxes
    scores: NDArray[np.floating[Any]]
    labels: NDArray[np.int64]


def iou(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union of every box of a with every box of b, shape (len(a), len(b)); 0 where both are empty."""
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    both = np.clip(high - low, 0, None).prod(-1)
    union = area(a)[:, None] + area(b) - both
    return both / np.maximum(union, 1e-12)


def area(boxes: Boxes) -> Boxes:
    """Pixels in each box; none in one that is turned inside out."""
    return np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(-1)


def ciou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and complete IoU of each box of a with the one of b in the same row, shape (n,) each.

    Complete IoU (Zheng et al. 2020) takes off how far apart the centres are, measured by the diagonal of the box around both,
    and how different the shapes are. So it says which way to go also where the boxes do not meet, and the IoU is flat.
    """
    (left_a, top_a, right_a, bottom_a), (left_b, top_b, right_b, bottom_b) = a.unbind(1), b.unbind(1)
    wide_a, high_a, wide_b, high_b = right_a - left_a, bottom_a - top_a, right_b - left_b, bottom_b - top_b
    across = (minitorch.minimum(right_a, right_b) - minitorch.maximum(left_a, left_b)).clamp(min=0)
    down = (minitorch.minimum(bottom_a, bottom_b) - minitorch.maximum(top_a, top_b)).clamp(min=0)
    overlap = across * down / (wide_a * high_a + wide_b * high_b - across * down + 1e-7)

    around = (minitorch.maximum(right_a, right_b) - minitorch.minimum(left_a, left_b)) ** 2 + (
        minitorch.maximum(bottom_a, bottom_b) - minitorch.minimum(top_a, top_b)
    ) ** 2
    apart = ((left_a + right_a - left_b - right_b) ** 2 + (top_a + bottom_a - top_b - bottom_b) ** 2) / 4
    shape = 4 / math.pi**2 * (minitorch.atan(wide_b / (high_b + 1e-7)) - minitorch.atan(wide_a / (high_a + 1e-7))) ** 2
    weight = (shape / (1 - overlap + shape + 1e-7)).detach()  # the paper's: shapes count once the boxes overlap well
    return overlap, overlap - apart / (around + 1e-7) - weight * shape


def nms(boxes: Boxes, scores: NDArray[Any], threshold: float) -> NDArray[np.int64]:
    """Which boxes to keep, best first: each that overlaps no better kept one by more than `threshold`."""
    order = np.argsort(-scores, kind="stable")
    overlaps = iou(boxes[order], boxes[order]) > threshold
    alive = np.ones(len(order), bool)
    for k in range(len(order)):
        if alive[k]:
            alive[k + 1 :] &= ~overlaps[k, k + 1 :]
    return order[alive]


def shape_iou(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """IoU of widths and heights (n, 2) with others (m, 2), as if the boxes had the same centre: shape (n, m)."""
    both = np.minimum(a[:, None], b).prod(-1)
    return both / (a.prod(-1)[:, None] + b.prod(-1) - both)


def common_shapes(shapes: NDArray[Any], count: int, rounds: int = 100) -> NDArray[np.float64]:
    """Widths and heights (count, 2) around which those of boxes, (n, 2), cluster, smallest first: the anchors of YOLOv2.

    k-means with 1 - IoU as the distance, so that a pixel more counts for small boxes, not for large ones.
    """
    shapes = np.asarray(shapes, float)
    by_area = shapes[np.argsort(shapes.prod(1), kind="stable")]
    middles = by_area[((np.arange(count) + 0.5) * len(shapes) / count).astype(int)]
    for _ in range(rounds):
        nearest = shape_iou(shapes, middles).argmax(1)
        groups = [shapes[nearest == k] for k in range(count)]
        moved = np.array([np.median(group, axis=0) if len(group) else middle for group, middle in zip(groups, middles)])
        if np.array_equal(moved, middles):
            break
        middles = moved
    return middles[np.argsort(middles.prod(1), kind="stable")]


def average_precision(
    found: Sequence[Detections], truth: Sequence[dict[str, Any]], label: int = 0, overlap: float = 0.5
) -> float:
    """How good the detections of one class are, as Pascal VOC counts it since 2010; NaN where there are no objects of it.

    Detections of all images are taken from the highest score down. One is right if the object it overlaps most does so by
    `overlap` or more and has not been found before. The area under precision over recall, where the precision at a recall is
    the best one at that recall or a higher one. Difficult objects count neither way.

    Args:
        found: for each image.
        truth: for each image a dict of "boxes", "labels" and, optionally, "difficult".
    """
    scores, right, objects = [], [], 0
    for some, real in zip(found, truth):
        mine = np.asarray(real["labels"]) == label
        boxes = np.asarray(real["boxes"], float).reshape(-1, 4)[mine]
        difficult = np.asarray(real.get("difficult", np.zeros(len(mine), bool)), bool)[mine]
        objects += int((~difficult).sum())
        chosen = np.flatnonzero(some.labels == label)
        chosen = chosen[np.argsort(-some.scores[chosen], kind="stable")]
        overlaps = iou(some.boxes[chosen].astype(float), boxes)
        taken = np.zeros(len(boxes), bool)
        for k, row in zip(chosen, overlaps):
            best = int(row.argmax()) if len(row) else -1
            hit = best >= 0 and row[best] >= overlap
            if hit and difficult[best]:
                continue
            scores.append(some.scores[k])
            right.append(hit and not taken[best])
            if hit:
                taken[best] = True
    if not objects:
        return math.nan
    hits = np.cumsum(np.array(right, float)[np.argsort(-np.array(scores), kind="stable")])
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / objects
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * best_from_here).sum())


def mean_average_precision(
    found: Sequence[Detections], truth: Sequence[dict[str, Any]], classes: int, overlap: float = 0.5
) -> float:
    """The mean of `average_precision` over the classes that occur."""
    parts = [average_precision(found, truth, label, overlap) for label in range(classes)]
    return float(np.nanmean(parts)) if not np.all(np.isnan(parts)) else math.nan


class Letterbox(Transform):
    """The whole image in a square of `size` pixels, as large as it fits, grey beside it; boxes go with it."""

    def __init__(self, size: int, fill: int = 114) -> None:
        self.size, self.fill = size, fill

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        height, width = image.shape[:2]
        (high, wide), (top, left) = self.place(height, width)
        image, target = Resize((high, wide)).both(image, target)
        return Pad((left, top, self.size - wide - left, self.size - high - top), self.fill).both(image, target)

    def place(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The (height, width) an image gets, and where its (top, left) comes to be."""
        scale = self.size / max(height, width)
        high, wide = max(1, round(height * scale)), max(1, round(width * scale))
        return (high, wide), ((self.size - high) // 2, (self.size - wide) // 2)

    def undo(self, boxes: Boxes, height: int, width: int) -> Boxes:
        """Boxes found in the square, in pixels of the image, cut off at its edges."""
        (high, wide), (top, left) = self.place(height, width)
        shifted = (boxes - [left, top, left, top]) * [width / wide, height / high, width / wide, height / high]
        return np.clip(shifted, 0, [width, height, width, height])


class RandomZoom(Transform):
    """A square of `size` pixels from somewhere in the image, which was first made larger or smaller.

    Args:
        scale: between how much of what `Letterbox` makes of the image and how much; all factors between are as likely.
        visible: an object of which less than this share is left inside is left out.
    """

    def __init__(self, size: int, scale: tuple[float, float] = (0.7, 1.6), visible: float = 0.4, fill: int = 114) -> None:
        self.size, self.scale, self.visible, self.fill = size, scale, visible, fill

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        low, high = map(math.log, self.scale)
        factor = self.size / max(image.shape[:2]) * math.exp(low + (high - low) * minitorch.rand(()).item())
        new = max(1, round(image.shape[0] * factor)), max(1, round(image.shape[1] * factor))
        image, target = Resize(new).both(image, target)
        whole = area(target["boxes"])
        image, target = RandomCrop(self.size, pad_if_needed=True, fill=self.fill).both(image, target)
        kept = area(target["boxes"]) > self.visible * whole
        return image, {name: value[kept] for name, value in target.items()}
