"""A residual network finds 68 points on a face: jaw, brows, nose, eyes, mouth.

The answer is no class but 136 numbers, so this is a regression. The network learns how far each point lies from where it is in
the mean face. Whatever is done to a training image (turned, enlarged, shifted, mirrored) is done to its points, too; in a
mirrored face the left corner of the left eye is the right corner of the right eye, so there the points change names as well.

The error is the mean distance of a point from where it belongs, in units of the distance between the eyes' outer corners.

    minitorch run landmarks --quick                 # drawn faces
    minitorch run landmarks --data DIR              # frames of the YouTube Faces set, 15 minutes
    minitorch run landmarks --predict face.jpg      # the face should fill half of the picture
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.data.transforms import ColorJitter, Compose, RandomAffine, Transform
from minitorch.nn import functional as F
from minitorch.utils.data import DataLoader
from samples.cifar_resnet import Block
from samples.kit import Run, Settings, option
from samples.kit.detection import Letterbox
from samples.kit.download import generated
from samples.kit.film import Film
from samples.kit.images import Broken, locate, read_files, stems, to_input
from samples.kit.landmarks import EYES, MIRRORED, POINTS, DrawnFaces, FaceLandmarks
from samples.kit.metrics import host
from samples.kit.network import show

SHOWN = 6  # test images in the animation


@dataclass
class Config(Settings):
    size: int = option(96, "pixels of the image's side", minimum=32, quick=48)
    width: int = option(16, "channels after the first layer; the last has eight times as many", minimum=1, quick=8)
    epochs: int = option(150, "passes over the training images", minimum=1, quick=12)
    batch_size: int = option(32, "images per batch", minimum=1, quick=16)
    learning_rate: float = option(0.002, "AdamW's largest step size", minimum=0, quick=0.004)
    weight_decay: float = option(0.05, "AdamW's pull of the weights towards 0", minimum=0)
    clip: float = option(1.0, "longer gradients are shortened to this norm", minimum=0)
    turn: float = option(20.0, "largest angle by which a training image is turned, in degrees", minimum=0)
    data: str | None = option(None, "folder with face-landmarks/ytf, or 'synthetic' for drawn faces", quick="synthetic")
    broken: Broken = option("skip", "what to do about files that cannot be read: skip them, or refuse to start")


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    train, test = read(config, run)
    model = Landmarks(config.width, config.size, train.points.mean(0) / config.size).to(config.device)
    run.describe(model, minitorch.zeros(1, 3, config.size, config.size, device=config.device))
    if config.plots:
        show(run, model, lambda net: net(minitorch.rand(1, 3, config.size, config.size)).abs().mean())
    run.print(f"{len(train):,} faces to learn from, {len(test):,} for the test; the mean face alone errs by "
              f"{error(train.points.mean(0), test.points).mean():.3f}")

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
            goal = np.stack([target["keypoints"] for _, target in batch]).astype(np.float32) / config.size
            loss = F.l1_loss(model(x), minitorch.as_tensor(goal, device=config.device))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            schedule.step()
            epoch.batch(loss.item(), of=len(batch))
        found = find(model, test.images, config)
        epoch.add(test_error=float(error(found, test.points).mean()))
        film.add(found[:SHOWN].tolist())

    run.save(model.state_dict(), "model.npz")
    if config.plots:
        plot(find(model, test.images, config), test, film, run)


class Landmarks(nn.Module):
    """(n, 3, s, s) -> (n, 68, 2), places as shares of the image's side.

    Args:
        mean: the mean face, shape (68, 2), from which the network says the difference.
    """

    def __init__(self, width: int, size: int, mean: np.ndarray) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2), Block(4 * width, 8 * width, 2))
        cells = -(-size // 16)
        # Where something was seen matters here, so the cells are not averaged as for a class.
        self.place = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(8 * width * cells * cells, 2 * POINTS))
        self.register_buffer("mean", minitorch.tensor(np.asarray(mean, np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        return self.mean + 0.1 * self.place(self.features(x)).reshape(-1, POINTS, 2)


class RandomMirror(Transform):
    """Left and right exchanged, half of the time; the points with them, and their names."""

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if minitorch.rand(()).item() < 0.5:
            return image, target
        points = target["keypoints"][MIRRORED]
        return np.ascontiguousarray(image[:, ::-1]), {"keypoints": points * [-1, 1] + [image.shape[1] - 1, 0]}


def read(config: Config, run: Run) -> tuple[Any, Any]:
    """The training faces, changed a little whenever they are asked for, and those for the test; all in squares."""
    if generated(config.data):
        train: Any = DrawnFaces(300, config.size, seed=1)
        test: Any = DrawnFaces(60, config.size, seed=2)
    else:
        root = locate(config.data, "face-landmarks/ytf", "train_face_landmarks.csv", "faces with landmarks")
        train, test = (FaceLandmarks(root / part, root / f"{part}_face_landmarks.csv", broken=config.broken, say=run.print)
                       for part in ("train", "test"))
    boxed = Letterbox(config.size)
    for data in (train, test):
        for k in range(len(data)):
            data.images[k], target = boxed(data.images[k], {"keypoints": data.points[k]})
            data.points[k] = target["keypoints"]
    train.transform = Compose([
        RandomAffine(config.turn, translate=(0.08, 0.08), scale=(0.8, 1.2), interpolation="bilinear", fill=114),
        RandomMirror(), ColorJitter(0.3, 0.3, 0.3)])
    return train, test


def find(model: Landmarks, images: Sequence[np.ndarray], config: Config) -> np.ndarray:
    """The points in images of the network's size, in pixels: shape (n, 68, 2)."""
    model.eval()
    with minitorch.no_grad():
        parts = [host(model(to_input(images[k : k + 64], config.device))) for k in range(0, len(images), 64)]
    return np.concatenate(parts) * config.size


def error(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean distance of the points of each face (n, 68, 2) from the true ones, the eyes' outer corners being 1 apart: (n,)."""
    unit = np.linalg.norm(truth[:, EYES[0]] - truth[:, EYES[1]], axis=-1)
    return np.linalg.norm(found - truth, axis=-1).mean(-1) / unit


def predict(config: Config, run: Run, files: Sequence[Path]) -> None:
    """Draw the points on some pictures of faces."""
    from samples.kit.pictures import image_grid

    names, images = read_files(files, config.broken, run.print)
    model = Landmarks(config.width, config.size, np.zeros((POINTS, 2))).to(config.device)
    run.keep(model=model)
    boxed = Letterbox(config.size)
    for name, title, image in zip(names, stems(names), images):
        (found,) = find(model, [boxed(image)], config)
        height, width = image.shape[:2]
        # The letterbox takes boxes back: each point as a box without size.
        points = boxed.undo(np.concatenate([found, found], 1) + 0.5, height, width)[:, :2]
        run.print(f"{name}: eyes' outer corners at {' and '.join(f'({x:.0f}, {y:.0f})' for x, y in points[list(EYES)])}")
        picture = image_grid([image.transpose(2, 0, 1)], points=[points], size=max(height, width, 400))
        run.save_figure(picture, f"{title}.png")


def plot(found: np.ndarray, test: Any, film: Film, run: Run) -> None:
    """The curves, the points epoch by epoch, and the faces on which they are worst."""
    from samples.kit import plots
    from samples.kit.pictures import image_grid

    figure, (left, right) = plots.figure(9.0, 3.4, columns=2)
    numbers = [line["epoch"] for line in run.lines]
    left.plot(numbers, [line["train_loss"] for line in run.lines], color=plots.BLUE)
    left.set(title="training loss (shares of the image's side)", xlabel="epoch", ylim=(0, None))
    right.plot(numbers, [line["test_error"] for line in run.lines], color=plots.GREEN)
    right.set(title="test error (distance between the eyes = 1)", xlabel="epoch", ylim=(0, None))
    run.save_figure(figure, "curves.png")

    images = [image.transpose(2, 0, 1) for image in test.images]
    shown = min(SHOWN, len(test))
    frames = [image_grid(images[:shown], points=film.epochs[step], true_points=test.points[:shown], columns=3, size=256,
                         titles=[f"epoch {step + 1}", *test.names[1:shown]]) for step in film.steps()]
    run.save_gif(frames, "points.gif", seconds=0.4 * len(frames))
    run.save_figure(frames[-1], "points.png")
    errors = error(found, test.points)
    worst = errors.argsort()[::-1][:SHOWN]
    grid = image_grid([images[k] for k in worst], points=list(found[worst]), true_points=list(test.points[worst]), columns=3,
                      titles=[f"error {errors[k]:.2f}" for k in worst], size=256)
    run.save_figure(grid, "worst.png")
