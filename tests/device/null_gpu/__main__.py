"""Build it, and run the tests of `tests/gpu` on it. Exit code 3: it cannot be built here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from .build import ROOT, Missing, built, environment


def main(arguments: list[str]) -> int:
    try:
        built()
    except Missing as missing:
        print(f"the null GPU is left out: {missing}")
        return 3
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "tests.device.null_gpu.plugin", "-p", "no:cacheprovider"]
    together = ["-n", "auto"] if importlib.util.find_spec("xdist") else []
    return subprocess.run([*command, *(arguments or ["tests/gpu", *together])], cwd=ROOT, env=environment()).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
