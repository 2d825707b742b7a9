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
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np

WORTH_IT = 2**18
"""From how many numbers on: handing over a range and waiting for the thread take 40 to 60 µs, in which NumPy goes through
150,000 numbers."""

HEAD_START = 100_000
"""How many numbers the caller's thread has gone through by the time that another begins."""

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


def shared(count: int, size: int, work: Callable[[int, int], Any], grain: int = 1) -> list[Any]:
    """work(start, stop) for ranges that make up 0 to `count`, one per thread; the results in order. Ranges start at multiples
    of `grain`.

    `size`: how many numbers the work goes through; too few are left to the caller's thread alone.
    """
    threads = min(get_num_threads(), -(-count // grain)) if size >= WORTH_IT and not getattr(_sharing, "now", False) else 1
    if threads < 2 or _blas() is None:
        return [work(0, count)]
    bounds = _bounds(count, size, threads, grain)

    def part(start: int, stop: int) -> Any:
        _sharing.now = True
        try:
            return work(start, stop)
        finally:
            _sharing.now = False

    answers: SimpleQueue[Any] = SimpleQueue()
    results: list[Any] = [None] * threads
    errors: list[Any] = [None] * threads
    with one_thread_each:
        crew.hire(threads - 1)
        crew.make_way()
        for number in range(1, threads):
            # Each in a copy of the caller's context, where NumPy's warnings are off.
            run = contextvars.copy_context().run
            crew.jobs.put((answers, number, run, part, bounds[number], bounds[number + 1]))
        try:
            results[0] = part(0, bounds[1])
        finally:
            for _ in range(1, threads):  # wait, also after an error: nobody may write after the caller has gone on
                number, results[number], errors[number] = answers.get()
    for error in errors:
        if error is not None:
            raise error
    return results


class Task:
    """A call that `Aside` makes in time: its `result` waits for it."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.call = function, args
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def run(self) -> None:
        try:
            function, args = self.call
            self.value = function(*args)
        except BaseException as error:  # it is the caller's
            self.error = error
        finally:
            self.done.release()


class Aside:
    """`with Aside(size) as aside:` calls that another thread makes, in their order, while the caller goes on with something
    that no two threads can share, such as steps that wait for each other.

    Meanwhile the matrix routines keep to one thread. `size`: how many numbers all the calls go through. Where it is too
    little, or there is but one thread, `apart` is False and calls are made at once.
    """

    def __init__(self, size: int) -> None:
        sharing = getattr(_sharing, "now", False)
        self.apart = size >= 4 * WORTH_IT and get_num_threads() > 1 and not sharing and _blas() is not None
        self.waiting: deque[Task] = deque()
        self.bell: SimpleQueue[bool] = SimpleQueue()
        self.over: SimpleQueue[Any] = SimpleQueue()

    def __enter__(self) -> Aside:
        if self.apart:  # first what may fail, for then nobody calls __exit__
            crew.hire(1)
            crew.make_way()
        one_thread_each.__enter__()
        if self.apart:
            _sharing.now = True
            crew.jobs.put((self.over, 0, contextvars.copy_context().run, self._serve))
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if self.apart:
                self.waiting.clear()
                self.bell.put(False)
                self.over.get()  # nobody may write after the caller has gone on
        finally:  # also when Ctrl-C comes meanwhile
            if self.apart:
                _sharing.now = False
            one_thread_each.__exit__()

    def submit(self, function: Callable[..., Any], *args: Any) -> Task:
        """function(*args), after those submitted before."""
        task = Task(function, args)
        if self.apart:
            self.waiting.append(task)
            self.bell.put(True)
        else:
            task.run()
        return task

    def result(self, task: Task) -> Any:
        """What the call gave, or its error. Calls that nobody has begun are made here until then."""
        while task.done.locked():
            try:
                self.waiting.popleft().run()
            except IndexError:
                with task.done:  # another thread is at it
                    break
        if task.error is not None:
            raise task.error
        return task.value

    def _serve(self) -> None:
        _sharing.now = True
        try:
            while self.bell.get():
                try:
                    task = self.waiting.popleft()
                except IndexError:  # its caller could not wait
                    continue
                task.run()
        finally:
            _sharing.now = False


@functools.lru_cache(256)
def _bounds(count: int, size: int, threads: int, grain: int) -> list[int]:
    """Where the ranges begin and end. The caller's is the largest, for it need not wait for a thread to begin: when it comes
    to its end the others have, and nobody has to be woken once more (64 x 784 times 784 x 256: 151 µs, by halves 188)."""
    pieces = -(-count // grain)
    first = round(pieces * min(1, (1 + (threads - 1) * HEAD_START / max(size, 1)) / threads))
    first = min(max(first, 1), pieces - threads + 1)
    ends = [first + (pieces - first) * i // (threads - 1) for i in range(threads)]
    return [0, *(min(count, end * grain) for end in ends)]


class _Crew:
    """The threads that wait for jobs. (Handing work over takes half of what concurrent.futures needs: 12 instead of 24 µs.)"""

    def __init__(self) -> None:
        self.gather()

    def gather(self) -> None:
        """Start anew, with none."""
        self.jobs: SimpleQueue[Any] = SimpleQueue()
        self.ids: list[int] = []
        self.avoided = -1
        self.lock = threading.Lock()

    def hire(self, number: int) -> None:
        """At least so many."""
        if len(self.ids) < number:
            with self.lock:
                while len(self.ids) < number:
                    thread = threading.Thread(target=self._serve, args=(self.jobs,), name="minitorch", daemon=True)
                    thread.start()
                    self.ids.append(thread.native_id or 0)
                    self.avoided = -1

    def make_way(self) -> None:
        """Keep the threads off the core that the caller runs on. Where another program runs on the others, Linux wakes a thread
        on the core of whoever wakes it, and there it makes the caller wait until it has done its share: with one such program
        on two cores, 1024 x 128 times 128 x 512 takes 0.75 ms so, and 1.3, as long as without threads, otherwise."""
        current = _current_core()
        core = -1 if current is None else current()
        if core != self.avoided:
            self.avoided = core
            others = os.sched_getaffinity(0) - {core}
            try:
                for thread in self.ids if others else ():
                    os.sched_setaffinity(thread, others)
            except OSError:
                pass  # a core was taken away just now, or a sandbox forbids it

    @staticmethod
    def _serve(jobs: SimpleQueue[Any]) -> None:
        while True:
            answers, number, run, *call = jobs.get()
            try:
                answers.put((number, run(*call), None))
            except BaseException as error:  # it is the caller's
                answers.put((number, None, error))
            del answers, run, call  # their arrays need not wait for the next job


class _OneThreadEach:
    """`with one_thread_each:` the matrix routines keep to the thread that calls them."""

    inside = 0
    """How many are inside at this moment."""
    before = 0
    """How many threads the routines had before."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def release(self) -> None:
        """Nobody is inside any more."""
        self.lock = threading.Lock()
        if self.inside:
            self.inside = 1
            self.__exit__()

    def __enter__(self) -> None:
        blas = _blas()
        with self.lock:
            if not self.inside and blas is not None:
                self.before = blas[0]()
                blas[1](1)
            self.inside += 1

    def __exit__(self, *error: object) -> None:
        blas = _blas()
        with self.lock:
            self.inside -= 1
            if not self.inside and blas is not None:
                blas[1](self.before)


@functools.cache
def _current_core() -> Callable[[], int] | None:
    """How to ask which core the calling thread runs on; None where threads cannot be told where to run."""
    import ctypes

    return getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None


crew, one_thread_each = _Crew(), _OneThreadEach()

# A forked process has none of the threads, and nobody who would let go of what they held.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=crew.gather)
    os.register_at_fork(after_in_child=one_thread_each.release)


@functools.cache
def _blas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How to ask and tell the OpenBLAS inside NumPy's wheels how many threads it uses; None where there is none."""
    get, put = openblas("openblas", "get_num_threads"), openblas("openblas", "set_num_threads")
    return None if get is None or put is None else (get, put)


@functools.cache
def has_small_products() -> bool:
    """Whether NumPy's OpenBLAS has kernels for small matrices, which read them where they lie: those for AVX-512 do."""
    import ctypes

    core = openblas("openblas", "get_corename")
    if core is None:
        return False
    core.restype = ctypes.c_char_p
    return core() in (b"SkylakeX", b"Cooperlake", b"SapphireRapids")


def openblas(family: str, what: str, suffixes: tuple[str, ...] = ("64_", "")) -> Any:
    """The function of the OpenBLAS inside NumPy's wheels that is called `family`_`what` with PyPI's prefix and one of the
    suffixes; None where there is none."""
    import ctypes
    from pathlib import Path  # imports a good deal itself

    home = Path(np.__file__).parent
    for folder in (home.parent / "numpy.libs", home / ".dylibs"):
        for path in folder.glob("*openblas*"):
            library = ctypes.CDLL(str(path))
            for prefix in ("scipy_", ""):
                for suffix in suffixes:
                    found = getattr(library, f"{prefix}{family}_{what}{suffix}", None)
                    if found is not None:
                        return found
    return None
