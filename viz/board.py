"""The derivative rule of an edge as one writes it on the board: from the source that ran, `2 * x` for `x ** 2`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from minitorch.core.node import Node
from viz.format import number

COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
COMPUTE: dict[type, Callable[[Any, Any], Any]] = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
GIVEN = "given"
"""The kind of a number from the graph, or worked out from such; those that the source states stay as they are (`1 / 6`)."""


def rule_of(node: Node, slot: int) -> str:
    """`∂out/∂a = b`, or `grad_a = grad @ b.T`: the rule for input number `slot`, in which the numbers that are no part of
    the graph stand as numbers."""
    assert node.op is not None
    stated = node.op.formula(slot)
    left, _, source = stated.partition(" = ")
    return f"{left} = {rule_text(stated, constants(node)) or source}"


def constants(node: Node) -> dict[str, float]:
    """What are plain numbers in a rule, by their names there: arguments, such as the exponent in `x ** 2`, and the settings
    of the operation (`self.slope`)."""
    assert node.op is not None
    inputs = node.inputs or ()
    named = dict(zip(node.op.labels(len(inputs)), inputs)) | {f"self.{name}": x for name, x in vars(node.op).items()}
    return {name: x for name, x in named.items() if isinstance(x, (int, float)) and not isinstance(x, bool)}


def rule_text(formula: str, given: Mapping[str, float] | None = None) -> str:
    """A rule from its source (`Op.formula`), in the notation of the classroom: `grad @ b.T`. Of a rule of several
    statements, what it returns; empty where that is only a name. What follows from the numbers in `given` is worked out:
    `where(b == 0, 0, b * a ** (b - 1))` with b = 2 is `2 * a`."""
    source = formula.partition(" = ")[2]
    try:
        *before, body = ast.parse(source).body
    except SyntaxError:  # the source was not to be had
        return ""
    value = body.value if isinstance(body, ast.Expr | ast.Return) else None
    if value is None or before and isinstance(value, ast.Name):
        return ""
    return ast.unparse(_Numbers().visit(_Classroom(given or {}).visit(value)))


class _Classroom(ast.NodeTransformer):
    """`xp.matmul(a, b)` becomes `a @ b`, `xp.swapaxes(a, -1, -2)` becomes `a.T`, `xp.minus_at(x, i, y)` becomes
    `x - y * one_hot(i)`, `xp.power(a, b)` and `xp.divide(a, b)` become `a ** b` and `a / b`, any other `xp.f` becomes `f`."""

    def __init__(self, given: Mapping[str, float]) -> None:
        self.given = given

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = ast.unparse(node.func)
        node.args = [argument for argument in node.args if ast.unparse(argument) != "xp"]
        if called == "matmul" and len(node.args) == 2:
            return ast.BinOp(node.args[0], ast.MatMult(), node.args[1])
        if called in ("power", "divide") and len(node.args) == 2:
            return _worked_out(ast.BinOp(node.args[0], ast.Pow() if called == "power" else ast.Div(), node.args[1]))
        if called in ("where", "either") and len(node.args) >= 3:
            condition, one, other = node.args[:3]
            if _given(condition):
                return one if condition.value else other  # type: ignore[attr-defined]
            return ast.Call(ast.Name("where", ast.Load()), [condition, one, other], [])
        if called == "swapaxes" and {ast.unparse(axis) for axis in node.args[1:]} in ({"-1", "-2"}, {"0", "1"}):
            return ast.Attribute(node.args[0], "T", ast.Load())
        if called == "minus_at" and len(node.args) == 3:
            x, index, less = node.args
            one_hot = ast.Call(ast.Name("one_hot", ast.Load()), [index], [])
            return ast.BinOp(x, ast.Sub(), ast.BinOp(less, ast.Mult(), one_hot))
        if called == "broadcast_to":  # what is spread over x has its shape
            return node.args[0]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = ast.unparse(node)
        if name in self.given:
            return _constant(self.given[name])
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in ("xp", "self"):
            return ast.Name(node.attr, ast.Load())
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return _constant(self.given[node.id]) if node.id in self.given else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _worked_out(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        left, right, compare = node.left, node.comparators[0], COMPARE.get(type(node.ops[0]))
        if len(node.ops) == 1 and compare is not None and _numbers(left, right):
            return _constant(compare(left.value, right.value))  # type: ignore[attr-defined]
        return node


def _constant(value: float) -> ast.Constant:
    return ast.Constant(value, kind=GIVEN)


def _given(node: ast.AST, *values: float) -> bool:
    """Whether this is a number of the graph (and one of these)."""
    return isinstance(node, ast.Constant) and node.kind == GIVEN and (not values or node.value in values)


def _numbers(left: ast.AST, right: ast.AST) -> bool:
    """Whether both are numbers, one at least of the graph."""
    both = isinstance(left, ast.Constant) and isinstance(right, ast.Constant)
    return both and (_given(left) or _given(right))


def _worked_out(node: ast.BinOp) -> ast.AST:
    """Sums and products of numbers, and what times 1 or to the power of 1 or 0 comes to."""
    left, right, compute = node.left, node.right, COMPUTE.get(type(node.op))
    if compute is not None and _numbers(left, right):
        return _constant(compute(left.value, right.value))  # type: ignore[attr-defined]
    if isinstance(node.op, ast.Mult) and _given(left, 1):
        return right
    if isinstance(node.op, (ast.Mult, ast.Div, ast.Pow)) and _given(right, 1):
        return left
    if isinstance(node.op, ast.Pow) and _given(right, 0):
        return _constant(1)
    return node


class _Numbers(ast.NodeTransformer):
    """Numbers of the graph, written as everywhere else."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not _given(node) or isinstance(node.value, bool):
            return node
        text = number(node.value)
        name = ast.Name(text.removeprefix("-"), ast.Load())
        return ast.UnaryOp(ast.USub(), name) if text.startswith("-") else name
