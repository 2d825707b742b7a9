"""`minitorch.data` under PyTorch's name for it."""

from __future__ import annotations

from ..data import *  # noqa: F403
from ..data import __all__ as __all__
