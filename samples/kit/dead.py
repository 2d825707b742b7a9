"""Dead layers: those whose every output was 0 during a whole epoch. No gradient passes them, so they do not come back.

A watched layer costs one look at the first batch in which it is alive; after that it runs unwatched until the next epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minitorch import nn


class DeadLayers:
    """Watches the layers of some models.

    Args:
        models: the models by name.
    """

    def __init__(self, models: Mapping[str, nn.Module]) -> None:
        several = len(models) > 1
        self.layers = {
            f"{name} {path}".strip() if several else path or name: layer
            for name, model in models.items()
            for path, layer in model.named_modules()
            if not list(layer.children())
        }
        self.unseen: dict[str, Any] = {}  # layers that have given nothing but zeros so far, and how to stop watching
        self.ran: set[str] = set()

    def start(self) -> None:
        """An epoch begins."""
        self.stop()
        self.ran.clear()
        for path, layer in self.layers.items():
            self.unseen[path] = layer.register_forward_hook(self.watcher(path))

    def watcher(self, path: str) -> Any:
        def look(layer: nn.Module, args: Any, out: Any) -> None:
            if not layer.training:
                return
            self.ran.add(path)
            if path in self.unseen and (not hasattr(out, "any") or bool((out != 0).any().item())):
                self.unseen.pop(path).remove()

        return look

    def stop(self) -> list[str]:
        """The epoch ended: the layers that were dead in it, as "2 (ReLU)"."""
        dead = [f"{path} ({type(self.layers[path]).__name__})" for path in self.unseen if path in self.ran]
        for handle in self.unseen.values():
            handle.remove()
        self.unseen.clear()
        return dead
