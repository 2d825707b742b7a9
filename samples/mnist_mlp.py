"""A multilayer perceptron learns to read handwritten digits.

784 pixels go in, ten scores come out, one for each digit; three hidden layers of ReLU neurons in between. Trained with
Adam on batches of 64 images, the way one would write it in PyTorch.

    minitorch run mnist-mlp                      # fetches MNIST when it is not on this machine
    minitorch run mnist-mlp --data synthetic     # digits drawn by a program, no network needed
    minitorch debug mnist-mlp -- --data synthetic
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import minitorch
from minitorch import nn, optim
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

    sizes = (784, *config.hidden, 10)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).to(config.device)  # no ReLU after the last layer: scores may be negative
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=config.learning_rate)
    run.print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(train):,} images to train on, "
              f"{len(held_out):,} for validation, {len(test):,} for the test")

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


def read(config: Config, train: bool) -> TensorDataset:
    """Images as rows of 784 numbers with mean 0 and deviation 1 (over MNIST), and their digits."""
    limit = 2 * config.batches * config.batch_size if config.quick else None
    digits = MNIST(config.data, train, download=True, limit=limit)
    rows = digits.data.reshape(-1, 784).astype(np.float32)
    rows -= 0.1307 * 255
    rows /= 0.3081 * 255
    return TensorDataset(minitorch.as_tensor(rows, device=config.device),
                         minitorch.as_tensor(digits.targets, device=config.device))


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
