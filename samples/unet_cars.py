"""A U-Net cuts cars out of photographs: for every pixel, is it car or not?

Going down, the image gets smaller and what is known of each place more; going up again, the places come back. What was seen on
the way down is handed across to the way up (Ronneberger, Fischer, Brox 2015): what it is comes from below, where exactly it
ends from the side. Upwards an image is enlarged by a transposed convolution, which learns how, or by blending (`--up`).

    minitorch run unet-cars --quick                     # drawn cars
    minitorch run unet-cars --data DIR                  # photographs, 15 minutes
    minitorch run unet-cars --data DIR --up bilinear
    minitorch run unet-cars --predict photo.jpg         # the picture with its car marked, and the mask
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.data.transforms import ColorJitter, Compose, RandomAffine, RandomHorizontalFlip
from minitorch.nn import functional as F
from minitorch.utils.data import DataLoader
from samples.kit import Run, SampleError, Settings, option
from samples.kit.download import generated
from samples.kit.film import Film
from samples.kit.images import Broken, locate, read_files, stems, to_input
from samples.kit.masks import DrawnCars, MaskedImages, resized
from samples.kit.metrics import host
from samples.kit.network import show

SHOWN = 6  # test images in the animation


@dataclass
class Config(Settings):
    size: int = option(128, "pixels of the image's side, a multiple of 2 for every level down", minimum=8, quick=48)
    width: int = option(8, "channels at full size; twice as many at every level down", minimum=1, quick=6)
    levels: int = option(5, "how often the image is halved", minimum=1, quick=3)
    up: Literal["transposed", "bilinear"] = option("transposed", "how it is enlarged again")
    epochs: int = option(80, "passes over the training images", minimum=1, quick=6)
    batch_size: int = option(8, "images per batch", minimum=1)
    learning_rate: float = option(0.004, "AdamW's largest step size", minimum=0)
    weight_decay: float = option(0.01, "AdamW's pull of the weights towards 0", minimum=0)
    car_weight: float = option(1.0, "what a pixel of the car counts in the loss, the others count 1", minimum=0)
    dice: float = option(1.0, "weight of the Dice loss, which asks for overlap; the pixels' cross entropy has 1", minimum=0)
    data: str | None = option(None, "folder with cars/, or 'synthetic' for drawn cars", quick="synthetic")
    broken: Broken = option("skip", "what to do about files that cannot be read: skip them, or refuse to start")


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    train, test = read(config, run)
    model = network(config)
    run.describe(model, minitorch.zeros(1, 3, config.size, config.size, device=config.device))
    if config.plots:
        side = 2**config.levels
        show(run, model, lambda net: criterion(net(minitorch.rand(2, 3, side, side)), minitorch.ones(2, side, side), config))
    mean_mask = train.masks.mean(0) >= 0.5
    run.print(f"{len(train):,} cars to learn from, {len(test):,} for the test; the mean mask alone has an IoU of "
              f"{iou(np.broadcast_to(mean_mask, test.masks.shape), test.masks).mean():.3f}")

    loader = DataLoader(train, config.batch_size, shuffle=True, collate_fn=list, drop_last=len(train) >= config.batch_size)
    optimizer = optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.epochs * len(loader) + 1,
                                             pct_start=0.1, cycle_momentum=False)
    film = Film()
    run.keep(model=model, optimizer=optimizer, schedule=schedule, film=film)
    for epoch in run.epochs(config.epochs, len(loader)):
        model.train()
        for batch in loader:
            x = to_input([image for image, _ in batch], config.device)
            masks = np.stack([target["mask"] for _, target in batch]).astype(np.float32)
            loss = criterion(model(x), minitorch.as_tensor(masks, device=config.device), config)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            epoch.batch(loss.item(), of=len(batch))
        found = cut_out(model, test.images, config) >= 0.5
        epoch.add(test_iou=float(iou(found, test.masks).mean()))
        film.add(np.packbits(found[:SHOWN]).tolist())

    run.save(model.state_dict(), "model.npz")
    if config.plots:
        plot(cut_out(model, test.images, config), test, film, run)


class Twice(nn.Sequential):
    """Convolution, normalisation, ReLU, and the same again."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(),
                         nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())


class UNet(nn.Module):
    """(n, 3, s, s) -> (n, s, s), above 0 where the car is"""

    def __init__(self, width: int, levels: int, up: str) -> None:
        super().__init__()
        sizes = [width * 2**level for level in range(levels + 1)]
        self.down = nn.ModuleList([Twice(n_in, n_out) for n_in, n_out in zip([3, *sizes], sizes)])
        self.enlarge, self.up = nn.ModuleList(), nn.ModuleList()
        for below, here in zip(sizes[:0:-1], sizes[-2::-1]):
            self.enlarge.append(nn.ConvTranspose2d(below, here, 2, stride=2) if up == "transposed" else nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(below, here, 1)))
            self.up.append(Twice(2 * here, here))
        self.answer = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            seen.append(x)
        for enlarge, block, across in zip(self.enlarge, self.up, seen[-2::-1]):
            x = block(minitorch.cat([across, enlarge(x)], 1))
        return self.answer(x)[:, 0]


def network(config: Config) -> UNet:
    if config.size % 2**config.levels:
        raise SampleError(f"--size {config.size} cannot be halved {config.levels} times; take a multiple of {2**config.levels}")
    return UNet(config.width, config.levels, config.up).to(config.device)


def criterion(scores: Tensor, masks: Tensor, config: Config) -> Tensor:
    """Cross entropy of the pixels, and 1 - Dice: twice what two masks share, over what they have together."""
    weight = minitorch.tensor(config.car_weight).to(scores.device)
    pixels = F.binary_cross_entropy_with_logits(scores, masks, pos_weight=weight)
    chances = scores.sigmoid()
    shared, both = (chances * masks).sum((1, 2)), chances.sum((1, 2)) + masks.sum((1, 2))
    return pixels + config.dice * (1 - (2 * shared + 1) / (both + 1)).mean()


def read(config: Config, run: Run) -> tuple[Any, Any]:
    """The training images, changed a little whenever they are asked for, and those for the test."""
    changes = Compose([RandomHorizontalFlip(), ColorJitter(0.4, 0.4, 0.4),
                       RandomAffine(10, translate=(0.1, 0.1), scale=(0.6, 1.3), interpolation="bilinear", fill=114)])
    if generated(config.data):
        return DrawnCars(160, config.size, seed=1, transform=changes), DrawnCars(40, config.size, seed=2)
    root = locate(config.data, "cars", "train_masks", "photographs of cars")
    train, test = (MaskedImages(root / part, root / f"{part}_masks", config.size, broken=config.broken, say=run.print)
                   for part in ("train", "test"))
    train.transform = changes
    return train, test


def cut_out(model: UNet, images: Sequence[np.ndarray], config: Config) -> np.ndarray:
    """How likely each pixel is car, float32 (n, size, size), in images of the network's size.

    It is asked about each image and about its mirror image, and the mean counts: what it takes for a car by chance it seldom
    takes for one both ways.
    """
    model.eval()
    parts = []
    with minitorch.no_grad():
        for start in range(0, len(images), 20):
            x = to_input(images[start : start + 20], config.device)
            parts.append(host((model(x).sigmoid() + model(x.flip(3)).sigmoid().flip(2)) / 2))
    return np.concatenate(parts)


def iou(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union of each mask (n, height, width) with the true one: (n,)."""
    return (found & truth).sum((1, 2)) / np.maximum((found | truth).sum((1, 2)), 1)


def predict(config: Config, run: Run, files: Sequence[Path]) -> None:
    """Mark the car on some pictures; the masks are saved beside them."""
    from PIL import Image

    from samples.kit.pictures import image_grid

    names, images = read_files(files, config.broken, run.print)
    model = network(config)
    run.keep(model=model)
    for name, title, image in zip(names, stems(names), images):
        (chances,) = cut_out(model, [resized(image, (config.size, config.size))], config)
        mask = resized(chances, image.shape[:2]) >= 0.5
        run.print(f"{name}: {mask.mean():.0%} of it is car")
        picture = image_grid([image.transpose(2, 0, 1)], masks=[mask], names=["car"], size=max(image.shape[:2]))
        run.save_figure(picture, f"{title}.png")
        run.save_figure(Image.fromarray(mask.astype(np.uint8) * 255), f"{title}_mask.png")


def plot(chances: np.ndarray, test: Any, film: Film, run: Run) -> None:
    """The curves, masks epoch by epoch, and the images on which they are worst."""
    from samples.kit import plots
    from samples.kit.pictures import image_grid

    figure, (left, right) = plots.figure(9.0, 3.4, columns=2)
    numbers = [line["epoch"] for line in run.lines]
    left.plot(numbers, [line["train_loss"] for line in run.lines], color=plots.BLUE)
    left.set(title="training loss", xlabel="epoch", ylim=(0, None))
    right.plot(numbers, [line["test_iou"] for line in run.lines], color=plots.GREEN)
    right.set(title="intersection over union, test", xlabel="epoch", ylim=(0, 1))
    run.save_figure(figure, "curves.png")

    images, shown = test.images.transpose(0, 3, 1, 2), min(SHOWN, len(test))
    truth, frames = test.masks[:shown], []
    for step in film.steps():
        masks = np.unpackbits(np.array(film.epochs[step], np.uint8), count=truth.size).reshape(truth.shape)
        titles = [f"epoch {step + 1}", *test.names[1:shown]]
        frames.append(image_grid(images[:shown], masks=list(masks), true_masks=list(truth), names=["car"], titles=titles,
                                 columns=3))
    run.save_gif(frames, "masks.gif", seconds=0.4 * len(frames))
    run.save_figure(frames[-1], "masks.png")
    overlap = iou(chances >= 0.5, test.masks)
    worst = overlap.argsort()[:SHOWN]
    run.save_figure(image_grid(images[worst], masks=list(chances[worst]), true_masks=list(test.masks[worst]), names=["car"],
                               titles=[f"IoU {overlap[k]:.2f}" for k in worst], columns=3), "worst.png")
