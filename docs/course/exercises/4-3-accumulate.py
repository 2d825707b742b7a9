"""Pieces of different sizes

A batch of 60 examples does not fit into memory. It is taken in three pieces, of 10, 20 and 30 examples. What must the loss of a
piece be multiplied by, so that the gradients of the three add up to that of the whole batch?
"""

import minitorch
from minitorch import nn
from minitorch.testing import expect

minitorch.manual_seed(0)
x, y = minitorch.randn(60, 4), minitorch.randn(60, 1)
layer, criterion = nn.Linear(4, 1), nn.MSELoss()  # the mean over the examples it is given


def share(piece, whole):
    """The factor for a piece of so many of the whole number of examples."""
    return ...


def whole():
    layer.zero_grad()
    criterion(layer(x), y).backward()
    return layer.weight.grad.clone()


def pieces():
    layer.zero_grad()
    for start, end in ((0, 10), (10, 30), (30, 60)):
        loss = criterion(layer(x[start:end]), y[start:end])
        (loss * share(end - start, 60)).backward()
    return layer.weight.grad.clone()


expect("the share of 20 out of 60", lambda: share(20, 60), 1 / 3, mistakes=[
    (1.0, "Then the three means add up to three times too much."),
    (20.0, "The loss of a piece is a mean already."),
])  # fmt: skip
expect(
    "the gradient of the three pieces", pieces, whole(), within=1e-5,
    otherwise="A mean over more examples must count for more.",
)  # fmt: skip
