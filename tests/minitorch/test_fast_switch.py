"""Switching the compiled backend on and off, with and without what it needs."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from minitorch.backend import BACKENDS
from minitorch.backend import numpy as plain
from minitorch.backends import fast


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    return done.stdout + done.stderr


def test_numpy_is_the_default() -> None:
    assert not fast.is_enabled() and BACKENDS[np.ndarray] is plain
    assert fast.versions() == dict.fromkeys(("convolution", "other kernels"), f"NumPy {np.__version__}")
    found = python("import sys, minitorch; print('numba' in sys.modules, 'minitorch.backend.fast' in sys.modules)")
    assert found.split() == ["False", "False"]


def test_flags_put_back_what_was_before() -> None:
    pytest.importorskip("numba")
    with fast.flags(True):
        assert fast.is_enabled()
        with fast.flags(False):
            assert not fast.is_enabled()
        assert fast.is_enabled() and fast.versions()["other kernels"].startswith("numba ")
    assert not fast.is_enabled()


def test_without_numba_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match=r"needs numba: pip install 'minitorch-stepper\[fast\]'"):
        fast.enable()
    monkeypatch.setenv("MINITORCH_BACKEND", "fast")
    with pytest.warns(UserWarning, match="computing with NumPy"):
        fast.enable_if_asked()
    assert not fast.is_enabled()


def test_environment_variable() -> None:
    asked = "import minitorch; print(minitorch.backends.fast.is_enabled())"
    assert python(asked, MINITORCH_BACKEND="numpy").split() == ["False"]
    assert "MINITORCH_BACKEND is numpy or fast, not 'quick'" in python(asked, MINITORCH_BACKEND="quick")
    pytest.importorskip("numba")
    assert python(asked, MINITORCH_BACKEND="fast").split() == ["True"]
