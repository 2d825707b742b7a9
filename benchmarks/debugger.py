"""What the debugger costs: a training step with it off, against one without the place where it would hook in; and attached,
running through with `continue`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from . import measure
from .measure import OURS, Group, Row, timed

REMOVED = "hook removed"
measure.MODULES[REMOVED] = OURS

HOOK = """    hook = state.on_backward
    if hook is not None and hook(root, gradient, retain_graph, create_graph):
        return
"""
"""The lines of minitorch.core.backward.backward at which a debugger comes in."""


def step(contestant: str, model: str, attached: str = "") -> dict[str, Any]:
    """One training step of the MLP, or of the MLP of Values on the moons: of minitorch as it is (with a debugger attached,
    where `attached` says which way), or of one without the hook."""
    if contestant == REMOVED:
        remove_hook()
    run, losses = {"mlp": mlp, "moons": moons}[model]()
    if contestant == OURS and attached:
        attach(attached)
    return {**timed(run), "losses": losses}


def remove_hook() -> None:
    """Replace `backward` in this process by the same function without the hook's lines."""
    from minitorch.core import backward

    source = inspect.getsource(backward.backward)
    if HOOK not in source:
        raise RuntimeError("the hook of minitorch.core.backward.backward reads otherwise now; HOOK in this file has to follow")
    exec(compile(source.replace(HOOK, ""), backward.__file__, "exec"), vars(backward))


def attach(how: str) -> None:
    """As `minitorch debug` after `continue`: with nothing to stop at, or with a breakpoint that no pass comes to, for which
    every pass is taken step by step."""
    from repl.attach import Debugger

    debugger = Debugger("benchmark", None, None)
    debugger.pause_next = False
    debugger.attach()
    if how == "breakpoint":
        debugger.session.execute("break nowhere.py:1")
        if not debugger.session.stops.active:
            raise RuntimeError("the breakpoint was not set")


def mlp() -> tuple[Callable[[], object], list[float]]:
    """The multi-layer perceptron of the training benchmarks."""
    from .models import MODELS

    made = MODELS["mlp"](OURS)
    return made.step, [float(made.step()) for _ in range(4)]


def moons() -> tuple[Callable[[], object], list[float]]:
    """Two hidden layers of 16, 32 points, hinge loss: some 13,000 Values a step."""
    import random

    from minitorch import Value

    draw = random.Random(1337)
    points = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(32)]
    labels = [draw.choice([-1, 1]) for _ in points]
    sizes = (2, 16, 16, 1)
    layers = [
        [([Value(draw.uniform(-1, 1)) for _ in range(inputs)], Value(0.0)) for _ in range(outputs)]
        for inputs, outputs in zip(sizes, sizes[1:])
    ]
    params = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]

    def score(point: list[float]) -> Any:
        h: list[Any] = list(point)
        for layer in layers:
            h = [sum((w * x for w, x in zip(weights, h)), bias) for weights, bias in layer]
            h = [x.relu() for x in h] if layer is not layers[-1] else h
        return h[0]

    def run() -> float:
        loss = sum((1 + -y * score(point)).relu() for point, y in zip(points, labels)) * (1 / len(points))
        for p in params:
            p.grad = None
        loss.backward()
        for p in params:
            p.data -= 0.05 * (p.grad or 0.0)
        return float(loss.data)

    return run, [run() for _ in range(4)]


GROUP = Group(
    "the debugger's cost",
    [
        Row(
            f"debugger {told}: {model}",
            "benchmarks.debugger:step",
            (OURS, REMOVED),
            {"model": model, "attached": attached},
            target,
        )
        for model in ("mlp", "moons")
        for told, attached, target in (
            ("off", "", 1.0),
            ("attached, continue", "continue", None),
            ("attached, a breakpoint elsewhere", "breakpoint", None),
        )
    ],
    REMOVED,
)
