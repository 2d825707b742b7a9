"""minitorch: from one scalar Value to tensors, with a backward pass that can be drawn, stepped and asked why.

PyTorch's names, so that `import minitorch as torch` runs ordinary teaching code. Ours beside them: `Value`, `Stepper`,
`debug`, `set_trace`.
"""

from __future__ import annotations

import gc as _gc
import importlib as _importlib
from typing import Any as _Any

import numpy as _np

from . import autograd, data, nn, optim, utils
from .autograd import enable_grad, grad, inference_mode, inspect, is_grad_enabled, no_grad, set_grad_enabled
from .core.dtypes import get_default_dtype, promote_types, set_default_dtype
from .core.stepper import Contribution, Stepper
from .core.tensor import Tensor, tensor
from .core.value import Value
from .ops import *  # noqa: F403
from .ops import __all__ as _functions
from .ops import random
from .ops.create import (
    arange, as_tensor, empty, empty_like, eye, from_numpy, full, full_like, linspace, logspace, ones, ones_like, zeros,
    zeros_like,
)  # fmt: skip
from .ops.random import (
    Generator, bernoulli, default_generator, get_rng_state, initial_seed, manual_seed, multinomial, normal, poisson, rand,
    rand_like, randint, randint_like, randn, randn_like, randperm, seed, set_rng_state,
)  # fmt: skip
from .serialize import load, save

float16, float32, float64 = _np.dtype("float16"), _np.dtype("float32"), _np.dtype("float64")
int8, int16, int32, int64 = _np.dtype("int8"), _np.dtype("int16"), _np.dtype("int32"), _np.dtype("int64")
uint8, bool = _np.dtype("uint8"), _np.dtype("bool")
float, double, half, long, int = float32, float64, float16, int64, int32


def debug(*args: _Any, **kwargs: _Any) -> _Any:
    """`with minitorch.debug():` stops at the start of the next backward pass inside, in the terminal debugger."""
    return _importlib.import_module("repl.attach").debug(*args, **kwargs)


def set_trace() -> None:
    """Open the terminal debugger here, as pdb.set_trace() does; it stops again at the next backward pass."""
    _importlib.import_module("repl.attach").set_trace()


# A graph under construction is many new objects and no garbage, which is what Python's collector looks for after every
# 700 of them: a third of the time of a scalar training step. Graphs have no cycles and are freed without it, so it may
# wait a little longer. (Measured: benchmarks/scalar.py.) Whoever has chosen other thresholds keeps them.
if _gc.get_threshold()[0] in (700, 2000):
    _gc.set_threshold(50_000, *_gc.get_threshold()[1:])

__all__ = [
    "Contribution", "Generator", "Stepper", "Tensor", "Value", "arange", "as_tensor", "autograd", "bernoulli", "data", "debug",
    "default_generator", "empty", "empty_like", "enable_grad", "eye", "from_numpy", "full", "full_like",
    "get_default_dtype", "get_rng_state",
    "grad", "inference_mode", "initial_seed", "inspect", "is_grad_enabled", "linspace", "load", "logspace", "manual_seed", "multinomial", "nn",
    "no_grad", "normal", "ones", "ones_like", "optim", "poisson", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "promote_types", "random", "randperm", "save", "seed", "set_default_dtype", "set_grad_enabled", "set_rng_state", "set_trace", "tensor", "utils", "zeros",
    "zeros_like", *_functions,
]  # fmt: skip
