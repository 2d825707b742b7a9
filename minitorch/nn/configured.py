"""Modules that are a function and its settings."""

from __future__ import annotations

from typing import Any

from .module import Module


class Configured(Module):
    """A module whose settings are attributes, and its repr: `super().__init__(alpha=alpha)`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.__dict__.update(settings, _settings=tuple(settings))

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self._settings)
