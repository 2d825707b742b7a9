"""How numbers and arrays are written in pictures.

The width of a number must not jump from step to step, so every number keeps a fixed count of significant digits; only
zeros that say nothing are dropped, down to one decimal (`3.0`), as learners write them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.core.device import host
from viz.statistics import Statistics, fetched, statistics

DIGITS = 4
THUMBNAIL = 8  # largest side of an array that is drawn cell by cell
PRINTED = 16  # arrays of at most this many elements show their numbers in the cells
ROW_LENGTH = 32  # characters in a row of such cells


@dataclass(frozen=True, slots=True)
class Cell:
    """One element of a thumbnail. `level` is -1..1 around zero (the cell's colour), None for NaN."""

    text: str
    level: float | None


@dataclass(frozen=True, slots=True)
class Content:
    """What a number or an array looks like, ready for any writer.

    `text` is the number itself, or the one-line summary of an array; `shape` is empty for a single number;
    `alarm` counts what a learner must not miss (`NaN 3 · inf 1`); `cells` is the thumbnail of a small
    array, `bars` the histogram of a larger one, as fractions of the tallest bar.
    """

    text: str
    shape: str = ""
    kind: str = ""
    alarm: str = ""
    cells: tuple[tuple[Cell, ...], ...] = ()
    bars: tuple[float, ...] = ()


def number(x: object, digits: int = DIGITS) -> str:
    """`x` with `digits` significant digits: `3.0`, `0.7071`, `1.234e-05`, `nan`; ints and bools as they are."""
    if isinstance(x, (bool, np.bool_, int, np.integer)):
        return str(x)
    value = float(x)  # type: ignore[arg-type]
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if value != 0 and not -4 <= power < 6:
        return f"{mantissa.rstrip('0').rstrip('.')}e{power:+03d}"
    if power >= digits:
        return f"{value:.1f}" if value.is_integer() else f"{value:.0f}"
    whole, _, fraction = f"{float(f'{mantissa}e{exponent}'):.{max(digits - 1 - power, 1)}f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def signed(x: object, digits: int = DIGITS) -> str:
    """`number`, in brackets when negative: for the middle of a sum or a product."""
    text = number(x, digits)
    return f"({text})" if text.startswith("-") else text


def shape_text(shape: tuple[int, ...]) -> str:
    """`(3, 4)` for a shape, `()` for none."""
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def scalar(raw: Any) -> float | None:
    """`raw` as a float when it is a single number (a 0-d array too), else None."""
    if isinstance(raw, (int, float)):
        return float(raw)
    return float(host(raw)) if getattr(raw, "shape", None) == () else None


def content(raw: Any, digits: int = DIGITS) -> Content:
    """The `Content` of a float or of an array of any dtype, shape and device."""
    if isinstance(raw, (bool, int, float)) or raw.ndim == 0:
        plain = isinstance(raw, (bool, int, float))
        value = raw if plain else host(raw)[()]
        marks = "NaN" if value != value else "inf" if value in (math.inf, -math.inf) else ""
        return Content(number(value, digits), "" if plain else "()", "" if plain else str(raw.dtype), marks)
    raw = fetched(raw)
    cells = _cells(raw, digits)
    found = statistics(raw, histogram=not cells)
    return Content(
        text=_line(found, raw.dtype.kind, digits),
        shape=shape_text(raw.shape),
        kind=str(raw.dtype),
        alarm=alarm(found),
        cells=cells,
        bars=tuple(round(count / max(found.counts), 2) for count in found.counts) if raw.dtype.kind != "b" else (),
    )


def summary(raw: Any, digits: int = DIGITS) -> str:
    """Range, mean and standard deviation of the finite elements on one line: `-2.1 … 2.6  mean 0.01  sd 1.0`, and the share
    of zeros where there are any; the others are counted first, `NaN 3 · inf 1  -2.1 … 2.6`, so that no cut hides them."""
    found = statistics(raw)
    return "  ".join(filter(None, (alarm(found), _line(found, raw.dtype.kind, digits))))


def _line(found: Statistics, kind: str, digits: int) -> str:
    if found.size == 0:
        return "empty"
    if kind == "b":
        return f"{found.ones} of {found.size} true"
    if found.finite == 0:
        return "no finite element"
    short = min(digits, 3)
    if found.low == found.high:
        return f"all {number(found.low, digits)}"
    if kind in "iu":
        return f"{int(found.low)} … {int(found.high)}"
    mean, deviation = number(found.mean, short), number(found.deviation, short)
    zeros = found.zeros / found.size
    share = f"  zero {100 * zeros:.0f}%" if zeros else ""
    if found.beside_zero is not None:
        return f"{number(found.low, digits)} or {number(found.high, digits)}{share}"
    return f"{number(found.low, short)} … {number(found.high, short)}  mean {mean}  sd {deviation}{share}"


def alarm(found: Statistics) -> str:
    """`NaN 3 · inf 1`: what a learner must not miss."""
    return " · ".join(f"{mark} {count}" for mark, count in (("NaN", found.nans), ("inf", found.infs)) if count)


def _cells(array: Any, digits: int) -> tuple[tuple[Cell, ...], ...]:
    while array.ndim > 2 and array.shape[0] == 1:  # one picture, one kernel: a table all the same
        array = array[0]
    if not 0 < array.ndim <= 2 or array.size == 0 or max(array.shape) > THUMBNAIL:
        return ()
    grid = np.atleast_2d(host(array))
    numeric = grid.astype(np.float64)
    finite = np.abs(numeric[np.isfinite(numeric)])
    scale = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    longest = max(len(number(shown, min(digits, 3))) for shown in grid.flat)
    printed = array.size <= PRINTED and grid.shape[1] * longest <= ROW_LENGTH

    def cell(shown: Any, value: float) -> Cell:
        text = number(shown, min(digits, 3)) if printed or not np.isfinite(value) else ""
        return Cell(text, None if np.isnan(value) else round(float(np.clip(value / scale, -1, 1)), 2))

    return tuple(tuple(cell(shown, float(value)) for shown, value in zip(row, values)) for row, values in zip(grid, numeric))
