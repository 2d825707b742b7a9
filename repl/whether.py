"""Whether to pause at a pass: `minitorch.debug(when="nan or step == 100")`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import Stepper
from repl import catches
from repl.stops import Condition
from viz.format import host

if TYPE_CHECKING:
    from repl.engine import Session

NAMES = ("step", "loss", "nan", "inf")


class Whether(Mapping[str, Any]):
    """The names that a `when` can use, worked out when they are asked for.

    `step` is the number of the pass in the program, from 1; `loss` the number it starts from; `nan` and `inf` tell that
    there is one, in the forward pass or in a gradient (for which the pass is walked once and taken back). The rest are the
    program's variables.
    """

    def __init__(self, session: Session, stepper: Stepper, step: int) -> None:
        self.session, self.stepper, self.step = session, stepper, step
        self.found: list[str] = []

    def reasons(self, when: Condition) -> list[str]:
        """Why to pause: the condition, and what it found; or nothing. An error in it is a reason, too."""
        try:
            holds = when.among(self)
        except Exception as error:  # the user's expression may raise anything; it must not go unseen
            return [f"when {when.text} could not be asked: {type(error).__name__}: {error}"]
        return [f"when {when.text}: pass {self.step}", *self.found] if holds else []

    def __getitem__(self, name: str) -> Any:
        if name in ("nan", "inf"):
            return self._bad(name)
        if name == "step":
            return self.step
        if name == "loss":
            return float(host(self.stepper.root.raw).reshape(-1)[0])
        if name == "np":
            return np
        return self.session.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*NAMES, *self.session.variables))

    def __len__(self) -> int:
        return len(NAMES) + len(self.session.variables)

    def _bad(self, kind: str) -> bool:
        """Whether there is a nan (inf); who made the first is remembered."""
        graph = self.session.graph
        told = catches.made_first(graph, kind) if catches.bad(self.stepper.root.raw, kind) else ""
        told = told or catches.gradient_made_first(graph, self.stepper, kind)
        if told and told not in self.found:
            self.found.append(told)
        return bool(told)
