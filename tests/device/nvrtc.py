"""NVIDIA's run-time compiler, which needs no GPU: whether CUDA takes a kernel's source.

`pip install nvidia-cuda-nvrtc-cu12 nvidia-cuda-nvrtc` brings those of CUDA 12 and 13. A RawKernel is compiled as CuPy hands it
over; of an ElementwiseKernel the operation, in a function that stands for what CuPy writes around it (`null_gpu` has CuPy
itself write it). With CuPy installed too, kernels see CuPy's headers; without, a few lines stand in for them, and half
precision is left out.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import re
from pathlib import Path
from typing import Any, NamedTuple

C_TYPES = {
    "bool": "bool", "int8": "signed char", "uint8": "unsigned char", "int16": "short", "uint16": "unsigned short", "int32": "int",
    "uint32": "unsigned int", "int64": "long long", "uint64": "unsigned long long", "float16": "float16", "float32": "float",
    "float64": "double",
}  # fmt: skip
CUPY = """
#include <cupy/complex.cuh>
#include <cupy/carray.cuh>
#include <cupy/float16.cuh>
#include <cupy/atomics.cuh>
#include <cupy/math_constants.h>
"""
ARRAY = """
template <typename T> struct Given { T* at; __device__ T& operator[](long long i) const { return at[i]; } };
"""
OPTIONS = ("--std=c++17", "-ftz=true", "--device-as-default-execution-space")
"""CuPy's, but for the folders of headers and the architecture."""

PACKAGES = {"12": "nvidia.cuda_nvrtc", "13": "nvidia.cu13"}
GENERATIONS = (70, 80, 90)
"""Volta, Ampere and Hopper, as CUDA counts them; a compiler that has dropped one is asked for the oldest that it has."""


@functools.cache
def library(cuda: str = "12") -> Any:
    """The compiler of CUDA "12" or "13", or None where it is not installed."""
    try:
        found = importlib.util.find_spec(PACKAGES[cuda])
    except ModuleNotFoundError:
        return None
    for home in found.submodule_search_locations or () if found else ():
        for path in sorted(Path(home).rglob("libnvrtc.so*")):
            return ctypes.CDLL(str(path))
    return None


def architectures(cuda: str) -> list[int]:
    """Of GENERATIONS what this compiler knows, or what comes nearest."""
    count = ctypes.c_int()
    library(cuda).nvrtcGetNumSupportedArchs(ctypes.byref(count))
    known = (ctypes.c_int * count.value)()
    library(cuda).nvrtcGetSupportedArchs(known)
    return sorted({wanted if wanted in known else min(known) for wanted in GENERATIONS})


@functools.cache
def headers() -> list[str]:
    """Where CuPy keeps its headers, as options; none without CuPy."""
    found = importlib.util.find_spec("cupy")
    if found is None or not found.submodule_search_locations:
        return []
    home = Path(next(iter(found.submodule_search_locations))) / "_core" / "include"
    inner = [home, *sorted((home / "cupy" / "_cccl").iterdir())]
    return [f"-I{path}" for path in (*inner, *Path(str(library()._name)).parent.parent.parent.glob("*/include"))]


class Use(NamedTuple):
    """What a kernel takes of a GPU."""

    name: str
    registers: int
    """Of each thread; a block has 65536 for all of them."""
    spilled: int
    """Bytes of each thread that found no register."""


def compiled(source: str, cuda: str = "12", architecture: int = 80) -> list[Use]:
    """Compile a program to machine code; AssertionError with the compiler's words where it refuses."""
    nvrtc, program = library(cuda), ctypes.c_void_p()
    options = [*OPTIONS, *headers(), f"-arch=sm_{architecture}", "--ptxas-options=-v"]
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None) == 0
    code = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*map(str.encode, options)))
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    told, lines = log.value.decode(), source.splitlines()
    wrong = [f"{at}: {lines[int(at) - 1]}" for at in re.findall(r"kernels\.cu\((\d+)\): error", told)]
    assert code == 0, told + "\n".join(wrong)
    parts = re.split(r"Compiling entry function '(\w+)'", told)[1:]
    return [
        Use(name, int(re.findall(r"Used (\d+) registers", said)[0]), int(re.findall(r"(\d+) bytes spill stores", said)[0]))
        for name, said in zip(parts[::2], parts[1::2])
    ]


def together(sources: list[str]) -> str:
    """Kernels as one program."""
    spaces = "".join(f"namespace kernel_{k} {{\n{text}\n}}\n" for k, text in enumerate(sources))
    return (CUPY if headers() else "") + ARRAY + spaces


def elementwise(kernel: Any, kinds: dict[str, str]) -> str:
    """The source that CuPy makes of an ElementwiseKernel for arrays of these types, but for its way through strides."""
    lines, arguments = [], []
    for p in (*kernel.inputs, *kernel.outputs):
        kind, constant = C_TYPES[kinds.get(p.kind, p.kind)], "const " if p in kernel.inputs else ""
        if p.raw and headers():
            arguments.append(f"{constant}CArray<{kind}, 2, false, true> {p.name}")  # as CuPy hands a matrix over
            continue
        arguments.append(f"{constant}{kind}* _{p.name}")
        if p.raw:
            lines.append(f"Given<{constant}{kind}> {p.name} = {{_{p.name}}};")
        else:
            lines.append(f"{constant}{kind}& {p.name} = _{p.name}[i];")
    letters = "".join(f"typedef {C_TYPES[kind]} {letter};\n" for letter, kind in kinds.items())
    return f"""{letters}{kernel.preamble}
__global__ void {kernel.name}({", ".join(arguments)}, long long _loop_size) {{
    for (long long i = blockIdx.x * blockDim.x + threadIdx.x; i < _loop_size; i += blockDim.x * gridDim.x) {{
        {" ".join(lines)}
        {kernel.operation};
    }}
}}
"""
