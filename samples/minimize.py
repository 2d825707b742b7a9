"""Gradient descent, seen from above: walk downhill on a curve or a surface, one backward pass per step.

The gradient of a function points to where it grows fastest, so the descent takes a step the other way:

    velocity = momentum * velocity - learning_rate * gradient
    position = position + velocity

That is all that training a network does too, with a million coordinates instead of one or two.

    minitorch run minimize --function rosenbrock --momentum 0    # without momentum the valley takes forever
    minitorch run minimize --function wells --start -0.2         # another start, another well
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minitorch import Value
from samples.kit import Run, SampleError, Settings, option

Name = Literal["all", "parabola", "wells", "bowl", "rosenbrock", "himmelblau"]


@dataclass
class Config(Settings):
    function: Name = option("all", "what to walk down: a curve (parabola, wells), a surface (the others), or all")
    start: tuple[float, ...] | None = option(None, "where to begin, one number or two; by default each has its own")
    learning_rate: float | None = option(None, "step per unit of gradient; by default each has its own", minimum=0)
    momentum: float | None = option(None, "share of the last step that goes on; by default each has its own", minimum=0)
    steps: int | None = option(None, "how many steps; by default each has its own", minimum=1, quick=20)
    frames: int = option(48, "pictures in the animation", minimum=2, quick=6)


@dataclass
class Landscape:
    formula: str
    f: Callable[..., Value]
    minima: tuple[tuple[float, ...], ...]
    start: tuple[float, ...]
    learning_rate: float
    momentum: float
    steps: int
    window: tuple[float, ...]  # what the plot shows: x from, to (and y from, to)


# Ordinary arithmetic: on Values it records itself, and that is what backward() walks back through.
LANDSCAPES = {
    "parabola": Landscape("(x - 2)**2", lambda x: (x - 2) ** 2,
                          ((2.0,),), (-3.0,), 0.1, 0.0, 40, (-3.5, 5.5)),
    "wells": Landscape("x**4 - 3*x**2 + x", lambda x: x**4 - 3 * x**2 + x,
                       ((-1.3008395659, ), (1.1309011226,)), (2.0,), 0.01, 0.0, 60, (-2.2, 2.2)),
    "bowl": Landscape("x**2 + 10*y**2", lambda x, y: x**2 + 10 * y**2,
                      ((0.0, 0.0),), (-3.5, 1.5), 0.05, 0.6, 60, (-4, 4, -2, 2)),
    "rosenbrock": Landscape("(1 - x)**2 + 100*(y - x**2)**2", lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
                            ((1.0, 1.0),), (-1.5, 2.0), 0.0008, 0.95, 800, (-2, 2, -1, 3)),
    "himmelblau": Landscape("(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
                            lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
                            ((3.0, 2.0), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)),
                            (0.0, -0.5), 0.008, 0.6, 60, (-5.5, 5.5, -5.5, 5.5)),
}


@dataclass
class Step:
    """One point of a descent."""

    at: tuple[float, ...]
    value: float
    gradient: tuple[float, ...]


def main(config: Config, run: Run) -> None:
    for name, land in LANDSCAPES.items():
        if config.function not in ("all", name):
            continue
        start = config.start or land.start
        if len(start) != len(land.start):
            raise SampleError(f"{name} starts at {len(land.start)} number{'s' * (len(land.start) > 1)}, --start gives "
                              f"{len(start)}; name one function with --function")
        path = []
        begun = time.perf_counter()
        for number, step in enumerate(descend(config, land, start)):
            path.append(step)
            run.log(function=name, epoch=number, seconds=round(time.perf_counter() - begun, 6), train_loss=step.value,
                    gradient_norm=norm(step.gradient), **dict(zip("xy", step.at)))
            if not norm(step.at) < 1e6:
                break  # it has left every picture; the numbers only grow from here
        report(name, land, path, run)
        if config.plots:
            picture(name, land, path, config.frames, run)


def descend(config: Config, land: Landscape, start: Sequence[float]) -> Iterator[Step]:
    """The descent itself. Yields where it is, before each step and after the last."""
    rate = land.learning_rate if config.learning_rate is None else config.learning_rate
    momentum = land.momentum if config.momentum is None else config.momentum
    at, velocity = list(start), [0.0] * len(start)
    for _ in range((config.steps or land.steps) + 1):
        # New Values every step: they begin without a gradient, so there is nothing to reset to zero.
        point = [Value(x, name=axis) for axis, x in zip("xy", at)]
        loss = land.f(*point).named("loss")
        loss.backward()
        gradient = [float(x.grad) for x in point]
        yield Step(tuple(at), loss.data, tuple(gradient))
        velocity = [momentum * v - rate * g for v, g in zip(velocity, gradient)]
        at = [x + v for x, v in zip(at, velocity)]


def norm(vector: Sequence[float]) -> float:
    return math.hypot(*vector)


def report(name: str, land: Landscape, path: list[Step], run: Run) -> None:
    """Say where it went."""
    first, last = path[0], path[-1]
    goal = nearest(land, last)
    run.print(f"{name}: f = {land.formula}")
    run.print(f"  from {coordinates(first.at)} with f = {first.value:.4g} "
              f"to {coordinates(last.at)} with f = {last.value:.4g} in {len(path) - 1} steps")
    away = math.dist(goal, last.at)
    run.print(f"  gradient {norm(first.gradient):.4g} -> {norm(last.gradient):.4g}; "
              + (f"{away:.2g} away from the minimum at {coordinates(goal)}" if away < 1e6 else
                 "it ran away: try a smaller --learning-rate"))


def nearest(land: Landscape, step: Step) -> tuple[float, ...]:
    """The minimum that the descent came to, or was nearest to."""
    return min(land.minima, key=lambda minimum: math.dist(minimum, step.at))


def coordinates(at: Sequence[float]) -> str:
    return f"({', '.join(f'{x:.4f}' for x in at)})"


def picture(name: str, land: Landscape, path: list[Step], frames: int, run: Run) -> None:
    """The whole descent as a plot, and as an animation of about `frames` pictures."""
    from samples.kit import plots

    figure, (left, right) = plots.figure(9.6, 4.2, columns=2)
    (draw_curve if len(land.start) == 1 else draw_surface)(left, land)
    right.set_xlabel("step")
    floor = land.f(*map(Value, nearest(land, path[-1]))).data
    heights = [max(step.value - floor, 1e-16) for step in path]
    right.semilogy(heights, color=plots.GREY, linewidth=1)
    right.set_title("height above the nearest minimum")

    (trail,) = left.plot([], [], color=plots.RED, marker="o" if len(path) < 200 else "", markersize=3, linewidth=1)
    (head,) = left.plot([], [], color=plots.RED, marker="o", markersize=8)
    (mark,) = right.plot([], [], color=plots.RED, marker="o", markersize=6)
    text = left.text(0.5, 0.97, "", transform=left.transAxes, family="monospace", ha="center", va="top",
                     bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none"})

    def show(k: int) -> None:
        places = [heightened(step) for step in path[: k + 1]]
        trail.set_data(*zip(*places))
        head.set_data(*zip(places[-1]))
        mark.set_data([k], [heights[k]])
        text.set_text(f"step {k}  f = {path[k].value:.4g}")

    # Steps get shorter towards the end, so the pictures are dense at the start and sparse later.
    last = len(path) - 1
    shown = sorted({round(last * (k / (frames - 1)) ** 2) for k in range(frames)})
    run.save_gif(plots.animate(figure, [trail, head, mark, text], show, shown), f"{name}.gif")
    show(last)
    run.save_figure(figure, f"{name}.png")


def heightened(step: Step) -> tuple[float, ...]:
    """Where a step lies in the picture: on the curve (x, f), or on the map (x, y)."""
    return (step.at[0], step.value) if len(step.at) == 1 else step.at


def draw_curve(axes: Any, land: Landscape) -> None:
    import numpy as np

    from samples.kit import plots

    xs = np.linspace(land.window[0], land.window[1], 300)
    axes.plot(xs, [land.f(Value(x)).data for x in xs], color=plots.BLUE)
    axes.set_title(f"f(x) = {land.formula}")
    axes.set_xlabel("x")


def draw_surface(axes: Any, land: Landscape) -> None:
    import numpy as np

    xs, ys = (np.linspace(low, high, 80) for low, high in (land.window[:2], land.window[2:]))
    heights = np.array([[land.f(Value(x), Value(y)).data for x in xs] for y in ys])
    # Equal steps of the logarithm: the valleys, where descent is slow, get lines too.
    levels = np.geomspace(heights.max() / 1e4, heights.max(), 18)
    axes.contourf(xs, ys, heights, levels=np.concatenate([[0], levels]), norm="symlog", cmap="Blues_r", alpha=0.6)
    axes.contour(xs, ys, heights, levels=levels, colors="white", linewidths=0.6)
    axes.plot(*zip(*land.minima), "+", color="black", markersize=9)
    axes.set(title=f"f(x, y) = {land.formula}", xlabel="x", ylabel="y", xlim=land.window[:2], ylim=land.window[2:])
    axes.grid(False)
