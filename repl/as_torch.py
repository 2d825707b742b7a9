"""`minitorch debug --as-torch`: a script that imports torch gets minitorch."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

import minitorch


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers `import torch.x` with `minitorch.x`."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("torch."):
            return None
        ours = "minitorch" + name.removeprefix("torch")
        try:
            found = importlib.util.find_spec(ours)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise ModuleNotFoundError(f"minitorch has no {name.removeprefix('torch.')}, which the script imports as {name}")
        return ModuleSpec(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module("minitorch" + spec.name.removeprefix("torch"))
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put in torch's


@contextmanager
def answering_torch(wanted: bool) -> Iterator[None]:
    """Inside, `import torch` and `import torch.nn` are answered by minitorch, if that is wanted."""
    if not wanted:
        yield
        return
    before = {name: module for name, module in sys.modules.items() if name == "torch" or name.startswith("torch.")}
    for name in before:
        del sys.modules[name]
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    sys.modules["torch"] = minitorch
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
            del sys.modules[name]
        sys.modules.update(before)
