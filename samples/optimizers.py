"""SGD to AdamW, raced on one landscape: the same gradients, and seven ideas of what to do with them.

All begin at the same point and see the same function. What differs is the rule that turns gradients into steps:

    SGD          a step against the gradient: small where it is flat, wild where it is steep
    momentum     the step remembers the ones before it, and rolls through a flat valley
    Nesterov     momentum that looks ahead of its own step
    Adagrad      each coordinate divides by the root of all its squared gradients so far: ever smaller steps
    RMSprop      the same with a memory that fades
    Adam         RMSprop with momentum, both corrected for starting at zero
    AdamW        Adam with a pull towards 0 that is not divided; its resting place lies a little short of the minimum

    minitorch run optimizers
    minitorch run optimizers --landscape saddle
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import minitorch
from minitorch import Tensor, optim
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    landscape: Literal["beale", "rosenbrock", "saddle"] = option("beale", "what they walk down")
    steps: int = option(400, "how many each takes", minimum=1, quick=80)
    frames: int = option(60, "pictures in the animation", minimum=2, quick=8)


@dataclass
class Landscape:
    formula: str
    f: Callable[[Any, Any], Any]
    goal: tuple[float, float]
    start: tuple[float, float]
    window: tuple[float, float, float, float]
    scale: float  # of all the learning rates: landscapes differ in how steep they are


LANDSCAPES = {
    "beale": Landscape("(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²",
                       lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
                       (3.0, 0.5), (0.6, 1.3), (-0.5, 4.2, -1.2, 1.6), 1.0),
    "rosenbrock": Landscape("(1 - x)² + 100 (y - x²)²", lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
                            (1.0, 1.0), (-1.2, 1.0), (-1.8, 1.6, -0.6, 2.0), 0.2),
    "saddle": Landscape("x² - y² + y⁴/4", lambda x, y: x**2 - y**2 + y**4 / 4,
                        (0.0, 2**0.5), (1.6, 0.001), (-2.0, 2.0, -1.9, 1.9), 2.0),
}

Maker = Callable[[list[Tensor], float], optim.Optimizer]
RACERS: dict[str, Maker] = {
    "SGD": lambda p, s: optim.SGD(p, lr=0.01 * s),
    "momentum": lambda p, s: optim.SGD(p, lr=0.005 * s, momentum=0.9),
    "Nesterov": lambda p, s: optim.SGD(p, lr=0.005 * s, momentum=0.9, nesterov=True),
    "Adagrad": lambda p, s: optim.Adagrad(p, lr=0.4 * s),
    "RMSprop": lambda p, s: optim.RMSprop(p, lr=0.02 * s),
    "Adam": lambda p, s: optim.Adam(p, lr=0.08 * s),
    "AdamW": lambda p, s: optim.AdamW(p, lr=0.08 * s, weight_decay=0.02),
}


def main(config: Config, run: Run) -> None:
    land = LANDSCAPES[config.landscape]
    run.print(f"f(x, y) = {land.formula}, from {land.start} towards {tuple(round(c, 3) for c in land.goal)}\n")
    paths = {name: descend(make, land, config.steps) for name, make in RACERS.items()}

    best = land.f(*land.goal)
    heights = {name: [land.f(x, y) - best for x, y in path] for name, path in paths.items()}
    marks = sorted({config.steps // 20, config.steps // 4, config.steps})
    rows = []
    for name, path in paths.items():
        near = next((k for k, at in enumerate(path) if math.dist(at, land.goal) < 0.1), None)
        rows.append((name, *(f"{heights[name][k]:.2e}" for k in marks), f"{math.dist(path[-1], land.goal):.3f}",
                     "-" if near is None else str(near)))
    run.table(("", *(f"height at step {k}" for k in marks), "distance at the end", "steps until within 0.1"), rows)
    for step in range(config.steps + 1):
        run.log(epoch=step, **{f"{name}_loss": heights[name][step] for name in paths})
    run.save({name: np.array(path) for name, path in paths.items()}, "paths.npz")
    if config.plots:
        picture(land, paths, heights, config.frames, run)


def descend(make: Maker, land: Landscape, steps: int) -> list[tuple[float, float]]:
    """Where one optimizer goes, from the start on."""
    at = minitorch.tensor(land.start, dtype=minitorch.float64, requires_grad=True)
    optimizer = make([at], land.scale)
    path = [land.start]
    for _ in range(steps):
        optimizer.zero_grad()
        land.f(at[0], at[1]).backward()
        optimizer.step()
        x, y = at.tolist()
        path.append((x, y))
    return path


def picture(
    land: Landscape, paths: dict[str, list[tuple[float, float]]], heights: dict[str, list[float]], frames: int, run: Run
) -> None:
    """All of them on the map, and their heights: an animation, and its last picture."""
    from samples.kit import plots

    figure, (left, right) = plots.figure(11.0, 4.6, columns=2)
    west, east, south, north = land.window
    xs, ys = np.linspace(west, east, 160), np.linspace(south, north, 160)
    ground = land.f(*np.meshgrid(xs, ys)) - land.f(*land.goal)
    levels = np.geomspace(ground.max() / 1e4, ground.max(), 20)
    left.contourf(xs, ys, ground, levels=np.concatenate([[0], levels]), norm="symlog", cmap="Blues_r", alpha=0.6)
    left.contour(xs, ys, ground, levels=levels, colors="white", linewidths=0.5)
    left.plot(*land.goal, "*", color="black", markersize=11)
    left.set(xlim=(west, east), ylim=(south, north), xlabel="x", ylabel="y")
    left.set_title(f"f = {land.formula}", fontsize=9)
    left.grid(False)
    right.set(title="height above the minimum", xlabel="step", yscale="log", xlim=(0, len(next(iter(paths.values()))) - 1),
              ylim=(max(1e-9, min(map(min, heights.values())) / 3), 2 * max(h[0] for h in heights.values())))
    colours = (plots.GREY, plots.ORANGE, plots.RED, plots.GREEN, plots.PURPLE, plots.BLUE, "black")
    trails = [left.plot([], [], color=colour, linewidth=1.4, label=name)[0] for name, colour in zip(paths, colours)]
    heads = [left.plot([], [], "o", color=colour, markersize=5)[0] for colour in colours]
    curves = [right.plot([], [], color=colour, linewidth=1.2, label=name)[0] for name, colour in zip(paths, colours)]
    right.legend(fontsize=8, loc="lower left", frameon=True, framealpha=0.85, edgecolor="none")

    def show(k: int) -> None:
        for name, trail, head, curve in zip(paths, trails, heads, curves):
            trail.set_data(*zip(*paths[name][: k + 1]))
            head.set_data(*zip(paths[name][k]))
            curve.set_data(range(k + 1), [max(h, 1e-12) for h in heights[name][: k + 1]])

    last = len(next(iter(paths.values()))) - 1
    shown = sorted({round(last * (k / (frames - 1)) ** 2) for k in range(frames)})
    run.save_gif(plots.animate(figure, [*trails, *heads, *curves], show, shown), "race.gif", seconds=6)
    show(last)
    run.save_figure(figure, "race.png")
