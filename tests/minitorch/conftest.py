"""Every test starts with the modes as they are at the start of a program, whatever the one before it left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from minitorch.core.modes import state


@pytest.fixture(autouse=True)
def fresh_modes() -> Iterator[None]:
    yield
    state.update(recording=True, inspecting=False, scope="", anomaly=False)
