"""One kernel for all of an elementwise operation, written by the operation itself.

An operation's formula runs once on symbols instead of arrays; what it does with them is noted down as CUDA code. Its forward,
and the products of a gradient with its local derivatives, then take one pass over memory, where CuPy's functions take one each.
Where a formula asks for what symbols do not know (a dtype, a branch, whole numbers), CuPy's functions do it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy


class Symbol:
    """A number of each element, in the code being written: its name there, and whether it is true or false."""

    __slots__ = ("code", "name", "truth")
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, code: Code, name: str, truth: bool = False) -> None:
        self.code, self.name, self.truth = code, name, truth

    def __bool__(self) -> bool:
        raise TypeError("a formula that branches is not one kernel")

    def __neg__(self) -> Symbol:
        return self.code.note(f"-{self.code.number(self)}")

    def __invert__(self) -> Symbol:
        return self.code.note(f"!{self.name}", True) if self.truth else NotImplemented

    def __pow__(self, power: Any) -> Symbol:
        return self.code.power(self, power)


def _sign(sign: str, truth: bool, turned: bool) -> Callable[[Symbol, Any], Symbol]:
    def method(self: Symbol, other: Any) -> Symbol:
        a, b = (self.code.number(x) for x in ((other, self) if turned else (self, other)))
        return self.code.note(f"{a} {sign} {b}", truth)

    return method


def _logical(sign: str) -> Callable[[Symbol, Symbol], Symbol]:
    return lambda a, b: a.code.note(f"{a.name} {sign} {b.name}", True) if a.truth and b.truth else NotImplemented


for _name, _text in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/")):
    setattr(Symbol, f"__{_name}__", _sign(_text, False, False))
    setattr(Symbol, f"__r{_name}__", _sign(_text, False, True))
for _name, _text in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "=="), ("ne", "!=")):
    setattr(Symbol, f"__{_name}__", _sign(_text, True, False))
setattr(Symbol, "__and__", _logical("&&"))  # noqa: B010  (mypy takes the operators for the class's own)
setattr(Symbol, "__or__", _logical("||"))  # noqa: B010


class Code:
    """The code of one kernel, and the namespace `xp` on which a formula runs to write it. T is the arrays' type."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str, truth: bool = False) -> Symbol:
        """A line that gives `text` a name."""
        name = f"t{len(self.lines)}"
        self.lines.append(f"{'bool' if truth else 'T'} {name} = {text if truth else f'T({text})'};")
        return Symbol(self, name, truth)

    def number(self, x: Any) -> str:
        """x as a number of type T."""
        if isinstance(x, Symbol):
            return f"T({x.name})" if x.truth else x.name
        if not isinstance(x, (bool, int, float)):
            raise TypeError(f"a {type(x).__name__} is not part of one kernel")
        if x in (float("inf"), float("-inf")) or x != x:
            return "(T(0) / T(0))" if x != x else f"(T({-1 if x < 0 else 1}) / T(0))"
        return f"T({float(x)!r})"

    def power(self, x: Any, power: Any) -> Symbol:
        if power == 2 and not isinstance(power, Symbol):
            return self.note(f"{self.number(x)} * {self.number(x)}")
        return self.note(f"pow({self.number(x)}, {self.number(power)})")

    def divide(self, a: Any, b: Any) -> Symbol:
        return self.note(f"{self.number(a)} / {self.number(b)}")

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        if condition is True or condition is False:
            return a if condition else b
        holds = condition.name if condition.truth else f"{condition.name} != T(0)"
        return self.note(f"{holds} ? {self.number(a)} : {self.number(b)}")

    def either(self, condition: Any, a: float, b: float, like: Any) -> Any:
        return self.where(condition, a, b)

    def logical_not(self, x: Any) -> Symbol:
        return self.note(f"!{x.name}" if x.truth else f"{x.name} == T(0)", True)

    def maximum(self, a: Any, b: Any) -> Symbol:
        left, right = self.number(a), self.number(b)
        return self.note(f"{left} > {right} || {left} != {left} ? {left} : {right}")  # a nan is the larger, as in NumPy

    def minimum(self, a: Any, b: Any) -> Symbol:
        left, right = self.number(a), self.number(b)
        return self.note(f"{left} < {right} || {left} != {left} ? {left} : {right}")

    def abs(self, x: Any) -> Symbol:
        return self.note(f"fabs({self.number(x)})")

    def sign(self, x: Any) -> Symbol:
        v = self.number(x)
        return self.note(f"{v} > T(0) ? T(1) : {v} < T(0) ? T(-1) : {v}")

    def sigmoid(self, x: Any) -> Symbol:
        return self.note(f"T(1) / (T(1) + exp(-{self.number(x)}))")

    def softplus(self, x: Any) -> Symbol:
        return self.note(f"{self.maximum(x, 0).name} + log1p(exp(-fabs({self.number(x)})))")


def _function(name: str, cuda: str) -> Callable[[Code, Any], Symbol]:
    return lambda self, x: self.note(f"{cuda}({self.number(x)})")


for _name in "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh erf erfc floor ceil".split():
    setattr(Code, _name, _function(_name, _name))
for _name in "sin cos tan sinh cosh tanh".split():
    setattr(Code, f"arc{_name}", _function(f"arc{_name}", f"a{_name}"))


kernels: dict[Any, Any] = {}
"""What has been written: by operation, parameters and kinds of arguments, a kernel; None where there is none."""

MOST = 32
"""So many kernels for one operation: parameters that change all the time are left to CuPy, for a new kernel is compiled."""


def by_elements(forward: Any, *arrays: Any) -> Any:
    """forward(*arrays), for forward = partial(type(op).forward, op, xp) of an elementwise operation: in one kernel where it can
    be."""
    op = forward.args[0]
    if forward.func is not type(op).forward:
        return forward(*arrays)
    kernel = _find((op.__class__, *_settings(op)), arrays, lambda code, inputs: [op.forward(code, *inputs)])
    return forward(*arrays) if kernel is None else kernel(*arrays)


def products(op: Any, grad: Any, out: Any, needed: tuple[int, ...], inputs: Any) -> Any:
    """grad times the local derivative for each of the `needed` inputs, all in one kernel; None where there is none."""

    def formulas(code: Code, given: list[Any]) -> list[Any]:
        flow, result, *rest = given
        found = []
        for slot in needed:
            local = op.rules[slot](op, code, result, *rest)
            truth = isinstance(local, bool) or isinstance(local, Symbol) and local.truth
            passed = local.__class__ is int and local == 1
            found.append(code.where(local, flow, 0) if truth else flow if passed else flow * local)
        return found

    kernel = _find((op.__class__, needed, *_settings(op)), (grad, out, *inputs), formulas)
    if kernel is None:
        return None
    found = kernel(grad, out, *inputs)
    return found if len(needed) > 1 else (found,)


def _settings(op: Any) -> tuple[Any, ...]:
    return tuple(op.__dict__.values())


def _find(key: Any, arguments: tuple[Any, ...], formulas: Callable[[Code, list[Any]], list[Any]]) -> Any:
    """The kernel for arguments of these kinds: floats of one dtype, truths, and Python's numbers."""
    kinds = tuple([x.dtype.char if x.__class__ is cupy.ndarray else x.__class__ for x in arguments])
    try:
        return kernels[key, kinds]
    except KeyError:
        many = sum(known[0][0] is key[0] for known in kernels) >= MOST
        kernels[key, kinds] = made = None if many else _written(key[0].__name__, kinds, formulas)
        return made
    except TypeError:  # a setting that is an array
        return None


def _written(name: str, kinds: tuple[Any, ...], formulas: Callable[[Code, list[Any]], list[Any]]) -> Any:
    if not {*kinds} <= {"f", "d", "?", float, int} or len({*kinds} & {"f", "d"}) != 1:
        return None
    code = Code()
    symbols: list[Any] = [Symbol(code, f"x{k}", kind == "?") for k, kind in enumerate(kinds)]
    try:
        results = formulas(code, symbols)
        ends = [f"y{k} = {code.number(y)};" for k, y in enumerate(results)]
    except (TypeError, AttributeError):
        return None
    if any(isinstance(y, Symbol) and y.truth for y in results) or len(code.lines) < 2:
        return None  # CuPy's own function is one kernel too
    inputs = ", ".join(f"{'bool' if kind == '?' else 'T'} x{k}" for k, kind in enumerate(kinds))
    outputs = ", ".join(f"T y{k}" for k in range(len(results)))
    return cupy.ElementwiseKernel(inputs, outputs, "\n".join([*code.lines, *ends]), f"minitorch_{name}")
