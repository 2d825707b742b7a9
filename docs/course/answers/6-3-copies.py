"""The gradient of copies

`nearest` has made a picture `factor` times as high and as wide: every pixel was copied into a square of factor × factor.
Now `grad` comes back, one number for every copy. What does each pixel of the small picture receive?
(Hint: `grad.reshape(rows, factor, columns, factor)` puts the copies of a pixel on axes of their own.)
"""

import numpy as np

from minitorch.testing import expect


def back(grad, factor):
    """grad: shape (rows × factor, columns × factor); returns shape (rows, columns)."""
    rows, columns = grad.shape[0] // factor, grad.shape[1] // factor
    return grad.reshape(rows, factor, columns, factor).sum((1, 3))


grad = np.arange(16.0).reshape(4, 4)
expect(
    "a factor of 2",
    lambda: back(grad, 2),
    np.array([[10.0, 18.0], [42.0, 50.0]]),
    mistakes=[
        (np.array([[2.5, 4.5], [10.5, 12.5]]), "That is the mean. All four copies move with the pixel: their effects add up."),
        (np.array([[0.0, 2.0], [8.0, 10.0]]), "That is the first copy's gradient alone."),
        (np.array([[6.0, 22.0], [38.0, 54.0]]), "Those are runs of four in a row; the copies of a pixel are a square."),
        (lambda got: np.shape(got) != (2, 2), "The small picture has 2 rows and 2 columns."),
    ],
)
expect("a factor of 4: one pixel", lambda: back(grad, 4), np.array([[120.0]]))
expect("a factor of 1: nothing was copied", lambda: back(grad, 1), grad)
