"""The table's entries for shapes, joining, splitting and indexing, beyond the first ones in `optable.py`."""

from __future__ import annotations

from .opentry import call, given, op, t

# Shapes

op("reshape", call(t(3, 4), shape=(2, 6)), numpy=None)
op("ravel", call(t(2, 3)), call(t()), call(t(0)))
op("unflatten", call(t(6, 2), 0, (2, 3)), call(t(2, 6), -1, (3, -1)), numpy=None)
op("squeeze", call(t(1, 3, 1, 1), (0, 2)), call(t(1, 3), (1, 0)), numpy=None)
op("movedim", call(t(2, 3, 4), 0, -1), call(t(2, 3, 4), (0, 1), (1, 2)), call(t(2, 3), -1, 0), numpy=None)
op("t", call(t(2, 3)), call(t(3)), call(t()), numpy=None)
op("flip", call(t(3, 4), (0,)), call(t(3, 4), (0, -1)), call(t(3), dims=(0,)), numpy=None)
op("fliplr", call(t(3, 4)))
op("flipud", call(t(3, 4)))
op("roll", call(t(3, 4), 1), call(t(3, 4), 2, 1), call(t(3, 4), (1, -2), (0, 1)), call(t(5), -1, 0), numpy=None)
op("rot90", *(call(t(2, 3), k) for k in range(-1, 5)), call(t(2, 3, 4), 1, (1, 2)), call(t(2, 3, 4), 3, (-1, 0)), numpy=None)
for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    op(name, call(t()), call(t(3)), call(t(2, 3)), call(t(2, 3, 4)), call(t(), t(2), t(2, 3)), numpy=None)
op("broadcast_tensors", call(t(3, 1), t(4), t()), call(t(2, 3), t(2, 3)), numpy=None)
op("broadcast_to", call(t(3, 1), size=(3, 4)), call(t(3, 1), (2, -1, 4)), numpy=None, torch=lambda torch: lambda x, size: x.expand(size))

# Joining and splitting

op("cat", call([t(0), t(2, 3)]), numpy=None, torch=None, method=False)  # PyTorch gives the empty one an empty gradient
op("cat", call([t(2), t(3, of="int")]), call([t(2, 3), t(2, 3)], axis=1), numpy=None, method=False)
op("stack", call([t(2, 3), t(2, 3, of="int")], axis=1), numpy=None, method=False)
for name in ("hstack", "vstack", "dstack", "column_stack"):
    op(name, call([t(3), t(3)]), call([t(2, 3), t(2, 3)]), call([t(), t()]), call([t(2, 2, 3), t(2, 2, 3)]), method=False)
op("column_stack", call([t(3), t(3, 2)]), method=False)
op("split", call(t(5, 2), 2), call(t(2, 6), [1, 2, 3], 1), call(t(4), 4), call(t(3), 5), call(t(0), 2), numpy=None)
op("chunk", call(t(5, 2), 2), call(t(2, 7), 3, 1), call(t(2), 4), numpy=None)
op("tensor_split", call(t(7), 3), call(t(2, 5), (1, 3), 1), call(t(3), 5), call(t(4, 2), (2, 9)), numpy=None)
op("hsplit", call(t(2, 4), 2), call(t(4), (1, 3)), numpy=None)
op("vsplit", call(t(4, 2), 2), numpy=None)
op("dsplit", call(t(2, 3, 4), 2), numpy=None)
op("unbind", call(t(3, 2)), call(t(2, 3), 1), call(t(3)), numpy=None)
op("narrow", call(t(4, 3), 0, 1, 2), call(t(4, 3), -1, -2, 1), numpy=None)
op("select", call(t(4, 3), 0, 1), call(t(4, 3), -1, -1), numpy=None)
op("tile", call(t(2, 3), (2, 1)), call(t(2, 3), (2,)), call(t(3), (2, 2)), call(t(), (2,)), call(t(2), (0,)))
op(
    "repeat_interleave",
    call(t(3), 2), call(t(2, 3), 2, 1), call(t(2, 3), 2), call(t(2, 3), given([0, 3]), 0), call(t(), 3), numpy=None,
)  # fmt: skip
op("meshgrid", call(t(2), t(3), indexing="ij"), call(t(2), t(3), t(4), indexing="xy"), call(t(2), t(), indexing="ij"), numpy=None)

# Diagonals and triangles

for name in ("tril", "triu"):
    op(name, call(t(3, 4)), call(t(4, 3), 1), call(t(2, 3, 3), -1))
op("diag", call(t(3, 4)), call(t(3)), call(t(3), -1), call(t(4, 3), 1))
op("diagonal", call(t(3, 4)), call(t(2, 3, 4), 1, 1, 2), call(t(2, 3, 4), -1, dim1=-1, dim2=0), numpy=None)
op("diag_embed", call(t(3)), call(t(2, 3), 1), call(t(2, 3), -1, 0, 2), numpy=None)
op("diagflat", call(t(2, 2)), call(t(3), 1), numpy=None)
op("trace", call(t(3, 3)), call(t(3, 4)))

# Indexing

_ROWS = t(3, of="int", high=4)
_BACK = given([3, 0, 0])
op("index_select", call(t(4, 3), 0, _ROWS), call(t(2, 4), 1, _BACK), call(t(), 0, given([0])), numpy=None)
op("index_add", call(t(4, 3), 0, _BACK, t(3, 3)), call(t(2, 4), 1, _BACK, t(2, 3), alpha=0.5), numpy=None)
op("index_copy", call(t(4, 3), 0, given([3, 0]), t(2, 3)), call(t(2, 4), -1, given([2]), t(2, 1)), numpy=None)
op("index_fill", call(t(4, 3), 0, _BACK, 2.0), call(t(2, 4), 1, _BACK, t()), numpy=None)
op(
    "index_put",
    call(t(4, 3), (given([3, 0]),), t(2, 3)), call(t(4, 3), (_BACK, given([1, 2, 2])), t(3), accumulate=True),
    call(t(4, 3), (given([3, 0]), given([1, 2])), t()), numpy=None,
)  # fmt: skip
op("take", call(t(3, 4), given([0, 5, 5])), call(t(3), given([[0, 1], [2, -1]])), numpy=None)
op("masked_fill", call(t(3, 4), t(3, 4, of="bool"), 2.0), call(t(3, 4), t(4, of="bool"), t()), numpy=None)
op("masked_select", call(t(3, 4), t(3, 4, of="bool")), call(t(3, 4), t(4, of="bool")), call(t(4), t(3, 4, of="bool")), numpy=None)
op("masked_scatter", call(t(3, 4), t(3, 4, of="bool"), t(12)), call(t(3, 4), t(4, of="bool"), t(3, 5)), numpy=None)
op("gather", call(t(3, 4), 0, t(2, 4, of="int", high=3)), call(t(3, 4), 1, t(2, 5, of="int", high=4)), call(t(), 0, given(0)), numpy=None)
op(
    "scatter",
    call(t(3, 4), 0, given([[0, 1, 2, 0], [1, 2, 0, 1]]), t(2, 4)), call(t(3, 4), 1, given([[1], [0]]), 2.0),
    call(t(), 0, given(0), t()), numpy=None,
)  # fmt: skip
op("scatter", call(t(3, 4), 0, given([[0, 1, 2, 0]]), t(3, 4), reduce="add"), numpy=None, torch=None)  # no derivative there
op(
    "scatter_add",
    call(t(3, 4), 0, t(5, 4, of="int", high=3), t(5, 4)), call(t(3, 4), 1, given([[1, 1]]), t(1, 2)), call(t(), 0, given(0), t()),
    numpy=None,
)  # fmt: skip
op("scatter_add", call(t(3, 4), 1, given([[1, 1]]), t(2, 3)), numpy=None, torch=None)  # PyTorch's gradient has a wrong shape
op(
    "take_along_dim",
    call(t(3, 4), t(1, 4, of="int", high=3), 0), call(t(3, 4), t(3, 2, of="int", high=4), dim=1), call(t(3, 4), given([1, 5])),
    numpy=None,
)  # fmt: skip
op("nonzero", call(given([[1, 0], [2, 3]])), call(given([0.0, 1.0])), call(given(3)), numpy=None, differentiable=False)
op("nonzero", call(given([[1, 0], [2, 3]]), as_tuple=True), numpy=None, differentiable=False)
op("argwhere", call(given([[1, 0], [2, 3]])), differentiable=False)
