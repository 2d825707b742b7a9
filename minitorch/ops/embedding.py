"""Embedding: a row of a table for each number."""

from __future__ import annotations

import math
from typing import Any

from ..backend import backend_of
from ..backend.gpus import beside
from ..core.apply import apply
from ..core.op import Op


class Embedding(Op):
    """weight[index]: the table's row for each number. A row's gradient is the sum over the places where it was read;
    the row `padding` receives none."""

    def __init__(self, padding: int | None = None) -> None:
        self.padding = padding

    def forward(self, xp, weight, index):
        return weight[index]

    def vjp_weight(self, xp, grad, out, weight, index):
        if self.padding is not None:
            grad = grad * xp.expand_dims(index != self.padding, -1)
        return xp.into(grad, index, xp.shape(weight))


class SharedGradient(Op):
    """weight[index], with each row's gradient divided by how often the row is read: `scale_grad_by_freq`."""

    name = "embedding_by_frequency"

    def __init__(self, padding: int | None = None) -> None:
        self.padding = padding

    def forward(self, xp, weight, index):
        return weight[index]

    def vjp_weight(self, xp, grad, out, weight, index):
        if self.padding is not None:
            grad = grad * xp.expand_dims(index != self.padding, -1)
        return xp.into(grad / xp.expand_dims(xp.how_often(index), -1), index, xp.shape(weight))


def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    """The rows of `weight` (rows, size) that `input`, any shape of whole numbers, names; gives (*input.shape, size).

    The row `padding_idx` receives no gradient. `max_norm` first shortens the rows read that are longer, in place.
    `scale_grad_by_freq` divides a row's gradient by how often it was read. (`sparse` has no effect: gradients are dense.)
    """
    if input.dtype.kind not in "iu":
        raise TypeError(f"embedding needs whole numbers to look up, not {input.dtype}")
    rows = weight.shape[0]
    if weight.ndim != 2:
        raise ValueError(f"embedding needs a table of shape (rows, size), not {tuple(weight.shape)}")
    index = input.raw
    later = getattr(backend_of(index), "refuse_outside", None)

    def wrong() -> IndexError:
        return IndexError(f"embedding: {input} names a row outside the table's 0 to {rows - 1}")

    if later is not None:
        with beside(index):
            later(index, rows, wrong)
    elif index.size and not ((index >= 0) & (index < rows)).all().item():
        raise wrong()
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ValueError(f"embedding: padding_idx {padding_idx} is no row of a table of {rows}")
        padding_idx %= rows
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    kind = SharedGradient if scale_grad_by_freq else Embedding
    return apply(kind(padding_idx), weight, input)


def _shorten(weight: Any, index: Any, longest: float, p: float) -> None:
    """Scale the rows that are read, and longer than `longest`, down to it, in place and outside the graph."""
    table = weight.raw
    size = abs(table).max(1) if p == math.inf else (abs(table) ** p).sum(1) ** (1 / p)
    read = (size * 0).astype(bool)
    read[index] = True
    factor = (longest / (size + 1e-7)).astype(table.dtype)
    factor[~(read & (size > longest))] = 1
    table *= factor[:, None]
    weight.touch()
