"""Compiled kernels on the CPU: `pip install 'minitorch-stepper[fast]'`, then

    minitorch.backends.fast.enable()            # from here on
    with minitorch.backends.fast.flags(True):   # inside
    MINITORCH_BACKEND=fast python train.py      # a whole program

The operations, their rules and their results stay the same (up to rounding); convolutions go to oneDNN, pooling,
normalization and the optimizers to kernels that numba compiles when they are first used and keeps in a cache. NumPy remains
the default. Small arrays and what the kernels do not take go to NumPy as before.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ..backend import BACKENDS, numpy

VARIABLE = "MINITORCH_BACKEND"
MISSING = "the fast backend needs numba: pip install 'minitorch-stepper[fast]'"


def is_available() -> bool:
    """Whether what it needs is installed."""
    return importlib.util.find_spec("numba") is not None


def is_enabled() -> bool:
    """Whether operations on NumPy's arrays use it."""
    return BACKENDS[numpy.ndarray] is not numpy


def enable() -> None:
    """Use it from here on, in all threads. RuntimeError where it is not installed."""
    if not is_available():
        raise RuntimeError(MISSING)
    BACKENDS[numpy.ndarray] = importlib.import_module("minitorch.backend.fast")


def disable() -> None:
    """Use NumPy from here on, in all threads."""
    BACKENDS[numpy.ndarray] = numpy


@contextmanager
def flags(enabled: bool = True) -> Iterator[None]:
    """Use it, or with `enabled=False` NumPy, inside a `with` (in all threads); afterwards what was used before."""
    before = is_enabled()
    (enable if enabled else disable)()
    try:
        yield
    finally:
        (enable if before else disable)()


def versions() -> dict[str, str]:
    """Which library computes what: {"convolution": "oneDNN 3.2.0", "other kernels": "numba 0.68.1"}; "NumPy 2.4.6" for both
    where it is not enabled, or for the convolution where oneDNN is not found."""
    plain = f"NumPy {numpy.np.__version__}"
    if not is_enabled():
        return {"convolution": plain, "other kernels": plain}
    dnnl = importlib.import_module("minitorch.backend.fast.dnnl").version()
    numba = importlib.import_module("numba").__version__
    return {"convolution": f"oneDNN {dnnl}" if dnnl else plain, "other kernels": f"numba {numba}"}


def enable_if_asked() -> None:
    """What the environment variable MINITORCH_BACKEND says, "numpy" or "fast"; a warning where that cannot be done."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "fast":
        if is_available():
            enable()
        else:
            warnings.warn(f"{VARIABLE}=fast: {MISSING}; computing with NumPy", stacklevel=3)
    elif wanted not in ("", "numpy"):
        warnings.warn(f"{VARIABLE} is numpy or fast, not {wanted!r}; computing with NumPy", stacklevel=3)
