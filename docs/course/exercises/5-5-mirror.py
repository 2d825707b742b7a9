"""Mirror five points of a face

The picture is 100 pixels wide: columns 0 to 99. The points are, in this order: left eye, right eye, nose, left corner of the
mouth, right corner of the mouth. ("Left" is what is left in the picture.) Mirror them: x becomes 99 - x, and what was left is
right.
"""

import numpy as np

from minitorch.testing import expect

points = np.array([[30.0, 40.0], [60.0, 42.0], [45.0, 55.0], [35.0, 70.0], [55.0, 71.0]])


def mirrored(points):
    """The points of the mirrored picture, in the same order of names."""
    return ...


right = np.array([[39.0, 42.0], [69.0, 40.0], [54.0, 55.0], [44.0, 71.0], [64.0, 70.0]])
expect(
    "the mirrored points", lambda: mirrored(points), right,
    mistakes=[
        (points * [-1, 1] + [99, 0], "They lie where they should, but have the wrong names: who is the left eye now?"),
        (lambda got: np.allclose(got, right + [1, 0]), "Off by one: the last column is 99, not 100."),
        (lambda got: np.allclose(got, points[[1, 0, 2, 4, 3]]), "They are renamed, but have not moved."),
    ],
)  # fmt: skip
expect("mirrored twice", lambda: mirrored(mirrored(points)), points, otherwise="Twice should give what there was before.")
expect("the left eye is left of the right one", lambda: bool(mirrored(points)[0, 0] < mirrored(points)[1, 0]), True)
