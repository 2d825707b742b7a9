"""The methods a Tensor has because PyTorch has them: functions of `ops`. Those in place are in inplace.py."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..ops.index import unfold
from ..ops.shape import sizes
from .arguments import explained


class ElementMethods:
    """What both a Value and each element of a Tensor can do."""

    __slots__ = ()

    abs, absolute, add, addcdiv, addcmul, neg, negative = ops.abs, ops.abs, ops.add, ops.addcdiv, ops.addcmul, ops.neg, ops.neg
    sub, subtract, mul, multiply, div, divide, true_divide = ops.sub, ops.sub, ops.mul, ops.mul, ops.div, ops.div, ops.div
    floor_divide, remainder, fmod, pow, float_power = ops.floor_divide, ops.remainder, ops.fmod, ops.pow, ops.float_power
    sqrt, rsqrt, square, reciprocal, hypot = ops.sqrt, ops.rsqrt, ops.square, ops.reciprocal, ops.hypot
    exp, exp2, expm1, log, log2, log10, log1p = ops.exp, ops.exp2, ops.expm1, ops.log, ops.log2, ops.log10, ops.log1p
    logaddexp, logaddexp2, xlogy, logit, sigmoid = ops.logaddexp, ops.logaddexp2, ops.xlogy, ops.logit, ops.sigmoid
    sin, cos, tan, asin, acos, atan, atan2 = ops.sin, ops.cos, ops.tan, ops.asin, ops.acos, ops.atan, ops.atan2
    arcsin, arccos, arctan, arctan2 = ops.asin, ops.acos, ops.atan, ops.atan2
    sinh, cosh, tanh, asinh, acosh, atanh = ops.sinh, ops.cosh, ops.tanh, ops.asinh, ops.acosh, ops.atanh
    arcsinh, arccosh, arctanh, sinc = ops.asinh, ops.acosh, ops.atanh, ops.sinc
    deg2rad, rad2deg, erf, erfc, erfinv = ops.deg2rad, ops.rad2deg, ops.erf, ops.erfc, ops.erfinv
    floor, ceil, round, trunc, fix, frac = ops.floor, ops.ceil, ops.round, ops.trunc, ops.trunc, ops.frac
    sign, sgn, copysign, positive, relu = ops.sign, ops.sign, ops.copysign, ops.positive, ops.relu
    maximum, minimum, fmax, fmin = ops.maximum, ops.minimum, ops.fmax, ops.fmin
    clamp, clip, clamp_min, clamp_max = ops.clamp, ops.clamp, ops.clamp_min, ops.clamp_max
    lerp, nan_to_num = ops.lerp, ops.nan_to_num

    # Comparisons and logic

    eq, ne, not_equal, equal, isclose, allclose = ops.eq, ops.ne, ops.ne, ops.equal, ops.isclose, ops.allclose
    lt, less, le, less_equal = ops.lt, ops.lt, ops.le, ops.le
    gt, greater, ge, greater_equal = ops.gt, ops.gt, ops.ge, ops.ge
    logical_and, logical_or, logical_xor, logical_not = ops.logical_and, ops.logical_or, ops.logical_xor, ops.logical_not
    bitwise_and, bitwise_or, bitwise_xor, bitwise_not = ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor, ops.bitwise_not
    bitwise_left_shift, bitwise_right_shift = ops.bitwise_left_shift, ops.bitwise_right_shift
    isnan, isinf, isfinite, isreal = ops.isnan, ops.isinf, ops.isfinite, ops.isreal
    isposinf, isneginf, signbit = ops.isposinf, ops.isneginf, ops.signbit


class Methods(ElementMethods):
    """PyTorch's methods of a tensor, apart from those that need to know how a Tensor is made."""

    __slots__ = ()

    softmax, log_softmax = ops.softmax, ops.log_softmax

    def where(self: Any, condition: Any, other: Any) -> Any:
        """This where `condition` holds, else `other`."""
        return ops.where(condition, self, other)

    # Reductions

    sum, nansum, mean, nanmean, prod, logsumexp = ops.sum, ops.nansum, ops.mean, ops.nanmean, ops.prod, ops.logsumexp
    var, std = ops.var, ops.std
    max, min, amax, amin, aminmax, argmax, argmin = ops.max, ops.min, ops.amax, ops.amin, ops.aminmax, ops.argmax, ops.argmin
    median, nanmedian, kthvalue = ops.median, ops.nanmedian, ops.kthvalue
    any, all, count_nonzero = ops.any, ops.all, ops.count_nonzero
    cumsum, cumprod, diff = ops.cumsum, ops.cumprod, ops.diff
    sort, argsort, msort, topk = ops.sort, ops.argsort, ops.msort, ops.topk
    unique, bincount, quantile, cummax, cummin = ops.unique, ops.bincount, ops.quantile, ops.cummax, ops.cummin
    cov, corrcoef = ops.cov, ops.corrcoef

    # Shape

    reshape, view, flatten, ravel, unflatten = ops.reshape, ops.reshape, ops.flatten, ops.ravel, ops.unflatten
    squeeze, unsqueeze, clone = ops.squeeze, ops.unsqueeze, ops.clone
    transpose, swapaxes, swapdims, t = ops.transpose, ops.transpose, ops.transpose, ops.t
    permute, movedim, moveaxis = ops.permute, ops.movedim, ops.movedim
    broadcast_to, expand, tile = ops.broadcast_to, ops.broadcast_to, ops.tile
    repeat_interleave, flip, fliplr, flipud, roll, rot90 = (
        ops.repeat_interleave, ops.flip, ops.fliplr, ops.flipud, ops.roll, ops.rot90,
    )  # fmt: skip
    split, chunk, tensor_split, unbind = ops.split, ops.chunk, ops.tensor_split, ops.unbind
    hsplit, vsplit, dsplit = ops.hsplit, ops.vsplit, ops.dsplit

    @property
    def H(self: Any) -> Any:
        """A matrix with its axes exchanged; as T, for the numbers here are real."""
        return ops.t(self)

    @property
    def mH(self: Any) -> Any:
        """The last two axes exchanged; as mT, for the numbers here are real."""
        return ops.transpose(self, -2, -1)

    def repeat(self: Any, *repeats: Any) -> Any:
        """The whole tensor so many times over along each axis; axes that it does not have come in front."""
        counts = sizes(repeats)
        if len(counts) < self.ndim:
            raise ValueError(f"repeat needs a number for each of the {self.ndim} axes, not {counts}")
        return ops.tile(self, counts)

    def reshape_as(self: Any, other: Any) -> Any:
        """The same elements in the shape of `other`."""
        return ops.reshape(self, other.shape)

    view_as = reshape_as

    def expand_as(self: Any, other: Any) -> Any:
        """Copied along new or stretched axes to the shape of `other`."""
        return ops.broadcast_to(self, other.shape)

    def contiguous(self: Any, *, memory_format: Any = None) -> Any:
        """The tensor with its elements in memory in the order in which they are counted: itself if they are."""
        return self if self.raw.flags.c_contiguous else ops.clone(self)

    def is_contiguous(self: Any, *, memory_format: Any = None) -> bool:
        """Whether the elements are in memory in the order in which they are counted."""
        return self.raw.flags.c_contiguous

    # Parts

    narrow, select, take, masked_fill, masked_select = ops.narrow, ops.select, ops.take, ops.masked_fill, ops.masked_select
    masked_scatter, gather, scatter, scatter_add = ops.masked_scatter, ops.gather, ops.scatter, ops.scatter_add
    index_select, index_add, index_copy = ops.index_select, ops.index_add, ops.index_copy
    index_fill, index_put, take_along_dim = ops.index_fill, ops.index_put, ops.take_along_dim
    nonzero, argwhere = ops.nonzero, ops.argwhere
    diag, diagonal, diag_embed, diagflat = ops.diag, ops.diagonal, ops.diag_embed, ops.diagflat
    trace, tril, triu = ops.trace, ops.tril, ops.triu
    unfold = unfold

    # Products

    matmul, mm, bmm, mv, dot, vdot, inner, outer, ger = (
        ops.matmul, ops.mm, ops.bmm, ops.mv, ops.dot, ops.dot, ops.inner, ops.outer, ops.outer,
    )  # fmt: skip
    addmm, addmv, addr, addbmm, baddbmm = ops.addmm, ops.addmv, ops.addr, ops.addbmm, ops.baddbmm
    kron, cross, norm, dist = ops.kron, ops.cross, ops.norm, ops.dist
    det, logdet, slogdet, inverse, cholesky, matrix_power = (
        ops.det, ops.logdet, ops.slogdet, ops.inverse, ops.cholesky, ops.matrix_power,
    )  # fmt: skip


# Those that take further tensors say it when one is a list; x.sum() and its like have none but their own.
for _name in (
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cross", "dist", "dot", "gather", "ger", "index_add", "index_copy",
    "index_select", "inner", "kron", "masked_scatter", "masked_select", "matmul", "mm", "mv", "outer", "scatter", "scatter_add",
    "take", "take_along_dim", "vdot",
):  # fmt: skip
    setattr(Methods, _name, explained(getattr(Methods, _name)))
