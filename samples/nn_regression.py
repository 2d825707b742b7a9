"""A network bends itself to a surface: regression, with the picture of every stage.

There are no classes here. The network gets a place (x, y) and gives a height; the loss is the mean squared distance between
its surface and the true one, of which it is shown scattered points with noise. An animation shows the surface rise.

    minitorch run nn-regression
    minitorch run nn-regression --activation relu      # a surface folded from flat pieces
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import minitorch
from minitorch import nn, optim
from minitorch.utils.data import DataLoader, TensorDataset
from samples.kit import Run, Settings, option
from samples.kit.metrics import host

GRID = 48  # points per side of the pictures


@dataclass
class Config(Settings):
    points: int = option(600, "places where the height is known", minimum=10, quick=300)
    noise: float = option(0.05, "standard deviation of what is added to the heights", minimum=0)
    hidden: tuple[int, ...] = option((32, 32), "neurons of each hidden layer", minimum=1)
    activation: Literal["tanh", "relu", "silu"] = option("tanh", "what a hidden neuron applies")
    epochs: int = option(200, "passes over the points", minimum=1, quick=80)
    batch_size: int = option(50, "points per batch", minimum=1)
    learning_rate: float = option(0.01, "Adam's step size in the first epoch", minimum=0)


def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The true heights: a hill, a hollow, and a wave between them."""
    return (np.exp(-2 * ((x - 0.5) ** 2 + (y - 0.4) ** 2)) - np.exp(-3 * ((x + 0.6) ** 2 + (y + 0.5) ** 2))
            + 0.25 * np.sin(3 * x) * np.cos(4 * y))


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    train, test = sample(config.points, config.noise, config.device), sample(config.points, 0.0, config.device)
    activation = {"tanh": nn.Tanh, "relu": nn.ReLU, "silu": nn.SiLU}[config.activation]
    sizes = (2, *config.hidden, 1)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n_in, n_out), activation()]
    model = nn.Sequential(*layers[:-1]).to(config.device)  # a height may be any number, so nothing bounds the last layer
    criterion = nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=config.learning_rate)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs)
    loader = DataLoader(train, config.batch_size, shuffle=True)
    film = Film(model, config.device)
    run.keep(model=model, optimizer=optimizer, scheduler=scheduler, film=film)

    x_test, z_test = test.tensors
    for epoch in run.epochs(config.epochs, len(loader)):
        for x, z in loader:
            loss = criterion(model(x), z)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch.batch(loss.item(), of=len(x))
        scheduler.step()
        with minitorch.no_grad():
            error = criterion(model(x_test), z_test).item()
        # R² compares the error with that of a flat surface at the mean height: 1 is perfect, 0 no better than flat.
        epoch.add(test_loss=error, test_r2=1 - error / z_test.var(correction=0).item())
        if config.plots and (epoch.number % max(1, config.epochs // 40) == 0 or epoch.number <= 10):
            film.shoot(epoch.number)

    last = run.lines[-1]
    run.print(f"the error on places it has not seen: {last['test_loss'] ** 0.5:.4f} (root mean square), R² = "
              f"{last['test_r2']:.4f}; the noise it had to learn through: {config.noise:g}")
    run.save(model.state_dict(), "model.npz")
    if config.plots:
        plot(film, train, run)


def sample(count: int, noise: float, device: str) -> TensorDataset:
    """Places uniform in the square from -1 to 1, and their heights."""
    places = (2 * minitorch.rand(count, 2) - 1).numpy()
    heights = surface(*places.T) + noise * minitorch.randn(count).numpy()
    return TensorDataset(minitorch.as_tensor(places, device=device),
                         minitorch.as_tensor(heights[:, None].astype(np.float32), device=device))


class Film:
    """The surface the model has had after some of the epochs."""

    def __init__(self, model: nn.Module, device: str) -> None:
        self.model = model
        side = np.linspace(-1, 1, GRID, dtype=np.float32)
        self.grid = np.stack(np.meshgrid(side, side), -1)
        self.places = minitorch.as_tensor(self.grid.reshape(-1, 2), device=device)
        self.epochs: list[int] = []
        self.frames: list[np.ndarray] = []

    def shoot(self, epoch: int) -> None:
        with minitorch.no_grad():
            self.frames.append(host(self.model(self.places)).reshape(GRID, GRID))
        self.epochs.append(epoch)

    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs, "frames": self.frames}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epochs, self.frames = state["epochs"], state["frames"]


def plot(film: Film, train: TensorDataset, run: Run) -> None:
    """The true surface, the network's, and what is between them: an animation, and its last picture."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    truth = surface(film.grid[..., 0], film.grid[..., 1])
    figure, axes = plots.figure(11.0, 3.0, columns=3)
    high = float(np.abs(truth).max())
    look: dict[str, Any] = {"extent": (-1, 1, -1, 1), "origin": "lower", "interpolation": "bilinear"}
    images = [axes[0].imshow(truth, cmap="PuOr", vmin=-high, vmax=high, **look),
              axes[1].imshow(truth, cmap="PuOr", vmin=-high, vmax=high, **look),
              axes[2].imshow(truth * 0, cmap="RdBu", vmin=-high / 4, vmax=high / 4, **look)]
    for axis, image, title in zip(axes, images, ("true height, points shown", "the network's", "difference")):
        axis.set_title(title)
        axis.grid(False)
        figure.colorbar(image, ax=axis, shrink=0.9)
    axes[0].scatter(*host(train.tensors[0]).T, s=3, color="black", alpha=0.5)
    text = axes[1].text(-0.95, 0.86, "", bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none"})

    def show(k: int) -> None:
        images[1].set_data(film.frames[k])
        images[2].set_data(film.frames[k] - truth)
        text.set_text(f"epoch {film.epochs[k]}")

    steps = range(len(film.frames))
    run.save_gif(plots.animate(figure, [*images[1:], text], show, steps), "surface.gif", seconds=5)
    show(steps[-1])
    run.save_figure(figure, "surface.png")
