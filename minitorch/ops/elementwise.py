"""Operations on each element by itself. A rule `d_x` states the local derivative ∂out/∂x; the engine does the rest."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply, function
from ..core.op import Elementwise

__all__ = [
    "abs", "absolute", "add", "addcdiv", "addcmul", "cos", "div", "divide", "exp", "floor_divide", "log", "maximum", "minimum",
    "mul", "multiply", "neg", "negative", "positive", "pow", "relu", "rsub", "sgn", "sigmoid", "sign", "sin", "sqrt", "sub",
    "subtract", "tanh", "true_divide", "where",
]  # fmt: skip


class Add(Elementwise):
    """a + b"""

    symbol = "+"
    promotes = "common"

    def forward(self, xp, a, b):
        return a + b

    def d_a(self, xp, out, a, b):
        return 1

    def d_b(self, xp, out, a, b):
        return 1


class Sub(Elementwise):
    """a - b"""

    symbol = "-"
    promotes = "common"

    def forward(self, xp, a, b):
        return a - b

    def d_a(self, xp, out, a, b):
        return 1

    def d_b(self, xp, out, a, b):
        return -1


class Mul(Elementwise):
    """a × b"""

    symbol = "×"
    promotes = "common"

    def forward(self, xp, a, b):
        return a * b

    def d_a(self, xp, out, a, b):
        return b

    def d_b(self, xp, out, a, b):
        return a


class Div(Elementwise):
    """a / b; division by zero gives inf or nan, as IEEE says."""

    symbol = "/"

    def forward(self, xp, a, b):
        return xp.divide(a, b)

    def d_a(self, xp, out, a, b):
        return xp.divide(1, b)

    def d_b(self, xp, out, a, b):
        return xp.divide(-out, b)


class Pow(Elementwise):
    """a to the power b; nan for a negative a and a fractional b."""

    symbol = "**"
    promotes = "common"

    def forward(self, xp, a, b):
        return xp.power(a, b)

    def d_a(self, xp, out, a, b):
        return xp.where(b == 0, 0, b * xp.power(a, b - 1))

    def d_b(self, xp, out, a, b):
        return out * xp.log(xp.where(a == 0, 1, a))  # 0 ** b does not change with b: its log counts as 0


class Neg(Elementwise):
    """-x"""

    symbol = "-"
    promotes = "common"

    def forward(self, xp, x):
        return -x

    def d_x(self, xp, out, x):
        return -1


class Exp(Elementwise):
    """e to the power x."""

    def forward(self, xp, x):
        return xp.exp(x)

    def d_x(self, xp, out, x):
        return out


class Log(Elementwise):
    """The natural logarithm; -inf at 0, nan below."""

    def forward(self, xp, x):
        return xp.log(x)

    def d_x(self, xp, out, x):
        return xp.divide(1, x)


class Sqrt(Elementwise):
    """The square root; nan below 0."""

    def forward(self, xp, x):
        return xp.sqrt(x)

    def d_x(self, xp, out, x):
        return xp.divide(0.5, out)


class Sin(Elementwise):
    """The sine of x in radians."""

    def forward(self, xp, x):
        return xp.sin(x)

    def d_x(self, xp, out, x):
        return xp.cos(x)


class Cos(Elementwise):
    """The cosine of x in radians."""

    def forward(self, xp, x):
        return xp.cos(x)

    def d_x(self, xp, out, x):
        return -xp.sin(x)


class Tanh(Elementwise):
    """The hyperbolic tangent, between -1 and 1."""

    def forward(self, xp, x):
        return xp.tanh(x)

    def d_x(self, xp, out, x):
        return 1 - out * out


class Sigmoid(Elementwise):
    """1 / (1 + e**-x), between 0 and 1."""

    symbol = "σ"

    def forward(self, xp, x):
        return xp.sigmoid(x)

    def d_x(self, xp, out, x):
        return out * (1 - out)


class Relu(Elementwise):
    """x where positive, else 0; the derivative at 0 is 0."""

    promotes = "common"

    def forward(self, xp, x):
        return xp.maximum(x, 0)

    def d_x(self, xp, out, x):
        return x > 0


class Abs(Elementwise):
    """|x|; the derivative at 0 is 0."""

    promotes = "common"

    def forward(self, xp, x):
        return xp.abs(x)

    def d_x(self, xp, out, x):
        return xp.sign(x)


class Maximum(Elementwise):
    """The larger of a and b, nan if either is; equal values share the gradient half and half."""

    promotes = "common"

    def forward(self, xp, a, b):
        return xp.maximum(a, b)

    def d_a(self, xp, out, a, b):
        return xp.where(a == b, 0.5, a > b)

    def d_b(self, xp, out, a, b):
        return xp.where(a == b, 0.5, b > a)


class Minimum(Elementwise):
    """The smaller of a and b, nan if either is; equal values share the gradient half and half."""

    promotes = "common"

    def forward(self, xp, a, b):
        return xp.minimum(a, b)

    def d_a(self, xp, out, a, b):
        return xp.where(a == b, 0.5, a < b)

    def d_b(self, xp, out, a, b):
        return xp.where(a == b, 0.5, b < a)


class Where(Elementwise):
    """a where the condition holds, else b."""

    promotes = "common"
    apart = (0,)

    def forward(self, xp, condition, a, b):
        return xp.where(condition, a, b)

    def d_a(self, xp, out, condition, a, b):
        return condition

    def d_b(self, xp, out, condition, a, b):
        return xp.logical_not(condition)


class Sign(Elementwise):
    """-1, 0 or 1 by the sign of x; flat wherever it has a derivative."""

    promotes = "common"

    def forward(self, xp, x):
        return xp.sign(x)

    def d_x(self, xp, out, x):
        return 0


class FloorDivide(Elementwise):
    """a / b rounded down to a whole number; flat wherever it has a derivative."""

    symbol = "//"
    promotes = "common"

    def forward(self, xp, a, b):
        return xp.floor_divide(a, b)

    def d_a(self, xp, out, a, b):
        return 0

    def d_b(self, xp, out, a, b):
        return 0


class TruncDivide(Elementwise):
    """a / b rounded towards 0 to a whole number; flat wherever it has a derivative."""

    promotes = "common"

    def forward(self, xp, a, b):
        return xp.trunc_divide(a, b)

    def d_a(self, xp, out, a, b):
        return 0

    def d_b(self, xp, out, a, b):
        return 0


ADD, SUB, MUL, DIV = Add.shared, Sub.shared, Mul.shared, Div.shared


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha × other."""
    return apply(ADD, input, other if alpha == 1 else apply(MUL, other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input - alpha × other."""
    return apply(SUB, input, other if alpha == 1 else apply(MUL, other, alpha))


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other - alpha × input: `sub` with its operands the other way round."""
    return sub(other, input, alpha=alpha)


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value × tensor1 × tensor2."""
    return add(input, apply(MUL, tensor1, tensor2), alpha=value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value × tensor1 / tensor2."""
    return add(input, apply(DIV, tensor1, tensor2), alpha=value)


def positive(input: Any) -> Any:
    """`input` itself."""
    return input


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other; with `rounding_mode` "floor" or "trunc", rounded down or towards 0 to a whole number."""
    if rounding_mode not in (None, "floor", "trunc"):
        raise ValueError(f"rounding_mode is None, 'floor' or 'trunc', not {rounding_mode!r}")
    op = DIV if rounding_mode is None else FloorDivide.shared if rounding_mode == "floor" else TruncDivide.shared
    return apply(op, input, other)


subtract, divide, true_divide = sub, div, div
floor_divide = function(FloorDivide)
mul = multiply = function(Mul)
pow = function(Pow)
neg = negative = function(Neg)
exp = function(Exp)
log = function(Log)
sqrt = function(Sqrt)
sin = function(Sin)
cos = function(Cos)
tanh = function(Tanh)
sigmoid = function(Sigmoid)
relu = function(Relu)
abs = absolute = function(Abs)
maximum = function(Maximum)
minimum = function(Minimum)
sign = sgn = function(Sign)


def where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where the condition holds, else `other`; the three are broadcast against each other."""
    return apply(Where.shared, condition, input, other)
