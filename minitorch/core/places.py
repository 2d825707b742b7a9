"""Where in a long list each node stands."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from .node import Node


class Places:
    """The numbers at which each node stands in a list, which may have it any number of times and must not change.

    Two sorted arrays, where a dict of lists would take ten times the memory and time of a pass over a million Values.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        ids = np.fromiter(map(id, nodes), np.int64, len(nodes))
        order = np.argsort(ids, kind="stable")
        self._ids, self._numbers = array("q", ids[order].tobytes()), array("q", order.tobytes())

    def of(self, node: Node) -> Sequence[int]:
        """The numbers of `node`, smallest first."""
        start, stop = self._span(node)
        return self._numbers[start:stop]

    def count(self, node: Node, below: int) -> tuple[int, int]:
        """(how many of the node's numbers are smaller than `below`, how many there are)."""
        start, stop = self._span(node)
        return bisect_left(self._numbers, below, start, stop) - start, stop - start

    def next(self, node: Node, number: int) -> int | None:
        """The node's first number from `number` on."""
        start, stop = self._span(node)
        found = bisect_left(self._numbers, number, start, stop)
        return self._numbers[found] if found < stop else None

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The first and the last number of every node in the list."""
        ids, numbers = np.frombuffer(self._ids, np.int64), np.frombuffer(self._numbers, np.int64)
        borders = np.flatnonzero(ids[1:] != ids[:-1])
        return numbers[np.concatenate(([0], borders + 1))], numbers[np.concatenate((borders, [len(ids) - 1]))]

    def _span(self, node: Node) -> tuple[int, int]:
        start = bisect_left(self._ids, id(node))
        return start, bisect_right(self._ids, id(node), start)
