"""Memory that was freed is used again, and not asked for anew from the system."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

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
    for extra, few in (({}, True), ({"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}, False)):
        done = subprocess.run([sys.executable, "-c", PROGRAM], env={**environment, **extra}, capture_output=True, check=True)
        assert (int(done.stdout) < 2000) is few  # the user's own setting is left alone
