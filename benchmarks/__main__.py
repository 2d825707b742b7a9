"""Every benchmark whose peers are installed, one table after the other: python -m benchmarks [--rounds 5]"""

from __future__ import annotations

import importlib.util

from . import scalar, tensors

for peer, benchmark in (("micrograd", scalar), ("torch", tensors)):
    if importlib.util.find_spec(peer) is None:
        print(f"skipped {benchmark.__name__}: its peer is not installed (pip install {peer})")
    else:
        benchmark.main()
