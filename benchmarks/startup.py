"""What one waits for: imports, the command, and batches of data."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from .measure import OURS, Group, Row, timed

IMPORTS = {OURS: "import minitorch", "numpy": "import numpy", "torch": "import torch"}


def run(contestant: str) -> dict[str, Any]:
    """A Python process that imports the contestant and ends, after one whose files nobody had read yet."""
    return _process([sys.executable, "-c", IMPORTS[contestant]])


def command(contestant: str, arguments: list[str]) -> dict[str, Any]:
    """The `minitorch` command with some arguments."""
    return _process([sys.executable, "-m", "repl.main", *arguments])


def _process(arguments: list[str]) -> dict[str, Any]:
    times = []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed
    for _ in range(4):
        start = time.perf_counter()
        subprocess.run(arguments, check=True, capture_output=True, stdin=subprocess.DEVNULL, env=environment)
        times.append(time.perf_counter() - start)
    return {"seconds": sorted(times[1:])[1], "best": min(times)}


def loader(contestant: str) -> dict[str, Any]:
    """10,000 small images in shuffled batches of 64, one epoch."""
    lib = importlib.import_module(contestant)
    data = importlib.import_module(f"{contestant}.utils.data")
    images = lib.tensor(np.zeros((10_000, 1, 28, 28), np.float32))
    dataset = data.TensorDataset(images, lib.arange(10_000))
    batches = data.DataLoader(dataset, batch_size=64, shuffle=True)
    return timed(lambda: sum(1 for _ in batches))


GROUP = Group(
    "waiting",
    [
        Row("python -c 'import ...'", "benchmarks.startup:run", (OURS, "numpy", "torch")),
        Row("minitorch --help", "benchmarks.startup:command", (OURS,), {"arguments": ["--help"]}),
        Row("terminal, to its end", "benchmarks.startup:command", (OURS,), {"arguments": ["--batch", "-c", "quit"]}),
        Row("DataLoader, 10,000 images", "benchmarks.startup:loader", (OURS, "torch"), {}, 1.0),
    ],
    "torch",
    rounds=2,
)
