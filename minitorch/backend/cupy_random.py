"""Random masks, drawn on the GPU from a counter: Philox4x32-10 (Salmon et al., Parallel random numbers, 2011).

The number of an element depends on the key and its place alone: the same key gives the same mask, however many threads drew it.
"""

from __future__ import annotations

import math
from typing import Any

import cupy
import numpy as np

_mask = cupy.ElementwiseKernel(
    "uint32 key, uint32 lock, uint32 least, int64 count, T value", "raw T out",
    """
    unsigned int c0 = (unsigned int)i, c1 = (unsigned int)((long long)i >> 32), c2 = 0u, c3 = 0u, k0 = key, k1 = lock;
    for (int round = 0; round < 10; ++round) {
        unsigned int high = __umulhi(0xD2511F53u, c0), low = 0xD2511F53u * c0;
        c0 = __umulhi(0xCD9E8D57u, c2) ^ c1 ^ k0;
        c1 = 0xCD9E8D57u * c2;
        c2 = high ^ c3 ^ k1;
        c3 = low;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    long long at = (long long)i * 4;
    out[at] = c0 >= least ? value : T(0);
    if (at + 1 < count) out[at + 1] = c1 >= least ? value : T(0);
    if (at + 2 < count) out[at + 2] = c2 >= least ? value : T(0);
    if (at + 3 < count) out[at + 3] = c3 >= least ? value : T(0);
    """,
    "minitorch_mask",
)  # fmt: skip


def random_mask(shape: tuple[int, ...], dtype: Any, p: float, value: float, key: int) -> Any:
    """An array of `value`, and of 0 with chance p; `key` is a number of 64 bits. Four elements share one draw."""
    out = cupy.empty(shape, dtype)
    count = math.prod(shape)
    if count:
        least = min(2**32 - 1, round(p * 2**32))
        words = np.uint32(key % 2**32), np.uint32(key >> 32), np.uint32(least)
        _mask(*words, count, value, out, size=-(-count // 4))
    return out
