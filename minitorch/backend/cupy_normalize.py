"""Normalization on CuPy arrays: mean and variance in one kernel, the result in another; its rule likewise.

An array is seen as (before, kept, after): each of the kept numbers has a mean over the others. For batch_norm those are the
channels, for layer_norm the rows. Where they are few, several blocks share each, and what they found is joined.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import cupy
import numpy as np

from .cupy_rows import fits, index_for, kernel, splits_for, threads_for
from .numpy_sums import sides

STEP = "line += lines; place += places; if (place >= after) { place -= after; ++line; }"
"""Each thread keeps the line and the place of its number: to divide anew for each would take longer than to read it."""

SUMS = r"""
extern "C" __global__ void moments(const T* x, T* mean, T* scale, I before, I kept, I after, T eps) {
    __shared__ T shared[32];
    I k = blockIdx.x, count = before * after, each = (count + gridDim.y - 1) / gridDim.y;
    I start = blockIdx.y * each, stop = start + each < count ? start + each : count;
    I lines = blockDim.x / after, places = blockDim.x % after, first = start + threadIdx.x;
    T total = T(0);
    for (I j = first, line = j / after, place = j % after; j < stop; j += blockDim.x) {
        total += x[(line * kept + k) * after + place];
        STEP
    }
    T centre = block_sum(total, shared) / T(stop > start ? stop - start : 1), spread = T(0);
    for (I j = first, line = j / after, place = j % after; j < stop; j += blockDim.x) {
        T away = x[(line * kept + k) * after + place] - centre;
        spread += away * away;
        STEP
    }
    spread = block_sum(spread, shared);
    if (threadIdx.x == 0) {
        I to = k * gridDim.y + blockIdx.y;
        mean[to] = centre;
        scale[to] = gridDim.y == 1 ? T(1) / sqrt(spread / T(count) + eps) : spread;
    }
}

extern "C" __global__ void flows(
    const T* grad, const T* x, const T* mean, const T* scale, const T* weight, T* out, I before, I kept, I after, int weighted
) {
    __shared__ T shared[32];
    I k = blockIdx.x, count = before * after, each = (count + gridDim.y - 1) / gridDim.y;
    I start = blockIdx.y * each, stop = start + each < count ? start + each : count;
    I lines = blockDim.x / after, places = blockDim.x % after, first = start + threadIdx.x;
    T total = T(0), lean = T(0), centre = mean[k];
    for (I j = first, line = j / after, place = j % after; j < stop; j += blockDim.x) {
        I at = (line * kept + k) * after + place;
        T flow = weighted ? grad[at] * weight[place] : grad[at];
        total += flow;
        lean += flow * (x[at] - centre);
        STEP
    }
    total = block_sum(total, shared);
    lean = block_sum(lean, shared);
    if (threadIdx.x == 0) {
        out[(I)(blockIdx.y * 2) * kept + k] = total;
        out[(I)(blockIdx.y * 2 + 1) * kept + k] = lean * scale[k];
    }
}

extern "C" __global__ void columns(const T* grad, const T* x, const T* mean, const T* scale, T* out, I rows, I width) {
    __shared__ T totals[256], leans[256];
    I column = blockIdx.x * 32 + threadIdx.x;
    int place = threadIdx.y * 32 + threadIdx.x;
    T total = T(0), lean = T(0);
    if (column < width)
        for (I row = blockIdx.y * 8 + threadIdx.y; row < rows; row += gridDim.y * 8) {
            T flow = grad[row * width + column];
            total += flow;
            lean += flow * (x[row * width + column] - mean[row]) * scale[row];
        }
    totals[place] = total;
    leans[place] = lean;
    __syncthreads();
    if (threadIdx.y == 0 && column < width) {
        for (int part = 32; part < 256; part += 32) {
            total += totals[place + part];
            lean += leans[place + part];
        }
        out[(I)(blockIdx.y * 2) * width + column] = lean;
        out[(I)(blockIdx.y * 2 + 1) * width + column] = total;
    }
}

extern "C" __global__ void planes(
    const T* x, const T* mean, const T* scale, const T* weight, const T* bias, T* out, I kept, I after, int weighted, int biased
) {
    I k = blockIdx.x % kept, start = blockIdx.x * after;
    T centre = mean[k], factor = weighted ? scale[k] * weight[k] : scale[k], shift = biased ? bias[k] : T(0);
    for (I j = threadIdx.x; j < after; j += blockDim.x) out[start + j] = (x[start + j] - centre) * factor + shift;
}

extern "C" __global__ void planes_back(
    const T* grad, const T* x, const T* mean, const T* scale, const T* weight, const T* total, const T* lean, T* out, I kept,
    I after, int weighted, T share
) {
    I k = blockIdx.x % kept, start = blockIdx.x * after;
    T centre = mean[k], factor = weighted ? scale[k] * weight[k] : scale[k];
    T shift = total[k] * share, slope = scale[k] * lean[k] * share;
    for (I j = threadIdx.x; j < after; j += blockDim.x)
        out[start + j] = factor * (grad[start + j] - shift - (x[start + j] - centre) * slope);
}
""".replace("STEP", STEP)
"""`planes` and its rule take one block for each channel of each image."""

_join = cupy.ElementwiseKernel(
    "raw T means, raw T spreads, int32 splits, int64 count, T eps", "T mean, T scale",
    """
    long long each = (count + splits - 1) / splits;
    T centre = T(0), spread = T(0);
    for (int s = 0; s < splits; ++s) {
        long long there = count - s * each < each ? count - s * each : each;
        if (there > 0) centre += means[i * splits + s] * (T(there) / T(count));
    }
    for (int s = 0; s < splits; ++s) {
        long long there = count - s * each < each ? count - s * each : each;
        T away = means[i * splits + s] - centre;
        if (there > 0) spread += spreads[i * splits + s] + away * away * T(there);
    }
    mean = centre;
    scale = T(1) / sqrt(spread / T(count) + eps);
    """,
    "minitorch_join_moments",
)  # fmt: skip


def moments(x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """The mean of x over `axes`, and 1 / √(variance + eps), the axes kept with length 1."""
    found = sides(x.shape, axes) if fits(x) and x.size else None
    if found is None:
        mean = x.mean(axes, None, None, True)
        return mean, (mean_square_from(mean, x, axes) + eps) ** -0.5
    (before, kept, after), (index, whole) = found, index_for(x)
    shape, kind = tuple(1 if a in {b % x.ndim for b in axes} else n for a, n in enumerate(x.shape)), x.dtype.type
    splits = splits_for(kept, before * after)
    parts = cupy.empty((2, kept, splits), x.dtype)
    run = kernel("moments", SUMS, x.dtype.char, index)
    grid, block = (kept, splits), (threads_for(before * after // splits),)
    run(grid, block, (x, parts[0], parts[1], whole(before), whole(kept), whole(after), kind(eps)))
    if splits > 1:
        joined = cupy.empty(kept, x.dtype), cupy.empty(kept, x.dtype)
        _join(parts[0], parts[1], splits, before * after, eps, *joined)
        return joined[0].reshape(shape), joined[1].reshape(shape)
    return parts[0].reshape(shape), parts[1].reshape(shape)


def follow_moments(
    running_mean: Any, running_var: Any, mean: Any, scale: Any, momentum: float, eps: float, share: float
) -> None:
    """Running statistics moved by `momentum` towards a batch's mean and its variance times `share`, in place; `scale` is
    1 / √(variance + eps)."""
    _follow(mean, scale, momentum, eps, share, running_mean, running_var)


_follow = cupy.ElementwiseKernel(
    "T mean, T scale, R momentum, R eps, R share", "R running_mean, R running_var",
    """
    running_mean += momentum * (R(mean) - running_mean);
    running_var += momentum * ((R(1) / (R(scale) * R(scale)) - eps) * share - running_var);
    """,
    "minitorch_follow_moments",
)  # fmt: skip


def mean_product(x: Any, y: Any, axis: tuple[int, ...]) -> Any:
    """The mean of x · y over `axis`, the axes kept with length 1."""
    return (x * y).mean(axis, None, None, True)


def mean_square_from(centre: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """The mean of (x - centre)² over `axis`, the axes kept with length 1: the variance, where centre is the mean."""
    away = x - centre
    return mean_product(away, away, axis)


def standardize(x: Any, mean: Any, scale: Any, shape: Any, weight: Any, bias: Any) -> Any:
    """(x - mean) · scale, in `shape`, times weight, plus bias (each may be None)."""
    given = [p for p in (weight, bias) if p is not None]
    if _are_planes(x, mean, scale, *given) and x.shape == shape:
        out, sizes = cupy.empty_like(x), (x.shape[1], x.size // (len(x) * x.shape[1]))
        arrays = x, mean, scale, x if weight is None else weight, x if bias is None else bias, out
        _over_planes("planes", x, sizes, arrays, np.int32(weight is not None), np.int32(bias is not None))
        return out
    if x.shape == shape and all(p.dtype == x.dtype for p in given):
        return _standardized(weight is not None, bias is not None)(x, mean, scale, *given)
    out = _standardized(False, False)(x, mean, scale).reshape(shape)
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out


def _are_planes(x: Any, *parameters: Any) -> bool:
    """Whether x is images of channels of at least a warp's places each, and the others have one number for each channel."""
    if x.ndim < 3 or not x.size or x.size < 32 * len(x) * x.shape[1] or not fits(x, *parameters):
        return False
    return all(p.size == x.shape[1] and p.ndim >= x.ndim - 1 and p.shape[1 - x.ndim] == x.shape[1] for p in parameters)


def _over_planes(name: str, x: Any, sizes: tuple[int, int], arrays: tuple[Any, ...], *settings: Any) -> None:
    index, whole = index_for(x)
    run = kernel(name, SUMS, x.dtype.char, index)
    run((len(x) * sizes[0],), (threads_for(sizes[1]),), (*arrays, *map(whole, sizes), *settings))


@functools.cache
def _standardized(weighted: bool, biased: bool) -> Any:
    inputs = "T x, T mean, T scale" + ", T weight" * weighted + ", T bias" * biased
    return cupy.ElementwiseKernel(
        inputs, "T out", "out = (x - mean) * scale" + " * weight" * weighted + " + bias" * biased, "minitorch_standardize"
    )


_by_channel = cupy.ElementwiseKernel(
    "T grad, T x, T mean, T scale, T weight, T total, T lean, T share", "T out",
    "out = scale * weight * (grad - (total + (x - mean) * scale * lean) * share)", "minitorch_batch_norm_rule",
)  # fmt: skip

_by_row = cupy.ElementwiseKernel(
    "T grad, T x, T mean, T scale, T weight, T total, T lean, T share", "T out",
    "out = scale * (grad * weight - (total + (x - mean) * scale * lean) * share)", "minitorch_layer_norm_rule",
)  # fmt: skip


def batch_norm_rule(
    op: Any, grad: Any, out: Any, saved: Any, needed: Any, x: Any, weight: Any = None, bias: Any = None
) -> list[Any] | None:
    """`BatchNorm.vjp`: one kernel for the sums over each channel, which are the gradients of weight and bias, one for x."""
    found = sides(x.shape, op.axes) if x.size and fits(x, grad, *saved) else None
    if found is None or weight is not None and not fits(x, weight):
        return None
    mean, scale = saved
    totals, leans = _flows(grad, x, mean, scale, None, found)
    received = None
    if 0 in needed:
        wide = 1 if weight is None else weight.reshape(mean.shape)
        share = 1 / (found[0] * found[2])
        if _are_planes(x, mean, scale):
            received = cupy.empty_like(x)
            arrays = grad, x, mean, scale, x if weight is None else weight, totals, leans, received
            _over_planes("planes_back", x, found[1:], arrays, np.int32(weight is not None), x.dtype.type(share))
            return [received, leans, totals]
        received = _by_channel(grad, x, mean, scale, wide, totals.reshape(mean.shape), leans.reshape(mean.shape), share)
    return [received, leans, totals]


def layer_norm_rule(
    op: Any, grad: Any, out: Any, saved: Any, needed: Any, x: Any, weight: Any = None, bias: Any = None
) -> list[Any] | None:
    """`LayerNorm.vjp`: one kernel for the sums over each row, one for x, and one for weight and bias."""
    width = math.prod(x.shape[op.axes[0] :])
    if not x.size or not fits(x, grad, *saved, *(() if weight is None else (weight,))):
        return None
    (mean, scale), rows = saved, x.size // width
    grads: list[Any] = [None, None, None]
    if 0 in needed:
        totals, leans = _flows(grad, x, mean, scale, weight, (1, rows, width))
        wide = 1 if weight is None else weight
        grads[0] = _by_row(grad, x, mean, scale, wide, totals.reshape(mean.shape), leans.reshape(mean.shape), 1 / width)
    if len(needed) > (0 in needed):
        index, whole = index_for(x)
        parts = max(1, min(64, rows // 32))
        sums = cupy.empty((parts, 2, width), x.dtype)
        run = kernel("columns", SUMS, x.dtype.char, index)
        run((-(-width // 32), parts), (32, 8), (grad, x, mean, scale, sums, whole(rows), whole(width)))
        grads[1:] = (sums[0] if parts == 1 else sums.sum(0)).reshape(2, *x.shape[op.axes[0] :])
    return grads


def group_norm_rule(
    op: Any, grad: Any, out: Any, saved: Any, needed: Any, x: Any, weight: Any = None, bias: Any = None
) -> list[Any] | None:
    """`GroupNorm.vjp`: one kernel for the sums over each channel of each image, of which those over groups and images are made,
    and one for x."""
    if not x.size or not fits(x, grad, *saved, *(() if weight is None else (weight,))):
        return None
    (mean, scale), (n, channels, *size), groups = saved, x.shape, op.groups
    each, places = channels // groups, math.prod(size)
    means, scales = (cupy.repeat(part.reshape(-1), each) for part in (mean, scale))  # for each channel that of its group
    sums = [part.reshape(n, channels) for part in _flows(grad, x, means, scales, None, (1, n * channels, places))]
    grads: list[Any] = [None, sums[1].sum(0), sums[0].sum(0)]
    if 0 in needed:
        wide = cupy.ones((), x.dtype) if weight is None else weight.reshape(groups, each, 1)
        totals, leans = ((part.reshape(n, groups, each, 1) * wide).sum(2, None, None, True) for part in sums)
        there = (part.reshape(n, groups, each, places) for part in (grad, x))
        group = (part.reshape(n, groups, 1, 1) for part in saved)
        grads[0] = _by_row(*there, *group, wide, totals, leans, 1 / (each * places)).reshape(x.shape)
    return grads


def _flows(grad: Any, x: Any, mean: Any, scale: Any, weight: Any, found: tuple[int, int, int]) -> Any:
    """For each of the kept: the sum of grad · weight, and of that times the standardized x."""
    (before, kept, after), (index, whole) = found, index_for(x)
    splits = splits_for(kept, before * after)
    out = cupy.empty((splits, 2, kept), x.dtype)
    sizes = whole(before), whole(kept), whole(after), np.int32(weight is not None)
    run = kernel("flows", SUMS, x.dtype.char, index)
    grid, block = (kept, splits), (threads_for(before * after // splits),)
    run(grid, block, (grad, x, mean, scale, grad if weight is None else weight, out, *sizes))
    return out[0] if splits == 1 else out.sum(0)


RULES = {"batch_norm": batch_norm_rule, "layer_norm": layer_norm_rule, "group_norm": group_norm_rule}
"""Whole rules of operations, by their names (see `core.op.Op.pull`)."""
