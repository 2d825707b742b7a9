"""Local derivatives of a graph that nobody has stepped through yet."""

from __future__ import annotations

from typing import Any

from minitorch.core.backward import pulled
from minitorch.core.modes import quietly
from minitorch.core.node import Node
from minitorch.core.op import Later

LARGEST = 1_000_000  # elements; beyond, the rule is shown instead of its numbers


def local_derivative(node: Node, slot: int) -> Any:
    """∂out/∂input for an elementwise operation, a number or an array; None for other operations, for very large arrays,
    and where an input was edited since (the numbers that the derivative needs are gone)."""
    if node.op is None or not node.op.elementwise or getattr(node.raw, "size", 1) > LARGEST:
        return None
    try:
        with quietly():
            [(_, local, _)] = pulled(node, node.raw, (slot,), False)  # any gradient of that shape: its product is dropped
    except RuntimeError:
        return None
    return local() if isinstance(local, Later) else local
