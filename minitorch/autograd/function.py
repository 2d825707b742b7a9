"""Function: a user's own operation, in the same graph, picture and debugger as ours."""

from __future__ import annotations

import inspect
from typing import Any

from ..core.apply import annotate
from ..core.modes import enable_grad, no_grad, state
from ..core.node import TENSOR, VALUE, Node, new, tick
from ..core.op import OUT, Op
from ..core.rules import formula_text
from ..core.tensor import Tensor
from ..core.value import Value
from ..ops.index import results


class Context:
    """What forward leaves for backward: `ctx`, the first argument of both."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Any, ...] = ()
        self._plain: set[int] = set()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward, as `ctx.saved_tensors`."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """These results carry no gradient."""
        self._plain |= {id(t) for t in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """With False, backward gets None for a result whose gradient never arrived, instead of zeros."""
        self._materialize = value

    def mark_dirty(self, *tensors: Any) -> None:
        """Refused: an operation that edits its inputs cannot be stepped back through."""
        raise NotImplementedError("mark_dirty is not supported: return a new tensor instead of editing an input")


class Function:
    """An operation of your own: subclass it, state `forward(ctx, ...)` and `backward(ctx, *grads)` as static methods,
    and call `YourFunction.apply(...)`.

    forward gets the arguments of apply (its nodes cut off from the graph) and returns a Tensor or Value, or a tuple of them;
    backward gets the gradient of each result and returns one for each argument (None where there is none). What backward
    does is recorded under `create_graph`, so second derivatives follow from it.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        raise NotImplementedError("a Function states forward(ctx, ...)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError("a Function states backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward on `args` and record it where an argument carries a gradient."""
        ctx = Context(tuple(isinstance(x, Node) and x.requires_grad for x in args))
        seen = [x.detach() if isinstance(x, (Tensor, Value)) else x for x in args]
        with no_grad():
            out = cls.forward(ctx, *seen)
        if not (any(ctx.needs_input_grad) and state.recording):
            return out
        several = isinstance(out, tuple)
        outs = out if several else (out,)
        for x in outs:
            if not isinstance(x, Node):
                raise TypeError(f"{cls.__name__}.forward returned {type(x).__name__}; it must return Tensors or Values")
        op = UserOp(cls, ctx, seen, outs)
        inputs = tuple(x for x in args if isinstance(x, Node))
        if not several:
            return _record(op, inputs, VALUE if isinstance(out, Value) else TENSOR, out.raw)
        picked = results(_record(op, inputs, TENSOR, tuple(x.raw for x in outs)))
        return tuple(x.detach() if id(x) in ctx._plain else p for x, p in zip(outs, picked))


class UserOp(Op):
    """One call of a user's Function, as an operation of the graph."""

    variadic = True

    def __init__(self, function: type[Function], ctx: Context, seen: list[Any], made: tuple[Any, ...]) -> None:
        self._function, self._ctx, self._kinds = function, ctx, tuple(type(x) for x in made)
        self._positions = [number for number, x in enumerate(seen) if isinstance(x, Node)]
        self._seen, self._made = [seen[number] for number in self._positions], made  # as forward had them
        names = list(inspect.signature(function.forward).parameters)[1:]
        self.name = function.__name__  # type: ignore[misc]  # each user's Function under its own name
        self.slots = tuple(names[n] if n < len(names) else f"input {n}" for n in self._positions)  # type: ignore[misc]

    def labels(self, count: int) -> tuple[str, ...]:
        return self.slots

    def formula(self, slot: int) -> str:
        return f"grad_{self.slots[slot]} = {formula_text(self._function.backward)}"

    def reads(self, slot: int) -> frozenset[int]:  # type: ignore[override]
        """What a user's backward reads is the user's business: assume everything it may have saved."""
        return frozenset({OUT, *range(len(self.slots))}) if self._ctx.saved_tensors else frozenset()

    def pull(
        self, xp: Any, grad: Any, out: Any, saved: Any, needed: tuple[int, ...], inputs: tuple[Any, ...]
    ) -> list[tuple[int, Any, Any]]:
        recorded = isinstance(out, Node)  # create_graph: gradients are nodes already
        values = out.raw if recorded else out
        several = isinstance(values, tuple)
        arrived = grad if several else (grad,)
        parts = values if several else (values,)
        grads = [self._as_node(g, value, kind) for g, value, kind in zip(arrived, parts, self._kinds)]
        kept = self._ctx.saved_tensors
        if recorded:
            self._ctx.saved_tensors = self._in_the_graph(kept, inputs, out)
        try:
            with enable_grad() if recorded else no_grad():
                answers = self._function.backward(self._ctx, *grads)
        finally:
            self._ctx.saved_tensors = kept
        answers = answers if isinstance(answers, tuple) else (answers,)
        if len(answers) != len(self._ctx.needs_input_grad):
            raise RuntimeError(
                f"{self.name}.backward returned {len(answers)} gradients for {len(self._ctx.needs_input_grad)} arguments of "
                "forward: return one for each, None where there is none"
            )
        pulled = []
        for slot in needed:
            answer = answers[self._positions[slot]]
            if answer is not None:
                pulled.append((slot, None, answer if recorded else _own(answer)))
        return pulled

    def _in_the_graph(self, kept: tuple[Any, ...], inputs: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
        """What forward saved, with the nodes of the graph in the place of its arguments and results, which forward saw
        cut off from it: so that the gradient of a gradient reaches them."""
        made = results(out) if isinstance(out.raw, tuple) else (out,)
        nodes = {id(cut): x for cut, x in zip((*self._made, *self._seen), (*made, *inputs))}
        return tuple(nodes.get(id(x), x) for x in kept)

    def _as_node(self, grad: Any, value: Any, kind: type) -> Any:
        if grad is None:
            if not self._ctx._materialize:
                return None
            grad = 0.0 * value
        if isinstance(grad, Node):
            return grad
        return Value(float(grad)) if kind is Value else Tensor(grad)

    def __repr__(self) -> str:
        return self.name


def _own(answer: Any) -> Any:
    """A user's gradient as a raw value that nobody else holds (it may be one of the inputs, or returned twice)."""
    raw = answer.raw if isinstance(answer, Node) else answer
    return raw.copy() if hasattr(raw, "copy") else raw


def _record(op: UserOp, inputs: tuple[Node, ...], kind: type[Node], raw: Any) -> Any:
    node: Any = new(kind)
    node.raw, node.op, node.inputs, node.stamp = raw, op, inputs, tick()
    node._grad = None
    if kind is VALUE:
        node._flow = None
    else:
        node._cell, node.requires_grad = None, True
    for x in inputs:
        x._read = True
    if not state.plain:
        annotate(node)
    return node
