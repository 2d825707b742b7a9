"""New tensors from nothing: zeros, ones, ranges, and tensors around the arrays of others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import node
from ..core.data import array_of
from ..core.device import backend_on, moved, working_on
from ..core.dtypes import get_default_dtype
from .shape import sizes

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full", "full_like",
    "is_floating_point", "is_tensor", "linspace", "logspace", "numel", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip


def constant(array: Any) -> Any:
    """A tensor around an array, without copying."""
    tensor: Any = node.TENSOR
    return tensor(array)


def place(array: np.ndarray, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor of a new array, on `device`."""
    tensor: Any = node.TENSOR
    return tensor(array if device is None else moved(array, device), requires_grad)


def filled(value: Any, size: Any, dtype: Any, device: Any, requires_grad: bool) -> Any:
    """A tensor of `value` everywhere, made where it shall be: nothing is sent from main memory to a GPU."""
    tensor: Any = node.TENSOR
    if device is None or device == "cpu":
        return tensor(np.full(sizes(size), value, dtype) if value else np.zeros(sizes(size), dtype), requires_grad)
    backend = backend_on(device)
    with working_on(device):
        array = backend.zeros(sizes(size), np.dtype(dtype))
        if value:
            array[...] = value
    return tensor(array, requires_grad)


def like(input: Any, dtype: Any, device: Any) -> tuple[tuple[int, ...], Any, Any]:
    """Shape, dtype and device of `input`, unless given."""
    return input.shape, dtype or input.dtype, device or input.device


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Zeros of shape `size`: `zeros(2, 3)` or `zeros((2, 3))`."""
    return filled(0, size, dtype or get_default_dtype(), device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Ones of shape `size`."""
    return filled(1, size, dtype or get_default_dtype(), device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor of shape `size` whose numbers are whatever the memory held."""
    if device is None or device == "cpu":
        return place(np.empty(sizes(size), dtype or get_default_dtype()), None, requires_grad)
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """`fill_value` in shape `size`; the dtype is the value's (float32 for a float, int64 for an int)."""
    fill_value = number(fill_value)
    kind = np.bool_ if isinstance(fill_value, bool) else np.int64 if isinstance(fill_value, int) else get_default_dtype()
    return filled(fill_value, (size,), dtype or kind, device, requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Ones on the diagonal of an n × m matrix (n × n when m is left out), zeros elsewhere."""
    return place(np.eye(n, m, dtype=dtype or get_default_dtype()), device, requires_grad)


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """start, start + step, ... up to but not `end`; `arange(n)` counts from 0. int64 unless an argument is a float."""
    start, end, step = (0, number(start), number(step)) if end is None else (number(start), number(end), number(step))
    if step == 0:
        raise ValueError("arange needs a step other than 0")
    if (end - start) * step < 0:
        raise ValueError(f"arange cannot get from {start} to {end} in steps of {step}")
    if all(isinstance(x, int) for x in (start, end, step)):
        array = np.arange(int(start), int(end), int(step)).astype(dtype or np.int64, copy=False)
    else:
        # Each number from the start, not from the one before: rounding errors do not add up.
        array = (start + np.arange(math.ceil((end - start) / step)) * step).astype(dtype or get_default_dtype())
    return place(array, device, requires_grad)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """`steps` numbers at equal distances from `start` to `end`, both included."""
    return place(np.linspace(number(start), number(end), steps).astype(dtype or get_default_dtype()), device, requires_grad)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """`steps` powers of `base`, from base**start to base**end, their exponents at equal distances."""
    powers = np.float64(base) ** np.linspace(number(start), number(end), steps)
    return place(powers.astype(dtype or get_default_dtype()), device, requires_grad)


def zeros_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Zeros in the shape and dtype of `input`."""
    shape, dtype, device = like(input, dtype, device)
    return zeros(shape, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Ones in the shape and dtype of `input`."""
    shape, dtype, device = like(input, dtype, device)
    return ones(shape, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor in the shape and dtype of `input`, its numbers whatever the memory held."""
    shape, dtype, device = like(input, dtype, device)
    return empty(shape, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(input: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """`fill_value` in the shape and dtype of `input`."""
    shape, dtype, device = like(input, dtype, device)
    return full(shape, fill_value, dtype=dtype, device=device, requires_grad=requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """`data` as a tensor, without a copy where that is possible: a tensor as it is, around an array, new from lists."""
    if dtype is not None and not hasattr(data, "dtype"):
        data = array_of(data, dtype)  # numbers in lists, without a detour through the default dtype
    made: Any = data if isinstance(data, node.TENSOR) else constant(data)
    return made.to(device, dtype)


def from_numpy(array: np.ndarray) -> Any:
    """A tensor around a NumPy array: they share memory, and an edit of one shows in the other."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy takes a NumPy array, not {type(array).__name__}; for other data use tensor(...)")
    return constant(array)


def from_dlpack(x: Any) -> Any:
    """A tensor around the memory of another library's array or tensor (anything with `__dlpack__`), shared where it can be."""
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"from_dlpack takes an array or tensor that speaks DLPack, not {type(x).__name__}")
    if x.__dlpack_device__()[0] == 2:  # DLPack's number for CUDA
        return constant(backend_on("cuda").from_dlpack(x))
    array = np.from_dlpack(x)
    return from_numpy(array if array.flags.writeable else array.copy())


def is_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor."""
    return isinstance(x, node.TENSOR)


def is_floating_point(x: Any) -> bool:
    """Whether the elements of a tensor are floats."""
    return x.dtype.kind == "f"


def numel(x: Any) -> int:
    """How many elements a tensor has."""
    return x.numel()


def number(x: Any) -> Any:
    """A Python number from a number or a tensor of one element. TypeError for anything else."""
    found = x.item() if hasattr(x, "item") else x
    if not isinstance(found, (int, float)):
        raise TypeError(f"expected one number, not {found!r:.40} ({type(found).__name__})")
    return found
