"""The strict device: the CuPy backend on the double of CuPy (tests/device), on which everything runs where there is no GPU.

Importing this module loads `minitorch.backend.cupy` with the double in CuPy's place, and enters it as the device "strict" (so
that "cuda" stays what it is on this machine); `strict(array)` puts a NumPy array on it.
"""

from __future__ import annotations

import sys
from typing import Any

from minitorch import backend
from tests.device.library import in_place, module

StrictArray = module.ndarray

with in_place():
    import minitorch.backend.cupy as namespace
    from minitorch.backend.cupy_conv import convolution_ladder

    convolution_ladder()  # asked here, where there is no cuDNN

namespace.device = "strict"
for _name in [name for name in sys.modules if name.startswith("minitorch.backend.cupy")]:
    del sys.modules[_name]  # where there is a GPU, its tests import the backend themselves, with CuPy
    vars(backend).pop(_name.rpartition(".")[2], None)


def strict(array: Any) -> Any:
    """A NumPy array (or a number) on the strict device, copied."""
    return module.array(array)
