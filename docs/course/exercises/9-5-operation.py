"""An operation for the real engine

The length of a hypotenuse: `hypotenuse(a, b) = √(a² + b²)`. The forward is there. Write the two rules. `xp` has NumPy's
functions, and `out` is the result: with it both rules are short.
"""

from minitorch import Value, float64, tensor
from minitorch.autograd import gradcheck, gradgradcheck
from minitorch.core.apply import apply
from minitorch.core.op import Elementwise
from minitorch.testing import expect


class Hypotenuse(Elementwise):
    """The length of the hypotenuse over a and b."""

    def forward(self, xp, a, b):
        return xp.sqrt(a * a + b * b)

    def d_a(self, xp, out, a, b):
        return ...

    def d_b(self, xp, out, a, b):
        return ...


def hypotenuse(a, b):
    return apply(Hypotenuse.shared, a, b)


def gradients():
    a, b = Value(3.0), Value(4.0)
    hypotenuse(a, b).backward()
    return [a.grad, b.grad]


def points():
    """For the two checks: float64, for differences as small as 0.000001."""
    return tuple(tensor(numbers, dtype=float64, requires_grad=True) for numbers in ([3.0, -1.0], [4.0, 0.5]))


expect(
    "both gradients at 3 and 4",
    gradients,
    [0.6, 0.8],
    mistakes=[
        ([0.1, 0.1], "The root is √u with the rule 1 / (2 √u). Then comes the rule of u = a² + b²: chain them."),
        ([6.0, 8.0], "That is the derivative of a² + b². The root is missing: 1 / (2 √u)."),
        ([0.8, 0.6], "The two are swapped."),
        ([1.2, 1.6], "The 2 of a² and the 2 below the line cancel each other."),
        ([15.0, 20.0], "Divide by `out`: it is the length itself."),
    ],
)
expect("against small differences", lambda: gradcheck(hypotenuse, points(), raise_exception=False), True)
expect("and the second derivative", lambda: gradgradcheck(hypotenuse, points(), raise_exception=False), True)
