"""cupy.cuda of the double: one device or more, on which everything is done at once and in order."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

from . import cublas
from .cublas import HANDLE

cuda = ModuleType("cupy.cuda")


class CUDARuntimeError(RuntimeError):
    pass


class Device:
    count = 1
    current = 0
    before: list[int] = []

    def __init__(self, device: Any = None) -> None:
        self.id = Device.current if device is None else int(device)

    def __enter__(self) -> Device:
        Device.before.append(Device.current)
        self.use()
        return self

    def __exit__(self, *error: Any) -> None:
        Device.current = Device.before.pop()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.id == self.id

    __hash__ = None  # type: ignore[assignment]

    def use(self) -> None:
        if self.id >= Device.count:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        Device.current = self.id

    def synchronize(self) -> None:
        pass


class Event:
    """Of work that is done at once."""

    done = True

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        pass

    def record(self, stream: Any = None) -> None:
        pass


cuda.Device, cuda.Event = Device, Event
cuda.runtime = SimpleNamespace(
    getDeviceCount=lambda: Device.count, CUDARuntimeError=CUDARuntimeError, CUDA_R_16F=2, CUDA_R_32F=0, CUDA_R_64F=1
)
cuda.cublas, cuda.get_cublas_handle = cublas, lambda: HANDLE
