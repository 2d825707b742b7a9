"""What an animation will show, noted while a sample learns."""

from __future__ import annotations

from typing import Any


class Film:
    """One note per epoch, numbers or lists of them: handed to `run.keep`, they are still there when a run is resumed.

    Attributes:
        epochs: what was noted, in order.
    """

    def __init__(self) -> None:
        self.epochs: list[Any] = []

    def add(self, seen: Any) -> None:
        """Note what is to be seen after an epoch."""
        self.epochs.append(seen)

    def steps(self, first: int = 15, more: int = 15) -> list[int]:
        """Which epochs, counted from 0, an animation shows: the first ones, in which most is learnt, then every so often."""
        last = len(self.epochs) - 1
        return sorted({*range(min(first, last + 1)), *range(first, last, max(1, last // more)), *([last] if last >= 0 else [])})

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epochs = list(state["epochs"])
