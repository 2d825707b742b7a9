"""A convolution with two loops

`x` is a picture, shape (height, width), and `kernel` a small table. Put into `out[row, column]` what the kernel gives when its
upper left corner lies on that row and column: multiply each pair, add up. No padding, stride 1.
"""

import minitorch
from minitorch.nn import functional as F
from minitorch.testing import expect


def convolve(x, kernel):
    size = kernel.shape[0]
    height, width = x.shape[0] - size + 1, x.shape[1] - size + 1
    out = minitorch.zeros(height, width)
    for row in range(height):
        for column in range(width):
            out[row, column] = ...
    return out


minitorch.manual_seed(0)
x, kernel = minitorch.randn(6, 8), minitorch.randn(3, 3)
right = F.conv2d(x[None, None], kernel[None, None])[0, 0]
turned = F.conv2d(x[None, None], kernel.flip(0, 1)[None, None])[0, 0]
expect("the shape", lambda: convolve(x, kernel).shape, (4, 6))
expect(
    "the numbers", lambda: convolve(x, kernel), right, within=1e-5,
    mistakes=[(turned, "The kernel is turned round: lay it down as it is.")],
    otherwise="Compare one number by hand: `convolve(x, kernel)[0, 0]`.",
)  # fmt: skip
