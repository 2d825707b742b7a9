"""The strict device: arrays with CuPy's manners, on which the operations run where there is no GPU.

A `StrictArray` never turns into a NumPy array by itself, refuses to be mixed with one (or with a NumPy scalar), keeps the
result of a reduction as a 0-d array of its own, has no object arrays, and gives a number to Python only through `.item()`.
Code that passes here passes those manners of CuPy too. Where the two could differ, this one is the stricter: `float(x)` and
`if x:` are errors (in CuPy they wait for the device, unseen), and NumPy's functions are (CuPy dispatches them).

Importing this module registers the device; `strict(array)` puts a NumPy array on it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.backend import numpy as host
from minitorch.backend.into import Into


class StrictArray:
    """An array on the strict device."""

    __slots__ = ("_host", "base", "__weakref__")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: np.ndarray, base: StrictArray | None = None) -> None:
        if array.dtype.kind not in "biuf":
            raise TypeError(f"the device has no arrays of {array.dtype}")
        self._host = array
        self.base = base
        """The array whose memory this one shares, as NumPy's and CuPy's `base`."""

    # What may be asked without touching the elements

    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    dtype = property(lambda self: self._host.dtype)
    strides = property(lambda self: self._host.strides)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    flags = property(lambda self: self._host.flags)
    T = property(lambda self: leave(self._host.T, self))

    def __len__(self) -> int:
        return len(self._host)

    # The ways to the host: these two, which say so

    def item(self) -> Any:
        return self._host.item()

    def get(self) -> np.ndarray:
        return self._host.copy()

    def tolist(self) -> Any:
        return self._host.tolist()

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError("implicit conversion to a NumPy array is not allowed; use .get()")

    # NumPy's protocols, through which np.add(a, b) reaches the device: only where a test allows it

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if any(getattr(type(x), "__array_ufunc__", x) is None for x in args):
            return NotImplemented  # a Tensor or Value answers for itself
        if not _allowed:
            raise TypeError(f"numpy.{ufunc.__name__} is not for arrays of the device: use the backend's")
        given = [enter(x) for x in args]
        found = getattr(ufunc, method)(*given, **kwargs, **({} if out is None else {"out": tuple(enter(x) for x in out)}))
        return leave(found, *args) if out is None else out[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in (np.shape, np.ndim, np.size) and not _allowed:
            raise TypeError(f"numpy.{function.__name__} is not for arrays of the device: use the backend's")
        return leave(function(*enter(list(args)), **{key: enter(x) for key, x in kwargs.items()}), *args)

    def _no_number(self) -> Any:
        raise TypeError("implicit conversion to a Python number is not allowed; use .item()")

    __float__ = __int__ = __bool__ = __index__ = __complex__ = _no_number

    def __repr__(self) -> str:
        return f"StrictArray({np.array2string(self._host, separator=', ')}, {self.dtype})"

    # Elements

    def __getitem__(self, index: Any) -> StrictArray:
        key = enter(index)
        found = self._host[key]
        if isinstance(found, np.generic):  # NumPy hands out a scalar here, CuPy a 0-d view
            found = self._host[(*key, ...) if isinstance(key, tuple) else (key, ...)]
        return leave(found, self)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._host[enter(index)] = enter(value)

    def __iter__(self) -> Iterator[StrictArray]:
        return (self[i] for i in range(len(self)))


_allowed: list[bool] = []


@contextmanager
def numpy_protocols() -> Iterator[None]:
    """NumPy's own functions work on the device's arrays inside, as CuPy lets them."""
    _allowed.append(True)
    try:
        yield
    finally:
        _allowed.pop()


def strict(array: Any) -> StrictArray:
    """A NumPy array (or a number) on the strict device, copied."""
    return StrictArray(np.array(array))


def enter(x: Any) -> Any:
    """An argument as the device's kernels see it; TypeError for a NumPy array or scalar."""
    if isinstance(x, StrictArray):
        return x._host
    if isinstance(x, (np.ndarray, np.generic)):
        raise TypeError(f"unsupported type {type(x).__name__}: the strict device does not mix with NumPy")
    if isinstance(x, (list, tuple)):
        return [enter(part) for part in x] if isinstance(x, list) else tuple(enter(part) for part in x)
    return x


def leave(result: Any, *arguments: Any) -> Any:
    """A result as the device hands it out: every array and NumPy scalar stays on it; a view knows its base."""
    if isinstance(result, (np.ndarray, np.generic)):
        return StrictArray(np.asarray(result), _base(result, arguments))
    if isinstance(result, Into):
        return Into(namespace, leave(result.part), arguments[1], result.shape)
    if isinstance(result, (list, tuple)):
        return type(result)(leave(part, *arguments) for part in result)
    return result


def _base(result: Any, arguments: tuple[Any, ...]) -> StrictArray | None:
    if isinstance(result, np.generic) or result.base is None:
        return None
    for x in arguments:
        if isinstance(x, StrictArray) and (result.base is x._host or result.base is x._host.base):
            return x if x.base is None else x.base
    return None


def on_device(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function` of NumPy arrays as one of strict arrays."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = [enter(x) for x in args]
        named = {key: enter(x) for key, x in kwargs.items()}
        return leave(function(*given, **named), *args)

    wrapped.__name__ = wrapped.__qualname__ = name
    return wrapped


def _joining(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """CuPy's concatenate and stack take arrays only, where NumPy turns numbers into arrays."""
    inner = on_device(function, name)

    def wrapped(arrays: Any, *args: Any, **kwargs: Any) -> Any:
        for x in arrays:
            if not isinstance(x, StrictArray):
                raise TypeError(f"only arrays can be joined, not {type(x).__name__}")
        return inner(list(arrays), *args, **kwargs)

    return wrapped


def asarray(x: Any, dtype: Any = None) -> StrictArray:
    """From the host to the device, asked for by name; the one place where a NumPy array may come in."""
    if isinstance(x, StrictArray):
        return x if dtype is None or x.dtype == dtype else StrictArray(x._host.astype(dtype))
    return StrictArray(np.array(x, dtype))


def _add_methods() -> None:
    for word in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift lt le gt ge eq ne".split():
        plain = getattr(operator, f"{word}_" if word in ("and", "or") else word)
        setattr(StrictArray, f"__{word}__", _operator(plain, f"__{word}__"))
        if word not in ("lt", "le", "gt", "ge", "eq", "ne"):
            setattr(StrictArray, f"__r{word}__", _operator(lambda a, b, f=plain: f(b, a), f"__r{word}__"))
            setattr(StrictArray, f"__i{word}__", _in_place(getattr(operator, f"i{word}"), f"__i{word}__"))
    for word in ("neg", "pos", "abs", "invert"):
        setattr(StrictArray, f"__{word}__", on_device(getattr(operator, word), f"__{word}__"))
    for word in (
        "all any argmax argmin argsort astype clip copy cumprod cumsum diagonal dot fill flatten max mean min nonzero "
        "prod ravel repeat reshape round sort squeeze std sum swapaxes take trace transpose var view"
    ).split():
        method = getattr(np.ndarray, word)
        setattr(StrictArray, word, on_device(method, word))


def _operator(operation: Callable[[Any, Any], Any], name: str) -> Callable[..., Any]:
    inner = on_device(operation, name)

    def method(self: StrictArray, other: Any) -> Any:
        if getattr(type(other), "__array_ufunc__", other) is None and not isinstance(other, StrictArray):
            return NotImplemented  # a Tensor or Value answers for itself
        return inner(self, other)

    method.__name__ = name
    return method


def _in_place(operation: Callable[[Any, Any], Any], name: str) -> Callable[..., Any]:
    def method(self: StrictArray, other: Any) -> StrictArray:
        operation(self._host, enter(other))
        return self

    method.__name__ = name
    return method


_add_methods()

namespace = ModuleType("strict", "The names of minitorch.backend.numpy, on the strict device.")
"""What operations on the strict device call: every name of the NumPy backend, so one that it gains is here too."""

_OURS = {
    "device": "strict",
    "ndarray": StrictArray,
    "asarray": asarray,
    "by_elements": lambda function, *arrays: function(*arrays),
    "by_rows": lambda function, *arrays: function(*arrays),
    "concatenate": _joining(np.concatenate, "concatenate"),
    "stack": _joining(np.stack, "stack"),
}
for _name, _thing in vars(host).items():
    if _name.startswith("_") or isinstance(_thing, ModuleType):
        continue
    if _name in _OURS:
        setattr(namespace, _name, _OURS[_name])
    elif callable(_thing) and not isinstance(_thing, type):
        setattr(namespace, _name, on_device(_thing, _name))
    else:
        setattr(namespace, _name, _thing)

backend.BACKENDS[StrictArray] = namespace
