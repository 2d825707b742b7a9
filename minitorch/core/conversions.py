"""A tensor as something else: another dtype, another device, NumPy, Python numbers, DLPack; and others made like it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..backend.unseen import UNSEEN, look
from ..ops import create
from ..ops.shape import to_device
from .departures import note
from .device import destination, device_of, host, is_pinned, pinned
from .device import device as Device
from .modes import watched


class Conversions:
    """The methods of Tensor that leave its dtype, its device, or the library."""

    __slots__ = ()
    raw: Any
    shape: Any
    dtype: Any
    requires_grad: Any

    @property
    def device(self) -> Device:
        """Where the numbers are: "cpu" or "cuda:0"."""
        return device_of(self.raw)

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """The elements in another dtype or on another device, `to(minitorch.float64)`, `to("cuda")`, `to(other)`; itself
        when it is there already (unless `copy`). The gradient returns to this one's device, in its dtype. `non_blocking`
        lets a copy from pinned memory go on while the program does. RuntimeError for a device that is not there."""
        place, dtype, non_blocking, copy = destination(*args, **kwargs)
        moved = self if place is None else to_device(self, place, non_blocking)
        if dtype is not None:
            moved = ops.to(moved, dtype)
        return ops.clone(self) if copy and moved is self else moved

    def type(self, dtype: Any = None) -> Any:
        """The elements in `dtype`; without one, the name of the dtype."""
        return str(self.dtype) if dtype is None else self.to(dtype)

    def type_as(self, other: Any) -> Any:
        """The elements in the dtype of `other`."""
        return self.to(other.dtype)

    def cpu(self) -> Any:
        """The elements in main memory."""
        return self.to("cpu")

    def cuda(self, device: Any = None, non_blocking: Any = False) -> Any:
        """The elements on the GPU (number `device` of several)."""
        return self.to("cuda" if device is None else Device(device), non_blocking=non_blocking)

    def pin_memory(self) -> Any:
        """The elements in main memory that a GPU can fetch by itself, so that `to("cuda", non_blocking=True)` does not wait.
        RuntimeError without a GPU, or for a tensor that is on one."""
        return self if is_pinned(self.raw) else create.constant(pinned(self.raw))

    def is_pinned(self) -> Any:
        """Whether `pin_memory` made the memory."""
        return is_pinned(self.raw)

    def float(self) -> Any:
        """The elements as float32."""
        return self.to("float32")

    def double(self) -> Any:
        """The elements as float64."""
        return self.to("float64")

    def half(self) -> Any:
        """The elements as float16."""
        return self.to("float16")

    def long(self) -> Any:
        """The elements as int64, cut off towards 0."""
        return self.to("int64")

    def int(self) -> Any:
        """The elements as int32, cut off towards 0."""
        return self.to("int32")

    def short(self) -> Any:
        """The elements as int16."""
        return self.to("int16")

    def char(self) -> Any:
        """The elements as int8."""
        return self.to("int8")

    def byte(self) -> Any:
        """The elements as uint8."""
        return self.to("uint8")

    def bool(self) -> Any:
        """Whether each element differs from 0."""
        return self.to("bool")

    def item(self) -> Any:
        """The one element as a Python number. ValueError for more than one."""
        if self.raw.size != 1:
            raise ValueError(f"item() is for one element; this tensor has shape {self.shape}")
        if watched:
            note(self, "item")
        found = self.raw.item()
        if UNSEEN:
            look()
        return found

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        if watched:
            note(self, "tolist")
        found = self.raw.tolist()
        if UNSEEN:
            look()
        return found

    def numpy(self, *, force: Any = False) -> np.ndarray:
        """The array itself, sharing memory. RuntimeError for a tensor in a graph (use `detach()` first), TypeError for one
        not in main memory; with `force`, whatever it takes."""
        if self.requires_grad and not force:
            raise RuntimeError("this tensor is in a graph; numpy() would lose it: use .detach().numpy()")
        if not force and not isinstance(self.raw, np.ndarray):
            raise TypeError(f"this tensor is on {self.device}; bring it back first: .cpu().numpy()")
        return host(self.raw)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        array = self.numpy()
        return array.astype(dtype) if dtype is not None and dtype != array.dtype else (array.copy() if copy else array)

    def __dlpack__(self, **kwargs: Any) -> Any:
        """The memory itself, for other libraries (`torch.from_dlpack(x)`). RuntimeError for a tensor in a graph."""
        if self.requires_grad:
            raise RuntimeError("this tensor is in a graph, which DLPack cannot carry: use .detach()")
        return self.raw.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.raw.__dlpack_device__()

    # Others like it

    def new_tensor(self, data: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Any:
        """A new tensor of `data`, in this one's dtype and on its device unless told otherwise."""
        made = create.as_tensor(data, dtype or self.dtype, device or self.device).detach()
        return (made.clone() if made.raw is getattr(data, "raw", data) else made).requires_grad_(requires_grad)

    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Any:
        """Zeros of `size`, in this one's dtype and on its device."""
        return create.zeros(*size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)

    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Any:
        """Ones of `size`, in this one's dtype and on its device."""
        return create.ones(*size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)

    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Any:
        """Memory of `size`, in this one's dtype and on its device, with whatever numbers it holds."""
        return create.empty(*size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Any:
        """`fill_value` in `size`, in this one's dtype and on its device."""
        place = {"dtype": dtype or self.dtype, "device": device or self.device}
        return create.full(size, fill_value, **place, requires_grad=requires_grad)

    # How it lies in memory

    def stride(self, dim: Any = None) -> Any:
        """How many elements apart neighbours along each axis (or along `dim`) lie in memory."""
        strides = tuple(step // self.raw.itemsize for step in self.raw.strides)
        return strides if dim is None else strides[dim]

    def element_size(self) -> Any:
        """Bytes per element."""
        return self.raw.itemsize

    def is_floating_point(self) -> Any:
        """Whether the elements are floats."""
        return self.raw.dtype.kind == "f"

    @property
    def nbytes(self) -> Any:
        """Bytes in all."""
        return self.raw.nbytes

    @property
    def is_cuda(self) -> Any:
        """Whether the numbers are on a GPU."""
        return self.device.type == "cuda"
