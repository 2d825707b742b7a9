"""Intersection over union

Two boxes (left, top, right, bottom). How wide and how high is what both share? And how large is what at least one of them
covers? Take care of boxes that do not meet.
"""

from minitorch.testing import expect


def iou(a, b):
    across = ...
    down = ...
    both = across * down
    union = ...
    return both / union


expect(
    "two boxes that meet",
    lambda: iou((2, 2, 6, 4), (3, 1, 7, 5)),
    6 / 18,
    mistakes=[
        (6 / 24, "What both share is in both areas: take it off once."),
        (6 / 6, "The union is the area that at least one of the two covers."),
        (20 / 4, "Those are the outer sides: what both share begins at the larger left and ends at the smaller right."),
    ],
)
expect("a box and itself", lambda: iou((1, 1, 4, 3), (1, 1, 4, 3)), 1.0)
expect("one inside the other", lambda: iou((0, 0, 4, 4), (1, 1, 3, 3)), 4 / 16)
expect("side by side", lambda: iou((0, 0, 2, 2), (5, 0, 7, 2)), 0.0, otherwise="A width is never negative: max(0, …).")
expect(
    "corner to corner, far apart",
    lambda: iou((0, 0, 2, 2), (5, 5, 7, 7)),
    0.0,
    otherwise="Two negative numbers have a positive product: both lengths need their max(0, …).",
)
