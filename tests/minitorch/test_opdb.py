"""Every function on the maintained list, held against PyTorch's own samples (see opdb.py)."""

from __future__ import annotations

import pytest

from . import opdb

SUPPORTED = opdb.supported()


def test_the_list_is_in_order() -> None:
    assert list(SUPPORTED) == sorted(SUPPORTED) and len(SUPPORTED) >= 348


@pytest.mark.parametrize("name", SUPPORTED)
def test_pytorchs_samples(name: str) -> None:
    pytest.importorskip("torch.testing._internal.common_methods_invocations")
    outcome = opdb.run(name)
    assert not outcome.wrong, "\n".join(outcome.wrong[:5])
    assert outcome.same
    assert len(outcome.unsupported) <= SUPPORTED[name], "\n".join(outcome.unsupported[:5])
