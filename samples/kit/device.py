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
    from minitorch.core.device import device as Device
    from minitorch.core.device import gpu_missing

    missing = gpu_missing(Device(device).index or 0) if Device(device).type == "cuda" else ""
    if missing:
        raise SampleError(f"--device {device} cannot be used here: {missing}; use --device cpu")
