"""The wrong algorithms that everybody writes first, to be stepped beside the right one.

With `a = 1; b = a + a; c = b + b` the gradient of a is 4. Assigning instead of adding gives 1; recursion without an order
gives 6; not zeroing between two passes gives 4 + 4, and more in between.
"""

from __future__ import annotations

from typing import Any

from .node import Node, nodes_of
from .stepper import Plan, Stepper

RULES = {
    "assign": "a gradient that arrives replaces what was there (`=` instead of `+=`)",
    "noorder": "each arrival is passed on at once, with all that has arrived so far, without waiting for the rest",
    "nozero": "the pass starts from the gradients that an earlier one left behind, in every node",
}
LIMIT = 100_000
"""Contributions after which the naive recursion is refused: it visits every path, and paths grow as 2**depth."""


class WrongStepper(Stepper):
    """A backward pass by a wrong algorithm, stepped like the right one. Its result stays in `flow`; no `.grad` is touched.

    `rule` is a key of RULES. ValueError for another one, and for a graph on which "noorder" would take too long.
    """

    def __init__(self, root: Node, rule: str, gradient: Any = None) -> None:
        if rule not in RULES:
            raise ValueError(f"there is no rule '{rule}'; choose one of {', '.join(RULES)}")
        self.rule, self.replaces = rule, rule == "assign"
        super().__init__(root, gradient)
        if rule == "nozero":
            for reader in self.order:
                for x in nodes_of(reader.inputs):
                    if x._grad is not None:
                        self._start[x] = self._flow[x] = x._grad.raw if isinstance(x._grad, Node) else x._grad

    def left(self, node: Node) -> Any:
        """What an earlier pass left at `node`, where this one starts from it; None for nothing."""
        return None if node is self.root else self._start.get(node)

    def _plan(self) -> Plan:
        order, all_slots = super()._plan()
        if self.rule != "noorder":
            return order, all_slots
        slots = dict(zip(order, all_slots))
        visits: list[tuple[Node, int]] = []
        pending = [(self.root, slot) for slot in reversed(slots[self.root])]
        while pending:
            node, slot = pending.pop()
            visits.append((node, slot))
            if len(visits) > LIMIT:
                raise ValueError(f"recursion without an order takes more than {LIMIT:,} steps here: it follows every path")
            x = node.inputs[slot]  # type: ignore[index]
            pending += [(x, inner) for inner in reversed(slots.get(x, ()))]
        return [node for node, _ in visits], [(slot,) for _, slot in visits]

    def _complete(self, node: Node) -> Any:
        """What has arrived so far; without an order it may not be all, and hooks ask for all."""
        return self._flow.get(node)

    def _sent(self, node: Node, position: int) -> Any:
        return self._held(node, position)

    def _give_grads(self) -> None:
        """A wrong gradient is for looking at, not for using."""
