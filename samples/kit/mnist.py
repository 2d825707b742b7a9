"""MNIST and Fashion-MNIST, used as torchvision's are: `MNIST(root, train=True, download=False, transform=None)`.

Where the files come from, first match wins:
    root (the `--data` option) or the environment variable MINITORCH_DATA; "synthetic" there means generated images
    the user's cache folder
    the official download, checked against its checksum and kept in the cache folder
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samples.kit.errors import SampleError
from samples.kit.idx import read_idx

SYNTHETIC = "synthetic"


class MNIST:
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

    folder = "mnist"
    title = "MNIST"
    address = "https://ossci-datasets.s3.amazonaws.com/mnist/"
    files = {  # official names, and the MD5 checksums of the official .gz files
        "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
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
        if (root if root is not None else os.environ.get("MINITORCH_DATA")) == SYNTHETIC:
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
    def locate(cls, names: list[str], root: str | Path | None, download: bool) -> list[Path]:
        """Find or fetch the named files."""
        given = root if root is not None else os.environ.get("MINITORCH_DATA")
        if given:
            option = "--data" if root is not None else "MINITORCH_DATA"
            folders = [Path(given), Path(given) / cls.folder, Path(given) / cls.title / "raw"]
            found = search(names, folders)
            if found is None:
                missing = "is not a folder" if not Path(given).is_dir() else f"has no {cls.folder}/{names[0]}.gz"
                raise SampleError(f"{option} {given} {missing}; {cls.ways_out()}")
            return found
        cache = cache_folder() / cls.folder
        found = search(names, [cache])
        if found is not None:
            return found
        if not download:
            raise SampleError(f"{cls.title} is not in {cache}; {cls.ways_out()}")
        return [cls.fetch(name, cache) for name in names]

    @classmethod
    def read(cls, path: Path, download: bool) -> NDArray[Any]:
        """Read one file; a damaged one in the cache folder is fetched again."""
        cache = cache_folder() / cls.folder
        try:
            return read_idx(path)
        except SampleError:
            if not download or path.parent != cache:
                raise
            path.unlink()
            return read_idx(cls.fetch(path.name.removesuffix(".gz"), cache))

    @classmethod
    def fetch(cls, name: str, cache: Path) -> Path:
        """Download one official file into the cache folder, where a later run finds it."""
        import pooch

        print(f"fetching {cls.address}{name}.gz into {cache}", flush=True)
        # pooch writes aside and compares checksums; a file that does not match never reaches the cache.
        pooch.get_logger().setLevel("ERROR")
        try:
            return Path(pooch.retrieve(
                cls.address + name + ".gz", "md5:" + cls.files[name], fname=name + ".gz", path=cache,
                downloader=pooch.HTTPDownloader(timeout=10),
            ))
        except (OSError, ValueError) as error:  # no network, no permission; wrong checksum
            reason = str(error).splitlines()[0] if isinstance(error, ValueError) else type(error).__name__
            raise SampleError(f"{cls.title} could not be fetched from {cls.address} ({reason}); "
                              f"{cls.ways_out()}") from None

    @classmethod
    def ways_out(cls) -> str:
        return (f"give a folder that holds the official {cls.title} files with --data DIR or MINITORCH_DATA=DIR, "
                f"or use generated images: --data {SYNTHETIC}")


class FashionMNIST(MNIST):
    """70,000 pictures of clothes in the format of MNIST (Xiao, Rasul, Vollgraf 2017)."""

    folder = "fashion-mnist"
    title = "FashionMNIST"
    address = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    files = {
        "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
    }
    classes = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def search(names: list[str], folders: list[Path]) -> list[Path] | None:
    """The named files, plain or .gz, from the first folder that has them all."""
    for folder in folders:
        found = [next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None) for name in names]
        if all(found):
            return [path for path in found if path is not None]
    return None


def cache_folder() -> Path:
    """Where fetched data is kept: ~/.cache/minitorch on Linux, $XDG_CACHE_HOME/minitorch where that is set."""
    import pooch

    return Path(pooch.os_cache("minitorch"))
