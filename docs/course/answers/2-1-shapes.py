"""Say the shape before Python does

Write each shape as a tuple, `(4, 1)` or `(3,)`, or "error" where the shapes do not fit.
"""

from minitorch.testing import expect

# x has the shape (4, 3), W (3, 2), b (2,), v (4,), c (4, 1)

x_times_W = (4, 2)  # x @ W
plus_b = (4, 2)  # x @ W + b
plus_v = "error"  # x @ W + v
plus_c = (4, 2)  # x @ W + c
row_sums = (4,)  # x.sum(1)
c_minus_v = (4, 4)  # c - v
gradient_of_b = (2,)  # of (x @ W + b).sum()

expect("x @ W", x_times_W, (4, 2), mistakes=[((3, 3), "The inner numbers, 3 and 3, vanish. The outer ones stay.")])
expect("x @ W + b", plus_b, (4, 2), mistakes=[("error", "From the right: 2 and 2 agree, the missing axis is stretched.")])
expect("x @ W + v", plus_v, "error", mistakes=[((4, 2), "From the right: 2 and 4. Neither is 1, so nothing can be stretched.")])
expect("x @ W + c", plus_c, (4, 2), mistakes=[("error", "From the right: 2 and 1. The 1 is stretched.")])
expect("x.sum(1)", row_sums, (4,), mistakes=[((3,), "The axis that is summed over is gone: axis 1, the 3."),
                                              ((4, 1), "The axis is gone, unless keepdim=True asks for it.")])
expect("c - v", c_minus_v, (4, 4), mistakes=[
    ((4,), "If only. (4, 1) and (4,): the 1 is stretched to 4, the missing axis to 4."),
    ((4, 1), "If only. (4, 1) and (4,): the 1 is stretched to 4, the missing axis to 4."),
    ("error", "If only! It fits, and it is nearly always a mistake."),
])  # fmt: skip
expect("the gradient of b", gradient_of_b, (2,), mistakes=[((4, 2), "A gradient has the shape of what it is the gradient of.")])
