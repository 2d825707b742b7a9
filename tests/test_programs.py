"""Ordinary PyTorch programs run under both imports, from one source and the same weights, and lose alike."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")

PROGRAMS = Path(__file__).parent / "programs"
PLACES = ["", ".nn", ".nn.functional", ".nn.init", ".nn.utils", ".optim", ".optim.lr_scheduler", ".utils", ".utils.data"]


def load(name: str, library: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program `name` as a module whose `import torch` is answered by `library`."""
    with monkeypatch.context() as patch:
        for place in PLACES:
            patch.setitem(sys.modules, f"torch{place}", importlib.import_module(f"{library.__name__}{place}"))
        spec = importlib.util.spec_from_file_location(f"{name}_under_{library.__name__}", PROGRAMS / f"{name}.py")
        assert spec is not None and spec.loader is not None
        program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)
    return program


@pytest.fixture(autouse=True)
def default_dtypes_restored():
    yield
    torch.set_default_dtype(torch.float32)
    minitorch.set_default_dtype(minitorch.float32)


@pytest.mark.parametrize("name", ["cnn_classifier", "char_gpt", "dcgan"])
def test_a_pytorch_program_loses_alike_under_both_imports(name, monkeypatch):
    theirs, ours = load(name, torch, monkeypatch), load(name, minitorch, monkeypatch)
    model, twin = theirs.build(), ours.build()
    weights = {key: minitorch.tensor(value.numpy().copy()) for key, value in model.state_dict().items()}
    assert list(twin.state_dict()) == list(weights)
    twin.load_state_dict(weights)
    expected = theirs.train(model)
    np.testing.assert_allclose(ours.train(twin), expected, rtol=1e-6, atol=1e-6)
    assert expected[19] < expected[0] or name == "dcgan"
