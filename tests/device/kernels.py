"""CuPy's three kinds of kernels of one's own, run by `simt`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .array import leave, ndarray, reachable, reached
from .c import parse, parse_body
from .memory import Memory
from .simt import Launch

LAUNCHED: list[str] = []
"""The names of the kernels that ran, for tests that ask whether one did."""


RAN: dict[tuple[Any, ...], tuple[Any, dict[str, str]]] = {}
"""Every kernel that ran, with the types that its letters stood for: what `nvrtc` is asked to compile."""

LARGE = 2**16
STANDS_FOR: dict[str, Any] = {}
"""Kernels that more than LARGE lanes run as NumPy code instead, by name, for time: (in arguments, out arguments) on NumPy's
arrays. `test_cupy.py` holds each to the kernel's source."""


class Parameter:
    """One of "raw T x": its type (or letter), its name, whether it is indexed by hand."""

    def __init__(self, text: str) -> None:
        *words, self.name = text.split()
        self.raw = "raw" in words
        self.kind = words[-1]

    @staticmethod
    def all(text: str) -> list[Parameter]:
        return [Parameter(part.strip()) for part in text.split(",") if part.strip()]


class ElementwiseKernel:
    def __init__(
        self, in_params: str, out_params: str, operation: str, name: str = "kernel", reduce_dims: bool = True, preamble: str = "",
        no_return: bool = False, return_tuple: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        self.inputs, self.outputs = Parameter.all(in_params), Parameter.all(out_params)
        self.operation, self.name, self.preamble, self.tuple = operation, name, preamble, return_tuple
        names = [p.name for p in (*self.inputs, *self.outputs)]
        if "i" in names or len({*names}) != len(names):
            raise ValueError("Can not use 'i' as a parameter name")
        unknown = {*kwargs} - {"options", "loop_prep", "after_loop"}
        if unknown:
            raise TypeError(f"ElementwiseKernel has no {unknown}")
        self.read = functools.cache(self._read)

    def _read(self, kinds: tuple[tuple[str, str], ...]) -> Any:
        return parse(self.preamble, dict(kinds)), parse_body(self.operation, dict(kinds))

    def __call__(self, *args: Any, size: int | None = None, block_size: int = 128, stream: Any = None) -> Any:
        if len(args) not in (len(self.inputs), len(self.inputs) + len(self.outputs)):
            raise TypeError(f"Wrong number of arguments for {self.name}: {len(args)}")
        for p, x in zip((*self.inputs, *self.outputs), args):
            if not isinstance(x, (ndarray, np.generic, bool, int, float)) or p.raw and not isinstance(x, ndarray):
                raise TypeError(f"Unsupported type {type(x)} for {p.name} of {self.name}")
        reachable(*args)
        given, outs = args[: len(self.inputs)], list(args[len(self.inputs) :])
        kinds = self._kinds(args)
        shape = self._shape(args, size)
        if not outs:
            outs = [ndarray(shape, kinds.get(p.kind, p.kind)) for p in self.outputs]
        count = int(np.prod(shape, dtype=int))
        LAUNCHED.append(self.name)
        RAN[(self.name, self.operation, *kinds.values())] = self, kinds
        if count > LARGE and self.name in STANDS_FOR:
            STANDS_FOR[self.name](*(x._host if isinstance(x, ndarray) else x for x in (*given, *outs)))
        elif count:
            self._run(given, outs, shape, count, kinds)
        return tuple(outs) if len(outs) > 1 or self.tuple else outs[0]

    def _kinds(self, args: tuple[Any, ...]) -> dict[str, str]:
        """What each letter stands for: the dtype of the arrays it is given; they must agree."""
        found: dict[str, str] = {}
        for p, x in zip((*self.inputs, *self.outputs), args):
            if len(p.kind) == 1:
                if isinstance(x, ndarray):
                    if found.setdefault(p.kind, x.dtype.name) != x.dtype.name:
                        raise TypeError(f"Type is mismatched. {p.name} {x.dtype} {found[p.kind]}")
            elif isinstance(x, ndarray) and x.dtype != np.dtype(p.kind):
                raise TypeError(f"Type is mismatched. {p.name} {x.dtype} {p.kind}")
        for p, x in zip(self.inputs, args):
            if len(p.kind) == 1 and p.kind not in found:
                found[p.kind] = np.asarray(x).dtype.name
        return found

    def _shape(self, args: tuple[Any, ...], size: int | None) -> tuple[int, ...]:
        shapes = [x.shape for p, x in zip((*self.inputs, *self.outputs), args) if isinstance(x, ndarray) and not p.raw]
        if size is not None:
            if any(shapes):
                raise ValueError("Specified 'size' can be used only if all of the ndarray are 'raw'.")
            return (size,)
        if not shapes:
            raise ValueError("Loop size is undecided.")
        return np.broadcast_shapes(*shapes)

    def _run(self, given: Any, outs: list[ndarray], shape: tuple[int, ...], count: int, kinds: dict[str, str]) -> None:
        functions, body = self.read(tuple(kinds.items()))
        memory = Memory(reached)
        launch = Launch(count, functions, memory, count)
        names, back, held = launch.variables[0], [], []
        names["i"] = np.arange(count)
        for p, x in zip((*self.inputs, *self.outputs), (*given, *outs)):
            dtype = np.dtype(kinds.get(p.kind, p.kind))
            if p.raw:
                if p in self.outputs and not x.flags.c_contiguous:
                    raise TypeError("the double writes raw arrays only without gaps")
                held.append(np.ascontiguousarray(x._host))  # x[i] counts row by row, however x lies
                names[p.name] = launch.cast((dtype.name, True), memory.add(held[-1]))
            elif p in self.outputs:
                if x.shape != shape:
                    raise ValueError(f"Out shape is mismatched: {x.shape} {shape}")
                names[p.name] = np.array(x._host, dtype).reshape(-1)
                back.append((x, p.name))
            elif isinstance(x, ndarray):
                names[p.name] = np.array(np.broadcast_to(x._host, shape), dtype).reshape(-1)
            else:
                names[p.name] = dtype.type(x)
        with np.errstate(all="ignore"):
            launch.run(body, np.ones(count, bool))
        for x, name in back:
            x._host[...] = np.broadcast_to(names[name], count).reshape(shape)


class ReductionKernel:
    def __init__(
        self, in_params: str, out_params: str, map_expr: str, reduce_expr: str, post_map_expr: str, identity: Any,
        name: str = "reduce_kernel", reduce_type: Any = None, reduce_dims: bool = True, preamble: str = "", options: Any = (),
    ) -> None:  # fmt: skip
        (out,) = Parameter.all(out_params)
        kind = reduce_type or out.kind
        self.map = ElementwiseKernel(in_params, f"{kind} _mapped", f"_mapped = {map_expr}", name, preamble=preamble)
        self.join = ElementwiseKernel(f"{kind} a, {kind} b", f"{kind} _joined", f"_joined = {reduce_expr}", name, preamble=preamble)
        self.post = ElementwiseKernel(f"{kind} a", out_params, post_map_expr, name, preamble=preamble)
        self.identity = identity

    def __call__(self, *args: Any, out: Any = None, axis: Any = None, keepdims: bool = False, stream: Any = None) -> Any:
        mapped = self.map(*args)
        axes = range(mapped.ndim) if axis is None else [a % mapped.ndim for a in ((axis,) if isinstance(axis, int) else axis)]
        kept = [n for a, n in enumerate(mapped.shape) if a not in axes]
        rows = np.moveaxis(mapped._host, list(axes), range(len(list(axes)))).reshape(-1, *kept)
        parts = leave(np.ascontiguousarray(rows))
        if not len(parts):
            parts = leave(np.full((1, *kept), self.identity, parts.dtype))
        while len(parts) > 1:  # in pairs, as a GPU adds up
            half = len(parts) // 2
            joined = self.join(parts[:half], parts[half : 2 * half])
            parts = module_concatenate([joined, parts[2 * half :]])
        found = self.post(parts[0])
        if keepdims:
            found = found.reshape(tuple(1 if a in axes else n for a, n in enumerate(mapped.shape)))
        if out is not None:
            out[...] = found
        return found if out is None else out


def module_concatenate(parts: list[ndarray]) -> ndarray:
    return leave(np.concatenate([x._host for x in parts]))


class RawKernel:
    def __init__(
        self, code: str, name: str, options: tuple[str, ...] = (), backend: str = "nvrtc", translate_cucomplex: bool = False, *,
        enable_cooperative_groups: bool = False, jitify: Any = None,
    ) -> None:  # fmt: skip
        self.code, self.name, self.options = code, name, options
        self._functions: Any = None

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...], *, shared_mem: int = 0) -> None:
        if self._functions is None:
            self._functions = parse(self.code)
        reachable(*args)
        kernel = self._functions[self.name]
        LAUNCHED.append(self.name)
        RAN[self.name, self.code] = self, {}
        grid, block = ((*sizes, 1, 1)[:3] for sizes in (grid, block))
        threads, blocks = int(np.prod(block)), int(np.prod(grid))
        if not 0 < threads <= 1024 or not blocks or grid[1] > 65535 or grid[2] > 65535:
            raise ValueError(f"{self.name}: CUDA_ERROR_INVALID_VALUE: grid {grid}, block {block}")
        if shared_mem > 48 * 1024:
            raise ValueError(f"{self.name}: more than 48 KiB of shared memory")
        memory = Memory(reached)
        launch = Launch(threads * blocks, self._functions, memory, threads, shared_mem)
        names = launch.variables[0]
        lane = np.arange(threads * blocks)
        for what, index, sizes in (("thread", lane % threads, block), ("block", lane // threads, grid)):
            x, rest = index % sizes[0], index // sizes[0]
            places = dict(zip("xyz", (part.astype(np.uint32) for part in (x, rest % sizes[1], rest // sizes[1]))))
            names[what + "Idx"] = places
        names["blockDim"], names["gridDim"] = (dict(zip("xyz", map(np.uint32, sizes))) for sizes in (block, grid))
        if len(args) != len(kernel.parameters):
            raise TypeError(f"{self.name} takes {len(kernel.parameters)} arguments, not {len(args)}")
        for (kind, name), x in zip(kernel.parameters, args):
            names[name] = self._argument(launch, memory, kind, name, x)
        with np.errstate(all="ignore"):
            launch.run(kernel.body, np.ones(threads * blocks, bool))

    def _argument(self, launch: Launch, memory: Memory, kind: Any, name: str, x: Any) -> Any:
        """An argument as it arrives: CUDA takes its bytes as they are, so its type must be the parameter's."""
        what = f"{self.name}, {name}"
        if kind[1]:
            if not isinstance(x, ndarray) or np.dtype(kind[0]) != x.dtype and kind[0] != "void":
                raise TypeError(f"{what}: a pointer to {kind[0]} was given {getattr(x, 'dtype', type(x))}")
            if not x.flags.c_contiguous:
                raise TypeError(f"{what}: a kernel does not see strides")
            return launch.cast((kind[0], True), memory.add(x._host))
        plain = {int: "int64", float: "float64", bool: "bool"}  # as CuPy hands Python's numbers to a kernel
        given = x.dtype.name if isinstance(x, np.generic) else plain.get(type(x))
        if given != kind[0]:
            raise TypeError(f"{what}: {kind[0]} was given {given or type(x)}")
        return np.dtype(kind[0]).type(x)


class RawModule:
    def __init__(self, *, code: str, options: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.code, self.options = code, options

    def get_function(self, name: str) -> RawKernel:
        return RawKernel(self.code, name, self.options)


def _im2col(x: np.ndarray, images: int, channels: int, *rest: Any) -> None:
    *sizes, out = rest
    length, window, spots, stride, before, dilation = (sizes[k : k + 2] for k in range(0, 12, 2))
    over = zip(length, window, spots, stride, before, dilation)
    pads = [(max(0, b), max(0, (p - 1) * s + (k - 1) * d + 1 - n - b)) for n, k, p, s, b, d in over]
    padded = np.pad(x, [(0, 0), (0, 0), *pads])[..., max(0, -before[0]) :, max(0, -before[1]) :]
    image, channel, *steps = padded.strides
    strides = (channel, *(s * d for s, d in zip(steps, dilation)), image, *(s * t for s, t in zip(steps, stride)))
    out[...] = np.lib.stride_tricks.as_strided(padded, out.shape, strides)


STANDS_FOR["minitorch_im2col_2"] = _im2col
