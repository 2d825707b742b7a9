"""What a session has at hand before the user has typed anything."""

from __future__ import annotations

import builtins
from typing import Any, NoReturn

import numpy as np

import minitorch


def tools() -> dict[str, Any]:
    """The names a session brings along: the engine's public ones, `np`, `nn`, `optim`.

    Python's own functions keep their names (`sum`, `max`, `abs`: they work on Values), so `sum([a, b])` means what it
    always means; the tensor functions of those names are at `minitorch.sum`.
    """
    import minitorch.nn as nn
    import minitorch.optim as optim

    public = {name: getattr(minitorch, name) for name in minitorch.__all__ if not hasattr(builtins, name)}
    return {**public, "minitorch": minitorch, "nn": nn, "optim": optim, "np": np, "exit": leave, "quit": leave}


def leave(code: int | None = None) -> NoReturn:
    """Leave the session. (Python's own exit() also closes standard input, which may be a script's.)"""
    raise SystemExit(code)
