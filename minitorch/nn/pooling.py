"""Pooling: windows of a signal, an image or a volume folded into one number each."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from . import functional as F
from .conv import per_axis
from .module import Module


class MaxPool1d(Module):
    """The largest of each window over signals (n, channels, length); with return_indices, also where it was.

    `stride` is kernel_size unless given; `ceil_mode` keeps a last window that sticks out.
    """

    ndim = 1

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        pool: Any = getattr(F, f"max_pool{self.ndim}d")
        return pool(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
                f"ceil_mode={self.ceil_mode}")  # fmt: skip


class MaxPool2d(MaxPool1d):
    """The largest of each window over images (n, channels, height, width)."""

    ndim = 2


class MaxPool3d(MaxPool1d):
    """The largest of each window over volumes (n, channels, depth, height, width)."""

    ndim = 3


class MaxUnpool1d(Module):
    """What max pooling took, back where it was (by the indices it returned), among zeros."""

    ndim = 1

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        unpool: Any = getattr(F, f"max_unpool{self.ndim}d")
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool2d(MaxUnpool1d):
    """What max pooling took from images, back where it was."""

    ndim = 2


class MaxUnpool3d(MaxUnpool1d):
    """What max pooling took from volumes, back where it was."""

    ndim = 3


class AvgPool1d(Module):
    """The mean of each window over signals (n, channels, length); padding counts as zeros, or not (count_include_pad)."""

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        if type(self) is AvgPool1d:
            self.kernel_size, self.stride, self.padding = (
                per_axis(x, 1) for x in (self.kernel_size, self.stride, self.padding)
            )

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(AvgPool1d):
    """The mean of each window over images; `divisor_override` divides by another number than the window's."""

    ndim = 2

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        pool: Any = getattr(F, f"avg_pool{self.ndim}d")
        return pool(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
                    self.divisor_override)  # fmt: skip


class AvgPool3d(AvgPool2d):
    """The mean of each window over volumes."""

    ndim = 3


class AdaptiveAvgPool1d(Module):
    """Means over as many windows as make `output_size`, whatever the size of the input; None keeps an axis."""

    function = "adaptive_avg_pool1d"

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Any:
        pool: Any = getattr(F, self.function)
        return pool(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(AdaptiveAvgPool1d):
    """Means over images, to a given size."""

    function = "adaptive_avg_pool2d"


class AdaptiveAvgPool3d(AdaptiveAvgPool1d):
    """Means over volumes, to a given size."""

    function = "adaptive_avg_pool3d"


class AdaptiveMaxPool1d(AdaptiveAvgPool1d):
    """The largest of as many windows as make `output_size`; with return_indices, also where they were."""

    function = "adaptive_max_pool1d"

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        pool: Any = getattr(F, self.function)
        return pool(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPool1d):
    """The largest numbers of images, to a given size."""

    function = "adaptive_max_pool2d"


class AdaptiveMaxPool3d(AdaptiveMaxPool1d):
    """The largest numbers of volumes, to a given size."""

    function = "adaptive_max_pool3d"
