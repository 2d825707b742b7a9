"""Twice as large, and even

A transposed convolution with stride 2 shall make any picture exactly twice as large. Its patches shall overlap, so the kernel
is larger than the stride; and every inner place shall get equally many patches, so that no checkerboard shows. Choose the
kernel (the smallest that will do) and the padding. There is no output_padding.
"""

import minitorch
from minitorch.nn import functional as F
from minitorch.testing import expect

kernel = ...
padding = ...


def counts():
    """How many patches reach each place, when 7 places are doubled."""
    weight = minitorch.ones(1, 1, kernel)
    return F.conv_transpose1d(minitorch.ones(1, 1, 7), weight, stride=2, padding=padding)[0, 0].tolist()


expect(
    "7 places become 14",
    lambda: len(counts()),
    14,
    otherwise="(n - 1) × 2 + kernel - 2 × padding has to be 2 n: what does that say of kernel and padding?",
)
expect(
    "the patches overlap",
    lambda: max(counts()) > 1,
    True,
    otherwise="With a kernel as small as the stride the patches lie side by side.",
)
expect(
    "every inner place gets equally many",
    lambda: len(set(counts()[2:-2])),
    1,
    otherwise="The counts go up and down: the kernel is no multiple of the stride.",
)
expect("the smallest such kernel", kernel, 4, otherwise="It is larger than the stride, and a multiple of it.")
