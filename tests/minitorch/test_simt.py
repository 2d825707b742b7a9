"""The double's interpreter of CUDA: it computes as C does, and what a GPU would get wrong now and then is an error every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.device.library import module as cupy
from tests.device.memory import KernelError


def run(body: str, *arrays: Any, threads: int = 64, blocks: int = 1) -> list[Any]:
    """A kernel of one line or more on arrays of float, `a` and `b`."""
    given = [cupy.asarray(np.asarray(x, "float32")) for x in arrays]
    names = ", ".join(f"float* {name}" for name, _ in zip("ab", given))
    kernel = cupy.RawKernel(f'extern "C" __global__ void k({names}) {{ int t = threadIdx.x; {body} }}', "k")
    kernel((blocks,), (threads,), tuple(given))
    return [x.tolist() for x in given]


def expression(code: str, *values: Any, out: str = "float64") -> Any:
    inputs = ", ".join(f"{np.asarray(v).dtype.name} {n}" for n, v in zip("xyz", values))
    return cupy.ElementwiseKernel(inputs, f"{out} r", f"r = {code}")(*(cupy.asarray([v]) for v in values)).tolist()[0]


@pytest.mark.parametrize(("code", "values", "expected"), [
    ("x / y", (np.int32(-7), np.int32(2)), -3),  # rounded towards 0
    ("x % y", (np.int32(-7), np.int32(2)), -1),
    ("x / 2", (np.int32(7),), 3),
    ("x / 2.0", (np.int32(7),), 3.5),
    ("x * 4 - 1u", (np.uint32(0),), 2**32 - 1),  # unsigned numbers go round
    ("x > 0 ? 1 : y", (np.float32(-1), np.float64(0.1)), 0.1),
    ("x + y", (np.float32(1e8), np.float32(1)), 1e8),  # in single precision
    ("x + y", (np.float32(1e8), np.float64(1)), 1e8 + 1),
    ("(int)x << 3 | 1", (np.float32(2.9),), 17),
    ("!x + ~y", (np.int32(0), np.int32(0)), 0),
    ("x == 1 && y / x == 2 || y == 5", (np.int32(1), np.int32(2)), 1),
    ("(x ^ 0xFFu) & 0x0F", (np.uint32(0xF0),), 0x0F),
    ("float(x) * 2.5f", (np.int64(3),), 7.5),
    ("max(x, y) - min(x, 1)", (np.int32(4), np.int32(9)), 8),
    ("-x", (np.bool_(True),), -1),
    ("rsqrt(x) + fabs(y)", (np.float64(4), np.float64(-1)), 1.5),
    ("__umulhi(x, x)", (np.uint32(2**31),), 2**30),
])
def test_expressions_are_cs(code, values, expected):
    assert expression(code, *values) == expected


def test_statements_are_cs():
    body = """
    r = 0;
    for (int k = 0; k < 10; ++k) {
        if (k == x) continue;
        if (k > 6) break;
        r += k;
    }
    while (r < 100) r *= 2;
    double half = r / 2, other = half;
    other -= 1;
    r = other;
    """
    found = cupy.ElementwiseKernel("int32 x", "float64 r", body)(cupy.asarray(np.arange(4, dtype="int32")))
    sums = [sum(k for k in range(7) if k != x) for x in range(4)]
    doubled = [next(s * 2**n for n in range(9) if s * 2**n >= 100) for s in sums]
    assert found.tolist() == [d / 2 - 1 for d in doubled]


def test_threads_work_together():
    total = """
    __shared__ float s[64];
    s[t] = a[t];
    __syncthreads();
    for (int half = 32; half > 0; half /= 2) {
        if (t < half) s[t] += s[t + half];
        __syncthreads();
    }
    if (t == 0) b[blockIdx.x] = s[0];
    """
    assert run(total, range(64), [0, 0, 0], blocks=3)[1] == [2016.0] * 3
    warps = "float x = a[t]; for (int step = 16; step > 0; step /= 2) x += __shfl_down_sync(0xffffffffu, x, step); if (t % 32 == 0) b[t / 32] = x;"
    assert run(warps, range(64), [0, 0])[1] == [sum(range(32)), sum(range(32, 64))]
    assert run("atomicAdd(&b[t % 2], a[t]);", np.ones(64), [0, 0])[1] == [32.0, 32.0]


WRONG = {
    "reads past the end": ("b[t] = a[t + 1];", "no array is|outside the array"),
    "writes before the start": ("a[t - 1] = 0.f;", "no array is|outside"),
    "no barrier before reading": ("__shared__ float s[64]; s[t] = a[t]; b[t] = s[63 - t];", "is read that another thread wrote"),
    "no barrier before writing": (
        "__shared__ float s[64]; s[t] = a[t]; __syncthreads(); b[t] = s[63 - t]; s[t] = 0.f;", "overwritten that another thread touched"
    ),
    "a barrier for half a block": ("if (t < 32) __syncthreads(); b[t] = a[t];", "only part of a block"),
    "a barrier after a return": ("if (t < 32) return; __syncthreads(); b[t] = a[t];", "only part of a block|has returned"),
    "two in one place": ("b[t / 2] = a[t];", "two threads write different numbers"),
    "two in one shared place": ("__shared__ float s[64]; s[t / 2] = a[t];", "two threads write one element"),
    "shared memory too small": ("__shared__ float s[32]; s[t] = a[t];", "of an array of 32"),
    "a shuffle for half a warp": ("if (t < 8) b[t] = __shfl_xor_sync(0xffffffffu, a[t], 16);", "does not take part"),
    "division by zero": ("b[t] = t / (t - t);", "divided by 0"),
    "a function CUDA may have": ("b[t] = tgammaf(a[t]);", "no function tgammaf"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_gpu_forgives_now_and_then_is_an_error(name):
    body, told = WRONG[name]
    with pytest.raises(KernelError, match=told):
        run(body, np.arange(64), np.zeros(64))


def test_arguments_are_taken_as_they_are():
    kernel = cupy.RawKernel('extern "C" __global__ void k(float* a, int n, float x) { if (threadIdx.x < n) a[threadIdx.x] = x; }', "k")
    a, one = cupy.zeros(3, np.float32), (1,)
    kernel(one, one, (a, np.int32(1), np.float32(2)))
    assert a.tolist() == [2.0, 0.0, 0.0]
    wide = cupy.zeros((3, 2), np.float32)
    for given in ((a, 1, np.float32(2)), (a, np.int32(1), 2.0), (cupy.zeros(3), np.int32(1), np.float32(1)), (wide.T, np.int32(1), np.float32(1)),
                  (np.zeros(3, "f"), np.int32(1), np.float32(1)), (a, np.int32(1))):  # fmt: skip
        with pytest.raises(TypeError):
            kernel(one, one, given)
    with pytest.raises(ValueError):
        kernel(one, (2048,), (a, np.int32(1), np.float32(2)))
    each = cupy.ElementwiseKernel("T x, raw T y", "T z", "z = x + y[i % 2]", "e")
    assert each(cupy.asarray([[1.0], [2.0]]) * cupy.ones((1, 3)), cupy.asarray([10.0, 20.0])).tolist() == [[11, 21, 11], [22, 12, 22]]
    for given in ((cupy.ones(2, "f"), cupy.ones(2)), (np.ones(2), cupy.ones(2)), (1.0, cupy.ones(2)), (cupy.ones(2),)):
        with pytest.raises((TypeError, ValueError)):
            each(*given)


def test_reductions_map_join_and_finish():
    norm = cupy.ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "norm")
    x = np.arange(24.0).reshape(2, 3, 4)
    for axis, keep in ((None, False), (1, False), ((0, 2), True)):
        expected = np.sqrt((x * x).sum(axis, keepdims=keep))
        np.testing.assert_allclose(norm(cupy.asarray(x), axis=axis, keepdims=keep).get(), expected)
