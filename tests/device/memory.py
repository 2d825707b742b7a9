"""What a kernel run by `simt` may touch: arrays by address, shared memory, local arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class KernelError(AssertionError):
    """What a kernel must not do."""


class Memory:
    """The arrays that a launch may touch, by address: `reached(start)` finds one that only a table of pointers names."""

    def __init__(self, reached: Callable[[int], Any]) -> None:
        self.blocks: list[tuple[int, int, np.ndarray]] = []
        self.reached = reached

    def add(self, array: np.ndarray) -> int:
        start = array.ctypes.data
        flat = array.reshape(-1)
        if array.size and not np.shares_memory(flat, array):
            raise KernelError("a kernel takes arrays without gaps; this one has strides")
        self.blocks.append((start, start + array.nbytes, flat.view(np.uint8) if array.size else np.empty(0, np.uint8)))
        return start

    def find(self, addresses: np.ndarray, dtype: np.dtype, what: str) -> tuple[np.ndarray, np.ndarray]:
        """The array that holds all the addresses, and which of its elements they are."""
        whole = self.whole(addresses, dtype)
        if whole is not None:
            return whole
        low, high = int(addresses.min()), int(addresses.max()) + dtype.itemsize
        for start, stop, _ in self.blocks:
            if start <= low < stop:
                raise KernelError(f"{what} outside the array: byte {high - start} of {stop - start}")
        found = self.reached(low)
        if found is None:
            raise KernelError(f"{what} where no array is")
        self.add(found)
        return self.find(addresses, dtype, what)

    def whole(self, addresses: np.ndarray, dtype: np.dtype) -> Any:
        """`find` where one known array holds all the addresses, else None."""
        low, high = int(addresses.min()), int(addresses.max()) + dtype.itemsize
        for start, stop, data in self.blocks:
            if start <= low and high <= stop:
                return data.view(dtype), (addresses - start) // dtype.itemsize
        return None

    def groups(self, addresses: np.ndarray, dtype: np.dtype, what: str) -> Any:
        """(array, elements, which of the addresses) for each array that they lie in."""
        left = np.arange(len(addresses))
        while len(left):
            rest = addresses[left]
            try:
                data, places = self.find(rest, dtype, what)
                yield data, places, left
                return
            except KernelError:
                first = int(rest.min())
                self.find(rest[rest == first][:1], dtype, what)
                stop = next(stop for start, stop, _ in self.blocks if start <= first < stop)
                inside = rest < stop
                if inside.all():
                    raise
                data, places = self.find(rest[inside], dtype, what)
                yield data, places, left[inside]
                left = left[~inside]


class Pointer:
    """An address for every lane."""

    def __init__(self, address: np.ndarray, dtype: np.dtype) -> None:
        self.address, self.dtype = address, dtype


class Shared:
    """An array of each block, and who touched each element since the last barrier (-1: nobody, -2: several)."""

    def __init__(self, blocks: int, size: int, dtype: np.dtype) -> None:
        self.data = np.full((blocks, size), np.nan if dtype.kind == "f" else 0xA5, dtype)
        self.writer, self.reader = np.full((blocks, size), -1), np.full((blocks, size), -1)

    def barrier(self) -> None:
        self.writer[...] = self.reader[...] = -1


class Local:
    """An array of each lane."""

    def __init__(self, lanes: int, size: int, dtype: np.dtype) -> None:
        self.data = np.zeros((lanes, size), dtype)
