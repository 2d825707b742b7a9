"""Where numbers are: "cpu" (NumPy) or "cuda" (CuPy)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import BACKENDS


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


def backend_on(place: Any) -> Any:
    """The backend of a device by its name. RuntimeError, with the way out, for one that is not there."""
    wanted = device(place)
    for backend in BACKENDS.values():
        if wanted.type == backend.device:
            return backend
    raise RuntimeError(
        f"there is no device '{wanted}' here: it needs an NVIDIA GPU and CuPy "
        "(pip install 'minitorch-stepper[cuda12]' or '[cuda13]'); the same program runs with 'cpu'"
    )


def destination(*args: Any, device: Any = None, dtype: Any = None, **ignored: Any) -> tuple[Any, Any]:
    """(device, dtype) from the arguments of `to`: a device name, a dtype, or a tensor to be like; None where not given."""
    for argument in args:
        if hasattr(argument, "raw"):
            device, dtype = argument.device, argument.dtype
        elif isinstance(argument, bool) or argument is None:  # non_blocking
            continue
        else:
            try:
                dtype = np.dtype(argument)
            except TypeError:
                device = argument
    return device, None if dtype is None else np.dtype(dtype)
