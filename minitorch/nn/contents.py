"""What modules hold, as a whole: collected into a state dict, loaded from one, converted, its gradients forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..backend import BACKENDS
from ..backend.gpus import beside
from ..core.device import Destination, device_of, moved
from ..core.modes import no_grad
from ..core.tensor import Tensor
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module


class IncompatibleKeys(NamedTuple):
    """What did not match in load_state_dict: paths that were not given, and given paths that the module lacks."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def collect(module: Module, prefix: str = "", keep_vars: bool = False) -> dict[str, Any]:
    """path -> tensor, in the order of registration: a module's parameters, its buffers, then the modules inside it."""
    return {path: tensor if keep_vars else tensor.detach() for path, (_, _, tensor) in places(module, prefix).items()}


def places(module: Module, prefix: str = "") -> dict[str, tuple[dict[str, Any], str, Tensor]]:
    """path -> (the dict that holds it, its name there, the tensor), for every tensor that is saved."""
    found: dict[str, tuple[dict[str, Any], str, Tensor]] = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        for held in (owner._parameters, owner._buffers):
            for name, tensor in held.items():
                if tensor is not None and (held is owner._parameters or name not in owner._not_saved):
                    found[f"{prefix}{path}.{name}" if path else f"{prefix}{name}"] = (held, name, tensor)
    return found


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """See Module.load_state_dict."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"load_state_dict takes a dict of path -> tensor, not {type(state_dict).__name__}")
    own = places(module)
    missing = [path for path in own if path not in state_dict]
    unexpected = [path for path in state_dict if path not in own]
    problems = []
    numbers = {path: _numbers(state_dict[path]) for path in own if path in state_dict}
    for path, array in numbers.items():
        if np.shape(array) != own[path][2].shape:
            problems.append(f"shape of {path} is {own[path][2].shape} in the module and {np.shape(array)} in the state dict")
    if strict and missing:
        problems.append("missing: " + ", ".join(missing))
    if strict and unexpected:
        problems.append("unexpected: " + ", ".join(unexpected))
    if problems:
        title = f"the state dict does not fit {type(module).__name__}, nothing was loaded:"
        raise RuntimeError("\n  ".join([title, *problems]))
    for path, array in numbers.items():
        held, name, tensor = own[path]
        if assign:
            held[name] = _assigned(state_dict[path], tensor)
        else:
            with beside(tensor.raw):
                tensor.raw[...] = moved(array, device_of(tensor.raw)).astype(tensor.dtype, copy=False)
            tensor.touch()
    return IncompatibleKeys(missing, unexpected)


def _numbers(value: Any) -> Any:
    """The plain array of a tensor (ours, on any device, or of a library that hands NumPy its numbers)."""
    if isinstance(value, Tensor):
        return value.raw
    return np.asarray(value.detach() if hasattr(value, "detach") else value)


def _assigned(value: Any, instead_of: Tensor) -> Tensor:
    tensor = value if isinstance(value, Tensor) else Tensor(_numbers(value))
    if not isinstance(instead_of, Parameter):
        return tensor
    return tensor if isinstance(tensor, Parameter) else Parameter(tensor, instead_of.requires_grad)


def convert(tensor: Tensor, to: Destination) -> None:
    """Replace the numbers of `tensor`, and of its gradient, by the same where `to` says, in its dtype if they are floats."""
    if to.dtype is not None and to.dtype.kind != "f":
        raise TypeError(f"the numbers that a module learns are floats, and cannot become {to.dtype}")
    with no_grad():
        for x in (tensor, tensor.grad):
            if x is None:
                continue
            array = x.raw if to.device is None else moved(x.raw, to.device, to.non_blocking)
            if to.dtype is not None and array.dtype.kind == "f":
                with beside(array):
                    array = array.astype(to.dtype, copy=False)
            if array is not x.raw:
                x.data = Tensor(array)


def forget_gradients(tensors: Iterable[Tensor], set_to_none: bool = True) -> None:
    """Set `.grad` to None, or its numbers to zero."""
    for tensor in tensors:
        if set_to_none:
            tensor.grad = None
        elif tensor.grad is not None:
            with beside(tensor.raw):
                tensor.grad = Tensor(BACKENDS[type(tensor.raw)].zeros_like(tensor.grad.raw))
