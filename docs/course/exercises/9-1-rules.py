"""Division for the small engine

The engine of module 9, a little shorter. Write the two rules of `Div`, a / b, and the one of `Exp`. A rule gets the result and
all inputs and returns the local derivative: how much the result moves when this input moves a little.
"""

import math

from minitorch.testing import expect


class Div:
    def forward(a, b):
        return a / b

    def d_a(out, a, b):
        return ...

    def d_b(out, a, b):
        return ...


class Exp:
    def forward(x):
        return math.exp(x)

    def d_x(out, x):
        return ...


a, b = 3.0, 4.0
out = Div.forward(a, b)
expect("∂(a / b)/∂a", lambda: Div.d_a(out, a, b), 0.25, mistakes=[(4.0, "a / b is a times 1 / b.")])
expect(
    "∂(a / b)/∂b",
    lambda: Div.d_b(out, a, b),
    -0.1875,
    mistakes=[
        (0.1875, "A larger b makes the quotient smaller: the sign."),
        (-0.75, "-out / b: one more division."),
        (-0.0625, "That is the derivative of 1 / b; there is an a above the line."),
        (0.25, "That is the rule of the other input."),
    ],
)
expect(
    "∂exp(x)/∂x",
    lambda: Exp.d_x(Exp.forward(2.0), 2.0),
    math.exp(2.0),
    mistakes=[(2 * math.exp(1.0), "x · exp(x - 1) is the rule of a power. Here x is the exponent.")],
    otherwise="The exponential function is its own derivative: what is that in terms of `out`?",
)
