"""The call of a transform, transforms made of others, and the three kinds of image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...ops import random


class Transform:
    """A subclass defines `image(image)`, which returns another, or, where the target changes too, `both(image, target)`."""

    def __call__(self, image: Any, target: dict[str, Any] | None = None) -> Any:
        image, changed = self.both(image, dict(target or {}))
        return image if target is None else (image, changed)

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The image and its target, transformed; `target` is a copy that may be edited."""
        return self.image(image), target

    def image(self, image: Any) -> Any:
        """The image, transformed."""
        raise NotImplementedError(f"{type(self).__name__} needs a method image(self, image)")

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({settings})"


class Compose(Transform):
    """Transforms one after the other. Plain functions of an image are welcome among them."""

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.transforms = list(transforms)

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        for transform in self.transforms:
            if isinstance(transform, Transform):
                image, target = transform.both(image, target)
            else:
                image = transform(image)
        return image, target

    def __repr__(self) -> str:
        return "Compose(\n" + "".join(f"    {t!r}\n" for t in self.transforms) + ")"


class Lambda(Transform):
    """A function of the image."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        self.lambd = lambd

    def image(self, image: Any) -> Any:
        return self.lambd(image)


class RandomApply(Compose):
    """The transforms, with probability p, or none of them."""

    def __init__(self, transforms: Sequence[Any], p: float = 0.5) -> None:
        super().__init__(transforms)
        self.p = p

    def both(self, image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return super().both(image, target) if random.rng().random() < self.p else (image, target)


def opened(image: Any) -> tuple[np.ndarray, Callable[[np.ndarray], Any]]:
    """The image as an array (height, width) or (height, width, channels), and what makes its kind of such an array.

    TypeError for what is no image.
    """
    if isinstance(image, Tensor):
        array = image.detach().numpy()
        if array.ndim == 2:
            return array, Tensor
        if array.ndim != 3:
            raise TypeError(f"an image tensor is (channels, height, width), not of shape {array.shape}")
        return array.transpose(1, 2, 0), lambda made: Tensor(np.ascontiguousarray(made.transpose(2, 0, 1)))
    if isinstance(image, np.ndarray):
        if image.ndim not in (2, 3):
            raise TypeError(f"an image array is (height, width) or (height, width, channels), not of shape {image.shape}")
        return image, np.ascontiguousarray
    if hasattr(image, "getbands"):  # Pillow's
        from PIL import Image

        if image.mode not in ("L", "RGB", "RGBA", "F", "I"):
            image = image.convert("RGBA" if "transparency" in image.info else "L" if image.mode == "1" else "RGB")
        return np.asarray(image), Image.fromarray
    raise TypeError(f"an image is a Pillow image, an array or a tensor, not a {type(image).__name__}")


def pillow() -> Any:
    """Pillow's Image module. ImportError that says what to install."""
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("resizing and turning images needs Pillow: pip install pillow") from None
    return Image
