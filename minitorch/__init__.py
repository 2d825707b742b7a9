"""minitorch: from one scalar Value to tensors, with a backward pass that can be drawn, stepped and asked why.

PyTorch's names, so that `import minitorch as torch` runs ordinary teaching code. Ours beside them: `Value`, `Stepper`,
`debug`, `set_trace`.
"""

from __future__ import annotations

__version__ = "0.1.0"

import gc as _gc
import importlib as _importlib
import os as _os
import sys as _sys
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

import numpy as _np

from . import autograd, backends, nn, ops
from .autograd import enable_grad, grad, inference_mode, inspect, is_grad_enabled, no_grad, set_grad_enabled
from .backend.threads import get_num_threads, set_num_threads
from .core import arguments as _arguments
from .core.device import device
from .core.dtypes import get_default_dtype, promote_types, set_default_dtype
from .core.stepper import Contribution, Stepper
from .core.tensor import Tensor, tensor
from .core.value import Value
from .nn.functional import (  # PyTorch has these in both places
    adaptive_avg_pool1d,
    adaptive_max_pool1d,
    alpha_dropout,
    avg_pool1d,
    batch_norm,
    bilinear,
    binary_cross_entropy_with_logits,
    celu,
    channel_shuffle,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    cosine_embedding_loss,
    cosine_similarity,
    dropout,
    embedding,
    feature_alpha_dropout,
    group_norm,
    hardshrink,
    hinge_embedding_loss,
    instance_norm,
    kl_div,
    layer_norm,
    margin_ranking_loss,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    pairwise_distance,
    pdist,
    pixel_shuffle,
    pixel_unshuffle,
    poisson_nll_loss,
    prelu,
    rms_norm,
    rrelu,
    selu,
    threshold,
    triplet_margin_loss,
)  # fmt: skip
from .ops import *  # noqa: F403
from .ops import create, random
from .ops.create import *  # noqa: F403
from .ops.random import *  # noqa: F403
from .serialize import load, save

float16, float32, float64 = _np.dtype("float16"), _np.dtype("float32"), _np.dtype("float64")
int8, int16, int32, int64 = _np.dtype("int8"), _np.dtype("int16"), _np.dtype("int32"), _np.dtype("int64")
uint8, bool = _np.dtype("uint8"), _np.dtype("bool")
float, double, half, long, int = float32, float64, float16, int64, int32
dtype, Size, finfo, iinfo = _np.dtype, tuple, _np.finfo, _np.iinfo
pi, e, inf, nan, newaxis = _np.pi, _np.e, _np.inf, _np.nan, None


if _TYPE_CHECKING:  # which names ops exports is put together there, further than type checkers follow
    from . import cuda, data, linalg, optim, utils

    def __getattr__(name: str) -> _Any: ...

else:

    def __getattr__(name: str) -> _Any:
        """Packages that not every program uses are imported when they are asked for: a sixth of all modules."""
        if name in ("cuda", "data", "linalg", "optim", "utils"):
            return _importlib.import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=_sys.modules[__name__])

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


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
    _gc.set_threshold(200_000, *_gc.get_threshold()[1:])

__all__ = [
    "Contribution", "Stepper", "Tensor", "Value", "autograd", "backends", "cuda", "data", "debug", "device", "enable_grad",
    "get_default_dtype", "grad", "inference_mode", "inspect", "is_grad_enabled", "linalg", "load", "nn", "no_grad", "optim",
    "promote_types", "random", "save", "set_default_dtype", "set_grad_enabled", "set_trace", "tensor", "utils",
]  # fmt: skip
__all__ += [
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "alpha_dropout", "avg_pool1d", "batch_norm", "bilinear",
    "binary_cross_entropy_with_logits", "celu", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "dropout", "embedding",
    "feature_alpha_dropout", "get_num_threads", "group_norm", "hardshrink", "hinge_embedding_loss", "instance_norm",
    "kl_div", "layer_norm", "margin_ranking_loss", "max_pool1d", "max_pool2d", "max_pool3d", "pairwise_distance",
    "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "rms_norm", "rrelu", "selu",
    "set_num_threads", "threshold", "triplet_margin_loss",
]  # fmt: skip
__all__ += ops.__all__
__all__ += create.__all__
__all__ += random.__all__

_arguments.explain(vars(nn.functional))
_arguments.explain(globals())

backends.fast.enable_if_asked()

if _os.environ.get("MINITORCH_DEBUG"):  # the third thread upwards: the terminal, asked for from outside the program
    _importlib.import_module("repl.attach").from_environment(_os.environ["MINITORCH_DEBUG"])
