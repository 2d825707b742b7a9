"""Bridges between the right floors

A U-Net without any weights: going down it pools, going up it copies, and at each floor it puts beside its picture the one
that was there on the way down. Say which of `seen` are handed across, and in which order.
"""

import minitorch
from minitorch.nn import functional as F
from minitorch.testing import expect


def u_net(x):
    seen = []
    for level in range(3):
        if level:
            x = F.max_pool2d(x, 2)
        seen.append(x)
    for across in seen[-2::-1]:
        x = F.interpolate(x, scale_factor=2)
        x = minitorch.cat([across, x], 1)
    return x


picture = minitorch.arange(64.0).reshape(1, 1, 8, 8)
advice = "On the way up the sizes are 4, then 8: which of `seen` have these sizes? The lowest is x itself."
expect("the size at the top", lambda: tuple(u_net(picture).shape), (1, 3, 8, 8), otherwise=advice)
expect("channel 0 came over the upper bridge", lambda: u_net(picture)[0, 0], picture[0, 0], otherwise=advice)
expect("channel 2 came from the bottom", lambda: u_net(picture)[0, 2, 0].tolist(), [27.0] * 4 + [31.0] * 4, otherwise=advice)
