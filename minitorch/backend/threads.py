"""Work shared among threads of our own, one per core, while the matrix routines keep to one thread each.

NumPy lets other threads run during its kernels, so a batch is cut into ranges of images and each thread takes one. OpenBLAS
would rather split every single product among threads that wait for each other in a loop: over many small products that costs
more than it gains, and a hundred times more as soon as another program wants a core.
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

WORTH_IT = 2**17
"""From how many numbers on: handing a range to a thread takes 30 to 50 µs, in which NumPy goes through 100,000."""

_lock = threading.Lock()
_inside = 0  # how many calls hold the matrix routines to one thread
_before = 0  # how many threads they had
_count: int | None = None
_sharing = threading.local()  # `.now` in a thread that works on its share: what it calls is not cut again


def get_num_threads() -> int:
    """How many threads share a batch: the cores this process may use, unless told otherwise."""
    if _count is not None:
        return _count
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 16)


def set_num_threads(count: int) -> None:
    """Share batches among `count` threads from here on; 1: none but the caller's."""
    global _count
    if count < 1:
        raise ValueError(f"the number of threads is 1 or more, not {count}")
    _count = int(count)
    _pool.cache_clear()


def shared(count: int, size: int, work: Callable[[int, int], Any]) -> list[Any]:
    """work(start, stop) for ranges that make up 0 to `count`, one per thread; the results in order.

    `size`: how many numbers the work goes through; too few are left to the caller's thread alone.
    """
    threads = min(get_num_threads(), count) if size >= WORTH_IT and not getattr(_sharing, "now", False) else 1
    blas = _blas() if threads > 1 else None
    if blas is None:
        return [work(0, count)]
    bounds = [count * i // threads for i in range(threads + 1)]

    def part(start: int, stop: int) -> Any:
        _sharing.now = True
        try:
            return work(start, stop)
        finally:
            _sharing.now = False

    with _one_thread_each(*blas):
        # Each in a copy of the caller's context, where NumPy's warnings are off.
        others = [
            _pool().submit(contextvars.copy_context().run, part, start, stop) for start, stop in zip(bounds[1:-1], bounds[2:])
        ]
        try:
            first = part(bounds[0], bounds[1])
        finally:
            for other in others:
                other.exception()  # wait: nobody may write after the caller has gone on
        return [first, *(other.result() for other in others)]


@functools.lru_cache(1)
def _pool() -> Any:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max(1, get_num_threads() - 1), "minitorch")


# A forked process has none of the threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


@contextmanager
def _one_thread_each(get: Callable[[], int], put: Callable[[int], None]) -> Iterator[None]:
    global _inside, _before
    with _lock:
        if not _inside:
            _before = get()
            put(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                put(_before)


@functools.cache
def _blas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How to ask and tell the OpenBLAS inside NumPy's wheels how many threads it uses; None where there is none."""
    get, put = _openblas("get_num_threads"), _openblas("set_num_threads")
    return None if get is None or put is None else (get, put)


@functools.cache
def has_small_products() -> bool:
    """Whether NumPy's OpenBLAS has kernels for small matrices, which read them where they lie: those for AVX-512 do."""
    import ctypes

    core = _openblas("get_corename")
    if core is None:
        return False
    core.restype = ctypes.c_char_p
    return core() in (b"SkylakeX", b"Cooperlake", b"SapphireRapids")


def _openblas(what: str) -> Any:
    """The function of the OpenBLAS inside NumPy's wheels that PyPI's builds call `what` with a prefix and a suffix."""
    import ctypes

    home = Path(np.__file__).parent
    for folder in (home.parent / "numpy.libs", home / ".dylibs"):
        for path in folder.glob("*openblas*"):
            library = ctypes.CDLL(str(path))
            for prefix in ("scipy_openblas", "openblas"):
                for suffix in ("64_", ""):
                    found = getattr(library, f"{prefix}_{what}{suffix}", None)
                    if found is not None:
                        return found
    return None
