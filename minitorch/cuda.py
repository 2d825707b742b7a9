"""GPUs, by PyTorch's names: which there are, what they hold, streams and events. All but a few questions need CuPy and a GPU,
and say what is missing in one sentence (RuntimeError)."""

from __future__ import annotations

import functools
import importlib
import sys
from contextlib import AbstractContextManager
from typing import Any

from .backend.unseen import look
from .core.device import device as Device
from .core.device import gpu_missing, working_on
from .ops import random

__all__ = [
    "Event", "Stream", "current_device", "current_stream", "device", "device_count", "empty_cache", "get_device_capability",
    "get_device_name", "is_available", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "mem_get_info", "memory_allocated", "memory_reserved", "reset_peak_memory_stats", "set_device", "stream", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """True where tensors can be moved to "cuda"."""
    return not gpu_missing()


def device_count() -> int:
    """How many GPUs CuPy can use; 0 without CuPy or without a driver."""
    return 0 if gpu_missing(-1) else int(sys.modules["cupy"].cuda.runtime.getDeviceCount())


def is_initialized() -> bool:
    """Whether CuPy has been loaded."""
    return "cupy" in sys.modules


def _cupy() -> Any:
    missing = gpu_missing()
    if missing:
        raise RuntimeError(f"minitorch.cuda has no GPU to work with: {missing}")
    return importlib.import_module("cupy")


# Devices


def current_device() -> int:
    """The number of the GPU that new arrays go to."""
    return int(_cupy().cuda.runtime.getDevice())


def set_device(device: Any) -> None:
    """Let new arrays go to another GPU, for this thread."""
    _cupy().cuda.Device(_number(device)).use()


def device(device: Any) -> AbstractContextManager[Any]:
    """`with cuda.device(1):` new arrays go to that GPU inside."""
    _cupy()
    return working_on(Device(device if isinstance(device, (int, Device)) else str(device)))


def get_device_name(device: Any = None) -> str:
    """What the maker calls the GPU, "NVIDIA H200"."""
    name = _cupy().cuda.runtime.getDeviceProperties(_number(device))["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The GPU's generation as CUDA counts them, (9, 0) for Hopper."""
    properties = _cupy().cuda.runtime.getDeviceProperties(_number(device))
    return int(properties["major"]), int(properties["minor"])


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done everything it was given. Times taken without this are those of handing out the work."""
    _cupy().cuda.Device(_number(device)).synchronize()
    look()


def _number(device: Any) -> int:
    """The number of a GPU from what PyTorch takes for one: None, 1, "cuda", "cuda:1"."""
    index = None if device is None else Device(device).index
    return current_device() if index is None else index


# Memory, in bytes


def memory_allocated(device: Any = None) -> int:
    """What arrays hold on the GPU now."""
    cupy = _cupy()
    with cupy.cuda.Device(_number(device)):
        return int(cupy.get_default_memory_pool().used_bytes())


def memory_reserved(device: Any = None) -> int:
    """What this process has taken from the GPU: what arrays hold, and what is kept for the next ones."""
    cupy = _cupy()
    with cupy.cuda.Device(_number(device)):
        return int(cupy.get_default_memory_pool().total_bytes())


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """(free, total) on the GPU, all programs counted."""
    free, total = _cupy().cuda.Device(_number(device)).mem_info
    return int(free), int(total)


def empty_cache() -> None:
    """Give back what no array holds."""
    cupy = _cupy()
    cupy.get_default_memory_pool().free_all_blocks()
    cupy.get_default_pinned_memory_pool().free_all_blocks()


def max_memory_allocated(device: Any = None) -> int:
    """The most that arrays held at once since `reset_peak_memory_stats()`. CuPy keeps no such count, so counting costs a
    little, and begins with the first call of either."""
    number = _number(device)
    return _peak().most.get(number, memory_allocated(number))


def reset_peak_memory_stats(device: Any = None) -> None:
    """Count `max_memory_allocated` from here on."""
    number = _number(device)
    _peak().now[number] = _peak().most[number] = memory_allocated(number)


@functools.cache
def _peak() -> Any:
    """CuPy's memory calls back on each array that comes and goes in this thread, once this is there."""

    class Peak(_cupy().cuda.MemoryHook):  # type: ignore[misc]
        name = "minitorch.cuda.max_memory_allocated"

        def __init__(self) -> None:
            number = current_device()
            self.now: dict[int, int] = {number: memory_allocated(number)}
            self.most = dict(self.now)

        def malloc_postprocess(self, *, device_id: int, mem_size: int, **rest: Any) -> None:
            self.now[device_id] = self.now.get(device_id, 0) + mem_size
            self.most[device_id] = max(self.most.get(device_id, 0), self.now[device_id])

        def free_postprocess(self, *, device_id: int, mem_size: int, **rest: Any) -> None:
            self.now[device_id] = self.now.get(device_id, 0) - mem_size

    peak = Peak()
    peak.__enter__()
    return peak


# Streams and events


class Event:
    """A place in the work given to a GPU: when it has come that far, and how long it took from one place to the other."""

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self.timed = enable_timing
        self.cupys = _cupy().cuda.Event(block=blocking, disable_timing=not enable_timing, interprocess=interprocess)

    def record(self, stream: Stream | None = None) -> None:
        """Be the place that the work given to `stream` (the current one) has reached by now."""
        self.cupys.record((stream or current_stream()).cupys)

    def wait(self, stream: Stream | None = None) -> None:
        """Let what `stream` is given from here on wait for this place; the program itself goes on."""
        (stream or current_stream()).wait_event(self)

    def query(self) -> bool:
        """Whether the GPU has come this far."""
        return bool(self.cupys.done)

    def synchronize(self) -> None:
        """Wait until the GPU has come this far."""
        self.cupys.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this place to a later one, on the GPU's clock; wait for the later one first."""
        if not (self.timed and end_event.timed):
            raise RuntimeError("elapsed_time is for events made with enable_timing=True")
        return float(_cupy().cuda.get_elapsed_time(self.cupys, end_event.cupys))


class Stream:
    """A queue of work for a GPU. Work in one queue is done in order, two queues run beside each other."""

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        with working_on("cuda" if device is None else Device(device)):
            self.cupys = _cupy().cuda.Stream(non_blocking=True, priority=priority)

    @classmethod
    def around(cls, cupys: Any) -> Stream:
        """One of CuPy's streams under PyTorch's names."""
        made = cls.__new__(cls)
        made.cupys = cupys
        return made

    def wait_event(self, event: Event) -> None:
        """Let what this stream is given from here on wait for `event`."""
        self.cupys.wait_event(event.cupys)

    def wait_stream(self, stream: Stream) -> None:
        """Let what this stream is given from here on wait for all that `stream` has been given."""
        self.wait_event(stream.record_event())

    def record_event(self, event: Event | None = None) -> Event:
        """An event at the place that the work given to this stream has reached."""
        event = event or Event()
        event.record(self)
        return event

    def query(self) -> bool:
        """Whether all work given to this stream is done."""
        return bool(self.cupys.done)

    def synchronize(self) -> None:
        """Wait until all work given to this stream is done."""
        self.cupys.synchronize()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and bool(self.cupys.ptr == other.cupys.ptr)

    def __hash__(self) -> int:
        return hash(self.cupys.ptr)


def current_stream(device: Any = None) -> Stream:
    """The stream that operations go to."""
    with working_on("cuda" if device is None else Device(device)):
        return Stream.around(_cupy().cuda.get_current_stream())


def stream(stream: Stream | None) -> AbstractContextManager[Any]:
    """`with cuda.stream(s):` operations go to `s` inside (None: nothing changes)."""
    return (current_stream() if stream is None else stream).cupys


# Random numbers


def manual_seed(seed: int) -> None:
    """`minitorch.manual_seed`: there is one stream of random numbers, whichever device they are for."""
    random.manual_seed(seed)


manual_seed_all = manual_seed
