"""Choose a kernel

Three kernels of 3×3, each for a wish. Nothing is learnt here: you choose the numbers.
"""

import minitorch
from minitorch.nn import functional as F
from minitorch.testing import expect

blur = ...  # the mean of a pixel and its eight neighbours
left = ...  # the picture, moved by one pixel to the right
spot = ...  # 0 where all nine pixels are equal, 8 for a single 1 among zeros


def seen(kernel, picture):
    """What the kernel sees in the middle of a picture of 3×3."""
    weights = minitorch.tensor(kernel, dtype=minitorch.float32)
    return F.conv2d(minitorch.tensor(picture, dtype=minitorch.float32)[None, None], weights[None, None]).item()


steps = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
one = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
expect("blur of 1 to 9", lambda: seen(blur, steps), 5.0, within=1e-5, mistakes=[(45.0, "That is the sum, not the mean.")])
expect("blur of a single 1", lambda: seen(blur, one), 1 / 9, within=1e-5)
expect("the middle after moving to the right", lambda: seen(left, steps), 4.0, mistakes=[
    (6.0, "That moves it to the left: the middle must get what was left of it."),
    (5.0, "That leaves the picture where it is."),
])  # fmt: skip
expect("spot where all are equal", lambda: seen(spot, [[3] * 3] * 3), 0.0, otherwise="The weights must add up to 0.")
expect("spot on a single 1", lambda: seen(spot, one), 8.0)
