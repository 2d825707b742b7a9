"""The slope of a curve at one point, three ways.

1. The limit definition: (f(x + h) - f(x)) / h for ever smaller h. It needs no thought, and it is never exact: a large h
   misses the curve's bend, a small h drowns in rounding, because f(x + h) and f(x) then agree in almost all digits.
2. The symbolic derivative: a formula found by hand with the rules of calculus. Exact, but somebody has to derive it.
3. The automatic derivative: run f once on a Value, then walk back through the operations it recorded, multiplying the
   local derivatives. As exact as the formula, and nobody derived anything.

    minitorch run derivative --function wave --x 1.5
    minitorch debug derivative        # stop inside the backward pass of way 3
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import minitorch
import viz
from minitorch import Value
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    function: Literal["polynomial", "wave", "logistic"] = option("polynomial", "the curve")
    x: float = option(1.2, "where to take the slope")
    rows: int = option(13, "how many values of h, each a tenth of the one before", minimum=2, quick=9)


@dataclass
class Curve:
    formula: str
    f: Callable[[Value], Value]
    slope_formula: str
    slope: Callable[[float], float]


CURVES = {
    "polynomial": Curve("x**3 - 2*x", lambda x: x**3 - 2 * x, "3*x**2 - 2", lambda x: 3 * x**2 - 2),
    "wave": Curve("sin(x) * exp(-x/4)", lambda x: minitorch.sin(x) * minitorch.exp(-x / 4),
                  "(cos(x) - sin(x)/4) * exp(-x/4)", lambda x: (math.cos(x) - math.sin(x) / 4) * math.exp(-x / 4)),
    "logistic": Curve("1 / (1 + exp(-x))", lambda x: 1 / (1 + minitorch.exp(-x)),
                      "exp(-x) / (1 + exp(-x))**2", lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2),
}


def main(config: Config, run: Run) -> None:
    curve = CURVES[config.function]
    run.print(f"f(x) = {curve.formula} at x = {config.x:g}\n")

    # Way 3 first: it takes three lines. The debugger stops in the third.
    x = Value(config.x, name="x")
    y = curve.f(x).named("y")
    y.backward()
    automatic = float(x.grad)

    # Way 2: somebody's calculus.
    symbolic = curve.slope(config.x)

    # Way 1: two points of the curve, h apart. The central difference takes them on both sides of x, and the first-order
    # part of the error cancels: ten times smaller h, a hundred times smaller error, until rounding takes over.
    def f(at: float) -> float:
        return curve.f(Value(at)).data

    rows = []
    for k in range(config.rows):
        h = 10.0**-k
        forward = (f(config.x + h) - f(config.x)) / h
        central = (f(config.x + h) - f(config.x - h)) / (2 * h)
        rows.append((h, forward, abs(forward - symbolic), central, abs(central - symbolic)))
        run.log(h=h, forward=forward, forward_error=rows[-1][2], central=central, central_error=rows[-1][4])

    run.table(("h", "(f(x+h)-f(x))/h", "error", "(f(x+h)-f(x-h))/2h", "error"),
              [(f"{h:.0e}", f"{a:.12f}", f"{ea:.1e}", f"{b:.12f}", f"{eb:.1e}") for h, a, ea, b, eb in rows],
              title="1. limit")
    run.print(f"\n2. symbolic   f'(x) = {curve.slope_formula} = {symbolic:.16g}")
    run.print(f"3. automatic  x.grad = {automatic:.16g}, error {abs(automatic - symbolic):.1e}")
    best = min(rows, key=lambda row: row[2])
    run.print(f"\nThe limit comes no nearer than {best[2]:.1e}, at h = {best[0]:.0e}; below that, rounding takes over.")

    run.save({"x": config.x, "symbolic": symbolic, "automatic": automatic}, "slopes.npz")
    if not config.plots:
        return
    plot(config, curve, rows, symbolic, run)
    try:
        viz.draw(y).save(run.path("graph.svg"))  # the operations that way 3 walked back through
    except viz.DrawError as error:
        run.print(str(error))


def plot(config: Config, curve: Curve, rows: Sequence[tuple[float, ...]], slope: float, run: Run) -> None:
    """Left the curve, its secants closing in on the tangent; right the errors over h."""
    import numpy as np

    from samples.kit import plots

    figure, (left, right) = plots.figure(9.6, 3.8, columns=2)
    around = np.linspace(config.x - 1.6, config.x + 1.6, 200)
    value = curve.f(Value(config.x)).data
    heights = [curve.f(Value(at)).data for at in around]
    left.plot(around, heights, color=plots.GREY, linewidth=2, label=f"f(x) = {curve.formula}")
    for h, shade in ((1.0, 0.35), (0.3, 0.6)):
        secant = (curve.f(Value(config.x + h)).data - value) / h
        line = value + secant * (around - config.x)
        left.plot(around, line, color=plots.ORANGE, alpha=shade, label=f"secant, h = {h:g}")
    left.plot(around, value + slope * (around - config.x), color=plots.BLUE, label=f"tangent, slope {slope:.4g}")
    left.plot([config.x], [value], "o", color=plots.BLUE)
    margin = 0.15 * (max(heights) - min(heights))
    left.set_ylim(min(heights) - margin, max(heights) + margin)
    left.set_xlabel("x")
    left.legend(fontsize=8)

    floor = 1e-17  # an error of exactly 0 has no place on a logarithmic axis
    widths = [row[0] for row in rows]
    for kind, column, colour in (("forward", 2, plots.ORANGE), ("central", 4, plots.GREEN)):
        errors = [max(row[column], floor) for row in rows]
        right.loglog(widths, errors, marker="o", markersize=3, color=colour, label=f"{kind} difference")
    right.axhline(np.spacing(abs(slope)), color=plots.BLUE, linestyle="--", label="one rounding: symbolic, automatic")
    right.set_title("error of the slope")
    right.set_xlabel("h")
    right.legend(fontsize=8)
    run.save_figure(figure, "derivative.png")
