"""Padding: a border around a tensor, of one number or of what lies inside."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .conv import Pads, Sizes

MODES = ("constant", "reflect", "replicate", "circular")


class Pad(Op):
    """x with a border of `pads` (before, after) along each axis; negative cuts off. The border is `value`, or repeats x."""

    def __init__(self, pads: Pads, mode: str = "constant", value: float = 0.0) -> None:
        self.pads, self.mode, self.value = pads, mode, value

    def forward(self, xp, x):
        return xp.pad(x, self.pads, self.mode, self.value)

    def vjp_x(self, xp, grad, out, x):
        return xp.unpad(grad, self.pads, self.mode, xp.shape(x))


class Unpad(Op):
    """The border taken off, each of its elements added where it was copied from: the gradient of Pad."""

    def __init__(self, pads: Pads, mode: str, shape: Sizes) -> None:
        self.pads, self.mode, self.shape = pads, mode, shape

    def forward(self, xp, x):
        return xp.unpad(x, self.pads, self.mode, self.shape)

    def vjp_x(self, xp, grad, out, x):
        return xp.pad(grad, self.pads, self.mode, 0.0)


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """`input` with a border: `pad` is (before, after) for the last axis, then for the one before it, and so on.

    Modes: constant (`value`, else 0; negative numbers cut off), and for the last 1 to 3 axes reflect (mirrored at the edge,
    which is not repeated), replicate (the edge repeated), circular (the other side's end).
    """
    numbers = tuple(int(n) for n in pad)
    axes = len(numbers) // 2
    if mode not in MODES:
        raise ValueError(f"pad's mode is one of {', '.join(MODES)}, not {mode!r}")
    if len(numbers) % 2 or axes > input.ndim:
        raise ValueError(f"pad needs (before, after) for up to {input.ndim} axes, not {numbers}")
    if value is not None and mode != "constant":
        raise ValueError(f"pad: a value is for mode='constant', not {mode!r}")
    pads = ((0, 0),) * (input.ndim - axes) + tuple((numbers[2 * i], numbers[2 * i + 1]) for i in reversed(range(axes)))
    for axis, (n, (before, after)) in enumerate(zip(input.shape, pads)):
        widest = {"reflect": n - 1, "circular": n}.get(mode)
        if widest is not None and (before or after) and max(before, after) > widest:
            raise ValueError(f"pad: mode={mode!r} can add at most {widest} to axis {axis} of length {n}, not {(before, after)}")
        if n + before + after < 0 or (mode != "constant" and (n + before + after < 1 or not n) and (before or after)):
            raise ValueError(f"pad: nothing is left of axis {axis}, of length {n}, padded by {(before, after)}")
    return apply(Pad(pads, mode, 0.0 if value is None else value), input)
