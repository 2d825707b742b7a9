"""Modules and parameters in rows and under keys, so that they count as parts of the module that holds them."""

from __future__ import annotations

import itertools
import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.tensor import Tensor
from .module import Module, bracketed, indented
from .parameter import Parameter


class _Row(Module):
    """Modules by number: "0", "1", ... What Sequential and ModuleList share."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(m is module for m in self._modules.values())

    def _name(self, index: int) -> str:
        """The name of module number `index`, counted from the end if negative."""
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no module {number} among {len(self)}")
        return list(self._modules)[number]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(list(self._modules.items())[index])
        return self._modules[self._name(index)]

    def _of(self, items: list[tuple[str, Any]]) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        self.register_module(self._name(index), module)

    def __delitem__(self, index: Any) -> None:
        names = [self._name(index)] if not isinstance(index, slice) else list(self._modules)[index]
        self._refill([(name, m) for name, m in self._modules.items() if name not in names])

    def _refill(self, items: list[tuple[str, Any]]) -> None:
        """Keep these; numbered names are counted again."""
        for name in list(self._modules):
            delattr(self, name)
        for number, (name, module) in enumerate(items):
            self.register_module(str(number) if name.isdigit() else name, module)

    def append(self, module: Module) -> Any:
        """Add a module at the end; returns self."""
        self.register_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end; returns self."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before number `index`; returns self."""
        items = list(self._modules.items())
        items.insert(index, ("0", module))
        self._refill(items)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take a module out, the last by default."""
        module = self[index]
        del self[index]
        return module


class Sequential(_Row):
    """Modules one after the other: each gets what the one before gave. `Sequential(a, b)` or `Sequential({"name": a})`.

    A slice of it is a Sequential of the same modules.
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.register_module(name, module)
        else:
            for number, module in enumerate(modules):
                self.register_module(str(number), module)

    def _of(self, items: list[tuple[str, Any]]) -> Sequential:
        return type(self)(OrderedDict(items))

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return Sequential(*self, *other)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input


class ModuleList(_Row):
    """A list of modules whose parameters count as the parameters of the module that holds the list."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def __repr__(self) -> str:
        """Equal neighbours on one line: (0-11): 12 x Block(...)"""
        lines = []
        for text, run in itertools.groupby(enumerate(self), lambda pair: repr(pair[1])):
            numbers = [number for number, _ in run]
            first, last = numbers[0], numbers[-1]
            body = indented(text)
            lines.append(f"({first}): {body}" if first == last else f"({first}-{last}): {len(numbers)} x {body}")
        return bracketed(type(self).__name__, self.extra_repr(), lines)

    def _of(self, items: list[tuple[str, Any]]) -> ModuleList:
        return type(self)(module for _, module in items)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return type(self)([*self, *other])


class ModuleDict(Module):
    """Modules by name, whose parameters count as the parameters of the module that holds the dict."""

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Any) -> None:
        """Add modules from a mapping or from pairs."""
        for name, module in modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules:
            self[name] = module

    def __getitem__(self, name: str) -> Any:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.register_module(name, module)

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def items(self) -> Any:
        """(name, module) pairs."""
        return self._modules.items()

    def pop(self, name: str) -> Any:
        """Take a module out."""
        module = self[name]
        del self[name]
        return module

    def clear(self) -> None:
        """Take all out."""
        for name in list(self):
            del self[name]


class ParameterList(Module):
    """A list of parameters. Tensors in it become parameters."""

    def __init__(self, parameters: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(parameters or ())

    def append(self, parameter: Any) -> ParameterList:
        """Add one at the end; returns self."""
        self.register_parameter(str(len(self)), _as_parameter(parameter))
        return self

    def extend(self, parameters: Iterable[Any]) -> ParameterList:
        """Add some at the end; returns self."""
        for parameter in list(parameters):
            self.append(parameter)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def __getitem__(self, index: Any) -> Any:
        found = list(self._parameters.values())[index]
        return ParameterList(found) if isinstance(index, slice) else found

    def __setitem__(self, index: int, parameter: Any) -> None:
        name = list(self._parameters)[operator.index(index)]
        self._parameters[name] = _as_parameter(parameter)

    def __repr__(self) -> str:
        return bracketed(type(self).__name__, "", [_line(name, p) for name, p in self._parameters.items()])


class ParameterDict(Module):
    """Parameters by name. Tensors in it become parameters."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def update(self, parameters: Any) -> None:
        """Add parameters from a mapping or from pairs."""
        for name, parameter in parameters.items() if isinstance(parameters, (Mapping, ParameterDict)) else parameters:
            self[name] = parameter

    def __getitem__(self, name: str) -> Any:
        return self._parameters[name]

    def __setitem__(self, name: str, parameter: Any) -> None:
        self.register_parameter(name, _as_parameter(parameter))

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def keys(self) -> Any:
        """The names."""
        return self._parameters.keys()

    def values(self) -> Any:
        """The parameters."""
        return self._parameters.values()

    def items(self) -> Any:
        """(name, parameter) pairs."""
        return self._parameters.items()

    def __repr__(self) -> str:
        return bracketed(type(self).__name__, "", [_line(name, p) for name, p in self._parameters.items()])


def _as_parameter(x: Any) -> Any:
    return Parameter(x) if isinstance(x, Tensor) and not isinstance(x, Parameter) else x


def _line(name: str, parameter: Any) -> str:
    return f"({name}): Parameter containing: {parameter.dtype} of shape {parameter.shape}"
