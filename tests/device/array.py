"""Arrays with CuPy's manners, on NumPy's memory.

An array never turns into a NumPy array by itself, is not mixed with one, keeps the result of a reduction as a 0-d array of its
own, has no object arrays; `.get()`, `.item()` and `.tolist()` are the ways to the host. NumPy's functions reach it through NumPy's
protocols, as they reach CuPy's. In one point it is the stricter: `float(x)` and `if x:` wait for the device, unseen, in CuPy;
here they are errors.
"""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

module = ModuleType("cupy", "CuPy's names and manners on NumPy's memory, for tests on machines without a GPU.")
"""The double; `library` fills it."""

IMPLICIT = (
    "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array explicitly."
)


class MemoryPointer(SimpleNamespace):
    """A place in memory; so many bytes after it is another."""

    def __add__(self, offset: int) -> MemoryPointer:
        return MemoryPointer(**vars(self) | {"ptr": self.ptr + offset, "offset": self.offset + offset})


class ndarray:
    """An array on the device that is not there."""

    __slots__ = ("_host", "base", "_gpu", "__weakref__")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100

    def __init__(self, shape: Any, dtype: Any = float, memptr: Any = None, strides: Any = None, order: str = "C") -> None:
        """Memory with whatever is in it, as CuPy's: here a pattern, so that whoever reads it is seen."""
        if memptr is None:
            host = np.empty(shape, dtype, order)
            host.view(np.uint8 if host.ndim else host.dtype)[...] = 0xA5 if host.ndim else 0
        else:
            host = np.ndarray(shape, dtype, memptr.memory, memptr.offset, strides)
        self._host, self.base, self._gpu = checked(host), None, module.cuda.Device().id

    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    dtype = property(lambda self: self._host.dtype)
    strides = property(lambda self: self._host.strides)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    flags = property(lambda self: self._host.flags)
    device = property(lambda self: module.cuda.Device(self._gpu))
    T = property(lambda self: leave(self._host.T, self))
    mT = property(lambda self: leave(self._host.swapaxes(-1, -2), self))
    real = property(lambda self: self)

    @property
    def data(self) -> Any:
        """Where the elements are."""
        return MemoryPointer(ptr=expose(self), memory=self._host, offset=0, device=self.device)

    def __len__(self) -> int:
        return len(self._host)

    # The ways to the host

    def item(self) -> Any:
        return self._host.item()

    def tolist(self) -> Any:
        return self._host.tolist()

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> np.ndarray:
        if out is None:
            return self._host.copy(order)
        if not isinstance(out, np.ndarray):
            raise TypeError("Only numpy.ndarray can be obtained from cupy.ndarray")
        if (out.dtype, out.shape) != (self.dtype, self.shape):
            raise ValueError("Shape mismatch") if out.dtype == self.dtype else TypeError("array cannot be obtained")
        out[...] = self._host
        return out

    def set(self, arr: Any, stream: Any = None) -> None:
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if (arr.dtype, arr.shape) != (self.dtype, self.shape):
            raise ValueError("Shape mismatch") if arr.dtype == self.dtype else TypeError("array cannot be set")
        if not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        self._host[...] = arr

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError(IMPLICIT)

    def _no_number(self, *args: Any) -> Any:
        raise TypeError("this waits for the device, unseen; .item() says so")

    __float__ = __int__ = __bool__ = __index__ = __complex__ = __round__ = _no_number

    def __repr__(self) -> str:
        return repr(self._host)

    def __format__(self, spec: str) -> str:
        return format(self._host, spec)

    # NumPy's protocols, as in cupy/_core/core.pyx

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        found = getattr(module, ufunc.__name__, None)
        if method != "__call__" or found is None:
            return NotImplemented
        for x in (*inputs, *(out or ())):
            if not isinstance(x, (ndarray, np.ndarray, np.generic, bool, int, float)):
                return NotImplemented
        if out is not None:
            kwargs["out"] = out[0]
        return found(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        try:
            home = functools.reduce(getattr, function.__module__.split(".")[1:], module)
            found = getattr(home, function.__name__)
        except AttributeError:
            return NotImplemented
        if any(kind not in (ndarray, np.ndarray) for kind in types):
            return NotImplemented
        return found(*args, **kwargs)

    # Elements

    def __getitem__(self, index: Any) -> ndarray:
        key = around(enter(index), self._host)
        found = self._host[key]
        if isinstance(found, np.generic):  # NumPy hands out a scalar here, CuPy a 0-d view
            found = self._host[(*key, ...) if isinstance(key, tuple) else (key, ...)]
        return leave(found, self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            raise TypeError(f"Unsupported type {type(value)}")
        reachable(self, index, value)
        self._host[around(enter(index), self._host)] = enter(value)

    def __iter__(self) -> Iterator[ndarray]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __copy__(self) -> ndarray:
        return leave(self._host.copy())

    def __deepcopy__(self, memo: Any) -> ndarray:
        with self.device:
            return leave(self._host.copy())

    def __reduce__(self) -> Any:
        return module.asarray, (self._host.copy(),)


_exposed: weakref.WeakValueDictionary[int, ndarray] = weakref.WeakValueDictionary()
"""Arrays whose address somebody asked for, as kernels that take tables of pointers do."""


def expose(array: ndarray) -> int:
    _exposed[array._host.ctypes.data] = array
    return array._host.ctypes.data


def reached(address: int) -> np.ndarray | None:
    found = _exposed.get(address)
    reachable(found)
    return None if found is None else found._host


def around(key: Any, host: np.ndarray) -> Any:
    """Whole numbers as an index, as CuPy takes them: those past the end count on from the beginning."""
    if isinstance(key, tuple) and all(isinstance(part, (np.ndarray, slice, int)) for part in key):
        return tuple([around(part, np.moveaxis(host, axis, 0)) for axis, part in enumerate(key) if axis < host.ndim])
    if isinstance(key, np.ndarray) and key.dtype.kind in "iu" and host.ndim and len(host):
        return key % len(host)
    return key


def checked(host: np.ndarray) -> np.ndarray:
    if host.dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {host.dtype}")
    return host


def enter(x: Any) -> Any:
    """An argument as NumPy takes it; TypeError for one that CuPy does not."""
    kind = x.__class__
    if kind is ndarray:
        return x._host
    if kind is np.ndarray:
        raise TypeError(f"Unsupported type {kind}")
    if kind is list:
        return [enter(part) for part in x]
    if kind is tuple:
        return tuple([enter(part) for part in x])
    return x


def reachable(*arguments: Any) -> None:
    """What runs on the current GPU reads no memory of another one (CuPy would, slowly, where the two are connected)."""
    for x in arguments:
        if x.__class__ is ndarray and x._gpu != module.cuda.Device().id:
            raise AssertionError(f"an array of GPU {x._gpu} is used on GPU {module.cuda.Device().id}")
        if x.__class__ is tuple or x.__class__ is list:
            reachable(*x)


def leave(result: Any, *arguments: Any) -> Any:
    """A result as CuPy hands it out: every array and NumPy scalar stays on the device; a view knows its base, and is where
    that is. What is no view is computed, by the current GPU."""
    if isinstance(result, (np.ndarray, np.generic)):
        made = ndarray.__new__(ndarray)
        made._host = checked(np.asarray(result))
        made.base = None if result.base is None else _base(result, arguments)
        if made.base is None:
            reachable(*arguments)
        made._gpu = module.cuda.Device().id if made.base is None else made.base._gpu
        return made
    if isinstance(result, tuple):
        return tuple(leave(part, *arguments) for part in result)
    if isinstance(result, list):
        return [leave(part, *arguments) for part in result]
    return result


def _base(result: Any, arguments: tuple[Any, ...]) -> ndarray | None:
    for x in arguments:
        if isinstance(x, ndarray) and (result.base is x._host or result.base is x._host.base):
            return x if x.base is None else x.base
    return None


class ufunc:
    """A function of each element by itself, for the types that CuPy lists and no others."""

    def __init__(self, name: str, nin: int, types: list[str]) -> None:
        self.__name__ = self.name = name
        self.nin, self.types = nin, types
        self.nout = len(types[0].split("->")[1])
        self.nargs = nin + self.nout
        self._numpy = getattr(np, name)
        self._loops = [tuple(map(np.dtype, part)) for loop in types for part in [loop.replace("->", "")]]
        self._found: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<ufunc 'cupy_{self.name}'>"

    def __call__(self, *args: Any, out: Any = None, dtype: Any = None, casting: str = "same_kind") -> Any:
        if len(args) == self.nargs and out is None and self.nout == 1:
            *inputs, out = args
        else:
            inputs = list(args)
        if len(inputs) != self.nin:
            raise TypeError(f"Wrong number of arguments for {self!r}")
        for x in inputs:
            if not isinstance(x, (ndarray, np.generic, bool, int, float, complex)):
                raise TypeError(f"Unsupported type {type(x)}")
        loop = self._loop(inputs, dtype)
        reachable(*inputs, out)
        given = [np.asarray(enter(x), kind) for x, kind in zip(inputs, loop)]
        results = self._numpy(*given)
        results = results if self.nout > 1 else (results,)
        results = tuple(np.asarray(r, kind) for r, kind in zip(results, loop[self.nin :]))
        if out is not None:
            if not isinstance(out, ndarray):
                raise TypeError(f"Unsupported type {type(out)}: output arguments must be cupy.ndarray")
            if out.shape != results[0].shape:
                raise ValueError(f"Output shape mismatch: {out.shape} and {results[0].shape}")
            np.copyto(out._host, results[0], casting=casting)
            return out
        return leave(results[0]) if self.nout == 1 else leave(results)

    def _loop(self, inputs: list[Any], dtype: Any) -> Any:
        """The first of the listed types that the inputs can be cast to; a Python number has only a kind (NEP 50)."""
        key = (*(x.dtype if hasattr(x, "dtype") else type(x) for x in inputs), dtype)
        if key not in self._found:
            strong = [x.dtype for x in inputs if hasattr(x, "dtype")]
            weak = [type(x)() for x in inputs if not hasattr(x, "dtype")]
            common = np.dtype(dtype) if dtype is not None else np.result_type(*strong, *weak)
            kinds = [common if dtype is not None or not hasattr(x, "dtype") else x.dtype for x in inputs]
            for loop in self._loops:
                if all(np.can_cast(kind, to, "same_kind" if dtype is not None else "safe") for kind, to in zip(kinds, loop)):
                    self._found[key] = loop
                    break
            else:
                raise TypeError(f"Wrong type ({kinds}) of arguments for {self.name}")
        return self._found[key]

    # CuPy has these for few functions

    def at(self, a: ndarray, indices: Any, b: Any = None) -> None:
        if self.name not in ("add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"):
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        reachable(a, indices, b)
        if self.name == "add" and a.dtype.char not in "iILQefd":
            raise TypeError(f"cupyx.scatter_add does not support {a.dtype}")
        self._numpy.at(a._host, around(enter(indices), a._host), enter(b))

    def reduce(self, array: ndarray, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        if self.name not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")
        return getattr(array, "sum" if self.name == "add" else "prod")(axis, dtype, out, keepdims)

    def accumulate(self, array: ndarray, axis: int = 0, dtype: Any = None, out: Any = None) -> ndarray:
        if self.name not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.name}.accumulate` is not supported yet")
        return getattr(array, "cumsum" if self.name == "add" else "cumprod")(axis, dtype, out)

    def reduceat(self, array: ndarray, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> ndarray:
        if self.name != "add":
            raise NotImplementedError(f"`{self.name}.reduceat` is not supported yet")
        return leave(np.add.reduceat(array._host, enter(indices), axis, dtype), array)


SIGNS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide", "mod": "remainder",
    "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift",
    "rshift": "right_shift", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
    "ne": "not_equal",
}  # fmt: skip


def add_operators() -> None:
    """+ and the others, as CuPy's ufuncs of these names."""
    for sign, name in SIGNS.items():
        setattr(ndarray, f"__{sign}__", _operator(name, False))
        if hasattr(operator, f"i{sign}"):
            setattr(ndarray, f"__r{sign}__", _operator(name, True))
            setattr(ndarray, f"__i{sign}__", _in_place(name))
    for sign, name in (("neg", "negative"), ("abs", "absolute"), ("invert", "invert"), ("pos", "positive")):
        setattr(ndarray, f"__{sign}__", lambda self, name=name: getattr(module, name)(self))


def _operator(name: str, turned: bool) -> Any:
    def method(self: ndarray, other: Any) -> Any:
        if getattr(type(other), "__array_ufunc__", other) is None:
            return NotImplemented  # a Tensor or Value answers for itself
        return getattr(module, name)(*((other, self) if turned else (self, other)))

    return method


def _in_place(name: str) -> Any:
    def method(self: ndarray, other: Any) -> ndarray:
        if getattr(type(other), "__array_ufunc__", other) is None:
            return NotImplemented
        return getattr(module, name)(self, other, out=self)

    return method


