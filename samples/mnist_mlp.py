"""A multilayer perceptron learns to read handwritten digits.

784 pixels go in, ten scores come out, one for each digit; three hidden layers of ReLU neurons in between. Trained with
Adam on batches of 64 images, the way one would write it in PyTorch.

    minitorch run mnist-mlp                      # fetches MNIST when it is not on this machine
    minitorch run mnist-mlp --data synthetic     # digits drawn by a program, no network needed
    minitorch run mnist-mlp --predict my-7.png   # what the trained network reads in a picture of one digit
    minitorch debug mnist-mlp -- --data synthetic
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.utils.data import DataLoader, TensorDataset, random_split
from samples.kit import Run, SampleError, Settings, option
from samples.kit.metrics import evaluate, host
from samples.kit.mnist import MNIST


@dataclass
class Config(Settings):
    hidden: tuple[int, ...] = option((256, 128, 32), "neurons of each hidden layer", minimum=1, quick=(64, 32))
    epochs: int = option(10, "passes over the training batches", minimum=1, quick=2)
    batches: int = option(900, "training batches per epoch; the images left over validate", minimum=1, quick=80)
    batch_size: int = option(64, "images per batch", minimum=1)
    learning_rate: float = option(0.001, "Adam's step size in the first epoch", minimum=0)
    data: str | None = option(None, "folder with the MNIST files, or 'synthetic' for generated digits")


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    used = config.batches * config.batch_size
    images, test = read(config, train=True), read(config, train=False)
    if used > len(images):
        raise SampleError(f"{config.batches} batches of {config.batch_size} need {used:,} of {len(images):,} images; "
                          "set smaller --batches or --batch-size")
    # 900 batches of 64 leave 2,400 of the 60,000 images for validation.
    train, held_out = random_split(images, [used, len(images) - used])
    loader = DataLoader(train, config.batch_size, shuffle=True)

    model = network(config)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=config.learning_rate)
    run.describe(model, images.tensors[0][:1])
    run.print(f"{len(train):,} images to train on, {len(held_out):,} for validation, {len(test):,} for the test")

    run.keep(model=model, optimizer=optimizer)  # saved after every epoch, and what --resume goes on from
    for epoch in run.epochs(config.epochs, len(loader)):
        # Long steps first, short ones to settle: the last epoch's are a tenth of the first one's.
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * (1 - 0.9 * (epoch.number - 1) / max(config.epochs - 1, 1))
        model.train()
        for x, y in loader:
            scores = model(x)
            loss = criterion(scores, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch.batch(loss.item(), scores=scores, labels=y)

        for part, data in (("val", held_out), ("test", test)):
            if len(data):
                epoch.add(**evaluate(model, data, classes=10).metrics(part))

    run.save(model.state_dict(), "model.npz")
    if config.plots:
        plot(model, test, run)


def network(config: Config) -> nn.Module:
    """(n, 784) -> (n, 10), a score for each digit"""
    sizes = (784, *config.hidden, 10)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).to(config.device)  # no ReLU after the last layer: scores may be negative


def read(config: Config, train: bool) -> TensorDataset:
    """Images as rows, and their digits."""
    limit = 2 * config.batches * config.batch_size if config.quick else None
    digits = MNIST(config.data, train, download=True, limit=limit)
    return TensorDataset(rows(digits.data, config.device), minitorch.as_tensor(digits.targets, device=config.device))


def rows(images: np.ndarray, device: str) -> Tensor:
    """Images (n, 28, 28) of numbers 0 to 255 as rows of 784 with mean 0 and deviation 1 (over MNIST)."""
    pixels = images.reshape(-1, 784).astype(np.float32)
    pixels -= 0.1307 * 255
    pixels /= 0.3081 * 255
    return minitorch.as_tensor(pixels, device=device)


def predict(config: Config, run: Run, files: Sequence[Path]) -> None:
    """Read the digit in each of some pictures."""
    model = network(config)
    run.keep(model=model)
    model.eval()
    with minitorch.no_grad():
        chances = host(model(rows(np.stack([picture(file) for file in files]), config.device)).softmax(1))
    run.table(("file", "digit", "sure", "or"),
              [(str(file), str(best), f"{row[best]:.3f}", str(second))
               for file, row in zip(files, chances) for second, best in [row.argsort()[-2:]]])


def picture(file: Path) -> np.ndarray:
    """A picture as MNIST has them: 28x28, bright on dark, the digit 20 pixels long with its centre of mass in the middle."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            grey = ImageOps.grayscale(opened)
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for some damaged PNG files
        raise SampleError(f"{file} cannot be read as a picture ({error})") from None
    ink = np.asarray(grey, float)
    if np.median(ink) > 127:  # dark on light, as on paper
        ink = 255 - ink
    box = Image.fromarray((ink > 64).astype(np.uint8)).getbbox()
    if box is None:
        raise SampleError(f"{file} shows no digit: it is of one colour")
    digit = ImageOps.contain(Image.fromarray(ink.astype(np.uint8)).crop(box), (20, 20))
    weights = np.asarray(digit, float)
    centre = ((np.indices(weights.shape) + 0.5) * weights).sum((1, 2)) / weights.sum()
    top, left = (round(14 - place) for place in centre)
    sheet = Image.new("L", (28, 28))
    sheet.paste(digit, (left, top))
    return np.asarray(sheet)


def plot(model: nn.Module, data: TensorDataset, run: Run) -> None:
    """The curves of the training, and the test images the network got most wrong."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    grades = evaluate(model, data, classes=10)
    run.save_figure(plots.confusion(grades.confusion, [str(digit) for digit in range(10)]), "confusion.png")
    with minitorch.no_grad():
        scores = host(model(data.tensors[0]))
    images, digits = (host(tensor) for tensor in data.tensors)
    answers, rows = scores.argmax(1), np.arange(len(digits))
    regret = scores[rows, answers] - scores[rows, digits]  # 0 where the answer is right
    worst = regret.argsort()[::-1][:32]
    figure, axes = plots.figure(7.2, 4.4)
    sheet = np.full((4 * 34, 8 * 30), images.min())
    for place, k in enumerate(worst):
        row, column = divmod(place, 8)
        sheet[34 * row + 6 : 34 * row + 34, 30 * column + 1 : 30 * column + 29] = images[k].reshape(28, 28)
        caption = f"{digits[k]} read as {answers[k]}" if regret[k] > 0 else f"{digits[k]}"
        axes.text(30 * column + 2, 34 * row + 5, caption, fontsize=6, color="white")
    axes.imshow(sheet, cmap="gray")
    axes.set_axis_off()
    axes.set_title(f"the test images it got most wrong ({(answers != digits).sum()} of {len(digits):,} are wrong)")
    run.save_figure(figure, "mistakes.png")
