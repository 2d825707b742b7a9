"""Module: what every layer and model is. It keeps parameters, buffers and other modules, and names them by path."""

from __future__ import annotations

import difflib
import importlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..core.device import destination
from ..core.hooks import RemovableHandle
from ..core.modes import state
from ..core.tensor import Tensor
from . import contents
from .hooks import Hook, call_with_hooks
from .parameter import Parameter

Self = TypeVar("Self", bound="Module")

_edits = itertools.count(1).__next__
_structure = 0
"""Counts changes to the tree of any module: the paths that outermost modules remember hold as long as it stands still."""


class Path(str):
    """Where a module stands in the model that was called ("encoder.0.attn"). `model` is the id of that model and `kind` its
    class: two models called one after another, as a GAN's are, may have parts of the same path."""

    model: int
    kind: str

    @classmethod
    def inside(cls, model: Module, path: str) -> Path:
        """A path below `model`."""
        made = cls(path)
        made.model, made.kind = id(model), type(model).__name__
        return made


class Module:
    """The base of layers and models. A subclass calls `super().__init__()`, assigns its parts to attributes, and
    defines `forward`; `model(x)` then runs it, and every node it makes knows the path of its module.
    """

    training: bool = True

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _not_saved=set(),  # names of buffers that state_dict leaves out
            _hooks={},
            _paths=(0, {}),
        )

    # Running

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass has its own. Call the module itself, `model(x)`, not this."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, with the hooks around it; the nodes made inside get this module's path as their scope."""
        before, paths = state.scope, state.module_paths
        outermost = paths is None
        if paths is None:
            state.module_paths = paths = self._module_paths(before)
        path = paths.get(id(self), before)  # a module that the outermost does not know: part of its caller
        if path:
            state.scope = path
            if not before:
                state.refresh()
        try:
            if self._hooks:
                return call_with_hooks(self, self._hooks, args, kwargs)
            return self.forward(*args, **kwargs)
        finally:
            if outermost:
                state.module_paths = None
            if path:
                state.scope = before
                if not before:
                    state.refresh()

    def _module_paths(self, outside: str) -> dict[int, str]:
        """id -> path of this module and all below it, worked out again after a change to any module."""
        version, paths = self._paths
        if version != _structure or paths.get(id(self)) != "":  # the second: this module is a copy of another
            paths = {id(module): Path.inside(self, path) for path, module in self.named_modules()}
            self.__dict__["_paths"] = (_structure, paths)
        return {key: f"{outside}.{path}" if path else outside for key, path in paths.items()} if outside else paths

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns (if not None) replaces the arguments."""
        return RemovableHandle(self._hooks, Hook("forward_pre", hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; what it returns (if not None) replaces the output."""
        return RemovableHandle(self._hooks, Hook("forward", hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of the outputs are there, tuples of tensors; what it
        returns (if not None) replaces them."""
        return RemovableHandle(self._hooks, Hook("backward_pre", hook), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are there too; what it returns
        (if not None) replaces grad_input. Only tensors among the positional arguments count as inputs."""
        return RemovableHandle(self._hooks, Hook("backward", hook), prepend)

    # Parts

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under `name`; None keeps the name for an optional one that is absent."""
        self._check_name(name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"parameter '{name}' is a {type(param).__name__}; wrap it: nn.Parameter(...)")
        if param is not None and param.op is not None:
            raise ValueError(f"parameter '{name}' was computed by {param.op.name}; a parameter is a leaf: use .detach()")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state and not learned (running statistics, masks).

        Buffers move with the module and, unless not `persistent`, are saved with it.
        """
        self._check_name(name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"buffer '{name}' is a {type(tensor).__name__}; a buffer is a tensor: minitorch.tensor(...)")
        self._buffers[name] = tensor
        (self._not_saved.discard if persistent else self._not_saved.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a module under `name`, which becomes part of the paths of what is inside it."""
        global _structure
        self._check_name(name, "_modules")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"'{name}' is a {type(module).__name__}, not a Module")
        self._modules[name] = module
        _structure = _edits()

    add_module = register_module

    def _check_name(self, name: str, where: str) -> None:
        if "_modules" not in self.__dict__:
            raise AttributeError(_no_init(self))
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{name!r} cannot name a part of a module: a name is a text without dots, and not empty")
        taken = name in self.__dict__ or hasattr(type(self), name)
        taken = taken or any(name in self.__dict__[kind] for kind in ("_parameters", "_buffers", "_modules") if kind != where)
        if taken:
            raise KeyError(f"'{type(self).__name__}' already has an attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        parts = self.__dict__
        if isinstance(value, Parameter):
            self._make_room(name, "_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._make_room(name, "_modules")
            self.register_module(name, value)
        elif name in parts.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign a {type(value).__name__} to the parameter '{name}'; wrap it in nn.Parameter(...), or "
                    f"edit the parameter in place under no_grad()"
                )
            self._parameters[name] = None
        elif name in parts.get("_modules", ()):
            if value is not None:
                raise TypeError(f"cannot assign a {type(value).__name__} to the module '{name}'; only a Module or None")
            self.register_module(name, None)
        elif name in parts.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign a {type(value).__name__} to the buffer '{name}'; only a Tensor or None")
            self._buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _make_room(self, name: str, where: str) -> None:
        """Forget what else went by this name, so that it can become a part of another kind."""
        if "_modules" not in self.__dict__:
            raise AttributeError(_no_init(self))
        if name not in self.__dict__[where]:
            self.__dict__.pop(name, None)
            for kind in ("_parameters", "_buffers", "_modules"):
                self.__dict__[kind].pop(name, None)

    def __getattr__(self, name: str) -> Any:
        # Called only when the ordinary look-up has failed.
        parts = self.__dict__
        parameters = parts.get("_parameters")
        if parameters is not None:
            if name in parameters:
                return parameters[name]
            modules, buffers = parts["_modules"], parts["_buffers"]
            if name in modules:
                return modules[name]
            if name in buffers:
                return buffers[name]
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # a property that failed inside: its own error, once more
        if parameters is None:
            raise AttributeError(_no_init(self))
        message = f"'{type(self).__name__}' object has no attribute '{name}'"
        near = difflib.get_close_matches(name, (n for n in dir(self) if not n.startswith("_")), 1)
        raise AttributeError(f"{message}. Did you mean '{near[0]}'?" if near else message)

    def __delattr__(self, name: str) -> None:
        global _structure
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._not_saved.discard(name)
                _structure = _edits()
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        parts = self.__dict__
        names = {*dir(type(self)), *parts}
        return sorted(names.union(*(parts.get(kind, ()) for kind in ("_parameters", "_buffers", "_modules"))))

    # Walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(path, module) for this module ("" is its path) and all below it, each module once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for the modules directly inside this one, each once."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly inside this one."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) for all parameters ("encoder.0.weight"), shared ones once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, shared ones once: what an optimizer takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(path, buffer) for all buffers."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        owners = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in owners:
            for name, tensor in module.__dict__[kind].items():
                if tensor is not None and id(tensor) not in seen:
                    if remove_duplicate:
                        seen.add(id(tensor))
                    yield f"{path}.{name}" if path else name, tensor

    def get_submodule(self, target: str) -> Module:
        """The module at a path ("encoder.0"; "" is this one). AttributeError where the path leads nowhere."""
        module: Any = self
        for name in target.split(".") if target else ():
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"'{name}' in '{target}' is a {type(module).__name__}, not a module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path ("encoder.0.weight")."""
        return self._get(target, "_parameters", "parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path."""
        return self._get(target, "_buffers", "buffer")

    def _get(self, target: str, kind: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        found = getattr(owner, name)  # for its message
        if name not in owner.__dict__[kind]:
            raise AttributeError(f"'{target}' is a {type(found).__name__}, not a {what}")
        return found

    # Changing

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module inside, then on this one; returns this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Training mode for this module and all below it (dropout drops, batch norm learns its statistics)."""
        for module in self.modules():
            object.__setattr__(module, "training", bool(mode))
        return self

    def eval(self: Self) -> Self:
        """Evaluation mode: `train(False)`."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Learn all parameters, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with `set_to_none=False` they become zeros."""
        contents.forget_gradients(self.parameters(), set_to_none)

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device, or change the dtype of the parameters and buffers that hold floats. Returns the module.

        `to("cuda")`, `to(minitorch.float64)`, `to(other_tensor)`, and `device=`, `dtype=`, `non_blocking=`.
        """
        wanted = destination(*args, **kwargs)
        for module in self.modules():
            for tensor in (*module._parameters.values(), *module._buffers.values()):
                if tensor is not None:
                    contents.convert(tensor, wanted)
        return self

    def float(self: Self) -> Self:
        """Parameters and buffers of floats as float32."""
        return self.to(dtype="float32")

    def double(self: Self) -> Self:
        """Parameters and buffers of floats as float64."""
        return self.to(dtype="float64")

    def half(self: Self) -> Self:
        """Parameters and buffers of floats as float16."""
        return self.to(dtype="float16")

    def cpu(self: Self) -> Self:
        """Parameters and buffers in main memory."""
        return self.to(device="cpu")

    def cuda(self: Self, device: Any = None) -> Self:
        """Parameters and buffers on the GPU (number `device` of several)."""
        return self.to(device="cuda" if device is None else device)

    # Saving

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Any]:
        """path -> tensor for all parameters and persistent buffers. They share memory with the module: clone to keep.

        With `keep_vars`, the parameters themselves and not detached tensors.
        """
        return contents.collect(self, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> contents.IncompatibleKeys:
        """Copy numbers into parameters and buffers by path; values are tensors or anything NumPy reads.

        Raises RuntimeError listing every shape that does not fit and, if `strict`, every missing and unexpected path;
        nothing is changed then. Without `strict` it returns them. `assign` takes the tensors themselves, with their dtype.
        """
        return contents.load(self, state_dict, strict, assign)

    # Showing

    def extra_repr(self) -> str:
        """What a subclass wants its repr to say inside the parentheses."""
        return ""

    def _repr_html_(self) -> str:
        """The table of parts and parameters, for notebooks."""
        return importlib.import_module("viz").module_table(self)

    def __repr__(self) -> str:
        lines = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        return bracketed(type(self).__name__, self.extra_repr(), lines)


def bracketed(title: str, extra: str, lines: list[str]) -> str:
    """`Title(extra)`, or the parts on lines of their own."""
    extra_lines = extra.split("\n") if extra else []
    if not lines and len(extra_lines) <= 1:
        return f"{title}({extra})"
    return f"{title}(\n  " + "\n  ".join(extra_lines + lines) + "\n)"


def indented(text: str) -> str:
    """The lines of a part's repr after the first, one level further in."""
    return text.replace("\n", "\n  ")


def _no_init(module: Module) -> str:
    name = type(module).__name__
    return f"{name}.__init__ has to call super().__init__() before it assigns parts or uses them"
