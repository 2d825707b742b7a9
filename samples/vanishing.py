"""Why deep networks were hard to train, and what made them easy: the gradient on its way through many layers.

Backward, a layer multiplies the gradient by its weights and by the slope of its activation. The slope of a sigmoid is at
most 1/4: through 20 layers nothing is left for the first ones (Hochreiter 1991). ReLU has slope 1 where it is alive, and needs
weights of the right size to go with it (He 2015). Normalization sets the size right at every layer, whatever the weights.

The same network four times: only what stands between its linear layers differs.

    minitorch run vanishing
    minitorch run vanishing --depth 5       # here even the sigmoid learns
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from samples.kit import Run, Settings, option


@dataclass
class Config(Settings):
    depth: int = option(20, "hidden layers", minimum=2)
    width: int = option(24, "neurons of each", minimum=1, quick=16)
    points: int = option(240, "points on two spirals, to learn from", minimum=10, quick=120)
    epochs: int = option(100, "steps; each looks at all points", minimum=1, quick=60)
    learning_rate: float = option(0.003, "Adam's step size", minimum=0)


# What stands between two linear layers of that width, by name.
VARIANTS: dict[str, Callable[[int], list[nn.Module]]] = {
    "sigmoid": lambda width: [nn.Sigmoid()],
    "relu": lambda width: [nn.ReLU()],
    "sigmoid_batch_norm": lambda width: [nn.BatchNorm1d(width), nn.Sigmoid()],
    "relu_layer_norm": lambda width: [nn.LayerNorm(width), nn.ReLU()],
}


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    x, y = spirals(config.points)
    networks = nn.ModuleDict({name: deep(config, name) for name in VARIANTS})
    models = dict(zip(VARIANTS, networks.values()))
    optimizers = {name: optim.Adam(model.parameters(), lr=config.learning_rate) for name, model in models.items()}
    criterion = nn.CrossEntropyLoss()

    # The first backward pass, before anything has been learnt: how much of the gradient reaches each layer?
    start = {name: gradient_by_layer(model, criterion, x, y) for name, model in models.items()}
    rows = [(name, *(f"{sizes[k]:.1e}" for k in (-1, len(sizes) // 2, 0)), f"{sizes[0] / sizes[-1]:.1e}")
            for name, sizes in start.items()]
    run.table(("between the layers", "last layer", "middle", "first layer", "first / last"), rows,
              title="size of the gradient of the weights (root mean square), before learning")

    run.keep(networks=networks, **{f"optimizer{k}": o for k, o in enumerate(optimizers.values())})
    for epoch in run.epochs(config.epochs, batches=1):
        networks.train()
        results = {}
        for name, model in models.items():
            scores = model(x)
            loss = criterion(scores, y)
            optimizers[name].zero_grad()
            loss.backward()
            optimizers[name].step()
            results[name] = (loss.item(), (scores.argmax(1) == y).float().mean().item())
        epoch.batch(float(np.mean([loss for loss, _ in results.values()])))
        epoch.add(**{f"{name}_accuracy": accuracy for name, (_, accuracy) in results.items()})

    run.save(start, "gradients.npz")
    if config.plots:
        plot(start, run)


def deep(config: Config, name: str) -> nn.Sequential:
    """2 inputs, `depth` hidden layers, 2 scores. Weights have deviation sqrt(2 / width), He's rule, in all variants."""
    layers: list[nn.Module] = []
    for n_in in [2] + [config.width] * (config.depth - 1):
        linear = nn.Linear(n_in, config.width)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        layers += [linear, *VARIANTS[name](config.width)]
    return nn.Sequential(*layers, nn.Linear(config.width, 2))


def spirals(count: int) -> tuple[Tensor, Tensor]:
    """Two spirals wound into each other: points, shape (count, 2), and their classes."""
    turn = minitorch.rand(count).numpy() ** 0.5 * 1.5 * np.pi
    classes = np.arange(count) % 2
    angle = turn + np.pi * classes
    points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], 1) / 3 + 0.04 * minitorch.randn(count, 2).numpy()
    return Tensor(points.astype(np.float32)), Tensor(classes)


def gradient_by_layer(model: nn.Module, criterion: nn.Module, x: Tensor, y: Tensor) -> list[float]:
    """Root mean square of the gradient of every linear layer's weights, first layer first."""
    model.zero_grad()
    criterion(model(x), y).backward()
    gradients = [layer.weight.grad for layer in model.modules() if isinstance(layer, nn.Linear)]
    sizes = [float((g * g).mean().item() ** 0.5) for g in gradients if g is not None]
    model.zero_grad()
    return sizes


def plot(start: dict[str, list[float]], run: Run) -> None:
    """Left: what of the gradient reaches each layer. Right: what comes of it."""
    from samples.kit import plots

    figure, (left, right) = plots.figure(10.4, 4.0, columns=2)
    colours = (plots.RED, plots.BLUE, plots.ORANGE, plots.GREEN)
    for (name, sizes), colour in zip(start.items(), colours):
        left.semilogy(range(1, len(sizes) + 1), [max(size, 1e-30) for size in sizes], marker="o", markersize=3, color=colour,
                      label=name)
        key = f"{name}_accuracy"
        right.plot([line["epoch"] for line in run.lines], [line[key] for line in run.lines], color=colour, label=name)
    left.set(title="gradient of the weights, before learning", xlabel="layer (the loss is on the right)")
    right.set(title="accuracy while learning", xlabel="epoch", ylim=(0.4, 1.02))
    left.xaxis.get_major_locator().set_params(integer=True)
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    run.save_figure(figure, "vanishing.png")
