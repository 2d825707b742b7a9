"""What is done to images on their way into a model, and to the boxes, masks and keypoints in them.

A transform is called with an image, or with an image and its target, a dict, and returns the same:

    augment = Compose([RandomHorizontalFlip(), RandomCrop(224, padding=8), ToTensor(), Normalize(mean, std)])
    x = augment(image)
    x, target = augment(image, {"boxes": boxes, "masks": masks, "keypoints": points, "labels": labels})

Images are Pillow's, arrays (height, width) or (height, width, channels), or tensors (channels, height, width), and stay what
they are. "boxes" are (n, 4) as left, top, right, bottom in pixels, measured from the image's corner; "masks" (or "mask") are
(..., height, width); "keypoints" are (..., 2 or more) as x, y and what belongs to them, where (0, 0) is the middle of the first
pixel. Other entries of a target pass unchanged. What is random is drawn from `minitorch.manual_seed`'s generator.
"""

from __future__ import annotations

from .base import Compose, Lambda, RandomApply, Transform
from .colour import ColorJitter, Grayscale, Normalize, ToTensor
from .geometry import (
    CenterCrop,
    Geometric,
    Pad,
    RandomAffine,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
    SanitizeBoxes,
)
from .moves import Move

__all__ = [
    "CenterCrop", "ColorJitter", "Compose", "Geometric", "Grayscale", "Lambda", "Move", "Normalize", "Pad", "RandomAffine",
    "RandomApply", "RandomCrop", "RandomHorizontalFlip", "RandomResizedCrop", "RandomRotation", "RandomVerticalFlip", "Resize",
    "SanitizeBoxes", "ToTensor", "Transform",
]  # fmt: skip
