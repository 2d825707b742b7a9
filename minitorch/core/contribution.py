"""One edge's share of a backward pass, and many of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from ..backend import BACKENDS
from ..backend.gpus import beside
from ..backend.numpy import stretched_axes
from ..ops.index import Part
from . import backward as engine
from .modes import quietly
from .node import Node
from .op import Later, Op


class Contribution:
    """One edge's share of the pass: what `node` hands to its input number `slot`.

    `incoming` is the gradient that arrived at `node`; `local` the local derivative (None for operations that state a
    product instead); `product` their product, and `contribution` the same summed back over what broadcasting stretched,
    as `reduction` tells. `before` and `after` are what `input` has received without and with it (None: nothing yet).
    Numbers are floats and arrays, also in a pass that is recorded itself. What is there to be read (`label`, `rule`,
    `local`, `reduction`) is worked out when it is: a pass may have millions of these.

    Two looks at the same contribution are equal.
    """

    __slots__ = ("index", "node", "slot", "input", "_incoming", "_received", "_before", "_after", "_pulled")

    def __init__(
        self, index: int, node: Node, slot: int, input: Node, incoming: Any, received: Any, before: Any, after: Any,
        pulled: tuple[int, Any, Any] | None = None,
    ) -> None:  # fmt: skip
        self.index, self.node, self.slot, self.input = index, node, slot, input
        self._incoming, self._received, self._before, self._after, self._pulled = incoming, received, before, after, pulled

    @property
    def label(self) -> str:
        """The name of the slot: "a", "weight"."""
        return self._op.labels(self.slot + 1)[self.slot]

    @property
    def rule(self) -> str:
        """The derivative rule as it is written: `∂out/∂a = b`."""
        return self._op.formula(self.slot)

    @property
    def incoming(self) -> Any:
        """The gradient that has arrived at `node`, in the shape of its result."""
        return shown(self._incoming)

    @property
    def local(self) -> Any:
        """The local derivative, in the shape of the result; None where the operation states a product instead.
        RuntimeError where the numbers that the rule reads were edited since."""
        found = self._pull()[1]
        with beside(self.node.raw):
            return shown(found() if isinstance(found, Later) else found)

    @property
    def product(self) -> Any:
        """incoming × local, or what the operation's rule made of incoming: in the shape of the result. RuntimeError as for
        `local`."""
        return shown(self._pull()[2])

    @property
    def contribution(self) -> Any:
        """What the input receives, in its shape; None from a rule that has nothing to say."""
        return shown(self._received)

    @property
    def reduction(self) -> str | None:
        """How the product was summed back to the shape of the input: `sum axis 0: (3, 4) → (4,)`; None where it was not."""
        return _reduction(self._pull()[2], self.input)

    @property
    def before(self) -> Any:
        """What the input had received before this one; None for nothing."""
        return shown(self._before)

    @property
    def after(self) -> Any:
        """What the input has received with this one."""
        return shown(self._after)

    def _pull(self) -> tuple[int, Any, Any]:
        """(slot, local derivative, product), from the rule."""
        if self._pulled is None:
            self._pulled = (self.slot, None, None)
            if self._received is not None:
                recorded = isinstance(self._incoming, Node)
                with quietly():
                    (self._pulled,) = engine.pulled(self.node, self._incoming, (self.slot,), recorded)
        return self._pulled

    @property
    def _op(self) -> Op:
        assert self.node.op is not None
        return self.node.op

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Contribution):
            return NotImplemented
        return self.index == other.index and self.node is other.node and self.slot == other.slot

    def __hash__(self) -> int:
        return hash((self.index, id(self.node)))

    def __repr__(self) -> str:
        return f"Contribution({self.index}: {self._op.name} → {self.label}, {self.before} → {self.after})"


class Contributions(Sequence[Contribution]):
    """Some contributions of a pass, in order, each made when it is asked for. Ask before the stepper goes back beyond them."""

    def __init__(self, positions: Sequence[int], make: Callable[[int], Contribution]) -> None:
        self._positions, self._make = positions, make

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, which: int) -> Contribution: ...
    @overload
    def __getitem__(self, which: slice) -> Contributions: ...
    def __getitem__(self, which: int | slice) -> Contribution | Contributions:
        if isinstance(which, slice):
            return Contributions(self._positions[which], self._make)
        return self._make(self._positions[which])

    def __iter__(self) -> Iterator[Contribution]:
        return map(self._make, self._positions)

    def __repr__(self) -> str:
        return f"<{len(self)} contributions>"


def shown(number: Any) -> Any:
    """A gradient for people: the whole array, where the engine handed on a slice of it, one result among several, or a node.
    A list, with None for what has not arrived, is the gradient of an operation with several results."""
    if number.__class__ is Part:
        number = number.grad
    elif hasattr(number, "dense"):
        number = number.dense()
    elif number.__class__ is list:
        return [shown(part) for part in number]
    return number.raw if isinstance(number, Node) else number


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
