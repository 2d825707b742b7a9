"""The slope of any function, by a nudge

Return how fast `f` changes at `x`, from two values of `f`: one a nudge `h` to the right of `x`, one a nudge to the left.
Both sides, so that the answer is good to eight digits.
"""

import math

from minitorch.testing import expect


def slope(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


def square(x):
    return x * x


expect(
    "the slope of x² at 3", lambda: slope(square, 3.0), 6.0, within=1e-8,
    mistakes=[
        (lambda got: abs(got - 12.0) < 1e-3, "The two places are 2h apart: divide by that."),
        (lambda got: abs(got - 3.0) < 1e-3, "You divided by 2h, but went a nudge to one side only."),
        (lambda got: abs(got) < 1e-3, "That is how much f changes. How fast is: divided by how far apart the places are."),
        (lambda got: abs(got + 6.0) < 1e-3, "The sign: right minus left."),
        (lambda got: 1e-8 < abs(got - 6.0) < 1e-3, "Close, but one-sided: nudge to the left, too."),
    ],
)  # fmt: skip
expect("the slope of the sine at 1", lambda: slope(math.sin, 1.0), math.cos(1.0), within=1e-8,
       otherwise="Right for the square and not here? Only f, x and h may stand in it.")
expect("the slope of a constant", lambda: slope(lambda x: 5.0, 2.0), 0.0)
