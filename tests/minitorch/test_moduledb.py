"""Every module, held against PyTorch's own samples with PyTorch's weights (see moduledb.py)."""

from __future__ import annotations

import pytest

from minitorch import nn

from . import moduledb

MODULES = sorted(name for name in nn.__all__ if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module))

BESIDES = {
    "LSTM": "proj_size is not supported",
    "TransformerEncoder": "a PyTorch module as an argument",
    "TransformerDecoder": "a PyTorch module as an argument",
}
"""Modules of which some samples (or all) are not run, and why."""

KNOWN = {"CrossEntropyLoss": "ignore_index"}
"""Modules with samples that differ: where every class is ignored the loss is nan, and its gradient nan here, 0 in PyTorch."""


@pytest.mark.parametrize("name", MODULES)
def test_pytorchs_samples(name: str) -> None:
    pytest.importorskip("torch.testing._internal.common_modules")
    if name not in moduledb.module_db():
        pytest.skip("PyTorch has no samples of it")
    outcome = moduledb.run(name)
    wrong = [line for line in outcome.wrong if KNOWN.get(name, "no such line") not in line]
    assert not wrong, "\n".join(wrong[:5])
    assert all(BESIDES.get(name, "nothing") in line for line in outcome.unsupported), "\n".join(outcome.unsupported[:5])
    assert outcome.same or outcome.unsupported
