"""Why the slope of cross-entropy is p - y

One example, truth 1: p = sigmoid(z), L = -log(p), at z = 0.5. Walk back by hand, one box after the other. Formulas in
Python are fine: `1 / p`.
"""

import math

from minitorch.testing import expect

z = 0.5
p = 1 / (1 + math.exp(-z))

dL_dp = ...  # of -log(p)
dp_dz = ...  # of the sigmoid, from what came out: p
dL_dz = ...  # the two together

# And with truth 0, where the loss is -log(1 - p)?
dL_dz_if_0 = ...

expect("∂L/∂p", dL_dp, -1 / p, mistakes=[
    (1 / p, "The minus of -log(p)."), (-1 / z, "Taken at what goes into the logarithm: p, not z."),
    (-math.log(p), "That is the loss itself."),
])  # fmt: skip
expect("∂p/∂z", dp_dz, p * (1 - p), mistakes=[
    (1 - p * p, "That is the rule of tanh."), (z * (1 - z), "This rule is written with what came out, p."),
    (p, "That is p itself."),
])  # fmt: skip
expect("∂L/∂z", dL_dz, p - 1, mistakes=[
    (1 - p, "The sign: a higher score makes the loss smaller."), (-1 / p + p * (1 - p), "Along a chain rates multiply."),
])  # fmt: skip
expect("∂L/∂z with truth 0", dL_dz_if_0, p, mistakes=[
    (-p, "The sign: now a higher score makes the loss larger."), (p - 1, "That was for truth 1."),
    (1 / (1 - p), "That is ∂L/∂p. And now through the sigmoid."),
])  # fmt: skip
