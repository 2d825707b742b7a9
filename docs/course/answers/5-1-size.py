"""Sizes and weights on paper

A picture of 3 channels, 32×32, goes through three layers. Work out the side of what comes out of each, and how many numbers
each learns. (Conv2d takes: channels in, channels out, kernel, stride, padding.)
"""

import minitorch
from minitorch import nn
from minitorch.testing import expect

layers = nn.Sequential(
    nn.Conv2d(3, 16, 3, 1, 1),
    nn.Conv2d(16, 32, 3, 2, 1),
    nn.Conv2d(32, 8, 5, 1, 0),
)

side_1, numbers_1 = 32, 16 * 3 * 9 + 16
side_2, numbers_2 = 16, 32 * 16 * 9 + 32
side_3, numbers_3 = 12, 8 * 32 * 25 + 8

x = minitorch.zeros(1, 3, 32, 32)
answers = ((side_1, numbers_1), (side_2, numbers_2), (side_3, numbers_3))
for place, (layer, (side, numbers)) in enumerate(zip(layers, answers), start=1):
    x = layer(x)
    expect(f"side after layer {place}", side, x.shape[-1], otherwise="(size + 2 · padding - kernel) / stride + 1")
    expect(
        f"numbers of layer {place}", numbers, sum(p.numel() for p in layer.parameters()),
        mistakes=[
            (layer.weight.numel(), "These are the weights: each kernel has a bias, too."),
            (layer.weight[:, 0].numel() + len(layer.bias), "Each kernel has a table for every channel that comes in."),
        ],
    )  # fmt: skip
