"""The double's functions: those of CuPy's list (`cupy_14.txt`), with CuPy's arguments, computed by NumPy's of the same name."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import kernels
from .array import add_operators, enter, leave, module, ndarray, reachable, ufunc
from .cuda import cuda
from .listing import PATH

HOST = "asarray array ascontiguousarray asfortranarray".split()
"""The functions that bring a NumPy array to the device."""


NO_AXIS_OF_A_NUMBER = {*"sum prod max min amax amin argmax argmin any all cumsum cumprod flip sort mean var std".split()}
"""Of a 0-d array NumPy lets some of these have an axis 0 (or -1), CuPy none."""


def function(name: str, arguments: str, numpys: Callable[..., Any]) -> Callable[..., Any]:
    """A function with CuPy's arguments that calls NumPy's; an argument left at its default is not handed on."""
    signature = inspect.signature(eval(f"lambda {arguments[1:-1]}: None", {"bool": bool, "float": float, "int": int}))
    defaults = {p.name: p.default for p in signature.parameters.values() if p.default is not p.empty}
    wants_arrays = name.split(".")[-1] in ("concatenate", "stack", "vstack", "hstack", "dstack", "column_stack")

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        if wants_arrays:
            parts = list(next(iter(bound.arguments.values())))
            for part in parts:
                if not isinstance(part, ndarray):
                    raise TypeError(f"Only cupy arrays can be concatenated, not {type(part)}")
            args = (parts, *args[1:])
        first = next(iter(bound.arguments.values()), None)
        if name in NO_AXIS_OF_A_NUMBER and isinstance(first, ndarray) and not first.ndim and bound.arguments.get("axis") not in (None, ()):
            raise np.exceptions.AxisError(bound.arguments["axis"], 0)
        given, named = [], {}
        for key, value in bound.arguments.items():
            kind = signature.parameters[key].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                given += [enter(x) for x in value]
            elif kind is inspect.Parameter.VAR_KEYWORD:
                named.update({k: enter(x) for k, x in value.items()})
            elif key not in defaults:
                given.append(enter(value))
            elif value is not defaults[key]:
                named[key] = enter(value)
        out = named.get("out")
        found = numpys(*given, **named)
        if out is not None:
            reachable(*args, bound.arguments["out"])
            return bound.arguments["out"]
        return leave(found, *([] if name == "copy" else args))  # copies may come from another GPU

    call.__name__ = call.__qualname__ = name
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def method(name: str, arguments: str) -> Callable[..., Any]:
    plain = function(name, arguments, lambda self, *args, **kwargs: getattr(self, name)(*args, **kwargs))
    return lambda self, *args, **kwargs: plain(self, *args, **kwargs)


# Where CuPy's function is not NumPy's


def asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None, blocking: bool = False) -> ndarray:
    if isinstance(a, ndarray) and not copy and (dtype is None or a.dtype == dtype):
        return a
    return leave(np.array(a._host if isinstance(a, ndarray) else _parts(a), dtype, order=order or "K"))


def array(
    obj: Any, dtype: Any = None, copy: bool = True, order: str = "K", subok: bool = False, ndmin: int = 0, *, blocking: bool = False
) -> ndarray:
    return leave(np.array(_parts(obj), dtype, order=order, ndmin=ndmin))


def _parts(x: Any) -> Any:
    return [_parts(part) for part in x] if isinstance(x, (list, tuple)) else x._host if isinstance(x, ndarray) else x


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    if isinstance(a, ndarray) and a.flags.c_contiguous and (dtype is None or a.dtype == dtype):
        return a
    return asarray(a, dtype, "C", copy=True)


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None, *, blocking: bool = True) -> np.ndarray:
    return a.get(order=order, out=out) if isinstance(a, ndarray) else np.asarray(a)


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    return ndarray(shape, dtype)


def empty_like(prototype: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None) -> ndarray:
    return ndarray(prototype.shape if shape is None else shape, dtype or prototype.dtype)


def where(condition: ndarray, x: Any = None, y: Any = None) -> Any:
    if not isinstance(condition, ndarray):
        raise TypeError(f"Unsupported type {type(condition)}")
    if x is None:
        return condition.nonzero()
    for part in (x, y):
        if not isinstance(part, (ndarray, np.generic, bool, int, float)):
            raise TypeError(f"Unsupported type {type(part)}")
    return leave(np.where(condition._host, enter(x), enter(y)), condition, x, y)


def repeat(a: ndarray, repeats: Any, axis: Any = None) -> ndarray:
    if isinstance(repeats, ndarray):
        raise ValueError("`repeats` must be int or sequence")
    return leave(np.repeat(a._host, repeats, axis), a)


def take_along_axis(a: ndarray, indices: ndarray, axis: Any) -> ndarray:
    return leave(np.take_along_axis(a._host, indices._host % max(1, a.shape[axis]), axis), a, indices)


def argsort(a: ndarray, axis: Any = -1, kind: Any = None) -> ndarray:
    if kind not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")
    return leave(np.argsort(a._host, axis, kind="stable"), a)


def svd(a: ndarray, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return leave(tuple(np.linalg.svd(a._host, full_matrices, compute_uv)), a)


def slogdet(a: ndarray) -> Any:
    return leave(tuple(np.linalg.slogdet(a._host)), a)


def spoilt_where_singular(name: str) -> Callable[..., Any]:
    """CuPy's linear algebra does not look at what came out, unless `cupyx.errstate(linalg="raise")`."""

    def call(a: ndarray, *others: ndarray) -> ndarray:
        try:
            return leave(getattr(np.linalg, name)(a._host, *(b._host for b in others)), a, *others)
        except np.linalg.LinAlgError:
            return leave(np.full_like((others or (a,))[-1]._host, np.nan))

    return call


def scatter_add(a: ndarray, slices: Any, value: Any) -> None:
    module.add.at(a, slices, value)


def fuse(*args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("the double has no cupy.fuse: kernels are written out")


def build() -> None:
    """Fill the module from the list, then put in what differs."""
    linalg, cupyx = ModuleType("cupy.linalg"), ModuleType("cupyx")
    module.linalg, module.cuda, module.ndarray, module.ufunc = linalg, cuda, ndarray, ufunc
    homes = {"": (module, np), "linalg": (linalg, np.linalg), "cupyx": (cupyx, np)}
    for line in PATH.read_text().splitlines():
        if " ufunc " in line:
            name, _, nin, *types = line.split()
            home, _, short = name.rpartition(".")
            if hasattr(np, short):
                setattr(homes[home][0], short, ufunc(short, int(nin), types))
            continue
        name, bracket, rest = line.partition("(")
        home, _, short = name.rpartition(".")
        if home == "ndarray":
            if bracket and short not in vars(ndarray) and hasattr(np.ndarray, short):
                setattr(ndarray, short, method(short, bracket + rest))
        else:
            where_to, where_from = homes[home]
            if hasattr(where_from, short):
                setattr(where_to, short, function(name, bracket + rest, getattr(where_from, short)))
    for thing in (asarray, array, ascontiguousarray, asnumpy, empty, empty_like, where, repeat, take_along_axis, argsort, fuse):
        setattr(module, thing.__name__, thing)
    ndarray.argsort = argsort  # type: ignore[attr-defined]
    ndarray.repeat = repeat  # type: ignore[attr-defined]
    linalg.svd, linalg.slogdet, linalg.LinAlgError = svd, slogdet, np.linalg.LinAlgError
    for name in ("inv", "solve", "cholesky"):
        setattr(linalg, name, spoilt_where_singular(name))
    cupyx.scatter_add, cupyx.empty_pinned = scatter_add, np.empty
    for kind in "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split():
        setattr(module, kind, getattr(np, kind))
    module.dtype, module.inf, module.nan, module.pi, module.newaxis = np.dtype, np.inf, np.nan, np.pi, None
    for kind in (kernels.ElementwiseKernel, kernels.ReductionKernel, kernels.RawKernel, kernels.RawModule):
        setattr(module, kind.__name__, kind)
    module.__version__ = "14.2.0"
    module.cupyx = cupyx
    add_operators()


build()

MODULES = {"cupy": module, "cupy.linalg": module.linalg, "cupy.cuda": cuda, "cupyx": module.cupyx, "cudnn": None}
"""What `import` finds while the double is in place; None is not to be found."""


class in_place:
    """`with in_place():` the double is what `import cupy` gives; what was there before comes back."""

    def __enter__(self) -> ModuleType:
        self.before = {name: sys.modules.get(name) for name in MODULES}
        sys.modules.update(MODULES)
        return module

    def __exit__(self, *error: Any) -> None:
        for name, held in self.before.items():
            if held is None:
                del sys.modules[name]
            else:
                sys.modules[name] = held
