"""More than one GPU. CuPy works on the current one, whatever its arrays lie on: here is who makes theirs the current one.

With one GPU, or none, `SEVERAL` is empty, and that is all that anybody asks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

SEVERAL: list[None] = []
"""One entry where tensors may lie on different GPUs."""

_HERE: AbstractContextManager[Any] = nullcontext()


def elsewhere(raw: Any) -> Any:
    """The GPU on which a raw value lies (the first part of several), if that is not the current one: `with` makes it so."""
    while raw.__class__ is tuple:
        raw = raw[0]
    if raw.__class__ is np.ndarray or not hasattr(raw, "device"):
        return None
    gpu = raw.device
    return None if gpu == type(gpu)() else gpu


def beside(raw: Any) -> AbstractContextManager[Any]:
    """`with beside(raw):` what is computed inside is computed where the raw value lies."""
    gpu = elsewhere(raw) if SEVERAL else None
    return _HERE if gpu is None else gpu


def at_home(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose first argument, a node or a raw value, says where it computes."""

    @functools.wraps(function)
    def there(x: Any, *args: Any, **kwargs: Any) -> Any:
        if not SEVERAL:
            return function(x, *args, **kwargs)
        with beside(getattr(x, "raw", x)):
            return function(x, *args, **kwargs)

    return there
