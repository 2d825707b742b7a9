"""First weights for thirty layers

100 inputs of size 1 go through 30 layers of 64 neurons. Choose the deviation of the weights so that what comes out of the last
layer has a size between 0.1 and 1. With ReLU one answer is on the page; with tanh, try.
"""

import minitorch
from minitorch.testing import expect

relu_deviation = ...
tanh_deviation = ...


def size(activation, deviation):
    """The deviation of what comes out of layer 30."""
    minitorch.manual_seed(0)
    h = minitorch.randn(100, 64)
    for _ in range(30):
        h = activation(h @ (deviation * minitorch.randn(64, 64)))
    return h.std().item()


def too_small(got):
    return got < 0.1


def too_large(got):
    return got > 1


def in_between(got):
    return 0.1 <= got <= 1


def share_flat():
    """How much of a tanh layer is flat: beyond 0.95 its slope is below 0.1."""
    minitorch.manual_seed(0)
    h = minitorch.tanh(minitorch.randn(1000, 64) @ (tanh_deviation * minitorch.randn(64, 64)))
    return (h.abs() > 0.95).float().mean().item()


hints = [(too_small, "Too small: each layer makes it smaller."), (too_large, "Too large: each layer makes it larger.")]
expect("the size after 30 layers of ReLU", lambda: size(minitorch.relu, relu_deviation), in_between, mistakes=hints)
expect("the size after 30 layers of tanh", lambda: size(minitorch.tanh, tanh_deviation), in_between, mistakes=hints)
expect(
    "most of the tanh layer is not flat", share_flat, lambda got: got < 0.2,
    otherwise="tanh cannot grow beyond 1, but it can get stuck there: take smaller weights.",
)  # fmt: skip
