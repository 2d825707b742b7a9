"""`tensor.grad_fn`: the graph behind a tensor under PyTorch's names, for code that walks it there."""

from __future__ import annotations

from typing import Any

from .node import Node


class GradFn:
    """What will send a tensor's gradient on: to the inputs of the operation that made it, or into a leaf's `.grad`.

    Two of them are equal when they stand for the same node of the graph.
    """

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def name(self) -> str:
        """PyTorch's kind of name: "MulBackward0", or "AccumulateGrad" of a leaf."""
        return "AccumulateGrad" if self.node.op is None else f"{type(self.node.op).__name__}Backward0"

    @property
    def next_functions(self) -> tuple[tuple[GradFn | None, int], ...]:
        """For each input, in order, (its GradFn, 0); (None, 0) for one that needs no gradient. Empty for a leaf, and once
        backward has freed the graph."""
        return tuple((grad_fn(x), 0) for x in self.node.inputs or ())

    @property
    def variable(self) -> Any:
        """The leaf in whose `.grad` the gradient ends. AttributeError where an operation sends it on."""
        if self.node.op is not None:
            raise AttributeError(f"{self.name()} passes the gradient on; only AccumulateGrad has a variable")
        return self.node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GradFn) and other.node is self.node

    def __hash__(self) -> int:
        return hash(self.node)

    def __repr__(self) -> str:
        return f"<{self.name()}>"


def grad_fn(x: Any) -> GradFn | None:
    """Where the gradient of `x` goes on; None for a plain number, and for a tensor that needs no gradient."""
    return GradFn(x) if isinstance(x, Node) and x.requires_grad else None
