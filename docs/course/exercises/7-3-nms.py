"""Non-maximum suppression

Keep the best boxes: look at them in the right order, and keep each one that does not overlap a better kept one by more than
the threshold. `overlap[j, k]` is the IoU of box j with box k. Two places to fill.
"""

import numpy as np

from minitorch.testing import expect
from samples.kit import detection


def nms(overlap, scores, threshold):
    """Indices of the boxes to keep, best first."""
    kept = []
    for k in ...:
        if all(... for better in kept):
            kept.append(int(k))
    return kept


def row(*lefts):
    """The IoU of squares of 10 × 10 pixels in a row, each with each."""
    boxes = np.array([[left, 0, left + 10, 10] for left in lefts], float).reshape(-1, 4)
    return detection.iou(boxes, boxes)


boxes = row(0, 1, 20, 4)
scores = np.array([0.6, 0.9, 0.7, 0.5])
expect(
    "two of four at a threshold of 0.4",
    lambda: nms(boxes, scores, 0.4),
    [1, 2],
    mistakes=[
        ([3, 2], "It begins with the worst box: the best comes first."),
        ([0, 2], "It takes the boxes as they stand in the list: the best comes first."),
        ([1, 2, 0, 3], "Nothing was dropped: what overlaps a kept one by more than the threshold goes."),
        ([1, 0, 3], "It drops what overlaps a better one little. That is the wrong way round: those are other faces."),
    ],
)
expect(
    "at 0.6 a third one stays",
    lambda: nms(boxes, scores, 0.6),
    [1, 2, 3],
    mistakes=[([1, 2], "Box 3 overlaps box 1 by 0.54, which is less than 0.6.")],
)
expect(
    "a dropped box drops nobody",
    lambda: nms(row(0, 4, 8), np.array([0.9, 0.8, 0.7]), 0.3),
    [0, 2],
    mistakes=[([0], "Box 2 overlaps only box 1, which is gone itself: compare with the kept ones.")],
)
expect("no boxes, no answer", lambda: nms(row(), np.zeros(0), 0.5), [])
