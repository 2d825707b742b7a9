"""The way back through a pass: what stood there before each contribution, and, where that is too much, checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .node import Node
from .places import Places


class History:
    """For each contribution from number `start` on, what its input had received `before` it, and what it `received`.

    With a limit (bytes of arrays; floats are not counted) the oldest are let go when they take more than half of it. The
    other half is for checkpoints: what had arrived, at some position, at the nodes that were waiting for more. From
    there the pass can be walked again. When checkpoints take more than their half, every other one is let go.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.start = 0
        self.before: list[Any] = []
        self.received: list[Any] = []
        self.checkpoints: list[tuple[int, dict[Node, Any]]] = []
        self._held = 0  # bytes of the arrays in before and received
        self._fresh = 0  # of them, those since the last checkpoint
        self._interval = max(limit // 8, 1) if limit is not None else 0  # bytes between two checkpoints

    @property
    def end(self) -> int:
        """The number of contributions applied."""
        return self.start + len(self.before)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays held: an upper bound, for an array may be held elsewhere too."""
        return self._counted() + self._marked()

    def _counted(self) -> int:
        return sum(map(_weight, self.before, self.received)) if self.limit is None else self._held

    def _marked(self) -> int:
        arrays = {id(x): x for _, kept in self.checkpoints for x in kept.values()}
        return sum(map(_size, arrays.values()))

    def grown(self, flow: dict[Node, Any], inputs: Sequence[Node], places: Any) -> None:
        """Keep within the limit, after one contribution was added. `flow` is what has arrived at every node, `inputs` where
        the contributions of the pass go to, and `places()` their Places."""
        assert self.limit is not None
        weight = _weight(self.before[-1], self.received[-1])
        if not weight:
            return
        self._held += weight
        self._fresh += weight
        if self._fresh > self._interval:
            self._mark(flow, inputs, places())
        if self._held > self.limit // 2:
            count = 0
            while self._held > self.limit // 4 and count < len(self.before):
                self._held -= _weight(self.before[count], self.received[count])
                count += 1
            del self.before[:count], self.received[:count]
            self.start += count

    def _mark(self, flow: dict[Node, Any], inputs: Sequence[Node], places: Places) -> None:
        """A checkpoint of the present position."""
        position, self._fresh = self.end, 0
        first, last = places.ends()
        waiting = first[(first < position) & (last >= position)]
        nodes = [inputs[number] for number in waiting.tolist()]
        self.checkpoints.append((position, {x: flow[x] for x in nodes if x in flow}))
        while self.checkpoints and self._marked() > (self.limit or 0) // 2:
            del self.checkpoints[::2]
            self._interval *= 2

    def shorten(self, end: int) -> None:
        """Let go of what came after position `end`, which is not before `start`."""
        if self.limit is not None:
            dropped = sum(map(_weight, self.before[end - self.start :], self.received[end - self.start :]))
            self._held -= dropped
            self._fresh = max(0, self._fresh - dropped)
            self.checkpoints = [mark for mark in self.checkpoints if mark[0] <= end]
        del self.before[end - self.start :], self.received[end - self.start :]

    def rewind(
        self, position: int, flow: dict[Node, Any], start: dict[Node, Any], inputs: Sequence[Node], places: Places
    ) -> None:
        """Put `flow` back to the last checkpoint at or before `position` (the start of the pass is one, where `start` had
        arrived), without the steps in between."""
        mark, kept = max((mark for mark in self.checkpoints if mark[0] <= position), default=(0, {}), key=lambda mark: mark[0])
        first, last = places.ends()
        for number in first[(last >= mark) & (first < self.end)].tolist():
            x = inputs[number]
            held = kept.get(x, start.get(x))
            if held is None:
                flow.pop(x, None)
            else:
                flow[x] = held
        self.start, self.before, self.received, self._held, self._fresh = mark, [], [], 0, 0
        self.checkpoints = [other for other in self.checkpoints if other[0] <= mark]


def _weight(before: Any, received: Any) -> int:
    """Bytes that one contribution holds: a first arrival is what the node has received anyway."""
    if before.__class__ is float or received.__class__ is float:
        return 0
    if before is None and not hasattr(received, "part"):
        return 0
    return _size(before) + _size(received)


def _size(held: Any) -> int:
    """Bytes of an array, of a slice, or of one result among several that were handed on."""
    if isinstance(held, list):
        return sum(map(_size, held))
    if isinstance(held, Node):
        held = held.raw
    for name in ("part", "grad"):
        held = getattr(held, name, held)
    return int(getattr(held, "nbytes", np.float64(0).nbytes if held is not None else 0))
