"""Angles and hyperbolas."""

from __future__ import annotations

import math

from ..core.apply import function
from ..core.op import Elementwise

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan",
    "atan2", "atanh", "cosh", "deg2rad", "hypot", "rad2deg", "sinc", "sinh", "tan",
]  # fmt: skip

DEGREE = math.pi / 180


class Tan(Elementwise):
    """The tangent of x in radians."""

    def forward(self, xp, x):
        return xp.tan(x)

    def d_x(self, xp, out, x):
        return 1 + out * out


class Asin(Elementwise):
    """The angle whose sine is x, in radians; nan beyond ±1."""

    def forward(self, xp, x):
        return xp.arcsin(x)

    def d_x(self, xp, out, x):
        return xp.divide(1, xp.sqrt(1 - x * x))


class Acos(Elementwise):
    """The angle whose cosine is x, in radians; nan beyond ±1."""

    def forward(self, xp, x):
        return xp.arccos(x)

    def d_x(self, xp, out, x):
        return xp.divide(-1, xp.sqrt(1 - x * x))


class Atan(Elementwise):
    """The angle whose tangent is x, in radians."""

    def forward(self, xp, x):
        return xp.arctan(x)

    def d_x(self, xp, out, x):
        return xp.divide(1, 1 + x * x)


class Atan2(Elementwise):
    """The angle of the point (b, a), in radians between -π and π."""

    def forward(self, xp, a, b):
        return xp.arctan2(a, b)

    def d_a(self, xp, out, a, b):
        return xp.divide(b, xp.where((a == 0) & (b == 0), 1, a * a + b * b))

    def d_b(self, xp, out, a, b):
        return xp.divide(-a, xp.where((a == 0) & (b == 0), 1, a * a + b * b))


class Sinh(Elementwise):
    """The hyperbolic sine."""

    def forward(self, xp, x):
        return xp.sinh(x)

    def d_x(self, xp, out, x):
        return xp.cosh(x)


class Cosh(Elementwise):
    """The hyperbolic cosine."""

    def forward(self, xp, x):
        return xp.cosh(x)

    def d_x(self, xp, out, x):
        return xp.sinh(x)


class Asinh(Elementwise):
    """The number whose hyperbolic sine is x."""

    def forward(self, xp, x):
        return xp.arcsinh(x)

    def d_x(self, xp, out, x):
        return xp.divide(1, xp.sqrt(x * x + 1))


class Acosh(Elementwise):
    """The number, not negative, whose hyperbolic cosine is x; nan below 1."""

    def forward(self, xp, x):
        return xp.arccosh(x)

    def d_x(self, xp, out, x):
        return xp.divide(1, xp.sqrt(x * x - 1))


class Atanh(Elementwise):
    """The number whose hyperbolic tangent is x; ±inf at ±1, nan beyond."""

    def forward(self, xp, x):
        return xp.arctanh(x)

    def d_x(self, xp, out, x):
        return xp.divide(1, 1 - x * x)


class Sinc(Elementwise):
    """sin(πx) / πx, and 1 at 0."""

    def forward(self, xp, x):
        return xp.sinc(x)

    def d_x(self, xp, out, x):
        return xp.where(x == 0, 0, xp.divide(xp.cos(math.pi * x) - out, xp.where(x == 0, 1, x)))


class Hypot(Elementwise):
    """√(a² + b²), without overflow on the way."""

    def forward(self, xp, a, b):
        return xp.hypot(a, b)

    def d_a(self, xp, out, a, b):
        return xp.divide(a, out)

    def d_b(self, xp, out, a, b):
        return xp.divide(b, out)


class Deg2rad(Elementwise):
    """Degrees as radians."""

    def forward(self, xp, x):
        return x * DEGREE

    def d_x(self, xp, out, x):
        return DEGREE


class Rad2deg(Elementwise):
    """Radians as degrees."""

    def forward(self, xp, x):
        return x / DEGREE

    def d_x(self, xp, out, x):
        return 1 / DEGREE


tan = function(Tan)
asin = arcsin = function(Asin)
acos = arccos = function(Acos)
atan = arctan = function(Atan)
atan2 = arctan2 = function(Atan2)
sinh = function(Sinh)
cosh = function(Cosh)
asinh = arcsinh = function(Asinh)
acosh = arccosh = function(Acosh)
atanh = arctanh = function(Atanh)
sinc = function(Sinc)
hypot = function(Hypot)
deg2rad = function(Deg2rad)
rad2deg = function(Rad2deg)
