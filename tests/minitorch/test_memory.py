"""Memory that was freed is used again, and not asked for anew from the system."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import tracemalloc
import types

import pytest

import minitorch
from minitorch.backend import memory

PROGRAM = """
import resource, minitorch, numpy as np
def step():
    for _ in range(50):
        np.ones(1 << 20, np.float32)  # 4 MiB, 1024 pages
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
before = faults()
step()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_a_step_asks_the_system_for_no_pages_that_the_step_before_had() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
    assert int(done.stdout) < 2000


@pytest.mark.parametrize("setting", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX", None])
def test_a_setting_of_the_users_own_is_left_alone(monkeypatch: pytest.MonkeyPatch, setting: str | None) -> None:
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    if setting:
        monkeypatch.setenv(setting, "131072")
    told: list[tuple[int, int]] = []
    library = types.SimpleNamespace(mallopt=lambda what, value: told.append((what, value)))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    memory.keep_freed_memory()
    assert bool(told) is (setting is None)


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: types.SimpleNamespace())
    memory.keep_freed_memory()


def test_a_backward_pass_lets_go_of_gradients_that_have_flowed_on() -> None:
    x = minitorch.ones(50_000, requires_grad=True)
    y = x
    for _ in range(40):
        y = y * 2.0
    kept = y = y * 3.0
    kept.retain_grad()
    last = (y * 0.5).sum()
    tracemalloc.start()
    last.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * x.raw.nbytes
    assert kept.grad is not None and kept.grad.numpy()[0] == 0.5
