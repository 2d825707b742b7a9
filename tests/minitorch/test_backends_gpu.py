"""minitorch.backends.cudnn and .cuda: PyTorch's settings reach what computes."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

import minitorch
from minitorch.backend.gpu_flags import flags as settings
from minitorch.backends import cuda, cudnn


def test_the_settings_of_cudnn(monkeypatch):
    monkeypatch.setattr(settings, "cudnn", True)
    monkeypatch.setattr(settings, "cudnn_tf32", True)
    minitorch.backends.cudnn.benchmark = True  # a line of many scripts
    assert cudnn.enabled and cudnn.allow_tf32
    with cudnn.flags(enabled=False, allow_tf32=False):
        assert not cudnn.enabled and not cudnn.allow_tf32 and not settings.cudnn
    cudnn.enabled, cudnn.allow_tf32 = 0, False
    assert (settings.cudnn, settings.cudnn_tf32) == (False, False)


def test_without_a_gpu_there_is_no_cudnn(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert cudnn.version() is None and not cudnn.is_available()


def test_tf32_in_products_is_cupys_setting(monkeypatch):
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setenv("CUPY_TF32", "0")
    monkeypatch.setattr(settings, "matmul_tf32", False)
    assert not cuda.matmul.allow_tf32
    cuda.matmul.allow_tf32 = True  # before CuPy is loaded: it reads the variable
    assert os.environ["CUPY_TF32"] == "1" and cuda.matmul.allow_tf32
    linalg, kept = ModuleType("cupy._core._routines_linalg"), {"float32": 0}
    linalg.COMPUTE_TYPE_TF32, linalg.COMPUTE_TYPE_DEFAULT = 5, 0
    linalg.get_compute_type, linalg.set_compute_type = kept.get, kept.__setitem__
    for name, module in {"cupy": ModuleType("cupy"), "cupy._core": ModuleType("cupy._core"), linalg.__name__: linalg}.items():
        monkeypatch.setitem(sys.modules, name, module)
    cuda.matmul.allow_tf32 = True
    assert kept == {"float32": 5} and cuda.matmul.allow_tf32
    cuda.matmul.allow_tf32 = False
    assert kept == {"float32": 0} and not cuda.matmul.allow_tf32
    del linalg.set_compute_type
    with pytest.raises(RuntimeError, match="set the variable CUPY_TF32=1"):
        cuda.matmul.allow_tf32 = True
