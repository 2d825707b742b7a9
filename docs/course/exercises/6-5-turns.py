"""Whose turn is it?

The smallest GAN: the generator draws 0.5 × a, the judge's score is that times u. First the generator had its turn. Now it is
the judge's. Two things have to be done so that the judge's gradient is its own, and the generator's stays as it is.
Fill in both places.
"""

from minitorch import Value
from minitorch.nn.functional import softplus
from minitorch.testing import expect


def two_turns():
    """(the gradient of a, the gradient of u), after the judge's turn."""
    a, u = Value(1.0), Value(2.0)
    drawn = 0.5 * a
    softplus(-drawn * u).backward()  # the generator's turn
    # 1. Something is left over from it. Do away with it here.

    # 2. The judge's turn. Which number does the judge look at?
    softplus(... * u).backward()
    return a.grad, u.grad


expect(
    "the gradient of u",
    lambda: two_turns()[1],
    0.36552928931500245,
    mistakes=[
        (0.2310585786300049, "The generator's turn is still in it: -0.1345 was there before. Set u.grad to None first."),
        (0.8807970779778824, "The judge looks at what was drawn, 0.5 × a, not at a."),
    ],
)
expect(
    "the gradient of a",
    lambda: two_turns()[0],
    -0.2689414213699951,
    mistakes=[
        (0.46211715726000985, "The judge's pass went on into the generator: detach() what was drawn."),
        (0.7310585786300049, "The generator's gradient was thrown away, and the judge's pass went on into it."),
    ],
    otherwise="The judge's turn should leave it alone: as the generator's turn made it.",
)
