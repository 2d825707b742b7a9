"""Exponentials, logarithms, powers and the error function."""

from __future__ import annotations

import math
from typing import Any

from ..core.apply import apply, function
from ..core.op import Elementwise
from .choose import clamp
from .elementwise import Pow
from .shape import to

__all__ = [
    "erf", "erfc", "erfinv", "exp2", "expm1", "float_power", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logit",
    "reciprocal", "rsqrt", "square", "xlogy",
]  # fmt: skip

LN2, LN10 = math.log(2), math.log(10)
TWO_BY_ROOT_PI = 2 / math.sqrt(math.pi)


class Exp2(Elementwise):
    """2 to the power x."""

    def forward(self, xp, x):
        return xp.exp2(x)

    def d_x(self, xp, out, x):
        return out * LN2


class Expm1(Elementwise):
    """e to the power x, minus 1; exact also for tiny x."""

    def forward(self, xp, x):
        return xp.expm1(x)

    def d_x(self, xp, out, x):
        return out + 1


class Log2(Elementwise):
    """The logarithm to base 2; -inf at 0, nan below."""

    def forward(self, xp, x):
        return xp.log2(x)

    def d_x(self, xp, out, x):
        return xp.divide(1 / LN2, x)


class Log10(Elementwise):
    """The logarithm to base 10; -inf at 0, nan below."""

    def forward(self, xp, x):
        return xp.log10(x)

    def d_x(self, xp, out, x):
        return xp.divide(1 / LN10, x)


class Log1p(Elementwise):
    """The natural logarithm of 1 + x; exact also for tiny x."""

    def forward(self, xp, x):
        return xp.log1p(x)

    def d_x(self, xp, out, x):
        return xp.divide(1, 1 + x)


class LogAddExp(Elementwise):
    """log(e**a + e**b), without overflow."""

    name = "logaddexp"

    def forward(self, xp, a, b):
        return xp.logaddexp(a, b)

    def d_a(self, xp, out, a, b):
        return xp.sigmoid(a - b)

    def d_b(self, xp, out, a, b):
        return xp.sigmoid(b - a)


class LogAddExp2(Elementwise):
    """log2(2**a + 2**b), without overflow."""

    name = "logaddexp2"

    def forward(self, xp, a, b):
        return xp.logaddexp2(a, b)

    def d_a(self, xp, out, a, b):
        return xp.sigmoid((a - b) * LN2)

    def d_b(self, xp, out, a, b):
        return xp.sigmoid((b - a) * LN2)


class Xlogy(Elementwise):
    """a × log(b), and 0 where a is 0 (nan where b is nan)."""

    def forward(self, xp, a, b):
        return xp.where((a == 0) & (b == b), 0, a * xp.log(b))

    def d_a(self, xp, out, a, b):
        return xp.where((a == 0) & (b <= 0), 0 * a, xp.log(b))

    def d_b(self, xp, out, a, b):
        return xp.divide(a, b)


class Square(Elementwise):
    """x × x"""

    symbol = "²"
    promotes = "common"

    def forward(self, xp, x):
        return x * x

    def d_x(self, xp, out, x):
        return 2 * x


class Reciprocal(Elementwise):
    """1 / x"""

    def forward(self, xp, x):
        return xp.divide(1, x)

    def d_x(self, xp, out, x):
        return -out * out


class Rsqrt(Elementwise):
    """1 / √x; inf at 0, nan below."""

    def forward(self, xp, x):
        return xp.divide(1, xp.sqrt(x))

    def d_x(self, xp, out, x):
        return -0.5 * out * out * out


class Erf(Elementwise):
    """The error function: 2/√π times the integral of e**-t² from 0 to x."""

    def forward(self, xp, x):
        return xp.erf(x)

    def d_x(self, xp, out, x):
        return TWO_BY_ROOT_PI * xp.exp(-x * x)


class Erfc(Elementwise):
    """1 - erf(x), exact also where erf rounds to 1."""

    def forward(self, xp, x):
        return xp.erfc(x)

    def d_x(self, xp, out, x):
        return -TWO_BY_ROOT_PI * xp.exp(-x * x)


class Erfinv(Elementwise):
    """The x at which erf is the given number; ±inf at ±1, nan beyond."""

    def forward(self, xp, x):
        return xp.erfinv(x)

    def d_x(self, xp, out, x):
        return xp.exp(out * out) / TWO_BY_ROOT_PI


class Logit(Elementwise):
    """log(x / (1 - x)), the inverse of the sigmoid; nan outside 0 to 1."""

    def forward(self, xp, x):
        return xp.log(xp.divide(x, 1 - x))

    def d_x(self, xp, out, x):
        return xp.where(out == out, xp.divide(1, x * (1 - x)), math.nan)


exp2 = function(Exp2)
expm1 = function(Expm1)
log2 = function(Log2)
log10 = function(Log10)
log1p = function(Log1p)
logaddexp = function(LogAddExp)
logaddexp2 = function(LogAddExp2)
xlogy = function(Xlogy)
square = function(Square)
reciprocal = function(Reciprocal)
rsqrt = function(Rsqrt)
erf = function(Erf)
erfc = function(Erfc)
erfinv = function(Erfinv)


def logit(input: Any, eps: float | None = None) -> Any:
    """log(input / (1 - input)), the inverse of the sigmoid; with `eps`, of input limited to eps .. 1 - eps."""
    return apply(Logit.shared, input if eps is None else clamp(input, eps, 1 - eps))


def float_power(input: Any, exponent: Any) -> Any:
    """input to the power exponent, in float64 whatever the dtypes."""
    base, power = (to(x, "float64") if hasattr(x, "dtype") else x for x in (input, exponent))
    return apply(Pow.shared, base, power)
