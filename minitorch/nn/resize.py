"""Other sizes and arrangements: padding, upsampling, pixels from channels and back."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from . import functional as F
from .configured import Configured
from .module import Module


class Padding(Module):
    """Elements added around the last `ndim` axes. `padding` is one number for all sides, or two for each axis, the last
    axis first: (left, right, top, bottom, front, back)."""

    ndim = 1
    mode = "constant"
    value = 0.0

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.ndim) if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != 2 * self.ndim:
            raise ValueError(f"{type(self).__name__} takes one number or {2 * self.ndim}, not {len(self.padding)}")

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode, self.value if self.mode == "constant" else None)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(Padding):
    """Zeros around signals."""


class ZeroPad2d(ZeroPad1d):
    """Zeros around images."""

    ndim = 2


class ZeroPad3d(ZeroPad1d):
    """Zeros around volumes."""

    ndim = 3


class ConstantPad1d(Padding):
    """The number `value` around signals."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad2d(ConstantPad1d):
    """The number `value` around images."""

    ndim = 2


class ConstantPad3d(ConstantPad1d):
    """The number `value` around volumes."""

    ndim = 3


class ReflectionPad1d(Padding):
    """Signals mirrored at their ends, the ends themselves not repeated."""

    mode = "reflect"


class ReflectionPad2d(ReflectionPad1d):
    """Images mirrored at their edges."""

    ndim = 2


class ReflectionPad3d(ReflectionPad1d):
    """Volumes mirrored at their faces."""

    ndim = 3


class ReplicationPad1d(Padding):
    """The ends of signals repeated."""

    mode = "replicate"


class ReplicationPad2d(ReplicationPad1d):
    """The edges of images repeated."""

    ndim = 2


class ReplicationPad3d(ReplicationPad1d):
    """The faces of volumes repeated."""

    ndim = 3


class CircularPad1d(Padding):
    """Signals that go on at their other end."""

    mode = "circular"


class CircularPad2d(CircularPad1d):
    """Images that go on at their other edge."""

    ndim = 2


class CircularPad3d(CircularPad1d):
    """Volumes that go on at their other face."""

    ndim = 3


class Upsample(Module):
    """To `size`, or `scale_factor` times the size, by "nearest", "linear", "bilinear", "bicubic" or "trilinear"."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)

    def extra_repr(self) -> str:
        factor = float(self.scale_factor) if isinstance(self.scale_factor, int) else self.scale_factor
        size = f"scale_factor={factor}" if self.scale_factor is not None else f"size={self.size}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images enlarged by repeating pixels."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """Images enlarged by mixing neighbours, corner on corner."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)


class PixelShuffle(Configured):
    """Channels to pixels: (n, c · r², h, w) to (n, c, h · r, w · r)."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__(upscale_factor=upscale_factor)

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Configured):
    """Pixels to channels: (n, c, h · r, w · r) to (n, c · r², h, w)."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__(downscale_factor=downscale_factor)

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Configured):
    """Channels dealt out anew from `groups` groups, one from each in turn."""

    def __init__(self, groups: int) -> None:
        super().__init__(groups=groups)

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)
