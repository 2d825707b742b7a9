"""Boxes: overlap, suppression, anchors, average precision and letterboxes, against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minitorch
from samples.kit.detection import (
    Detections,
    Letterbox,
    RandomZoom,
    area,
    average_precision,
    ciou,
    common_shapes,
    iou,
    mean_average_precision,
    nms,
    shape_iou,
)

UNIT = [0.0, 0.0, 10.0, 10.0]


@pytest.mark.parametrize(("other", "expected"), [
    (UNIT, 1.0),
    ([5, 0, 15, 10], 50 / 150),
    ([5, 5, 15, 15], 25 / 175),
    ([10, 0, 20, 10], 0.0),  # they touch
    ([30, 30, 40, 40], 0.0),
    ([2, 2, 4, 4], 4 / 100),  # one inside the other
])
def test_iou(other, expected):
    a, b = np.array([UNIT, other], float), np.array([other], float)
    assert iou(a, b)[:, 0] == pytest.approx([expected, 1.0])
    overlap, complete = ciou(minitorch.tensor([UNIT]), minitorch.tensor([other]).float())
    assert overlap.item() == pytest.approx(expected, abs=1e-6)
    assert complete.item() <= overlap.item() + 1e-6


def test_an_empty_box_overlaps_nothing():
    assert iou(np.zeros((1, 4)), np.zeros((1, 4))) == 0
    assert area(np.array([[5.0, 5, 3, 9]])) == 0
    assert iou(np.zeros((0, 4)), np.array([UNIT])).shape == (0, 1)


def test_complete_iou_by_hand():
    # Side by side: IoU 0; the centres are 20 apart in a box of 30x10 around both; the shapes are equal.
    _, complete = ciou(minitorch.tensor([UNIT]), minitorch.tensor([[20.0, 0, 30, 10]]))
    assert complete.item() == pytest.approx(-400 / 1000, abs=1e-5)
    # Same centre, 10x10 against 20x5: 50 shared of 150; shapes differ by v, weighed by v / (1 - IoU + v).
    v = 4 / math.pi**2 * (math.atan(4) - math.atan(1)) ** 2
    _, complete = ciou(minitorch.tensor([UNIT]), minitorch.tensor([[-5.0, 2.5, 15, 7.5]]))
    assert complete.item() == pytest.approx(1 / 3 - v * v / (1 - 1 / 3 + v), abs=1e-5)


def test_complete_iou_draws_boxes_that_do_not_meet_together():
    box = minitorch.tensor([[0.0, 0, 10, 10]], requires_grad=True)
    goal = minitorch.tensor([[40.0, 0, 60, 20]])
    start = box.detach().clone()
    for _ in range(400):
        box.grad = None
        (1 - ciou(box, goal)[1]).sum().backward()
        with minitorch.no_grad():
            box -= 60 * box.grad
    assert ciou(start, goal)[0].item() == 0 and ciou(box, goal)[0].item() > 0.8


def test_nms_keeps_the_best_of_those_that_overlap():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [2, 0, 12, 10], [30, 0, 40, 10]], float)
    scores = np.array([0.8, 0.9, 0.7, 0.1])
    assert nms(boxes, scores, 0.5).tolist() == [1, 3]
    # 0 and 2 share 8 of 12: what is suppressed suppresses nothing itself.
    assert nms(boxes[[0, 1, 2]], np.array([0.7, 0.8, 0.9]), 0.7).tolist() == [2, 0]
    assert nms(np.zeros((0, 4)), np.zeros(0), 0.5).tolist() == []


def test_common_shapes_finds_the_clusters():
    rng = np.random.default_rng(0)
    truth = np.array([[6.0, 8], [20, 20], [60, 90]])
    shapes = np.concatenate([shape * rng.uniform(0.9, 1.1, (30, 2)) for shape in truth])
    assert common_shapes(rng.permutation(shapes), 3) == pytest.approx(truth, rel=0.05)
    assert shape_iou(np.array([[4.0, 2]]), np.array([[2.0, 4], [4, 2], [8, 4]]))[0] == pytest.approx([4 / 12, 1, 8 / 32])
    assert len(common_shapes(np.array([[5.0, 5]]), 3)) == 3  # fewer boxes than anchors


def detections(*rows):
    table = np.array(rows, float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(int))


def objects(*boxes, labels=None, difficult=None):
    return {"boxes": np.array(boxes, float).reshape(-1, 4), "labels": np.array(labels or [0] * len(boxes), int),
            "difficult": np.array(difficult or [False] * len(boxes))}


A, B, C = [0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]
NOWHERE = [70, 70, 80, 80]


def test_average_precision_by_hand():
    # In the order of the scores: right, wrong, right, wrong; three objects.
    # Precision 1, 1/2, 2/3, 1/2 at recall 1/3, 1/3, 2/3, 2/3: area 1/3 * 1 + 1/3 * 2/3.
    found = [detections([*A, 0.9, 0], [*NOWHERE, 0.8, 0], [*B, 0.7, 0], [*NOWHERE, 0.1, 0])]
    assert average_precision(found, [objects(A, B, C)]) == pytest.approx(5 / 9)
    # The precision at a recall is the best one to the right of it: wrong, right, right gives 2/3 everywhere.
    found = [detections([*NOWHERE, 0.9, 0], [*A, 0.8, 0], [*B, 0.7, 0])]
    assert average_precision(found, [objects(A, B)]) == pytest.approx(2 / 3)


def test_an_object_is_found_once():
    twice = [detections([*A, 0.9, 0], [*A, 0.8, 0], [*B, 0.7, 0])]
    assert average_precision(twice, [objects(A, B)]) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_the_scores_order_detections_across_images():
    found = [detections([*A, 0.3, 0]), detections([*NOWHERE, 0.9, 0])]
    assert average_precision(found, [objects(A), objects()]) == pytest.approx(0.5)


def test_half_an_overlap_is_enough_and_less_is_not():
    assert average_precision([detections([0, 0, 10, 20, 0.9, 0])], [objects([0, 0, 10, 10])]) == 1
    assert average_precision([detections([0, 0, 10, 20.1, 0.9, 0])], [objects([0, 0, 10, 10])]) == 0
    assert average_precision([detections([0, 0, 10, 20, 0.9, 0])], [objects([0, 0, 10, 10])], overlap=0.75) == 0


def test_difficult_objects_count_neither_way():
    found = [detections([*A, 0.9, 0], [*B, 0.8, 0])]
    assert average_precision(found, [objects(A, B, difficult=[True, False])]) == 1
    assert average_precision([detections()], [objects(A, B, difficult=[True, False])]) == 0
    assert math.isnan(average_precision(found, [objects(A, difficult=[True])]))


def test_the_mean_is_over_the_classes_that_occur():
    found = [detections([*A, 0.9, 0], [*B, 0.8, 1], [*C, 0.7, 3])]
    truth = [objects(A, B, C, labels=[0, 0, 1])]
    assert average_precision(found, truth, 0) == pytest.approx(0.5)
    assert average_precision(found, truth, 1) == 0 and math.isnan(average_precision(found, truth, 2))
    assert mean_average_precision(found, truth, classes=4) == pytest.approx(0.25)


@pytest.mark.parametrize("size", [(50, 100), (100, 50), (64, 64), (300, 131)])
def test_a_letterbox_and_back(size):
    boxes = np.array([[3, 4, 30, 40], [0, 0, size[1], size[0]]], np.float32)
    boxed = Letterbox(64)
    image, target = boxed(np.full((*size, 3), 200, np.uint8), {"boxes": boxes})
    assert image.shape == (64, 64, 3)
    left, top, right, bottom = target["boxes"][1].round().astype(int)
    assert (image[top:bottom, left:right] == 200).all() and (image == 200).sum() == 3 * (right - left) * (bottom - top)
    assert boxed.undo(target["boxes"], *size) == pytest.approx(boxes, abs=1e-3)


def test_a_zoom_moves_the_boxes_with_the_pixels_and_drops_what_is_cut_off():
    minitorch.manual_seed(0)
    image = np.zeros((60, 90, 3), np.uint8)
    image[20:40, 30:60] = 255
    kept = 0
    for _ in range(40):
        seen, target = RandomZoom(64, scale=(0.5, 3))(image, {"boxes": np.array([[30, 20, 60, 40]], np.float32), "labels": np.zeros(1)})
        assert seen.shape == (64, 64, 3) and len(target["boxes"]) == len(target["labels"])
        for left, top, right, bottom in target["boxes"]:
            kept += 1
            rows, columns = np.where(seen[..., 0] > 127)
            assert (columns.min(), rows.min()) == pytest.approx((left, top), abs=1)
            assert (columns.max() + 1, rows.max() + 1) == pytest.approx((right, bottom), abs=1)
    assert 20 < kept < 40
