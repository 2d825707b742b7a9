"""Parameters on a device moved together, where its backend has one kernel for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend import BACKENDS
from ..core.device import device_of
from ..core.tensor import Tensor


def moved_together(
    kernel: str, params: Sequence[Any], begun: Callable[[Any], dict[str, Any]], names: Sequence[str],
    move: Callable[..., None],
) -> list[Any]:  # fmt: skip
    """Move the parameters that the backend's function `kernel` takes; returns the others.

    `begun(p)` is the state of a parameter, begun if it was not; `names` are its arrays. `move(function, step, *lists)` calls
    the function for parameters that have taken equally many steps: the lists are parameters, gradients, and each of `names`.
    """
    function = getattr(BACKENDS.get(type(params[0].raw)), kernel, None) if params else None
    if function is None:
        return list(params)
    takes: Any = BACKENDS[type(params[0].raw)].takes
    alike: dict[Any, list[tuple[Any, ...]]] = {}
    rest = []
    for p in params:
        arrays = ()
        if isinstance(p, Tensor) and type(p.raw) is type(params[0].raw):
            state = begun(p)
            arrays = (p.raw, p._grad.raw, *(state[name].raw for name in names))  # type: ignore[union-attr]
        if not arrays or not takes(*arrays):
            rest.append(p)
            continue
        state["step"] += 1
        alike.setdefault((p.raw.dtype, device_of(p.raw), state["step"]), []).append(arrays)
        p.touch()
    for (_, _, step), rows in alike.items():
        move(function, step, *map(list, zip(*rows)))
    return rest
