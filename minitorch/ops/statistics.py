"""Quantiles, covariances, distances and areas, composed of simpler operations."""

from __future__ import annotations

from typing import Any

from ..backend.gpus import at_home, beside
from ..core import node
from ..core.apply import backend_among
from .axes import one_axis, pick_axis
from .choose import clamp, lerp
from .compare import answer
from .elementwise import add, div, mul, sub, where
from .index import getitem
from .join import cat, meshgrid, stack
from .linalg import matmul
from .norms import vector_norm
from .order import sort
from .reduce import any, mean, sum
from .shape import flatten, movedim, mT, reshape, squeeze, to, unsqueeze

__all__ = ["block_diag", "cartesian_prod", "cdist", "corrcoef", "cov", "quantile", "trapezoid", "trapz"]


@at_home
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear", axis: int | None = None
) -> Any:
    """The numbers below which the shares `q` (between 0 and 1) of the elements along `dim` lie (None: of all elements).

    Between two elements by `interpolation`: "linear", "lower", "higher", "midpoint" or "nearest". nan where an element is.
    A vector of shares adds a first axis to the result.
    """
    dim = pick_axis(dim, axis)
    x = flatten(input) if dim is None or input.ndim == 0 else movedim(input, dim, -1)
    xp = backend_among([x.raw])
    shares: Any = q if hasattr(q, "raw") else node.TENSOR(xp.asarray(q, dtype=x.dtype))  # type: ignore[call-arg]
    if not bool(((shares.raw >= 0) & (shares.raw <= 1)).all().item()):
        raise ValueError("quantile needs shares between 0 and 1")
    places = mul(flatten(shares), x.shape[-1] - 1)
    below, above = xp.floor(places.raw), xp.ceil(places.raw)
    if interpolation in ("lower", "higher"):
        below = above = below if interpolation == "lower" else above
    elif interpolation == "nearest":
        below = above = xp.round(places.raw)
    elif interpolation not in ("linear", "midpoint"):
        raise ValueError(f"interpolation is 'linear', 'lower', 'higher', 'midpoint' or 'nearest', not {interpolation!r}")
    part = sub(places, node.TENSOR(below)) if interpolation == "linear" else 0.5  # type: ignore[call-arg]
    ordered = sort(x, -1).values
    first, second = (getitem(ordered, (..., at.astype("int64"))) for at in (below, above))
    out = where(any(answer("isnan", x), -1, True), float("nan"), lerp(first, second, part))
    out = movedim(out, -1, 0)
    if keepdim and input.ndim:
        kept = (1,) * input.ndim if dim is None else (*out.shape[1:], 1)
        out = movedim(reshape(out, (out.shape[0], *kept)), -1, 1 + one_axis(dim or 0, input.ndim))
    return out if shares.ndim else getitem(out, 0)


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of variables, a row each, over observations, a column each: shape (n, m) gives (n, n).

    `fweights` says how often each observation counts, `aweights` how much.
    """
    x = reshape(input, (1, -1)) if input.ndim < 2 else input
    weights = fweights if aweights is None else aweights if fweights is None else mul(fweights, aweights)
    if weights is None:
        total, average = x.shape[1], mean(x, 1, True)
        below: Any = max(total - correction, 0)
    else:
        weights = weights if weights.dtype.kind == "f" else to(weights, x.dtype)
        total = sum(weights)
        average = div(sum(mul(x, weights), 1, True), total)
        used = sum(mul(weights, aweights)) if aweights is not None else total
        below = clamp(sub(total, mul(correction, div(used, total) if aweights is not None else 1)), min=0)
    centred = sub(x, average)
    product = matmul(centred if weights is None else mul(centred, weights), mT(centred))
    out = div(product, below)
    return squeeze(out)


def corrcoef(input: Any) -> Any:
    """The correlations of variables, a row each, over observations, a column each: between -1 and 1."""
    covariance = cov(input)
    if covariance.ndim < 2:
        return div(covariance, covariance)
    spread = getitem(covariance, (range_like(covariance), range_like(covariance))) ** 0.5
    return clamp(div(div(covariance, unsqueeze(spread, 1)), spread), -1, 1)


@at_home
def range_like(x: Any) -> Any:
    """0, 1, 2, ... for the rows of `x`, on its device."""
    return backend_among([x.raw]).arange(x.shape[0])


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """The distances of all rows of x1 from all rows of x2: shapes (..., n, k), (..., m, k) give (..., n, m)."""
    return vector_norm(sub(unsqueeze(x1, -2), unsqueeze(x2, -3)), p, -1)


def trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """The area under the points `y` along `dim`, joined by straight lines, at the places `x`, or `dx` apart."""
    y = movedim(y, dim, -1)
    pairs = add(getitem(y, (..., slice(1, None))), getitem(y, (..., slice(None, -1))))
    if x is None:
        return mul(sum(pairs, -1), dx / 2 if isinstance(dx, (int, float)) else div(dx, 2))
    x = movedim(x, dim, -1) if x.ndim == y.ndim else x
    steps = sub(getitem(x, (..., slice(1, None))), getitem(x, (..., slice(None, -1))))
    return div(sum(mul(pairs, steps), -1), 2)


trapz = trapezoid


def block_diag(*tensors: Any) -> Any:
    """The matrices along the diagonal of one large matrix, zeros elsewhere; a vector is a row."""
    blocks = [reshape(x, (1, -1)) if x.ndim < 2 else x for x in tensors]
    width, start, rows = 0, 0, []
    for block in blocks:
        width += block.shape[1]
    for block in blocks:
        xp = backend_among([block.raw])
        with beside(block.raw):
            sides = [xp.zeros((block.shape[0], n), block.dtype) for n in (start, width - start - block.shape[1])]
        left, right = (node.TENSOR(side) for side in sides)  # type: ignore[call-arg]
        rows.append(cat([left, block, right], 1))
        start += block.shape[1]
    return cat(rows, 0)


def cartesian_prod(*tensors: Any) -> Any:
    """Every combination of an element of each vector, a row each; of a single vector, itself."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(x) for x in meshgrid(*tensors)], 1)
