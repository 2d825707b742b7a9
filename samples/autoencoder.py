"""An autoencoder: a picture goes through two numbers and comes out again.

What does a network keep of a piece of clothing when it may keep two numbers? Enough to tell a shoe from a shirt, though nobody
told it what a shoe is. The encoder's convolutions make the picture smaller; the decoder has to make it larger again, and there
are two ways, trained here side by side on the same batches:

    transposed    a transposed convolution spreads every pixel over a patch, and adds up where patches overlap
    upsampling    every pixel is repeated, then an ordinary convolution smooths

Where the patches of a transposed convolution overlap unevenly (its kernel is no multiple of its stride) a checkerboard
shows in what it draws (Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts", 2016). It is measured.

    minitorch run autoencoder
    minitorch run autoencoder --kernel 4             # a multiple of the stride: even overlaps
    minitorch run autoencoder --data synthetic       # digits drawn by a program, no network needed
    minitorch run autoencoder --predict shoe.png     # its two numbers, and what comes out of them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.nn import functional as F
from minitorch.utils.data import DataLoader, TensorDataset
from samples.kit import Run, SampleError, Settings, option
from samples.kit.download import generated
from samples.kit.film import Film
from samples.kit.images import Broken, read_files
from samples.kit.metrics import host
from samples.kit.mnist import MNIST, FashionMNIST, as_mnist
from samples.kit.network import show

DECODERS = ("transposed", "upsampling")


@dataclass
class Config(Settings):
    numbers: int = option(2, "numbers a picture has to go through", minimum=1)
    channels: int = option(16, "channels of the first convolution; the second has twice as many", minimum=1, quick=8)
    kernel: int = option(3, "height and width of the transposed convolutions' kernels: 2 or more", minimum=2)
    epochs: int = option(6, "passes over the images", minimum=1, quick=3)
    images: int = option(60_000, "images to learn from, the first ones", minimum=1, quick=3000)
    batch_size: int = option(64, "images per batch", minimum=1, quick=32)
    learning_rate: float = option(0.002, "Adam's step size at the start; it falls to a twentieth", minimum=0, quick=0.004)
    data: str | None = option(None, "folder with the FashionMNIST files, or 'synthetic' for generated digits")
    broken: Broken = option("skip", "what to do about files to --predict that cannot be read: skip them, or refuse")


class Autoencoder(nn.Module):
    """Images (n, 1, 28, 28) -> codes (n, numbers) -> images again, between 0 and 1."""

    def __init__(self, config: Config, decoder: str) -> None:
        super().__init__()
        few, many, k = config.channels, 2 * config.channels, config.kernel
        self.encoder = nn.Sequential(
            nn.Conv2d(1, few, 3, stride=2, padding=1), nn.LeakyReLU(0.1),  # 28 -> 14
            nn.Conv2d(few, many, 3, stride=2, padding=1), nn.LeakyReLU(0.1),  # 14 -> 7
            nn.Flatten(), nn.Linear(49 * many, 128), nn.LeakyReLU(0.1), nn.Linear(128, config.numbers),
        )  # fmt: skip
        larger: list[nn.Module]
        if decoder == "transposed":
            # Twice the size exactly: 2 (n - 1) + kernel - 2 padding + output_padding = 2 n.
            size: Any = {"stride": 2, "padding": (k - 1) // 2, "output_padding": k % 2}
            larger = [nn.ConvTranspose2d(many, few, k, **size), nn.LeakyReLU(0.1), nn.ConvTranspose2d(few, 1, k, **size)]
        else:
            larger = [nn.Upsample(scale_factor=2), nn.Conv2d(many, few, 3, padding=1), nn.LeakyReLU(0.1),
                      nn.Upsample(scale_factor=2), nn.Conv2d(few, 1, 3, padding=1)]
        self.decoder = nn.Sequential(
            nn.Linear(config.numbers, 128), nn.LeakyReLU(0.1), nn.Linear(128, 49 * many), nn.LeakyReLU(0.1),
            nn.Unflatten(1, (many, 7, 7)),
            *larger, nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(self.encoder(images))


def main(config: Config, run: Run) -> None:
    train, test = (read(config, part) for part in (True, False))
    loader = DataLoader(train, config.batch_size, shuffle=True)
    models, optimizers, schedules = {}, {}, {}
    for name in DECODERS:
        minitorch.manual_seed(config.seed)  # the same first encoder for both
        models[name] = Autoencoder(config, name).to(config.device)
        optimizers[name] = optim.Adam(models[name].parameters(), lr=config.learning_rate)
        schedules[name] = optim.lr_scheduler.CosineAnnealingLR(
            optimizers[name], config.epochs * len(loader), config.learning_rate / 20)
        run.print(f"{name}:")
        run.describe(models[name], train[0][0][None])
    if config.plots:  # both, on one picture: where they part is where they differ
        both = nn.ModuleDict(models)
        x = minitorch.as_tensor(train.tensors[0][:1].cpu())
        show(run, both, lambda nets: F.mse_loss(nets["transposed"](x), x) + F.mse_loss(nets["upsampling"](x), x))

    film = Film()
    run.keep(film=film)
    for name in DECODERS:
        run.keep(**{name: models[name], f"optimizer_{name}": optimizers[name], f"schedule_{name}": schedules[name]})
    shown = test.tensors[0][:12]
    for epoch in run.epochs(config.epochs, len(loader)):
        for images, _ in loader:
            losses = []
            for name, model in models.items():
                loss = F.mse_loss(model(images), images)
                optimizers[name].zero_grad()
                loss.backward()
                optimizers[name].step()
                schedules[name].step()
                losses.append(loss.item())
            epoch.batch(float(np.mean(losses)), of=len(images))
        for name, model in models.items():
            error, board = examine(model, test.tensors[0])
            epoch.add(**{f"{name}_error": error, f"{name}_checkerboard": board})
        film.add(passed_on(models, shown))

    codes = encode(models["upsampling"], test.tensors[0])
    right = neighbours_agree(codes, host(test.tensors[1]))
    run.print(f"the nearest code among the others is of the same kind of picture in {100 * right:.0f} % of the cases")
    run.save({"codes": Tensor(codes), "classes": test.tensors[1].cpu()}, "codes.npz")
    if config.plots:
        frames = [picture(host(shown), film.epochs[step]) for step in film.steps()]
        run.save_gif(frames, "pictures.gif")
        run.save_figure(frames[-1], "pictures.png")
        names = MNIST.classes if generated(config.data) else FashionMNIST.classes
        plot(models["upsampling"], codes, host(test.tensors[1]), names, run)


def read(config: Config, train: bool) -> TensorDataset:
    """Pictures (n, 1, 28, 28) from 0, black, to 1, white, and what they show."""
    limit = config.images if train else (1000 if config.quick else None)
    clothes = FashionMNIST(config.data, train, download=True, limit=limit)
    if train and len(clothes) < config.batch_size:
        raise SampleError(f"{len(clothes)} images are not one batch of {config.batch_size}; set a smaller --batch-size")
    pixels = clothes.data[:, None].astype(np.float32) / np.float32(255)
    return TensorDataset(*(minitorch.as_tensor(part, device=config.device) for part in (pixels, clothes.targets)))


@minitorch.no_grad()
def examine(model: Autoencoder, images: Tensor) -> tuple[float, float]:
    """Mean squared error of what comes out, and how much of that error is a checkerboard.

    A pattern that changes sign from every pixel to the next, along rows, columns or both, is what a stride of 2 leaves behind:
    in the Fourier transform of the error it stands at half the sampling frequency. The second number is the power there, over
    the mean of all frequencies: 1 for noise, which has no pattern, and less for what is only blurred.
    """
    total = np.zeros((28, 28))
    for part in images.split(1000):
        wrong = host(model(part) - part)[:, 0]
        total += (np.abs(np.fft.fft2(wrong)) ** 2).sum(0)
    board = total[14, 14] + total[14, 0] + total[0, 14]
    return float(total.sum() / 28**2 / images.numel()), float(board / 3 / total.mean())


@minitorch.no_grad()
def encode(model: Autoencoder, images: Tensor) -> NDArray[Any]:
    """The codes of many images."""
    return np.concatenate([host(model.encoder(part)) for part in images.split(1000)])


def neighbours_agree(codes: NDArray[Any], classes: NDArray[Any], count: int = 2000) -> float:
    """For how many of the first codes the nearest one among them is of the same class."""
    codes, classes = codes[:count], classes[:count]
    squares = (codes**2).sum(1)
    distance = squares[:, None] + squares - 2 * codes @ codes.T
    np.fill_diagonal(distance, np.inf)
    return float((classes[distance.argmin(1)] == classes).mean())


@minitorch.no_grad()
def passed_on(models: Mapping[str, Autoencoder], images: Tensor) -> list[NDArray[np.uint8]]:
    """What comes out of each autoencoder, uint8 (n, 1, 28, 28)."""
    return [(host(model(images)) * 255).round().astype(np.uint8) for model in models.values()]


def picture(images: NDArray[Any], out: Sequence[NDArray[Any]], names: Sequence[str] = ()) -> Any:
    """Some images, and below them what comes out of each autoencoder."""
    from samples.kit import pictures

    rows = [(images * 255).round().astype(np.uint8), *out]
    titles = list(names) or ["in"] + [""] * (len(images) - 1)
    for name in DECODERS:
        titles += [name] + [""] * (len(images) - 1)
    return pictures.image_grid(np.concatenate(rows), titles=titles, columns=len(images), size=84)


@minitorch.no_grad()
def predict(config: Config, run: Run, files: Sequence[Path]) -> None:
    """The numbers that each of some pictures goes through, and what comes out of them."""
    names, found = read_files(files, config.broken, run.print)
    images = np.stack([as_mnist(image) for image in found])[:, None].astype(np.float32) / np.float32(255)
    models = {name: Autoencoder(config, name).to(config.device) for name in DECODERS}
    run.keep(**models)
    x = minitorch.as_tensor(images, device=config.device)
    for name, model in models.items():
        run.table(("file", f"its numbers ({name})"), [
            (file, ", ".join(f"{number:.2f}" for number in code)) for file, code in zip(names, encode(model, x))])
    run.save_figure(picture(images, passed_on(models, x), [Path(name).name for name in names]), "pictures.png")


@minitorch.no_grad()
def plot(model: Autoencoder, codes: NDArray[Any], classes: NDArray[Any], names: Sequence[str], run: Run) -> None:
    """The curves; where the pictures lie in the space of codes; and what is drawn from codes on a grid there."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    # The two directions along which the codes vary most, their principal components.
    centre = codes.mean(0)
    _, _, directions = np.linalg.svd(codes - centre, full_matrices=False)
    plane = directions[:2]
    places = (codes - centre) @ plane.T
    if places.shape[1] == 1:
        places = np.concatenate([places, np.zeros_like(places)], 1)
    low, high = np.percentile(places, [2, 98], axis=0)

    figure, (left, right) = plots.figure(12, 6.2, columns=2)
    for kind in range(10):
        mine = places[classes == kind]
        left.scatter(*mine.T, c=[kind] * len(mine), cmap="tab10", vmin=0, vmax=9, s=4, linewidths=0, label=names[kind])
    left.legend(markerscale=5, fontsize=8, ncols=2)
    left.set(title="the test pictures by their codes; nobody told it the colours",
             xlim=spread(low[0], high[0]), ylim=spread(low[1], high[1]))

    side = 16
    grid = np.stack(np.meshgrid(np.linspace(low[0], high[0], side), np.linspace(high[1], low[1], side)), -1).reshape(-1, 2)
    drawn = host(model.decoder(minitorch.as_tensor((grid[:, : len(plane)] @ plane + centre).astype(np.float32),
                                                   device=next(iter(model.parameters())).device)))
    sheet = drawn.reshape(side, side, 28, 28).transpose(0, 2, 1, 3).reshape(side * 28, side * 28)
    right.imshow(sheet, cmap="gray", extent=(low[0], high[0], low[1], high[1]), aspect="auto", vmin=0, vmax=1)
    right.grid(False)
    right.set_title("what is drawn from a code at each place of the same plane")
    run.save_figure(figure, "codes.png")


def spread(low: float, high: float) -> Sequence[float]:
    """The limits, with some room around them; not nothing where they are the same."""
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room
