"""What a network is made of: its layers, the shapes between them, how many numbers it learns and how much it multiplies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import minitorch
from minitorch import Tensor, nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass
class Layer:
    """One line of a summary.

    Attributes:
        path: the module's name in the model, as `named_modules` gives it.
        kind: its class.
        shape: of what it returns, batch included.
        parameters: numbers it holds; those shared with an earlier layer are counted there.
        multiply_adds: for one example, in all its calls; None where this is not known.
        calls: how often the model calls it.
    """

    path: str
    kind: str
    shape: str
    parameters: int
    multiply_adds: int | None
    calls: int = 1


def summary(model: nn.Module, *inputs: Tensor, depth: int | None = None) -> list[Layer]:
    """The layers of a model, in the order in which they are first called.

    The model is run once on `inputs`, in evaluation mode and without recording; it is left as it was.

    Args:
        model: any module.
        inputs: what it is called with; the first dimension counts the examples.
        depth: take a module this many levels down as one line, with all that is in it; None for every layer.

    Raises:
        whatever the model raises for these inputs.
    """
    modules = dict(model.named_modules())
    calls: dict[str, list[tuple[str, int | None]]] = {}  # of each module: what it returned, and its own multiply-adds

    def watcher(path: str) -> Any:
        def look(module: nn.Module, args: Any, out: Any) -> None:
            calls.setdefault(path, []).append((shape_of(out), multiply_adds(module, args, out)))

        return look

    handles = [module.register_forward_hook(watcher(path)) for path, module in modules.items()]
    was_training = {path: module.training for path, module in modules.items()}
    model.eval()
    try:
        with minitorch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for path, training in was_training.items():
            modules[path].training = training

    layers: list[Layer] = []
    counted: set[int] = set()
    for path in calls:
        level = path.count(".") + 1 if path else 0
        whole = level == depth  # with all that is in it
        own = list(modules[path].parameters(recurse=whole))
        if not whole and ((depth is not None and level > depth) or (list(modules[path].children()) and not own)):
            continue
        inside = [seen for name, seen in calls.items() if name == path or (whole and name.startswith(path and path + "."))]
        work = [work for seen in inside for _, work in seen]
        total = None if None in work else sum(w for w in work if w is not None) // len(inputs[0])
        new = sum(p.numel() for p in own if id(p) not in counted)
        counted.update(map(id, own))
        layers.append(Layer(path or "model", type(modules[path]).__name__, calls[path][-1][0], new, total, len(calls[path])))
    return layers


def multiply_adds(module: nn.Module, args: Any, out: Any) -> int | None:
    """Of one call, for all its examples. Matrices and kernels count; what goes over each element once (ReLU, norms) does not.

    Every output of a linear layer, and every output pixel of a convolution, multiplies with its share of the weight once; in a
    transposed convolution every input pixel does, and in a recurrent layer every step of every sequence. None for a layer of
    another kind that has matrices. What two computed tensors multiply with each other, as in attention, is not counted.
    """
    if isinstance(module, nn.Linear) or isinstance(module, CONVOLUTIONS):
        return int(out.numel() // module.weight.shape[0] * module.weight.numel())
    if isinstance(module, TRANSPOSED):
        return int(args[0].numel() // module.weight.shape[0] * module.weight.numel())
    own = list(module.parameters(recurse=False))
    if isinstance(module, nn.RNNBase):
        return int(args[0].numel() // module.input_size * sum(p.numel() for p in own if p.ndim == 2))
    return None if any(p.ndim > 1 for p in own) and not isinstance(module, nn.Embedding) else 0


def shape_of(out: Any) -> str:
    """(1, 10), or several of them."""
    if isinstance(out, Tensor):
        return str(tuple(out.shape))
    if isinstance(out, dict):
        out = list(out.values())
    return " ".join(shape_of(part) for part in out) if isinstance(out, (list, tuple)) else type(out).__name__


def table(model: nn.Module, layers: Sequence[Layer]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows; the last row is the whole model."""
    cells = [(layer.path + (f" ×{layer.calls}" if layer.calls > 1 else ""), layer.kind, layer.shape,
              f"{layer.parameters:,}" if layer.parameters else "",
              "?" if layer.multiply_adds is None else f"{layer.multiply_adds:,}" if layer.multiply_adds else "")
             for layer in layers]
    known = sum(layer.multiply_adds or 0 for layer in layers)
    unknown = " + ?" if any(layer.multiply_adds is None for layer in layers) else ""
    total = ("in all", "", "", f"{sum(p.numel() for p in model.parameters()):,}", f"{known:,}{unknown}")
    return ("layer", "kind", "output", "parameters", "multiply-adds"), [*cells, total]
