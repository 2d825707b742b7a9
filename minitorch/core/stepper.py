"""The backward pass as data: the loop of backward.py, one contribution at a time, in both directions."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Any

from ..backend import BACKENDS
from ..backend.numpy import stretched_axes
from ..ops.index import Part
from . import backward as engine
from .modes import quietly
from .node import Node, freed
from .op import Op
from .tensor import Tensor
from .value import Value


class Contribution:
    """One edge's share of the pass: what `node` hands to its input number `slot`.

    `incoming` is the gradient that arrived at `node`; `local` the local derivative (None for operations that state a
    product instead); `product` their product, and `contribution` the same summed back over what broadcasting stretched,
    as `reduction` tells. `before` and `after` are what `input` has received without and with it (None: nothing yet).
    What is there to be read (`label`, `rule`, `reduction`) is worked out when it is: a pass may have millions of these.
    """

    __slots__ = ("index", "node", "slot", "input", "incoming", "local", "before", "after", "_product", "_received")

    def __init__(
        self, index: int, node: Node, slot: int, input: Node, incoming: Any, local: Any, product: Any, received: Any,
        before: Any, after: Any,
    ) -> None:  # fmt: skip
        self.index, self.node, self.slot, self.input = index, node, slot, input
        self.incoming, self.local, self._product, self._received = incoming, local, product, received
        self.before, self.after = before, after

    @property
    def label(self) -> str:
        """The name of the slot: "a", "weight"."""
        return self._op.labels(self.slot + 1)[self.slot]

    @property
    def rule(self) -> str:
        """The derivative rule as it is written: `∂out/∂a = b`."""
        return self._op.formula(self.slot)

    @property
    def product(self) -> Any:
        """incoming × local, or what the operation's rule made of incoming: in the shape of the result."""
        return _dense(self._product)

    @property
    def contribution(self) -> Any:
        """What the input receives, in its shape."""
        return _dense(self._received)

    @property
    def reduction(self) -> str | None:
        """How the product was summed back to the shape of the input: `sum axis 0: (3, 4) → (4,)`; None where it was not."""
        return _reduction(self._product, self.input)

    @property
    def weight(self) -> int:
        """Bytes of the arrays that only this contribution holds."""
        return sum(
            getattr(part, "nbytes", 0)
            for part in {id(part): part for part in (self.before, self.local, self._product, self._received)}.values()
        )

    def forget(self) -> None:
        """Let the arrays go."""
        if self.weight:
            self.incoming = self.local = self.before = self.after = self._product = self._received = None

    @property
    def _op(self) -> Op:
        assert self.node.op is not None
        return self.node.op

    def __repr__(self) -> str:
        return f"Contribution({self.index}: {self._op.name} → {self.label}, {self.before} → {self.after})"


class Stepper:
    """The backward pass of `root`, paused: `step()` applies one contribution, `rstep()` takes it back.

    Positions count contributions: 0 is the start, `len(stepper)` the end. Leaves receive `.grad` when the end is reached
    and lose it again on the way back. Any walk restores every flow bit for bit (a reverted contribution puts the saved
    value back, it subtracts nothing), and at the end the gradients are those of `root.backward()`, bit for bit.

    The graph is kept. The plan is one list of nodes; what a contribution says is computed when it is stepped on. What
    stepping back needs are arrays; with `limit` (bytes) the oldest are let go when there are more, and going back so far
    walks the pass again from its start.
    """

    def __init__(self, root: Node, gradient: Any = None, limit: int | None = None) -> None:
        self.limit = limit
        start = engine.seed(root, gradient, create_graph=False)
        self.root = root
        steps = self._plan()
        self.order = [node for node, _ in steps]
        self._flow = engine.Flow({root: start}, reversible=True)
        self._slots = [slots for _, slots in steps]
        self._first = list(accumulate(map(len, self._slots), initial=0))  # the position at which each node begins
        self._applied: list[Contribution] = []
        self._held = 0  # bytes of the arrays in _applied
        self._forgotten = 0  # how many of the first in _applied have let their arrays go
        self._start: dict[Node, Any] = {}
        self._ledgers: dict[Node, list[Contribution]] = {}
        self._pulled: tuple[int, Any, list[tuple[int, Any, Any]]] | None = None
        self._grads_before: list[tuple[Node, Any]] | None = None
        self._expected: dict[Node, int] | None = None
        self._number: dict[Node, int] | None = None

    def __len__(self) -> int:
        return self._first[-1]

    @property
    def position(self) -> int:
        """How many contributions have been applied."""
        return len(self._applied)

    @property
    def finished(self) -> bool:
        """True at the end of the pass, where `.grad` has been given out."""
        return self.position == len(self)

    @property
    def applied(self) -> list[Contribution]:
        """The contributions applied so far, in order."""
        return list(self._applied)

    @property
    def last(self) -> Contribution | None:
        """The contribution applied last."""
        return self._applied[-1] if self._applied else None

    def peek(self) -> tuple[Node, int] | None:
        """(node, slot) of the next contribution, None at the end."""
        if self.finished:
            return None
        number = self._node_number()
        return self.order[number], self._slots[number][self.position - self._first[number]]

    @property
    def node(self) -> Node | None:
        """The node whose contribution is next, None at the end."""
        return None if self.finished else self.order[self._node_number()]

    def _node_number(self) -> int:
        return bisect_right(self._first, self.position) - 1

    # Moving

    def step(self) -> Contribution | None:
        """Apply the next contribution and return it; None at the end."""
        if self.finished:
            return None
        if not self._applied:
            self._start = dict(self._flow)
        number = self._node_number()
        node, offset = self.order[number], self.position - self._first[number]
        incoming, pulled = self._pull(number)
        slot, local, product = pulled[offset]
        x: Any = node.inputs[slot]  # type: ignore[index]
        before, received = self._flow.get(x), None
        if product.__class__ is float and x.raw.__class__ is float:
            received = product
            self._arrive(x, received)
        elif product is not None:
            with quietly():
                received = engine.fitted(product, x, create_graph=False)
                self._arrive(x, received)
        done = Contribution(self.position, node, slot, x, incoming, local, product, received, before, self._flow.get(x))
        self._applied.append(done)
        self._ledgers.setdefault(x, []).append(done)
        if self.limit is not None:
            self._forget_down_to(self.limit)
        if self.finished:
            self._give_grads()
        return done

    def next(self) -> list[Contribution]:
        """Apply what is left of the current node's contributions, and return them."""
        if self.finished:
            return []
        end = self._first[self._node_number() + 1]
        return [self.step() for _ in range(end - self.position)]  # type: ignore[misc]

    def rstep(self) -> Contribution | None:
        """Take the last contribution back and return it; None at the start."""
        if not self._applied:
            return None
        if self._forgotten == len(self._applied):
            self._walk_again()
        if self.finished:
            self._take_grads()
        undone = self._applied.pop()
        if self.limit is not None:
            self._held -= undone.weight
        x = undone.input
        self._ledgers[x].pop()
        if undone.before is None:
            self._flow.pop(x, None)
        else:
            self._flow[x] = undone.before
        return undone

    def rnext(self) -> list[Contribution]:
        """Go back to the start of the current node, or of the one before when already there; returns what was taken back."""
        if not self._applied:
            return []
        start = self._first[bisect_right(self._first, self.position - 1) - 1]
        return [self.rstep() for _ in range(self.position - start)]  # type: ignore[misc]

    def goto(self, position: int) -> list[Contribution]:
        """Move to `position`, forward or back; returns what was applied or taken back. IndexError outside 0..len."""
        if not 0 <= position <= len(self):
            raise IndexError(f"position {position} is outside this pass: 0 to {len(self)}")
        move = self.step if position > self.position else self.rstep
        return [move() for _ in range(abs(position - self.position))]  # type: ignore[misc]

    def run(self) -> list[Contribution]:
        """Go on to the end; returns what was applied."""
        return self.goto(len(self))

    # Looking

    def flow(self, node: Node) -> Any:
        """What has arrived at `node` so far: a float, an array, or None before the first."""
        return self._flow.get(node)

    def ledger(self, node: Node) -> list[Contribution]:
        """The contributions that have arrived at `node`, in order."""
        return list(self._ledgers.get(node, ()))

    def arrivals(self, node: Node) -> tuple[int, int]:
        """(how many contributions have arrived at `node`, how many will)."""
        if self._expected is None:
            self._expected = {}
            for reader, slots in zip(self.order, self._slots):
                for slot in slots:
                    x = reader.inputs[slot]  # type: ignore[index]
                    self._expected[x] = self._expected.get(x, 0) + 1
        return len(self._ledgers.get(node, ())), self._expected.get(node, 0)

    def first(self, node: Node) -> int:
        """The position at which `node` sends its first contribution (`len` for one that sends none)."""
        number = self._numbers().get(node)
        return len(self) if number is None else self._first[number]

    def state(self, node: Node) -> str:
        """"constant" (no gradient comes here), "todo", "ready" (all has arrived), "current" or "done"."""
        number = self._numbers().get(node)
        if number is None:
            arrived, expected = self.arrivals(node)
            return "constant" if not expected else "done" if arrived == expected else "todo"
        if self.position >= self._first[number + 1] and self._slots[number]:
            return "done"
        if node is self.node:
            return "current"
        arrived, expected = self.arrivals(node)
        return "ready" if arrived == expected else "todo"

    # Inside

    def _numbers(self) -> dict[Node, int]:
        """The place of each node in the order (its first, where a wrong algorithm visits it again)."""
        if self._number is None:
            self._number = {node: number for number, node in reversed(list(enumerate(self.order)))}
        return self._number

    def _plan(self) -> list[engine.Step]:
        return engine.plan([self.root])

    def _arrive(self, x: Node, received: Any) -> None:
        self._flow.arrive(x, received)

    def _pull(self, number: int) -> tuple[Any, list[tuple[int, Any, Any]]]:
        """The gradient at one node, complete by now, and its products for all slots, computed once."""
        if self._pulled is None or self._pulled[0] != number:
            node, slots = self.order[number], self._slots[number]
            if node.inputs is None:
                raise freed(node)
            grad, found = self._flow.get(node), {}
            if grad.__class__ is float and node.backward_hooks is None:
                found = {pulled[0]: pulled for pulled in engine.pulled(node, grad, slots)}
            elif grad is not None:
                with quietly():
                    grad = engine.hooked(node, grad)
                    found = {pulled[0]: pulled for pulled in engine.pulled(node, grad, slots)}
            # A user's function may have nothing to say about an input: that edge hands on None.
            self._pulled = number, grad, [found.get(slot, (slot, None, None)) for slot in slots]
        return self._pulled[1:]

    def _forget_down_to(self, limit: int) -> None:
        """Let the arrays of the oldest contributions go, all but the last one's at most."""
        self._held += self._applied[-1].weight
        while self._held > limit and self._forgotten < len(self._applied) - 1:
            oldest = self._applied[self._forgotten]
            self._held -= oldest.weight
            oldest.forget()
            self._forgotten += 1

    def _walk_again(self) -> None:
        """Come to the present position from the start, to have the arrays of the last contributions once more."""
        position = self.position
        if self.finished:
            self._take_grads()
        self._flow = engine.Flow(self._start, reversible=True)
        self._applied, self._ledgers, self._pulled, self._held, self._forgotten = [], {}, None, 0, 0
        self.goto(position)

    def _give_grads(self) -> None:
        self._grads_before = []
        for node, grad in self._flow.items():
            if not engine.receives_grad(node):
                continue
            grad = engine.hooked(node, grad)
            held = node.grad  # type: ignore[attr-defined]
            self._grads_before.append((node, held))
            if isinstance(node, Value):
                node.grad = grad if held is None else held + grad
            else:
                node._grad = Tensor(grad.copy() if held is None else held.raw + grad)

    def _take_grads(self) -> None:
        for node, held in self._grads_before or ():
            node._grad = held
        self._grads_before = None


def _dense(product: Any) -> Any:
    """A contribution for people: the whole array, where the engine handed on a slice of it, or one result among several."""
    if product.__class__ is Part:
        return product.grad
    return product.dense() if hasattr(product, "dense") else product


def _reduction(product: Any, x: Node) -> str | None:
    """How a product was summed back to the shape of `x`: `sum axis 0: (3, 4) → (4,)`."""
    if product is None:
        return None
    have, want = getattr(product, "shape", ()), getattr(x.raw, "shape", ())
    if have == want or type(x.raw) not in BACKENDS and not have:
        return None
    axes = stretched_axes(have, want)
    named = f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
    return f"sum {named}: {have} → {want}"
