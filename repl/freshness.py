"""Numbers that were edited behind the graph's back: `w.data += 1` leaves what was computed from w with the old ones."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.core.node import Node

MOST = 20_000_000
"""Bytes that are looked at; of a larger graph, its leaves as far as they go."""


class Fingerprints:
    """What the nodes of a pass held when it began."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._kept: list[tuple[Node, Any]] = []
        room = MOST
        for node in sorted(nodes, key=lambda node: node.op is not None):  # leaves first: they are what is edited
            room -= max(getattr(node.raw, "nbytes", 0), 200)
            if room < 0:
                break
            self._kept.append((node, fingerprint(node.raw)))

    def edited(self) -> list[Node]:
        """The nodes whose numbers are others now; each is told once."""
        found = []
        for position, (node, before) in enumerate(self._kept):
            now = fingerprint(node.raw)
            if now != before:
                found.append(node)
                self._kept[position] = (node, now)
        return found


def fingerprint(raw: Any) -> Any:
    """Something that differs when the numbers do."""
    if isinstance(raw, np.ndarray):
        return zlib.adler32(np.ascontiguousarray(raw).view(np.uint8).reshape(-1)) if raw.size else 0  # type: ignore[arg-type]
    return repr(raw) if isinstance(raw, float) else id(raw)
