"""XOR: four points that no line can part, and the hidden layer that parts them (Minsky and Papert 1969).

A network without a hidden layer draws one line, and of the four points one always lies on the wrong side. With a hidden
layer the points move first: the hidden neurons give each a new place, and there a line is enough. The plot shows both.

    minitorch run xor
    minitorch sweep xor --set hidden=2,3 --rounds 10     # two can do it, but from some seeds they do not find the way
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    hidden: int = option(3, "hidden neurons", minimum=1)
    learning_rate: float = option(0.1, "Adam's step size", minimum=0)
    epochs: int = option(200, "steps; each looks at all four points", minimum=1, quick=100)


X = minitorch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = minitorch.tensor([[0.0], [1.0], [1.0], [0.0]])


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    line = nn.Linear(2, 1)
    network = nn.Sequential(nn.Linear(2, config.hidden), nn.Tanh(), nn.Linear(config.hidden, 1))
    optimizer = optim.Adam([*line.parameters(), *network.parameters()], lr=config.learning_rate)
    criterion = nn.BCEWithLogitsLoss()
    run.keep(line=line, network=network, optimizer=optimizer)

    for epoch in run.epochs(config.epochs, batches=1):
        # Two losses, one backward pass: they share no parameter, so neither gradient knows of the other.
        loss, loss_line = criterion(network(X), Y), criterion(line(X), Y)
        optimizer.zero_grad()
        (loss + loss_line).backward()
        optimizer.step()
        epoch.batch(loss.item(), correct=right(network), of=4)
        epoch.add(line_loss=loss_line.item(), line_accuracy=right(line) / 4)

    with minitorch.no_grad():
        answers = [(minitorch.sigmoid(model(X)).reshape(-1).tolist()) for model in (line, network)]
    rows = [(f"{a:g}", f"{b:g}", f"{y:g}", f"{p:.3f}", f"{q:.3f}")
            for (a, b), y, p, q in zip(X.tolist(), Y.reshape(-1).tolist(), *answers)]
    run.table(("a", "b", "a xor b", "one line", f"{config.hidden} hidden"), rows)
    run.save(network.state_dict(), "model.npz")
    if config.plots:
        plot(line, network, run)


def right(model: nn.Module) -> int:
    """How many of the four it has on the right side."""
    with minitorch.no_grad():
        return int(((model(X) > 0) == (Y > 0.5)).sum().item())


def plot(line: nn.Module, network: nn.Sequential, run: Run) -> None:
    """The plane as the line sees it and as the network sees it, and the four points as the hidden layer sees them."""
    from samples.kit import plots

    figure, (left, middle, last) = plots.figure(11.4, 3.9, columns=3)
    side = np.linspace(-0.4, 1.4, 90, dtype=np.float32)
    plane = Tensor(np.stack(np.meshgrid(side, side), -1).reshape(-1, 2))
    with minitorch.no_grad():
        for axes, model, title in ((left, line, "without a hidden layer"), (middle, network, "with one")):
            shade = minitorch.sigmoid(model(plane)).numpy().reshape(90, 90)
            plots.plane(axes, shade, (side[0], side[-1], side[0], side[-1]))
            if np.ptp(shade) > 0.05:
                axes.contour(side, side, shade, levels=[0.5], colors="black")
            else:
                title += ": undecided everywhere"
            corners(axes, X.numpy(), plots)
            axes.set(title=title, xlabel="a", ylabel="b")
        hidden = network[1](network[0](X)).numpy()
    last.set(title="as two hidden neurons see them", xlabel="neuron 1", ylabel="neuron 2")
    if hidden.shape[1] > 1:
        # The two neurons that matter most to the answer.
        weight = np.abs(network[2].weight.detach().numpy()[0])
        corners(last, hidden[:, np.sort(weight.argsort()[-2:])], plots)
        last.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25))
    run.save_figure(figure, "xor.png")
    run.save_figure(plots.curves(run.lines), "curves.png")


def corners(axes: Any, places: Any, plots: Any) -> None:
    """The four points, each with its name (beside another's, when two share a place)."""
    taken: list[tuple[float, float]] = []
    plots.two_classes(axes, places, Y.reshape(-1).numpy() > 0.5, size=70)
    for (a, b), place in zip(X.tolist(), places):
        near = sum(abs(place[0] - u) + abs(place[1] - v) < 0.25 for u, v in taken)
        taken.append((place[0], place[1]))
        axes.annotate(f"{a:g}{b:g}", place, xytext=(7 + 20 * near, 7), textcoords="offset points", zorder=4)
    axes.grid(False)
