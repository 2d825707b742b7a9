"""Convolutions: a window of weights that moves over a signal, an image or a volume."""

from __future__ import annotations

import math
from typing import Any

from ..core.tensor import Tensor
from ..ops import create
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class Convolution(Module):
    """What all convolutions share: settings for each of `ndim` axes, weight (out, in / groups, *kernel) and bias (out,), which
    start uniform within ±1/√fan_in, as PyTorch's."""

    ndim = 0
    transposed = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", output_padding: Any = 0, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if groups < 1 or channels % groups:
                raise ValueError(f"{type(self).__name__}: {name} {channels} does not divide into {groups} groups")
        modes = ("zeros",) if self.transposed else ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(f"{type(self).__name__}: padding_mode is one of {', '.join(modes)}, not {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size, self.stride = per_axis(kernel_size, self.ndim), per_axis(stride, self.ndim)
        self.dilation, self.output_padding = per_axis(dilation, self.ndim), per_axis(output_padding, self.ndim)
        self.padding: Any = padding if isinstance(padding, str) else per_axis(padding, self.ndim)
        if padding not in ("same", "valid") and isinstance(padding, str):
            raise ValueError(f"{type(self).__name__}: padding is a number, 'same' or 'valid', not {padding!r}")
        if padding == "same" and any(s != 1 for s in self.stride):
            raise ValueError(f"{type(self).__name__}: padding='same' needs stride 1, not {self.stride}")
        first, second = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(create.empty(first, second, *self.kernel_size, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(create.empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan_in, _ = init.fans(self.weight)
        if self.bias is not None and fan_in:
            init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def forward(self, input: Tensor) -> Tensor:
        convolve: Any = getattr(F, f"conv{self.ndim}d")
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._borders(), self.padding_mode), 0
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _borders(self) -> list[int]:
        """How much to pad, last axis first, before and after each, as F.pad takes it."""
        borders = []
        for axis in reversed(range(self.ndim)):
            if isinstance(self.padding, str):
                total = self.dilation[axis] * (self.kernel_size[axis] - 1) if self.padding == "same" else 0
                borders += [total // 2, total - total // 2]
            else:
                borders += [self.padding[axis]] * 2
        return borders

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * self.ndim:
                parts.append(f"{name}={value}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class Conv1d(Convolution):
    """Over signals (n, channels, length)."""

    ndim = 1

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         device=device, dtype=dtype)  # fmt: skip


class Conv2d(Conv1d):
    """Over images (n, channels, height, width)."""

    ndim = 2


class Conv3d(Conv1d):
    """Over volumes (n, channels, depth, height, width)."""

    ndim = 3


class ConvTranspose1d(Convolution):
    """The transpose of Conv1d, as a map: from its result's shape to its input's. Weight (in, out / groups, kernel).

    `forward(input, output_size=None)`: with a stride, several shapes lead to one; `output_padding` or output_size chooses.
    """

    ndim = 1
    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        if isinstance(padding, str):
            raise ValueError(f"{type(self).__name__}: padding is a number or one for each axis, not {padding!r}")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         output_padding, device, dtype)  # fmt: skip

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        convolve: Any = getattr(F, f"conv_transpose{self.ndim}d")
        extra = self.output_padding if output_size is None else self._missing(input, tuple(output_size)[-self.ndim :])
        return convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _missing(self, input: Tensor, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output_padding that leads to the shape `wanted`."""
        smallest = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(input.shape[-self.ndim :], self.stride, self.padding, self.dilation, self.kernel_size)
        ]
        for size, low, s, d in zip(wanted, smallest, self.stride, self.dilation):
            if not low <= size < low + max(s, d):
                raise ValueError(f"{type(self).__name__} cannot give a size of {wanted} here: between {tuple(smallest)} and "
                                 f"{tuple(n + s - 1 for n, s in zip(smallest, self.stride))}")  # fmt: skip
        return tuple(size - low for size, low in zip(wanted, smallest))


class ConvTranspose2d(ConvTranspose1d):
    """The transpose of Conv2d, as a map. Weight (in, out / groups, *kernel)."""

    ndim = 2


class ConvTranspose3d(ConvTranspose1d):
    """The transpose of Conv3d, as a map. Weight (in, out / groups, *kernel)."""

    ndim = 3


class Unfold(Module):
    """The windows of images as columns: (n, channels, height, width) to (n, channels · window, number of windows)."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Unfold):
    """Columns back to images of `output_size`, added up where windows overlap."""

    def __init__(self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"


def per_axis(x: Any, ndim: int) -> tuple[int, ...]:
    """A setting for each axis: one number counts for all."""
    parts = tuple(x) if isinstance(x, (tuple, list)) else (x,) * ndim
    if len(parts) != ndim:
        raise ValueError(f"expected one number or {ndim}, one for each axis, not {x!r}")
    return parts
