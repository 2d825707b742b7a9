"""A transposed convolution, with its padding

Complete `spread`. Each number of `x` lays the whole kernel `w` down, times itself, `stride` places further on than the
number before. Where patches overlap they add up. In the end `padding` places are cut off at both ends.
Three things are missing or wrong: one place to fill, one slip, and the padding.
"""

from minitorch.testing import expect


def spread(x, w, stride, padding=0):
    out = [0.0] * ((len(x) - 1) * stride + len(w))
    for i, number in enumerate(x):
        for k, weight in enumerate(w):
            out[i * stride + k] += number * weight
    return out[padding : len(out) - padding]


whole = [2.0, 6.0, -1.0, 3.0, -1.0]
expect(
    "two patches that overlap",
    lambda: spread([2.0, 1.0], [1.0, 3.0, -1.0], stride=2),
    whole,
    mistakes=[
        ([2.0, 6.0, 1.0, 3.0, -1.0], "The second patch has replaced the first where they meet: they add up."),
        ([2.0, 7.0, 1.0, -1.0, 0.0], "The second patch lies 1 place further on; the stride is 2."),
    ],
)
expect(
    "stride 1: three patches in one place",
    lambda: spread([1.0, 2.0, 3.0], [1.0, 10.0, 100.0], stride=1),
    [1.0, 12.0, 123.0, 230.0, 300.0],
)
expect(
    "padding cut off",
    lambda: spread([2.0, 1.0], [1.0, 3.0, -1.0], stride=2, padding=1),
    [6.0, -1.0, 3.0],
    mistakes=[
        (whole, "Nothing was cut off yet."),
        ([2.0, 6.0, -1.0, 3.0], "It is cut off at both ends."),
        ([6.0, -1.0, 3.0, -1.0], "It is cut off at both ends."),
    ],
)
