"""What a picture or a line of text says about an array, in a few numbers. An array on a GPU is counted there, and the numbers
come back in one small copy: a million elements are not fetched to be summed up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.backend import BACKENDS
from minitorch.backend.gpus import at_home
from minitorch.core.device import host

BINS = 10
SMALL = 256
"""Elements; an array of no more is fetched as it is, and counted here."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """`finite`, `zeros`, `ones`, `nans`, `infs` count elements; `low` to `deviation` are of the finite ones (nan where there
    are none); `counts` is their histogram, in BINS equal steps from `low` to `high`, empty where that makes no sense."""

    size: int
    finite: int
    low: float
    high: float
    mean: float
    deviation: float
    zeros: int
    ones: int
    nans: int
    infs: int
    counts: tuple[int, ...] = ()

    @property
    def beside_zero(self) -> float | None:
        """The one number that stands beside zeros, as in a mask; None for any other array."""
        other = self.high if self.low == 0 else self.low
        both = self.zeros and self.finite == self.size and self.low < self.high and 0 in (self.low, self.high)
        return other if both and math.isclose(self.mean * self.size, other * (self.size - self.zeros)) else None


def statistics(raw: Any, histogram: bool = False) -> Statistics:
    """The statistics of a number, or of an array of any dtype and device."""
    raw = fetched(raw)
    return _here(raw, histogram) if isinstance(raw, np.ndarray) else _there(raw)


def fetched(raw: Any) -> Any:
    """A number or an array in main memory, if it is there or small; a large array of a GPU as it is."""
    return raw if type(raw) in BACKENDS and raw.size > SMALL else host(raw)


def equal(a: Any, b: Any) -> bool:
    """Whether two numbers or arrays, of any device, are the same; a nan is the same as a nan. Two arrays of one GPU are
    compared there. TypeError for what is not made of numbers."""
    if a is None or b is None:
        return a is b
    if type(a) is not type(b) or type(a) not in BACKENDS or isinstance(a, np.ndarray):
        a, b = host(a), host(b)
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    if a.shape != b.shape:
        return False
    alike = a == b
    if a.dtype.kind == b.dtype.kind == "f":
        alike = alike | ((a != a) & (b != b))
    return bool(alike.all().item())


def _here(array: np.ndarray, histogram: bool) -> Statistics:
    usable = np.isfinite(array)
    finite = (array if usable.all() else array[usable]).astype(np.float64)
    low = high = mean = deviation = math.nan
    counts: tuple[int, ...] = ()
    with np.errstate(over="ignore", invalid="ignore"):
        if finite.size:
            low, high, mean, deviation = (float(x) for x in (finite.min(), finite.max(), finite.mean(), finite.std()))
        if histogram and _spread(low, high):
            counts = tuple(np.histogram(finite, bins=BINS, range=(low, high))[0].tolist())
    nans = int(np.isnan(array).sum()) if finite.size < array.size else 0
    zeros, ones = (int(np.count_nonzero(array == x)) for x in (0, 1))
    return Statistics(
        array.size, finite.size, low, high, mean, deviation, zeros, ones, nans, array.size - finite.size - nans, counts
    )


@at_home
def _there(array: Any) -> Statistics:
    """As `_here`, by the functions of the array's own device; they give 0-d arrays, which come over together at the end."""
    xp = BACKENDS[type(array)]
    x = array.reshape(-1).astype("float64")
    finite = xp.isfinite(x)
    count = finite.sum()
    low, high = xp.where(finite, x, math.inf).min(), xp.where(finite, x, -math.inf).max()
    mean = xp.where(finite, x, 0.0).sum() / count
    off = xp.where(finite, x - mean, 0.0)
    deviation = xp.sqrt((off * off).sum() / count)
    marks = [(x == 0).sum(), (x == 1).sum(), xp.isnan(x).sum()]
    edges = low + (high - low) / BINS * xp.arange(1, BINS)
    bins = xp.where(finite, xp.searchsorted(edges, xp.where(finite, x, low), side="right"), BINS)
    counts = xp.bincount(bins, minlength=BINS + 1)[:BINS]
    numbers = xp.stack([v.astype("float64") for v in (count, low, high, mean, deviation, *marks)])
    found = xp.concatenate([numbers, counts.astype("float64")]).get().tolist()
    (count, low, high, mean, deviation), (zeros, ones, nans), counts = found[:5], map(int, found[5:8]), found[8:]
    if not count:
        low = high = mean = deviation = math.nan
    histogram = tuple(map(int, counts)) if _spread(low, high) else ()
    infs = array.size - int(count) - nans
    return Statistics(array.size, int(count), low, high, mean, deviation, zeros, ones, nans, infs, histogram)


def _spread(low: float, high: float) -> bool:
    """Whether equal steps from `low` to `high` mean anything in floating point."""
    return math.isfinite(high - low) and high - low >= 1e-300
