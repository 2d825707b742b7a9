"""The backward pass as data: the loop of backward.py, one contribution at a time, in both directions."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate, chain
from typing import Any

from ..backend import scalar
from ..backend.gpus import beside
from . import backward as engine
from . import location
from .contribution import Contribution, Contributions, shown
from .history import History
from .modes import quietly, state
from .node import Node, freed, notebook_picture
from .places import Places
from .tensor import Tensor
from .value import Value

ADD, MUL = engine.ADD, engine.MUL
Plan = tuple[list[Node], list[tuple[int, ...]]]
"""The nodes in the order of a pass, and for each the input numbers to which it hands something on."""


class Stepper:
    """The backward pass of `root`, paused: `step()` applies one contribution, `rstep()` takes it back.

        stepper = minitorch.Stepper(loss)
        while (done := stepper.step()) is not None:
            print(done.node, done.label, done.incoming, done.contribution)

    Positions count contributions: 0 is the start, `len(stepper)` the end. Leaves receive `.grad` when the end is reached
    and lose it again on the way back. Any walk restores every flow bit for bit (a reverted contribution puts the saved
    value back, it subtracts nothing), and at the end the gradients are those of
    `root.backward(gradient, create_graph=create_graph)`, bit for bit.

    The graph is kept. An error of a rule, or Ctrl-C, leaves the pass at the last whole contribution. Hooks on tensors are
    called once, the first time their gradient is complete. What stepping back needs are arrays; with `limit` (bytes) the
    oldest are let go when there are more, and going back so far walks again from a checkpoint.

    RuntimeError where `backward` refuses the root or the gradient, and for a leaf, from which there is no step.
    `plan` is what `plan_again` of another pass gave.
    """

    replaces = False
    """A contribution replaces what was there, instead of adding to it: one of the wrong algorithms."""

    def __init__(
        self, root: Node, gradient: Any = None, limit: int | None = None, create_graph: bool = False, plan: Plan | None = None
    ) -> None:
        self.root, self.limit, self.create_graph = root, limit, create_graph
        if root.op is None and root.requires_grad:
            raise RuntimeError(
                f"'{location.variable_name(root) or 'this'}' is a leaf: nothing was computed from it, so there is nothing to "
                "go back through; call backward on a result computed from it"
            )
        self._start: dict[Node, Any] = {root: engine.seed(root, gradient, create_graph)}
        self.order, self._slots = plan or self._plan()
        self._first = array("q", accumulate(map(len, self._slots), initial=0))  # the position at which each node begins
        self._inputs: list[Node] = [node.inputs[slot] for node, slots in zip(self.order, self._slots) for slot in slots]  # type: ignore[index]
        self._flow = dict(self._start)
        self._history = History(limit)
        self._pulled: tuple[int, Any, list[tuple[int, Any, Any]]] | None = None
        self._hooked: dict[Node, Any] = {}
        self._grads_before: tuple[list[Node], list[Any]] | None = None

    def __len__(self) -> int:
        return len(self._inputs)

    def __repr__(self) -> str:
        return f"<Stepper: step {self.position} of {len(self)}>"

    def _repr_svg_(self) -> str | None:
        """The paused pass as a picture, for notebooks; None where it cannot be drawn."""
        return notebook_picture(self)

    @property
    def position(self) -> int:
        """How many contributions have been applied."""
        return self._history.end

    @property
    def finished(self) -> bool:
        """True at the end of the pass, where `.grad` has been given out."""
        return self.position == len(self)

    @property
    def applied(self) -> Contributions:
        """The contributions applied so far, in order."""
        return Contributions(range(self.position), self._contribution)

    @property
    def last(self) -> Contribution | None:
        """The contribution applied last."""
        return self._contribution(self.position - 1) if self.position else None

    def peek(self) -> tuple[Node, int] | None:
        """(node, slot) of the next contribution, None at the end."""
        if self.finished:
            return None
        number = self._number_at(self.position)
        return self.order[number], self._slots[number][self.position - self._first[number]]

    @property
    def node(self) -> Node | None:
        """The node whose contribution is next, None at the end."""
        return None if self.finished else self.order[self._number_at(self.position)]

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays kept for the way back; at most about `limit`, where there is one."""
        return self._history.nbytes

    # Moving

    def step(self) -> Contribution | None:
        """Apply the next contribution and return it; None at the end. RuntimeError where its rule needs numbers that were
        edited since, or a graph that was freed."""
        if self.finished:
            return None
        self._advance(self.position + 1)
        return self.last

    def next(self) -> list[Contribution]:
        """Apply what is left of the current node's contributions, and return them."""
        start = self.position
        if self.finished:
            return []
        self._advance(self._first[self._number_at(start) + 1])
        return [self._contribution(position) for position in range(start, self.position)]

    def rstep(self) -> Contribution | None:
        """Take the last contribution back and return it; None at the start."""
        position = self.position - 1
        if position < 0:
            return None
        if position >= self._history.start:
            undone = self._contribution(position)
            self._back(position)
            return undone
        x = self._inputs[position]
        after = self._flow.get(x)
        self._back(position)
        return self._contribution(position, (self._flow.get(x), after))

    def rnext(self) -> list[Contribution]:
        """Go back to the start of the current node, or of the one before when already there; returns what was taken back."""
        start = self._first[self._number_at(self.position - 1)] if self.position else 0
        return [self.rstep() for _ in range(self.position - start)]  # type: ignore[misc]

    def goto(self, position: int) -> None:
        """Move to `position`, forward or back. IndexError outside 0..len."""
        if not 0 <= position <= len(self):
            raise IndexError(f"position {position} is outside this pass: 0 to {len(self)}")
        if position < self.position:
            self._back(position)
        else:
            self._advance(position)

    def run(self) -> None:
        """Go on to the end."""
        self.goto(len(self))

    # Looking

    def flow(self, node: Node) -> Any:
        """What has arrived at `node` so far: a float, an array (not to be edited), or None before the first. For an operation
        with several results, a list of them."""
        return shown(self._flow.get(node))

    def ledger(self, node: Node) -> Contributions:
        """The contributions that have arrived at `node`, in order."""
        numbers = self._places.of(node)
        return Contributions(numbers[: self.arrivals(node)[0]], self._contribution)

    def terms(self, node: Node) -> list[Any]:
        """What each contribution that has arrived at `node` brought, in order: their sum is the flow."""
        kept = self._history
        numbers = self._places.of(node)[: self.arrivals(node)[0]]
        return [shown(kept.received[i - kept.start] if i >= kept.start else self._received(i)) for i in numbers]

    def arrivals(self, node: Node) -> tuple[int, int]:
        """(how many contributions have arrived at `node`, how many will)."""
        return self._places.count(node, self.position)

    def grad_before(self, leaf: Node) -> Any:
        """What `.grad` of `leaf` held before this pass gave it its own, also after it has."""
        given = () if self._grads_before is None else zip(*self._grads_before)
        return next((held for node, held in given if node is leaf), leaf._grad)

    def complete_at(self, node: Node) -> int:
        """The position from which on all has arrived at `node`; 0 for the root, and for one that receives nothing."""
        numbers = self._places.of(node)
        return numbers[-1] + 1 if len(numbers) else 0

    def first(self, node: Node) -> int:
        """The position at which `node` sends its first contribution (`len` for one that sends none)."""
        number = self._numbers.next(node, 0)
        return len(self) if number is None else self._first[number]

    def state(self, node: Node) -> str:
        """"constant" (no gradient comes here), "todo", "ready" (all has arrived), "current" or "done"."""
        number = self._numbers.next(node, 0)
        arrived, expected = self.arrivals(node)
        if number is None:
            return "constant" if not expected else "done" if arrived == expected else "todo"
        if self.position >= self._first[number + 1] and self._slots[number]:
            return "done"
        if node is self.node:
            return "current"
        return "ready" if arrived == expected else "todo"

    # Inside

    @cached_property
    def _places(self) -> Places:
        """The contributions that each node receives."""
        return Places(self._inputs)

    @cached_property
    def _numbers(self) -> Places:
        """The place of each node in the order (several, where a wrong algorithm visits it again)."""
        return Places(self.order)

    def _number_at(self, position: int) -> int:
        """The place in the order of the node that contribution number `position` comes from."""
        return bisect_right(self._first, position) - 1

    def _plan(self) -> Plan:
        order = engine.recorded([self.root])
        return order, [engine.needed_slots(node) for node in order]

    def plan_again(self, made: Mapping[Node, Node]) -> Plan | None:
        """The plan of the graph that was computed again from other leaves (see `replay`): that of a new pass over it, found
        without looking through what stayed. None where a computed node was changed: what it came from may be out of it."""
        if any(old.op is not None and new.op is None for old, new in made.items()):
            return None
        known = set(map(id, made))
        again = [number for number, node in enumerate(self.order) if id(node) in known]
        stayed = list(zip([0, *(number + 1 for number in again)], [*again, len(self.order)]))
        order = [made[self.order[number]] for number in again]
        order += chain.from_iterable(self.order[start:stop] for start, stop in stayed)
        slots = [self._slots[number] for number in again]
        slots += chain.from_iterable(self._slots[start:stop] for start, stop in stayed)
        return order, slots

    def _advance(self, target: int) -> None:
        """Apply the contributions up to `target`."""
        flow, order, inputs, kept = self._flow, self.order, self._inputs, self._history
        keep_before, keep_received, limited = kept.before.append, kept.received.append, kept.limit is not None
        position = self.position
        number = self._number_at(position)
        try:
            with quietly():
                while position < target:
                    start, stop = self._first[number], self._first[number + 1]
                    products = None
                    if position == start and stop <= target:
                        products = _float_products(order[number], flow, self._slots[number])
                    if products is None:
                        products = [product for _, _, product in self._pull(number)[1]][position - start : target - start]
                    for product in products:
                        x = inputs[position]
                        before = flow.get(x)
                        if product.__class__ is float and x.raw.__class__ is float:
                            received = product
                            total = product if before is None or self.replaces else before + product
                        elif product is None:
                            received, total = None, before
                        else:
                            received = engine.fitted(product, x, self.create_graph)
                            with beside(x.raw):
                                total = engine.added(None if self.replaces else before, received)
                        keep_before(before)
                        keep_received(received)
                        if total is not None:
                            flow[x] = total
                        position += 1
                        if limited:
                            kept.grown(flow, inputs, lambda: self._places)
                    number += 1
            if position == len(self) and self._grads_before is None:
                self._give_grads()
        except BaseException:  # Ctrl-C too: the pass stays where its last whole contribution put it
            if position < len(self):
                self._restore(position)
            elif position:
                self._back(position - 1)
            raise

    def _back(self, target: int) -> None:
        """Take the contributions from `target` on back, or walk there again where what they replaced was let go."""
        self._take_grads()
        self._pulled = None
        if target >= self._history.start:
            self._restore(target)
        else:
            self._history.rewind(target, self._flow, self._start, self._inputs, self._places)
            self._advance(target)

    def _restore(self, target: int) -> None:
        """Put back what the contributions from `target` on replaced."""
        try:
            self._put_back(target)
        except KeyboardInterrupt:
            self._put_back(target)  # all of it, or the flows would be of different positions
            raise
        finally:
            self._history.shorten(target)

    def _put_back(self, target: int) -> None:
        flow = self._flow
        for x, before in zip(reversed(self._inputs[target : self.position]), reversed(self._history.before)):
            if before is not None:
                flow[x] = before
            else:
                flow.pop(x, None)

    def _pull(self, number: int) -> tuple[Any, list[tuple[int, Any, Any]]]:
        """The gradient at one node, complete by now, and its products for all slots, computed once."""
        if self._pulled is None or self._pulled[0] != number:
            node, slots = self.order[number], self._slots[number]
            if node.inputs is None:
                raise freed(node)
            grad = self._complete(node)
            if grad is None:
                self._pulled = number, None, [(slot, None, None) for slot in slots]
            else:
                found = {pulled[0]: pulled for pulled in engine.pulled(node, grad, slots, self.create_graph)}
                # A user's function may have nothing to say about an input: that edge hands on None.
                self._pulled = number, grad, [found.get(slot, (slot, None, None)) for slot in slots]
        return self._pulled[1:]

    def _complete(self, node: Node) -> Any:
        """What has arrived at `node`, complete by now, after its hooks have seen it and perhaps replaced it."""
        grad = self._flow.get(node)
        if grad is None or not node.backward_hooks:
            return grad
        if node not in self._hooked:
            self._hooked[node] = engine.hooked(node, grad)
        return self._hooked[node]

    def _sent(self, node: Node, position: int) -> Any:
        """The gradient at `node` from which contribution number `position` was made."""
        return self._complete(node)

    def _contribution(self, position: int, around: tuple[Any, Any] | None = None) -> Contribution:
        """Contribution number `position`, which has been applied; or `around` is (before, after)."""
        number = self._number_at(position)
        node, offset, x = self.order[number], position - self._first[number], self._inputs[position]
        kept = self._history
        if around is None and position >= kept.start:
            around = kept.before[position - kept.start], self._held(x, position + 1)
            received = kept.received[position - kept.start]
        else:
            around = around or (self._held(x, position), self._held(x, position + 1))
            received = self._received(position)
        pulled = self._pulled[2][offset] if self._pulled is not None and self._pulled[0] == number else None
        incoming = self._sent(node, position)
        return Contribution(position, node, self._slots[number][offset], x, incoming, received, around[0], around[1], pulled)

    def _held(self, x: Node, position: int) -> Any:
        """What `x` had received when `position` contributions were applied."""
        kept = self._history
        later = self._places.next(x, position) if position < self.position else None
        if later is None or later >= self.position:
            return self._flow.get(x)
        if later >= kept.start:
            return kept.before[later - kept.start]
        total = self._start.get(x)  # let go: added up again
        for earlier in self._places.of(x):
            if earlier < position and (received := self._received(earlier)) is not None:
                total = engine.added(total, received)
        return total

    def _received(self, position: int) -> Any:
        """What contribution number `position` brings, computed again."""
        number = self._number_at(position)
        node, slot = self.order[number], self._slots[number][position - self._first[number]]
        with quietly():
            found = engine.pulled(node, self._sent(node, position), (slot,), self.create_graph)
            product = found[0][2] if found else None
            return None if product is None else engine.fitted(product, self._inputs[position], self.create_graph)

    def _give_grads(self) -> None:
        """Hand out `.grad`, as backward does; what was there before is kept."""
        nodes: list[Any] = []
        self._grads_before = nodes, []
        keep_node, keep_held = nodes.append, self._grads_before[1].append
        for node, grad in self._flow.items():
            if node.backward_hooks:
                grad = self._complete(node)
            if node.__class__ is not Value and not engine.receives_grad(node):
                continue
            held = node._grad
            keep_node(node)
            keep_held(held)
            if isinstance(grad, Node) or not isinstance(node, Tensor):
                node._grad = grad if held is None else held + grad
            elif held is None or not held.requires_grad:
                with beside(node.raw):
                    node._grad = Tensor(grad.copy() if held is None else held.raw + grad)
            else:
                node._grad = held + Tensor(grad)

    def _take_grads(self) -> None:
        if self._grads_before is not None:
            for node, held in zip(*self._grads_before):
                node._grad = held
            self._grads_before = None


def _float_products(node: Node, flow: dict[Node, Any], slots: tuple[int, ...]) -> list[float] | None:
    """The products of an operation on Values alone, as engine.pulled has them; None for any other, and where there is
    something to look out for."""
    grad, op, stamp = flow.get(node), node.op, node.stamp
    if grad.__class__ is not float or not op.elementwise or state.anomaly:  # type: ignore[union-attr]
        return None
    raws = []
    for x in node.inputs or ():
        kind = x.__class__
        if kind is Value:
            if x.stamp > stamp:  # edited since
                return None
            raws.append(x.raw)
        elif kind is float or kind is int:
            raws.append(x)
        else:
            return None
    if op is ADD:
        return [grad] * len(slots)
    if op is MUL:
        return [grad * raws[1 - slot] for slot in slots]
    return [product for _, _, product in op.pull(scalar, grad, node.raw, None, slots, raws)]  # type: ignore[union-attr, arg-type]
