"""Back to the shape of the input

`a + b` with shapes (3, 4) and (4,): the row b was used three times, once for each row of a. The gradient that comes back has
the shape (3, 4); b can only take (4,). Write `reduce_to`, once for all operations and all shapes.
(NumPy compares shapes from the last axis backwards. Missing axes in front, and axes of length 1, were stretched.)
"""

import numpy as np

from minitorch.testing import expect


def reduce_to(grad, shape):
    """Sum `grad` over the axes along which something of `shape` was stretched; returns an array of `shape`."""
    return ...


grad = np.arange(12.0).reshape(3, 4)
expect("nothing was stretched", lambda: reduce_to(grad, (3, 4)), grad)
expect(
    "a row, (4,)",
    lambda: reduce_to(grad, (4,)),
    np.array([12.0, 15.0, 18.0, 21.0]),
    mistakes=[
        (np.array([4.0, 5.0, 6.0, 7.0]), "That is the mean. Three uses, three effects: they add up."),
        (np.array([8.0, 9.0, 10.0, 11.0]), "That is the last use alone."),
        (np.array([0.0, 1.0, 2.0, 3.0]), "That is the first use alone."),
    ],
)
expect(
    "a column, (3, 1)",
    lambda: reduce_to(grad, (3, 1)),
    np.array([[6.0], [22.0], [38.0]]),
    mistakes=[(np.array([6.0, 22.0, 38.0]), "The numbers are right; the axis of length 1 has to stay: keepdims=True.")],
)
expect("a single number, ()", lambda: reduce_to(grad, ()), np.array(66.0))
expect("(2, 1, 4) from (2, 3, 4)", lambda: reduce_to(np.ones((2, 3, 4)), (2, 1, 4)), 3 * np.ones((2, 1, 4)))
expect("(3, 1) from (2, 3, 4)", lambda: reduce_to(np.ones((2, 3, 4)), (3, 1)), 8 * np.ones((3, 1)))
