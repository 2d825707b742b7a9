"""The affine map of a layer of neurons."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .shape import reshape, squeeze, unsqueeze


class Linear(Op):
    """x @ weight.T + bias: shapes (..., n_in), (n_out, n_in), (n_out,) give (..., n_out)."""

    def forward(self, xp, x, weight, bias):
        return xp.affine(x, weight, bias)

    def vjp_x(self, xp, grad, out, x, weight, bias):
        return xp.matmul(grad, weight)

    def vjp_weight(self, xp, grad, out, x, weight, bias):
        return xp.matmul(xp.swapaxes(rows(xp, grad), 0, 1), rows(xp, x))

    def vjp_bias(self, xp, grad, out, x, weight, bias):
        return grad


class LinearNoBias(Op):
    """x @ weight.T: shapes (..., n_in), (n_out, n_in) give (..., n_out)."""

    def forward(self, xp, x, weight):
        return xp.affine(x, weight, None)

    def vjp_x(self, xp, grad, out, x, weight):
        return xp.matmul(grad, weight)

    def vjp_weight(self, xp, grad, out, x, weight):
        return xp.matmul(xp.swapaxes(rows(xp, grad), 0, 1), rows(xp, x))


def rows(xp: Any, x: Any) -> Any:
    """`x` with all axes but the last as one: one matrix product instead of a batch of them to add up."""
    return x if len(xp.shape(x)) == 2 else xp.reshape(x, (-1, xp.shape(x)[-1]))


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input @ weight.T + bias. Shapes (..., n_in), (n_out, n_in), (n_out,); gives (..., n_out).

    A weight of shape (n_in,) is one row whose axis is dropped: gives (...,), with a bias of one number.
    """
    if weight.ndim == 1:
        return squeeze(linear(input, unsqueeze(weight, 0), bias), -1)
    if weight.ndim != 2 or input.ndim == 0 or input.shape[-1] != weight.shape[-1]:
        raise ValueError(
            f"linear needs as many features as its weight has columns: input of shape {input.shape}, weight of {weight.shape}"
        )
    return apply(LinearNoBias.shared, input, weight) if bias is None else apply(Linear.shared, input, weight, bias)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """For each output o, input1ᵀ @ weight[o] @ input2 + bias[o]. Shapes (..., n_1), (..., n_2), (n_out, n_1, n_2), (n_out,);
    gives (..., n_out)."""
    sizes = input1.shape[-1:] + input2.shape[-1:]
    if weight.ndim != 3 or weight.shape[1:] != sizes or input1.shape[:-1] != input2.shape[:-1]:
        raise ValueError(
            f"bilinear needs inputs (..., n_1) and (..., n_2) and a weight (n_out, n_1, n_2); shapes are "
            f"{tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(weight.shape)}"
        )
    pairs = unsqueeze(input1, -1) * unsqueeze(input2, -2)  # each number of one with each of the other
    columns = sizes[0] * sizes[1]
    return linear(reshape(pairs, (*input1.shape[:-1], columns)), reshape(weight, (weight.shape[0], columns)), bias)
