"""The gradient of a slice, not yet written out."""

from __future__ import annotations

from typing import Any


class Into:
    """Zeros of `shape` with `part` added at `index`, as a promise.

    Adding it to a buffer touches only the slice, so the gradients of 32 slices of one array cost one array, not 32.
    `xp` is the namespace of `part`.
    """

    __slots__ = ("xp", "part", "index", "shape")

    def __init__(self, xp: Any, part: Any, index: Any, shape: tuple[int, ...]) -> None:
        self.xp, self.part, self.index, self.shape = xp, part, index, shape

    @property
    def dtype(self) -> Any:
        return self.part.dtype

    def astype(self, dtype: Any) -> Into:
        return Into(self.xp, self.part.astype(dtype), self.index, self.shape)

    def add_to(self, buffer: Any) -> Any:
        """Add to `buffer` in place and return it; an index named twice counts twice."""
        if is_basic(self.index):
            buffer[self.index] += self.part
        else:
            self.xp.add_at(buffer, self.index, self.part)
        return buffer

    def dense(self) -> Any:
        """The whole array."""
        return self.add_to(self.xp.zeros(self.shape, self.part.dtype))


def is_basic(index: Any) -> bool:
    """True for an index of slices, integers, None and ... only, which can name no element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(i, slice) or i is None or i is ... or type(i) is int for i in parts)
