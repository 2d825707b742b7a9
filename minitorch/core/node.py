"""What a graph is made of: operations (`Op`), the nodes they leave behind (`Node`), and `apply`, which runs one."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from ..backend import BACKENDS, numpy, scalar
from . import location
from .dtypes import FLOAT32, FLOAT64, get_default_dtype, promoted
from .modes import state, watched
from .rules import formula_text, names_read

tick = itertools.count(1).__next__
"""The next creation stamp. A node is always newer than its inputs, so newest first is a topological order."""

new = object.__new__
"""Allocate without a constructor call; `apply` and Value's arithmetic fill the slots in themselves."""

OUT = -1
"""In `Op.reads`: the rule reads the operation's own result."""


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
            products = self.vjp(xp, grad, out, *extra, needed, *inputs)  # type: ignore[attr-defined]
            return [(slot, None, products[slot]) for slot in needed]
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
    the chain rule (times the incoming gradient) is applied here, once for all."""

    elementwise = True
    promotes = "float"
    requires = "sizes must be equal, or 1, counted from the last axis"

    def pull(
        self, xp: Any, grad: Any, out: Any, saved: Any, needed: tuple[int, ...], inputs: tuple[Any, ...]
    ) -> list[tuple[int, Any, Any]]:
        rules, result = self.rules, []
        for slot in needed:
            local = rules[slot](self, xp, out, *inputs)  # type: ignore[misc]
            if local.__class__ is int:  # a rule that returns the literal 1 or -1: no array of ones, no multiplication
                result.append((slot, local, grad if local == 1 else -grad if local == -1 else grad * local))
            else:
                result.append((slot, local, grad * local))
        return result


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


class Node:
    """A number, or an array of them, and how it came to be. Value and Tensor are its two kinds.

    `raw` is the plain float or array; `op` and `inputs` say what made it (`op` is None for a leaf; `inputs` is None once
    backward has freed the graph); an input is a Node, or a plain number or array that is constant.
    """

    __slots__ = (
        "raw", "op", "inputs", "stamp", "_grad", "_flow", "_saved", "_read",
        "_name", "_label", "_scope", "_where", "__weakref__",
    )  # fmt: skip

    raw: Any
    op: Op | None
    inputs: tuple[Any, ...] | None
    stamp: int
    requires_grad: bool
    _grad: Any
    _flow: Any  # what has arrived, during a pass over Values
    _saved: Any  # what an operation with `saves` keeps for its rules
    _name: str | None
    _label: str  # the name it was given for want of another: "mul_3"
    _scope: str
    _where: tuple[str, int] | None
    _read: bool  # an operation had this node as an input; see Tensor.__setitem__
    backward_hooks: dict[int, Any] | None = None
    _cell: Any = None  # for Tensors the stamp of the last edit in place, [int], shared with views
    __array_ufunc__ = None  # so that ndarray * node asks the node

    @property
    def is_leaf(self) -> bool:
        """True for a node that no recorded operation made."""
        return self.op is None

    @property
    def name(self) -> str | None:
        """The name given with `name=` or `named()`, else None; see `core.naming` for the one shown in pictures."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    def named(self, name: str) -> Any:
        """Give this node a name for pictures and messages; returns the node."""
        self._name = name
        return self

    @property
    def scope(self) -> str:
        """Path of the module in which this node was made ("encoder.0.attn"), "" outside modules."""
        return getattr(self, "_scope", "")

    @property
    def made_at(self) -> tuple[str, int] | None:
        """(file, line) that made this node; recorded while somebody looks (`modes.inspect`), else None."""
        return getattr(self, "_where", None)

    where = made_at  # of a Value; a Tensor's `where` is PyTorch's choice between tensors

    def _repr_svg_(self) -> str | None:
        """The graph as a picture, for notebooks; None (they show the text) for a leaf, or where there is nothing to draw."""
        if not self.inputs:
            return None
        import importlib

        viz = importlib.import_module("viz")
        variables = vars(importlib.import_module("__main__"))  # a notebook's cells live there
        try:
            return viz.draw(self, variables=variables)._repr_svg_()
        except viz.DrawError:
            return None


VALUE: type[Node] = Node
TENSOR: type[Node] = Node
"""The two kinds of node; value.py and tensor.py enter themselves here."""


def apply(op: Op, *inputs: Any) -> Any:
    """Run `op` on nodes, numbers and arrays, and record it where an input carries a gradient.

    Returns a Value when every input is a number, else a Tensor. Raises ValueError naming both shapes and operands
    when shapes do not fit, TypeError for an input that is no number, RuntimeError when devices are mixed.
    """
    xp: Any = scalar
    needs = mixed = False
    dtype = None
    raws = []
    for x in inputs:
        if isinstance(x, Node):
            raw = x.raw
            x._read = True
            if x.requires_grad:
                needs = True
        elif isinstance(x, (float, int)) and x.__class__ is not np.float64:
            raws.append(x)
            continue
        else:
            raw = constant(x)
            if raw is not x:  # a NumPy scalar, now a plain number
                inputs = (*inputs[: len(raws)], raw, *inputs[len(raws) + 1 :])
                raws.append(raw)
                continue
        kind = raw.__class__
        if kind is not float:
            backend = BACKENDS.get(kind if kind is not tuple else raw[0].__class__, scalar)
            if xp is not backend:
                if xp is not scalar:
                    if backend is not scalar:
                        raise mixed_devices(op, inputs)
                else:
                    xp = backend
                    dtype = raw.dtype if kind is not tuple else None
            elif raw.dtype is not dtype:
                mixed = True
        raws.append(raw)
    if xp is scalar:
        if op.makes_tensor:
            xp = numpy
    elif (mixed or dtype is not FLOAT32 and dtype is not FLOAT64) and op.promotes:
        raws = promoted(raws, op.promotes == "float", op.apart)
    try:
        out = state.quiet(op.forward, xp, *raws)
    except (ValueError, RuntimeError, AttributeError) as error:
        out = recover(op, inputs, xp, raws, error)
    saved = None
    if op.saves:
        out, saved = out
    needs = needs and state.recording
    if xp is scalar or op.makes_value:
        if out.__class__ is not float:
            out = float(out)
        node: Any = new(VALUE)
        node._flow = None
    else:
        node = new(TENSOR)
        if (out.__class__ is not xp.ndarray or out.dtype is FLOAT64 is not dtype) and not op.bundle:
            out = settle(op, xp, out, raws)
        node._cell = share_cell(out, inputs) if op.view else None
        node.requires_grad = needs
    node._grad = None
    node.raw = out
    node.stamp = tick()
    if op.saves:
        node._saved = saved
    if needs:
        node.op = op
        node.inputs = inputs
    else:
        node.op = None
        node.inputs = ()
    if watched and not state.plain:
        annotate(node)
        if state.anomaly:
            check_nan(op, out, raws)
    return node


def recover(op: Op, inputs: tuple[Any, ...], xp: Any, raws: list[Any], error: Exception) -> Any:
    """The result of an operation called inside another one's forward; otherwise what went wrong, in the user's terms."""
    if isinstance(error, RuntimeError) and str(error).startswith("cannot enter context"):
        return op.forward(xp, *raws)  # NumPy is quiet already
    if isinstance(error, ValueError):
        raise misfit(op, inputs, raws, error) from None
    if isinstance(error, AttributeError) and xp is scalar and (error.obj is scalar or type(error.obj) is float):
        raise TypeError(f"{op.name} needs a tensor, not a single number: minitorch.stack([...]) makes one of Values") from None
    raise error


def settle(op: Op, xp: Any, out: Any, raws: list[Any]) -> Any:
    """The result as an array (NumPy's reductions return scalars), and not wider than its inputs called for:
    as in PyTorch, integers and Python numbers never turn a result into float64 (unless the operation has a `dtype`)."""
    if out.__class__ is not xp.ndarray:
        out = xp.asarray(out)
    if out.dtype is FLOAT64 and not hasattr(op, "dtype") and not any(_is_double(raw) for raw in raws):
        out = out.astype(get_default_dtype())
    return out


def _is_double(raw: Any) -> bool:
    return any(map(_is_double, raw)) if raw.__class__ is tuple else getattr(raw, "dtype", FLOAT32) == FLOAT64


def annotate(node: Node) -> None:
    """Remember what a looker wants to know: the module, and the source line."""
    if node.op is None:
        return
    if state.scope:
        node._scope = state.scope
    if state.inspecting or state.anomaly:
        node._where = location.caller()


def check_nan(op: Op, out: Any, raws: list[Any]) -> None:
    """RuntimeError when `op` made a nan out of inputs without one (see `modes.detect_anomaly`)."""
    if has_nan(out) and not any(has_nan(raw) for raw in raws):
        where = location.caller()
        at = f" at {where[0]}:{where[1]}" if where else ""
        given = ", ".join(f"{label} of shape {tuple(np.shape(raw))}" for label, raw in zip(op.labels(len(raws)), raws))
        raise RuntimeError(f"{op.name}{at} made the first nan, from inputs without one ({given})")


def has_nan(raw: Any) -> bool:
    """Whether a raw value holds a nan."""
    if isinstance(raw, (tuple, list)):
        return any(has_nan(part) for part in raw)
    if hasattr(raw, "dtype"):
        return raw.dtype.kind == "f" and (raw != raw).any().item()
    return isinstance(raw, float) and raw != raw


def share_cell(out: Any, inputs: tuple[Any, ...]) -> list[int] | None:
    """One version cell for an array and its view, so that an edit of either is noticed through both."""
    base = inputs[0]
    if not isinstance(base, TENSOR) or out.base is None:
        return None
    if out.base is not base.raw and out.base is not base.raw.base:
        return None  # the "view" had to copy
    if base._cell is None:
        base._cell = [0]
    return base._cell


def constant(x: Any) -> Any:
    """A plain number or array as an operation's constant input; anything else is a TypeError that says so."""
    if x.__class__ in BACKENDS:
        return x
    if isinstance(x, (np.generic, np.bool_)):
        return x.item()
    if isinstance(x, (bool, int, float)):
        return x
    raise TypeError(f"expected a number, a Value or a Tensor, not {type(x).__name__} ({x!r:.60})")


def backend_among(raws: Iterable[Any]) -> Any:
    """The namespace for a function of `raws`: that of the arrays among them, `scalar` where all are numbers."""
    return next((BACKENDS[raw.__class__] for raw in raws if raw.__class__ in BACKENDS), scalar)


def misfit(op: Op, inputs: tuple[Any, ...], raws: list[Any], error: ValueError) -> ValueError:
    """NumPy's complaint about shapes, with both operands by name and shape."""
    labels = op.labels(len(inputs))
    parts = []
    for label, x, raw in zip(labels, inputs, raws):
        name = location.variable_name(x) if isinstance(x, Node) else None
        shown = f"'{name}'" if name else f"input {label}"
        parts.append(f"{shown} of shape {tuple(np.shape(raw))}")
    return ValueError(f"{op.name} cannot take {' and '.join(parts)}: {op.requires or str(error).strip()}")


def mixed_devices(op: Op, inputs: tuple[Any, ...]) -> RuntimeError:
    parts = []
    for x in inputs:
        raw = x.raw if isinstance(x, Node) else x
        if raw.__class__ in BACKENDS:
            name = location.variable_name(x) if isinstance(x, Node) else None
            parts.append(f"{repr(name) if name else 'an array'} on {BACKENDS[raw.__class__].device}")
    return RuntimeError(f"{op.name} mixes devices: {', '.join(parts)}; move one of them with .to(...)")


def function(op: type[Op]) -> Callable[..., Any]:
    """The user's function for a parameterless operation: `exp = function(Exp)`."""
    pytorchs = ("input", "other") if op.slots == ("a", "b") else ("input", *op.slots[1:]) if op.slots[0] == "x" else op.slots
    shared, slots = op.shared, ", ".join(pytorchs)
    namespace: dict[str, Any] = {"apply": apply, "shared": shared}
    # Written out, not *args: the right signature in help(), and a wrong number of arguments fails in the user's line.
    source = f"def {op.name}({slots}):\n    return apply(shared, {slots})\n"
    exec(compile(source, __file__, "exec"), namespace)  # under this file's name, so that it counts as part of the package
    made = namespace[op.name]
    made.__doc__, made.__module__, made.__qualname__ = op.__doc__, op.__module__, op.name
    return made


def ancestors(root: Node) -> list[Node]:
    """`root` and every node it was computed from, oldest first. Raises RuntimeError where backward freed the graph."""
    seen = {root.stamp: root}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.inputs is None:
            raise freed(node)
        for x in node.inputs:
            if isinstance(x, Node) and x.stamp not in seen:
                seen[x.stamp] = x
                stack.append(x)
    return [seen[stamp] for stamp in sorted(seen)]


def freed(node: Node) -> RuntimeError:
    """The sentence for a graph that is gone."""
    name = location.variable_name(node) or node.name or (node.op.name if node.op else "the result")
    return RuntimeError(
        f"the graph behind '{name}' was freed by an earlier backward(): "
        "call that backward(retain_graph=True), or compute the result again"
    )


def nodes_of(inputs: Iterable[Any] | None) -> list[Node]:
    """The inputs that are nodes (the others are constants)."""
    return [x for x in inputs or () if isinstance(x, Node)]
