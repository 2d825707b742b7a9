"""Pascal VOC's format (Everingham et al. 2010): images, and for each an XML file with boxes around its objects.

    JPEGImages/NAME.jpg    Annotations/NAME.xml    ImageSets/Main/{train,val}.txt, a name per line
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from samples.kit.errors import SampleError
from samples.kit.images import Broken, BrokenFile, read_all, read_image


class Annotation(NamedTuple):
    """What an XML file says of an image: its (height, width); of every object its box, class and whether it is difficult."""

    size: tuple[int, int]
    boxes: NDArray[np.float32]
    names: list[str]
    difficult: NDArray[np.bool_]


class VOCDetection:
    """Images with boxes, all in memory, used as torchvision's: `image, target = data[k]`.

    Args:
        root: the folder that holds JPEGImages, Annotations and ImageSets.
        image_set: "train" or "val": the images named in ImageSets/Main/<image_set>.txt.
        transform: called with every image and target that an index returns.
        classes: the classes, in order; None for those that occur, sorted. ("face",) takes every object for one.
        broken: skip or refuse an image or annotation that cannot be read.
        limit: only the first so many images.

    Attributes:
        names: of the images, in the order of the set.
        images: uint8, shape (height, width, 3) each.
        targets: for each a dict of "boxes", (n, 4) as left, top, right, bottom in pixels, "labels", (n,) indices into
            `classes`, and "difficult", (n,), objects which VOC neither asks for nor counts against a detector.

    Raises:
        SampleError: the set is not there, or a file is broken that may not be skipped.
    """

    def __init__(
        self, root: str | Path, image_set: str = "train", transform: Callable[..., Any] | None = None, *,
        classes: Sequence[str] | None = None, broken: Broken = "refuse", limit: int | None = None,
        say: Callable[[str], Any] = print,
    ) -> None:  # fmt: skip
        self.root, self.transform = Path(root), transform
        names = read_names(self.root / "ImageSets" / "Main" / f"{image_set}.txt")[:limit]
        self.names, pairs = read_all(names, self.read, broken, say)
        self.images = [image for image, _ in pairs]
        found = sorted({name for _, annotation in pairs for name in annotation.names})
        self.classes = tuple(classes if classes is not None else found)
        self.targets = [self.target(annotation) for _, annotation in pairs]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.images[index], self.targets[index]
        return (image, target) if self.transform is None else self.transform(image, target)

    def read(self, name: str) -> tuple[NDArray[np.uint8], Annotation]:
        """An image and what its XML file says. BrokenFile if they are not there, not whole, or not of one another."""
        image = read_image(self.root / "JPEGImages" / f"{name}.jpg")
        path = self.root / "Annotations" / f"{name}.xml"
        annotation = read_annotation(path)
        if annotation.size != image.shape[:2]:
            (height, width), (high, wide) = annotation.size, image.shape[:2]
            raise BrokenFile(f"{path} is of an image of {width}x{height} pixels, {name}.jpg has {wide}x{high}")
        return image, annotation

    def target(self, annotation: Annotation) -> dict[str, Any]:
        index = {name: k for k, name in enumerate(self.classes)}
        labels = [0 if len(index) == 1 else index[name] for name in annotation.names]
        return {"boxes": annotation.boxes, "labels": np.array(labels, np.int64), "difficult": annotation.difficult}


def read_names(path: Path) -> list[str]:
    """The names in a file of ImageSets/Main; a number after a name (-1, 0, 1 in the sets of one class) is left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SampleError(f"cannot read {path} ({getattr(error, 'strerror', None) or error})") from None
    return [line.split()[0] for line in lines if line.strip()]


def read_annotation(path: Path) -> Annotation:
    """Read one XML file.

    Raises:
        BrokenFile: it does not exist, is not XML, or a box is missing, is no box or lies outside the image.
    """
    try:
        root = ElementTree.parse(path).getroot()
        size = int(number(root, "size/height")), int(number(root, "size/width"))
        objects = list(root.iter("object"))
        boxes = [[number(thing, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")] for thing in objects]
        names = [(thing.findtext("name") or "").strip() for thing in objects]
        difficult = [(thing.findtext("difficult") or "0").strip() == "1" for thing in objects]
    except FileNotFoundError:
        raise BrokenFile(f"{path} does not exist") from None
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise BrokenFile(f"{path} is not a VOC annotation ({error})") from None
    for left, top, right, bottom in boxes:
        if not (0 <= left < right <= size[1] and 0 <= top < bottom <= size[0]):
            raise BrokenFile(f"{path} has a box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}), which is not inside "
                             f"the image of {size[1]}x{size[0]} pixels")
    return Annotation(size, np.array(boxes, np.float32).reshape(-1, 4), names, np.array(difficult, bool))


def number(element: ElementTree.Element, path: str) -> float:
    """The number in a child element. ValueError if there is none."""
    text = element.findtext(path)
    if text is None:
        raise ValueError(f"<{element.tag}> has no {path}")
    return float(text)
