"""NumPy's names on NumPy arrays, some of them answered by compiled kernels (numba) and by oneDNN.

Every name is the NumPy backend's unless it is imported below. A kernel takes what it was made for, large arrays of float32 or
float64, and hands the rest to NumPy's. Switched on by `minitorch.backends.fast`.
"""

# ruff: noqa: F401, F403, F811  (a namespace)
from __future__ import annotations

from .. import numpy
from ..numpy import *
from .activation import FORWARDS, SLOPES
from .convolution import conv, conv_input, conv_weight
from .elementwise import either, masked, maximum, where  # type: ignore[assignment]
from .normalize import RULES as NORMALIZATIONS
from .normalize import mean, mean_product, mean_square_from, standardize, sum
from .optimize import adam
from .pool import max_pool, unpool, winners  # type: ignore[assignment]
from .recurrent import lstm_rule, lstm_run
from .rows import attention, masked_softmax

RULES = {**numpy.RULES, **NORMALIZATIONS, "lstm": lstm_rule}
"""Whole rules of operations, by their names (see `core.op.Op.pull`)."""
