"""What the functions of the public namespaces say to an argument that is no tensor: one sentence, which names it."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from .node import Node

OTHERS = ("generator", "dtype", "device")
"""Parameters that take something else than tensors."""


def explain(namespace: dict[str, Any]) -> None:
    """Let the functions in a module's namespace that are defined in ops/ say it. What calls them by their home (methods of
    Tensor, other operations) does not pass through here. Functions of one elementwise operation say it already (`constant`)."""
    module = namespace["__name__"]
    for name, found in namespace.items():
        if isinstance(found, FunctionType) and ".ops." in found.__module__ and "__file__" in found.__globals__:
            namespace[name] = made = explained(found)
            if ".ops." in made.__module__:  # where pickle is to look for it
                made.__module__, made.__qualname__ = module, found.__name__ if found.__name__ in namespace else name


@functools.cache
def explained(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; that a list has no attribute `ndim` becomes a TypeError in the user's terms."""

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (AttributeError, TypeError) as error:
            wrong = no_tensor(function, args, kwargs, error)
            if wrong is None:
                raise
            label, value = wrong
            kind = "None" if value is None else f"the {type(value).__name__} {value!r:.60}"
            way_out = "" if label in OTHERS else "; minitorch.tensor(...) makes a Tensor of numbers"
            raise TypeError(f"{checked.__qualname__} cannot take {kind} as '{label}'{way_out}") from None

    return checked


def no_tensor(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], error: AttributeError | TypeError
) -> tuple[str, Any] | None:
    """The argument that should have been a tensor, and its name; None where something else went wrong."""
    if isinstance(error, AttributeError):
        wrong = error.obj
        return None if isinstance(wrong, Node) else next((x for x in _given(function, args, kwargs) if x[1] is wrong), None)
    if not re.match(r"unsupported operand|bad operand|'.+' not supported", str(error)):
        return None
    kinds = {"list", "tuple", "str"}.intersection(re.findall(r"'(\w+)'", str(error)))
    return next((x for x in _given(function, args, kwargs) if type(x[1]).__name__ in kinds), None)


def _given(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arguments of a call with their names, those without a default first; of a list of tensors, each."""
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs).arguments
    for name in sorted(bound, key=lambda name: signature.parameters[name].default is not inspect.Parameter.empty):
        yield name, bound[name]
    for name, value in bound.items():
        yield from _within(name, value)


def _within(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (list, tuple)):
        for i, x in enumerate(value):
            yield f"{name}[{i}]", x
            yield from _within(f"{name}[{i}]", x)
