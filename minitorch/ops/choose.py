"""Choosing between numbers: limits, the larger, the finite, in between."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply, function
from ..core.op import Elementwise

__all__ = ["clamp", "clamp_max", "clamp_min", "clip", "copysign", "fmax", "fmin", "lerp", "nan_to_num"]


class Clamp(Elementwise):
    """x, but not below min nor above max; no gradient for what was cut off."""

    promotes = "common"

    def forward(self, xp, x, min, max):
        return xp.minimum(xp.maximum(x, min), max)

    def d_x(self, xp, out, x, min, max):
        return (x >= min) & (x <= max)

    def d_min(self, xp, out, x, min, max):
        return (x < min) & (min < max)

    def d_max(self, xp, out, x, min, max):
        return (x > max) | (max < min)


class ClampMin(Elementwise):
    """x, but not below min; no gradient for what was cut off."""

    promotes = "common"

    def forward(self, xp, x, min):
        return xp.maximum(x, min)

    def d_x(self, xp, out, x, min):
        return x >= min

    def d_min(self, xp, out, x, min):
        return x < min


class ClampMax(Elementwise):
    """x, but not above max; no gradient for what was cut off."""

    promotes = "common"

    def forward(self, xp, x, max):
        return xp.minimum(x, max)

    def d_x(self, xp, out, x, max):
        return x <= max

    def d_max(self, xp, out, x, max):
        return x > max


class Fmax(Elementwise):
    """The larger of a and b, the number where one of them is nan; the gradient of equal ones goes to a."""

    promotes = "common"

    def forward(self, xp, a, b):
        return xp.fmax(a, b)

    def d_a(self, xp, out, a, b):
        return (a >= b) | (b != b)

    def d_b(self, xp, out, a, b):
        return xp.logical_not((a >= b) | (b != b))


class Fmin(Elementwise):
    """The smaller of a and b, the number where one of them is nan; the gradient of equal ones goes to a."""

    promotes = "common"

    def forward(self, xp, a, b):
        return xp.fmin(a, b)

    def d_a(self, xp, out, a, b):
        return (a <= b) | (b != b)

    def d_b(self, xp, out, a, b):
        return xp.logical_not((a <= b) | (b != b))


class NanToNum(Elementwise):
    """x with numbers in place of nan and ±inf, which pass no gradient on."""

    promotes = "common"

    def __init__(self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> None:
        self.nan, self.posinf, self.neginf = nan, posinf, neginf

    def forward(self, xp, x):
        return xp.nan_to_num(x, nan=self.nan, posinf=self.posinf, neginf=self.neginf)

    def d_x(self, xp, out, x):
        return xp.isfinite(x)


class Copysign(Elementwise):
    """The size of a with the sign of b."""

    def forward(self, xp, a, b):
        return xp.copysign(a, b)

    def d_a(self, xp, out, a, b):
        return xp.where(a == 0, 0, xp.divide(out, xp.where(a == 0, 1, a)))

    def d_b(self, xp, out, a, b):
        return 0


class Lerp(Elementwise):
    """start + weight × (end - start): from start (weight 0) to end (weight 1) on a straight line."""

    promotes = "common"

    def forward(self, xp, start, end, weight):
        return start + weight * (end - start)

    def d_start(self, xp, out, start, end, weight):
        return 1 - weight

    def d_end(self, xp, out, start, end, weight):
        return weight

    def d_weight(self, xp, out, start, end, weight):
        return end - start


clamp_min = function(ClampMin)
clamp_max = function(ClampMax)
fmax = function(Fmax)
fmin = function(Fmin)
copysign = function(Copysign)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """`input` limited to the range from `min` to `max`, numbers or tensors; one of them may be left out."""
    if min is None and max is None:
        raise ValueError("clamp needs min, max or both")
    if min is None:
        return clamp_max(input, max)
    return clamp_min(input, min) if max is None else apply(Clamp.shared, input, min, max)


clip = clamp


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight × (end - input): from input (weight 0) to end (weight 1) on a straight line."""
    return apply(Lerp.shared, input, end, weight)


def nan_to_num(input: Any, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """`input` with `nan`, `posinf` and `neginf` in place of nan, inf and -inf (None: the dtype's greatest and least)."""
    return apply(NanToNum(nan or 0.0, posinf, neginf), input)
