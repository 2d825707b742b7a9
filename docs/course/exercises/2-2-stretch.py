"""Back to the shape before it was stretched

`grad` has the shape of the result. `shape` is that of the input, which was broadcast to it. Return the gradient of the
input: summed over every axis that was stretched. It must have exactly the shape `shape`.
"""

import numpy as np

from minitorch.testing import expect


def unstretched(grad, shape):
    # First the axes that were missing on the left, then those that were 1. keepdims=True keeps an axis as 1.
    return ...


grad = np.arange(12.0).reshape(4, 3)

expect("nothing was stretched", lambda: unstretched(grad, (4, 3)), grad)
expect("(3,) was stretched to (4, 3)", lambda: unstretched(grad, (3,)), grad.sum(0), mistakes=[
    (grad.mean(0), "Each was used four times: the contributions add up. No mean."),
    (grad.sum(0, keepdims=True), "The shape has to be (3,): the missing axis has to go."),
    (grad, "The axis on the left was missing: it has to be summed away."),
])  # fmt: skip
expect("(4, 1) was stretched to (4, 3)", lambda: unstretched(grad, (4, 1)), grad.sum(1, keepdims=True), mistakes=[
    (grad.sum(1), "The shape has to be (4, 1): keep the axis."), (grad, "An axis of 1 was stretched, too."),
])  # fmt: skip
expect("(1,) was stretched to (4, 3)", lambda: unstretched(grad, (1,)), np.array([66.0]), mistakes=[
    (66.0, "The shape has to be (1,)."), (grad.sum(0), "Both: a missing axis, and an axis of 1."),
])  # fmt: skip
expect("() was stretched to (4, 3)", lambda: unstretched(grad, ()), np.array(66.0))
