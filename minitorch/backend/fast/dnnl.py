"""oneDNN, the library behind PyTorch's convolutions on the CPU, called through ctypes (its C interface, version 3).

It wants its numbers in blocks of 16 channels: a `Plan` holds the convolution for one set of shapes, the `reorder`s that bring
our arrays there and back, and where each lies. Threads are ours (`backend.threads`): every thread has its own plans and runs
them on its share of the batch with OpenMP kept to one thread. OpenMP's threads would wait in a loop for the next convolution
while NumPy's want the core, and would not survive a fork.

Figures (2 cores of an EPYC): 0.9 to 1.0 of PyTorch's time forward and backward, where NumPy takes 1.4 to 3. Creating a plan
takes 1 to 4 ms, running it 20 µs beside the computation.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import math
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

Handle = ctypes.c_void_p

# Numbers from oneDNN's headers (dnnl_types.h).
CPU, IN_ORDER, F32, ANY, DIRECT, FORWARD, NAMED = 1, 1, 3, 1, 1, 64, 255
SRC, DST, WEIGHTS, BIAS, SCRATCHPAD, DIFF = 1, 17, 33, 41, 80, 128  # the gradient of an argument has its number + 128
OURS, SEQUENTIAL, OPENMP = 1, 1, 2

NAMES: dict[str, tuple[dict[int, int], int]] = {
    "forward": ({}, DST),
    "input": ({SRC: SRC + DIFF, DST: DST + DIFF}, SRC),
    "weight": ({WEIGHTS: WEIGHTS + DIFF, DST: DST + DIFF}, WEIGHTS),
}
"""For each kind of convolution, what its arguments are called where that is not SRC, WEIGHTS, DST; and which it writes."""

PLANS = 256
"""How many sets of shapes each thread keeps plans for."""


class Version(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int), ("hash", ctypes.c_char_p),
        ("runtime", ctypes.c_int),
    ]  # fmt: skip


class Argument(ctypes.Structure):
    _fields_ = [("number", ctypes.c_int), ("memory", Handle)]


class Unsupported(Exception):
    """oneDNN declined."""


_loaded: list[Any] = []
_loading = threading.Lock()


def library() -> Any:
    """oneDNN 3, from the wheel `onednn-cpu-gomp` or from the system; None where there is none that will do."""
    if not _loaded:
        with _loading:  # one engine for all threads: what belongs to different ones does not go together
            if not _loaded:
                _loaded.append(_load())
    return _loaded[0]


def _load() -> Any:
    for path in _places():
        try:
            found = ctypes.CDLL(path)
            found.dnnl_version.restype = ctypes.POINTER(Version)
            version = found.dnnl_version().contents
            if version.major != 3 or version.runtime not in (SEQUENTIAL, OPENMP):
                continue
            if version.runtime == OPENMP:
                found.omp_set_num_threads, found.omp_get_max_threads  # noqa: B018  (AttributeError where they are out of reach)
        except (OSError, AttributeError):  # not there, or what it needs is not (libgomp1)
            continue
        found.dnnl_primitive_desc_query_md.restype = Handle
        found.dnnl_memory_desc_get_size.restype = ctypes.c_size_t
        engine = Handle()
        if not found.dnnl_engine_create(ctypes.byref(engine), CPU, ctypes.c_size_t(0)):
            setattr(found, "engine", engine)  # noqa: B010  (mypy knows what a library has)
            return found
    return None


def _places() -> Iterator[str]:
    try:
        files = metadata.files("onednn-cpu-gomp") or []
    except metadata.PackageNotFoundError:
        files = []
    yield from (str(file.locate()) for file in files if file.name.startswith("libdnnl.so"))
    yield str(Path(sys.prefix, "lib", "libdnnl.so.3"))
    system = ctypes.util.find_library("dnnl")
    if system:
        yield system


def version() -> str:
    """The version of the library, "" where there is none."""
    found = library()
    if found is None:
        return ""
    number = found.dnnl_version().contents
    return f"{number.major}.{number.minor}.{number.patch}"


class Plan:
    """One convolution ("forward"), or its gradient with respect to the "input" or the "weight", for one set of shapes."""

    def __init__(self, kind: str, x: Any, weight: Any, out: Any, bias: bool, stride: Any, padding: Any, dilation: Any) -> None:
        self.kept: list[tuple[str, Handle]] = []
        """What is to be destroyed in the end: (which kind of thing, it)."""
        weakref.finalize(self, _destroy, self.kept).atexit = False
        self.engine = library().engine
        self.stream = self._keep("stream", "stream_create", self.engine, IN_ORDER)
        self.attributes = self._keep("primitive_attr", "primitive_attr_create")
        library().dnnl_primitive_attr_set_scratchpad_mode(self.attributes, OURS)
        self.size = 0
        """Bytes of workspace."""
        self.places: list[tuple[Handle, int]] = []
        """The memory that lies in the workspace, and where."""
        self.given: dict[int, Handle] = {}
        """The memory of each argument."""
        shapes = {SRC: x, WEIGHTS: weight, DST: out} | ({BIAS: out[1:2]} if bias else {})
        described = self._describe(kind, shapes, stride, padding, dilation)
        named, target = NAMES[kind]
        memories, before, after = {}, [], []
        for number, shape in shapes.items():
            name = named.get(number, number)
            plain, chosen = self._plain(shape), _layout(described, name)
            memories[name] = self.given[number] = self._keep("memory", "memory_create", plain, self.engine, None)
            if not library().dnnl_memory_desc_equal(plain, chosen):
                memories[name] = self._room(chosen)
                there, back = (plain, self.given[number]), (chosen, memories[name])
                if number == target:
                    after.append(self._reorder(back, there))
                else:
                    before.append(self._reorder(there, back))
        self.steps = [*before, self._step(described, memories), *after]

    def _describe(self, kind: str, shapes: dict[int, Any], stride: Any, padding: Any, dilation: Any) -> Handle:
        """The convolution, in the layouts that oneDNN finds best. Those of a gradient lean on the forward one's."""
        layouts = {number: self._free(shape) for number, shape in shapes.items()}
        src, weights, dst, bias = (layouts.get(number) for number in (SRC, WEIGHTS, DST, BIAS))
        before, after = zip(*padding)
        way = (_numbers(stride), _numbers(d - 1 for d in dilation), _numbers(before), _numbers(after))
        create, what = "convolution_{}_primitive_desc_create", "primitive_desc"
        forward = self._keep(
            what, create.format("forward"), self.engine, FORWARD, DIRECT, src, weights, bias, dst, *way, self.attributes
        )
        if kind == "forward":
            return forward
        given = (src, weights, dst) if kind == "input" else (src, weights, None, dst)
        name = create.format("backward_data" if kind == "input" else "backward_weights")
        return self._keep(what, name, self.engine, DIRECT, *given, *way, forward, self.attributes)

    def __call__(self, workspace: int, arrays: dict[int, ndarray]) -> None:
        """Run on arrays by their numbers (SRC, WEIGHTS, DST and perhaps BIAS); one of the first three is written."""
        put = library().dnnl_memory_set_data_handle
        for number, memory in self.given.items():
            put(memory, Handle(arrays[number].ctypes.data))
        for memory, place in self.places:
            put(memory, Handle(workspace + place))
        for primitive, arguments in self.steps:
            status = library().dnnl_primitive_execute(primitive, self.stream, len(arguments), arguments)
            if status or library().dnnl_stream_wait(self.stream):
                raise RuntimeError(f"oneDNN could not run a convolution (status {status})")

    def _keep(self, kind: str, function: str, *arguments: Any) -> Handle:
        """What `dnnl_<function>` creates, until the plan goes."""
        handle = Handle()
        if getattr(library(), "dnnl_" + function)(ctypes.byref(handle), *arguments):
            raise Unsupported(function)
        self.kept.append((kind, handle))
        return handle

    def _plain(self, shape: tuple[int, ...]) -> Handle:
        """The layout of a NumPy array, row by row."""
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        return self._keep(
            "memory_desc", "memory_desc_create_with_strides", len(shape), _numbers(shape), F32, _numbers(strides)
        )

    def _free(self, shape: tuple[int, ...]) -> Handle:
        """A layout that oneDNN may choose."""
        return self._keep("memory_desc", "memory_desc_create_with_tag", len(shape), _numbers(shape), F32, ANY)

    def _room(self, layout: Any) -> Handle:
        """Memory of that layout in the workspace."""
        memory = self._keep("memory", "memory_create", layout, self.engine, None)
        self.places.append((memory, self.size))
        self.size += -(-library().dnnl_memory_desc_get_size(layout) // 64) * 64
        return memory

    def _reorder(self, source: tuple[Any, Handle], target: tuple[Any, Handle]) -> Step:
        """From one (layout, memory) to another."""
        described = self._keep(
            "primitive_desc", "reorder_primitive_desc_create", source[0], self.engine, target[0], self.engine, self.attributes
        )
        return self._step(described, {SRC: source[1], DST: target[1]})

    def _step(self, described: Handle, memories: dict[int, Handle]) -> Step:
        """A primitive and its arguments. What it computes in lies in our workspace: oneDNN's own would belong to a thread."""
        layout = _layout(described, SCRATCHPAD)
        if library().dnnl_memory_desc_get_size(layout):
            memories = {**memories, SCRATCHPAD: self._room(layout)}
        arguments = (Argument * len(memories))(*[Argument(number, memory) for number, memory in memories.items()])
        return self._keep("primitive", "primitive_create", described), arguments


Step = tuple[Handle, Any]


def _layout(described: Handle, number: int) -> Handle:
    """The layout of an argument of a primitive (which belongs to its description)."""
    return Handle(library().dnnl_primitive_desc_query_md(described, NAMED, number))


def _numbers(values: Any) -> Any:
    return (ctypes.c_int64 * 12)(*values)


def _destroy(kept: list[tuple[str, Handle]]) -> None:
    for kind, handle in reversed(kept):
        getattr(library(), f"dnnl_{kind}_destroy")(handle)


def _plan(*arguments: Any) -> Plan | None:
    try:
        return Plan(*arguments)
    except Unsupported:
        return None


class Mine(threading.local):
    """What each thread has for itself: plans, which are not to be run by two at once, and a workspace they share."""

    def __init__(self) -> None:
        self.plan = functools.lru_cache(PLANS)(_plan)
        self.room = np.empty(0, np.uint8)

    def workspace(self, size: int) -> int:
        """The address of so many bytes, at a multiple of 64."""
        if self.room.size < size + 64:
            self.room = np.empty(size + 64, np.uint8)
        return -(-self.room.ctypes.data // 64) * 64


mine = Mine()


def run(kind: str, x: ndarray, weight: ndarray, out: ndarray, bias: ndarray | None, way: tuple[Any, ...]) -> bool:
    """Run a convolution of contiguous float32 arrays in the calling thread; False where oneDNN has none for these shapes."""
    with _one_thread():
        plan = mine.plan(kind, x.shape, weight.shape, out.shape, bias is not None, *way)
        if plan is None:
            return False
        given = {SRC: x, WEIGHTS: weight, DST: out}
        plan(mine.workspace(plan.size), given if bias is None else {**given, BIAS: bias})
    return True


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenMP keeps to the calling thread. (The setting is the thread's own, and put back: others may use the same OpenMP.)"""
    found = library()
    if found.dnnl_version().contents.runtime == SEQUENTIAL:
        yield
        return
    before = found.omp_get_max_threads()
    found.omp_set_num_threads(1)
    try:
        yield
    finally:
        found.omp_set_num_threads(before)
