"""CIFAR-10, used as torchvision's is: `CIFAR10(root, train=True, download=False)`; read from the official binary version."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import minitorch
from minitorch import Tensor, nn
from minitorch.core.files import write_whole
from samples.kit.download import Downloads, generated
from samples.kit.errors import SampleError
from samples.kit.images import read_files
from samples.kit.metrics import host

if TYPE_CHECKING:
    from samples.kit.run import Run

RECORD = 1 + 3 * 32 * 32  # the class, then red, green and blue, row by row
ARCHIVE = "cifar-10-binary.tar.gz"
MEAN = np.array([0.4914, 0.4822, 0.4465], np.float32)  # of red, green and blue, from 0 to 1
DEVIATION = np.array([0.2470, 0.2435, 0.2616], np.float32)


class CIFAR10(Downloads):
    """60,000 photographs of 32x32 pixels in ten classes, 50,000 to train on and 10,000 to test on (Krizhevsky 2009).

    Args:
        root: folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin, itself or in `cifar10/` or
            `cifar-10-batches-bin/` below it; "synthetic" for coloured digits drawn by a program; None to look in MINITORCH_DATA
            and the user's cache folder.
        train: the training images, or the test images.
        download: fetch the files when they are nowhere else.
        limit: keep only so many images, the first ones.

    Attributes:
        data: uint8, shape (n, 32, 32, 3).
        targets: classes 0 to 9, int64, shape (n,).

    Raises:
        SampleError: the files are missing, cannot be fetched or are damaged.
    """

    title = "CIFAR-10"
    folder = "cifar10"
    others = ("cifar-10-batches-bin", "cifar10/cifar-10-batches-bin")
    synthetic = "generated images"
    address = "https://www.cs.toronto.edu/~kriz/"
    files = {ARCHIVE: "md5:c32a1d4ab5d03f1284b67883e8d13530"}
    classes: tuple[str, ...] = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                                "truck")

    def __init__(
        self, root: str | Path | None = None, train: bool = True, download: bool = False, *, limit: int | None = None
    ) -> None:
        self.data: NDArray[np.uint8]
        self.targets: NDArray[np.int64]
        if generated(root):
            count = 50_000 if train else 10_000
            self.data, self.targets = coloured_digits(count if limit is None else min(limit, count), seed=0 if train else 1)
            self.classes = class_names(root)
            return
        names = [f"data_batch_{k}.bin" for k in range(1, 6)] if train else ["test_batch.bin"]
        records = np.concatenate([read_records(path) for path in self.locate(names, root, download)])[:limit]
        self.targets = records[:, 0].astype(np.int64)
        self.data = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        """One example as (image, class), or a batch of them when the index is an array or slice."""
        return self.data[index], self.targets[index]

    @classmethod
    def fetch(cls, name: str, cache: Path) -> Path:
        """One file out of the official archive, which is downloaded once."""
        archive = cache / ARCHIVE if (cache / ARCHIVE).exists() else super().fetch(ARCHIVE, cache)
        try:
            with tarfile.open(archive) as packed:
                member = packed.extractfile(f"cifar-10-batches-bin/{name}")
                content = member.read() if member else b""
        except (OSError, EOFError, KeyError, tarfile.TarError) as error:
            reason = str(error).splitlines()[0]
            raise SampleError(f"{archive} is damaged ({reason}); delete it, and it is fetched again") from None
        path = cache / name
        write_whole(path, content)
        return path


def class_names(root: str | Path | None) -> tuple[str, ...]:
    """What the ten classes are called in the data that `root` names."""
    return tuple("0123456789") if generated(root) else CIFAR10.classes


def read_records(path: Path) -> NDArray[np.uint8]:
    """The records of one file, shape (n, 3073). SampleError if it is damaged."""
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SampleError(f"cannot read {path} ({error.strerror})") from None
    if not len(content) or len(content) % RECORD:
        raise SampleError(f"{path} is damaged: {len(content):,} bytes are no whole number of records of {RECORD:,}")
    records = content.reshape(-1, RECORD)
    if records[:, 0].max() > 9:
        raise SampleError(f"{path} is damaged: there is a class {records[:, 0].max()}, they go from 0 to 9")
    return records


def coloured_digits(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Drawn digits in a colour on another: images (count, 32, 32, 3) and classes."""
    from samples.kit.synthetic import digits

    ink, labels = digits(count, seed)
    rng = np.random.default_rng(seed)
    dark, light = rng.uniform(0, 110, (count, 1, 1, 3)), rng.uniform(145, 255, (count, 1, 1, 3))
    share = np.pad(ink, ((0, 0), (2, 2), (2, 2)))[..., None] / 255
    share = np.where(rng.random((count, 1, 1, 1)) < 0.5, share, 1 - share)
    return (dark + (light - dark) * share).astype(np.uint8), labels


def to_input(images: NDArray[np.uint8], device: Any) -> Tensor:
    """Images (n, 32, 32, 3) as a batch (n, 3, 32, 32) in which each colour has mean 0 and deviation 1 over CIFAR-10."""
    scaled = (images.astype(np.float32) / 255 - MEAN) / DEVIATION
    return minitorch.as_tensor(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)), device=device)


def shifted_and_flipped(images: NDArray[np.uint8], by: int = 4) -> NDArray[np.uint8]:
    """Each image moved by up to `by` pixels either way, what comes in mirrored at the edge, and half of them left to right."""
    n, height, width, _ = images.shape
    wide = np.pad(images, ((0, 0), (by, by), (by, by), (0, 0)), mode="reflect")
    rows, columns = (minitorch.randint(2 * by + 1, (n, 1)).numpy() + np.arange(size) for size in (height, width))
    flip = minitorch.rand(n).numpy() < 0.5
    columns[flip] = columns[flip, ::-1]
    return wide[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None]]


def name_pictures(model: nn.Module, config: Any, run: Run, files: Sequence[Path]) -> None:
    """Say what is on pictures of any size: their middle square, made as small as CIFAR-10's images.

    Args:
        model: scores of the ten classes for (n, 3, 32, 32); it gets what `run` has learnt.
        config: the sample's settings: `broken`, `device` and `data`.
    """
    from PIL import Image, ImageOps

    names, found = read_files(files, config.broken, run.print)
    images = np.stack([np.asarray(ImageOps.fit(Image.fromarray(image), (32, 32))) for image in found])
    run.keep(model=model)
    model.eval()
    with minitorch.no_grad():
        chances = host(model(to_input(images, config.device)).softmax(1))
    classes = class_names(config.data)
    run.table(("file", "shows", "sure", "or"),
              [(name, classes[best], f"{row[best]:.3f}", classes[second])
               for name, row in zip(names, chances) for second, best in [row.argsort()[-2:]]])
