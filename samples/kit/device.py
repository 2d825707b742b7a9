"""`--device`: whether the numbers can be where the user wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.kit.errors import SampleError

if TYPE_CHECKING:
    from samples.registry import Sample


def check(device: str, sample: Sample) -> None:
    """Raise SampleError where there is no such device, or the sample has no use for it."""
    if device == "cpu":
        return
    if not sample.cuda:
        raise SampleError(f"{sample.name} computes on the CPU only; leave out --device {device}")
    import minitorch

    try:
        minitorch.zeros(1, device=device)
    except (RuntimeError, ImportError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SampleError(f"--device {device} cannot be used here ({reason}); use --device cpu") from None
