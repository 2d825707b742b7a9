"""`minitorch.data` under PyTorch's name for it, its modules too (`from minitorch.utils.data.dataset import Dataset`)."""

from __future__ import annotations

import sys

from ..data import *  # noqa: F403
from ..data import __all__ as __all__
from ..data import dataset, loader, sampler, transforms

__path__: list[str] = []  # a package, whose modules are these alone
# The modules themselves under these names, not copies of them: a Dataset is one class, wherever it was imported from.
for _name, _module in {"dataset": dataset, "dataloader": loader, "sampler": sampler, "transforms": transforms}.items():
    sys.modules[f"{__name__}.{_name}"] = globals()[_name] = _module
