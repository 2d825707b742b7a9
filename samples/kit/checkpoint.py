"""What a run needs to be gone on with as if it had never stopped: everything that changes while it learns.

A checkpoint holds the number of the last finished epoch, the seconds so far (on the clock, and of the processor), the state of
the random numbers, and the state of every object the sample has handed to `run.keep`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from samples.kit.errors import SampleError

NAME = "checkpoint.npz"


def write(path: Path, epoch: int, seconds: float, cpu_seconds: float, kept: Mapping[str, Any]) -> None:
    """Save a checkpoint, whole or not at all."""
    import minitorch

    states = {name: state_of(thing) for name, thing in kept.items()}
    times = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    minitorch.save({"epoch": epoch, **times, "random": minitorch.get_rng_state(), **states}, path)


def read(folder: Path) -> dict[str, Any]:
    """The checkpoint of a run whose first epoch, at least, was finished.

    Raises:
        SampleError: there is none, or it is damaged.
    """
    import minitorch

    try:
        found = minitorch.load(folder / NAME)
    except FileNotFoundError:
        raise SampleError(f"{folder} has no {NAME}: it was stopped before its first epoch ended, or it has no epochs") from None
    except (OSError, ValueError) as error:
        raise SampleError(f"cannot go on from {folder}: {error}") from None
    if not isinstance(found, dict) or not {"epoch", "seconds", "cpu_seconds", "random"} <= set(found):
        raise SampleError(f"{folder / NAME} is not the checkpoint of a run")
    return found


def state_of(thing: Any) -> Any:
    """The state of a model, an optimizer, a scheduler, or a list of Values and tensors."""
    return thing.state_dict() if hasattr(thing, "state_dict") else [number.detach() for number in thing]


def restore(thing: Any, name: str, saved: Mapping[str, Any], folder: Path) -> None:
    """Put an object back into the state it was saved in.

    Raises:
        SampleError: the checkpoint does not have it, or it is of another shape.
    """
    try:
        state = saved[name]
        if hasattr(thing, "load_state_dict"):
            thing.load_state_dict(state)
        else:
            restore_numbers(thing, state)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = f"it has no '{name}'" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise SampleError(f"cannot go on from {folder}: its checkpoint does not fit these settings ({reason})") from None


def restore_numbers(numbers: Sequence[Any], saved: Sequence[Any]) -> None:
    """Values get their number back, tensors their elements (in place: others hold them too)."""
    from minitorch import no_grad

    if len(numbers) != len(saved):
        raise ValueError(f"{len(saved)} numbers were saved, there are {len(numbers)}")
    with no_grad():
        for number, old in zip(numbers, saved):
            if hasattr(number, "copy_"):
                number.copy_(old)
            else:
                number.data = old.data
