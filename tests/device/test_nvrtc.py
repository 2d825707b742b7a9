"""NVIDIA's compilers take every kernel that the CuPy backend can write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.minitorch.strict import namespace as xp
from tests.minitorch.test_cupy import run_them_all

from . import kernels, nvrtc

WINDOWS = ("_im2col", "_col2im", "_max", "_winners", "_unpool", "_pick", "_sum", "_spread")


@pytest.fixture
def cuda(request: pytest.FixtureRequest) -> str:
    if nvrtc.library(request.param) is None:
        pytest.skip(f"needs NVIDIA's compiler of CUDA {request.param} (pip install nvidia-cuda-nvrtc{'-cu12' * (request.param == '12')})")
    return str(request.param)


every_compiler = pytest.mark.parametrize("cuda", nvrtc.PACKAGES, indirect=True)


def beside(function: Any) -> dict[str, Any]:
    """The names of the backend's module that a function stands in, as the strict device has it."""
    return dict(function.__globals__)


def whole_programs() -> Iterator[tuple[str, bool]]:
    """The source of every RawKernel, in each dtype and type of index; and whether it is started with up to 1024 threads."""
    norms, softmaxes, columns, optimize = map(beside, (xp.moments, xp.softmax, xp.reduce_to, xp.adam_together))
    for dtype in optimize["C_TYPES"]:
        for index in ("int", "long long"):
            for body, first in ((norms["SUMS"], "moments"), (softmaxes["ROWS"], "softmax"), (columns["COLUMNS"], "column_sums")):
                yield norms["kernel"](first, body, dtype, index).code, True
        yield optimize["_kernel"]("adam", dtype).code, False


def windows(dtype: str) -> list[str]:
    """The kernels of windows over one, two and three axes that count in 64 bits, which only arrays of 2**31 elements start."""
    makers = beside(xp.im2col) | beside(xp.max_pool)
    made = [makers[name](axes, "long long") for name in WINDOWS for axes in (1, 2, 3)]
    return [nvrtc.elementwise(kernel, letters(kernel, {"T": dtype, "W": "uint8"})) for kernel in made]


def letters(kernel: Any, kinds: dict[str, str]) -> dict[str, str]:
    return {p.kind: kinds[p.kind] for p in (*kernel.inputs, *kernel.outputs) if p.kind in kinds}


@every_compiler
def test_kernels_written_as_whole_programs_fit_a_gpu(cuda: str) -> None:
    for architecture in nvrtc.architectures(cuda):
        for source, large in whole_programs():
            used = nvrtc.compiled(source, cuda, architecture)
            assert {use.name for use in used} == {*re.findall(r"__global__ void (\w+)", source)}
            for use in used:
                assert not use.spilled and use.registers * (1024 if large else 256) <= 65536, f"{use}, sm_{architecture}"


@every_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_kernels_of_elements_are_taken(cuda: str, dtype: str) -> None:
    if dtype == "float16" and not nvrtc.headers():
        pytest.skip("needs CuPy's headers for half precision")
    run_them_all(dtype)
    ran = [(kernel, kinds) for kernel, kinds in list(kernels.RAN.values()) if not isinstance(kernel, kernels.RawKernel)]
    sources = [nvrtc.elementwise(kernel, kinds) for kernel, kinds in ran if dtype in kinds.values()] + windows(dtype)
    assert len(sources) > 50
    nvrtc.compiled(nvrtc.together(sources), cuda, max(nvrtc.architectures(cuda)))


@every_compiler
def test_a_mistake_is_seen_and_shown(cuda: str) -> None:
    (source, _), *_ = whole_programs()
    with pytest.raises(AssertionError, match=r'identifier "spred" is undefined(.|\n)*spread = block_sum\(spred, shared\)'):
        nvrtc.compiled(source.replace("block_sum(spread,", "block_sum(spred,"), cuda)
    kernel = beside(xp.max_pool)["_max"](2, "int")
    source = nvrtc.elementwise(kernel, letters(kernel, {"T": "float32"}))
    nvrtc.compiled(nvrtc.together([source]), cuda)
    with pytest.raises(AssertionError, match="error"):
        nvrtc.compiled(nvrtc.together([source.replace("best = v;", "best = v")]), cuda)
