"""Model: a recorded graph as a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import naming
from ..core.apply import apply
from ..core.modes import scope
from ..core.node import Node, ancestors
from .module import Module
from .parameter import Parameter


class Model(Module):
    """The operations recorded between `inputs` and `outputs`, as a module that runs them on other inputs.

        x = minitorch.zeros(1, 2)
        h = hidden(x.requires_grad_()).tanh()
        model = nn.Model(x, out(h))
        model(batch)                      # the same operations, recorded anew

    `inputs` and `outputs` are a Value or Tensor, or a sequence of them; the model takes as many inputs, and returns one
    result or a list of them. What the outputs depend on besides the inputs is shared, not copied: the Parameters among it are
    `model.parameters()`, so that the model can be trained. An operation keeps what it was recorded with (a `reshape`
    its sizes, a dropout its draws: record in `eval()`); what was computed outside the graph (`.item()`, an `if`) stays.

    ValueError where an output does not depend on any of the inputs: these have to carry a gradient (`requires_grad_()`)
    while the graph is recorded.
    """

    def __init__(self, inputs: Node | Sequence[Node], outputs: Node | Sequence[Node]) -> None:
        super().__init__()
        self.__dict__["_inputs"] = [inputs] if isinstance(inputs, Node) else list(inputs)
        self.__dict__["_outputs"] = [outputs] if isinstance(outputs, Node) else list(outputs)
        self.__dict__["_single"] = isinstance(outputs, Node)
        self.__dict__["_steps"] = self._between()

    def _between(self) -> list[Node]:
        """The nodes to compute again, oldest first. The parameters they read become the model's."""
        behind = {node.stamp: node for output in self._outputs for node in ancestors(output)}
        nodes = [behind[stamp] for stamp in sorted(behind)]
        depends = set(self._inputs)
        steps = []
        for node in nodes:
            if node not in depends and any(isinstance(x, Node) and x in depends for x in node.inputs or ()):
                depends.add(node)
                steps.append(node)
        for number, output in enumerate(self._outputs):
            if output not in depends:
                which = f"output {number}" if len(self._outputs) > 1 else "the output"
                raise ValueError(
                    f"{which} of the model does not depend on its inputs: record the graph with inputs that carry a gradient "
                    "(x.requires_grad_())"
                )
        called = naming.names(nodes)
        read = {x: None for node in steps for x in node.inputs or () if isinstance(x, Parameter) and x not in depends}
        for x in read:
            self.register_parameter(called[x].replace(".", "_"), x)
        return steps

    def forward(self, *inputs: Any) -> Any:
        """The outputs for other inputs. TypeError for another number of them."""
        if len(inputs) != len(self._inputs):
            raise TypeError(f"this model takes {len(self._inputs)} inputs, not {len(inputs)}")
        now: dict[Node, Any] = dict(zip(self._inputs, inputs))
        for node in self._steps:
            assert node.op is not None
            with scope(node.scope):
                now[node] = apply(node.op, *(now.get(x, x) if isinstance(x, Node) else x for x in node.inputs or ()))
        found = [now[output] for output in self._outputs]
        return found[0] if self._single else found
