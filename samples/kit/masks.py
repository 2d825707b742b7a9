"""Images and masks in two folders, in the format of the Carvana challenge: NAME.jpg and NAME_mask.gif."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samples.kit.errors import SampleError
from samples.kit.images import Broken, BrokenFile, read_all, read_image


class MaskedImages:
    """Images with a mask each, all in memory and of one size: `image, {"mask": mask} = data[k]`.

    Args:
        folder: with the images NAME.jpg.
        masks: the folder with NAME_mask.gif, not 0 where the object is.
        size: what images and masks are resized to, pixels of a side; their shape is not kept.
        transform: called with every image and target that an index returns.
        broken: skip or refuse an image or mask that cannot be read.
        limit: only the first so many images.

    Attributes:
        names: of the images.
        images: uint8, shape (n, size, size, 3).
        masks: bool, shape (n, size, size).

    Raises:
        SampleError: there are no images, or one is broken that may not be skipped.
    """

    def __init__(
        self, folder: Path, masks: Path, size: int, transform: Callable[..., Any] | None = None, *, broken: Broken = "refuse",
        limit: int | None = None, say: Callable[[str], Any] = print,
    ) -> None:  # fmt: skip
        if not folder.is_dir():
            raise SampleError(f"{folder} is not a folder")
        self.transform = transform

        def read(name: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
            image, mask = read_image(folder / f"{name}.jpg"), read_mask(masks / f"{name}_mask.gif")
            if mask.shape != image.shape[:2]:
                raise BrokenFile(f"{masks / name}_mask.gif has {mask.shape[1]}x{mask.shape[0]} pixels, {name}.jpg has "
                                 f"{image.shape[1]}x{image.shape[0]}")
            return resized(image, (size, size)), resized(mask.astype(np.float32), (size, size)) >= 0.5

        self.names, pairs = read_all(sorted(path.stem for path in folder.glob("*.jpg"))[:limit], read, broken, say)
        self.images = np.stack([image for image, _ in pairs])
        self.masks = np.stack([mask for _, mask in pairs])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.images[index], {"mask": self.masks[index]}
        return (image, target) if self.transform is None else self.transform(image, target)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Where a mask is not 0, shape (height, width): colour number 0 of a GIF, or black. BrokenFile as `read_image` has it."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode == "P":
                return np.asarray(image) > 0
    except (OSError, ValueError, SyntaxError):
        pass  # the next line says what is wrong
    return read_image(path, "L") > 0


def resized(array: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """An image, uint8 (height, width, 3) or float32 (height, width), in another size (height, width)."""
    from PIL import Image

    return np.asarray(Image.fromarray(array).resize(size[::-1], Image.Resampling.BILINEAR))


class DrawnCars:
    """Cars drawn by a program, in front of other shapes of the same colours; used as `MaskedImages` is."""

    def __init__(self, count: int, size: int, seed: int = 0, transform: Callable[..., Any] | None = None) -> None:
        rng = np.random.default_rng(seed)
        self.transform = transform
        self.names = [f"car {k + 1}" for k in range(count)]
        pairs = [draw(size, rng) for _ in range(count)]
        self.images, self.masks = (np.stack(part) for part in zip(*pairs))

    __len__ = MaskedImages.__len__
    __getitem__ = MaskedImages.__getitem__


def draw(size: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One image, uint8 (size, size, 3), and the mask of its car."""
    from PIL import Image, ImageDraw

    def colour() -> tuple[int, ...]:
        return tuple(int(x) for x in rng.uniform(30, 230, 3))

    image, mask = Image.new("RGB", (size, size), colour()), Image.new("1", (size, size))
    pen = ImageDraw.Draw(image)
    for _ in range(5):
        left, top, wide, high = rng.uniform(0, 1, 4) * size * [0.9, 0.9, 0.35, 0.35]
        (pen.rectangle if rng.random() < 0.7 else pen.ellipse)((left, top, left + wide, top + high), fill=colour())
    wide = rng.uniform(0.5, 0.85) * size
    high = wide * rng.uniform(0.28, 0.4)
    left, top = rng.uniform(0, size - wide), rng.uniform(0.1, 0.9) * (size - high)

    def place(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(left + x * wide, top + y * high) for x, y in points]

    body = place((0, 0.5), (0.18, 0.42), (0.32, 0), (0.7, 0), (0.84, 0.42), (1, 0.5), (1, 0.85), (0, 0.85))
    wheels = [place((x - 0.09, 0.64), (x + 0.09, 1.0)) for x in (0.22, 0.78)]
    paint = colour()
    for shapes, fill, black in ((pen, paint, "black"), (ImageDraw.Draw(mask), 1, 1)):
        shapes.polygon(body, fill=fill)
        for wheel in wheels:
            shapes.ellipse([*wheel[0], *wheel[1]], fill=black)
    pen.polygon(place((0.24, 0.4), (0.35, 0.08), (0.49, 0.08), (0.49, 0.4)), fill=(170, 200, 220))
    pen.polygon(place((0.53, 0.4), (0.53, 0.08), (0.68, 0.08), (0.78, 0.4)), fill=(170, 200, 220))
    noisy = np.asarray(image) + rng.normal(0, 8, (size, size, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8), np.asarray(mask).astype(bool)
