"""An operation of one's own: stated by its forward and its backward, then drawn, stepped through and checked.

The operation is a soft threshold, shrink(x) = sign(x) * max(|x| - t, 0), which pulls small numbers to exactly 0 (it is the
heart of the lasso). minitorch has it ready-made as softshrink; here it is written as a user would write an operation that
minitorch does not have, and held against the ready-made one, against finite differences, and inside a small training.

    minitorch run custom-op
    minitorch debug custom-op      # `step` walks through it as through any other operation
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch
import viz
from minitorch import Stepper, Tensor, optim
from minitorch.autograd import Function, gradcheck
from minitorch.nn.functional import softshrink
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    threshold: float = option(0.5, "what is smaller than this becomes 0", minimum=0)
    epochs: int = option(120, "steps of the training", minimum=1, quick=60)


class Shrink(Function):
    """sign(x) * max(|x| - t, 0), elementwise."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, t: float) -> Tensor:
        # What backward will need is saved here, and nothing else: the less, the less memory a long graph holds.
        passed = (x.abs() > t).to(x.dtype)
        ctx.save_for_backward(passed)
        return (x - t * x.sign()) * passed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        # One answer for each argument of forward. Where x was pulled to 0, moving it a little changes nothing, so nothing
        # goes back; elsewhere the output moves as x does. t is a plain number: it gets None.
        (passed,) = ctx.saved_tensors
        return grad * passed, None


def main(config: Config, run: Run) -> None:
    t = config.threshold
    minitorch.manual_seed(config.seed)

    run.print("1. It runs, and its backward pass can be taken apart like any other:")
    x = minitorch.tensor([-1.5 - t, -0.5 * t, 0.25 * t, 1.0 + t], requires_grad=True).named("x")
    y = Shrink.apply(x, t).named("y")
    loss = (y * y).sum().named("loss")
    stepper = Stepper(loss)
    while (move := stepper.step()) is not None:
        arrived = np.array2string(np.asarray(move.contribution) + 0.0, precision=3, suppress_small=True)  # + 0.0: no "-0."
        name = move.node.op.name if move.node.op else ""
        run.print(f"   {name:>6} → {move.label:<3} {move.rule.splitlines()[0]:<44} gives {arrived}")
    run.print(f"   x = {x.detach().numpy().round(3)}, y = {y.detach().numpy().round(3) + 0.0}, "
              f"x.grad = {x.grad.numpy().round(3) + 0.0}\n")
    if config.plots:
        run.write("graph.svg", viz.draw(stepper).svg().encode())

    run.print("2. It is right:")
    points = minitorch.tensor([-3.0, -1.1 * t - 0.01, -0.4 * t, 0.3 * t, 1.2 * t + 0.01, 2.5], dtype=minitorch.float64,
                              requires_grad=True)
    checked = gradcheck(lambda x: Shrink.apply(x, t), (points,))
    same = bool((Shrink.apply(points, t) == softshrink(points, t)).all().item())
    run.print(f"   against finite differences: {'agrees' if checked else 'DISAGREES'}; "
              f"against the ready-made softshrink: {'equal' if same else 'DIFFERENT'}\n")

    run.print("3. It learns: from 40 measurements of 20 numbers, of which all but 4 are 0, find those 4.")
    true = np.zeros(20, np.float32)
    true[[2, 7, 11, 16]] = [2.0, -1.5, 1.0, 3.0]
    mixing = minitorch.randn(40, 20)
    seen = mixing @ Tensor(true) + 0.1 * minitorch.randn(40)
    # What learns is raw; what counts is shrink(raw), which can be exactly 0. Below the threshold there is no gradient, so what
    # is there stays there: it starts outside, on the side that the measurements point to.
    guess = seen @ mixing / 40
    raw = (guess + t * guess.sign()).requires_grad_()
    optimizer = optim.Adam([raw], lr=0.1)
    run.keep(raw=[raw], optimizer=optimizer)
    for epoch in run.epochs(config.epochs, batches=1):
        loss = ((mixing @ Shrink.apply(raw, t) - seen) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch.batch(loss.item())
        found = Shrink.apply(raw.detach(), t).numpy()
        epoch.add(largest_error=float(np.abs(found - true).max()), zeros=int((found == 0).sum()))
    found = Shrink.apply(raw.detach(), t).numpy()
    run.print(f"   {int((found == 0).sum())} of the numbers found are exactly 0; "
              f"largest error {np.abs(found - true).max():.3f}")
    run.save({"found": found, "true": true, "gradcheck": checked, "same": same}, "result.npz")
    if config.plots:
        plot(t, true, found, run)


def plot(t: float, true: np.ndarray, found: np.ndarray, run: Run) -> None:
    """The function with its derivative, and the numbers it found."""
    from samples.kit import plots

    figure, (left, right) = plots.figure(9.4, 3.6, columns=2)
    x = Tensor(np.linspace(-2.5, 2.5, 401), requires_grad=True)
    y = Shrink.apply(x, t)
    y.sum().backward()
    left.plot(x.detach().numpy(), y.detach().numpy(), color=plots.BLUE, label="shrink(x)")
    slope = np.asarray(x.grad)
    left.plot(x.detach().numpy(), slope, color=plots.ORANGE, linestyle="--", label="its derivative")
    left.set(title=f"threshold {t:g}", xlabel="x")
    left.legend()
    places = np.arange(len(true))
    right.bar(places - 0.2, true, 0.4, color=plots.GREY, label="true")
    right.bar(places + 0.2, found, 0.4, color=plots.BLUE, label="found")
    right.set(title="the 20 numbers")
    right.set_xticks(places[::2])
    right.legend()
    run.save_figure(figure, "shrink.png")
