"""Every operation, by family. The user's function stands beside its operation, in the same file."""

from . import choose, compare, elementwise, exponential, rounding, trigonometric
from .activation import log_softmax, softmax
from .choose import *  # noqa: F403
from .classes import cross_entropy
from .compare import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .exponential import *  # noqa: F403
from .index import getitem
from .linalg import matmul
from .loss import mse_loss
from .reduce import amax, amin, max, mean, min, sum, var
from .rounding import *  # noqa: F403
from .shape import broadcast_to, cat, clone, flatten, permute, reshape, squeeze, stack, to, transpose, unsqueeze
from .trigonometric import *  # noqa: F403

__all__ = [
    "amax", "amin", "broadcast_to", "cat", "clone", "cross_entropy", "flatten", "getitem", "log_softmax", "matmul", "max",
    "mean", "min", "mse_loss", "permute", "reshape", "softmax", "squeeze", "stack", "sum", "to", "transpose", "unsqueeze", "var",
]  # fmt: skip
__all__ += choose.__all__ + compare.__all__ + elementwise.__all__ + exponential.__all__ + rounding.__all__ + trigonometric.__all__
