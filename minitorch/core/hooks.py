"""The receipt for a registered hook."""

from __future__ import annotations

import itertools
from typing import Any

_number = itertools.count().__next__


class RemovableHandle:
    """Returned for a registered hook: `remove()` takes the hook away again, and so does the end of a `with` block."""

    def __init__(self, hooks: dict[int, Any], hook: Any, prepend: bool = False) -> None:
        self._hooks, self.id = hooks, _number()
        others = dict(hooks) if prepend else {}
        if prepend:
            hooks.clear()
        hooks[self.id] = hook
        hooks.update(others)

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()
