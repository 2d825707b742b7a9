"""Reading an image at any places: grid_sample, and the grid of an affine map."""

from __future__ import annotations

import itertools
from typing import Any

from ..backend import backend_of
from ..backend.gpus import beside
from ..core.apply import apply
from ..core.op import Op
from .create import constant
from .linalg import matmul
from .shape import reshape, transpose

CUBIC = -0.75
"""The free number of the cubic convolution kernel, as PyTorch has it."""


class GridSample(Op):
    """x (n, channels, *size) read at the places in grid (n, *places, axes): from -1 to 1 is from edge to edge, and the last
    axis of x comes first. Between pixels every neighbour counts, by the product of one weight per axis."""

    def __init__(self, mode: str, padding: str, align_corners: bool) -> None:
        self.mode, self.padding, self.align_corners = mode, padding, align_corners

    def forward(self, xp, x, grid):
        out = 0
        for at, inside, weights, _ in self.neighbours(xp, x, grid):
            out = out + x[at] * xp.expand_dims(product(weights) * inside, -1)
        return channels_second(xp, out)

    def vjp(self, xp, grad, out, needed, x, grid):
        grad, into_x, into_grid = channels_last(xp, grad), [], [0] * grid.shape[-1]
        for at, inside, weights, slopes in self.neighbours(xp, x, grid):
            if 0 in needed:
                into_x.append((grad * xp.expand_dims(product(weights) * inside, -1), at))
            if 1 in needed:  # the product rule: for each axis, its weight's slope times the others' weights
                seen = xp.sum(grad * x[at], axis=-1) * inside
                for axis, slope in enumerate(slopes):
                    into_grid[axis] += seen * product([*weights[:axis], slope, *weights[axis + 1 :]])
        return [
            xp.into_all(into_x, xp.shape(x)) if 0 in needed else None,
            xp.stack(into_grid[::-1], axis=-1) if 1 in needed else None,
        ]

    def neighbours(self, xp: Any, x: Any, grid: Any) -> list[tuple[Any, Any, list[Any], list[Any]]]:
        """Each neighbour of all places: its index in x, where it lies inside x, its weight along each axis, and how fast
        that changes with the grid."""
        axes = []
        for axis, length in enumerate(xp.shape(x)[2:]):
            along = grid[..., -1 - axis]
            slope, start = xp.grid_lines(along, length, self.mode, self.padding, self.align_corners)
            where = along * slope + start
            low = xp.grid_cell(where, self.mode)
            for_axis = []
            for offset, weight, change in weights_of(self.mode, where - low):
                pixel, inside = xp.grid_pixel(low + offset, length, self.mode, self.padding, self.align_corners)
                for_axis.append((pixel, inside, weight, change * slope))
            axes.append(for_axis)
        images = xp.image_numbers(grid)
        found = []
        for corner in itertools.product(*axes):
            pixels, insides, weights, slopes = zip(*corner)
            found.append(((images, slice(None), *pixels), product(insides), list(weights), list(slopes)))
        return found


def weights_of(mode: str, t: Any) -> list[tuple[int, Any, Any]]:
    """For a place at `t` (0 to 1) between two pixels: each neighbour's offset, its weight, and the weight's slope."""
    if mode == "nearest":
        return [(0, 1 + 0 * t, 0 * t)]
    if mode == "bilinear":
        return [(0, 1 - t, 0 * t - 1), (1, t, 0 * t + 1)]
    a, taps = CUBIC, []
    for offset, s, sign in ((-1, 1 + t, 1), (0, t, 1), (1, 1 - t, -1), (2, 2 - t, -1)):  # s: how far the neighbour is
        if offset in (0, 1):
            taps.append((offset, ((a + 2) * s - (a + 3)) * s * s + 1, (3 * (a + 2) * s - 2 * (a + 3)) * s * sign))
        else:
            taps.append((offset, (((s - 5) * s + 8) * s - 4) * a, ((3 * s - 10) * s + 8) * a * sign))
    return taps


def product(factors: Any) -> Any:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def channels_second(xp: Any, x: Any) -> Any:
    """(n, *places, channels) as (n, channels, *places)."""
    last = len(xp.shape(x)) - 1
    return xp.transpose(x, (0, last, *range(1, last)))


def channels_last(xp: Any, x: Any) -> Any:
    """(n, channels, *places) as (n, *places, channels)."""
    return xp.transpose(x, (0, *range(2, len(xp.shape(x))), 1))


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """The images (n, channels, height, width) read at the places in grid (n, rows, columns, 2): gives (n, channels, rows,
    columns). A place is (x, y) from -1 to 1; these are the centres of the corner pixels with `align_corners`, else the
    images' edges. Modes: bilinear, nearest, bicubic. Outside lies 0 (zeros), the nearest pixel (border), or a mirror
    image (reflection). Volumes (n, channels, depth, height, width) go with a grid (n, ..., 3)."""
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(f"grid_sample's mode is 'bilinear', 'nearest' or 'bicubic', not {mode!r}")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"grid_sample's padding_mode is 'zeros', 'border' or 'reflection', not {padding_mode!r}")
    axes = input.ndim - 2
    fits = axes in (2, 3) and grid.ndim == input.ndim and grid.shape[-1] == axes and grid.shape[0] == input.shape[0]
    if not fits or (mode == "bicubic" and axes == 3) or 0 in input.shape[2:]:
        raise ValueError(
            f"grid_sample needs images (n, channels, height, width) and a grid (n, rows, columns, 2), or one axis more of each "
            f"(not bicubic); shapes are {tuple(input.shape)} and {tuple(grid.shape)}"
        )
    return apply(GridSample(mode, padding_mode, bool(align_corners)), input, grid)


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The grid for grid_sample that reads an image of `size` (n, channels, height, width) through the affine maps theta
    (n, 2, 3): shape (n, height, width, 2). Or (n, channels, depth, height, width) and theta (n, 3, 4)."""
    n, _, *spatial = (int(m) for m in size)
    axes = len(spatial)
    if theta.shape != (n, axes, axes + 1):
        raise ValueError(f"affine_grid for {tuple(size)} needs theta of shape {(n, axes, axes + 1)}, not {tuple(theta.shape)}")
    with beside(theta.raw):
        base = constant(backend_of(theta.raw).unit_grid(tuple(spatial), bool(align_corners))).to(theta.dtype)
    grid = matmul(base, transpose(theta, 1, 2))
    return reshape(grid, (n, *spatial, axes))
