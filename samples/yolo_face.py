"""YOLO finds faces: object detection from scratch, in one look at the image.

The image is laid out as a grid of cells of 8x8 pixels (most faces are small). At each cell the network answers for a few
anchors, boxes of common shapes: is there a face whose middle lies in this cell and whose shape is about this one (a score),
and where exactly (two numbers shift the box within the cell, two stretch it). Every image has thousands of such answers and a
handful of faces; what overlaps a better answer is dropped in the end (non-maximum suppression). The design is YOLOv2's
(Redmon and Farhadi 2016), its network is smaller, and looks at two scales: details, and the surroundings of every cell.

    minitorch run yolo-face --quick                               # drawn scenes, half a minute
    minitorch run yolo-face --data DIR                            # real photographs in Pascal VOC's format, 20 minutes
    minitorch run yolo-face --data DIR --preset large --device cuda
    minitorch run yolo-face --predict photo.jpg holidays/         # draws boxes on any image, or a folder of them
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.data.transforms import ColorJitter, Compose, RandomHorizontalFlip
from minitorch.nn import functional as F
from minitorch.utils.data import DataLoader
from samples.kit import Run, Settings, option
from samples.kit import detection as boxes_of
from samples.kit.detection import Detections, Letterbox, RandomZoom
from samples.kit.download import generated
from samples.kit.film import Film
from samples.kit.images import Broken, locate, read_files, stems, to_input
from samples.kit.metrics import host
from samples.kit.network import show
from samples.kit.scenes import FaceScenes
from samples.kit.voc import VOCDetection


class Preset(NamedTuple):
    """How much is computed: channels at 1/2, 1/4, 1/8 and 1/16 of the image's size, residual blocks at the last two."""

    channels: tuple[int, int, int, int]
    blocks: int
    size: int
    epochs: int


PRESETS = {
    "tiny": Preset((8, 16, 32, 32), 1, 96, 6),
    "small": Preset((12, 32, 64, 96), 1, 256, 40),
    "large": Preset((32, 64, 128, 256), 3, 416, 150),
}
STRIDE = 8  # pixels of a cell's side


@dataclass
class Config(Settings):
    preset: Literal["tiny", "small", "large"] = option("small", "size of network and images, number of epochs", quick="tiny")
    epochs: int | None = option(None, "passes over the training images (tiny: 6, small: 40, large: 150)", minimum=1)
    size: int | None = option(None, "pixels of the image's side (tiny: 96, small: 256, large: 416)", minimum=32)
    anchors: int = option(4, "shapes that a cell answers for, found in the training boxes", minimum=1, quick=2)
    classes: Literal["one", "all"] = option("one", "one: every object is a face; all: the classes that the annotations name")
    loss: Literal["ciou", "yolov2"] = option("ciou", "what is wrong with a box: complete IoU, or the original's squares")
    batch_size: int = option(16, "images per batch", minimum=1)
    learning_rate: float = option(0.002, "AdamW's step size after the warm-up", minimum=0)
    warm_up: float = option(2.0, "epochs in which the step size grows from 0", minimum=0, quick=0.5)
    weight_decay: float = option(0.05, "AdamW's pull of the weights towards 0", minimum=0)
    clip: float = option(10.0, "longest gradient of all weights together", minimum=0)
    score: float = option(0.3, "lowest score of a box that is drawn", minimum=0)
    overlap: float = option(0.45, "a box that overlaps a better one more than this is dropped", minimum=0)
    data: str | None = option(None, "folder in Pascal VOC's format, or 'synthetic' for drawn scenes", quick="synthetic")
    broken: Broken = option("skip", "what to do about files that cannot be read: skip them, or refuse to start")


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    preset, size = chosen(config)
    train, val = read(config, size, run)
    model = YOLO(preset, anchors(train, size, config.anchors), len(train.classes)).to(config.device)
    run.describe(model, minitorch.zeros(1, 3, size, size, device=config.device))
    if config.plots:
        target = {"boxes": np.array([[3, 3, 20, 22]], np.float32), "labels": np.zeros(1, np.int64)}
        show(run, model, lambda net: net.loss(net(minitorch.rand(1, 3, 32, 32)), [target], config.loss))
    run.print(f"{len(train):,} images with {count(train):,} objects to learn from, {len(val):,} with {count(val):,} to test on")
    run.print(f"anchors {', '.join(f'{wide:.0f}x{high:.0f}' for wide, high in host(model.anchors))} pixels")

    loader = DataLoader(train, config.batch_size, shuffle=True, collate_fn=list, drop_last=len(train) >= config.batch_size)
    optimizer = optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    epochs, warm = config.epochs or preset.epochs, max(1, round(config.warm_up * len(loader)))
    schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, warm, epochs * len(loader)))
    film = Film()
    run.keep(model=model, optimizer=optimizer, schedule=schedule, film=film)
    for epoch in run.epochs(epochs, len(loader)):
        model.train()
        for batch in loader:
            x = to_input([image for image, _ in batch], config.device)
            loss = model.loss(model(x), [target for _, target in batch], config.loss)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            schedule.step()
            epoch.batch(loss.item(), of=len(batch))
        found = find(model, [image for image, _ in val], config)
        truth = [target for _, target in val]
        epoch.add(val_ap=boxes_of.mean_average_precision(found, truth, len(val.classes)))
        film.add(noted(found[:SHOWN], config.score))

    run.save(model.state_dict(), "model.npz")
    if config.plots:
        plot(val, film, run)


def chosen(config: Config) -> tuple[Preset, int]:
    """The preset, and the image's side in pixels: a multiple of the coarse cells' 16."""
    preset = PRESETS[config.preset]
    return preset, -(-(config.size or preset.size) // 16) * 16


def rate(step: int, warm: int, steps: int) -> float:
    """The step size as a share of the largest: up in a line, then down in half a cosine to a hundredth."""
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2


# -- the network ---------------------------------------------------------------------------------------------------------


class Block(nn.Sequential):
    """Convolution, normalisation, activation: the brick of all YOLO networks."""

    def __init__(self, n_in: int, n_out: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(n_out),
                         nn.LeakyReLU(0.1))


class Residual(nn.Module):
    """Two blocks whose result is added to what went in: x + f(x)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Block(channels, channels), Block(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Backbone(nn.Module):
    """(n, 3, s, s) -> (n, c, s/8, s/8) and (n, d, s/16, s/16): what is where, finely, and in which surroundings."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        a, b, c, d = preset.channels
        self.stem = nn.Sequential(Block(3, a, stride=2), Block(a, b, stride=2), Block(b, c, stride=2))
        self.fine = nn.Sequential(*(Residual(c) for _ in range(preset.blocks)))
        self.coarse = nn.Sequential(Block(c, d, stride=2), *(Residual(d) for _ in range(preset.blocks)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.fine(self.stem(x))
        return fine, self.coarse(fine)


class YOLO(nn.Module):
    """Backbone, neck (surroundings back onto the fine grid) and head: (n, 3, s, s) -> (n, anchors, s/8, s/8, 5 + classes).

    The last axis: shift x and y, stretch x and y, score, and, where there are several, a score for each class.

    Args:
        anchors: widths and heights in pixels, shape (anchors, 2).
    """

    def __init__(self, preset: Preset, anchors: np.ndarray, classes: int) -> None:
        super().__init__()
        *_, c, d = preset.channels
        self.answers = 5 + (classes if classes > 1 else 0)
        self.backbone = Backbone(preset)
        self.reduce = Block(d, c, kernel=1)
        self.enlarge = nn.Upsample(scale_factor=2)
        self.merge = Block(c, c)
        self.head = nn.Conv2d(c, len(anchors) * self.answers, 1)
        self.register_buffer("anchors", minitorch.tensor(np.asarray(anchors, np.float32)))
        with minitorch.no_grad():  # one answer in a hundred is yes: said from the start, it need not be learnt
            self.head.bias.reshape(len(anchors), -1)[:, 4] = math.log(0.01 / 0.99)

    def forward(self, x: Tensor) -> Tensor:
        fine, coarse = self.backbone(x)
        out = self.head(self.merge(fine + self.enlarge(self.reduce(coarse))))
        n, _, rows, columns = out.shape
        return out.reshape(n, len(self.anchors), self.answers, rows, columns).permute(0, 1, 3, 4, 2)

    def boxes(self, raw: Tensor, cells: Tensor, anchors: Tensor) -> Tensor:
        """Left, top, right, bottom in pixels, shape (..., 4), of answers (..., 5 or more).

        A sigmoid keeps the middle within its cell; the anchor's width and height are multiplied by the exponential.
        """
        middle = (raw[..., :2].sigmoid() + cells) * STRIDE
        half = raw[..., 2:4].clamp(max=6).exp() * anchors / 2
        return minitorch.cat([middle - half, middle + half], -1)

    def all_boxes(self, out: Tensor) -> Tensor:
        """The box of every answer, shape (n, anchors, rows, columns, 4)."""
        rows, columns = out.shape[2:4]
        y, x = np.mgrid[:rows, :columns]
        cells = minitorch.as_tensor(np.stack([x, y], -1).astype(np.float32), device=out.device)
        return self.boxes(out, cells, self.anchors.reshape(-1, 1, 1, 2))

    def loss(self, out: Tensor, targets: Sequence[dict[str, Any]], kind: str) -> Tensor:
        """What is wrong with the answers to a batch.

        An answer that is responsible for an object has to say so, with as high a score as its box is good (its IoU), and has
        to move its box there. All others have to score 0, except those whose box happens to be good: they are let be.
        """
        with minitorch.no_grad():
            mine, true = assign(targets, host(self.anchors), out.shape[2])
            good = near(host(self.all_boxes(out.detach())), targets)
        raw = out[tuple(minitorch.as_tensor(index, device=out.device) for index in mine)]
        cells = minitorch.as_tensor(np.stack([mine[3], mine[2]], 1).astype(np.float32), device=out.device)
        anchors = self.anchors[minitorch.as_tensor(mine[1], device=out.device)]
        goal = minitorch.as_tensor(true[:, :4], device=out.device)
        overlap, complete = boxes_of.ciou(self.boxes(raw, cells, anchors), goal)

        scores = np.zeros(out.shape[:4], np.float32)
        weights = 1 - good.astype(np.float32)
        scores[mine], weights[mine] = host(overlap).clip(0, 1), 1.0
        scores, weights = (minitorch.as_tensor(array, device=out.device) for array in (scores, weights))
        share = 1 / max(1, len(true))  # of one responsible answer
        if kind == "ciou":
            box = 5 * (1 - complete).sum() * share
            score = (weights * F.binary_cross_entropy_with_logits(out[..., 4], scores, reduction="none")).sum() * share
        else:
            box = squares(raw, cells, anchors, goal).sum() * share
            weights = minitorch.where(scores > 0, 5 * weights, weights)  # the few faces against thousands of empty cells
            score = (weights * (out[..., 4].sigmoid() - scores) ** 2).sum() * share
        if self.answers > 5 and len(true):
            labels = minitorch.as_tensor(true[:, 4].astype(np.int64), device=out.device)
            score = score + F.cross_entropy(raw[:, 5:], labels)
        return box + score


def squares(raw: Tensor, cells: Tensor, anchors: Tensor, goal: Tensor) -> Tensor:
    """The original's loss of boxes: squares of what is wrong with shift and stretch; small boxes count up to twice."""
    middle, size = (goal[:, :2] + goal[:, 2:]) / 2, goal[:, 2:] - goal[:, :2]
    shift = raw[:, :2].sigmoid() - (middle / STRIDE - cells)
    stretch = raw[:, 2:4] - (size / anchors).log()
    small = 2 - (size / (4 * anchors[:, :1].max())).clamp(max=1).prod(1)
    return small * (shift**2 + stretch**2).sum(1)


Index = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def assign(targets: Sequence[dict[str, Any]], anchors: np.ndarray, cells: int, alike: float = 0.5) -> tuple[Index, np.ndarray]:
    """Which answers are responsible for which objects.

    The cell where the middle of an object lies is, with the anchor most like it, and with others that are `alike` (IoU of the
    shapes). Where two objects want the same answer, the one more like the anchor gets it.

    Returns:
        Indices (image, anchor, row, column) of the answers, and their objects: left, top, right, bottom, label; shape (m, 5).
    """
    owners: dict[tuple[int, int, int, int], tuple[float, np.ndarray]] = {}
    for image, target in enumerate(targets):
        boxes = np.asarray(target["boxes"], np.float32).reshape(-1, 4)
        likeness = boxes_of.shape_iou(boxes[:, 2:] - boxes[:, :2], anchors)
        columns, rows = np.clip((boxes[:, :2] + boxes[:, 2:]) / 2 // STRIDE, 0, cells - 1).astype(int).T
        for k, like in enumerate(likeness):
            for anchor in np.flatnonzero((like >= alike) | (like == like.max())):
                place = (image, int(anchor), int(rows[k]), int(columns[k]))
                if place not in owners or owners[place][0] < like[anchor]:
                    owners[place] = (like[anchor], np.append(boxes[k], np.float32(target["labels"][k])))
    places = np.array(list(owners), np.int64).reshape(-1, 4)
    objects = np.array([found for _, found in owners.values()], np.float32).reshape(-1, 5)
    return tuple(places.T), objects  # type: ignore[return-value]


def near(boxes: np.ndarray, targets: Sequence[dict[str, Any]], overlap: float = 0.6) -> np.ndarray:
    """Which boxes (n, anchors, rows, columns, 4) overlap an object of their image by more than `overlap`."""
    good = [(boxes_of.iou(some.reshape(-1, 4), target["boxes"]) > overlap).any(1).reshape(some.shape[:-1])
            for some, target in zip(boxes, targets)]
    return np.stack(good)


# -- the data ------------------------------------------------------------------------------------------------------------


def read(config: Config, size: int, run: Run) -> tuple[Any, Any]:
    """The training images, changed a little whenever they are asked for, and those to validate on."""
    changes = Compose([RandomZoom(size), RandomHorizontalFlip(), ColorJitter(0.3, 0.3, 0.3)])
    if generated(config.data):
        train: Any = FaceScenes(240, size, seed=1, transform=changes)
        val: Any = FaceScenes(60, size, seed=2)
    else:
        root = locate(config.data, "face-detection", "ImageSets/Main/train.txt", "photographs of faces")
        classes = ("face",) if config.classes == "one" else None
        train = VOCDetection(root, "train", changes, classes=classes, broken=config.broken, say=run.print)
        val = VOCDetection(root, "val", classes=train.classes, broken=config.broken, say=run.print)
    boxed = Letterbox(size)
    for k in range(len(val)):  # these stay as they are: reduced once, and the photographs forgotten
        val.images[k], val.targets[k] = boxed(val.images[k], val.targets[k])
    return train, val


def anchors(train: Any, size: int, number: int) -> np.ndarray:
    """Common shapes of the training boxes, in pixels of the network's image."""
    shapes = [(target["boxes"][:, 2:] - target["boxes"][:, :2]) * size / max(image.shape[:2])
              for image, target in zip(train.images, train.targets)]
    return boxes_of.common_shapes(np.concatenate(shapes), number)


def count(data: Any) -> int:
    """How many objects there are."""
    return sum(len(target["boxes"]) for target in data.targets)


# -- asking the network --------------------------------------------------------------------------------------------------


def find(
    model: YOLO, images: Sequence[np.ndarray], config: Config, at_least: float = 0.01, most: int = 300
) -> list[Detections]:
    """The objects in images of the network's size: what scores enough and overlaps nothing better of its class."""
    found = []
    model.eval()
    for start in range(0, len(images), config.batch_size):
        with minitorch.no_grad():
            out = model(to_input(images[start : start + config.batch_size], config.device))
            boxes, answers = host(model.all_boxes(out)), host(out)
        for some, raw in zip(boxes.reshape(len(boxes), -1, 4), answers.reshape(len(boxes), -1, model.answers)):
            scores, labels = 1 / (1 + np.exp(-raw[:, 4])), np.zeros(len(raw), np.int64)
            if model.answers > 5:
                chances = np.exp(raw[:, 5:] - raw[:, 5:].max(1, keepdims=True))
                labels = chances.argmax(1)
                scores = scores * chances.max(1) / chances.sum(1)
            best = np.argsort(-scores, kind="stable")[:most]
            best = best[scores[best] >= at_least]
            # Classes far apart on the plane never overlap: one pass does for all of them.
            moved = some[best].astype(float) + 1e5 * labels[best, None]
            kept = best[boxes_of.nms(moved, scores[best], config.overlap)]
            found.append(Detections(some[kept], scores[kept], labels[kept]))
    return found


def predict(config: Config, run: Run, files: Sequence[Path]) -> None:
    """Draw boxes on images, and list them."""
    from samples.kit.pictures import image_grid

    preset, size = chosen(config)
    names, images = read_files(files, config.broken, run.print)
    model = YOLO(preset, np.ones((config.anchors, 2)), classes=1).to(config.device)
    run.keep(model=model)
    boxed = Letterbox(size)
    for name, title, image in zip(names, stems(names), images):
        (found,) = find(model, [boxed(image)], config, at_least=config.score)
        places = boxed.undo(found.boxes, *image.shape[:2])
        run.print(f"{name}: {len(places)} found")
        for place, score in zip(places, found.scores):
            left, top, right, bottom = (round(float(side)) for side in place)
            run.print(f"  {score:.2f}  from ({left}, {top}) to ({right}, {bottom})")
        picture = image_grid([image.transpose(2, 0, 1)], boxes=[places], scores=[found.scores], size=max(image.shape[:2]))
        run.save_figure(picture, f"{title}.png")


# -- pictures ------------------------------------------------------------------------------------------------------------


SHOWN = 6  # validation images in the animation


def noted(found: Sequence[Detections], at_least: float) -> list[list[float]]:
    """What was found, as rows of numbers: image, left, top, right, bottom, score."""
    return [[k, *map(float, box), float(score)] for k, some in enumerate(found)
            for box, score in zip(some.boxes, some.scores) if score >= at_least]


def by_image(rows: Sequence[Sequence[float]], images: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Boxes and scores of each image, out of such rows."""
    table = np.array(rows, float).reshape(-1, 6)
    each = [table[table[:, 0] == k] for k in range(images)]
    return [part[:, 1:5] for part in each], [part[:, 5] for part in each]


def plot(val: Any, film: Film, run: Run) -> None:
    """Curves, and what was found on a few images, epoch by epoch."""
    from samples.kit import plots
    from samples.kit.pictures import image_grid

    figure, (left, right) = plots.figure(9.0, 3.4, columns=2)
    numbers = [line["epoch"] for line in run.lines]
    left.plot(numbers, [line["train_loss"] for line in run.lines], color=plots.BLUE)
    left.set(title="training loss", xlabel="epoch", ylim=(0, None))
    right.plot(numbers, [line["val_ap"] for line in run.lines], color=plots.GREEN)
    right.set(title="average precision at IoU 0.5, validation", xlabel="epoch", ylim=(0, 1))
    run.save_figure(figure, "curves.png")

    shown = min(SHOWN, len(val))
    images = [image.transpose(2, 0, 1) for image in val.images[:shown]]
    truth = [target["boxes"] for target in val.targets[:shown]]
    frames = []
    for step in film.steps():
        boxes, scores = by_image(film.epochs[step], shown)
        titles = [f"epoch {step + 1}", *val.names[1:shown]]
        frames.append(image_grid(images, boxes=boxes, scores=scores, true_boxes=truth, titles=titles, columns=3))
    run.save_gif(frames, "detections.gif", seconds=0.5 * len(frames))
    run.save_figure(frames[-1], "detections.png")
