"""Convolutions. Three operations that are each other's derivatives: the convolution, its gradient with respect to its input
(the transposed convolution), and its gradient with respect to its weight."""

from __future__ import annotations

from typing import Any

from ..core.apply import apply
from ..core.op import Op
from .shape import squeeze, unsqueeze

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


class Window(Op):
    """An operation that moves a window over the spatial axes. Each parameter has one entry per axis: `padding` pairs
    (before, after), the others a number. `groups` splits the channels into parts that do not mix."""

    def __init__(self, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1) -> None:
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups

    @property
    def way(self) -> tuple[Any, ...]:
        """How the window moves, as the backends' functions take it."""
        return self.stride, self.padding, self.dilation, self.groups


class Conv(Window):
    """Each filter in `weight` laid over x at every position; the products added up. Shapes: x (n, channels, *size),
    weight (filters, channels / groups, *kernel), bias (filters,), result (n, filters, *positions)."""

    def forward(self, xp, x, weight, bias=None):
        return xp.conv(x, weight, bias, *self.way)

    def vjp_x(self, xp, grad, out, x, weight, bias=None):
        return xp.conv_input(grad, weight, xp.shape(x)[2:], *self.way)

    def vjp_weight(self, xp, grad, out, x, weight, bias=None):
        return xp.conv_weight(x, grad, xp.shape(weight)[2:], *self.way)

    def vjp_bias(self, xp, grad, out, x, weight, bias=None):
        return xp.sum(grad, axis=all_but_channels(grad))


class ConvTranspose(Window):
    """Each element of x times its filter, laid down where a convolution would have read it, added up to an image of `size`.
    Shapes: x (n, filters, *positions), weight (filters, channels / groups, *kernel), bias (channels,), result (n, channels,
    *size)."""

    def __init__(self, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1) -> None:
        self.size = size
        super().__init__(stride, padding, dilation, groups)

    def forward(self, xp, x, weight, bias=None):
        out = xp.conv_input(x, weight, self.size, *self.way)
        return out if bias is None else out + xp.reshape(bias, (-1,) + (1,) * len(self.size))

    def vjp_x(self, xp, grad, out, x, weight, bias=None):
        return xp.conv(grad, weight, None, *self.way)

    def vjp_weight(self, xp, grad, out, x, weight, bias=None):
        return xp.conv_weight(grad, x, xp.shape(weight)[2:], *self.way)

    def vjp_bias(self, xp, grad, out, x, weight, bias=None):
        return xp.sum(grad, axis=all_but_channels(grad))


class ConvWeight(Window):
    """The gradient of a convolution with respect to its weight of size `kernel`: filters that say how windows of x go with
    y. Shapes: x (n, channels, *size), y (n, filters, *positions), result (filters, channels / groups, *kernel)."""

    def __init__(self, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int = 1) -> None:
        self.kernel = kernel
        super().__init__(stride, padding, dilation, groups)

    def forward(self, xp, x, y):
        return xp.conv_weight(x, y, self.kernel, *self.way)

    def vjp_x(self, xp, grad, out, x, y):
        return xp.conv_input(y, grad, xp.shape(x)[2:], *self.way)

    def vjp_y(self, xp, grad, out, x, y):
        return xp.conv(x, grad, None, *self.way)


def all_but_channels(x: Any) -> Sizes:
    """The axes over which a bias is shared."""
    return (0, *range(2, len(x.shape)))


class Im2Col(Window):
    """Every window of x as a column: (n, channels, *size) to (n, channels, *kernel, *positions)."""

    name = "im2col"

    def __init__(self, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> None:
        self.kernel = kernel
        super().__init__(stride, padding, dilation)

    def forward(self, xp, x):
        return xp.im2col(x, self.kernel, *self.way[:3])

    def vjp_x(self, xp, grad, out, x):
        return xp.col2im(grad, xp.shape(x)[2:], *self.way[:3])


class Col2Im(Window):
    """Columns put back as windows of an image of `size`, added up where they overlap: the transpose of Im2Col."""

    name = "col2im"

    def __init__(self, size: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> None:
        self.size = size
        super().__init__(stride, padding, dilation)

    def forward(self, xp, x):
        return xp.col2im(x, self.size, *self.way[:3])

    def vjp_x(self, xp, grad, out, x):
        return xp.im2col(grad, xp.shape(x)[2 : 2 + len(self.size)], *self.way[:3])


def per_axis(name: str, value: Any, axes: int) -> Sizes:
    """A number for every axis, or a sequence of one per axis, as a tuple."""
    if isinstance(value, int):
        return (value,) * axes
    sizes = tuple(int(v) for v in value)
    if len(sizes) == 1:
        sizes = sizes * axes
    if len(sizes) != axes:
        raise ValueError(f"{name} is one number or {axes}, not {value!r}")
    return sizes


def positions(size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Sizes:
    """At how many places a window fits along each axis (0 or less: the window is too large)."""
    return tuple(
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, k, s, (before, after), d in zip(size, kernel, stride, padding, dilation)
    )


def _conv(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    name = f"conv{axes}d"
    _check(name, axes, input, weight, groups)
    if input.ndim == axes + 1:
        return squeeze(_conv(axes, unsqueeze(input, 0), weight, bias, stride, padding, dilation, groups), 0)
    stride, dilation, kernel = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes), weight.shape[2:]
    if min(stride) < 1 or min(dilation) < 1:
        raise ValueError(f"{name} needs a stride and a dilation of 1 or more, not {stride} and {dilation}")
    if isinstance(padding, str):
        pads = _named_padding(name, padding, kernel, stride, dilation)
    else:
        pads = tuple((p, p) for p in per_axis("padding", padding, axes))
    channels, filters = input.shape[1], weight.shape[0]
    if channels != weight.shape[1] * groups or filters % groups:
        raise ValueError(
            f"{name} does not fit: input of shape {tuple(input.shape)} has {channels} channels, and weight of shape "
            f"{tuple(weight.shape)} with groups={groups} takes {weight.shape[1] * groups} (filters must divide by groups)"
        )
    size = positions(input.shape[2:], kernel, stride, pads, dilation)
    if min(size) < 1:
        raise ValueError(f"{name}: a kernel of {kernel} does not fit into an input of {input.shape[2:]} padded by {padding}")
    return _with_bias(name, Conv(stride, pads, dilation, groups), input, weight, bias, filters)


def _conv_transpose(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: int, dilation: Any
) -> Any:
    name = f"conv_transpose{axes}d"
    _check(name, axes, input, weight, groups)
    if input.ndim == axes + 1:
        batch = unsqueeze(input, 0)
        return squeeze(_conv_transpose(axes, batch, weight, bias, stride, padding, output_padding, groups, dilation), 0)
    stride, dilation, kernel = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes), weight.shape[2:]
    padding, extra = per_axis("padding", padding, axes), per_axis("output_padding", output_padding, axes)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        raise ValueError(f"{name}: output_padding {extra} must be less than stride {stride} or dilation {dilation}")
    if input.shape[1] != weight.shape[0] or weight.shape[0] % groups:
        raise ValueError(
            f"{name} does not fit: input of shape {tuple(input.shape)} has {input.shape[1]} channels, and weight of shape "
            f"{tuple(weight.shape)} takes {weight.shape[0]} (which must divide by groups={groups})"
        )
    spans = zip(input.shape[2:], kernel, stride, padding, extra, dilation)
    size = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, p, e, d in spans)
    if min(size) < 1:
        raise ValueError(f"{name}: an input of {input.shape[2:]} with padding {padding} leaves a result of {size}")
    # No window starts in the rows that output_padding adds; where they have room for some, a smaller padding leaves it out.
    pads = tuple((p, p - e // s * s) for p, e, s in zip(padding, extra, stride))
    op = ConvTranspose(size, stride, pads, dilation, groups)
    return _with_bias(name, op, input, weight, bias, weight.shape[1] * groups)


def _check(name: str, axes: int, input: Any, weight: Any, groups: int) -> None:
    if weight.ndim != axes + 2 or input.ndim not in (axes + 1, axes + 2):
        raise ValueError(
            f"{name} needs an input of {axes + 2} axes (or {axes + 1} without a batch) and a weight of {axes + 2}; "
            f"their shapes are {tuple(input.shape)} and {tuple(weight.shape)}"
        )
    if groups < 1:
        raise ValueError(f"{name} needs groups of 1 or more, not {groups}")
    if input.dtype != weight.dtype:
        raise TypeError(f"{name}: the input is {input.dtype} and the weight {weight.dtype}; convert one with .to(...)")


def _with_bias(name: str, op: Window, input: Any, weight: Any, bias: Any, channels: int) -> Any:
    if bias is None:
        return apply(op, input, weight)
    if bias.shape != (channels,):
        raise ValueError(f"{name} needs a bias of shape ({channels},), not {tuple(bias.shape)}")
    return apply(op, input, weight, bias)


def _named_padding(name: str, padding: str, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pads:
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ValueError(f"{name}'s padding is a number, one per axis, 'same' or 'valid', not {padding!r}")
    if any(s != 1 for s in stride):
        raise ValueError(f"{name}: padding='same' keeps the size, which a stride of {stride} cannot")
    spans = [d * (k - 1) for k, d in zip(kernel, dilation)]
    return tuple((span // 2, span - span // 2) for span in spans)


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Filters laid over a sequence. Shapes: input (n, channels, length) or without n, weight (filters, channels / groups,
    kernel), bias (filters,); the result has length (length + 2 padding - dilation (kernel - 1) - 1) // stride + 1.
    padding "same" keeps the length, "valid" is 0."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Filters laid over images. Shapes: input (n, channels, height, width) or without n, weight (filters, channels / groups,
    kernel, kernel), bias (filters,); each spatial size n gives (n + 2 padding - dilation (kernel - 1) - 1) // stride + 1.
    Arguments are one number or one per axis; padding "same" keeps the size, "valid" is 0."""
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Filters laid over volumes: as `conv2d`, with one spatial axis more."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The gradient of `conv1d` with respect to its input, as a layer. Shapes: input (n, channels, length), weight (channels,
    results / groups, kernel), bias (results,); the result has length
    (length - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1."""
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The gradient of `conv2d` with respect to its input, as a layer: with a stride, it enlarges images. Shapes: input
    (n, channels, height, width), weight (channels, results / groups, kernel, kernel), bias (results,); each spatial size n
    gives (n - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1."""
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """As `conv_transpose2d`, with one spatial axis more."""
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Every window of an image as a column: (n, channels, height, width) to (n, channels · kernel size, positions)."""
    if input.ndim not in (3, 4):
        raise ValueError(f"unfold needs images of shape (n, channels, height, width), not {tuple(input.shape)}")
    if input.ndim == 3:
        return squeeze(unfold(unsqueeze(input, 0), kernel_size, dilation, padding, stride), 0)
    kernel, moves = per_axis("kernel_size", kernel_size, 2), _moves(stride, padding, dilation)
    count = positions(input.shape[2:], kernel, *moves)
    if min(count) < 1:
        raise ValueError(f"unfold: a kernel of {kernel} does not fit into an input of {input.shape[2:]} padded by {padding}")
    columns = apply(Im2Col(kernel, *moves), input)
    return columns.reshape(input.shape[0], input.shape[1] * kernel[0] * kernel[1], count[0] * count[1])


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns (n, channels · kernel size, positions) put back as windows of images of `output_size`, added up."""
    if input.ndim == 2:
        return squeeze(fold(unsqueeze(input, 0), output_size, kernel_size, dilation, padding, stride), 0)
    size, kernel = per_axis("output_size", output_size, 2), per_axis("kernel_size", kernel_size, 2)
    moves = _moves(stride, padding, dilation)
    count = positions(size, kernel, *moves)
    if input.ndim != 3 or input.shape[1] % (kernel[0] * kernel[1]) or input.shape[2] != count[0] * count[1]:
        raise ValueError(
            f"fold to {size} with a kernel of {kernel} needs columns of shape (n, channels · {kernel[0] * kernel[1]}, "
            f"{count[0] * count[1]}), not {tuple(input.shape)}"
        )
    columns = input.reshape(input.shape[0], input.shape[1] // (kernel[0] * kernel[1]), *kernel, *count)
    return apply(Col2Im(size, *moves), columns)


def _moves(stride: Any, padding: Any, dilation: Any) -> tuple[Sizes, Pads, Sizes]:
    pads = tuple((p, p) for p in per_axis("padding", padding, 2))
    return per_axis("stride", stride, 2), pads, per_axis("dilation", dilation, 2)
