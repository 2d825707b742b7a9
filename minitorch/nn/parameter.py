"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that becomes part of `module.parameters()` when it is assigned to a module's attribute.

    Wraps `data` (a tensor or an array) without copying; requires a gradient unless told otherwise.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
