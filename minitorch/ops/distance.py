"""How far apart, and how alike in direction, vectors are; and the losses that bring pairs together or apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.apply import apply
from .choose import clamp_min
from .elementwise import minimum, sqrt, where
from .loss import Floor, reduced
from .norms import vector_norm
from .reduce import sum
from .shape import broadcast_tensors


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """`input` over its length (sum of |x|**p) ** (1/p) along `dim`, but not over less than eps. Shape as the input."""
    return input / clamp_min(vector_norm(input, p, dim, True), eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between the vectors along `dim`, from -1 to 1; lengths count as no less than eps."""
    x1, x2 = broadcast_tensors(x1, x2)
    units = [x / apply(Floor(eps), vector_norm(x, 2, dim, True)) for x in (x1, x2)]
    return sum(units[0] * units[1], dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The length (sum of |x|**p) ** (1/p) of x1 - x2 + eps along the last axis."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The distances between all pairs of rows: input (n, size), result (n (n - 1) / 2,), row 0 with 1, 2, ... first."""
    if input.ndim != 2:
        raise ValueError(f"pdist needs rows of shape (n, size), not {tuple(input.shape)}")
    n = input.shape[0]
    first, second = [i for i in range(n) for _ in range(i + 1, n)], [j for i in range(n) for j in range(i + 1, n)]
    return vector_norm(input[first] - input[second], p, -1)


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """1 - the cosine between the vectors along the last axis where the target is 1, max(0, cosine - margin) where it is -1.
    Shapes: inputs (n, size) and target (n,), or (size,) and ()."""
    squares = sum(input1 * input1, -1) + 1e-12, sum(input2 * input2, -1) + 1e-12
    cosine = sum(input1 * input2, -1) / sqrt(squares[0] * squares[1])
    apart = where(target == -1, clamp_min(cosine - margin, 0), 0.0)
    return reduced(where(target == 1, 1 - cosine, 0.0) + apart, reduction)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2, eps: float = 1e-6, swap: bool = False,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, margin + the distance to the positive - the distance to the negative), along the last axis. `swap` takes the
    negative's distance to the positive where that is smaller."""

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`triplet_margin_loss` with a distance of your own."""
    return _triplet(anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


def _triplet(
    anchor: Any, positive: Any, negative: Any, distance: Callable[[Any, Any], Any], margin: float, swap: bool, reduction: str
) -> Any:
    if margin <= 0:
        raise ValueError(f"a triplet loss needs a margin above 0, not {margin}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp_min(margin + near - far, 0), reduction)
