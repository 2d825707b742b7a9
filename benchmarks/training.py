"""Training steps beside PyTorch and the NumPy frameworks: forward, loss, backward, optimizer; float32, all cores."""

from __future__ import annotations

from typing import Any

from .measure import FAST, OURS, Group, Memory, Row, timed

LOSSES = 4
"""Steps whose losses are compared before the clock starts."""


def step(contestant: str, model: str) -> dict[str, Any]:
    """One training step of a model: seconds, the peak of memory above the import, and the first losses."""
    if contestant in (OURS, FAST, "torch"):
        from .models import MODELS

        library = "torch" if contestant == "torch" else "minitorch"
        __import__(library)
        memory = Memory()
        made: Any = MODELS[model](library)
    else:
        from .peers import PEERS, load

        load(contestant)
        memory = Memory()
        made = PEERS[contestant][model]()
    losses = [float(made.step()) for _ in range(LOSSES)]
    measured = timed(made.step)
    return {**measured, "peak": memory.peak(), "losses": losses}


def rows() -> list[Row]:
    """A row for each model, with the peers that can express it."""
    from .models import MODELS
    from .peers import PEERS

    targets = {"mlp": 1.0, "lstm": 1.2, "gpt": 1.2}
    return [
        Row(
            model,
            "benchmarks.training:step",
            (OURS, FAST, "torch", *(peer for peer, models in PEERS.items() if model in models)),
            {"model": model},
            targets.get(model, 1.5),
        )
        for model in MODELS
    ]


GROUP = Group("training step", rows(), "torch")
