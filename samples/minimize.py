"""Gradient descent, seen from above: walk downhill on a curve or a surface, one backward pass per step.

The gradient of a function points to where it grows fastest, so a descent goes the other way. How far, three rules answer, raced
here from the same start on the same function:

    plain       position -= rate * gradient
    momentum    velocity = momentum * velocity - rate * gradient;  position += velocity
    adam        position -= rate * mean of gradients / root of mean of squared gradients, both means fading

That is all that training a network does too, with a million coordinates instead of one or two. (`optimizers` races the
library's own, more of them.)

    minitorch run minimize --function rosenbrock                 # plain descent takes forever in the valley
    minitorch run minimize --function wells                      # momentum rolls over the hill into the deeper well
    minitorch run minimize --function wells --start -0.2         # another start, another well
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minitorch import Value
from samples.kit import Run, SampleError, Settings, option

Name = Literal["all", "parabola", "wells", "bowl", "rosenbrock", "himmelblau"]


@dataclass
class Config(Settings):
    function: Name = option("all", "what to walk down: a curve (parabola, wells), a surface (the others), or all")
    method: Literal["all", "plain", "momentum", "adam"] = option("all", "how a gradient becomes a step")
    start: tuple[float, ...] | None = option(None, "where to begin, one number or two; by default each has its own")
    learning_rate: float | None = option(None, "the rate, for every method; by default each has its own", minimum=0)
    momentum: float | None = option(None, "share of the last step that goes on; by default each has its own", minimum=0)
    steps: int | None = option(None, "how many steps; by default each has its own", minimum=1, quick=20)
    frames: int = option(48, "pictures in the animation", minimum=2, quick=6)


@dataclass
class Landscape:
    formula: str
    f: Callable[..., Value]
    minima: tuple[tuple[float, ...], ...]
    start: tuple[float, ...]
    rate: float  # of plain and momentum, which multiply it with the gradient
    momentum: float
    adam_rate: float  # about the length of adam's steps, however steep it is
    steps: int
    window: tuple[float, ...]  # what the plot shows: x from, to (and y from, to)


# Ordinary arithmetic: on Values it records itself, and that is what backward() walks back through.
LANDSCAPES = {
    "parabola": Landscape("(x - 2)**2", lambda x: (x - 2) ** 2,
                          ((2.0,),), (-3.0,), 0.1, 0.5, 0.4, 40, (-3.5, 5.5)),
    "wells": Landscape("x**4 - 3*x**2 + x", lambda x: x**4 - 3 * x**2 + x,
                       ((-1.3008395659,), (1.1309011226,)), (2.0,), 0.01, 0.85, 0.1, 60, (-2.2, 2.2)),
    "bowl": Landscape("x**2 + 10*y**2", lambda x, y: x**2 + 10 * y**2,
                      ((0.0, 0.0),), (-3.5, 1.5), 0.05, 0.6, 0.3, 60, (-4, 4, -2, 2)),
    "rosenbrock": Landscape("(1 - x)**2 + 100*(y - x**2)**2", lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
                            ((1.0, 1.0),), (-1.5, 2.0), 0.0008, 0.95, 0.05, 800, (-2, 2, -1, 3)),
    "himmelblau": Landscape("(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
                            lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
                            ((3.0, 2.0), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)),
                            (0.0, -0.5), 0.008, 0.6, 0.3, 60, (-5.5, 5.5, -5.5, 5.5)),
}


# -- three ways to make a step of a gradient ----------------------------------------------------------------------------


class Plain:
    """Against the gradient: long where it is steep, short where it is flat."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def step(self, gradient: Sequence[float]) -> list[float]:
        return [-self.rate * g for g in gradient]


class Momentum:
    """A ball with mass: what it had goes on, so it rolls through a flat valley, and over a small hill."""

    def __init__(self, rate: float, momentum: float) -> None:
        self.rate, self.momentum = rate, momentum
        self.velocity: list[float] = []

    def step(self, gradient: Sequence[float]) -> list[float]:
        before = self.velocity or [0.0] * len(gradient)
        self.velocity = [self.momentum * v - self.rate * g for v, g in zip(before, gradient)]
        return self.velocity


class Adam:
    """Each coordinate divided by how large its gradients have been: steep and flat ones move alike (Kingma and Ba 2014)."""

    def __init__(self, rate: float, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self.rate, self.beta1, self.beta2 = rate, beta1, beta2
        self.count = 0
        self.means: list[tuple[float, float]] = []  # of each coordinate: its gradients, their squares

    def step(self, gradient: Sequence[float]) -> list[float]:
        self.count += 1
        before = self.means or [(0.0, 0.0)] * len(gradient)
        self.means = [(self.beta1 * m + (1 - self.beta1) * g, self.beta2 * v + (1 - self.beta2) * g * g)
                      for (m, v), g in zip(before, gradient)]
        # The means began at 0, which is too little; the divisors make up for it.
        young1, young2 = 1 - self.beta1**self.count, 1 - self.beta2**self.count
        return [-self.rate * (m / young1) / (math.sqrt(v / young2) + 1e-8) for m, v in self.means]


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
        rate = land.rate if config.learning_rate is None else config.learning_rate
        adam_rate = land.adam_rate if config.learning_rate is None else config.learning_rate
        momentum = land.momentum if config.momentum is None else config.momentum
        methods: dict[str, Plain | Momentum | Adam] = {
            "plain": Plain(rate), "momentum": Momentum(rate, momentum), "adam": Adam(adam_rate),
        }
        chosen = {key: method for key, method in methods.items() if config.method in ("all", key)}
        paths = {key: descend(land, start, method, config.steps or land.steps) for key, method in chosen.items()}
        for key, path in paths.items():
            for number, step in enumerate(path):
                run.log(function=name, method=key, epoch=number, f=step.value, gradient_norm=norm(step.gradient),
                        **dict(zip("xy", step.at)))
        report(name, land, paths, run)
        if config.plots:
            picture(name, land, paths, config.frames, run)


def descend(land: Landscape, start: Sequence[float], method: Plain | Momentum | Adam, steps: int) -> list[Step]:
    """The descent itself: where it is before each step, and after the last."""
    path: list[Step] = []
    at = list(start)
    while len(path) <= steps and norm(at) < 1e6:  # beyond that it has left every picture, and the numbers only grow
        # New Values every step: they begin without a gradient, so there is nothing to reset to zero.
        point = [Value(x, name=axis) for axis, x in zip("xy", at)]
        loss = land.f(*point).named("loss")
        loss.backward()
        gradient = [float(x.grad) for x in point]
        path.append(Step(tuple(at), loss.data, tuple(gradient)))
        at = [x + move for x, move in zip(at, method.step(gradient))]
    return path


def norm(vector: Sequence[float]) -> float:
    return math.hypot(*vector)


def report(name: str, land: Landscape, paths: Mapping[str, list[Step]], run: Run) -> None:
    """Say where they went."""
    first = next(iter(paths.values()))[0]
    rows = []
    for key, path in paths.items():
        last, goal = path[-1], nearest(land, path[-1])
        away = math.dist(goal, last.at)
        arrived = next((str(k) for k, step in enumerate(path) if math.dist(goal, step.at) < 0.1), "-")
        rows.append((key, coordinates(last.at), f"{last.value:.4g}", f"{away:.2g}", arrived) if away < 1e3 else
                    (key, "it ran away: try a smaller --learning-rate", f"{last.value:.4g}", "-", "-"))
    run.table(("", "went to", "f", "from the minimum", "first within 0.1 at step"), rows,
              title=f"{name}: f = {land.formula}, from {coordinates(first.at)} with f = {first.value:.4g}")
    run.print()


def nearest(land: Landscape, step: Step) -> tuple[float, ...]:
    """The minimum that the descent came to, or was nearest to."""
    return min(land.minima, key=lambda minimum: math.dist(minimum, step.at))


def coordinates(at: Sequence[float]) -> str:
    return f"({', '.join(f'{round(x, 4) + 0:.4f}' for x in at)})"


def picture(name: str, land: Landscape, paths: Mapping[str, list[Step]], frames: int, run: Run) -> None:
    """The whole race as a plot, and as an animation of about `frames` pictures."""
    from samples.kit import plots

    figure, (left, right) = plots.figure(9.6, 4.2, columns=2)
    (draw_curve if len(land.start) == 1 else draw_surface)(left, land)
    colours = dict(zip(("plain", "momentum", "adam"), (plots.GREY, plots.RED, plots.GREEN)))
    heights, moving = {}, []
    for key, path in paths.items():
        floor = land.f(*map(Value, nearest(land, path[-1]))).data
        heights[key] = [max(step.value - floor, 1e-16) for step in path]
        right.semilogy(heights[key], color=colours[key], linewidth=1, label=key)
        (trail,) = left.plot([], [], color=colours[key], marker="o" if len(path) < 200 else "", markersize=2.5, linewidth=1)
        (head,) = left.plot([], [], color=colours[key], marker="o", markersize=8)
        (mark,) = right.plot([], [], color=colours[key], marker="o", markersize=6)
        moving.append((key, trail, head, mark))
    right.set(title="height above the minimum it came to", xlabel="step")
    right.legend()
    text = left.text(0.5, 0.97, "", transform=left.transAxes, family="monospace", ha="center", va="top",
                     bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none"})

    def show(k: int) -> None:
        for key, trail, head, mark in moving:
            at = min(k, len(paths[key]) - 1)  # one that ran away stops early
            places = [heightened(step) for step in paths[key][: at + 1]]
            trail.set_data(*zip(*places))
            head.set_data(*zip(places[-1]))
            mark.set_data([at], [heights[key][at]])
        text.set_text(f"step {k}")

    # Steps get shorter towards the end, so the pictures are dense at the start and sparse later.
    last = max(map(len, paths.values())) - 1
    shown = sorted({round(last * (k / (frames - 1)) ** 2) for k in range(frames)})
    artists = [artist for _, *artists in moving for artist in artists]
    run.save_gif(plots.animate(figure, [*artists, text], show, shown), f"{name}.gif")
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
