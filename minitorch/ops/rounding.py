"""Whole numbers and what is left over."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply, function
from ..core.op import Elementwise

__all__ = ["ceil", "fix", "floor", "fmod", "frac", "remainder", "round", "trunc"]


class Floor(Elementwise):
    """The next whole number downwards; flat wherever it has a derivative."""

    promotes = "common"

    def forward(self, xp, x):
        return xp.floor(x)

    def d_x(self, xp, out, x):
        return 0


class Ceil(Elementwise):
    """The next whole number upwards; flat wherever it has a derivative."""

    promotes = "common"

    def forward(self, xp, x):
        return xp.ceil(x)

    def d_x(self, xp, out, x):
        return 0


class Trunc(Elementwise):
    """The next whole number towards 0; flat wherever it has a derivative."""

    promotes = "common"

    def forward(self, xp, x):
        return xp.trunc(x)

    def d_x(self, xp, out, x):
        return 0


class Round(Elementwise):
    """The nearest multiple of 10**-decimals, halves to the even one; flat wherever it has a derivative."""

    promotes = "common"

    def __init__(self, decimals: int = 0) -> None:
        self.decimals = decimals

    def forward(self, xp, x):
        return xp.round(x, self.decimals)

    def d_x(self, xp, out, x):
        return 0


class Frac(Elementwise):
    """What follows the point: x - trunc(x), with the sign of x."""

    def forward(self, xp, x):
        return x - xp.trunc(x)

    def d_x(self, xp, out, x):
        return 1


class Remainder(Elementwise):
    """a - b × floor(a/b): what is left of a after whole steps of b, with the sign of b."""

    symbol = "%"
    promotes = "common"

    def forward(self, xp, a, b):
        return xp.remainder(a, b)

    def d_a(self, xp, out, a, b):
        return 1

    def d_b(self, xp, out, a, b):
        return -xp.floor_divide(a, b)


class Fmod(Elementwise):
    """a - b × trunc(a/b): what is left of a after whole steps of b, with the sign of a."""

    promotes = "common"

    def forward(self, xp, a, b):
        return xp.fmod(a, b)

    def d_a(self, xp, out, a, b):
        return 1

    def d_b(self, xp, out, a, b):
        return -xp.trunc_divide(a, b)


floor = function(Floor)
ceil = function(Ceil)
trunc = fix = function(Trunc)
frac = function(Frac)
remainder = function(Remainder)
fmod = function(Fmod)


def round(input: Any, *, decimals: int = 0) -> Any:
    """`input` rounded to `decimals` places after the point (before it when negative); halves go to the even neighbour."""
    return apply(Round(decimals), input)
