"""Convolution by cuDNN, on CuPy's arrays: the first rung of `cupy_conv`'s ladder. An optional extra.

`cudnn.pygraph` (nvidia-cudnn-frontend, https://github.com/NVIDIA/cudnn-frontend) takes plain addresses. A graph is built once
for each kind of gradient, shape, layout and dtype, which takes many milliseconds, and kept; carrying it out takes microseconds.
What cuDNN has no kernel for is answered with None, also once: the next rung computes it.

Shapes as in the NumPy backend. Numbers lie row after row (NCHW) or channels last (NHWC in memory): as those of the first input
do, so those of the second are read, and those of the result written.
"""

from __future__ import annotations

import functools
import importlib
import math
import threading
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import cupy

from .gpu_flags import flags
from .numpy_conv import conv_size

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

ALIGNED = 16
"""Bytes; the kernels read whole words of this size."""

PLANS = 1024
"""How many plans are kept, the latest used. A training program needs three for each shape of convolution."""

FIRST, SECOND, OUT = 1, 2, 3
"""The numbers by which a convolution's arrays are handed over."""


@functools.cache
def is_available() -> bool:
    """Whether nvidia-cudnn-frontend is installed and finds cuDNN itself."""
    return version() is not None


@functools.cache
def version() -> int | None:
    """cuDNN's version as it counts them (92800 is 9.28.0); None where it cannot be used."""
    try:
        return int(library().backend_version()) or None
    except (ImportError, OSError, RuntimeError):  # RuntimeError: the frontend is there, the library behind it is not
        return None


def library() -> Any:
    """nvidia-cudnn-frontend."""
    return importlib.import_module("cudnn")


class Layout(NamedTuple):
    """How an array lies in memory."""

    shape: Sizes
    channels_last: bool = False

    @property
    def strides(self) -> Sizes:
        """How many elements neighbours along each axis are apart."""
        axes = range(len(self.shape))
        order = (0, *axes[2:], 1) if self.channels_last else axes  # from outside to inside
        strides, step = [0] * len(self.shape), 1
        for axis in reversed(order):
            strides[axis], step = step, step * self.shape[axis]
        return tuple(strides)

    def empty(self, dtype: Any) -> Any:
        """An array that lies so, with whatever numbers the memory holds."""
        n, channels, *size = self.shape
        if self.channels_last:
            return cupy.moveaxis(cupy.empty((n, *size, channels), dtype), -1, 1)
        return cupy.empty(self.shape, dtype)


def is_channels_last(x: Any) -> bool:
    """Whether an array lies so, and not row after row (one pixel, or one channel, is both)."""
    return not x.flags.c_contiguous and bool(cupy.moveaxis(x, 1, -1).flags.c_contiguous)


def laid_out(x: Any, layout: Layout) -> Any:
    """The elements of x in this layout, where cuDNN can read them: x itself, or a copy."""
    last = layout.channels_last
    lies_so = cupy.moveaxis(x, 1, -1).flags.c_contiguous if last else x.flags.c_contiguous
    if lies_so and not x.data.ptr % ALIGNED:
        return x
    return cupy.moveaxis(cupy.moveaxis(x, 1, -1).copy("C"), -1, 1) if last else x.copy("C")


# Convolution


def conv(x: Any, weight: Any, bias: Any, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1) -> Any:
    """At each position, the products of each filter with the window of x there, added up; plus the filter's bias."""
    size = conv_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = _carried_out("fprop", x, weight, (len(x), len(weight), *size), stride, padding, dilation)
    if out is not None and bias is not None:
        out += bias.reshape(-1, *(1,) * len(size))
    return out


def conv_input(grad: Any, weight: Any, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1) -> Any:
    """The gradient of `conv` with respect to its x of spatial `size`."""
    return _carried_out("dgrad", grad, weight, (len(grad), groups * weight.shape[1], *size), stride, padding, dilation)


def conv_weight(x: Any, grad: Any, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1) -> Any:
    """The gradient of `conv` with respect to its weight of size `kernel`."""
    return _carried_out("wgrad", x, grad, (grad.shape[1], x.shape[1] // groups, *kernel), stride, padding, dilation)


def _carried_out(kind: str, a: Any, b: Any, shape: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Any:
    """One of the three, as an array of `shape`; None where cuDNN does not take it."""
    if len(shape) == 3:  # cuDNN has no convolution along a single axis: one of images one line high
        out = _carried_out(
            kind, a[:, :, None], b[:, :, None], (*shape[:2], 1, *shape[2:]), (1, *stride), ((0, 0), *padding), (1, *dilation)
        )
        return None if out is None else out[:, :, 0]
    fits = flags.cudnn and len(shape) <= 5 and a.dtype == b.dtype and a.dtype.kind == "f"
    if not (fits and a.size and b.size and math.prod(shape)) or min(p for pair in padding for p in pair) < 0:
        return None
    layouts = [Layout(s, is_channels_last(a)) for s in (a.shape, b.shape, shape)]  # kernels want all three alike
    way = tuple(p for p, _ in padding), tuple(p for _, p in padding), stride, dilation
    tf32 = flags.cudnn_tf32 or a.dtype != "float32"  # halves go to tensor cores whatever it says
    plan = conv_plan(kind, a.dtype.name, *layouts, *way, tf32, a.device.id)
    if plan is None:
        return None
    out = layouts[2].empty(a.dtype)
    plan.run({FIRST: laid_out(a, layouts[0]), SECOND: laid_out(b, layouts[1]), OUT: out})
    return out


@functools.lru_cache(PLANS)
def conv_plan(
    kind: str, dtype: str, a: Layout, b: Layout, out: Layout, before: Sizes, after: Sizes, stride: Sizes, dilation: Sizes,
    tf32: bool, device: int,
) -> Plan | None:  # fmt: skip
    """How cuDNN computes this, as found by its heuristics; None where it cannot."""

    def described(graph: Any) -> None:
        first, second = (tensor(graph, number, x, dtype) for number, x in ((FIRST, a), (SECOND, b)))
        way = {"pre_padding": [*before], "post_padding": [*after], "stride": [*stride], "dilation": [*dilation]}
        if kind == "fprop":
            made = graph.conv_fprop(image=first, weight=second, **way)
        elif kind == "dgrad":
            made = graph.conv_dgrad(loss=first, filter=second, **way)
        else:
            made = graph.conv_wgrad(image=first, loss=second, **way)
        result(OUT, made, out, dtype)

    return built(described, dtype, tf32)


# Plans


class Plan:
    """A graph that cuDNN has compiled, to be carried out on arrays of the layouts it was built for."""

    def __init__(self, graph: Any) -> None:
        self.graph, self.workspace = graph, int(graph.get_workspace_size())

    def run(self, arrays: dict[int, Any]) -> None:
        """Carry it out on the current stream. Its workspace comes from CuPy's pool, and goes back at once: what is asked for
        next on this stream is done after it."""
        workspace = cupy.cuda.alloc(self.workspace) if self.workspace else None
        addresses = {number: array.data.ptr for number, array in arrays.items()}
        self.graph.execute(addresses, workspace.ptr if workspace else 0, handle())


def built(described: Callable[[Any], None], dtype: str, tf32: bool = True) -> Plan | None:
    """The plan of the graph that `described` puts together; None where cuDNN has no kernel for it."""
    cudnn = library()
    try:
        graph = cudnn.pygraph(
            io_data_type=kind_of(dtype), intermediate_data_type=_exact(dtype), compute_data_type=_exact(dtype), handle=handle()
        )
        described(graph)
        graph.validate()
        graph.build_operation_graph()
        graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
        if not tf32:
            notes = cudnn.numerical_note
            graph.deselect_numeric_notes([notes.TENSOR_CORE, notes.DOWN_CONVERT_INPUTS])
        graph.check_support()
        graph.build_plans()
    except cudnn.cudnnGraphNotSupportedError:
        return None
    except RuntimeError as error:
        warnings.warn(f"cuDNN refuses a graph, and CuPy computes it instead: {error}", RuntimeWarning, stacklevel=2)
        return None
    return Plan(graph)


def tensor(graph: Any, number: int, layout: Layout, dtype: str) -> Any:
    """An input of a graph."""
    return graph.tensor(
        name=f"input{number}", dim=[*layout.shape], stride=[*layout.strides], data_type=kind_of(dtype), uid=number
    )


def result(number: int, made: Any, layout: Layout, dtype: str) -> None:
    """Let `made` be what a graph writes down, as array `number`."""
    made.set_output(True).set_data_type(kind_of(dtype)).set_dim([*layout.shape]).set_stride([*layout.strides]).set_uid(number)


def kind_of(dtype: str) -> Any:
    """cuDNN's name of a dtype."""
    kinds = library().data_type
    return {"float16": kinds.HALF, "float32": kinds.FLOAT, "float64": kinds.DOUBLE}[dtype]


def _exact(dtype: str) -> Any:
    """In what sums are added up: never in float16."""
    return kind_of("float64" if dtype == "float64" else "float32")


_handles = threading.local()


def handle() -> int:
    """This thread's way to cuDNN on the current GPU. It is told of the current stream, which takes microseconds, when that
    is another one."""
    device, stream = cupy.cuda.Device().id, cupy.cuda.get_current_stream().ptr
    mine: dict[int, list[int]] = _handles.__dict__.setdefault("by_device", {})
    if device not in mine:
        mine[device] = [library().create_handle(), -1]
    if mine[device][1] != stream:
        library().set_stream(handle=mine[device][0], stream=stream)
        mine[device][1] = stream
    return mine[device][0]
