"""Op: an operation, written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from .dtypes import BOOL
from .rules import formula_text, names_read

OUT = -1
"""In `Op.reads`: the rule reads the operation's own result."""

NO_KERNELS: dict[str, Callable[..., Any]] = {}


class Op:
    """An operation, written once: a forward, and per input one derivative rule.

    A subclass states `forward(self, xp, *inputs)`, where `xp` is the backend's namespace (NumPy's names on floats,
    arrays or nodes), and for each input `x` that has a derivative the vector-Jacobian product
    `vjp_x(self, xp, grad, out, *inputs)`. Where rules share work, or the inputs vary in number (`*tensors`),
    one `vjp(self, xp, grad, out, needed, *inputs)` returns a list with a gradient for each input (None where not needed).
    With `saves = True`, forward returns `(out, saved)` and rules receive `saved` after `out`; save only what has no
    derivative.

    Operations with parameters are small objects that nobody changes (`Sum(axis=1)`); parameterless ones are shared
    (`Op.shared`).
    """

    name: ClassVar[str] = ""
    symbol: ClassVar[str] = ""
    """How the operation is written between its inputs ("×"), or "" to write it as a function."""
    elementwise: ClassVar[bool] = False
    saves: ClassVar[bool] = False
    costly: ClassVar[bool] = False
    """An elementwise operation that takes many passes over its numbers: worth sharing large arrays among threads."""
    view: ClassVar[bool] = False
    """The result may share its first input's memory."""
    requires: ClassVar[str] = ""
    """What the shapes of the inputs must satisfy, for the message when they do not."""
    promotes: ClassVar[str] = ""
    """What happens to inputs of different dtypes: "common" brings them to the one they have in common (see `dtypes`),
    "float" to a float one, "" leaves them to the backend."""
    apart: ClassVar[tuple[int, ...]] = ()
    """Input numbers that have no part in that: a condition, an index."""
    makes_tensor: ClassVar[bool] = False
    """The result is a Tensor even when every input is a number (`stack` of Values)."""
    makes_value: ClassVar[bool] = False
    """The result is a Value even when the input is a Tensor."""
    bundle: ClassVar[bool] = False
    """The result is a tuple of arrays, read through projection nodes (see `ops.index.Pick`)."""
    slots: ClassVar[tuple[str, ...]] = ()
    """The names of forward's arguments: the labels of the edges in every picture."""
    variadic: ClassVar[bool] = False
    rules: ClassVar[tuple[Callable[..., Any] | None, ...]] = ()
    """The derivative rule of each slot; empty when one `vjp` serves all."""
    shared: ClassVar[Any]
    registry: ClassVar[dict[str, type[Op]]] = {}

    forward: Callable[..., Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        forward = cls.__dict__.get("forward")
        if forward is None:  # an abstract family, such as Elementwise
            return
        code = forward.__code__
        cls.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        cls.slots = code.co_varnames[2 : code.co_argcount + cls.variadic]
        cls.name = cls.__dict__.get("name") or _snake(cls.__name__)
        prefix = "d_" if cls.elementwise else "vjp_"
        cls.rules = () if hasattr(cls, "vjp") else tuple(getattr(cls, prefix + slot, None) for slot in cls.slots)
        if cls.__init__ is object.__init__:
            cls.shared = cls()
        Op.registry[cls.name] = cls

    def again(self, xp: Any, saved: Any, *inputs: Any) -> Any:
        """The forward on other inputs, for what-if questions: as `forward`, but with the same random draws (an operation
        that draws takes them from `saved`) and without side effects."""
        return self.forward(xp, *inputs)

    def labels(self, count: int) -> tuple[str, ...]:
        """The edge labels for `count` inputs."""
        if not self.variadic:
            return self.slots[:count]
        fixed, rest = self.slots[:-1], self.slots[-1]
        return fixed + tuple(f"{rest}[{i}]" for i in range(count - len(fixed)))

    def differentiable(self, slot: int) -> bool:
        """Whether a gradient can flow to input number `slot`."""
        return not self.rules or self.rules[slot] is not None

    def pull(
        self, xp: Any, grad: Any, out: Any, saved: Any, needed: tuple[int, ...], inputs: tuple[Any, ...]
    ) -> list[tuple[int, Any, Any]]:
        """The chain rule at this operation: for each slot in `needed`, (slot, local derivative or None, product)."""
        extra = (saved,) if self.saves else ()
        if not self.rules:
            whole = getattr(xp, "RULES", NO_KERNELS).get(self.name)  # a backend may have a kernel for all of a rule
            products = None if whole is None else whole(self, grad, out, *extra, needed, *inputs)
            if products is None:
                products = self.vjp(xp, grad, out, *extra, needed, *inputs)  # type: ignore[attr-defined]
            return [(slot, None, product) for slot, product in zip(needed, _apart([products[slot] for slot in needed]))]
        rules = self.rules
        return [(slot, None, rules[slot](self, xp, grad, out, *extra, *inputs)) for slot in needed]  # type: ignore[misc]

    def rule(self, slot: int) -> Callable[..., Any]:
        """The function that states the derivative for input number `slot`."""
        found = self.rules[slot] if self.rules else self.vjp  # type: ignore[attr-defined]
        if found is None:
            raise TypeError(f"{self.name} has no derivative with respect to '{self.labels(slot + 1)[slot]}'")
        return found

    def formula(self, slot: int) -> str:
        """The rule as it is written, for people: `∂out/∂a = b`, or `grad_a = grad @ xp.swapaxes(b, -1, -2)`."""
        if not self.rules:
            slot_label = "inputs"
        else:
            slot_label = self.slots[slot]
        left = f"∂out/∂{slot_label}" if self.elementwise else f"grad_{slot_label}"
        return f"{left} = {formula_text(self.rule(slot))}"

    @classmethod
    def reads(cls, slot: int) -> frozenset[int]:
        """Which values the rule for `slot` reads: input numbers, and OUT. Taken from the rule's own code."""
        return _reads(cls, slot)  # type: ignore[arg-type]  # mypy takes a class's __hash__ for its instances'

    def __repr__(self) -> str:
        parameters = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{type(self).__name__}({parameters})"


class Elementwise(Op):
    """An operation on each element by itself. Its rules `d_x(self, xp, out, *inputs)` state the local derivative ∂out/∂x;
    the chain rule (times the incoming gradient) is applied here, once for all. A rule that is true or false, as relu's
    `x > 0`, lets the gradient through or stops it, also one that is inf or nan."""

    elementwise = True
    promotes = "float"
    requires = "sizes must be equal, or 1, counted from the last axis"

    def pull(
        self, xp: Any, grad: Any, out: Any, saved: Any, needed: tuple[int, ...], inputs: tuple[Any, ...]
    ) -> list[tuple[int, Any, Any]]:
        rules, result = self.rules, []
        if (fused := getattr(xp, "products", None)) is not None:  # a backend may have one kernel for all of it
            products = fused(self, grad, out, needed, inputs)
            if products is not None:
                return [(slot, Later(rules[slot], self, xp, out, *inputs), x) for slot, x in zip(needed, products)]  # type: ignore[arg-type]
        for slot in needed:
            rule: Any = rules[slot]
            local = self.by_kernel(xp, "SLOPES", rule, out, *inputs) if self.costly else rule(self, xp, out, *inputs)
            kind = local.__class__
            if kind is int:  # a rule that returns the literal 1 or -1: no array of ones, no multiplication
                product = grad if local == 1 else -grad if local == -1 else grad * local
            elif kind is not float and (kind is bool or getattr(local, "dtype", None) is BOOL):
                product = xp.masked(grad, local)
            else:
                product = grad * local
            result.append((slot, local, product))
        return result

    def run(self, xp: Any, *inputs: Any) -> Any:
        """What a costly operation's forward computes."""
        return self.by_kernel(xp, "FORWARDS", type(self).forward, *inputs)

    def by_kernel(self, xp: Any, kernels: str, function: Callable[..., Any], *arrays: Any) -> Any:
        """function(self, xp, *arrays) of a costly operation: by the kernel that the backend has for it among its `kernels`, if
        it does, otherwise shared among threads."""
        kernel = getattr(xp, kernels, NO_KERNELS).get(self.name)
        found = None if kernel is None else kernel(*arrays)
        if found is not None:
            return found
        share = getattr(xp, "by_elements", None)
        return function(self, xp, *arrays) if share is None else share(functools.partial(function, self, xp), *arrays)


def _apart(products: list[Any]) -> list[Any]:
    """What a rule gives several inputs, with a copy where it gives two of them one array (an LSTM's two biases): each gradient
    is added to in place."""
    if len({id(product) for product in products}) < len(products):
        for i, product in enumerate(products):
            if hasattr(product, "copy") and any(product is other for other in products[:i]):
                products[i] = product.copy()
    return products


class Later(functools.partial[Any]):
    """A local derivative that was not needed for the product: worked out when called, for who wants to see it."""


@functools.cache
def _reads(cls: type[Op], slot: int) -> frozenset[int]:
    rule = cls.rules[slot] if cls.rules else cls.vjp  # type: ignore[attr-defined]
    if rule is None:
        return frozenset()
    names = names_read(rule)
    found = {number for number, name in enumerate(cls.slots) if name in names}
    if cls.variadic and cls.slots[-1] in names:
        found |= set(range(len(cls.slots) - 1, 1000))
    if "out" in names:
        found.add(OUT)
    return frozenset(found)


def _snake(name: str) -> str:
    starts = (i and c.isupper() and not name[i - 1].isupper() for i, c in enumerate(name))
    return "".join("_" + c.lower() if start else c.lower() for start, c in zip(starts, name))
