"""Streams, events, pinned memory and memory pools for the double: a GPU that is as late as it may be.

A copy that was asked for on a stream of its own is made when something waits for it, and not before: until then its memory
holds a pattern, and the source may still be changed. Whoever forgets to wait, or gives the source away too early, is seen.
`log` tells what happened, in order.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.backend import gpus

from . import library
from .array import module, ndarray
from .cuda import Device, cuda

log: list[tuple[str, ...]] = []
"""("copy", stream), ("record", stream), ("wait", stream, the event's stream), ("get",): newest last."""


streams: list[Stream] = []


class Stream:
    """Work in order. The main stream (null) does everything at once; another one only when it is waited for."""

    current: list[Stream] = []
    made = 0

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int | None = None) -> None:
        self.name = "main" if null else f"side{Stream.made}"
        Stream.made += not null
        self.ptr, self.waiting = id(self), list[Callable[[], None]]()
        streams.append(self)

    def give(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)
        if self.name == "main":
            self.run(1)

    def run(self, count: int) -> None:
        """Do the first `count` things that wait."""
        for _ in range(count):
            self.waiting.pop(0)()

    def record(self, event: Event | None = None) -> Event:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        log.append(("wait", self.name, event.stream.name if event.stream else "nothing"))
        self.give(event.synchronize)

    def synchronize(self) -> None:
        self.run(len(self.waiting))

    done = property(lambda self: not self.waiting)

    def __enter__(self) -> Stream:
        Stream.current.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        Stream.current.pop()


class Event:
    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.stream: Stream | None = None
        self.passed, self.timed, self.at = True, not disable_timing, 0

    def record(self, stream: Stream | None = None) -> None:
        self.stream = stream or Stream.null  # type: ignore[attr-defined]
        self.at = len(log)
        log.append(("record", self.stream.name))
        self.passed = False
        self.stream.give(lambda: setattr(self, "passed", True))

    done = property(lambda self: self.passed)

    def synchronize(self) -> None:
        while not self.passed:
            assert self.stream is not None
            self.stream.run(1)


Stream.null = Stream(null=True)  # type: ignore[attr-defined]


def get_current_stream(device_id: int | None = None) -> Stream:
    return Stream.current[-1] if Stream.current else Stream.null  # type: ignore[attr-defined, no-any-return]


class PinnedMemoryPointer:
    """Where pinned memory is; NumPy makes arrays of it. Once nobody holds it, it is another's, and is written over."""


def alloc_pinned_memory(size: int) -> Any:
    memory = bytearray(b"\xa5" * max(size, 1))
    kind: Any = type("Pinned", (PinnedMemoryPointer, ctypes.c_char * len(memory)), {})
    pointer = kind.from_buffer(memory)
    pointer.memory = memory
    weakref.finalize(pointer, lambda: memory.__setitem__(slice(None), b"\x5a" * len(memory)))
    return pointer


def empty_like_pinned(a: np.ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None) -> np.ndarray:
    return np.ndarray(a.shape, a.dtype, alloc_pinned_memory(a.nbytes))


def set_(self: ndarray, arr: np.ndarray, stream: Stream | None = None) -> None:
    """CuPy's ndarray.set: on a stream it returns before the copy is made, and does not hold on to the source."""
    if not isinstance(arr, np.ndarray) or (arr.shape, arr.dtype) != (self.shape, self.dtype):
        raise ValueError("Shape mismatch")
    stream = stream or get_current_stream()
    source = arr if arr.base is None or not hasattr(arr.base, "memory") else np.frombuffer(arr.base.memory, arr.dtype)
    log.append(("copy", stream.name))
    stream.give(lambda: self._host.__setitem__(..., source[: self.size].reshape(self.shape)))


class MemoryHook:
    """What is told of memory that comes and goes."""

    active: list[MemoryHook] = []

    def __enter__(self) -> MemoryHook:
        MemoryHook.active.append(self)
        return self


class Pool:
    """A pool whose numbers a test sets."""

    used, total = 0, 0

    def used_bytes(self) -> int:
        return self.used

    def total_bytes(self) -> int:
        return self.total

    def free_all_blocks(self) -> None:
        log.append(("free_all_blocks",))


@contextmanager
def gpu(monkeypatch: Any, count: int = 1) -> Iterator[ModuleType]:
    """The double, with streams, as `import cupy` finds it inside; of so many GPUs, each of which reads its own memory only."""
    monkeypatch.setattr(Device, "count", count)
    monkeypatch.setattr(Device, "current", 0)
    log.clear()
    streams[1:] = []
    MemoryHook.active.clear()
    pool, cupyx = Pool(), library.MODULES["cupyx"]
    properties = {"name": b"NVIDIA Double", "major": 9, "minor": 0}
    runtime = SimpleNamespace(
        **vars(cuda.runtime) | {"getDevice": lambda: Device.current, "getDeviceProperties": lambda number: properties}
    )
    for name, thing in {
        "Stream": Stream, "Event": Event, "get_current_stream": get_current_stream, "runtime": runtime, "MemoryHook": MemoryHook,
        "get_elapsed_time": lambda start, end: float(end.at - start.at), "PinnedMemoryPointer": PinnedMemoryPointer,
        "alloc_pinned_memory": alloc_pinned_memory, "alloc": lambda size: ndarray(size, "uint8").data,
    }.items():  # fmt: skip
        monkeypatch.setattr(cuda, name, thing, raising=False)
    monkeypatch.setattr(Device, "mem_info", (3, 8), raising=False)
    monkeypatch.setattr(cupyx, "empty_like_pinned", empty_like_pinned, raising=False)
    monkeypatch.setattr(ndarray, "set", set_, raising=False)
    for name in ("get_default_memory_pool", "get_default_pinned_memory_pool"):
        monkeypatch.setattr(module, name, lambda: pool, raising=False)
    gpus.SEVERAL[:] = [None] * (count > 1)
    try:
        with library.in_place(), _backend():
            yield module
    finally:
        gpus.SEVERAL.clear()


_loaded: dict[str, ModuleType] = {}
"""The CuPy backend, loaded with the double as CuPy."""


@contextmanager
def _backend() -> Iterator[None]:
    """The CuPy backend as the device "cuda" inside; what was there before (the strict device, perhaps) comes back."""
    before = backend.BACKENDS.pop(ndarray, None)
    _forget()
    if not _loaded:
        importlib.import_module("minitorch.backend.cupy")
        _loaded.update({name: module for name, module in sys.modules.items() if name.startswith(PREFIX)})
    for name, loaded in _loaded.items():
        sys.modules[name] = loaded
        setattr(backend, name.rpartition(".")[2], loaded)
    backend.BACKENDS[ndarray] = _loaded[PREFIX]
    try:
        yield
    finally:
        _forget()
        del backend.BACKENDS[ndarray]
        if before is not None:
            backend.BACKENDS[ndarray] = before


PREFIX = "minitorch.backend.cupy"


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith(PREFIX)]:
        del sys.modules[name]
    for name in [name for name in vars(backend) if name.startswith("cupy")]:
        delattr(backend, name)
