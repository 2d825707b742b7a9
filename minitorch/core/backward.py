"""The backward pass: newest node first, each gradient multiplied on to the inputs, arrivals added up."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from ..backend import BACKENDS, graph, scalar
from ..backend.gpus import SEVERAL, at_home, beside, elsewhere
from ..backend.into import Into
from ..ops.elementwise import Add, Mul
from ..ops.index import Part
from . import departures, location
from .apply import has_nan
from .modes import quietly, state
from .node import Node, freed
from .op import OUT
from .tensor import Tensor
from .value import Value

ADD, MUL = Add.shared, Mul.shared

Step = tuple[Node, tuple[int, ...]]
"""One step of a plan: a node, and the input numbers to which its gradient flows on."""


def backward(root: Node, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
    """The derivative of `root` with respect to every leaf it came from, added to the leaf's `.grad`.

    `gradient` is the gradient of something further on with respect to root (default 1, for a root of one element; its
    shape is root's). With `create_graph` the gradients are nodes themselves and can be differentiated again. A graph of
    Tensors is freed unless `retain_graph` (default: create_graph, or somebody is looking); Values keep theirs.
    """
    hook = state.on_backward
    if hook is not None and hook(root, gradient, retain_graph, create_graph):
        return
    if state.inspecting:
        departures.passed()
    start = seed(root, gradient, create_graph)
    fast = root.__class__ is Value and root.op is not None and not create_graph and not state.anomaly
    if fast and _backward_values(root, start):  # type: ignore[arg-type]
        return
    steps = plan([root])
    flow = run(steps, {root: start}, create_graph, spend=not state.inspecting)
    for node, grad in flow.items():
        if receives_grad(node):
            flow.deposit(node, grad)
    if not (retain_graph if retain_graph is not None else create_graph or state.inspecting):
        free(steps)


def receives_grad(node: Node) -> bool:
    """Whether a pass leaves its gradient in `node.grad`: leaves and Values always, interior Tensors when asked or looked at."""
    if node.op is None or isinstance(node, Value):
        return True
    return node.raw.__class__ is not tuple and (state.inspecting or node.keeps_grad)  # type: ignore[attr-defined]


def seed(root: Node, gradient: Any, create_graph: bool) -> Any:
    """The gradient a pass starts with, checked: a float, an array, or a node when the pass itself is recorded."""
    check_root(root)
    if isinstance(root, Value):
        start = 1.0 if gradient is None else float(gradient)
        return Value(start) if create_graph and not isinstance(gradient, Value) else (gradient if create_graph else start)
    if SEVERAL and (gpu := elsewhere(root.raw)) is not None:
        with gpu:
            return seed(root, gradient, create_graph)
    xp = BACKENDS[type(root.raw)]
    if gradient is None:
        if root.raw.size != 1:
            name = location.variable_name(root) or "this tensor"
            raise RuntimeError(
                f"backward needs one number to start from, and {name} has shape {tuple(root.raw.shape)}: "
                "reduce it first, as .sum().backward() does, or give the gradient, as .backward(gradient=...)"
            )
        array = xp.ones_like(root.raw)
    else:
        array = gradient.raw if isinstance(gradient, Node) else xp.asarray(gradient, dtype=root.raw.dtype)
        if xp.shape(array) != root.raw.shape:
            raise RuntimeError(f"the gradient has shape {xp.shape(array)}, and what it belongs to {root.raw.shape}")
    if create_graph:
        return gradient if isinstance(gradient, Node) else Tensor(array)
    return array


def check_root(root: Node) -> None:
    """A pass can start at `root`: it carries a gradient, and its graph is still there. (A leaf is its own gradient's leaf.)"""
    if not root.requires_grad:
        name = location.variable_name(root) or "this result"
        raise RuntimeError(
            f"'{name}' does not depend on any tensor with requires_grad: create the tensors to differentiate with "
            "requires_grad=True, and compute outside no_grad()"
        )
    if root.inputs is None:
        raise freed(root)


def plan(roots: Sequence[Node]) -> list[Step]:
    """The recorded results behind `roots`, newest first, each with the input numbers to which a gradient flows.

    Iterative, at any depth. Raises RuntimeError where the graph was freed.
    """
    return [(node, needed_slots(node)) for node in recorded(roots)]


def recorded(roots: Sequence[Node]) -> list[Node]:
    """The nodes of a plan. What an operation computed always has the gradient that its inputs ask for."""
    stack = [root for root in dict.fromkeys(roots) if root.op is not None]
    seen = {root.stamp for root in stack}
    found: list[Node] = []
    while stack:
        node = stack.pop()
        inputs = node.inputs
        if inputs is None:
            raise freed(node)
        found.append(node)
        rules = node.op.rules  # type: ignore[union-attr]
        if None in rules:
            inputs = tuple([x for x, rule in zip(inputs, rules) if rule is not None])
        for x in inputs:
            if isinstance(x, Node) and x.op is not None and x.stamp not in seen:
                seen.add(x.stamp)
                stack.append(x)
    found.sort(key=_stamp, reverse=True)
    return found


def needed_slots(node: Node) -> tuple[int, ...]:
    """The input numbers of `node` to which a gradient flows."""
    inputs: Any = node.inputs
    if len(inputs) == 2:  # most operations, written out: a pass over a million Values asks a million times
        a, b = inputs
        slots: tuple[int, ...] = (0,) if isinstance(a, Node) and a.requires_grad else ()
        if isinstance(b, Node) and b.requires_grad:
            slots = (0, 1) if slots else (1,)
    else:
        found = []
        for slot, x in enumerate(inputs):
            if isinstance(x, Node) and x.requires_grad:
                found.append(slot)
        slots = tuple(found)
        slots = _same_slots.setdefault(slots, slots)
    rules = node.op.rules  # type: ignore[union-attr]
    return tuple([slot for slot in slots if rules[slot] is not None]) if None in rules else slots


_same_slots: dict[tuple[int, ...], tuple[int, ...]] = {}
"""One tuple for all nodes with the same needs: millions of nodes share a handful."""


class Flow(dict[Node, Any]):
    """What has arrived at each node during one pass; a node without an entry has received nothing, which is not 0.

    A first arrival is kept as it is; where it is not the flow's own (somebody else may hold it), a second makes a new
    array; from then on the array is added to in place. Either way the bits are the same.
    """

    def __init__(self, start: dict[Node, Any]) -> None:
        super().__init__(start)
        self.owned: set[Node] = set()

    def arrive(self, node: Node, product: Any, handed_on: Any = None) -> None:
        """Add one contribution to what `node` has received; `handed_on` is the gradient that it was made from, which a
        rule may return as it is (an addition does, twice)."""
        before = self.get(node)
        kind = product.__class__
        if kind is float or kind is Part:
            self[node] = added(before, product)
        elif before is None and kind is not Into:
            self[node] = product
            if handed_on is not None and product is not handed_on and product.base is None:
                self.owned.add(node)  # a rule's new array: nobody else holds it
        elif SEVERAL and (gpu := elsewhere(node.raw)) is not None:
            with gpu:
                self.arrive(node, product, handed_on)
        elif before is None or node not in self.owned:
            self[node] = added(before, product)
            self.owned.add(node)
        elif kind is Into:
            product.add_to(before)  # touch only the slice
        else:
            before += product  # in place for arrays; NumPy's scalars (results on 0-d arrays) make a new one
            self[node] = before

    def deposit(self, node: Node, grad: Any) -> None:
        """Add what arrived during this pass to `node.grad`."""
        if SEVERAL and (gpu := elsewhere(node.raw)) is not None:
            with gpu:
                return self.deposit(node, grad)
        mine = node in self.owned
        if node.op is None and node.backward_hooks is not None:
            grad, mine = hooked(node, grad), False  # a hook may have kept what it was shown
        held = node._grad
        if held is not None:
            node.grad = held + grad if isinstance(grad, Node) or not isinstance(node, Tensor) else _add(held, grad)  # type: ignore[attr-defined]
        elif not isinstance(node, Tensor):
            node.grad = grad  # type: ignore[attr-defined]
        # Not its own means somebody else may hold the same array (z = x + y hands one array to both).
        elif isinstance(grad, Node):
            node._grad = grad.clone()  # type: ignore[attr-defined]
        else:
            node._grad = Tensor(grad if mine else grad.copy())


def added(before: Any, product: Any) -> Any:
    """What a node has received with one more contribution. Neither is edited."""
    kind = product.__class__
    if kind is Into:
        return product.dense() if before is None else product.add_to(before.copy())
    if kind is Part:
        parts = [None] * product.count if before is None else list(before)
        held = parts[product.index]
        parts[product.index] = product.grad if held is None else held + product.grad
        return parts
    return product if before is None else before + product


def _add(held: Tensor, grad: Any) -> Tensor:
    if held.requires_grad:
        return held + Tensor(grad)
    held.raw += grad
    held.touch()
    return held


def run(
    steps: Iterable[Step], start: dict[Node, Any], create_graph: bool = False, wanted: set[Node] | None = None,
    spend: bool = False,
) -> Flow:  # fmt: skip
    """Carry gradients from the roots in `start` through the plan; returns what arrived at every node.

    `wanted`, when given, limits the pass to the nodes that lead to something asked for. With `spend` a Tensor's gradient is
    let go of as soon as it has flowed on, unless the Tensor keeps it.
    """
    flow = Flow(start)
    handed_on = None  # recorded gradients are nodes, and never edited
    with quietly():
        for node, slots in steps:
            grad = flow.get(node)
            if grad is None:
                continue
            inputs: Any = node.inputs
            if wanted is not None:
                slots = tuple(slot for slot in slots if inputs[slot] in wanted)
                if not slots:
                    continue
            if node.backward_hooks is not None:
                grad = flow[node] = hooked(node, grad)
            if not create_graph:
                handed_on = grad
            for slot, _, product in pulled(node, grad, slots, create_graph):
                if product is not None:  # a user's Function may have nothing to say about an input
                    flow.arrive(inputs[slot], fitted(product, inputs[slot], create_graph), handed_on)
            if spend and node.__class__ is Tensor and not node.keeps_grad:
                del flow[node]
    return flow


def hooked(node: Node, grad: Any) -> Any:
    """The gradient complete at `node`, after the hooks registered on it have seen it and perhaps replaced it."""
    for hook in list((node.backward_hooks or {}).values()):
        answer = hook(grad if isinstance(grad, Node) else Tensor(grad))
        if answer is not None:
            grad = answer if isinstance(grad, Node) else answer.raw
    return grad


def pulled(node: Node, grad: Any, slots: tuple[int, ...], create_graph: bool = False) -> list[tuple[int, Any, Any]]:
    """The chain rule at `node`: for each of `slots`, (slot, local derivative or None, product), the product still in
    the shape of the result; `fitted` sums it back to the input's."""
    if SEVERAL and (gpu := elsewhere(node.raw)) is not None:
        with gpu:
            return pulled(node, grad, slots, create_graph)
    op, inputs, stamp = node.op, node.inputs, node.stamp
    raws = []
    edited = written(node) > stamp
    for x in inputs:  # type: ignore[union-attr]
        if isinstance(x, Node):
            raws.append(x.raw)
            cell = x._cell
            if x.stamp > stamp or cell is not None and cell[0] > stamp:
                edited = True
        else:
            raws.append(x)
    if edited:
        check_fresh(node, slots)
    saved = node._saved if op.saves else None  # type: ignore[union-attr]
    if create_graph:
        products = op.pull(graph, grad, node, saved, slots, inputs)  # type: ignore[union-attr, arg-type]
    else:
        out = node.raw
        kind = out.__class__
        xp = scalar if kind is float else BACKENDS[out[0].__class__ if kind is tuple else kind]
        products = op.pull(xp, grad, out, saved, slots, raws)  # type: ignore[union-attr, arg-type]
    if state.anomaly:
        check_nan_gradient(node, grad, products)
    return products


def check_nan_gradient(node: Node, grad: Any, products: list[tuple[int, Any, Any]]) -> None:
    """RuntimeError when the rule of `node` made a nan out of a gradient without one (see `modes.detect_anomaly`)."""
    op = node.op
    assert op is not None
    for slot, _, product in products:
        plain = product.dense() if product.__class__ is Into else product.grad if product.__class__ is Part else product
        if has_nan(_plain(plain)) and not has_nan(_plain(grad)):
            at = f", computed at {node.made_at[0]}:{node.made_at[1]}," if node.made_at else ""
            label = op.labels(len(node.inputs or ()))[slot]
            raise RuntimeError(
                f"the gradient of {op.name}{at} with respect to its input {label} is the first nan of this backward"
            )


def _plain(x: Any) -> Any:
    return x.raw if isinstance(x, Node) else x


def fitted(product: Any, x: Node, create_graph: bool) -> Any:
    """A product as the input receives it: summed back to its shape, in its dtype; a float for a Value."""
    if create_graph:
        return product if product.__class__ is Part else graph.reduce_to(product, x)
    raw = x.raw
    kind = raw.__class__
    if kind is float:
        return product if product.__class__ is float else _total(product)
    if kind is tuple:
        return product
    if product.shape != raw.shape:
        if SEVERAL and (gpu := elsewhere(raw)) is not None:
            with gpu:
                return fitted(product, x, create_graph)
        product = BACKENDS[kind].reduce_to(product, raw)
    if product.dtype is not raw.dtype and product.dtype != raw.dtype:
        with beside(raw):
            product = product.astype(raw.dtype)
    return product


@at_home
def _total(product: Any) -> float:
    return float(product.sum().item())


def check_fresh(node: Node, needed: tuple[int, ...]) -> None:
    """RuntimeError when a rule at `node` would read a value that was edited after `node` read it."""
    stamp = node.stamp
    for number, x in enumerate(node.inputs or ()):
        if isinstance(x, Node) and written(x) > stamp:
            raise_if_read(node, needed, number, x)
    if written(node) > stamp:
        raise_if_read(node, needed, OUT, node)


def written(x: Node) -> int:
    """The stamp of the last edit of `x` in place (for a leaf Value, of its last number)."""
    cell = x._cell
    if cell is not None:
        return cell[0]
    return x.stamp if x.op is None and isinstance(x, Value) else 0


def raise_if_read(node: Node, needed: tuple[int, ...], number: int, x: Node) -> None:
    op = node.op
    assert op is not None
    if any(number in op.reads(slot) for slot in needed):
        name = location.variable_name(x) or x.name
        kind, copy = ("a Value", "Value(x.data)") if isinstance(x, Value) else ("a tensor", "x.clone()")
        reader = f"{repr(name) if name else kind}, read by {op.name}"
        what = f"the result of {op.name}" if number == OUT else reader
        at = f" ({node.made_at[0]}:{node.made_at[1]})" if node.made_at else ""
        raise RuntimeError(
            f"{what}{at}, was edited in place before backward, and its gradient needs the old numbers: "
            f"call backward before the edit, or edit a copy (x = {copy})"
        )


def free(steps: Iterable[Step]) -> None:
    """Let go of the graph: a Tensor forgets its inputs (and says so when asked), Values keep theirs."""
    for node, _ in steps:
        if node.__class__ is not Value:
            node.inputs = None
            node._saved = None


def _backward_values(root: Value, start: float) -> bool:
    """The same pass for a graph of Values alone: floats, with + and × written out (most nodes are one of the two).

    What has arrived is kept in the nodes' `_flow` slot, a quarter of the cost of a dict of flows; hence one pass at a time.
    False, and nothing done, when one is under way (in another thread, or around this one) or a Tensor turns up.
    """
    if not _one_pass.acquire(blocking=False):
        return False
    try:
        unseen = object()  # in `_flow`: found by this pass, nothing has arrived yet
        root._flow = unseen
        found: list[Any] = []
        stack: list[Any] = [root]
        pop, push, append = stack.pop, stack.append, found.append
        while stack:  # the last input first: it is mostly the newest, and sorting has little left to do
            node = pop()
            append(node)
            for x in node.inputs:
                if x.__class__ is Value:
                    if x.op is None:
                        x._flow = unseen
                        if x.stamp > node.stamp:
                            check_fresh(node, needed_slots(node))
                    elif x._flow is not unseen:
                        x._flow = unseen
                        push(x)
                elif isinstance(x, Node):
                    return False
        found.sort(key=_stamp, reverse=True)
        root._flow = start
        leaves: list[Any] = []
        for node in found:
            grad = node._flow
            if grad is unseen:  # reached only through an input that has no derivative (the condition of a where)
                continue
            held = node._grad
            node._grad = grad if held is None else held + grad
            op = node.op
            if op is ADD:
                for x in node.inputs:
                    if x.__class__ is Value:
                        flow = x._flow
                        if flow is unseen:
                            x._flow = grad
                            if x.op is None:
                                leaves.append(x)
                        else:
                            x._flow = flow + grad
            elif op is MUL:
                a, b = node.inputs
                if a.__class__ is Value:
                    product = grad * (b.raw if b.__class__ is Value else b)
                    flow = a._flow
                    if flow is unseen:
                        a._flow = product
                        if a.op is None:
                            leaves.append(a)
                    else:
                        a._flow = flow + product
                if b.__class__ is Value:
                    product = grad * (a.raw if a.__class__ is Value else a)
                    flow = b._flow
                    if flow is unseen:
                        b._flow = product
                        if b.op is None:
                            leaves.append(b)
                    else:
                        b._flow = flow + product
            else:
                inputs = node.inputs
                raws = [x.raw if x.__class__ is Value else x for x in inputs]
                needed = [slot for slot, x in enumerate(inputs) if x.__class__ is Value and op.differentiable(slot)]
                for slot, _, product in op.pull(scalar, grad, node.raw, None, needed, raws):
                    x = inputs[slot]
                    flow = x._flow
                    if flow is unseen:
                        x._flow = product
                        if x.op is None:
                            leaves.append(x)
                    else:
                        x._flow = flow + product
        for leaf in leaves:
            held = leaf._grad
            leaf._grad = leaf._flow if held is None else held + leaf._flow
        return True
    finally:
        _one_pass.release()


_one_pass = threading.Lock()
_stamp = attrgetter("stamp")
