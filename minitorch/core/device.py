"""Where numbers are: "cpu" (NumPy) or "cuda" (CuPy)."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from ..backend import BACKENDS
from ..backend.gpus import SEVERAL, beside
from ..backend.unseen import UNSEEN, look

INSTALL = "pip install 'minitorch-stepper[cuda12]' or '[cuda13]', by the CUDA version that nvidia-smi shows"


class device(str):
    """A place for tensors, `device("cuda:1")` or `device("cuda", 1)`: a string that knows its `type` and `index`."""

    type: str
    index: int | None  # type: ignore[assignment]  # str has a method of that name

    def __new__(cls, type: Any, index: int | None = None) -> device:
        name, _, number = str(type).partition(":")
        if isinstance(type, int):
            name, number = "cuda", str(type)
        if name not in {"cpu", "cuda", *(backend.device for backend in BACKENDS.values())} or number and not number.isdigit():
            raise RuntimeError(f"there is no device {str(type)!r}: a device is 'cpu', 'cuda' or 'cuda:0', 'cuda:1', ...")
        index = int(number) if number else index
        made = super().__new__(cls, name if index is None else f"{name}:{index}")
        made.type, made.index = name, index
        return made

    def __repr__(self) -> str:
        return f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"


def device_of(array: Any) -> device:
    """Where a raw array is; a GPU with its number, as in PyTorch."""
    kind: str = BACKENDS[type(array)].device
    return device(kind, array.device.id) if kind == "cuda" else device(kind)


def backend_on(place: Any) -> Any:
    """The backend of a device by its name. RuntimeError, with the way out, for one that is not there."""
    wanted = device(place)
    known = next((backend for backend in BACKENDS.values() if wanted.type == backend.device), None)
    if known is not None and not wanted.index:
        return known
    missing = gpu_missing(wanted.index or 0)
    if missing:
        raise RuntimeError(f"there is no device '{wanted}' here: {missing}; the same program runs with 'cpu'")
    if not SEVERAL and not gpu_missing(1):
        SEVERAL.append(None)
    return importlib.import_module("minitorch.backend.cupy")  # enters itself into BACKENDS


def gpu_missing(index: int = 0) -> str:
    """What GPU number `index` lacks to be used, as half a sentence; "" where it can be used."""
    if "cupy" not in sys.modules and importlib.util.find_spec("cupy") is None:
        return f"it needs an NVIDIA GPU and CuPy ({INSTALL})"
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        return f"CuPy is installed and cannot be loaded ({reason}); reinstall it ({INSTALL})"
    try:
        count = int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"CuPy finds no NVIDIA GPU with a driver ({error})"
    if index < count:
        return ""
    found = "one GPU, 'cuda:0'" if count == 1 else f"{count} GPUs, 'cuda:0' to 'cuda:{count - 1}'" if count else "no NVIDIA GPU"
    return f"CuPy finds {found}"


def working_on(place: Any) -> AbstractContextManager[Any]:
    """`with working_on("cuda:1"):` what CuPy makes inside is on that GPU. Of no effect for other devices."""
    wanted = device(place)
    return nullcontext() if wanted.index is None else importlib.import_module("cupy").cuda.Device(wanted.index)


def host(array: Any) -> np.ndarray:
    """A raw array (or number) in main memory: itself, or its copy from a GPU."""
    found = np.asarray(array.get() if hasattr(array, "get") else array)
    if UNSEEN:
        look()
    return found


def corners(array: Any, edge: int) -> Any:
    """Of every axis of a raw array the first and the last `edge` elements, and one that stands for those between: what is
    printed of a large array, so that no more of it is fetched."""
    concatenate = BACKENDS[type(array)].concatenate
    with beside(array):
        for axis in range(array.ndim):
            if array.shape[axis] > 2 * edge + 1:
                before = (slice(None),) * axis
                array = concatenate([array[(*before, slice(edge + 1))], array[(*before, slice(-edge, None))]], axis)
    return array


def there(array: Any, place: Any) -> bool:
    """Whether a raw array is on the device `place`; "cuda" is any GPU."""
    wanted, here = device(place), device_of(array)
    return wanted.type == here.type and wanted.index in (None, here.index)


def moved(array: Any, place: Any, non_blocking: bool = False) -> Any:
    """A raw array on the device `place`; itself where it is there already.

    To a GPU, `non_blocking` may return before the numbers have arrived, for memory that nobody writes to meanwhile; what the
    GPU computes next waits for them. Back to main memory always waits: the numbers are there when this returns.
    """
    if there(array, place):
        return array
    wanted, backend = device(place), backend_on(place)
    if wanted.type != "cuda":
        return backend.asarray(host(array))
    cupy = importlib.import_module("cupy")
    with working_on(wanted):
        return array.copy() if isinstance(array, cupy.ndarray) else cupy.array(host(array), blocking=not non_blocking)


def pinned(array: Any) -> np.ndarray:
    """A copy of a raw array in main memory that no other program can push out, so that a GPU can fetch it by itself.
    RuntimeError without a GPU, or for an array that is on one."""
    if not isinstance(array, np.ndarray):
        raise RuntimeError(f"pin_memory is about main memory, and this tensor is on {device_of(array)}")
    missing = gpu_missing()
    if missing:
        raise RuntimeError(f"memory can be pinned only for a GPU: {missing}")
    made: np.ndarray = importlib.import_module("cupyx").empty_like_pinned(array)
    made[...] = array
    return made


def is_pinned(array: Any) -> bool:
    """Whether a raw array lies in pinned memory, as all of an array that `pinned` made, or part of it."""
    cupy = sys.modules.get("cupy")  # without it nothing can have been pinned
    while cupy is not None and isinstance(array, np.ndarray):
        array = array.base
    return cupy is not None and isinstance(array, cupy.cuda.PinnedMemoryPointer)


class Destination(NamedTuple):
    """What the arguments of `to` ask for; None where they say nothing."""

    device: Any
    dtype: Any
    non_blocking: bool
    copy: bool


def destination(
    *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False, copy: bool = False, **ignored: Any
) -> Destination:
    """The arguments of `to`: a device name, a dtype, or a tensor to be like; then perhaps non_blocking and copy."""
    flags = [argument for argument in args if isinstance(argument, bool)]
    for argument in args:
        if hasattr(argument, "raw"):
            device, dtype = argument.device, argument.dtype
        elif isinstance(argument, bool) or argument is None:
            continue
        else:
            try:
                dtype = np.dtype(argument)
            except TypeError:
                device = argument
    non_blocking, copy = (*flags, *(non_blocking, copy)[len(flags) :])[:2]
    return Destination(device, None if dtype is None else np.dtype(dtype), non_blocking, copy)
