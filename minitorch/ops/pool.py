"""Pooling: an image made smaller, each window of it replaced by its maximum or its mean."""

from __future__ import annotations

import math
from typing import Any

from ..backend import backend_of
from ..backend.gpus import beside
from ..core.apply import apply
from ..core.op import Op
from .conv import Pads, Sizes, per_axis
from .create import constant
from .index import PutAlong
from .shape import squeeze, unsqueeze


class Pool(Op):
    """An operation on the windows of each plane (one channel of one image): x (n, channels, *size)."""

    def __init__(self, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> None:
        self.kernel, self.stride, self.padding, self.dilation = kernel, stride, padding, dilation

    @property
    def way(self) -> tuple[Any, ...]:
        """How the window moves, as the backends' functions take it."""
        return self.kernel, self.stride, self.padding, self.dilation


class MaxPool(Pool):
    """The maximum of each window; the gradient goes to the window's winner, the first of equal ones."""

    def forward(self, xp, x):
        return xp.max_pool(x, *self.way)

    def vjp_x(self, xp, grad, out, x):
        return xp.unpool(grad, xp.winners(x, out, *self.way), xp.shape(x)[2:], *self.way)


class Unpool(Pool):
    """Each element of x put where its window's winner was: the gradient of MaxPool, as an operation of its own."""

    def __init__(self, winner: Any, size: Sizes, *way: Any) -> None:
        super().__init__(*way)
        self._winner, self.size = winner, size

    def forward(self, xp, x):
        return xp.unpool(x, self._winner, self.size, *self.way)

    def vjp_x(self, xp, grad, out, x):
        return xp.pick_winners(grad, self._winner, *self.way)


class PickWinners(Pool):
    """The element of each window that once was the winner: the gradient of Unpool."""

    def __init__(self, winner: Any, *way: Any) -> None:
        super().__init__(*way)
        self._winner = winner

    def forward(self, xp, x):
        return xp.pick_winners(x, self._winner, *self.way)

    def vjp_x(self, xp, grad, out, x):
        return xp.unpool(grad, self._winner, xp.shape(x)[2:], *self.way)


class SumPool(Op):
    """The sum of each window; every element of the window receives its gradient."""

    def __init__(self, kernel: Sizes, stride: Sizes, padding: Pads) -> None:
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, xp, x):
        return xp.sum_pool(x, self.kernel, self.stride, self.padding)

    def vjp_x(self, xp, grad, out, x):
        return xp.spread(grad, xp.shape(x)[2:], self.kernel, self.stride, self.padding)


class Spread(SumPool):
    """Each element given to all elements of its window: the gradient of SumPool, as an operation of its own."""

    def __init__(self, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads) -> None:
        self.size = size
        super().__init__(kernel, stride, padding)

    def forward(self, xp, x):
        return xp.spread(x, self.size, self.kernel, self.stride, self.padding)

    def vjp_x(self, xp, grad, out, x):
        return xp.sum_pool(grad, self.kernel, self.stride, self.padding)


class AvgPool(SumPool):
    """The mean of each window: its sum over how many elements count. `per_place` replaces that number, by axis, where a
    window reaches over the border."""

    def __init__(
        self, kernel: Sizes, stride: Sizes, padding: Pads, divisor: float, per_place: tuple[Any, ...] | None = None
    ) -> None:
        super().__init__(kernel, stride, padding)
        self.divisor, self._per_place = divisor, per_place

    def forward(self, xp, x):
        return xp.sum_pool(x, self.kernel, self.stride, self.padding) * self.shares(xp, x)

    def vjp_x(self, xp, grad, out, x):
        return xp.spread(grad * self.shares(xp, x), xp.shape(x)[2:], self.kernel, self.stride, self.padding)

    def shares(self, xp: Any, x: Any) -> Any:
        """What one element counts in its window."""
        return 1 / self.divisor if self._per_place is None else xp.per_place(self._per_place, x)


class AdaptiveMaxPool(Op):
    """The maximum of each of `size` nearly equal parts; the gradient goes to where it was found, at `saved`."""

    saves = True

    def __init__(self, size: Sizes) -> None:
        self.size = size

    def forward(self, xp, x):
        at = xp.adaptive_places(x, self.size)
        return x[at], at

    def vjp_x(self, xp, grad, out, saved, x):
        return xp.into(grad, saved, xp.shape(x))


class AdaptiveAvgPool(Op):
    """The mean of each of `size` nearly equal parts: along each axis, a matrix says which elements go into which part."""

    def __init__(self, size: Sizes) -> None:
        self.size = size

    def forward(self, xp, x):
        return xp.along_axes(x, self.matrices(xp, x))

    def vjp_x(self, xp, grad, out, x):
        return xp.along_axes(grad, [matrix.T for matrix in self.matrices(xp, x)])

    def matrices(self, xp: Any, x: Any) -> list[Any]:
        return [xp.averaging(n, parts, x) for n, parts in zip(xp.shape(x)[2:], self.size)]


def _window(
    name: str, axes: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, Sizes, Sizes, Pads, Sizes, Sizes]:
    """The input with a batch, and kernel, stride, padding (made wide enough for ceil_mode), dilation, positions."""
    if input.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{name} needs an input of {axes + 2} axes, or {axes + 1} without a batch, not {tuple(input.shape)}")
    if input.ndim == axes + 1:
        input = unsqueeze(input, 0)
    kernel = per_axis("kernel_size", kernel_size, axes)
    stride = kernel if stride is None or stride == () else per_axis("stride", stride, axes)
    padding, dilation = per_axis("padding", padding, axes), per_axis("dilation", dilation, axes)
    if min(kernel) < 1 or min(stride) < 1 or min(dilation) < 1:
        raise ValueError(f"{name} needs kernel, stride and dilation of 1 or more, not {kernel}, {stride} and {dilation}")
    if any(p > k // 2 or p < 0 for p, k in zip(padding, kernel)):
        raise ValueError(f"{name}: a padding of {padding} is more than half the kernel {kernel}")
    size, pads = [], []
    for n, k, s, p, d in zip(input.shape[2:], kernel, stride, padding, dilation):
        room = n + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= n + p:  # a window that would start in the padding on the right
            count -= 1
        size.append(count)
        pads.append((p, max(0, (count - 1) * s + d * (k - 1) + 1 - n - p)))
    if min(size) < 1:
        raise ValueError(f"{name}: a kernel of {kernel} does not fit into an input of {input.shape[2:]} padded by {padding}")
    return input, kernel, stride, tuple(pads), dilation, tuple(size)


def _max_pool(
    axes: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, return_indices: bool
) -> Any:
    name = f"max_pool{axes}d"
    batch, kernel, stride, pads, dilation, _ = _window(name, axes, input, kernel_size, stride, padding, dilation, ceil_mode)
    way = kernel, stride, pads, dilation
    out = apply(MaxPool(*way), batch)
    single = input.ndim == axes + 1
    if not return_indices:
        return squeeze(out, 0) if single else out
    xp = backend_of(batch.raw)
    with beside(batch.raw):
        found = constant(xp.places(xp.winners(batch.raw, out.raw, *way), batch.shape[2:], *way))
    return (squeeze(out, 0), squeeze(found, 0)) if single else (out, found)


def _avg_pool(
    axes: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool,
    divisor_override: int | None,
) -> Any:  # fmt: skip
    name = f"avg_pool{axes}d"
    batch, kernel, stride, pads, _, size = _window(name, axes, input, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise ValueError(f"{name}: divisor_override must not be 0")
    counts = [
        _counted(n, k, s, before, before if count_include_pad else 0, places)
        for n, k, s, (before, _), places in zip(batch.shape[2:], kernel, stride, pads, size)
    ]
    full = math.prod(kernel)
    if divisor_override is not None:
        op = AvgPool(kernel, stride, pads, divisor_override)
    elif all(set(count) == {k} for count, k in zip(counts, kernel)):
        op = AvgPool(kernel, stride, pads, full)
    else:
        op = AvgPool(kernel, stride, pads, full, tuple(counts))
    out = apply(op, batch)
    return squeeze(out, 0) if input.ndim == axes + 1 else out


def _counted(n: int, kernel: int, stride: int, before: int, border: int, places: int) -> tuple[int, ...]:
    """How many elements of each window count along an axis: those inside it and `border` around it."""
    starts = [i * stride - before for i in range(places)]
    return tuple(min(s + kernel, n + border) - max(s, -border) for s in starts)


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The maximum of each window of a sequence; see `max_pool2d`."""
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The maximum of each window of an image. Shapes: (n, channels, height, width) or without n; each spatial size n gives
    (n + 2 padding - dilation (kernel - 1) - 1) // stride + 1, or rounded up with `ceil_mode`. The stride is the kernel's size
    unless given. With `return_indices`, the pair (maxima, where in the plane each was found)."""
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The maximum of each window of a volume; see `max_pool2d`."""
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True
) -> Any:
    """The mean of each window of a sequence; see `avg_pool2d`."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of an image. Shapes as `max_pool2d`. The zeros of the padding count as elements unless
    `count_include_pad` is False; `divisor_override` divides by that number instead of how many there are."""
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of a volume; see `avg_pool2d`."""
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _parts(name: str, axes: int, input: Any, output_size: Any) -> tuple[Any, Sizes]:
    """The input with a batch, and the size to pool to (None along an axis: as it is)."""
    if input.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{name} needs an input of {axes + 2} axes, or {axes + 1} without a batch, not {tuple(input.shape)}")
    wanted = (output_size,) * axes if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(wanted) != axes:
        raise ValueError(f"{name}: output_size is one number or {axes}, not {output_size!r}")
    size = tuple(n if w is None else int(w) for n, w in zip(input.shape[-axes:], wanted))
    if min(size) < 0 or 0 in input.shape[-axes:]:
        raise ValueError(f"{name} cannot pool an input of {tuple(input.shape)} to {size}")
    return (unsqueeze(input, 0) if input.ndim == axes + 1 else input), size


def _even(size: Sizes, parts: Sizes) -> Sizes | None:
    """The window with which ordinary pooling makes `parts` of `size`, where they divide evenly."""
    if any(p == 0 or n % p for n, p in zip(size, parts)):
        return None
    return tuple(n // p for n, p in zip(size, parts))


def _adaptive_avg_pool(axes: int, input: Any, output_size: Any) -> Any:
    batch, size = _parts(f"adaptive_avg_pool{axes}d", axes, input, output_size)
    kernel = _even(batch.shape[2:], size)
    if kernel is None:
        out = apply(AdaptiveAvgPool(size), batch)
    else:
        out = apply(AvgPool(kernel, kernel, ((0, 0),) * axes, math.prod(kernel)), batch)
    return squeeze(out, 0) if input.ndim == axes + 1 else out


def _adaptive_max_pool(axes: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    batch, size = _parts(f"adaptive_max_pool{axes}d", axes, input, output_size)
    kernel = _even(batch.shape[2:], size)
    if kernel is not None and not return_indices:
        out = apply(MaxPool(kernel, kernel, ((0, 0),) * axes, (1,) * axes), batch)
        return squeeze(out, 0) if input.ndim == axes + 1 else out
    out = apply(AdaptiveMaxPool(size), batch)
    if not return_indices:
        return squeeze(out, 0) if input.ndim == axes + 1 else out
    with beside(batch.raw):
        found = constant(backend_of(batch.raw).flat_places(out._saved, batch.shape[2:]))
    return (squeeze(out, 0), squeeze(found, 0)) if input.ndim == axes + 1 else (out, found)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of `output_size` nearly equal parts of a sequence; see `adaptive_avg_pool2d`."""
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of nearly equal parts of an image, `output_size` of them (a number or one per axis; None: as many as there
    are pixels). Shape (n, channels, height, width), or without n, to (n, channels, *output_size)."""
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of nearly equal parts of a volume; see `adaptive_avg_pool2d`."""
    return _adaptive_avg_pool(3, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of `output_size` nearly equal parts of a sequence; see `adaptive_max_pool2d`."""
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of nearly equal parts of an image, `output_size` of them (a number or one per axis; None: as many as there
    are pixels). With `return_indices`, the pair (maxima, where in the plane each was found)."""
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of nearly equal parts of a volume; see `adaptive_max_pool2d`."""
    return _adaptive_max_pool(3, input, output_size, return_indices)


def _max_unpool(axes: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any) -> Any:
    name = f"max_unpool{axes}d"
    if input.shape != indices.shape or input.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{name} needs maxima and indices of one shape, not {tuple(input.shape)} and {tuple(indices.shape)}")
    if input.ndim == axes + 1:
        batch = unsqueeze(input, 0), unsqueeze(indices, 0)
        return squeeze(_max_unpool(axes, *batch, kernel_size, stride, padding, output_size), 0)
    kernel, padding = per_axis("kernel_size", kernel_size, axes), per_axis("padding", padding, axes)
    stride = kernel if stride is None else per_axis("stride", stride, axes)
    size = tuple((n - 1) * s - 2 * p + k for n, k, s, p in zip(input.shape[2:], kernel, stride, padding))
    if output_size is not None:
        wanted = tuple(output_size)[-axes:]
        if any(abs(w - n) >= s for w, n, s in zip(wanted, size, stride)):
            raise ValueError(f"{name}: output_size {wanted} is too far from {size}, the size that the kernel leads to")
        size = wanted
    at, full = indices.reshape(*indices.shape[:2], -1), math.prod(size)
    with beside(at.raw):
        inside = not at.numel() or ((at >= 0) & (at < full)).raw.all().item()
    if not inside:
        raise ValueError(f"{name}: an index lies outside the {full} places of a plane of {size}")
    flat = apply(PutAlong(at.raw, 2, (*input.shape[:2], full)), input.reshape(*input.shape[:2], -1))
    return flat.reshape(*input.shape[:2], *size)


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The maxima of `max_pool1d(..., return_indices=True)` put back where they were found, zeros elsewhere."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The maxima of `max_pool2d(..., return_indices=True)` put back where they were found, zeros elsewhere."""
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The maxima of `max_pool3d(..., return_indices=True)` put back where they were found, zeros elsewhere."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
