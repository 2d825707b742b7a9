"""NVIDIA's run-time compiler, which needs no GPU: whether CUDA takes a kernel's source.

`pip install nvidia-cuda-nvrtc-cu12` brings it. With CuPy installed too, kernels see CuPy's headers, as they do on a GPU; without,
a few lines stand in for them, and half precision is left out.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import re
from pathlib import Path
from typing import Any

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


@functools.cache
def library() -> Any:
    """The compiler, or None where it is not installed."""
    for package in ("nvidia.cuda_nvrtc", "nvidia.cu13"):
        try:
            found = importlib.util.find_spec(package)
        except ModuleNotFoundError:
            continue
        for home in found.submodule_search_locations if found else ():
            for path in sorted(Path(home).rglob("libnvrtc.so*")):
                return ctypes.CDLL(str(path))
    return None


@functools.cache
def headers() -> list[str]:
    """Where CuPy keeps its headers, as options; none without CuPy."""
    found = importlib.util.find_spec("cupy")
    if found is None or not found.submodule_search_locations:
        return []
    home = Path(next(iter(found.submodule_search_locations))) / "_core" / "include"
    inner = [home, *sorted((home / "cupy" / "_cccl").iterdir()), *sorted((home / "cupy" / "_cuda").glob("cuda-1*"))[-1:]]
    return [f"-I{path}" for path in (*inner, *Path(str(library()._name)).parent.parent.parent.glob("*/include"))]


def compiled(sources: list[str]) -> None:
    """Compile all to PTX, as one program; AssertionError with the compiler's words where it refuses."""
    whole = (CUPY if headers() else "") + ARRAY + "".join(f"namespace kernel_{k} {{\n{text}\n}}\n" for k, text in enumerate(sources))
    nvrtc, program = library(), ctypes.c_void_p()
    options = ["--std=c++17", "--gpu-architecture=compute_75", "-DCUPY_JIT_MODE", *headers()]
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), whole.encode(), b"kernels.cu", 0, None, None) == 0
    code = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*map(str.encode, options)))
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    lines = whole.splitlines()
    told = [f"{at}: {lines[int(at) - 1]}" for at in re.findall(r"kernels\.cu\((\d+)\): error", log.value.decode())]
    assert code == 0, log.value.decode() + "\n".join(told)


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


def raw(kernel: Any) -> str:
    """The source of a RawKernel, as part of a larger program."""
    return kernel.code.replace('extern "C"', "")
