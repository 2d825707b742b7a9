"""MNIST and Fashion-MNIST, used as torchvision's are: `MNIST(root, train=True, download=False, transform=None)`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samples.kit import download as places
from samples.kit.download import Downloads, generated
from samples.kit.errors import SampleError
from samples.kit.idx import read_idx


class MNIST(Downloads):
    """70,000 handwritten digits, 28x28 pixels: 60,000 to train on and 10,000 to test on (LeCun, Cortes, Burges).

    Args:
        root: folder with the four official files, itself or in `mnist/` or `MNIST/raw/` below it; "synthetic" for
            generated digits; None to look in MINITORCH_DATA and the user's cache folder.
        train: the 60,000 training examples, or the 10,000 test examples.
        download: fetch the files when they are nowhere else.
        transform: called on every image an index returns; a whole batch when the index is an array or slice.
        limit: keep only so many examples, the first ones.

    Attributes:
        data: images, uint8, shape (n, 28, 28).
        targets: classes 0 to 9, int64, shape (n,).

    Raises:
        SampleError: the files are missing, cannot be fetched or are damaged.
    """

    title = "MNIST"
    folder = "mnist"
    others = ("MNIST/raw",)
    packed = ".gz"
    synthetic = "generated images"
    address = "https://ossci-datasets.s3.amazonaws.com/mnist/"
    files = {  # official names, and the checksums of the official .gz files
        "train-images-idx3-ubyte": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "md5:d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "md5:9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "md5:ec29112dd5afa0611ce80d1b7f02629c",
    }
    classes: tuple[str, ...] = tuple("0123456789")

    def __init__(
        self,
        root: str | Path | None = None,
        train: bool = True,
        download: bool = False,
        transform: Callable[[Any], Any] | None = None,
        *,
        limit: int | None = None,
    ) -> None:
        self.transform = transform
        part = "train" if train else "t10k"
        if generated(root):
            from samples.kit.synthetic import digits

            count = 60_000 if train else 10_000
            images, labels = digits(count if limit is None else min(limit, count), seed=0 if train else 1)
        else:
            names = [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
            paths = self.locate(names, root, download)
            images, labels = (self.read(path, download)[:limit] for path in paths)
            if images.ndim != 3 or labels.shape != images.shape[:1]:
                raise SampleError(f"{paths[0]} and {paths[1]} do not belong together: images {images.shape}, "
                                  f"labels {labels.shape}")
        self.data: NDArray[np.uint8] = images.astype(np.uint8, copy=False)
        self.targets: NDArray[np.int64] = labels.astype(np.int64)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        """One example as (image, class), or a batch of them when the index is an array or slice."""
        image, target = self.data[index], self.targets[index]
        return (image if self.transform is None else self.transform(image)), target

    @classmethod
    def read(cls, path: Path, download: bool) -> NDArray[Any]:
        """Read one file; a damaged one in the cache folder is fetched again."""
        cache = places.cache_folder() / cls.folder
        try:
            return read_idx(path)
        except SampleError:
            if not download or path.parent != cache:
                raise
            path.unlink()
            return read_idx(cls.fetch(path.name.removesuffix(".gz"), cache))


class FashionMNIST(MNIST):
    """70,000 pictures of clothes in the format of MNIST (Xiao, Rasul, Vollgraf 2017)."""

    title = "FashionMNIST"
    folder = "fashion-mnist"
    others = ("FashionMNIST/raw",)
    address = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    files = {
        "train-images-idx3-ubyte": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    }
    classes = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def as_mnist(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (height, width, 3) as these have them: 28x28, grey, bright on dark, and no part of it cut off."""
    from PIL import Image, ImageOps

    grey = ImageOps.grayscale(Image.fromarray(image))
    if np.median(np.asarray(grey)) > 127:  # dark on light, as on paper or in a catalogue
        grey = ImageOps.invert(grey)
    return np.asarray(ImageOps.pad(grey, (28, 28)))
