"""A target that must not move

The score of a box shall say how good the box is: its target is the IoU of the box with the true one. Written like that, the
detector learns to make its boxes worse where it is not confident. Mend the loss: one change in one line.
"""

import minitorch
from minitorch import Value
from minitorch.nn.functional import softplus
from minitorch.testing import expect


def gradients(score, right):
    """The gradients of the score and of the box's right side. The other sides are right already; the true one is at 7."""
    score, right = Value(score), Value(right)
    shared = minitorch.minimum(right, 7.0) - 3.0
    iou = shared / (right - 3.0 + 4.0 - shared)
    box = (right - 7.0) ** 2  # what teaches the box
    target = iou.detach()
    loss = box + softplus(score) - target * score  # and what teaches the score: cross entropy
    loss.backward()
    return score.grad, right.grad


expect(
    "the right side: only the box part teaches it",
    lambda: gradients(-2.0, 6.0)[1],
    -2.0,
    mistakes=[(-1.5, "The score part still has a say: + 0.5, away from the true side. Cut the target off from the graph.")],
    otherwise="The box part alone would give 2 × (6 - 7).",
)
expect(
    "the score still learns how good the box is",
    lambda: round(gradients(-2.0, 6.0)[0], 4),
    -0.6308,
    mistakes=[
        (0.1192, "Now the target is 0: the score learns to say no. Cut the target off, but keep its number."),
        (-0.8808, "The score learns to say yes, always: the target is the IoU, 0.75 here."),
    ],
)
