"""The slope of a curve at one point, three ways.

1. The limit definition: (f(x + h) - f(x)) / h for ever smaller h. It needs no thought, and it is never exact: a large h
   misses the curve's bend, a small h drowns in rounding, because f(x + h) and f(x) then agree in almost all digits.
2. The symbolic derivative: a formula found by hand with the rules of calculus. Exact, but somebody has to derive it.
3. The automatic derivative: run f once on a Value, then walk back through the operations it recorded, multiplying the
   local derivatives. As exact as the formula, and nobody derived anything.

With one input that is a matter of taste. With N inputs the limit needs 2 N evaluations and the backward pass still one walk:
the last table and cost.png show what that means, and why networks with millions of inputs can learn at all.

    minitorch run derivative --function wave --x 1.5
    minitorch debug derivative        # stop inside the backward pass of way 3
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import minitorch
import viz
from minitorch import Value
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    function: Literal["polynomial", "wave", "logistic"] = option("polynomial", "the curve")
    x: float = option(1.2, "where to take the slope")
    inputs: tuple[int, ...] = option((10, 30, 100, 300, 1000), "how many inputs, to compare the cost", minimum=1,
                                     quick=(10, 40))
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
    run.log(error=abs(automatic - symbolic))
    run.print(f"3. automatic  x.grad = {automatic:.16g}, error {abs(automatic - symbolic):.1e}")
    best = min(rows, key=lambda row: row[2])
    run.print(f"\nThe limit comes no nearer than {best[2]:.1e}, at h = {best[0]:.0e}; below that, rounding takes over.")

    costs = [cost(n) for n in config.inputs]
    for n, limit, backward, apart in costs:
        run.log(inputs=n, limit_seconds=limit, backward_seconds=backward, difference=apart)
    run.table(("inputs", "2 N evaluations (ms)", "one backward pass (ms)", "times faster", "largest difference"),
              [(str(n), f"{1e3 * limit:.2f}", f"{1e3 * backward:.2f}", f"{limit / backward:.1f}", f"{apart:.0e}")
               for n, limit, backward, apart in costs], title="\nall slopes of a function of N inputs")

    run.save({"x": config.x, "symbolic": symbolic, "automatic": automatic}, "slopes.npz")
    if not config.plots:
        return
    plot(config, curve, rows, symbolic, run)
    plot_cost(costs, run)
    try:
        viz.draw(y).save(run.path("graph.svg"))  # the operations that way 3 walked back through
    except viz.DrawError as error:
        run.print(str(error))


def cost(n: int) -> tuple[int, float, float, float]:
    """Seconds for all slopes of a function of n inputs by central differences, and by one backward pass (which includes
    running the function); and how far the two lie apart.
    """
    def f(xs: Sequence[Any]) -> Any:
        total = xs[0] * xs[0]
        for x, y in zip(xs, xs[1:]):  # every term ties two neighbours together
            total = total + x * y * y
        return total

    at = [math.sin(k) for k in range(n)]
    h = 1e-5
    limits, backwards = [], []
    for _ in range(3):  # the fastest counts: the others were disturbed
        begun = time.perf_counter()
        slopes = []
        for k in range(n):
            up, down = (f([*at[:k], at[k] + step, *at[k + 1 :]]) for step in (h, -h))  # plain floats: no node is recorded
            slopes.append((up - down) / (2 * h))
        halfway = time.perf_counter()
        xs = [Value(x) for x in at]
        f(xs).backward()
        limits.append(halfway - begun)
        backwards.append(time.perf_counter() - halfway)
    return n, min(limits), min(backwards), max(abs(float(x.grad) - s) for x, s in zip(xs, slopes))


def plot_cost(costs: Sequence[tuple[int, float, float, float]], run: Run) -> None:
    """Seconds over the number of inputs, both growing: one with its square, one with itself."""
    from samples.kit import plots

    figure, axes = plots.figure(5.4, 3.6)
    for place, colour, label in ((1, plots.ORANGE, "limit: 2 N evaluations"), (2, plots.BLUE, "one backward pass")):
        axes.loglog([c[0] for c in costs], [c[place] for c in costs], marker="o", markersize=4, color=colour, label=label)
    axes.set(title="seconds for all N slopes", xlabel="inputs N")
    axes.legend()
    run.save_figure(figure, "cost.png")


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
