"""Losses of classifiers: the score of the right class against the others'."""

from __future__ import annotations

from typing import Any

from ..backend import backend_of
from ..backend.gpus import beside
from ..core.apply import apply
from ..core.dtypes import get_default_dtype
from ..core.op import Op
from .activation import log_softmax
from .choose import clamp_min
from .create import arange, constant
from .elementwise import where
from .index import TakeAlong
from .loss import BinaryCrossEntropyWithLogits, reduced
from .reduce import mean, sum
from .shape import to


class CrossEntropy(Op):
    """The mean of -log softmax(x)[target] over the rows of x, shape (n, classes), target (n,) of class numbers."""

    saves = True  # the softmax; a rule that is itself differentiated computes it again

    def forward(self, xp, x, target):
        logs, chances = xp.log_softmax_at(x, target)
        return -xp.mean(logs), chances

    def vjp_x(self, xp, grad, out, saved, x, target):
        softmax, share = xp.kept(saved, softmax_of_rows, x), grad / xp.shape(x)[0]
        return xp.minus_at(softmax * share, target, share)  # softmax, less 1 at the target


class CrossEntropyOfCounted(Op):
    """As `CrossEntropy`, the mean over the rows whose target is not `ignore`: for targets that nobody has looked at."""

    saves = True

    def __init__(self, ignore: int) -> None:
        self.ignore = ignore

    def forward(self, xp, x, target):
        logs, chances = xp.log_softmax_at(x, target)
        return -xp.sum(logs * self.shares(xp, x, target)), chances

    def vjp_x(self, xp, grad, out, saved, x, target):
        softmax, share = xp.kept(saved, softmax_of_rows, x), grad * self.shares(xp, x, target)
        return xp.minus_at(softmax * xp.expand_dims(share, 1), target, share)

    def shares(self, xp: Any, x: Any, target: Any) -> Any:
        """How much each row counts: the same for all, and nothing for those to be ignored."""
        counted = xp.either(target != self.ignore, 1.0, 0.0, x)
        return counted / xp.sum(counted)


def softmax_of_rows(xp: Any, x: Any) -> Any:
    return xp.softmax(x, -1)


class NllLoss(Op):
    """-weight[target] · x[target] along axis 1: x holds log-probabilities, shape (n, classes, ...), target class numbers
    (n, ...); 0 where the target is `ignore`."""

    def __init__(self, ignore: int = -100) -> None:
        self.ignore = ignore

    def forward(self, xp, x, target, weight=None):
        return -xp.squeeze(xp.take_along_axis(x, self.index(xp, target), 1), 1) * self.shares(xp, x, target, weight)

    def vjp_x(self, xp, grad, out, x, target, weight=None):
        share = xp.expand_dims(-grad * self.shares(xp, x, target, weight), 1)
        return xp.put_along_axis(share, self.index(xp, target), 1, xp.shape(x))

    def index(self, xp: Any, target: Any) -> Any:
        return xp.expand_dims(target * (target != self.ignore), 1)

    def shares(self, xp: Any, x: Any, target: Any, weight: Any) -> Any:
        """How much each target counts."""
        counted = target != self.ignore
        return counted if weight is None else counted * weight[target * counted]


def cross_entropy(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """-log softmax(input)[target], the loss of a classifier that gives `input` as scores.

    Shapes: input (classes,), (n, classes) or (n, classes, d1, ...); target the same without the classes, of class numbers, or
    the same with them, of class probabilities. `weight` (classes,) says how much each class counts ("mean" divides by what
    counted); targets equal to `ignore_index` do not count; `label_smoothing` mixes the target with equal shares of all classes.
    """
    axis = 0 if input.ndim == 1 else 1
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is a share between 0 and 1, not {label_smoothing}")
    if target.shape == input.shape and target.dtype.kind == "f":
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing, axis)
    ignored = _check_classes("cross_entropy", input, target, ignore_index)
    if input.dtype.kind != "f":
        input = to(input, get_default_dtype())
    if input.ndim == 2 and weight is None and not label_smoothing and reduction == "mean" and not ignored:
        return apply(CrossEntropy.shared if ignored is False else CrossEntropyOfCounted(ignore_index), input, target)
    logs = log_softmax(input, axis)
    loss = nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return loss
    counted = target != ignore_index
    spread = -sum(logs * _along(weight, input.ndim, axis), axis) * counted
    if reduction == "mean":
        shares = counted if weight is None else counted * weight[where(counted, target, 0)]
        spread = sum(spread) / to(sum(shares), loss.dtype)
    else:
        spread = reduced(spread, reduction)
    return loss * (1 - label_smoothing) + spread * (label_smoothing / input.shape[axis])


def _soft_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, smoothing: float, axis: int) -> Any:
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[axis]
    loss = -sum(log_softmax(input, axis) * target * _along(weight, input.ndim, axis), axis)
    if reduction == "mean" and loss.ndim:
        return sum(loss) / max(1, loss.numel())
    return reduced(loss, reduction)


def nll_loss(input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """-input[target]: the loss of a classifier that gives log-probabilities. Shapes and arguments as `cross_entropy`'s."""
    _check_classes("nll_loss", input, target, ignore_index)
    if input.ndim == 1:
        loss = nll_loss(input[None], target[None], weight, ignore_index=ignore_index, reduction=reduction)
        return loss[0] if reduction == "none" else loss
    loss = apply(NllLoss(ignore_index), input, target, *(() if weight is None else (weight,)))
    if reduction != "mean":
        return reduced(loss, reduction)
    counted = target != ignore_index
    shares = counted if weight is None else counted * weight[where(counted, target, 0)]
    return sum(loss) / to(sum(shares), loss.dtype)


def _check_classes(name: str, input: Any, target: Any, ignore: int | None) -> bool | None:
    """Whether a target is to be ignored; ValueError or IndexError for targets that do not fit. None for targets on a GPU,
    which are not waited for."""
    classes = input.shape[min(1, input.ndim - 1)] if input.ndim else 0
    wanted = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if not input.ndim or target.shape != wanted or target.dtype.kind not in "iu":
        raise ValueError(
            f"{name} needs scores of shape (n, classes, ...) and whole class numbers of shape (n, ...): scores of shape "
            f"{tuple(input.shape)} go with targets of shape {tuple(wanted)}, not {tuple(target.shape)} of {target.dtype}"
        )
    numbers = target.raw
    later = getattr(backend_of(numbers), "refuse_outside", None)
    if later is not None:
        def wrong_class() -> IndexError:
            return IndexError(f"{name}: a target is no class of {classes} (0 to {classes - 1}): {target}")

        with beside(numbers):
            later(numbers, classes, wrong_class, 0 if ignore is None else ignore)
        return None
    wrong = (numbers < 0) | (numbers >= classes)
    if not wrong.any().item():
        return ignore is not None and 0 <= ignore < classes and (numbers == ignore).any().item()
    if ignore is not None:
        wrong &= numbers != ignore
    if wrong.any().item():
        raise IndexError(f"{name}: target {numbers[wrong][0].item()} is no class of {classes} (0 to {classes - 1})")
    return True


def _along(weight: Any, ndim: int, axis: int) -> Any:
    """One weight per class, ready to be multiplied on along `axis`."""
    return 1 if weight is None else weight.reshape((1,) * axis + (-1,) + (1,) * (ndim - axis - 1))


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Any:
    """The mean over the classes, the right one left out, of max(0, margin - input[target] + input[class])**p, times
    weight[target]. Shapes: input (n, classes) or (classes,), target (n,) or () of class numbers; the loss has the target's."""
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss takes p = 1 or 2, not {p}")
    if input.ndim < 2:
        loss = multi_margin_loss(input.reshape(1, -1), target.reshape(1), p, margin, weight, "none")[0]
        return reduced(loss if target.ndim == 0 else loss[None], reduction)
    _check_classes("multi_margin_loss", input, target, None)
    classes = input.shape[1]
    at = target.raw[:, None]
    short = clamp_min(margin - apply(TakeAlong(at, 1), input) + input, 0)
    with beside(at):
        others = constant(arange(classes, device=input.device).raw != at)
    loss = sum((short if p == 1 else short * short) * others, 1) / classes
    return reduced(loss if weight is None else loss * weight[target], reduction)


def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The sum of max(0, 1 - input[right] + input[wrong]) over all right and wrong classes, over the number of classes.

    Shapes: input (n, classes) or (classes,); target the same: the numbers of the right classes, ended by -1."""
    if input.ndim < 2:
        flat = multilabel_margin_loss(input.reshape(1, -1), target.reshape(1, -1), "none")
        return reduced(flat[0], reduction)
    if target.shape != input.shape:
        raise ValueError(f"multilabel_margin_loss needs targets of shape {tuple(input.shape)}, not {tuple(target.shape)}")
    n, classes = input.shape
    rows, columns = arange(n, device=input.device).raw, arange(classes, device=input.device).raw
    with beside(input.raw):
        listed = (target.raw == -1).cumsum(1) == 0  # what comes before the first -1
        numbers = target.raw * listed
        is_right = ((numbers[:, :, None] == columns) & listed[:, :, None]).any(1)
        counted = constant(listed[:, :, None] & ~is_right[:, None, :])
    right = input[rows[:, None], numbers]
    short = clamp_min(1 - right[:, :, None] + input[:, None, :], 0)
    return reduced(sum(short * counted, (1, 2)) / classes, reduction)


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The mean over the classes of binary_cross_entropy_with_logits, each class times `weight`. Shapes (n, classes)."""
    loss = apply(BinaryCrossEntropyWithLogits.shared, input, target)
    return reduced(mean(loss if weight is None else loss * weight, -1), reduction)
