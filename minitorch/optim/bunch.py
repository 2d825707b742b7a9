"""Small parameters moved together: one array for all of them, so that a step's dozen passes are made once, not for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor

Array = Any

SMALL = 1 << 13
"""Up to so many elements a parameter's passes cost less than calling NumPy for them."""


class Bunch:
    """Parameters of one dtype that have taken equally many steps: their numbers and gradients are copied side by side, moved,
    and copied back; their state lies side by side for good, each parameter's a view of it."""

    def __init__(self, params: Sequence[Tensor], states: Sequence[dict[str, Any]]) -> None:
        self.params, self.states = params, states
        self.shapes = [p.raw.shape for p in params]
        first = params[0].raw
        self.dtype = first.dtype
        ends = np.cumsum([p.raw.size for p in params]).tolist()
        self.places = [slice(end - p.raw.size, end) for p, end in zip(params, ends)]
        self.moved, self.grads, *self.work = (np.empty_like(first, shape=(ends[-1],)) for _ in range(4))
        self.views = [self._view(self.moved, i) for i in range(len(params))]
        self.grad_views = [self._view(self.grads, i) for i in range(len(params))]
        self.state: dict[str, Array] = {}
        for name in (name for name, x in states[0].items() if isinstance(x, Tensor)):
            flat = self.state[name] = np.empty_like(first, shape=(ends[-1],))
            for i, state in enumerate(states):
                view = self._view(flat, i)
                view[...] = state[name].raw
                state[name].raw = view

    def _view(self, flat: Array, number: int) -> Array:
        return flat[self.places[number]].reshape(self.shapes[number])

    def holds(self, known: Mapping[Any, dict[str, Any]]) -> bool:
        """Whether parameters and state are still the ones it was made of (`known`: each parameter's state)."""
        for p, state, shape in zip(self.params, self.states, self.shapes):
            if known.get(p) is not state or p.raw.shape != shape or p.raw.dtype != self.dtype:
                return False
            for name, flat in self.state.items():
                held = state.get(name)
                if held is None or held.raw.base is not flat:
                    return False
        return True

    def move(self, advance: Callable[[dict[str, Any]], None], update: Callable[..., None]) -> None:
        """One step of all: advance(state) for each, then update(step, work, p, g, **state) once."""
        for p, state, view, grad_view in zip(self.params, self.states, self.views, self.grad_views):
            state["step"] += 1
            advance(state)
            view[...] = p.raw
            grad_view[...] = p._grad.raw  # type: ignore[union-attr]
        first = self.states[0]
        numbers = {name: x for name, x in first.items() if isinstance(x, float)}
        update(first["step"], self.work, self.moved, self.grads, **self.state, **numbers)
        for p, view in zip(self.params, self.views):
            p.raw[...] = view
            p.touch()


def bunches(params: Sequence[Any], states: Mapping[Any, dict[str, Any]]) -> tuple[list[Bunch], list[Any]]:
    """Small parameters in bunches of those that go together, and the parameters left over."""
    alike: dict[Any, list[Any]] = {}
    alone = []
    for p in params:
        if isinstance(p, Tensor) and 0 < p.raw.size <= SMALL and states[p]:
            numbers = tuple(x for x in states[p].values() if not isinstance(x, Tensor))
            alike.setdefault((type(p.raw), p.raw.dtype, numbers, *sorted(states[p])), []).append(p)
        else:
            alone.append(p)
    made = []
    for together in alike.values():
        if len(together) > 1:
            made.append(Bunch(together, [states[p] for p in together]))
        else:
            alone += together
    return made, alone
