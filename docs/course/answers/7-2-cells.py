"""Which cell is responsible?

A picture is laid out in cells of `stride` × `stride` pixels. Given a box (left, top, right, bottom), say which cell answers for
it, as (row, column), and where in that cell the middle lies, as (x, y) from 0 to 1.
"""

from minitorch.testing import expect


def responsible(box, stride):
    left, top, right, bottom = box
    across, down = (left + right) / 2 / stride, (top + bottom) / 2 / stride
    row, column = int(down), int(across)
    x, y = across - column, down - row
    return (row, column), (x, y)


box = (10.0, 28.0, 22.0, 40.0)  # its middle: 16 to the right, 34 down
expect(
    "the cell",
    lambda: list(responsible(box, 8)[0]),
    [4, 2],
    mistakes=[
        ([2, 4], "A box says x first, an array says row first: row 4 is y, column 2 is x."),
        ([3, 1], "That is the cell of the left upper corner: the middle counts."),
        ([4.25, 2.0], "A cell has whole numbers: the whole part of the quotient, `//`."),
        ([34, 16], "Those are pixels: a cell has `stride` of them."),
    ],
)
expect(
    "where in the cell",
    lambda: list(responsible(box, 8)[1]),
    [0.0, 0.25],
    mistakes=[
        ([0.25, 0.0], "x first, then y: the two are swapped."),
        ([0.0, 2.0], "From 0 to 1: in cells, not in pixels."),
        ([2.0, 4.25], "Counted from the cell's own corner, not from the picture's."),
    ],
)
expect("with larger cells", lambda: list(responsible(box, 32)[0]), [1, 0])
