"""Model: a recorded graph as a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.apply import apply
from ..core.modes import scope
from ..core.node import Node, ancestors
from ..core.op import Op
from .module import Module
from .parameter import Parameter


class Model(Module):
    """The operations recorded between `inputs` and `outputs`, as a module that runs them on other inputs.

        x = minitorch.zeros(1, 2).requires_grad_()
        h = hidden(x).tanh()
        model = nn.Model(x, out(h))
        model(batch)                      # the same operations, recorded anew

    `inputs` and `outputs` are a Value or Tensor, or a sequence of them; the model takes as many inputs, and returns one
    result or a list of them. What the outputs depend on besides the inputs is shared, not copied: the Parameters among it are
    `model.parameters()`, so that the model can be trained. The model goes on when `backward` frees the recorded graph.

    An operation keeps what it was recorded with: a `reshape` its sizes, a dropout its draws, a batch norm the statistics
    that it then used (those of the batch, in training). Record in `eval()`, and with -1 for the batch in a `reshape`, for
    batches of any size. What was computed outside the graph (`.item()`, an `if`) stays as it was.

    ValueError where an output does not depend on any of the inputs (these have to carry a gradient, `requires_grad_()`,
    while the graph is recorded), or depends on them through a Function of one's own, which keeps no recipe for a second call.
    """

    def __init__(self, inputs: Node | Sequence[Node], outputs: Node | Sequence[Node]) -> None:
        super().__init__()
        self.__dict__["_inputs"] = [inputs] if isinstance(inputs, Node) else list(inputs)
        self.__dict__["_outputs"] = [outputs] if isinstance(outputs, Node) else list(outputs)
        self.__dict__["_single"] = isinstance(outputs, Node)
        self.__dict__["_steps"] = self._between()

    def _between(self) -> list[tuple[Node, Op, tuple[Any, ...]]]:
        """The nodes to compute again, oldest first, with what made them. The parameters they read become the model's."""
        behind = {node.stamp: node for output in self._outputs for node in ancestors(output)}
        nodes = [behind[stamp] for stamp in sorted(behind)]
        depends = set(self._inputs)
        steps: list[tuple[Node, Op, tuple[Any, ...]]] = []
        for node in nodes:
            if node.op is None or node in depends or not any(isinstance(x, Node) and x in depends for x in node.inputs or ()):
                continue
            if not hasattr(node.op, "forward"):
                raise ValueError(
                    f"an output of the model comes through {node.op.name}, a Function of its own, which a recorded graph "
                    "cannot call again: make a Module of it, and call that"
                )
            depends.add(node)
            steps.append((node, node.op, node.inputs or ()))
        for number, output in enumerate(self._outputs):
            if output not in depends:
                which = f"output {number}" if len(self._outputs) > 1 else "the output"
                raise ValueError(
                    f"{which} of the model does not depend on its inputs: record the graph with inputs that carry a gradient "
                    "(x.requires_grad_())"
                )
        for node, op, inputs in steps:
            for label, x in zip(op.labels(len(inputs)), inputs):
                if isinstance(x, Parameter) and x not in depends:
                    self._adopt(x, f"{node.scope}.{label}" if node.scope else x.name or label)
        return steps

    def _adopt(self, parameter: Parameter, name: str) -> None:
        """Make a parameter the model's, under the name it has in its module; the second of a name with a number."""
        if not any(parameter is mine for mine in self._parameters.values()):
            name = name.replace(".", "_").replace("[", "_").replace("]", "")
            taken = sum(mine == name or mine.startswith(f"{name}_again") for mine in self._parameters)
            self.register_parameter(f"{name}_again{taken}" if taken else name, parameter)

    def forward(self, *inputs: Any) -> Any:
        """The outputs for other inputs. TypeError for another number of them; ValueError, with the recorded shapes, where an
        operation does not take theirs."""
        count = len(self._inputs)
        if len(inputs) != count:
            raise TypeError(f"this model takes {count} input{'s' * (count != 1)}, not {len(inputs)}")
        now: dict[Node, Any] = dict(zip(self._inputs, inputs))
        for node, op, recorded in self._steps:
            with scope(node.scope):
                try:
                    now[node] = apply(op, *(now.get(x, x) if isinstance(x, Node) else x for x in recorded))
                except ValueError as error:
                    raise ValueError(f"{error}; {self._recorded()}") from None
        found = [now[output] for output in self._outputs]
        return found[0] if self._single else found

    def _recorded(self) -> str:
        """What the inputs were, for the message when others do not fit."""
        shapes = " and ".join(str(tuple(np.shape(x.raw))) for x in self._inputs)
        return f"the model was recorded with input of shape {shapes}, and its operations keep their sizes and draws"
